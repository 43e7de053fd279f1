"""A cast with whole bodies: keypoints tell where hidden limbs are, other frames what they look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray

from polytempo.bodies.assign import AssignConfig, keypoints_by_subject
from polytempo.bodies.complete import CompleteConfig, Corrections, completed_track
from polytempo.bodies.keypoints import Detection, KeypointTrack
from polytempo.bodies.limbs import Pose, poses
from polytempo.bodies.matte import MatteConfig, body_matte
from polytempo.bodies.posed import CutOuts, PosedConfig, posed_appearance
from polytempo.bodies.rasterise import fitted_build
from polytempo.camera.path import CameraPath, static_path
from polytempo.camera.plate import CleanPlate, clean_plate, plate_in_frame
from polytempo.core.discs import grown
from polytempo.core.errors import InputError
from polytempo.core.pictures import Pictures, picture_size
from polytempo.core.progress import Report, silent
from polytempo.objects.appearance import subjects_in_front
from polytempo.objects.cast import Cast, Subject

HiddenPictures = Mapping[int, Mapping[int, Float32[np.ndarray, "H W 4"]]]
"""Subject id → frame → premultiplied RGBA 0…1 of what of the body is hidden."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BodiesConfig:
    """How keypoints become bodies and bodies complete a cast."""

    assign: AssignConfig = field(default_factory=AssignConfig)
    """Who is who."""
    complete: CompleteConfig = field(default_factory=CompleteConfig)
    """Outliers and gaps."""
    posed: PosedConfig = field(default_factory=PosedConfig)
    """What hidden parts look like."""
    edge_px: int = 2
    """Outlines of what is in front are this uncertain: hidden body is looked for that far around them."""
    threshold: float = 0.5
    """Alpha from which a hidden pixel counts as body."""
    matte: MatteConfig = field(default_factory=MatteConfig)
    """Outlines of what is taken from other frames."""
    grow_px: int = 5
    """Bodies grow by this much before the clean plate, against which outlines are found, is taken from what is left."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Body:
    """A subject that has keypoints."""

    track: KeypointTrack
    poses: Mapping[int, Pose]
    """By frame, where it can be posed."""
    build: float
    """Factor of all limb widths."""


def bodies_of(
    cast: Cast,
    found: Sequence[Detection],
    camera: CameraPath,
    *,
    corrections: Mapping[str, Corrections] | None = None,
    config: BodiesConfig = BodiesConfig(),
) -> dict[int, Body]:
    """Bodies by subject id; subjects that nobody found belongs to have none.

    Args:
        cast: At working size.
        found: Detections at working size.
        camera: At working size.
        corrections: Keypoints put right by hand, by subject name.
        config: See ``BodiesConfig``.

    Raises:
        InputError: nobody found belongs to any subject, or a correction names what is not there.
    """
    by_subject = keypoints_by_subject(found, {one.subject_id: one.mask for one in cast.subjects}, config=config.assign)
    out: dict[int, Body] = {}
    for subject in cast.subjects:
        if subject.subject_id not in by_subject:
            if subject.name in (corrections or {}):
                raise InputError(
                    "bodies", "a subject whose keypoints are corrected must have some",
                    got=f"none for {subject.name!r}",
                    todo="Take its corrections out, or give keypoints with this person",
                )  # fmt: skip
            continue
        track = completed_track(
            by_subject[subject.subject_id],
            n_frames=len(cast.order),
            camera=camera,
            corrections=(corrections or {}).get(subject.name),
            config=config.complete,
        )
        body = poses(track)
        front = subjects_in_front(cast, subject.subject_id)
        clear = [t for t in body if subject.mask[t].any() and not (grown(subject.mask[t], 3) & front[t]).any()]
        build = fitted_build(body, subject.mask, frames=np.array(clear, np.int64))
        out[subject.subject_id] = Body(track=track, poses=body, build=build)
    return out


def completed_cast(
    pictures: Pictures,
    cast: Cast,
    bodies: Mapping[int, Body],
    *,
    camera: CameraPath | None = None,
    config: BodiesConfig = BodiesConfig(),
    report: Report = silent,
) -> tuple[Cast, HiddenPictures]:
    """The cast with amodal masks from bodies, and pictures of what is hidden.

    Subjects without a body stay as they are.

    Args:
        pictures: The clip at working size.
        cast: At working size.
        bodies: By subject id.
        camera: At working size; stands still where not given.
        config: See ``BodiesConfig``.
        report: Told as work goes on.
    """
    camera = camera or static_path(len(pictures), picture_size(pictures))
    union = np.any([one.mask for one in cast.subjects], axis=0)
    plate = clean_plate(pictures, camera, ignore=np.stack([grown(one, config.grow_px) for one in union]))
    subjects: list[Subject] = []
    hidden: dict[int, dict[int, NDArray[np.float32]]] = {}
    for subject in cast.subjects:
        body = bodies.get(subject.subject_id)
        if body is None:
            subjects.append(subject)
            continue
        cut_out = cut_outs(pictures, subject, plate, camera, config=config.matte)
        done, shown = _complete_subject(cut_out, cast, subject, body, config, report)
        subjects.append(done)
        hidden[subject.subject_id] = shown
    return replace(cast, subjects=tuple(subjects)), hidden


def cut_outs(
    pictures: Pictures, subject: Subject, plate: CleanPlate, camera: CameraPath, *, config: MatteConfig
) -> CutOuts:
    """A subject's visible body by frame: its mask, and what the clean plate tells of the outline beyond it.

    Masks are rough, and what they miss of a limb in one source is missed in the mean of all. Inside the mask alpha is
    1: what looks like the plate there, a white shoe on a light pavement, is body all the same.
    """

    @lru_cache(maxsize=64)
    def cut_out(t: int) -> Float32[np.ndarray, "H W 4"]:
        picture = np.asarray(pictures[t]).astype(np.float32) / 255
        under = plate_in_frame(plate, camera, t)
        mask = subject.mask[t].astype(np.float32)
        alpha, _ = body_matte(picture, under, mask, scale=1.0, config=config)
        alpha = np.maximum(alpha, mask)
        colour = np.clip(picture - (1 - alpha[..., None]) * under, 0, alpha[..., None])
        return np.dstack([colour, alpha]).astype(np.float32)

    return cut_out


def _complete_subject(
    cut_out: CutOuts, cast: Cast, subject: Subject, body: Body, config: BodiesConfig, report: Report
) -> tuple[Subject, dict[int, NDArray[np.float32]]]:
    front = subjects_in_front(cast, subject.subject_id)
    near = np.stack([grown(one, config.edge_px) for one in front])
    frames = np.array([t for t in body.poses if _touches(body.poses[t], near[t])], np.int64)
    whole = posed_appearance(
        cut_out,
        subject.mask,
        front,
        body.poses,
        frames=frames,
        build=body.build,
        config=config.posed,
        report=report,
    )
    amodal = subject.amodal.copy()
    shown: dict[int, NDArray[np.float32]] = {}
    for t, rgba in whole.items():
        amodal[t] = subject.mask[t] | (near[t] & (rgba[..., 3] >= config.threshold))
        unseen = amodal[t] & ~subject.mask[t]
        if unseen.any():
            # Soft beyond the amodal outline, where those in front hide it.
            shown[t] = rgba * (near[t] | unseen)[..., None]
    area = amodal.sum((1, 2))
    visibility = np.where(area > 0, subject.mask.sum((1, 2)) / np.maximum(area, 1), 0).astype(np.float32)
    return replace(subject, amodal=amodal, visibility=visibility), shown


def _touches(pose: Pose, front: NDArray[np.bool_]) -> bool:
    """Whether what is in front comes near enough to hide part of the body."""
    ends = pose.ends[~np.isnan(pose.ends).any((1, 2))].reshape(-1, 2)
    low = np.maximum(np.floor(ends.min(0) - 0.5 * pose.unit).astype(int), 0)
    high = np.maximum(np.ceil(ends.max(0) + 0.5 * pose.unit).astype(int) + 1, 0)
    return bool(front[low[1] : high[1], low[0] : high[0]].any())
