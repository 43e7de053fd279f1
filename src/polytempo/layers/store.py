"""The layer stack on disk: written frame by frame, read by frame number, one folder that appears all at once.

Layout of the folder::

    stack.json         format, version, sizes, camera, order, names, and where each frame's crop lies
    background.bin     colour and coverage on the canvas
    live.bin           crops of what the frames show of the background themselves, where there is any
    layer-01.bin …     the crops of one layer, and of its effects, one after the other, each compressed by itself
    shading-01.bin …   UV and light of a layer that has an atlas; 00 is the background

A crop is the box outside which a picture is 0, compressed with Blosc (LZ4) and guarded by a CRC-32. Measured on one
core against zarr 3, sharded, a frame a chunk, the same codec: 0.9 against 3.1 ms to read a 960 x 540 RGBA frame whose
box covers 71 % of it, 3.5 against 15.9 ms to write it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

from polytempo.camera.path import CameraPath
from polytempo.core.errors import InputError, ShapeError
from polytempo.core.files import atomic_path
from polytempo.core.progress import Progress, Report, silent
from polytempo.layers.chunks import Chunk, append_chunk, load_chunk
from polytempo.layers.shading import Shading
from polytempo.layers.shading_store import ShadingWriter, stored_shading
from polytempo.layers.sparse import crop_of_picture
from polytempo.layers.stack import Background, Layer, LayerStack
from polytempo.layers.store_document import (
    LayerRecord,
    StackDocument,
    read_document,
    require_consistent,
    write_document,
)
from polytempo.layers.stored_pictures import StoredPictures

DOCUMENT = "stack.json"
BACKGROUND = "background.bin"
LIVE = "live.bin"


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerName:
    """What is known of a layer before its pictures come."""

    layer_id: int
    """From 1; 0 is the background."""
    name: str
    subject_ids: tuple[int, ...]


@runtime_checkable
class NamedLayer(Protocol):
    """What a store needs to know of a layer: a ``LayerName``, or what knows as much (a plan, a whole layer)."""

    @property
    def layer_id(self) -> int:
        """From 1; 0 is the background."""
        ...

    @property
    def name(self) -> str:
        """What the user calls it."""
        ...

    @property
    def subject_ids(self) -> tuple[int, ...]:
        """Who is in it."""
        ...


@dataclass(slots=True)
class _OpenLayer:
    name: NamedLayer
    file: BinaryIO
    chunks: list[Chunk] = field(default_factory=list[Chunk])
    effects: list[Chunk] = field(default_factory=list[Chunk])


class StackWriter:
    """Writes a layer stack frame by frame; the folder appears when the block ends well, and not before.

    Use as a context manager: call ``write`` for the frames of each layer in time order (layers in any order between
    them), ``write_background`` once, ``write_live`` for the frames of a background that has such. An existing store at
    ``folder`` is replaced in one step.

    Args:
        folder: Where the store will be.
        layers: The layers that will come.
        camera: The camera at the size of the layers' pictures; its length is the number of frames.
        order: Layer ids back to front for every frame, background left out.
        composite_space: Space in which *over* is right for these layers.

    Raises:
        InputError: two layers share an id or a name, or the order names another layer.
        ShapeError: order and camera have different lengths.
    """

    def __init__(
        self,
        folder: Path,
        *,
        layers: Sequence[NamedLayer],
        camera: CameraPath,
        order: Sequence[Sequence[int]],
        composite_space: str = "srgb-coded",
    ) -> None:
        self._folder, self._camera, self._composite_space = folder, camera, composite_space
        self._order = tuple(tuple(ids) for ids in order)
        self._names = tuple(layers)
        self._n_frames = len(camera.canvas_from_frame)
        pairs = [(one.layer_id, one.name) for one in layers]
        require_consistent(pairs, self._order, self._n_frames, where="layers.store")
        self._resources = ExitStack()
        self._layers: dict[int, _OpenLayer] = {}
        self._background: tuple[Chunk, Chunk] | None = None
        self._live: list[Chunk] = []
        self._shadings: dict[int, ShadingWriter] = {}
        self._exposure: tuple[tuple[float, float, float], ...] | None = None

    def __enter__(self) -> StackWriter:
        self._partial = self._resources.enter_context(atomic_path(self._folder))
        self._partial.mkdir()
        for name in self._names:
            file = self._resources.enter_context((self._partial / _layer_file(name.layer_id)).open("wb"))
            self._layers[name.layer_id] = _OpenLayer(name, file)
        self._live_file = self._resources.enter_context((self._partial / LIVE).open("wb"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._resources:  # also when finishing fails; then what was written is removed
            if error is not None:
                raise error
            self._finish()

    def write(
        self,
        layer_id: int,
        picture: UInt8[np.ndarray, "H W 4"],
        *,
        effects: UInt8[np.ndarray, "H W 4"] | None = None,
    ) -> None:
        """Append the next frame of a layer.

        Args:
            layer_id: Which layer.
            picture: Premultiplied.
            effects: Its effects apart, premultiplied; for all frames of a layer or for none.

        Raises:
            InputError: the layer was not announced, has all its frames, or has effects in some frames only.
            ShapeError: a picture is not uint8 of the stack's size.
        """
        layer = self._layers.get(layer_id)
        if layer is None:
            raise InputError("layers.store", "the layer must have been announced", got=f"layer id {layer_id}")
        name, frame = layer.name.name, len(layer.chunks)
        if frame == self._n_frames:
            raise InputError("layers.store", f"layer {name} must get {self._n_frames} frames", got="one more")
        if frame and (effects is None) == bool(layer.effects):
            raise InputError(
                "layers.store", f"layer {name} must have effects in all frames or in none", got=f"a change in {frame}"
            )
        for kind, into in ((picture, layer.chunks), (effects, layer.effects)):
            if kind is not None:
                into.append(self._appended(layer.file, kind, what=f"layer {name}, frame {frame}"))

    def _appended(self, file: BinaryIO, picture: UInt8[np.ndarray, "H W 4"], *, what: str) -> Chunk:
        width, height = self._camera.frame_size
        if picture.shape != (height, width, 4) or picture.dtype != np.uint8:
            raise ShapeError(
                "layers.store",
                f"pictures must be uint8 of shape {(height, width, 4)}",
                got=f"{picture.dtype} {picture.shape} for {what}",
            )
        crop = crop_of_picture(picture)
        return append_chunk(file, crop.picture, x=crop.x, y=crop.y)

    def write_background(self, background: Background) -> None:
        """Write the clean plate, and its live pictures where it has any.

        Raises:
            ShapeError: its pictures do not have the canvas's or the frames' size.
        """
        width, height = self._camera.canvas_size
        if background.colour.shape != (height, width, 3) or background.coverage.shape != (height, width):
            raise ShapeError(
                "layers.store",
                f"the background must have the canvas's size {width}x{height}",
                got=f"colour {background.colour.shape}, coverage {background.coverage.shape}",
            )
        if background.exposure is not None:
            if background.exposure.shape != (self._n_frames, 3):
                raise ShapeError(
                    "layers.store",
                    f"the exposure must be one gain a channel for each of {self._n_frames} frames",
                    got=f"shape {background.exposure.shape}",
                )
            self._exposure = tuple((r, g, b) for r, g, b in background.exposure.tolist())
        with (self._partial / BACKGROUND).open("wb") as file:
            self._background = append_chunk(file, background.colour), append_chunk(file, background.coverage)
        if background.live is not None:
            for frame in range(self._n_frames):
                self.write_live(background.live[frame])

    def write_live(self, picture: UInt8[np.ndarray, "H W 4"]) -> None:
        """Append what the next frame shows of the background itself; for all frames or for none.

        Raises:
            ShapeError: the picture is not uint8 of the stack's size.
        """
        self._live.append(self._appended(self._live_file, picture, what=f"the background, frame {len(self._live)}"))

    def write_shading(
        self, layer_id: int, *, uv: Float32[np.ndarray, "h w 2"], light: Float32[np.ndarray, "S S 3"]
    ) -> None:
        """Append UV and light of a layer's next frame, for all frames or for none; see ``Shading``.

        Args:
            layer_id: Which layer; 0 is the background.
            uv: At its nodes.
            light: Over all of its atlas.

        Raises:
            InputError: the layer was not announced, or a number is not finite.
            ShapeError: a shape is none of ours, or changes.
        """
        if layer_id not in (0, *self._layers):
            raise InputError("layers.store", "the layer must have been announced", got=f"layer id {layer_id}")
        if layer_id not in self._shadings:
            name = f"shading-{layer_id:02d}.bin"
            file = self._resources.enter_context((self._partial / name).open("wb"))
            self._shadings[layer_id] = ShadingWriter(layer_id, file, name)
        self._shadings[layer_id].write(uv, light)

    def _finish(self) -> None:
        for layer in self._layers.values():
            if len(layer.chunks) != self._n_frames:
                raise InputError(
                    "layers.store",
                    f"every layer must get {self._n_frames} frames",
                    got=f"{len(layer.chunks)} for layer {layer.name.name}",
                )
            layer.file.close()
        if len(self._live) not in (0, self._n_frames):
            raise InputError(
                "layers.store",
                f"the background must have {self._n_frames} live frames or none",
                got=str(len(self._live)),
            )
        self._live_file.close()
        if self._background is None:
            raise InputError("layers.store", "the background must be written", got="none")
        camera = self._camera
        matrices = [[(a, b, c) for a, b, c in rows] for rows in camera.canvas_from_frame.tolist()]
        document = StackDocument(
            frame_size=camera.frame_size,
            canvas_size=camera.canvas_size,
            camera_kind=camera.kind,
            camera_warnings=camera.warnings,
            canvas_from_frame=tuple(tuple(rows) for rows in matrices),
            residual_px=tuple(camera.residual_px.tolist()),
            composite_space=self._composite_space,
            order=self._order,
            background_colour=self._background[0],
            background_coverage=self._background[1],
            live=tuple(self._live) or None,
            exposure=self._exposure,
            layers=tuple(
                LayerRecord(
                    layer_id=one.name.layer_id,
                    name=one.name.name,
                    subject_ids=one.name.subject_ids,
                    file=_layer_file(one.name.layer_id),
                    frames=tuple(one.chunks),
                    effects=tuple(one.effects) or None,
                )
                for one in self._layers.values()
            ),
            shadings=tuple(one.finished(self._n_frames) for one in self._shadings.values()) or None,
        )
        write_document(self._partial / DOCUMENT, document)


def read_stack(folder: Path) -> LayerStack:
    """Open a layer store; a layer's pictures are read when they are asked for.

    Raises:
        DamagedStackError: the folder is not a complete layer store.
        VersionError: it was written in a version that this program does not know.
    """
    document = read_document(folder / DOCUMENT)
    plate = folder / BACKGROUND
    live = None
    if document.live is not None:
        live = StoredPictures(folder / LIVE, document.live, size=document.frame_size, what="the background")
    shadings = {
        one.layer_id: stored_shading(folder, one, what=f"layer {one.layer_id}") for one in document.shadings or ()
    }
    background = Background(
        colour=load_chunk(plate, document.background_colour, np.uint8, what="the background's colour"),
        coverage=load_chunk(plate, document.background_coverage, np.uint16, what="the background's coverage"),
        live=live,
        exposure=None if document.exposure is None else np.array(document.exposure, np.float32),
        shading=shadings.get(0),
    )
    return LayerStack(
        background=background,
        layers=tuple(
            _layer(folder, one, shadings.get(one.layer_id), size=document.frame_size) for one in document.layers
        ),
        order=document.order,
        camera=document.camera(),
        composite_space=document.composite_space,
    )


def write_stack(folder: Path, stack: LayerStack, *, report: Report = silent) -> None:
    """Write a whole stack, frame by frame, from wherever its pictures come.

    Args:
        folder: Where the store will be.
        stack: To be written; its pictures are asked for once each.
        report: Told after every picture; may raise to stop, and then nothing is left.

    Raises:
        InputError: as ``StackWriter``.
        ShapeError: as ``StackWriter``.
    """
    n_pictures = len(stack.layers) * stack.n_frames
    with StackWriter(
        folder, layers=stack.layers, camera=stack.camera, order=stack.order, composite_space=stack.composite_space
    ) as writer:
        writer.write_background(stack.background)
        for layer_id, shading in (
            (0, stack.background.shading),
            *((one.layer_id, one.shading) for one in stack.layers),
        ):
            for frame in range(stack.n_frames if shading is not None else 0):
                assert shading is not None
                writer.write_shading(layer_id, uv=shading.uv[frame], light=shading.light[frame])
        for number, layer in enumerate(stack.layers):
            for frame in range(stack.n_frames):
                effects = None if layer.effects is None else layer.effects[frame]
                writer.write(layer.layer_id, np.asarray(layer.pictures[frame]), effects=effects)
                done = number * stack.n_frames + frame + 1
                report(Progress(stage="layers", done=done, total=n_pictures, message="writing layers"))


def _layer(folder: Path, record: LayerRecord, shading: Shading | None, *, size: tuple[int, int]) -> Layer:
    path, name = folder / record.file, record.name
    effects = None
    if record.effects is not None:
        effects = StoredPictures(path, record.effects, size=size, what=f"effects of layer {name}")
    return Layer(
        layer_id=record.layer_id,
        name=name,
        subject_ids=record.subject_ids,
        pictures=StoredPictures(path, record.frames, size=size, what=f"layer {name}"),
        effects=effects,
        shading=shading,
    )


def _layer_file(layer_id: int) -> str:
    return f"layer-{layer_id:02d}.bin"
