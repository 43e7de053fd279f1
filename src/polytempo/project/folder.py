"""The project folder: one folder a project, one result a stage and input, nothing half-written.

    NAME.polytempo/
      project.json                 schema, version, the clip, which result of each stage is current
      subjects.json  edit.json     what the user asked for: prompts (or where masks lie), the edit decision list
      stages/STAGE/KEY/            a stage's result; KEY is the hash of its inputs and its config
        record.json                what it was made from, with what, how long it took
      work/                        checkpoints of a stage that has not finished
      lock                         held by the one process that may write

Reading needs no lock: a result's folder appears in one step, with everything in it, and is never changed after that.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from polytempo.core.errors import InputError, PolytempoError, ResourceError, VersionError
from polytempo.core.files import PARTIAL, atomic_path, file_digest, write_json
from polytempo.project.lock import folder_lock

SCHEMA = "polytempo.project"
VERSION = 1
SUFFIX = ".polytempo"
RECORD = "record.json"
KEPT_RESULTS = 3
"""Results kept per stage; with a fourth, the one not used for longest goes."""


class DamagedProjectError(PolytempoError):
    """A project folder in which something is missing or cannot be read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipReference:
    """Which file the project is about, and how to see that it has not changed."""

    path: Path
    digest: str
    """Hash of the content; results are keyed by it."""
    n_bytes: int
    modified_ns: int
    """Modification time; with the size it saves hashing an unchanged file again."""


