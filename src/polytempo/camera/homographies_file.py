"""``homographies.txt`` in the layout of the papers' own code.

First line ``size: W H``, second ``bounds: x_min x_max y_min y_max``, then nine numbers a frame, row by row. The stored
matrix takes the canvas to the frame; ours is its inverse.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from polytempo.camera.bundle import unit_from_pixels
from polytempo.camera.canvas import canvas_path
from polytempo.camera.features import is_plausible
from polytempo.camera.kind import camera_kind
from polytempo.camera.path import CameraPath
from polytempo.camera.warp import frame_corners, moved_points
from polytempo.core.errors import InputError
from polytempo.core.files import write_bytes

WHERE = "camera.homographies_file"
MOST_BYTES = 64_000_000
_TODO = "Write the file again or estimate the camera"


def read_homographies(path: Path, *, frame_size: tuple[int, int], n_frames: int) -> CameraPath:
    """Read a camera path that another program estimated.

    Args:
        path: The file.
        frame_size: ``(width, height)`` of the clip; the file may be of another size and is scaled.
        n_frames: Frames of the clip.

    Returns:
        The path; its residual is 0, since nothing was fitted here.

    Raises:
        InputError: the file cannot be read, is damaged, has another count of frames, or its aspect is not the clip's.
    """
    lines = _lines(path)
    if len(lines) < 3:
        raise InputError(WHERE, "the file must have a size line, a bounds line and a line a frame",
                         got=f"{len(lines)} lines", todo=_TODO, path=path)  # fmt: skip
    file_width, file_height = _numbers(lines[0], "size:", 2, line=1, path=path)
    low_x, high_x, low_y, high_y = _numbers(lines[1], "bounds:", 4, line=2, path=path)
    if not (1 <= file_width <= 65536 and 1 <= file_height <= 65536):
        raise InputError(WHERE, "the size must be that of a picture", got=lines[0][:60], todo=_TODO, path=path)
    if not (high_x > low_x and high_y > low_y):
        raise InputError(WHERE, "the bounds must run from low to high", got=lines[1][:80], todo=_TODO, path=path)
    if abs(file_width / file_height - frame_size[0] / frame_size[1]) > 0.03 * frame_size[0] / frame_size[1]:
        raise InputError(
            WHERE,
            "the file's size must have the clip's aspect",
            got=f"{file_width:g}x{file_height:g} for a clip of {frame_size[0]}x{frame_size[1]}",
            todo="Take the file that was made for this clip",
            path=path,
        )
    if len(lines) - 2 != n_frames:
        raise InputError(
            WHERE,
            "the file must have one homography a frame",
            got=f"{len(lines) - 2} for {n_frames} frames",
            todo="Take the file that was made for this clip",
            path=path,
        )
    common = np.empty((n_frames, 3, 3))
    # Scaling about the outer corner of the first pixel: centres are whole numbers.
    sx, sy = frame_size[0] / file_width, frame_size[1] / file_height
    scale = np.array([[sx, 0, (sx - 1) / 2], [0, sy, (sy - 1) / 2], [0, 0, 1.0]])
    for t, line in enumerate(lines[2:]):
        stored = np.array(_numbers(line, "", 9, line=t + 3, path=path)).reshape(3, 3)
        common[t] = _inverted(stored, size=(int(file_width), int(file_height)), line=t + 3, path=path)
        common[t] = scale @ common[t] @ np.linalg.inv(scale)
        common[t] /= common[t, 2, 2]
    try:
        return canvas_path(
            common, frame_size=frame_size, kind=camera_kind(common, frame_size), residual_px=np.zeros(n_frames)
        )
    except InputError as error:
        raise InputError(WHERE, error.must, got=error.got, todo=error.todo, path=path) from error


def write_homographies(path: Path, camera: CameraPath) -> None:
    """Write a camera path for programs that read the papers' layout, atomically.

    Raises:
        InputError: the place cannot be written.
        ResourceError: the disk is full.
    """
    corners = frame_corners(camera.frame_size)
    reached = np.concatenate([moved_points(corners, homography) for homography in camera.canvas_from_frame])
    low, high = reached.min(0), reached.max(0)
    lines = [
        f"size: {camera.frame_size[0]} {camera.frame_size[1]}",
        f"bounds: {low[0]:.12f} {high[0]:.12f} {low[1]:.12f} {high[1]:.12f}",
    ]
    for homography in camera.canvas_from_frame:
        stored = np.linalg.inv(homography)
        lines.append(" ".join(f"{value:.12g}" for value in (stored / stored[2, 2]).ravel()))
    write_bytes(path, ("\n".join(lines) + "\n").encode())


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(WHERE, f"the file must not exceed {MOST_BYTES // 1_000_000} MB", todo=_TODO, path=path)
        text = path.read_text(encoding="ascii")
    except OSError as error:
        got = (error.strerror or "no answer").lower()
        raise InputError(WHERE, "the file must be readable", got=got, todo="Check the path", path=path) from error
    except UnicodeDecodeError as error:
        raise InputError(WHERE, "the file must be plain text", got=f"byte {error.start} that is none", todo=_TODO,
                         path=path) from error  # fmt: skip
    lines = [line.strip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _numbers(text: str, name: str, count: int, *, line: int, path: Path) -> list[float]:
    words = text.removeprefix(name).split()
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = []
    if not text.startswith(name) or len(values) != count or not all(map(math.isfinite, values)):
        must = f"line {line} must hold {count} numbers" + (f" after '{name}'" if name else "")
        raise InputError(WHERE, must, got=repr(text[:60]), todo=_TODO, path=path)
    return values


def _inverted(
    stored: Float64[np.ndarray, "3 3"], *, size: tuple[int, int], line: int, path: Path
) -> Float64[np.ndarray, "3 3"]:
    unit = unit_from_pixels(size)
    with np.errstate(all="ignore"):
        balanced = unit @ stored @ np.linalg.inv(unit)
        sound = bool(np.isfinite(balanced).all()) and abs(np.linalg.det(balanced)) > 1e-9 * np.abs(balanced).max() ** 3
    if sound:
        inverse = np.linalg.inv(stored)
        if abs(inverse[2, 2]) > 1e-12:
            inverse = inverse / inverse[2, 2]
            if is_plausible(inverse, size, most_area=50.0):
                return inverse
    got = np.array2string(stored.ravel(), precision=4, max_line_width=1000)
    raise InputError(WHERE, f"line {line} must be a homography that a camera can make", got=got, todo=_TODO, path=path)
