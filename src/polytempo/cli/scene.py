"""What edits may ask of a project: its clip, and how its subjects move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polytempo.bodies.keypoints import KeypointTrack
from polytempo.camera.path import CameraPath
from polytempo.core.errors import InputError
from polytempo.edit.align.signals import MotionSignal, SignalKind, signal_from_keypoints, signal_from_masks
from polytempo.edit.edl import Edl
from polytempo.objects.cast import Cast, LayerPlan
from polytempo.project.arrays import read_camera, read_cast
from polytempo.project.folder import Project
from polytempo.project.given_keypoints import keypoint_tracks
from polytempo.video.clip import Clip

Loader = Callable[[], tuple[Cast, CameraPath]]
KeypointLoader = Callable[[Cast, CameraPath], Mapping[int, KeypointTrack]]


@dataclass(kw_only=True, slots=True)
class Scene:
    """The clip and, when somebody asks, who moves how in it; with notes on what was found."""

    clip: Clip
    load: Loader | None = None
    """Reads cast and camera; None where only the clip is known."""
    keypoints: KeypointLoader | None = None
    """Reads keypoints by subject id; None, or nobody's, where there are none."""
    signal: SignalKind = "height"
    """What is followed of a motion."""
    sound: Path | None = None
    """Track whose beat counts, instead of the clip's own sound."""
    notes: list[str] = field(default_factory=list[str])
    """What alignments found, a sentence each."""
    aligned: list[tuple[MotionSignal, MotionSignal, Edl]] = field(
        default_factory=list[tuple[MotionSignal, MotionSignal, Edl]]
    )
    """Leader, follower and the edit with both, for plots."""
    _loaded: tuple[Cast, CameraPath] | None = None
    _tracks: Mapping[int, KeypointTrack] | None = None

    @property
    def frame(self) -> Fraction:
        """Length of a frame in seconds at the clip's nominal rate."""
        return 1 / self.clip.frame_rate

    @property
    def camera(self) -> CameraPath:
        """The camera at working size."""
        return self._both()[1]

    def masks(self, edl: Edl, name: str) -> NDArray[np.bool_]:
        """Amodal masks of an instance's layer, ``[T, H, W]`` at working size.

        Raises:
            InputError: the layer has no subject.
        """
        plan = self._plan(edl, name)
        return self._both()[0].layer_mask(plan.layer_id, amodal=True)

    def motion(self, edl: Edl, name: str) -> MotionSignal:
        """Motion of an instance's layer over the source frames: from keypoints where its subject has any, else mattes.

        Raises:
            InputError: the layer has no subject.

        Source: paper A, Fig. 5 (keypoints).
        """
        plan, tracks = self._plan(edl, name), self._keypoints()
        if len(plan.subject_ids) == 1 and plan.subject_ids[0] in tracks:
            points = tracks[plan.subject_ids[0]].points
            return signal_from_keypoints(name, points, self.camera, kind=self.signal)
        return signal_from_masks(name, self.masks(edl, name), self.camera, kind=self.signal)

    def _plan(self, edl: Edl, name: str) -> LayerPlan:
        layer = edl.instance(name).layer
        plan = next((one for one in self._both()[0].layers if one.name == layer and one.subject_ids), None)
        if plan is None:
            raise InputError("edit.align", "the layer must have a subject to be aligned by", got=repr(layer))
        return plan

    def _keypoints(self) -> Mapping[int, KeypointTrack]:
        if self._tracks is None:
            try:
                self._tracks = {} if self.keypoints is None else self.keypoints(*self._both())
            except InputError as error:
                self.notes.append(f"The keypoints are left out, motions are those of mattes: {error}")
                self._tracks = {}
        return self._tracks

    def _both(self) -> tuple[Cast, CameraPath]:
        if self._loaded is None:
            if self.load is None:
                raise InputError("edit.align", "subjects must have been followed to be aligned", got="a clip alone")
            self._loaded = self.load()
        return self._loaded


def project_scene(project: Project, clip: Clip, *, signal: SignalKind = "height", sound: Path | None = None) -> Scene:
    """Give the scene of a project; masks are read when first asked for."""

    def load() -> tuple[Cast, CameraPath]:
        return (
            read_cast(project.current_result("cast") / "cast.npz"),
            read_camera(project.current_result("camera") / "camera.json"),
        )

    def keypoints(cast: Cast, camera: CameraPath) -> Mapping[int, KeypointTrack]:
        return keypoint_tracks(project, clip, cast, camera)

    return Scene(clip=clip, load=load, keypoints=keypoints, signal=signal, sound=sound)
