"""Layers that other programs made: folders of RGBA pictures as Omnimatte writes them, and the papers' own layout."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from polytempo.camera.homographies_file import read_homographies
from polytempo.camera.path import CameraPath, static_path
from polytempo.core.errors import InputError
from polytempo.exchange.images import png_paths, read_png
from polytempo.exchange.video import VideoConfig, write_video
from polytempo.layers.sparse import crop_of_picture
from polytempo.layers.stack import Background
from polytempo.layers.store import LayerName, StackWriter
from polytempo.render.compose import lay_over, opaque

WHERE = "exchange.folders"
_BACKGROUND = re.compile(r"(bg|background|rgba_l0|layer_?0*)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerFolders:
    """A folder of layers that another program made."""

    root: Path
    background: Path
    """A folder of frames, or one picture for a camera at rest."""
    layers: tuple[tuple[str, Path], ...]
    """Names and folders, back to front as sorted by name."""
    n_frames: int
    size: tuple[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperScene:
    """A scene in the layout of the papers' own code."""

    frames: tuple[Path, ...]
    """Pictures of the clip, in order."""
    size: tuple[int, int]
    masks: Path | None
    """Folder ``mask/`` with a folder a layer, where there is one."""
    homographies: Path | None
    composite_order: tuple[tuple[int, ...], ...] | None
    """Layer numbers, from 1, back to front for every frame."""
    keypoints: NDArray[np.float32] | None
    """``[P, T, 17, 3]`` (x, y, score), rows in the order of the track ids; score 0 where a person is missing."""

    def camera(self) -> CameraPath:
        """The camera's path that comes with the scene, or a camera at rest."""
        if self.homographies is None:
            return static_path(len(self.frames), self.size)
        return read_homographies(self.homographies, frame_size=self.size, n_frames=len(self.frames))

    def named_order(self) -> tuple[str, ...] | tuple[tuple[str, ...], ...]:
        """The composite order by the names of the mask folders, which are those of the layers.

        Returns:
            Names back to front, or such a row for every frame where they change; empty where the scene does not say,
            or has no masks.

        Raises:
            InputError: it numbers other layers than there are masks.
        """
        if self.composite_order is None or self.masks is None:
            return ()
        names = sorted(one.name for one in self.masks.iterdir() if one.is_dir() and any(one.glob("*.png")))
        if sorted(self.composite_order[0]) != list(range(1, len(names) + 1)):
            raise InputError(
                WHERE,
                f"composite_order must name the layers 1 to {len(names)}, one for every folder of masks",
                got=", ".join(map(str, sorted(self.composite_order[0]))),
                path=self.masks.parent / "metadata.json",
            )
        rows = tuple(tuple(names[one - 1] for one in row) for row in self.composite_order)
        return rows[0] if len(set(rows)) == 1 else rows

    def keypoint_document(self) -> list[dict[str, Any]]:
        """The keypoints as AlphaPose lists them, frames by their number from 0; empty where there are none."""
        if self.keypoints is None:
            return []
        return [
            {"image_id": f"{t:06d}.png", "idx": who, "keypoints": self.keypoints[who, t].ravel().tolist()}
            for t in range(len(self.frames))
            for who in range(len(self.keypoints))
            if self.keypoints[who, t, :, 2].any()
        ]


def find_layer_folders(root: Path) -> LayerFolders:
    """Look at a folder with a folder of RGBA PNG files for each layer.

    The background is the folder called ``bg``, ``background`` or ``rgba_l0``, or a picture ``background.png``; each
    other folder with PNG files is a layer. Folders called ``reconstruction`` or ``mask`` are left out.

    Raises:
        InputError: there is no background or no layer, or their counts or sizes differ.
    """
    if not root.is_dir():
        raise InputError(WHERE, "layers must come in a folder", got="no folder", path=root)
    folders = sorted(one for one in root.iterdir() if one.is_dir() and any(one.glob("*.png")))
    folders = [one for one in folders if one.name.lower() not in ("reconstruction", "mask", "rgb")]
    plates = [one for one in folders if _BACKGROUND.fullmatch(one.name)]
    single = [one for one in root.glob("*.png") if _BACKGROUND.fullmatch(one.stem)]
    background = (plates or single or [None])[0]
    layers = tuple((one.name.removeprefix("rgba_"), one) for one in folders if one not in plates)
    if background is None or not layers:
        raise InputError(
            WHERE,
            "there must be a folder of PNG files for the background and one for every layer",
            got=", ".join(one.name for one in folders) or "no such folder",
            todo="Call the background's folder background",
            path=root,
        )
    counts = {path.name: len(png_paths(path)) for _, path in layers}
    if background.is_dir():
        counts[background.name] = len(png_paths(background))
    if len(set(counts.values())) > 1:
        raise InputError(WHERE, "all layers must have the same number of frames", got=str(counts), path=root)
    first = read_png(png_paths(layers[0][1])[0])
    return LayerFolders(
        root=root,
        background=background,
        layers=layers,
        n_frames=next(iter(counts.values())),
        size=(first.shape[1], first.shape[0]),
    )


