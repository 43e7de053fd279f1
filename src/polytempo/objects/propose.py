"""Subjects proposed without a prompt: what moves when the camera is taken out, as blobs, followed as tracks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, UInt8
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.camera.plate import clean_plate
from polytempo.core.discs import disc
from polytempo.core.errors import InputError
from polytempo.core.pictures import Pictures, picture_size
from polytempo.core.progress import Report, silent
from polytempo.objects.colour_model import ANY_COLOUR, lab_picture
from polytempo.objects.evidence import EvidenceConfig, plate_matcher
from polytempo.objects.flow import FlowField, neighbour_flow, pull
from polytempo.objects.moving import moving_pixels
from polytempo.objects.persistence import persistence
from polytempo.objects.prompts import Prompt, Prompts, SubjectPrompts


@dataclass(frozen=True, kw_only=True, slots=True)
class ProposeConfig:
    """Which moving things are worth proposing."""

    least_share: float = 0.002
    """Smallest blob, as a share of the picture."""
    least_frames: int = 6
    """Shortest track, in frames (a quarter of the clip when that is less)."""
    close_px: int = 3
    """Gaps in blobs up to this wide are closed, in pixels of a picture 480 wide."""
    least_overlap: float = 0.3
    """Share of the smaller of two blobs that must meet for a track to go on."""
    longest_gap: int = 8
    """Frames for which a track may be out of sight."""
    most: int = 12
    """Largest number of proposals."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Proposal:
    """A thing that moves, to be picked by its number."""

    number: int
    """From 1, the most prominent first."""
    start: int
    """First frame."""
    stop: int
    """One past the last frame."""
    frames: tuple[int, ...]
    """Frames on which it was seen, whole and apart from others as far as could be told."""
    masks: Bool[np.ndarray, "N H W"]
    """Its blob on those frames."""
    best_frame: int
    """Frame for the contact sheet: there it shows largest without touching the picture's edge."""

    @property
    def thumbnail(self) -> Bool[np.ndarray, "H W"]:
        """Mask on ``best_frame``."""
        return self.masks[self.frames.index(self.best_frame)]

    def box(self, frame: int) -> tuple[int, int, int, int]:
        """Bounding box ``x0, y0, x1, y1``, half-open, on one of ``frames``."""
        x, y, width, height = cv2.boundingRect(self.masks[self.frames.index(frame)].astype(np.uint8))
        return (x, y, x + width, y + height)


