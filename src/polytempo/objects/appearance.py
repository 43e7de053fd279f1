"""What a hidden body looks like: its picture taken from frames that show it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath, static_path
from polytempo.core.discs import grown
from polytempo.core.errors import InputError
from polytempo.core.pictures import Pictures, picture_size
from polytempo.core.progress import Progress, Report, silent
from polytempo.objects.amodal import AmodalConfig
from polytempo.objects.cast import Cast
from polytempo.objects.whole_body import whole_body

SEAM_PX = 3
"""So far beside what is in front the completion goes on under the visible body, whose matte there is half another's."""


def hidden_appearance(
    pictures: Pictures,
    cast: Cast,
    subject_id: int,
    *,
    camera: CameraPath | None = None,
    config: AmodalConfig | None = None,
    report: Report = silent,
) -> dict[int, NDArray[np.float32]]:
    """Pictures of a subject's hidden parts, by frame.

    Every frame in which another subject hides part of this one is shown with the mean of the best source frames,
    each laid where the body is. The mean is softer than a single source, and on average nearer to the truth. Where no
    frame shows the body in a like posture, it is put together from pieces (``carried_bodies``).

    Args:
        pictures: The clip, at the masks' size.
        cast: From :func:`polytempo.objects.build.build_cast`.
        subject_id: Whose body.
        camera: Where frames lie; a camera that stands still where not given.
        config: As the cast was built with.
        report: Told once a frame.

    Returns:
        ``float32 [H, W, 4]`` per frame, 0…1, premultiplied; alpha is above 0 only on ``amodal & ~mask`` and, soft
        beyond the amodal outline, behind those in front and ``SEAM_PX`` beside them. Frames in which nothing is hidden
        are not in it.

    Raises:
        InputError: no such subject.
    """
    subject = next((one for one in cast.subjects if one.subject_id == subject_id), None)
    if subject is None:
        known = ", ".join(str(one.subject_id) for one in cast.subjects)
        raise InputError(
            "objects.appearance", "the subject must be in the cast", got=f"{subject_id}; there are {known}",
            todo="Pass one of these ids",
        )  # fmt: skip
    hidden = subject.amodal & ~subject.mask
    frames = np.flatnonzero(hidden.any((1, 2)))
    if len(frames) == 0:
        return {}
    camera = camera or static_path(len(pictures), picture_size(pictures))
    front = subjects_in_front(cast, subject_id)
    whole = whole_body(subject.mask, front, pictures, camera, config=config)
    out: dict[int, NDArray[np.float32]] = {}
    for i, t in enumerate(frames):
        out[int(t)] = whole.shown(int(t)) * (grown(front[t], SEAM_PX) | hidden[t])[..., None]
        report(Progress(stage="objects.appearance", done=i + 1, total=len(frames)))
    return out


def subjects_in_front(cast: Cast, subject_id: int) -> NDArray[np.bool_]:
    """Union ``[T, H, W]`` of the masks of all subjects in front of one: in later layers, or in its own group."""
    subject = next(one for one in cast.subjects if one.subject_id == subject_id)
    own = next(plan.layer_id for plan in cast.layers if subject_id in plan.subject_ids)
    layer_of = {i: plan.layer_id for plan in cast.layers for i in plan.subject_ids}
    out = np.zeros_like(subject.mask)
    for t, order in enumerate(cast.order):
        for other in cast.subjects:
            layer = layer_of[other.subject_id]
            if other.subject_id != subject_id and (layer == own or order.index(layer) > order.index(own)):
                out[t] |= other.mask[t]
    return out
