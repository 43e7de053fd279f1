"""The stages from a clip to its subjects, each a pure function of what it is given, kept by key in the project.

The camera is followed twice: first with everything in view, so that subjects can be told from a moving camera's
background; then again with the subjects left out, which is the path that everything after it uses. Homographies that
were given stand in for both.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool
from pydantic import TypeAdapter

from polytempo.camera.estimate import estimate_camera
from polytempo.camera.path import CameraPath
from polytempo.core.discs import grown
from polytempo.core.errors import InputError
from polytempo.core.files import write_json
from polytempo.core.progress import Report
from polytempo.objects.build import build_cast
from polytempo.objects.cast import Cast
from polytempo.objects.masks_import import import_masks
from polytempo.objects.prompts import Prompts
from polytempo.objects.segment import segment
from polytempo.project.arrays import Masks, read_camera, read_cast, read_masks, write_camera, write_cast, write_masks
from polytempo.project.damaged import or_damaged
from polytempo.project.folder import Project
from polytempo.project.given_camera import GIVEN_CAMERA, given_camera
from polytempo.project.given_keypoints import limbs_for_prompts, limbs_key
from polytempo.project.request import SubjectsRequest, files_key, prompts_key, request_document
from polytempo.project.run import Result, run_stage
from polytempo.project.settings import Settings, working_size
from polytempo.video.clip import Clip
from polytempo.video.frames import FrameStore
from polytempo.video.probe import probe

IGNORE_GROWTH = 0.01
"""Subjects are grown by this share of the picture's width before the camera is followed without them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Footage:
    """What is known of a clip before anything is known of its subjects."""

    clip: Result[Clip]
    frames: Result[FrameStore]
    """At working size."""
    camera: Result[CameraPath]
    """First look, with subjects in view; at working size."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subjects:
    """Who is in the clip, and the camera followed without them."""

    masks: Result[Masks]
    camera: Result[CameraPath]
    cast: Result[Cast]


def run_footage(project: Project, settings: Settings, report: Report) -> Footage:
    """Probe the clip, decode it at working size, follow the camera."""
    clip = run_probe(project, report)
    size = working_size((clip.value.width, clip.value.height), side_px=settings.work_side_px)

    def make_frames(folder: Path, report: Report) -> Sequence[str]:
        FrameStore.build(clip.value, folder / "store", size=size, report=report)
        return ()

    frames = run_stage(
        project,
        "frames",
        inputs={"clip": project.clip.digest},
        config={"size": list(size)},
        make=make_frames,
        load=lambda folder: or_damaged(folder, lambda: FrameStore.open(folder / "store")),
        report=report,
    )

    camera = _run_camera(project, clip.value, frames, None, settings, report)
    return Footage(clip=clip, frames=frames, camera=camera)


def run_probe(project: Project, report: Report) -> Result[Clip]:
    """Probe the clip."""
    document = TypeAdapter(Clip)

    def make(folder: Path, report: Report) -> Sequence[str]:
        write_json(folder / "clip.json", document.dump_python(probe(project.clip.path), mode="json"))
        return ()

    def load(folder: Path) -> Clip:
        text = (folder / "clip.json").read_text(encoding="utf-8")
        return dataclasses.replace(document.validate_python(json.loads(text)), path=project.clip.path)

    return run_stage(
        project,
        "probe",
        inputs={"clip": project.clip.digest},
        make=make,
        load=lambda folder: or_damaged(folder, lambda: load(folder)),
        report=report,
    )


def run_subjects(
    project: Project, footage: Footage, request: SubjectsRequest, settings: Settings, report: Report
) -> Subjects:
    """Follow the subjects asked for, follow the camera without them, and make the cast.

    Raises:
        InputError: what was asked for cannot be found, or names do not fit.
    """
    masks = _run_masks(project, footage, request, settings, report)
    frames = footage.frames
    camera = _run_camera(project, footage.clip.value, frames, masks, settings, report)

    def make_cast(folder: Path, report: Report) -> Sequence[str]:
        cast = build_cast(
            masks.value,
            frames.value,
            camera.value,
            groups=request.groups,
            dynamic_layers=request.dynamic_layers,
            order=request.order or None,
            keep_who=request.masks is None,  # followed from prompts; masks from elsewhere may be off where two meet
            config=settings.cast,
            report=report,
        )
        write_cast(folder / "cast.npz", cast)
        return cast.warnings

    plan = request_document(request)
    cast = run_stage(
        project,
        "cast",
        inputs={"frames": frames.key, "masks": masks.key, "camera": camera.key},
        config={
            "cast": TypeAdapter(type(settings.cast)).dump_python(settings.cast, mode="json"),
            "layers": {name: plan[name] for name in ("groups", "dynamic_layers", "order")},
        },
        make=make_cast,
        load=lambda folder: read_cast(folder / "cast.npz"),
        report=report,
    )
    return Subjects(masks=masks, camera=camera, cast=cast)


def _run_camera(
    project: Project,
    clip: Clip,
    frames: Result[FrameStore],
    masks: Result[Masks] | None,
    settings: Settings,
    report: Report,
) -> Result[CameraPath]:
    """Follow the camera, with subjects left out where they are known, or take the path that was given."""
    given = given_camera(project)

    def make(folder: Path, report: Report) -> Sequence[str]:
        if given is not None:
            camera = given.camera(clip, size=frames.value.size)
        else:
            ignore = None if masks is None else _grown_union(masks.value)
            camera = estimate_camera(frames.value, ignore=ignore, config=settings.camera, report=report)
        write_camera(folder / "camera.json", camera)
        return () if masks is None else camera.warnings  # what is wrong with the first look, the second may put right

    inputs = {"frames": frames.key}
    if given is not None:
        inputs[GIVEN_CAMERA] = given.digest
    elif masks is not None:
        inputs["masks"] = masks.key
    return run_stage(
        project,
        "camera_first" if masks is None else "camera",
        inputs=inputs,
        config=settings.camera,
        make=make,
        load=lambda folder: read_camera(folder / "camera.json"),
        report=report,
    )


def _run_masks(
    project: Project, footage: Footage, request: SubjectsRequest, settings: Settings, report: Report
) -> Result[Masks]:
    if request.prompts is not None:
        return _run_segment(project, footage, request.prompts, settings, report)
    if request.masks is not None:
        return _run_import(project, footage, request.masks, report)
    raise InputError("project", "somebody must be named", todo="Say who with `polytempo subjects`", path=project.root)


def _run_segment(
    project: Project, footage: Footage, prompts: Prompts, settings: Settings, report: Report
) -> Result[Masks]:
    corrections = settings.keypoint_corrections

    def make(folder: Path, report: Report) -> Sequence[str]:
        camera = footage.camera.value
        limbs = limbs_for_prompts(project, footage.clip.value, prompts, camera, corrections)
        found = segment(footage.frames.value, camera, prompts, limbs=limbs, config=settings.segment, report=report)
        write_masks(folder / "masks.npz", found)
        return ()

    return run_stage(
        project,
        "masks",
        inputs={"frames": footage.frames.key, "camera": footage.camera.key, "prompts": prompts_key(prompts)}
        | limbs_key(project, corrections),
        config=settings.segment,
        make=make,
        load=lambda folder: read_masks(folder / "masks.npz"),
        report=report,
    )


def _run_import(project: Project, footage: Footage, path: Path, report: Report) -> Result[Masks]:
    store = footage.frames.value

    def make(folder: Path, report: Report) -> Sequence[str]:
        # Masks are read at the clip's own aspect; working sizes lie on a grid and may be off it by a few percent.
        width, clip = store.size[0], footage.clip.value
        found = import_masks(path, n_frames=len(store), size=(width, max(1, round(width * clip.height / clip.width))))
        write_masks(folder / "masks.npz", {name: _resized(masks, store.size) for name, masks in found.items()})
        return ()

    try:
        content = files_key(path)
    except OSError as error:
        raise InputError(
            "project", "the masks must be readable", got=error.strerror or "an error", todo="Check the path", path=path
        ) from error
    return run_stage(
        project,
        "masks",
        inputs={"frames": footage.frames.key, "masks": content},
        make=make,
        load=lambda folder: read_masks(folder / "masks.npz"),
        report=report,
    )


def _resized(masks: Bool[np.ndarray, "T h w"], size: tuple[int, int]) -> Bool[np.ndarray, "T H W"]:
    if (masks.shape[2], masks.shape[1]) == size:
        return masks
    return np.stack([cv2.resize(one.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5 for one in masks])


def _grown_union(masks: Masks) -> Bool[np.ndarray, "T H W"]:
    union = np.any(list(masks.values()), axis=0)
    radius = max(2, round(IGNORE_GROWTH * union.shape[2]))
    return np.stack([grown(one, radius) for one in union])