@dataclass(kw_only=True, slots=True)
class Project:
    """An open project folder. Get one from ``open_project``."""

    root: Path
    clip: ClipReference
    writable: bool
    current: dict[str, str] = field(default_factory=dict[str, str])
    """Key of the newest result per stage."""

    def result(self, stage: str, key: str) -> Path | None:
        """Folder of a finished result, or nothing."""
        folder = self.root / "stages" / stage / key
        return folder if (folder / RECORD).is_file() else None

    def current_result(self, stage: str) -> Path:
        """Folder of a stage's newest result.

        Raises:
            InputError: the stage has not been run yet.
        """
        folder = self.result(stage, self.current[stage]) if stage in self.current else None
        if folder is None:
            raise InputError(
                "project",
                f"the stage {stage!r} must have been run",
                got="no result of it",
                todo=f"Run `polytempo {COMMAND_OF.get(stage, stage)} {self.root.name}` first",
                path=self.root,
            )
        return folder

    @contextmanager
    def new_result(self, stage: str, key: str) -> Generator[Path, None, None]:
        """Give an empty folder that becomes the result of a stage when the block ends well.

        Raises:
            InputError: the project was opened for reading only.
        """
        self._require_writable()
        folder = self.root / "stages" / stage / key
        with atomic_path(folder) as partial:
            partial.mkdir(parents=True)
            yield partial
        self.use_result(stage, key)

    def use_result(self, stage: str, key: str) -> None:
        """Make a finished result the current one of its stage, and let go of those unused for longest."""
        folder = self.root / "stages" / stage / key
        if not self.writable:
            return
        os.utime(folder)
        if self.current.get(stage) != key:
            self.current[stage] = key
            self.save()
        others = [one for one in folder.parent.iterdir() if one != folder and not one.name.startswith(".")]
        others.sort(key=lambda one: one.stat().st_mtime_ns, reverse=True)
        for old in others[KEPT_RESULTS - 1 :]:
            shutil.rmtree(old, ignore_errors=True)

    def discard_result(self, stage: str, key: str) -> None:
        """Remove a result, e.g. one that turned out to be damaged."""
        self._require_writable()
        shutil.rmtree(self.root / "stages" / stage / key, ignore_errors=True)

    def work_folder(self, stage: str, key: str) -> Path:
        """A folder for the checkpoints of a stage that is under way; made, and kept until ``clear_work``."""
        self._require_writable()
        folder = self.root / "work" / f"{stage}-{key}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def clear_work(self, stage: str) -> None:
        """Remove the checkpoints of a stage, all keys."""
        for folder in (self.root / "work").glob(f"{stage}-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def save(self) -> None:
        """Write ``project.json``."""
        self._require_writable()
        document = {
            "schema": SCHEMA,
            "version": VERSION,
            "clip": {
                "path": str(self.clip.path),
                "digest": self.clip.digest,
                "n_bytes": self.clip.n_bytes,
                "modified_ns": self.clip.modified_ns,
            },
            "current": self.current,
        }
        try:
            write_json(self.root / "project.json", document)
        except OSError as error:
            raise _cannot_write(self.root, error) from error

    def _require_writable(self) -> None:
        if not self.writable:
            raise InputError("project", "the project must be open for writing", path=self.root)


COMMAND_OF = {
    "masks": "subjects",
    "cast": "subjects",
    "camera": "subjects",
    "keypoints": "decompose",
    "bodies": "decompose",
    "whole_bodies": "decompose",
    "separation": "decompose",
    "networks": "decompose",
    "atlases": "decompose",
    "layers": "decompose",
    "frames": "subjects",
    "probe": "subjects",
}
"""Command that makes a stage's result, where it is not called like the stage."""


@contextmanager
def open_project(root: Path, *, clip: Path | None = None, writing: bool = True) -> Generator[Project, None, None]:
    """Open a project folder, or make one.

    Args:
        root: The folder, ``NAME.polytempo``.
        clip: The clip it is about. Needed when the folder does not exist yet; otherwise, where the clip is now (a
            clip of other content keeps the project and redoes what depends on it).
        writing: Hold the lock and clean what a killed process left half-written.

    Raises:
        InputError: the clip or the project cannot be found or read, or a folder of that name is no project.
        DamagedProjectError: ``project.json`` is damaged.
        VersionError: the project was written by a newer program.
        ResourceError: another process is writing in it, or the folder cannot be written.
    """
    if not (root / "project.json").exists():
        if clip is None:
            raise InputError(
                "project", "the folder must be a project", got="no project.json in it", todo="Name the clip", path=root
            )
        if root.exists() and (not root.is_dir() or any(one.name != "lock" for one in root.iterdir())):
            raise InputError(
                "project",
                "a new project needs a folder of its own",
                got="something else of that name",
                todo="Choose another name with --project",
                path=root,
            )
    if not writing:
        yield _read(root, writable=False)
        return
    reference = None if clip is None else clip_reference(clip)
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(root, error) from error
    with folder_lock(root):
        if (root / "project.json").exists():
            project = _read(root, writable=True)
            if reference is not None and reference != project.clip:
                project.clip = reference
                project.save()
        else:
            assert reference is not None  # checked above, before the lock
            project = Project(root=root, clip=reference, writable=True)
            project.save()
        _sweep(root)
        yield project


def clip_reference(path: Path, *, known: ClipReference | None = None) -> ClipReference:
    """Look at a clip's file: where it is, its size, time and hash (taken from ``known`` when nothing moved).

    Raises:
        InputError: there is no such file or it cannot be read.
    """
    path = path.resolve()
    try:
        state = path.stat()
        if known and (known.path, known.n_bytes, known.modified_ns) == (path, state.st_size, state.st_mtime_ns):
            return known
        return ClipReference(path=path, digest=file_digest(path), n_bytes=state.st_size, modified_ns=state.st_mtime_ns)
    except OSError as error:
        raise InputError(
            "project",
            "the clip must be a file that can be read",
            got=error.strerror or type(error).__name__,
            todo="Check the path; for a project whose clip has moved, name the clip again",
            path=path,
        ) from error


def _read(root: Path, *, writable: bool) -> Project:
    path = root / "project.json"
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            "project", "the project must be readable", got=error.strerror or "an error", path=path
        ) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "no JSON") from error
    if not isinstance(document, dict):
        raise _damaged(path, "no JSON object")
    document = cast("dict[str, Any]", document)
    if document.get("schema") != SCHEMA:
        raise _damaged(path, f"schema {document.get('schema')!r}")
    version = document.get("version")
    if type(version) is not int or version != VERSION:
        raise VersionError(
            "project",
            f"the project's version must be {VERSION}, the one that this program knows",
            got=repr(version),
            todo="Update polytempo, or make a new project from the clip",
            path=path,
        )
    try:
        clip, current = document["clip"], document["current"]
        known = ClipReference(
            path=Path(clip["path"]),
            digest=_text(clip["digest"]),
            n_bytes=int(clip["n_bytes"]),
            modified_ns=int(clip["modified_ns"]),
        )
        # Keys and stages become folder names: nothing in a file may lead out of the project.
        results = {_name(stage): _name(key) for stage, key in current.items()}
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise _damaged(path, f"a missing or wrong entry ({error})") from error
    project = Project(root=root, clip=known, writable=writable, current=results)
    if writable and known.path.exists():
        now = clip_reference(known.path, known=known)
        if now != known:
            project.clip = now
            project.save()
    return project


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("text expected")
    return value


def _name(value: object) -> str:
    text = _text(value)
    if not all(letter.isalnum() or letter in "_-" for letter in text):
        raise ValueError(f"{text[:40]!r} is no name of a stage or a result")
    return text


def _sweep(root: Path) -> None:
    """Remove what a killed process left half-written."""
    for folder in (root, root / "work", *(root / "stages").glob("*")):
        if folder.is_dir():
            for leftover in folder.glob(f".*{PARTIAL}*"):
                if leftover.is_dir() and not leftover.is_symlink():
                    shutil.rmtree(leftover, ignore_errors=True)
                else:
                    leftover.unlink(missing_ok=True)


def _damaged(path: Path, got: str) -> DamagedProjectError:
    return DamagedProjectError(
        "project",
        "project.json must be what polytempo wrote",
        got=got,
        todo="Put back a copy of it, or delete the project folder and start again from the clip",
        path=path,
    )


def _cannot_write(root: Path, error: OSError) -> ResourceError:
    return ResourceError(
        "project",
        "the project folder must be writable",
        got=error.strerror or type(error).__name__,
        todo="Choose another place with --project",
        path=root,
    )
