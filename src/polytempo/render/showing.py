"""What one instance shows at a moment: a frame, something between two, or a blur of several, where it belongs."""

from __future__ import annotations

import threading
from fractions import Fraction

import numpy as np
from jaxtyping import Float64

from polytempo.core.pictures import Pictures
from polytempo.edit.edl import Instance
from polytempo.layers.sparse import Crop, crop_of, crop_of_picture
from polytempo.layers.stack import Layer, LayerStack
from polytempo.render.compose import Movable
from polytempo.render.interpolate import FlowBetween, Interpolator, blended, by_interpolator
from polytempo.render.light import layer_relight
from polytempo.render.view import View, source_frame, source_place
from polytempo.video.clip import Clip

MOST_BLURRED = 12
"""Source frames mixed into one at most, however fast it runs."""
SOLID = 128
"""Alpha from which a pixel is body."""


Key = tuple[int, int, bytes]
"""Source frame, frame whose light falls, camera."""


class Shower:
    """Gives an instance's body and effects at any moment; keeps the frames it last needed and the motion between them.

    Body and effects may be asked for at the same time by different threads, and so may several moments; those are made
    one by one.
    """

    def __init__(
        self, stack: LayerStack, layer: Layer, instance: Instance, clip: Clip, interpolator: Interpolator | None
    ) -> None:
        self._stack, self._layer, self._instance, self._clip = stack, layer, instance, clip
        self._interpolator = interpolator
        self._relight = layer_relight(stack, layer, instance.light, clip, offset=instance.offset)
        self._locks = {"body": threading.Lock(), "effects": threading.Lock()}
        self._read: dict[str, dict[tuple[int, int], Movable]] = {"body": {}, "effects": {}}
        self._kept: dict[str, dict[Key, Crop]] = {"body": {}, "effects": {}}
        self._moving_camera = not _at_rest(stack)
        self._flows = {"body": FlowBetween(), "effects": FlowBetween(soft=True)}

    def body(self, source: Fraction, time: Fraction, view: View) -> Crop:
        """The body at a source time, as a view's camera sees it, in the light it is asked to be in."""
        with self._locks["body"]:
            return self._shown("body", self._layer.pictures, source, time, view)

    def effects(self, source: Fraction, time: Fraction, view: View) -> Crop | None:
        """Shadow, reflection …, where the layer keeps them apart."""
        if self._layer.effects is None:
            return None
        with self._locks["effects"]:
            return self._shown("effects", self._layer.effects, source, time, view)

    def _shown(self, what: str, pictures: Pictures, source: Fraction, time: Fraction, view: View) -> Crop:
        passed = self._passed_frames(source, time)
        if len(passed) > 1:
            return mean_crop(self._placed(what, pictures, passed, view))
        if self._instance.between == "nearest":
            return self._placed(what, pictures, passed, view)[0]
        first, share = source_place(self._clip, source)
        if share == 0:
            kept = self._kept[what].get(self._key(what, first, view))
            return self._placed(what, pictures, [first], view)[0] if kept is None else kept
        a, b = self._placed(what, pictures, [first, first + 1], view)
        if self._instance.between == "blend":
            return blended(a, b, share)
        if self._interpolator is not None:
            return by_interpolator(self._interpolator, a, b, share)
        return self._flows[what](a, b, share, pair=self._key(what, first, view))

    def _passed_frames(self, source: Fraction, time: Fraction) -> list[int]:
        """Source frames that go by while the shutter is open; one where nothing runs fast."""
        speed = self._instance.time_map.speed_at(time) if self._instance.shutter > 0 else None
        if speed is None or abs(speed) <= 1:
            return [source_frame(self._clip, source)]
        open_for = Fraction(self._instance.shutter) / self._clip.frame_rate * speed
        first, last = sorted(source_frame(self._clip, one) for one in (source, source + open_for))
        n = min(last - first + 1, MOST_BLURRED)
        return sorted({round(first + k * (last - first) / max(n - 1, 1)) for k in range(n)})

    def _placed(self, what: str, pictures: Pictures, sources: list[int], view: View) -> list[Crop]:
        """Source frames as a view's camera sees them; slow motion and freezes ask for them again and again."""
        read, kept = self._read[what], self._kept[what]
        keys = [self._key(what, one, view) for one in sources]
        self._read[what] = {key[:2]: read.get(key[:2]) or self._lit(what, pictures, *key[:2]) for key in keys}
        offset, looks = self._instance.offset, view.canvas_from_view(self._stack.camera)
        self._kept[what] = {
            key: kept[key]
            if key in kept
            else placed(self._stack, self._read[what][key[:2]], source=key[0], canvas_from_view=looks, offset=offset)
            for key in keys
        }
        return [self._kept[what][key] for key in keys]

    def _lit(self, what: str, pictures: Pictures, source: int, moment: int) -> Movable:
        crop = crop_of(pictures, source)
        if what == "body" and self._relight is not None:
            crop = self._relight.crop(crop, self._stack.size, source=source, moment=moment)
        return Movable(crop)

    def _key(self, what: str, source: int, view: View) -> Key:
        """Source frame, frame whose light falls on it, frame whose camera looks; as far as they make a difference."""
        relight = self._relight if what == "body" else None
        moment = source if relight is None else relight.moment(source, view.background_frame)
        moves = self._moving_camera or view.key is not None or view.whole
        return source, moment, view.canvas_from_view(self._stack.camera).tobytes() if moves else b""


def _at_rest(stack: LayerStack) -> bool:
    matrices = stack.camera.canvas_from_frame
    return np.array_equal(matrices, np.broadcast_to(matrices[:1], matrices.shape))


def placed(
    stack: LayerStack,
    crop: Movable,
    *,
    source: int,
    canvas_from_view: Float64[np.ndarray, "3 3"],
    offset: tuple[float, float] = (0.0, 0.0),
) -> Crop:
    """A crop of one frame where another camera shows it, moved by some pixels there.

    Source: paper A, Section 4.6; paper B, Section 4.5, whose triangles are exact here: the scene lies on one plane.
    """
    theirs = stack.camera.canvas_from_frame[source]
    same = np.array_equal(theirs, canvas_from_view)
    x, y = offset
    if same and not (x or y):
        return crop.crop
    matrix = np.eye(3) if same else np.linalg.inv(canvas_from_view) @ theirs
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
