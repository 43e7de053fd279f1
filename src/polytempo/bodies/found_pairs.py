"""A user's own pairs for the network from keypoints to UV: keypoints of filmed people and their IUV pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from polytempo.bodies.iuv_import import IuvPicture, frame_number, read_iuv_picture
from polytempo.bodies.keypoints import Keypoints
from polytempo.bodies.keypoints_import import read_keypoints
from polytempo.bodies.keypoints_to_uv import warped
from polytempo.bodies.skeleton import body_crop
from polytempo.bodies.train_uv import PairSource
from polytempo.bodies.uv_pairs import Pair
from polytempo.core.errors import InputError

WHERE = "bodies.found_pairs"
BODY_SHARE = 0.7
"""How much larger than the network's own crop a pair's picture is: room for keypoints that are damaged afterwards."""
LEAST_ON_BODY = 0.5
"""Keypoints belong to a body when at least so many of the known ones lie on it."""
HELD_OUT_EVERY = 10
"""One pair of so many is kept for the scores."""
_ANY_FRAME = 1 << 40
"""A frame is known by the number in its name, wherever that begins."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FoundPair:
    """One person in one picture; the picture is read when it is needed, so that thousands of pairs fit into memory."""

    points: Keypoints
    """In the picture's pixels."""
    file: Path
    person: int | None
    """Whose pixels, in the layout of four channels."""

    def picture(self, side: int) -> Pair:
        """The pair as a square of ``side`` pixels with the person in the middle."""
        found = read_iuv_picture(self.file)
        mine = _of(found, self.person)
        inner = round(BODY_SHARE * side)
        matrix = body_crop(self.points, side=inner).picture_from_frame.copy()
        matrix[:, 2] += (side - inner) / 2
        points = self.points.copy()
        points[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        points[points[:, 2] == 0] = 0
        return Pair(points=points, part=warped(found.part * mine, matrix, (side, side)),
                    uv=warped(found.uv * mine[..., None], matrix, (side, side)))  # fmt: skip


def read_found_pairs(keypoints: Path, folder: Path) -> tuple[FoundPair, ...]:
    """Pairs of all people whose keypoints lie on a body of the same frame.

    Args:
        keypoints: A file of any layout that ``read_keypoints`` knows, in the pixels of the pictures.
        folder: IUV pictures, one a frame, with the frame's number in the name as the keypoints have it: DensePose's
            three channels with one person in each picture, or the released system's four channels with several.

    Raises:
        InputError: something cannot be read, or no keypoints lie on any body.
        ShapeError: keypoints of another count, pictures of other channels.

    Source: LNR, Section 4.5 and A.2.3: some 20,000 pairs from videos in which people hide nobody.
    """
    files = sorted(folder.glob("*.png")) if folder.is_dir() else []
    if not files:
        raise InputError(WHERE, "pairs must have a folder of IUV pictures (PNG)", got="none", path=folder)
    unit = (1, 1)  # sizes cancel: keypoints stay in the file's own pixels
    by_frame: dict[int, list[Keypoints]] = {}
    for one in read_keypoints(keypoints, n_frames=_ANY_FRAME, clip_size=unit, size=unit):
        if int((one.points[:, 2] > 0).sum()) >= 2:
            by_frame.setdefault(one.frame, []).append(one.points)
    out: list[FoundPair] = []
    for file in files:
        people = by_frame.get(frame_number(file), [])
        if not people:
            continue
        found = read_iuv_picture(file)
        for person in _bodies(found):
            shares = [_share_on(points, _of(found, person)) for points in people]
            best = int(np.argmax(shares))
            if shares[best] >= LEAST_ON_BODY:
                out.append(FoundPair(points=people[best], file=file, person=person))
    if not out:
        raise InputError(
            WHERE, "keypoints must lie on a body of the IUV picture of their frame", got="none that do",
            todo="Give keypoints in the pictures' pixels, with the frame's number in image_id and in the file's name",
            path=keypoints,
        )  # fmt: skip
    return tuple(out)


def held_out(pairs: Sequence[FoundPair]) -> tuple[tuple[FoundPair, ...], tuple[FoundPair, ...]]:
    """Split pairs into those to train on and those to score on.

    Raises:
        InputError: fewer than two.
    """
    if len(pairs) < 2:
        raise InputError(WHERE, "there must be two pairs, one to train on and one to score on", got=str(len(pairs)))
    kept = tuple(pairs[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY]) or (pairs[-1],)
    return tuple(one for one in pairs if all(one is not other for other in kept)), kept


def one_of(pairs: Sequence[FoundPair]) -> PairSource:
    """A source that takes any of its pairs, to train on."""
    return lambda rng, side: pairs[int(rng.integers(len(pairs)))].picture(side)


def one_after_another(pairs: Sequence[FoundPair]) -> PairSource:
    """A source that gives each of its pairs once, to score on."""
    left = iter(pairs)
    return lambda _, side: next(left).picture(side)


def _bodies(found: IuvPicture) -> list[int | None]:
    """Everybody in a picture, by number where the picture tells it."""
    body = found.part > 0
    if found.person is None:
        return [None] if body.any() else []
    return [int(one) for one in np.unique(found.person[body])]


def _of(found: IuvPicture, person: int | None) -> Bool[np.ndarray, "H W"]:
    """Somebody's pixels."""
    body = found.part > 0
    return body if person is None or found.person is None else body & (found.person == person)


def _share_on(points: Keypoints, body: Bool[np.ndarray, "H W"]) -> float:
    """Share of the known keypoints that lie on a body."""
    height, width = body.shape
    known = np.rint(points[points[:, 2] > 0, :2]).astype(int)
    inside = (known >= 0).all(1) & (known < (width, height)).all(1)
    x, y = known[inside].T
    return float(body[y, x].sum()) / max(len(known), 1)
