"""Drawing a person: parts warped to where the pose has them, nearest last."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int8
from numpy.typing import NDArray

from polytempo.synth.parts import Part, body_parts, head_picture, part_picture
from polytempo.synth.pose import COCO, INDEX
from polytempo.synth.scene import Person, SceneSpec
from polytempo.synth.stage import Moment, moment

MARGIN = 2
NEAR_PX = 2.5
"""A keypoint within this many pixels of a part that carries it counts as on it."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Actor:
    """A person's parts, drawn once at the largest size they are needed."""

    person: Person
    parts: tuple[Part, ...]
    pictures: tuple[NDArray[np.float32], ...]
    lengths: Float64[np.ndarray, " P"]
    unit: float
    """Pixels per body height of the pictures."""
    oversample: int
    ends: Float64[np.ndarray, "2 P J"]
    """Shares of the joints in each part's two ends."""
    heads: dict[int, NDArray[np.float32]]
    """Heads drawn so far by facing, in steps of three degrees."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Drawing:
    """Part of a frame that a figure covers."""

    x: int
    y: int
    rgba: Float32[np.ndarray, "h w 4"]
    """Premultiplied, 0…1."""
    part: Int8[np.ndarray, "h w"]
    """Number of the part on top, -1 for none; one past the last part is the head."""
    frame_from_part: Float64[np.ndarray, "P 2 3"]
    """Affine map from each part's own picture to the frame."""


def make_actor(spec: SceneSpec, person: Person, *, oversample: int, seed: int) -> Actor:
    """Draw all parts of a person."""
    span = spec.n_frames - 1
    unit = max(moment(spec, person, time).unit for time in (0.0, float(span))) * oversample
    parts = body_parts(person.look)
    ends = np.zeros((2, len(parts), len(INDEX)))
    for number, part in enumerate(parts):
        for end, names in enumerate((part.a, part.b)):
            for name in names:
                ends[end, number, INDEX[name]] += 1 / len(names)
    joints = moment(spec, person, 0.0).pose.joints
    lengths = np.maximum(np.linalg.norm(ends[1] @ joints - ends[0] @ joints, axis=1), 0.02) * unit
    pictures = tuple(
        part_picture(part, length=float(length), unit=unit, seed=seed * 100 + number, margin=MARGIN)
        for number, (part, length) in enumerate(zip(parts, lengths, strict=True))
    )
    return Actor(
        person=person,
        parts=parts,
        pictures=pictures,
        lengths=lengths,
        unit=unit,
        oversample=oversample,
        ends=ends,
        heads={},
    )


