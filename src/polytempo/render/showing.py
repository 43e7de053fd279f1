"""What one instance shows at a moment: a frame, something between two, or a blur of several, where it belongs."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from polytempo.core.pictures import Pictures
from polytempo.edit.edl import Instance
from polytempo.layers.sparse import Crop, crop_of, crop_of_picture
from polytempo.layers.stack import Layer, LayerStack
from polytempo.render.compose import Movable
from polytempo.render.interpolate import FlowBetween, Interpolator, blended, by_interpolator
from polytempo.render.view import source_frame, source_place
from polytempo.video.clip import Clip

MOST_BLURRED = 12
"""Source frames mixed into one at most, however fast it runs."""
SOLID = 128
"""Alpha from which a pixel is body."""


class Shower:
    """Gives an instance's body and effects at any moment; keeps the frames it last needed and the motion between them.

    Body and effects may be asked for at the same time by different threads.
    """

    def __init__(
        self, stack: LayerStack, layer: Layer, instance: Instance, clip: Clip, interpolator: Interpolator | None
    ) -> None:
        self._stack, self._layer, self._instance, self._clip = stack, layer, instance, clip
        self._interpolator = interpolator
        self._read: dict[str, dict[int, Movable]] = {"body": {}, "effects": {}}
        self._kept: dict[str, dict[tuple[int, int], Crop]] = {"body": {}, "effects": {}}
        self._moving_camera = not _at_rest(stack)
        self._flows = {"body": FlowBetween(), "effects": FlowBetween(soft=True)}

    def body(self, source: Fraction, time: Fraction, frame: int) -> Crop:
        """The body at a source time, as the camera of ``frame`` sees it."""
        return self._shown("body", self._layer.pictures, source, time, frame)

    def effects(self, source: Fraction, time: Fraction, frame: int) -> Crop | None:
        """Shadow, reflection …, where the layer keeps them apart."""
        if self._layer.effects is None:
            return None
        return self._shown("effects", self._layer.effects, source, time, frame)

    def _shown(self, what: str, pictures: Pictures, source: Fraction, time: Fraction, frame: int) -> Crop:
        passed = self._passed_frames(source, time)
        if len(passed) > 1:
            return mean_crop(self._placed(what, pictures, passed, frame))
        if self._instance.between == "nearest":
            return self._placed(what, pictures, passed, frame)[0]
        first, share = source_place(self._clip, source)
        if share == 0:
            kept = self._kept[what].get(self._key(first, frame))
            return self._placed(what, pictures, [first], frame)[0] if kept is None else kept
        a, b = self._placed(what, pictures, [first, first + 1], frame)
        if self._instance.between == "blend":
            return blended(a, b, share)
        if self._interpolator is not None:
            return by_interpolator(self._interpolator, a, b, share)
        return self._flows[what](a, b, share, pair=self._key(first, frame))

    def _passed_frames(self, source: Fraction, time: Fraction) -> list[int]:
        """Source frames that go by while the shutter is open; one where nothing runs fast."""
        speed = self._instance.time_map.speed_at(time) if self._instance.shutter > 0 else None
        if speed is None or abs(speed) <= 1:
            return [source_frame(self._clip, source)]
        open_for = Fraction(self._instance.shutter) / self._clip.frame_rate * speed
        first, last = sorted(source_frame(self._clip, one) for one in (source, source + open_for))
        n = min(last - first + 1, MOST_BLURRED)
        return sorted({round(first + k * (last - first) / max(n - 1, 1)) for k in range(n)})

    def _placed(self, what: str, pictures: Pictures, sources: list[int], frame: int) -> list[Crop]:
        """Source frames as the camera of ``frame`` sees them; slow motion and freezes ask for them again and again."""
        read, kept = self._read[what], self._kept[what]
        self._read[what] = {one: read.get(one) or Movable(crop_of(pictures, one)) for one in sources}
        keys = [self._key(one, frame) for one in sources]
        offset = self._instance.offset
        self._kept[what] = {
            key: kept[key]
            if key in kept
            else placed(self._stack, self._read[what][one], source=one, frame=frame, offset=offset)
            for key, one in zip(keys, sources, strict=True)
        }
        return [self._kept[what][key] for key in keys]

    def _key(self, source: int, frame: int) -> tuple[int, int]:
        return source, frame if self._moving_camera else 0


def _at_rest(stack: LayerStack) -> bool:
    matrices = stack.camera.canvas_from_frame
    return np.array_equal(matrices, np.broadcast_to(matrices[:1], matrices.shape))


def placed(
    stack: LayerStack, crop: Movable, *, source: int, frame: int, offset: tuple[float, float] = (0.0, 0.0)
) -> Crop:
    """A crop of one frame where the camera of another shows it.

    Source: paper A, Section 4.6.
    """
    matrices = stack.camera.canvas_from_frame
    same = source == frame or np.array_equal(matrices[source], matrices[frame])
    x, y = offset
    if same and not (x or y):
        return crop.crop
    matrix = np.eye(3) if same else stack.camera.frame_from_frame(frame, source)
    return crop.moved(np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]]) @ matrix, stack.size)


def mean_crop(crops: list[Crop]) -> Crop:
    """The mean of several crops, premultiplied: what a shutter sees that is open while they pass."""
    there = [one for one in crops if one.picture.size]
    if not there:
        return crops[0]
    left, top = min(one.x for one in there), min(one.y for one in there)
    right = max(one.x + one.picture.shape[1] for one in there)
    bottom = max(one.y + one.picture.shape[0] for one in there)
    total = np.zeros((bottom - top, right - left, 4), np.uint32)
    for one in there:
        rows, columns = one.picture.shape[:2]
        total[one.y - top : one.y - top + rows, one.x - left : one.x - left + columns] += one.picture
    picture = ((total + len(crops) // 2) // len(crops)).astype(np.uint8)
    inner = crop_of_picture(picture)
    return Crop(x=left + inner.x, y=top + inner.y, picture=inner.picture)


def lowest_row(body: Crop, height: int) -> float | None:
    """Where a body touches the ground: its lowest solid pixel, in heights of the frame; None for nobody."""
    if body.picture.size == 0:
        return None
    solid = np.flatnonzero((body.picture[..., 3] >= SOLID).any(axis=1))
    return None if len(solid) == 0 else (body.y + int(solid[-1])) / height