def propose(
    pictures: Pictures,
    camera: CameraPath,
    *,
    config: ProposeConfig = ProposeConfig(),
    report: Report = silent,
) -> list[Proposal]:
    """Find what moves.

    Args:
        pictures: T frames ``uint8 [H, W, 3]`` at working size.
        camera: Their path.
        config: What counts.
        report: Told often; may raise to stop.

    Returns:
        Proposals, the most prominent (area times time) first; none where nothing moves.
    """
    flow = neighbour_flow(pictures, report=report)
    moving = moving_pixels(flow, camera)
    plate = clean_plate(pictures, camera, ignore=moving)
    # Where something moves all the time no frame is left; there the plain middle of all frames has to do.
    plain = clean_plate(pictures, camera, ignore=np.zeros_like(moving))
    blobs: list[list[NDArray[np.bool_]]] = []
    width, height = picture_size(pictures)
    small = (max(width // 2, 1), max(height // 2, 1))
    smaller = np.stack([cv2.resize(pictures[t], small, interpolation=cv2.INTER_AREA) for t in range(len(pictures))])
    lasting = persistence(smaller, camera.scaled(small))
    match, match_plain = (plate_matcher(one, camera, config=EvidenceConfig()) for one in (plate, plain))
    for t in range(len(pictures)):
        lab = lab_picture(pictures[t])
        cost, known, other = match(lab, t)
        different = np.where(known, cost, match_plain(lab, t)[0]) > -np.log(ANY_COLOUR)
        passing = cv2.resize(lasting[t], (width, height), interpolation=cv2.INTER_NEAREST) == 0
        different |= known & other & passing  # in the colours of the room, but not the room
        blobs.append(_blobs(different, config))
    tracks = [track for track in _tracks(blobs, flow, config) if len(track) >= _least_frames(len(pictures), config)]
    tracks.sort(key=lambda track: -sum(float(mask.sum()) for mask in track.values()))
    return [_proposal(i + 1, track) for i, track in enumerate(tracks[: config.most])]


def pick(proposals: list[Proposal], choice: dict[str, int]) -> Prompts:
    """Make prompts of chosen proposals: name to number.

    Each gives up to five of its masks, spread over its time.

    Raises:
        InputError: nothing is chosen, a number is not among the proposals, or is chosen twice.
    """
    if not choice:
        raise InputError("objects.propose", "at least one subject must be picked", todo="For example girl=1")
    subjects: list[SubjectPrompts] = []
    for name, number in choice.items():
        found = next((one for one in proposals if one.number == number), None)
        if found is None:
            raise InputError(
                "objects.propose",
                f"a picked number must be among 1 to {len(proposals)}"
                if proposals
                else "something must move to be picked",
                got=f"{number} for {name}",
            )
        if list(choice.values()).count(number) > 1:
            raise InputError("objects.propose", "a proposal must be picked once", got=f"{number} twice")
        which = sorted({found.best_frame, *(found.frames[i] for i in _spread(len(found.frames), 4))})
        prompts = tuple(Prompt(frame=t, mask=found.masks[found.frames.index(t)]) for t in which)
        subjects.append(SubjectPrompts(name=name, prompts=prompts))
    height, width = proposals[0].masks.shape[1:]
    return Prompts(subjects=tuple(subjects), size=(width, height))


def contact_sheet(
    pictures: Pictures, proposals: list[Proposal], *, tile_width: int = 240, columns: int = 4
) -> UInt8[np.ndarray, "H W 3"]:
    """Every proposal on its best frame, outlined and numbered, with its range of frames."""
    width, height = picture_size(pictures)
    tile = (tile_width, max(1, round(tile_width * height / width)))
    tiles: list[NDArray[np.uint8]] = []
    for one in proposals:
        picture = cv2.resize(np.ascontiguousarray(pictures[one.best_frame]), tile, interpolation=cv2.INTER_AREA)
        mask = cv2.resize(one.thumbnail.astype(np.uint8), tile, interpolation=cv2.INTER_NEAREST)
        shown = np.where(mask[..., None] > 0, picture, picture // 3).astype(np.uint8)
        outline, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(shown, outline, -1, (255, 220, 0), 1)
        text = f"{one.number}: frames {one.start}-{one.stop - 1}"
        for colour, thick in (((0, 0, 0), 3), ((255, 255, 255), 1)):
            cv2.putText(shown, text, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, thick, cv2.LINE_AA)
        tiles.append(shown)
    if not tiles:
        return np.zeros((tile[1], tile[0], 3), np.uint8)
    columns = min(columns, len(tiles))
    while len(tiles) % columns:
        tiles.append(np.zeros_like(tiles[0]))
    return np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])


def _least_frames(n_frames: int, config: ProposeConfig) -> int:
    return max(1, min(config.least_frames, n_frames // 4))


def _blobs(different: NDArray[np.bool_], config: ProposeConfig) -> list[NDArray[np.bool_]]:
    radius = max(1, round(config.close_px * different.shape[1] / 480))
    mask = cv2.morphologyEx(different.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc(radius))
    n, pieces, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    big = [i for i in range(1, n) if stats[i, cv2.CC_STAT_AREA] >= config.least_share * mask.size]
    return [pieces == i for i in big]


def _tracks(
    blobs: list[list[NDArray[np.bool_]]], flow: FlowField, config: ProposeConfig
) -> list[dict[int, NDArray[np.bool_]]]:
    """Link blobs of neighbouring frames where the flow lays one on the other, largest overlap first."""
    tracks: list[dict[int, NDArray[np.bool_]]] = []
    expected: list[NDArray[np.float32]] = []
    for t, found in enumerate(blobs):
        if t:
            from_before = flow.step(t - 1, t)[0]
            expected = [pull(mask, from_before) for mask in expected]
        scores: list[tuple[float, int, int]] = []
        for i, track in enumerate(tracks):
            if t - max(track) > config.longest_gap:
                continue
            for j, mask in enumerate(found):
                shared = float(expected[i][mask].sum())
                smaller = max(min(float(expected[i].sum()), float(mask.sum())), 1.0)
                if shared / smaller >= config.least_overlap:
                    scores.append((shared, i, j))
        free, open_ends = set(range(len(found))), set(range(len(tracks)))
        for _, i, j in sorted(scores, reverse=True):
            if i in open_ends and j in free:
                tracks[i][t] = found[j]
                expected[i] = found[j].astype(np.float32)
                open_ends.remove(i)
                free.remove(j)
        for j in sorted(free):
            tracks.append({t: found[j]})
            expected.append(found[j].astype(np.float32))
    return tracks


def _proposal(number: int, track: dict[int, NDArray[np.bool_]]) -> Proposal:
    frames = tuple(sorted(track))

    def score(t: int) -> float:
        mask = track[t]
        edge = mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()
        return float(mask.sum()) * (0.5 if edge else 1.0)

    # Two that touch make one large blob; the upper middle of the sizes is more likely one of them alone.
    ranked = sorted(frames, key=score)
    return Proposal(
        number=number,
        start=frames[0],
        stop=frames[-1] + 1,
        frames=frames,
        masks=np.stack([track[t] for t in frames]),
        best_frame=ranked[(3 * len(ranked)) // 4],
    )


def _spread(n: int, count: int) -> list[int]:
    return sorted({round(i * (n - 1) / max(count - 1, 1)) for i in range(count)})
