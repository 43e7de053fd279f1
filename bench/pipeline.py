"""The whole way for one scene folder, stage by stage through the public functions, measured."""

from __future__ import annotations

import importlib
import pickle
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from course import Course, followed, read_course
from machine import measured
from numpy.typing import NDArray
from scene_folder import SceneFolder

from polytempo.bodies.complete_cast import Body, bodies_of, completed_cast
from polytempo.bodies.keypoints_import import read_keypoints
from polytempo.bodies.keypoints_to_uv import keypoints_to_uv
from polytempo.camera.path import CameraPath, static_path
from polytempo.core.files import digest, file_digest
from polytempo.core.progress import Progress, Report
from polytempo.decompose.lnr.maps import LayerMaps, layer_maps
from polytempo.decompose.lnr.paper import decompose_lnr
from polytempo.decompose.lnr.paper_config import LnrConfig, paper_config, shortened, standard_config
from polytempo.decompose.lnr.train import train
from polytempo.layers.stack import LayerStack
from polytempo.objects.build import build_cast
from polytempo.objects.cast import Cast
from polytempo.video.clip import Clip
from polytempo.video.frames import FrameStore
from polytempo.video.probe import probe

SOURCE = Path(importlib.import_module("polytempo").__file__ or "").parent


@dataclass(frozen=True, kw_only=True, slots=True)
class RunConfig:
    """How a scene is run; the defaults give the method nothing but the clip and rough masks."""

    preset: str = "draft"
    """``draft``, or one of the neural presets."""
    minutes: float = 60.0
    """For a neural preset: about so many CPU minutes it is trained, in as many epochs as go into them. Its course is
    scaled to these. CPU time, because a machine that is busy with other things would make it shorter."""
    epochs: int | None = None
    """For a neural preset: so many epochs, whatever they take."""
    gradient_memory: float = 0.98
    """For a neural preset: Adam's second beta; courses of hundreds of steps need a shorter one (decision 0018)."""
    batch_size: int = 4
    """For a neural preset: frames in a batch; the paper's 32 need more memory than most machines have."""
    base_channels: int = 64
    """For a neural preset: width of the renderer."""
    inputs: str = "masks"
    """What of a scene folder goes in beside the clip: ``masks``, or ``masks+keypoints``."""
    seed: int = 0
    camera: str = "estimate"
    """``estimate``; for diagnosis ``truth`` or ``static``."""
    masks: str = "rough_masks"
    """Folder of masks that go in; for diagnosis ``masks``."""
    true_amodal: bool = False
    """For diagnosis: put the true amodal masks and order into the cast."""
    decompose: str = "polytempo.decompose.lnr.draft:decompose_draft"
    """``module:function`` with the signature of ``decompose_draft``."""

    @property
    def oracle(self) -> bool:
        """True when the method is given anything it should find itself."""
        return self.camera == "truth" or self.masks != "rough_masks" or self.true_amodal


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RunResult:
    """A decomposed scene and what it cost."""

    stack: LayerStack
    clip: Clip
    layer_of: dict[int, int]
    """Layer id in the stack of each folder number."""
    stages: dict[str, dict[str, float]]
    warnings: tuple[str, ...]
    course: Course | None = None
    """Of a neural preset."""


def run_scene(
    scene: SceneFolder,
    config: RunConfig,
    *,
    cache: Path | None,
    report: Report,
    course_folder: Path | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> RunResult:
    """Decompose one scene: read, camera, cast, layers.

    Training of a neural preset is kept in ``course_folder``, where it goes on from; ``stop`` ends it after an epoch.
    """
    stages: dict[str, dict[str, float]] = {}
    clip = probe(scene.path / "input.mp4")
    with tempfile.TemporaryDirectory() as folder:
        with measured("read", stages):
            pictures = FrameStore.build(clip, Path(folder) / "frames").pictures
            masks = scene.masks(config.masks)
        kept = _cache_file(scene, config, cache)
        found = _load(kept)
        if found is not None:
            camera, cast, old = found
            stages |= {name: {**cost, "cached": 1.0} for name, cost in old.items()}
        else:
            with measured("camera", stages):
                camera = _camera(scene, pictures, masks, config, report)
            with measured("cast", stages):
                cast = build_cast(masks, pictures, camera, report=report)
            if kept is not None:
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_bytes(pickle.dumps((camera, cast, {k: stages[k] for k in ("camera", "cast")})))
        if config.true_amodal:
            cast = with_true_amodal(cast, scene)
        more: dict[str, Any] = {}
        bodies: dict[int, Body] = {}
        if config.inputs == "masks+keypoints":
            with measured("bodies", stages):
                found = read_keypoints(
                    scene.path / "keypoints.json", n_frames=scene.n_frames, clip_size=scene.size, size=scene.size
                )
                bodies = bodies_of(cast, found, camera)
                more["bodies"] = bodies
                cast, more["hidden"] = completed_cast(pictures, cast, bodies, camera=camera)
        course: Course | None = None
        with measured("decompose", stages):
            if config.preset == "draft":
                stack = _decompose(pictures, camera, cast, config, Path(folder) / "checkpoint", report, more)
            else:
                stack, course = _decompose_neural(
                    pictures, camera, cast, bodies, config, folder=course_folder, stop=stop, report=report
                )
    layer_of = {int(plan.name): plan.layer_id for plan in cast.layers if plan.name.isdigit()}
    return RunResult(
        stack=stack, clip=clip, layer_of=layer_of, stages=stages, warnings=(*camera.warnings, *cast.warnings),
        course=course,
    )  # fmt: skip


def with_true_amodal(cast: Cast, scene: SceneFolder) -> Cast:
    """Put a scene's true amodal masks into a cast; for diagnosis only."""
    modal, amodal = scene.masks("masks"), scene.masks("masks_amodal")
    subjects = tuple(
        replace(
            one,
            mask=modal[one.name],
            amodal=amodal[one.name] | modal[one.name],
            visibility=(
                modal[one.name].sum((1, 2)) / np.maximum((amodal[one.name] | modal[one.name]).sum((1, 2)), 1)
            ).astype(np.float32),
        )
        for one in cast.subjects
    )
    return replace(cast, subjects=subjects)


def _camera(
    scene: SceneFolder,
    pictures: NDArray[np.uint8],
    masks: dict[str, NDArray[np.bool_]],
    config: RunConfig,
    report: Report,
) -> CameraPath:
    if config.camera == "static":
        return static_path(scene.n_frames, scene.size)
    if config.camera == "truth":
        return _true_camera(scene)
    from polytempo.camera.estimate import estimate_camera

    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    union = np.any(list(masks.values()), axis=0)
    ignore = np.stack([cv2.dilate(one.astype(np.uint8), kernel) > 0 for one in union])
    return estimate_camera(pictures, ignore=ignore, report=report)


def _true_camera(scene: SceneFolder) -> CameraPath:
    width, height = scene.size
    path = scene.homographies
    if np.abs(path - np.eye(3)).max() < 1e-6:
        return static_path(scene.n_frames, scene.size)
    corners = np.array([[[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]], np.float64)
    points = np.concatenate([cv2.perspectiveTransform(corners, h)[0] for h in path])
    low, high = np.floor(points.min(0)), np.ceil(points.max(0))
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]])
    moved = shift @ path
    return CameraPath(
        canvas_from_frame=moved / moved[:, 2:, 2:],
        canvas_size=(int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1),
        frame_size=scene.size,
        kind="panning",
        residual_px=np.zeros(scene.n_frames),
    )


