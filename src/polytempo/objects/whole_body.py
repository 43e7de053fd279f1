"""A body behind others, whole: from frames of a like posture where there are any, else from pieces carried along."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.core.pictures import Pictures
from polytempo.objects.amodal import AmodalConfig, BodyBand, belief, hidden_sources, shown_body
from polytempo.objects.carried import carried_bodies
from polytempo.objects.order import runs
from polytempo.objects.posture import occlusion_frames


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class WholeBody:
    """What stands in for the hidden parts of one body."""

    pictures: Pictures
    mask: Bool[np.ndarray, "T H W"]
    bands: list[BodyBand]
    """Frames of a like posture."""
    carried: dict[int, Float32[np.ndarray, "H W 4"]]
    """By frame, where no posture is alike: the body from its pieces."""

    @property
    def frames(self) -> list[int]:
        """Frames on which something stands in."""
        return sorted({t for band in self.bands for t in band.sources} | set(self.carried))

    def shown(self, frame: int) -> Float32[np.ndarray, "H W 4"]:
        """The body on a frame, premultiplied, 0…1; only what is hidden of it counts."""
        if frame in self.carried:
            return self.carried[frame]
        return shown_body(self.pictures, self.mask, self.bands, frame=frame)


def whole_body(
    mask: Bool[np.ndarray, "T H W"],
    front: Bool[np.ndarray, "T H W"],
    pictures: Pictures,
    camera: CameraPath,
    *,
    config: AmodalConfig | None = None,
) -> WholeBody:
    """What stands in for a body where it is hidden.

    Every spell of hiding is completed one way or the other: two ways in turn would be seen as two bodies.

    Args:
        mask: The subject's modal mask.
        front: Union of the masks of all subjects in front of it.
        pictures: The clip.
        camera: At the masks' size.
        config: How.
    """
    config = config or AmodalConfig()
    occluded, _ = occlusion_frames(mask, front, touch_px=config.posture.touch_px)
    bands = hidden_sources(mask, front, pictures, camera, config=config)
    carried: dict[int, NDArray[np.float32]] = {}
    for start, stop in runs(occluded):
        if _believed(bands, start, stop) >= config.believed:
            continue
        # One frame more on either side: there the body is seen whole, or the clip ends.
        first, last = max(start - 1, 0), min(stop + 1, len(mask))
        span = replace(
            camera,
            canvas_from_frame=camera.canvas_from_frame[first:last],
            residual_px=camera.residual_px[first:last],
        )
        found = carried_bodies(
            mask[first:last],
            front[first:last],
            [pictures[t] for t in range(first, last)],
            span,
            config=config.carry,
        )
        carried |= {first + t: rgba for t, rgba in found.items() if start <= first + t < stop}
    return WholeBody(pictures=pictures, mask=mask, bands=bands, carried=carried)


def _believed(bands: list[BodyBand], start: int, stop: int) -> float:
    """How far, on the mean over some frames and bands, the postures found are like what they stand for, 0…1."""
    told = [float(belief(band.sources.get(t, []))) for band in bands for t in range(start, stop)]
    return float(np.mean(told)) if told else 0.0
