"""Drawing a scene: every frame, and every truth about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.core.errors import InputError
from polytempo.layers.stack import Background, Layer, LayerStack
from polytempo.synth.backdrop import Backdrop, draw_backdrop
from polytempo.synth.effects import SHADE, cast_shadow, floor_reflection
from polytempo.synth.figure import Actor, Drawing, draw_figure, keypoints, make_actor
from polytempo.synth.mats import Mat, dent, mats_of
from polytempo.synth.scene import SceneSpec
from polytempo.synth.stage import camera_path, moment

BLUR_STEP_PX, MOST_SAMPLES = 2.0, 7
"""Poses averaged over the time the shutter is open: one for so much motion of the fastest joint, up to so many."""
OVERSAMPLE = 2
"""Bodies are drawn so many times larger, then averaged."""
FrameMaps = Mapping[int, Sequence[int | None]]
"""Per layer id: the source frame shown in each output frame, None where the layer is absent."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DrawnScene:
    """A drawn clip and the truth about it. Layer ``k`` (from 1) is row ``k - 1`` of the arrays with an ``L`` axis.

    Pictures and layers are coded RGB 0…255. The background, then everybody's effects, then everybody's bodies, each
    back to front, composite to ``clean`` exactly: shadows and reflections lie on the floor, not on other people.
    """

    spec: SceneSpec
    pictures: UInt8[np.ndarray, "T H W 3"]
    """The clip, with grain."""
    clean: UInt8[np.ndarray, "T H W 3"]
    """The clip without grain."""
    effects: UInt8[np.ndarray, "L T H W 4"]
    """Shadows, reflections and dents alone, premultiplied."""
    bodies: UInt8[np.ndarray, "L T H W 4"]
    """Bodies alone, premultiplied; their alpha is the body matte, whole also where somebody else hides it."""
    masks: Bool[np.ndarray, "L T H W"]
    """Modal masks: at least half covered by the visible body."""
    amodal: Bool[np.ndarray, "L T H W"]
    """Amodal masks: as if nobody else were there."""
    keypoints: Float32[np.ndarray, "L T 17 3"]
    """COCO-17 ``(x, y, v)``: v is 0 outside the frame, 1 hidden, 2 visible."""
    flow_forward: Float32[np.ndarray, "L T H W 2"]
    """``(dx, dy)`` of each body pixel from frame t to t + 1; 0 outside the amodal mask and in the last frame."""
    order: tuple[tuple[int, ...], ...]
    """Layer ids back to front for every frame."""
    camera: CameraPath
    backdrop: Backdrop
    """The clean background on the camera's canvas."""
    actors: tuple[Actor, ...]

    @property
    def layer_ids(self) -> tuple[int, ...]:
        """Ids of all layers, from 1."""
        return tuple(range(1, len(self.bodies) + 1))

    @property
    def layers(self) -> UInt8[np.ndarray, "L T H W 4"]:
        """Bodies over their own effects, premultiplied: each layer as one picture."""
        out = np.empty_like(self.bodies)
        for k, t in np.ndindex(*out.shape[:2]):
            out[k, t] = _rounded(_over(self.bodies[k, t], self.effects[k, t].astype(np.float32)))
        return out

    def background(self, frame: int) -> UInt8[np.ndarray, "H W 3"]:
        """The place without people, as the camera sees it in a frame."""
        return view_of_canvas(self.backdrop.colour, self.camera, frame)

    def render(
        self, maps: FrameMaps | None = None, *, without: Collection[int] = (), solo: int | None = None
    ) -> UInt8[np.ndarray, "T H W 3"]:
        """Give the truth of an edit, without grain.

        The camera and the order back to front keep output time; a layer shows the body, effects and motion blur of
        its source frame.

        Args:
            maps: Source frame of each layer per output frame; layers not named keep their time.
            without: Ids of layers left out.
            solo: Id of the only layer shown.

        Raises:
            InputError: an id or a source frame does not exist, or a map's length differs from the clip's.
        """
        maps = {} if maps is None else maps
        _check_edit(self, maps, [*maps, *without, *([] if solo is None else [solo])])
        shown = [k for k in self.layer_ids if k not in without and solo in (None, k)]
        out = np.empty_like(self.clean)
        for t, order in enumerate(self.order):
            sources = {k: maps[k][t] if k in maps else t for k in order if k in shown}
            drawn = [self.seen(k, source, camera_frame=t) for k, source in sources.items() if source is not None]
            out[t] = _composite(self.background(t), drawn)
        return out

    def seen(self, layer_id: int, source: int, *, camera_frame: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Effects and body of a layer at one frame, as the camera of another frame sees them, premultiplied."""
        if source == camera_frame or self.camera.kind == "static":
            return self.effects[layer_id - 1, source], self.bodies[layer_id - 1, source]
        place = _Place(self.spec, self.camera, self.backdrop, camera_frame)
        drawn = _draw_layer(place, self.actors[layer_id - 1], mats_of(self.spec)[layer_id - 1], source)
        return drawn.effects, drawn.body

    def stack(self) -> LayerStack:
        """The true layer stack."""
        shape = self.backdrop.colour.shape[:2]
        return LayerStack(
            background=Background(colour=self.backdrop.colour, coverage=np.full(shape, self.spec.n_frames, np.uint16)),
            layers=tuple(
                Layer(
                    layer_id=k,
                    name=person.name,
                    subject_ids=(k,),
                    pictures=self.bodies[k - 1],
                    effects=self.effects[k - 1],
                )
                for k, person in zip(self.layer_ids, self.spec.people, strict=True)
            ),
            order=self.order,
            camera=self.camera,
        )


def draw(spec: SceneSpec) -> DrawnScene:
    """Draw a scene.

    Raises:
        InputError: the scene has nobody in it, fewer than two frames, or is too small to draw (under 32 pixels).
    """
    _check_spec(spec)
    camera, corner = camera_path(spec)
    backdrop = draw_backdrop(spec, size=camera.canvas_size, offset=corner)
    actors = tuple(
        make_actor(spec, person, oversample=OVERSAMPLE, seed=spec.seed * 31 + n) for n, person in enumerate(spec.people)
    )
    mats = mats_of(spec)
    width, height = spec.size
    shape = (len(actors), spec.n_frames, height, width)
    effects, bodies = np.zeros((*shape, 4), np.uint8), np.zeros((*shape, 4), np.uint8)
    masks, flow = np.zeros(shape, np.bool_), np.zeros((*shape, 2), np.float32)
    points = np.zeros((*shape[:2], 17, 3), np.float32)
    clean = np.empty((*shape[1:], 3), np.uint8)
    order: list[tuple[int, ...]] = []
    ahead: list[_Drawn | None] = [None] * len(actors)
    for t in reversed(range(spec.n_frames)):  # backwards, so that the next frame is there for the flow
        place = _Place(spec, camera, backdrop, t)
        feet = [moment(spec, person, float(t)).feet[1] for person in spec.people]
        order.insert(0, tuple(int(i) + 1 for i in np.argsort(feet, kind="stable")))
        for i, actor in enumerate(actors):
            drawn = _draw_layer(place, actor, mats[i], t)
            effects[i, t], bodies[i, t], points[i, t] = drawn.effects, drawn.body, drawn.points
            flow[i, t] = _flow(drawn, ahead[i], place.size) * (drawn.body[..., 3:] > 127)
            ahead[i] = drawn
        free = np.ones(shape[2:], np.float32)
        for k in reversed(order[0]):
            alpha = bodies[k - 1, t, ..., 3].astype(np.float32) / 255
            masks[k - 1, t] = alpha * free > 0.5
            free *= 1 - alpha
        drawn_now = [(effects[k - 1, t], bodies[k - 1, t]) for k in order[0]]
        clean[t] = _composite(view_of_canvas(backdrop.colour, camera, t), drawn_now)
    return DrawnScene(
        spec=spec,
        pictures=_with_grain(clean, spec),
        clean=clean,
        effects=effects,
        bodies=bodies,
        masks=masks,
        amodal=bodies[..., 3] > 127,
        keypoints=_seen(points, masks),
        flow_forward=flow,
        order=tuple(order),
        camera=camera,
        backdrop=backdrop,
        actors=actors,
    )


Plane = TypeVar("Plane", NDArray[np.uint8], NDArray[np.float32])


def view_of_canvas(picture: Plane, camera: CameraPath, frame: int) -> Plane:
    """What a frame's camera sees of a picture on the canvas."""
    if camera.kind == "static":
        return picture
    frame_from_canvas = np.linalg.inv(camera.canvas_from_frame[frame])
    seen: Any = cv2.warpPerspective(
        picture, frame_from_canvas, camera.frame_size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return seen


class _Place:
    """What the camera of one frame sees of the place."""

    def __init__(self, spec: SceneSpec, camera: CameraPath, backdrop: Backdrop, frame: int) -> None:
        self.spec, self.size = spec, spec.size
        corner = camera_path(spec)[1]
        canvas_from_ref = np.array([[1, 0, corner[0]], [0, 1, corner[1]], [0, 0, 1.0]])
        self.frame_from_ref = np.linalg.inv(camera.canvas_from_frame[frame]) @ canvas_from_ref
        self.gloss = view_of_canvas(backdrop.gloss, camera, frame)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Drawn:
    effects: NDArray[np.uint8]
    body: NDArray[np.uint8]
    points: NDArray[np.float32]
    drawing: Drawing | None


def _draw_layer(place: _Place, actor: Actor, mat: Mat | None, source: int) -> _Drawn:
    """Draw one person at one source frame as one camera sees them."""
    spec, (width, height) = place.spec, place.size
    now = moment(spec, actor.person, float(source))
    shadow = cast_shadow(spec, actor, now, frame_from_ref=place.frame_from_ref)[..., None]
    layer = np.concatenate([SHADE * shadow, shadow], -1)
    if spec.gloss > 0 and mat is None:
        mirror = floor_reflection(spec, actor, now, frame_from_ref=place.frame_from_ref, gloss=place.gloss)
        if mirror is not None:
            _lay(layer, mirror.x, mirror.y, mirror.rgba)
    if mat is not None:
        bent = dent(spec, mat, -now.pose.lift, frame_from_ref=place.frame_from_ref)
        if bent is not None:
            x, y, rgba = bent
            box = (slice(y, y + rgba.shape[0]), slice(x, x + rgba.shape[1]))
            layer[box] = _over_float(layer[box], rgba)  # the shadow lies on the mat
    body = np.zeros((height, width, 4), np.float32)
    n = _n_samples(spec, actor, source)
    middle: Drawing | None = None
    for i in range(n):
        time = source + spec.shutter * ((i + 0.5) / n - 0.5)
        posed = moment(spec, actor.person, time)
        drawing = draw_figure(actor, posed, frame_from_ref=place.frame_from_ref, size=place.size)
        if i == n // 2:
            middle = drawing
        if drawing is not None:
            h, w = drawing.rgba.shape[:2]
            body[drawing.y : drawing.y + h, drawing.x : drawing.x + w] += drawing.rgba / n
    points = keypoints(actor, now, middle, frame_from_ref=place.frame_from_ref)
    return _Drawn(effects=_coded(layer), body=_coded(body), points=points, drawing=middle)


def _n_samples(spec: SceneSpec, actor: Actor, source: int) -> int:
    """An odd number of poses, enough that the blur shows no steps."""
    start, stop = (moment(spec, actor.person, source + spec.shutter * side).points() for side in (-0.5, 0.5))
    return min(2 * round(float(np.abs(stop - start).max()) / BLUR_STEP_PX / 2) + 1, MOST_SAMPLES)


def _flow(drawn: _Drawn, ahead: _Drawn | None, size: tuple[int, int]) -> NDArray[np.float32]:
    """Motion of each part's pixels to where the part is one frame later."""
    width, height = size
    out = np.zeros((height, width, 2), np.float32)
    if ahead is None or drawn.drawing is None or ahead.drawing is None:
        return out
    now, later = drawn.drawing, ahead.drawing
    n = len(now.frame_from_part)
    last = np.tile(np.array([0, 0, 1.0]), (n, 1, 1))
    step = np.concatenate([later.frame_from_part, last], 1) @ np.linalg.inv(
        np.concatenate([now.frame_from_part, last], 1)
    )
    h, w = now.part.shape
    inside = now.part >= 0
    number = np.where(inside, now.part, 0)
    if not inside.all() and inside.any():  # pixels that only the blur touches move with the nearest part
        _, nearest = cv2.distanceTransformWithLabels(
            (~inside).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
        )
        nearest = np.asarray(nearest, np.int64)
        table = np.zeros(int(nearest.max()) + 1, np.int64)
        table[nearest[inside]] = now.part[inside]
        number = table[nearest]
    ys, xs = np.mgrid[now.y : now.y + h, now.x : now.x + w].astype(np.float64)
    m = step[number]
    moved = np.stack([m[..., i, 0] * xs + m[..., i, 1] * ys + m[..., i, 2] for i in range(2)], -1)
    out[now.y : now.y + h, now.x : now.x + w] = moved - np.stack([xs, ys], -1)
    return out


def _seen(points: NDArray[np.float32], masks: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Take visibility from points that another person hides or that lie outside the frame."""
    out = points.copy()
    height, width = masks.shape[2:]
    for k, t, i in np.ndindex(*points.shape[:3]):
        x, y = round(float(points[k, t, i, 0])), round(float(points[k, t, i, 1]))
        if not (0 <= x < width and 0 <= y < height):
            out[k, t, i, 2] = 0
        elif any(masks[j, t, y, x] for j in range(len(masks)) if j != k):
            out[k, t, i, 2] = min(points[k, t, i, 2], 1)
    return out


def _with_grain(clean: NDArray[np.uint8], spec: SceneSpec) -> NDArray[np.uint8]:
    if spec.grain == 0:
        return clean
    out = np.empty_like(clean)
    for t, frame in enumerate(clean):
        rng = np.random.default_rng([spec.seed, 41, t])
        out[t] = _rounded(frame + np.float32(spec.grain) * rng.standard_normal(frame.shape, np.float32))
    return out


def _composite(
    background: NDArray[np.uint8], drawn: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]]
) -> NDArray[np.uint8]:
    """Effects of all layers, then bodies of all layers, over a background; ``drawn`` is back to front."""
    frame = background.astype(np.float32)
    for kind in (0, 1):
        for layer in drawn:
            frame = _over(layer[kind], frame)
    return _rounded(frame)


def _over(layer: NDArray[np.uint8], below: NDArray[np.float32]) -> NDArray[np.float32]:
    rgba = layer.astype(np.float32)
    return np.asarray(rgba[..., : below.shape[-1]] + below * (1 - rgba[..., 3:] / 255), np.float32)


def _over_float(front: NDArray[np.float32], back: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(front + back * (1 - front[..., 3:]), np.float32)


def _lay(layer: NDArray[np.float32], x: int, y: int, rgba: NDArray[np.float32]) -> None:
    box = (slice(y, y + rgba.shape[0]), slice(x, x + rgba.shape[1]))
    layer[box] = _over_float(rgba, layer[box])


def _coded(rgba: NDArray[np.float32]) -> NDArray[np.uint8]:
    return _rounded(rgba * 255)


def _rounded(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def _check_spec(spec: SceneSpec) -> None:
    where = "synth.draw"
    if not spec.people:
        raise InputError(where, "a scene must have at least one person", got="none", todo="Add a Person")
    if spec.n_frames < 2:
        raise InputError(where, "a scene must have at least two frames", got=str(spec.n_frames))
    if min(spec.size) < 32:
        raise InputError(where, "a scene must measure at least 32 pixels a side", got=f"{spec.size[0]}x{spec.size[1]}")


def _check_edit(scene: DrawnScene, maps: FrameMaps, ids: Sequence[int]) -> None:
    where, n = "synth.draw", scene.spec.n_frames
    for k in ids:
        if k not in scene.layer_ids:
            raise InputError(where, f"a layer must be one of {list(scene.layer_ids)}", got=str(k))
    for k, frames in maps.items():
        if len(frames) != n:
            raise InputError(where, f"a frame map must have {n} entries", got=f"{len(frames)} for layer {k}")
        for source in frames:
            if source is not None and not 0 <= source < n:
                raise InputError(where, f"a source frame must lie in 0 to {n - 1}", got=f"{source} for layer {k}")