def import_layer_folders(found: LayerFolders, folder: Path, clip_path: Path, *, frame_rate: Fraction) -> None:
    """Write found layers as a layer store, and what they look like together as a lossless clip.

    A background that changes from frame to frame is kept whole: its mean is the plate, the frames themselves lie over
    it as the live background. Layers lie back to front as sorted by name, in all frames.

    Args:
        found: From ``find_layer_folders``.
        folder: Where the layer store goes.
        clip_path: Where the clip goes, ``.mkv``.
        frame_rate: Frames a second; such folders do not say.

    Raises:
        InputError: a picture cannot be read, has another size, or a layer has no alpha.
    """
    ids = tuple(range(1, len(found.layers) + 1))
    names = [LayerName(layer_id=k, name=name, subject_ids=(k,)) for k, (name, _) in zip(ids, found.layers, strict=True)]
    paths = [png_paths(path) for _, path in found.layers]
    plates = png_paths(found.background) if found.background.is_dir() else [found.background] * found.n_frames
    mean = np.zeros((found.size[1], found.size[0], 3), np.float64)
    for path in plates:
        mean += _sized(read_png(path), path, found.size)[..., :3]
    colour = np.rint(mean / len(plates)).astype(np.uint8)
    with StackWriter(
        folder, layers=names, camera=static_path(found.n_frames, found.size), order=[ids] * found.n_frames
    ) as writer:
        writer.write_background(
            Background(colour=colour, coverage=np.full(colour.shape[:2], found.n_frames, np.uint16))
        )

        def pictures() -> Any:
            for t in range(found.n_frames):
                plate = _sized(read_png(plates[t]), plates[t], found.size)[..., :3]
                frame = opaque(np.ascontiguousarray(plate))
                if found.background.is_dir():
                    writer.write_live(frame)
                for k, own in zip(ids, paths, strict=True):
                    rgba = _sized(read_png(own[t]), own[t], found.size)
                    if rgba.shape[2] != 4:
                        raise InputError(WHERE, "a layer's picture must have alpha", got="three channels", path=own[t])
                    writer.write(k, rgba)
                    lay_over(frame, crop_of_picture(rgba))
                yield frame[..., :3]

        write_video(clip_path, pictures(), size=found.size, frame_rate=frame_rate, config=VideoConfig(codec="ffv1"))


def read_paper_scene(root: Path) -> PaperScene:
    """Read a scene in the papers' layout: ``rgb/``, ``mask/``, ``homographies.txt`` and the two JSON documents.

    Raises:
        InputError: there are no frames, or a document is damaged.

    Source: the layout of the papers' own code; AlphaPose's tracked output for keypoints.
    """
    folder = next((root / name for name in ("rgb", "rgb_512", "rgb_256") if (root / name).is_dir()), None)
    if folder is None:
        raise InputError(WHERE, "the scene must have a folder rgb", got="none", path=root)
    frames = tuple(png_paths(folder))
    first = read_png(frames[0])
    size = (first.shape[1], first.shape[0])
    metadata, keypoints = root / "metadata.json", root / "keypoints.json"
    order = _order(_document(metadata), metadata, len(frames)) if metadata.exists() else None
    homographies, masks = root / "homographies.txt", root / "mask"
    return PaperScene(
        frames=frames,
        size=size,
        masks=masks if masks.is_dir() else None,
        homographies=homographies if homographies.exists() else None,
        composite_order=order,
        keypoints=_keypoints(_document(keypoints), keypoints, frames) if keypoints.exists() else None,
    )


def clip_of_frames(frames: Sequence[Path], clip_path: Path, *, frame_rate: Fraction) -> None:
    """Write a folder's frames as a lossless clip, so that everything that takes a clip takes them.

    Raises:
        InputError: a frame cannot be read or has another size than the first.
    """
    first = read_png(frames[0])
    size = (first.shape[1], first.shape[0])
    pictures = (_sized(read_png(path), path, size)[..., :3] for path in frames)
    write_video(clip_path, pictures, size=size, frame_rate=frame_rate, config=VideoConfig(codec="ffv1"))


def _sized(picture: NDArray[np.uint8], path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    if (picture.shape[1], picture.shape[0]) != size:
        raise InputError(
            WHERE,
            f"all pictures must measure {size[0]}x{size[1]}",
            got=f"{picture.shape[1]}x{picture.shape[0]}",
            path=path,
        )
    return picture


def _document(path: Path) -> dict[str, Any]:
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(WHERE, "the document must be readable JSON", got=str(error)[:120], path=path) from error
    if not isinstance(document, dict):
        raise InputError(WHERE, "the document must be a JSON object", got=type(document).__name__, path=path)
    return cast("dict[str, Any]", document)


def _order(document: dict[str, Any], path: Path, n_frames: int) -> tuple[tuple[int, ...], ...] | None:
    rows: Any = document.get("composite_order")
    if rows is None:
        return None
    try:
        order = tuple(tuple(int(one) for one in row) for row in rows)
    except (TypeError, ValueError) as error:
        raise InputError(
            WHERE, "composite_order must be a list of layer numbers for every frame", got=str(rows)[:60], path=path
        ) from error
    if len(order) != n_frames or any(sorted(row) != sorted(order[0]) or min(row, default=0) < 1 for row in order):
        raise InputError(
            WHERE,
            "composite_order must name every layer once in every frame, from 1",
            got=f"{len(order)} rows for {n_frames} frames",
            path=path,
        )
    return order


def _keypoints(document: dict[str, Any], path: Path, frames: Sequence[Path]) -> NDArray[np.float32]:
    """AlphaPose's tracked form: file name to a list of people with 51 numbers and a track id."""
    try:
        people = sorted({int(one["idx"]) for row in document.values() for one in row})
        out = np.zeros((len(people), len(frames), 17, 3), np.float32)
        for t, frame in enumerate(frames):
            for one in document.get(frame.name, document.get(frame.stem, [])):
                values = np.array(one["keypoints"], np.float32).reshape(17, 3)
                out[people.index(int(one["idx"])), t] = values
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            WHERE,
            "keypoints must be tracked people by file name, 51 numbers and idx each",
            got=f"{type(error).__name__} {error}"[:80],
            path=path,
        ) from error
    return out