def _decompose(
    pictures: NDArray[np.uint8],
    camera: CameraPath,
    cast: Cast,
    config: RunConfig,
    checkpoint: Path,
    report: Report,
    more: dict[str, Any],
) -> LayerStack:
    module, _, name = config.decompose.partition(":")
    function: Any = getattr(importlib.import_module(module), name)
    return function(pictures, camera, cast, seed=config.seed, checkpoint=checkpoint, report=report, **more)


def _decompose_neural(
    pictures: NDArray[np.uint8],
    camera: CameraPath,
    cast: Cast,
    bodies: dict[int, Body],
    config: RunConfig,
    *,
    folder: Path | None,
    stop: Callable[[], bool],
    report: Report,
) -> tuple[LayerStack, Course]:
    """Layers by a neural preset in about the minutes given, and its course."""
    preset = standard_config() if config.preset == "standard" else paper_config()
    preset = replace(
        preset, batch_size=config.batch_size, base_channels=config.base_channels,
        gradient_memory=config.gradient_memory,
    )  # fmt: skip
    maps = {who: keypoints_to_uv(one.track, size=camera.frame_size, build=one.build) for who, one in bodies.items()}

    def plan() -> int:
        if config.epochs is not None:
            return config.epochs
        return _epochs_in(config.minutes, pictures, layer_maps(cast, camera, maps), preset, config.seed, report)

    course = read_course(folder, repr(config), plan)
    stack = decompose_lnr(
        pictures, camera, cast, config=shortened(preset, course.planned), bodies=maps, seed=config.seed,
        checkpoint=folder, enough=followed(course, folder, stop), report=report,
    )  # fmt: skip
    return stack, course


def _epochs_in(
    minutes: float, pictures: NDArray[np.uint8], inputs: LayerMaps, preset: LnrConfig, seed: int, report: Report
) -> int:
    """How many epochs go into so many CPU minutes, from two batches that are trained on for nothing."""
    n = min(2 * preset.batch_size, len(pictures))
    few = replace(
        inputs, tile=inputs.tile[:n], uv=inputs.uv[:n], person=inputs.person[:n], trimap=inputs.trimap[:n],
        order=inputs.order[:n],
    )  # fmt: skip
    started = time.process_time()
    once = replace(shortened(preset, 1), warm_epochs=0)
    train(pictures[:n], few, config=once, seed=seed, plate=lambda t: pictures[t], report=report)
    an_epoch = (time.process_time() - started) * len(pictures) / n
    # Epochs of the curriculum see half of the frames.
    share = 1 - 0.5 * preset.curriculum_epochs / preset.n_epochs
    return max(1, int(minutes * 60 / (an_epoch * share)))


def _cache_file(scene: SceneFolder, config: RunConfig, cache: Path | None) -> Path | None:
    """Name that changes with the clip, the masks' kind and the code of all stages up to the cast."""
    if cache is None:
        return None
    parts = [
        file_digest(p) for room in ("core", "video", "camera", "objects") for p in sorted((SOURCE / room).glob("*.py"))
    ]
    key = digest(file_digest(scene.path / "input.mp4"), config.camera, config.masks, *parts)
    return cache / f"{scene.path.name}-{key[:16]}.pickle"


def _load(kept: Path | None) -> tuple[CameraPath, Cast, dict[str, dict[str, float]]] | None:
    return pickle.loads(kept.read_bytes()) if kept is not None and kept.is_file() else None


def progress_line(progress: Progress) -> None:
    """Show progress on one line of a terminal."""
    import sys

    if sys.stderr.isatty():
        loss = f" loss {progress.loss:.4f}" if progress.loss is not None else ""
        sys.stderr.write(f"\r\033[K{progress.stage} {progress.done:g}/{progress.total:g} {progress.message}{loss}")