def draw_figure(
    actor: Actor,
    now: Moment,
    *,
    frame_from_ref: Float64[np.ndarray, "3 3"],
    size: tuple[int, int],
    mirrored: bool = False,
) -> Drawing | None:
    """Draw a person as one camera sees them; None where nothing falls into the frame.

    Args:
        actor: The person's parts.
        now: Pose and place.
        frame_from_ref: Homography from the reference frame to the frame drawn.
        size: ``(width, height)`` of the frame in pixels.
        mirrored: Draw the mirror picture in the floor instead.
    """
    over = actor.oversample
    points, scale = seen_points(now, frame_from_ref, mirrored=mirrored)
    unit = now.unit * scale
    reach = int(np.ceil(0.16 * unit)) + 2
    low = np.maximum(np.floor(points.min(0)).astype(int) - reach, 0)
    high = np.minimum(np.ceil(points.max(0)).astype(int) + reach + 1, size)
    if np.any(high - low < 2):
        return None
    width, height = (high - low) * over
    rgba = np.zeros((height, width, 4), np.float32)
    top = np.full((height, width), -1, np.int8)
    shift = np.array(
        [[over, 0, (over - 1) / 2 - over * low[0]], [0, over, (over - 1) / 2 - over * low[1]], [0, 0, 1.0]]
    )
    _, near, _ = now.axes()
    distance = np.append(
        (actor.ends.mean(0) @ near) + [part.nearer for part in actor.parts], near[INDEX["head"]] + 0.035
    )
    maps = _part_maps(actor, points, unit, turn=now.turn)
    head = _head(actor, now)
    maps = np.concatenate([maps, _head_map(actor, head, points, unit, mirrored=mirrored)[None]])
    pictures = (*actor.pictures, head)
    placed = (shift @ np.concatenate([maps, np.tile([[[0, 0, 1.0]]], (len(maps), 1, 1))], 1))[:, :2]
    for number in np.argsort(distance, kind="stable"):
        _lay(rgba, top, pictures[number], placed[number], int(number))
    if over > 1:
        rgba = cv2.resize(rgba, (width // over, height // over), interpolation=cv2.INTER_AREA)
        top = np.ascontiguousarray(top[over // 2 :: over, over // 2 :: over])
    return Drawing(x=int(low[0]), y=int(low[1]), rgba=rgba, part=top, frame_from_part=maps)


def seen_points(
    now: Moment, frame_from_ref: Float64[np.ndarray, "3 3"], *, mirrored: bool = False
) -> tuple[Float64[np.ndarray, "J 2"], float]:
    """Joints in frame pixels, and by how much the camera enlarges there."""
    points = now.points(mirrored=mirrored)
    hips = points[INDEX["hips"]]
    both = np.concatenate([points, hips + np.eye(2)])
    seen = cv2.perspectiveTransform(both[None], frame_from_ref)[0]
    across = seen[-2:] - seen[INDEX["hips"]]
    return seen[:-2], float(np.sqrt(abs(np.linalg.det(across))))


def keypoints(
    actor: Actor, now: Moment, drawing: Drawing | None, *, frame_from_ref: Float64[np.ndarray, "3 3"]
) -> Float32[np.ndarray, "17 3"]:
    """COCO keypoints ``(x, y, v)`` of one figure: v is 2 where its own body does not hide the point, else 1."""
    points, _ = seen_points(now, frame_from_ref)
    out = np.ones((17, 3), np.float32)
    head = len(actor.pictures)
    _, near, _ = now.axes()
    for i, name in enumerate(COCO):
        out[i, :2] = points[INDEX[name]]
        if i < 5:
            carriers = {head}
            faces = near[INDEX[name]] - near[INDEX["head"]] > -0.012
        else:
            carriers = {n for n, part in enumerate(actor.parts) if name in part.shows}
            faces = True
        if drawing is not None and faces and _carried(drawing, float(out[i, 0]), float(out[i, 1]), carriers):
            out[i, 2] = 2
    return out


def _carried(drawing: Drawing, x: float, y: float, carriers: set[int]) -> bool:
    height, width = drawing.part.shape
    column, row = round(float(x)) - drawing.x, round(float(y)) - drawing.y
    reach = int(NEAR_PX)
    rows = slice(max(row - reach, 0), max(min(row + reach + 1, height), 0))
    columns = slice(max(column - reach, 0), max(min(column + reach + 1, width), 0))
    if not (0 <= row < height and 0 <= column < width):
        return False
    here = int(drawing.part[row, column])
    return here in carriers or (here < 0 and bool(np.isin(drawing.part[rows, columns], list(carriers)).any()))


def _head(actor: Actor, now: Moment) -> NDArray[np.float32]:
    step = round(float(np.degrees(now.turn)) / 3)
    if step not in actor.heads:
        actor.heads[step] = head_picture(
            actor.person.look, unit=actor.unit, turn=float(np.radians(step * 3)), margin=MARGIN
        )
    return actor.heads[step]


def _head_map(
    actor: Actor, picture: NDArray[np.float32], points: NDArray[np.float64], unit: float, *, mirrored: bool
) -> NDArray[np.float64]:
    zoom = unit / actor.unit
    centre = points[INDEX["head"]]
    sign = -1.0 if mirrored else 1.0
    lean = points[INDEX["head"]] - points[INDEX["neck"]]
    angle = float(np.arctan2(lean[0], -lean[1] * sign)) * 0.6
    c, s = np.cos(angle) * zoom, np.sin(angle) * zoom
    turn = np.array([[c, -s], [s * sign, c * sign]])
    middle = np.array([picture.shape[1] // 2, picture.shape[0] // 2])
    return np.concatenate([turn, (centre - turn @ middle)[:, None]], 1)


def _part_maps(actor: Actor, points: NDArray[np.float64], unit: float, *, turn: float) -> Float64[np.ndarray, "P 2 3"]:
    """Affine map of every part's picture to where the pose has it."""
    a, b = actor.ends @ points
    zoom = unit / actor.unit
    long = np.linalg.norm(b - a, axis=1)
    along = np.where(long[:, None] > 1e-6, (b - a) / np.maximum(long, 1e-6)[:, None], (0.0, 1.0))
    across = np.stack([along[:, 1], -along[:, 0]], -1)
    across *= np.where(across[:, :1] < 0, -1.0, 1.0)  # the lit side stays on the left
    narrow = np.array([1 - part.flat * abs(np.cos(turn)) for part in actor.parts])
    stretch = np.maximum(long / actor.lengths, 0.5 * zoom)
    axes = np.stack([across * (zoom * narrow)[:, None], along * stretch[:, None]], -1)
    origin = np.array(
        [(p.shape[1] // 2, MARGIN + q.radius_a * actor.unit) for p, q in zip(actor.pictures, actor.parts, strict=True)]
    )
    return np.concatenate([axes, (a - np.einsum("pij,pj->pi", axes, origin))[..., None]], -1)


def _lay(
    rgba: NDArray[np.float32], top: NDArray[np.int8], picture: NDArray[np.float32], m: NDArray[np.float64], number: int
) -> None:
    """Put a part's picture over what is drawn already, inside its bounding box only."""
    height, width = picture.shape[:2]
    (a, b, c), (d, e, f) = m.tolist()
    xs = (c, a * (width - 1) + c, b * (height - 1) + c, a * (width - 1) + b * (height - 1) + c)
    ys = (f, d * (width - 1) + f, e * (height - 1) + f, d * (width - 1) + e * (height - 1) + f)
    x0, y0 = max(math.floor(min(xs)), 0), max(math.floor(min(ys)), 0)
    x1, y1 = min(math.ceil(max(xs)) + 1, rgba.shape[1]), min(math.ceil(max(ys)) + 1, rgba.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    moved = np.array([[a, b, c - x0], [d, e, f - y0]])
    laid = cv2.warpAffine(picture, moved, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    alpha = cv2.extractChannel(laid, 3)
    free = cv2.merge([1 - alpha] * 4)
    box = (slice(y0, y1), slice(x0, x1))
    rgba[box] = cv2.add(cv2.multiply(rgba[box], free), laid)
    top[box][alpha > 0.5] = number
