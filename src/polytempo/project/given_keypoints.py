"""Keypoints that another program found, kept in the project so that the file they came from may go."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from polytempo.bodies.assign import keypoints_by_subject
from polytempo.bodies.complete import completed_track
from polytempo.bodies.complete_cast import BodiesConfig, Body, bodies_of
from polytempo.bodies.corrections import Places, read_corrections
from polytempo.bodies.keypoints import KeypointTrack
from polytempo.bodies.keypoints_import import read_keypoints
from polytempo.bodies.limbs import poses
from polytempo.bodies.near_limbs import limbs_of_prompted
from polytempo.camera.path import CameraPath
from polytempo.core.errors import InputError
from polytempo.core.files import atomic_path, file_digest, write_bytes
from polytempo.core.progress import Report
from polytempo.objects.cast import Cast
from polytempo.objects.limb_reach import Limbs
from polytempo.objects.prompts import Prompts
from polytempo.project.damaged import or_damaged
from polytempo.project.folder import Project
from polytempo.project.found_keypoints import run_vitpose
from polytempo.project.run import Result, run_stage
from polytempo.video.clip import Clip

FILE = "keypoints.json"


def keep_keypoints(project: Project, clip: Clip, path: Path) -> None:
    """Take a file of keypoints into the project.

    Raises:
        InputError: it cannot be read, is damaged or does not belong to the clip; the project then stays as it was.
    """
    size = (clip.width, clip.height)
    read_keypoints(path, n_frames=clip.n_frames, clip_size=size, size=size)
    if path.resolve() != (project.root / FILE).resolve():
        write_bytes(project.root / FILE, path.read_bytes())


def forget_keypoints(project: Project) -> None:
    """Go on without keypoints."""
    (project.root / FILE).unlink(missing_ok=True)


def keypoint_tracks(project: Project, clip: Clip, cast: Cast, camera: CameraPath) -> dict[int, KeypointTrack]:
    """Keypoints by subject id, gaps closed, of those who have any; nothing where the project was given none.

    Args:
        project: Where the file lies.
        clip: The clip that its pixels are in.
        cast: At working size; tells who is who.
        camera: At working size.

    Raises:
        InputError: the keypoints do not belong to the clip, or to nobody in it.
    """
    path = project.root / FILE
    if not path.is_file():
        return {}
    size = (clip.width, clip.height)
    found = read_keypoints(path, n_frames=clip.n_frames, clip_size=size, size=camera.frame_size)
    by_subject = keypoints_by_subject(found, {one.subject_id: one.mask for one in cast.subjects})
    return {who: completed_track(points, n_frames=clip.n_frames, camera=camera) for who, points in by_subject.items()}


def limbs_key(project: Project, corrections: Path | None) -> dict[str, str]:
    """What limbs are read from, as inputs of a stage; nothing where no keypoints are.

    Args:
        project: Where the file of keypoints lies.
        corrections: File of keypoints put right by hand.

    Raises:
        InputError: there are no such corrections.
    """
    path = project.root / FILE
    if not path.is_file():
        return {}
    key = {"keypoints": file_digest(path)}
    if corrections is not None:
        _must_exist(corrections)
        key["corrections"] = file_digest(corrections)
    return key


def limbs_for_prompts(
    project: Project, clip: Clip, prompts: Prompts, camera: CameraPath, corrections: Path | None
) -> dict[str, Limbs]:
    """Limbs of prompted subjects by name; nothing where no keypoints are.

    Args:
        project: Where the file of keypoints lies.
        clip: The clip that its pixels are in.
        prompts: Who is asked for.
        camera: At working size.
        corrections: File of keypoints put right by hand.

    Raises:
        InputError: the keypoints do not belong to the clip, or the corrections cannot be understood.
    """
    path = project.root / FILE
    if not path.is_file():
        return {}
    clip_size, size = (clip.width, clip.height), camera.frame_size
    found = read_keypoints(path, n_frames=clip.n_frames, clip_size=clip_size, size=size)
    by_hand = None if corrections is None else _corrections(corrections, clip, prompts.names, size)
    return limbs_of_prompted(found, prompts, camera, corrections=by_hand)


def run_bodies(
    project: Project,
    clip: Clip,
    cast: Result[Cast],
    camera: Result[CameraPath],
    *,
    config: BodiesConfig,
    corrections: Path | None,
    vitpose: Path | None = None,
    report: Report,
) -> Result[dict[int, Body]] | None:
    """Bodies by subject id; nothing where the project was given no keypoints nor weights to find them by.

    A subject without keypoints has no body: it is a thing rather than a person, which is told.

    Args:
        project: Open for writing.
        clip: The clip.
        cast: At working size.
        camera: At working size.
        config: How keypoints become bodies.
        corrections: File of keypoints put right by hand.
        vitpose: Weights to find keypoints by, where the project was given none.
        report: Told as work goes on.

    Raises:
        InputError: the keypoints do not belong to the clip, or to nobody in it.
    """
    path = project.root / FILE
    if not path.is_file():
        if vitpose is None:
            return None
        path = run_vitpose(project, clip, cast, vitpose, report)

    def make(folder: Path, report: Report) -> Sequence[str]:
        found = read_keypoints(
            path, n_frames=clip.n_frames, clip_size=(clip.width, clip.height), size=camera.value.frame_size
        )
        by_hand = None
        if corrections is not None:
            names = tuple(one.name for one in cast.value.subjects)
            by_hand = _corrections(corrections, clip, names, camera.value.frame_size)
        bodies = bodies_of(cast.value, found, camera.value, corrections=by_hand, config=config)
        with atomic_path(folder / "bodies.npz") as partial, partial.open("wb") as file:
            np.savez_compressed(
                file,
                ids=np.array(list(bodies), np.int64),
                points=np.stack([one.track.points for one in bodies.values()]),
                build=np.array([one.build for one in bodies.values()], np.float64),
            )
        return [
            f"{one.name}: no keypoints lie within its mask, so it is taken for a thing rather than a person; what is "
            "hidden of it is completed from its mask alone."
            for one in cast.value.subjects
            if one.subject_id not in bodies
        ]

    inputs = {"keypoints": file_digest(path), "cast": cast.key, "camera": camera.key}
    if corrections is not None:
        _must_exist(corrections)
        inputs["corrections"] = file_digest(corrections)
    return run_stage(
        project,
        "bodies",
        inputs=inputs,
        config=config,
        make=make,
        load=_load,
        report=report,
    )


def _corrections(path: Path, clip: Clip, subjects: tuple[str, ...], size: tuple[int, int]) -> dict[str, Places]:
    _must_exist(path)
    return read_corrections(
        path, n_frames=clip.n_frames, subjects=subjects, clip_size=(clip.width, clip.height), size=size
    )


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise InputError("project", "the corrections of keypoints must be a file that exists", path=path)


def _load(folder: Path) -> dict[int, Body]:
    def read() -> dict[int, Body]:
        with np.load(io.BytesIO((folder / "bodies.npz").read_bytes()), allow_pickle=False) as archive:
            ids, points, build = (np.array(archive[name]) for name in ("ids", "points", "build"))
        out: dict[int, Body] = {}
        for number, one, width in zip(ids.tolist(), points.astype(np.float32), build.tolist(), strict=True):
            track = KeypointTrack(points=one)
            out[int(number)] = Body(track=track, poses=poses(track), build=float(width))
        return out

    return or_damaged(folder, read)
