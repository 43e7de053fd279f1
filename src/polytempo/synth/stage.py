"""Where people stand at a moment, and how the camera sees a point of the reference picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath, static_path
from polytempo.synth.pose import INDEX, STRIDE, Pose, jumping, walking
from polytempo.synth.scene import Person, SceneSpec

MAT_DEPTH = 0.045
"""How far a jumper presses the mat down, in body heights."""
MAT_LIFT = 0.10
"""Height of a mat above the ground, in body heights."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Moment:
    """A person at one time, in pixels of the reference frame."""

    pose: Pose
    feet: tuple[float, float]
    """Point on the floor below the body."""
    unit: float
    """Pixels per body height."""
    turn: float
    """Facing in radians: 0 right, a quarter turn at the camera."""
    tilt: float
    """How far up the picture one unit of distance on the floor goes, in units."""

    def points(self, *, mirrored: bool = False) -> Float64[np.ndarray, "J 2"]:
        """Joints in the picture; mirrored in the floor if asked."""
        x, near, up = self.axes()
        up = -up if mirrored else up
        return np.stack([self.feet[0] + self.unit * x, self.feet[1] + self.unit * (near * self.tilt - up)], -1)

    def axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Joints in body heights: to the right in the picture, toward the camera, up."""
        forward, left, up = self.pose.joints.T
        c, s = np.cos(self.turn), np.sin(self.turn)
        return c * forward + s * left, s * forward - c * left, up

    def joint(self, names: tuple[str, ...], values: NDArray[np.float64]) -> Any:
        """Mean of some joints' rows of ``values``: a point or a number."""
        return values[[INDEX[name] for name in names]].mean(0)


def moment(spec: SceneSpec, person: Person, time: float) -> Moment:
    """Where and how a person is at a time in frames; may lie between frames and beyond the clip's ends."""
    width, height = spec.size
    horizon = spec.horizon * height
    span = max(spec.n_frames - 1, 1)
    start = np.array(person.start) * (width, height)
    stop = np.array(person.stop) * (width, height)
    feet = start + (stop - start) * (time / span)
    unit = person.height * (feet[1] - horizon)
    moves = stop - start
    facing = person.facing
    if facing is None:
        depth = moves[1] / max(_tilt(spec, feet[1]), 0.05)
        facing = 90.0 if np.hypot(*moves) < 0.05 * height else float(np.degrees(np.arctan2(depth, moves[0])))
    if person.action == "walk":
        middle_unit = person.height * ((start[1] + stop[1]) / 2 - horizon)
        way = np.hypot(moves[0], moves[1] / max(_tilt(spec, (start[1] + stop[1]) / 2), 0.05))
        cycles = way / (STRIDE * middle_unit) / span * (time - span / 2)
        pose = walking(person.phase + cycles, arm_swing=person.arm_swing)
    else:
        depth = MAT_DEPTH if spec.mats else 0.0
        pose = jumping(person.phase + (time - span / 2) / person.period, height=person.jump_height, depth=depth)
        if spec.mats:
            feet = feet - np.array([0.0, MAT_LIFT * unit])
    return Moment(
        pose=pose,
        feet=(float(feet[0]), float(feet[1])),
        unit=float(unit),
        turn=float(np.radians(facing)),
        tilt=_tilt(spec, feet[1]),
    )


def camera_path(spec: SceneSpec) -> tuple[CameraPath, tuple[float, float]]:
    """Give the camera's path, and the canvas pixel of the reference frame's corner (0, 0)."""
    width, height = spec.size
    move = spec.camera
    if move.pan_degrees == 0 and move.shake_px == 0:
        return static_path(spec.n_frames, spec.size), (0.0, 0.0)
    focal = move.focal * width
    centre = np.array([[1, 0, (width - 1) / 2], [0, 1, (height - 1) / 2], [0, 0, 1.0]])
    inner = centre @ np.diag([focal, focal, 1.0])
    t = np.linspace(-0.5, 0.5, spec.n_frames)
    pan = np.radians(move.pan_degrees) * t
    tremble = _tremble(spec) * move.shake_px / focal
    ref_from_frame = np.stack(
        [
            inner @ _rotation(a + d[0], d[1], 0.4 * d[2]) @ np.linalg.inv(inner)
            for a, d in zip(pan, tremble, strict=True)
        ]
    )
    corners = np.array([[0, 0, 1], [width - 1, 0, 1], [width - 1, height - 1, 1], [0, height - 1, 1.0]]).T
    seen = ref_from_frame @ corners
    xy = seen[:, :2] / seen[:, 2:]
    low = np.floor(xy.min((0, 2))) - 2
    high = np.ceil(xy.max((0, 2))) + 3
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]])
    canvas_from_frame = shift @ ref_from_frame
    path = CameraPath(
        canvas_from_frame=canvas_from_frame / canvas_from_frame[:, 2:, 2:],
        canvas_size=(int(high[0] - low[0]), int(high[1] - low[1])),
        frame_size=spec.size,
        kind="panning" if move.pan_degrees else "stabilised",
        residual_px=np.zeros(spec.n_frames),
    )
    return path, (float(-low[0]), float(-low[1]))


def _tilt(spec: SceneSpec, y: float) -> float:
    return float((y - spec.horizon * spec.size[1]) / (spec.camera.focal * spec.size[0]))


def _tremble(spec: SceneSpec) -> NDArray[np.float64]:
    """Slow random motion ``[T, 3]`` of standard deviation about 1, at rest in the middle frame."""
    rng = np.random.default_rng([spec.seed, 23])
    frequencies = rng.uniform(0.4, 2.2, (3, 4)) / spec.fps
    phases = rng.uniform(0, 2 * np.pi, (3, 4))
    t = np.arange(spec.n_frames) - spec.n_frames // 2
    return np.sin(2 * np.pi * frequencies * t[:, None, None] + phases).sum(-1) / np.sqrt(2.0)


def _rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    return turn @ nod @ np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1.0]])
