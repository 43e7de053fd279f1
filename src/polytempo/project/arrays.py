"""Camera paths, masks and casts as files: numbers in JSON, masks as packed bits, never a pickle."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray
from pydantic import TypeAdapter

from polytempo.camera.path import CameraKind, CameraPath
from polytempo.core.files import atomic_path, write_json
from polytempo.objects.cast import Cast, LayerPlan, Subject
from polytempo.project.folder import DamagedProjectError

# A ValidationError of pydantic is a ValueError, so is a broken JSON text; an archive with a flipped bit may claim to be
# encrypted (RuntimeError), packed in a way nobody knows (NotImplementedError) or larger than memory.
_DAMAGE = (
    *(OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, EOFError, MemoryError, OverflowError),
    *(RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error),
)

Masks = dict[str, Bool[np.ndarray, "T H W"]]
"""Modal mask of each subject, by name."""


def write_camera(path: Path, camera: CameraPath) -> None:
    """Write a camera path as JSON; doubles are written so that they come back to the last bit."""
    write_json(
        path,
        {
            "kind": camera.kind,
            "frame_size": camera.frame_size,
            "canvas_size": camera.canvas_size,
            "canvas_from_frame": camera.canvas_from_frame.tolist(),
            "residual_px": camera.residual_px.tolist(),
            "warnings": camera.warnings,
        },
    )


def read_camera(path: Path) -> CameraPath:
    """Read what ``write_camera`` wrote.

    Raises:
        DamagedProjectError: the file is missing or damaged.
    """
    with _reading(path):
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        matrices = np.array(document["canvas_from_frame"], np.float64)
        residual = np.array(document["residual_px"], np.float64)
        if matrices.shape != (len(residual), 3, 3) or not np.isfinite(matrices).all():
            raise ValueError("homographies of a wrong shape")
        return CameraPath(
            canvas_from_frame=matrices,
            canvas_size=TypeAdapter(tuple[int, int]).validate_python(document["canvas_size"]),
            frame_size=TypeAdapter(tuple[int, int]).validate_python(document["frame_size"]),
            kind=TypeAdapter[CameraKind](CameraKind).validate_python(document["kind"]),
            residual_px=residual,
            warnings=tuple(document["warnings"]),
        )


def write_masks(path: Path, masks: Masks) -> None:
    """Write masks by name, in order, as packed bits."""
    names = list(masks)
    _write_bits(path, {"names": names}, [masks[name] for name in names])


def read_masks(path: Path) -> Masks:
    """Read what ``write_masks`` wrote.

    Raises:
        DamagedProjectError: the file is missing or damaged.
    """
    with _reading(path):
        head, arrays = _read_bits(path)
        return dict(zip(head["names"], arrays, strict=True))


def write_cast(path: Path, cast: Cast) -> None:
    """Write a cast: masks and amodal masks as packed bits, all else as JSON within the same file."""
    head = {
        "subjects": [
            {"subject_id": one.subject_id, "name": one.name, "visibility": one.visibility.tolist()}
            for one in cast.subjects
        ],
        "layers": TypeAdapter(tuple[LayerPlan, ...]).dump_python(cast.layers, mode="json"),
        "order": cast.order,
        "warnings": cast.warnings,
    }
    _write_bits(path, head, [mask for one in cast.subjects for mask in (one.mask, one.amodal)])


def read_cast(path: Path) -> Cast:
    """Read what ``write_cast`` wrote.

    Raises:
        DamagedProjectError: the file is missing or damaged.
    """
    with _reading(path):
        head, arrays = _read_bits(path)
        subjects = tuple(
            Subject(
                subject_id=int(one["subject_id"]),
                name=str(one["name"]),
                mask=mask,
                amodal=amodal,
                visibility=np.array(one["visibility"], np.float32),
            )
            for one, mask, amodal in zip(head["subjects"], arrays[::2], arrays[1::2], strict=True)
        )
        return Cast(
            subjects=subjects,
            layers=TypeAdapter(tuple[LayerPlan, ...]).validate_python(head["layers"]),
            order=TypeAdapter(tuple[tuple[int, ...], ...]).validate_python(head["order"]),
            warnings=tuple(head["warnings"]),
        )


def _write_bits(path: Path, head: dict[str, Any], masks: list[NDArray[np.bool_]]) -> None:
    full = head | {"shapes": [mask.shape for mask in masks]}
    packed = {f"mask_{n}": np.packbits(mask) for n, mask in enumerate(masks)}
    text = np.frombuffer(json.dumps(full).encode(), np.uint8)
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, head=text, **packed)  # pyright: ignore[reportArgumentType]  (stub takes ** for allow_pickle)


def _read_bits(path: Path) -> tuple[Any, list[NDArray[np.bool_]]]:
    # From memory: numpy leaves the file open when the archive turns out to be damaged.
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
        head: Any = json.loads(archive["head"].tobytes().decode())
        masks: list[NDArray[np.bool_]] = []
        for n, shape in enumerate(head["shapes"]):
            count = int(np.prod(shape))
            bits = np.unpackbits(archive[f"mask_{n}"], count=count)
            if bits.size != count:
                raise ValueError("a mask is too short")
            masks.append(bits.astype(np.bool_).reshape(shape))
    return head, masks


@contextmanager
def _reading(path: Path) -> Generator[None, None, None]:
    try:
        yield
    except _DAMAGE as error:
        raise DamagedProjectError(
            "project",
            "a result must be what polytempo wrote",
            got=str(error).splitlines()[0][:120] if str(error) else type(error).__name__,
            todo=f"Delete the folder {path.parent.name} and run the same command again",
            path=path,
        ) from error
