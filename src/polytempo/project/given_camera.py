"""A camera path that another program estimated, kept in the project so that the file it came from may go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from polytempo.camera.homographies_file import read_homographies
from polytempo.camera.path import CameraPath
from polytempo.core.errors import InputError
from polytempo.core.files import file_digest, write_bytes
from polytempo.project.folder import Project
from polytempo.video.clip import Clip

FILE = "homographies.txt"
GIVEN_CAMERA = "homographies"
"""What the file is called among the inputs of a result."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenCamera:
    """The homographies that a project was given."""

    path: Path
    digest: str
    """Hash of the content; results are keyed by it."""

    def camera(self, clip: Clip, *, size: tuple[int, int]) -> CameraPath:
        """Read the path for frames of a size, ``(width, height)`` in pixels.

        Raises:
            InputError: it does not belong to the clip.
        """
        try:
            full = read_homographies(self.path, frame_size=(clip.width, clip.height), n_frames=clip.n_frames)
        except InputError as error:  # it did belong when it was given: the clip is another now
            todo = "Give the clip's own with --homographies FILE, or say --homographies estimate"
            raise InputError(error.where, error.must, got=error.got, todo=todo, path=self.path) from error
        return full if full.frame_size == size else full.scaled(size)


def keep_camera(project: Project, clip: Clip, path: Path) -> None:
    """Take a file of homographies into the project; from then on the camera is not estimated.

    Raises:
        InputError: it cannot be read, is damaged or does not belong to the clip; the project then stays as it was.
    """
    read_homographies(path, frame_size=(clip.width, clip.height), n_frames=clip.n_frames)
    if path.resolve() != (project.root / FILE).resolve():
        write_bytes(project.root / FILE, path.read_bytes())


def forget_camera(project: Project) -> None:
    """Let the camera be estimated again."""
    (project.root / FILE).unlink(missing_ok=True)


def given_camera(project: Project) -> GivenCamera | None:
    """Give the homographies that the project was given, if any."""
    path = project.root / FILE
    return GivenCamera(path=path, digest=file_digest(path)) if path.is_file() else None
