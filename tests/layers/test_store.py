"""The layer store: what goes in comes out, and damage is named."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polytempo.camera.path import CameraPath, static_path
from polytempo.core.errors import InputError, PolytempoError, ShapeError, VersionError
from polytempo.layers.chunks import DamagedStackError
from polytempo.layers.stack import Background, Layer, LayerStack
from polytempo.layers.store import LayerName, StackWriter, read_stack, write_stack


def drawn_stack(n_frames: int = 3, size: tuple[int, int] = (24, 16)) -> LayerStack:
    rng = np.random.default_rng(5)
    width, height = size
    camera = static_path(n_frames, size)
    matrices = camera.canvas_from_frame.copy()
    matrices[:, 0, 2] = rng.random(n_frames)
    pictures = np.zeros((2, n_frames, height, width, 4), np.uint8)
    pictures[0, :, 3:9, 4:11] = rng.integers(0, 256, (n_frames, 6, 7, 4))
    pictures[1, 1:, :, 20:] = rng.integers(0, 256, (n_frames - 1, height, 4, 4))
    return LayerStack(
        background=Background(
            colour=rng.integers(0, 256, (height, width, 3)).astype(np.uint8),
            coverage=rng.integers(0, 9, (height, width)).astype(np.uint16),
            live=pictures[0, ::-1] // 3,
            exposure=rng.uniform(0.8, 1.2, (n_frames, 3)).astype(np.float32),
        ),
        layers=(
            Layer(layer_id=1, name="girl", subject_ids=(1,), pictures=pictures[0], effects=pictures[1] // 2),
            Layer(layer_id=2, name="boy and dog", subject_ids=(2, 3), pictures=pictures[1]),
        ),
        order=((1, 2),) * (n_frames - 1) + ((2,),),
        camera=CameraPath(
            canvas_from_frame=matrices,
            canvas_size=size,
            frame_size=size,
            kind="stabilised",
            residual_px=rng.random(n_frames),
            warnings=("frames 3 to 9 show parallax",),
        ),
    )


def write_damage(path: Path, change: Any) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    stack = drawn_stack()
    write_stack(tmp_path / "layers", stack)
    back = read_stack(tmp_path / "layers")
    assert np.array_equal(back.background.colour, stack.background.colour)
    assert np.array_equal(back.background.coverage, stack.background.coverage)
    assert back.background.coverage.dtype == np.uint16
    assert np.array_equal(back.background.live[2], stack.background.live[2])  # type: ignore[index]
    assert np.array_equal(back.camera.canvas_from_frame, stack.camera.canvas_from_frame)
    assert np.array_equal(back.camera.residual_px, stack.camera.residual_px)
    assert (back.camera.kind, back.camera.warnings) == (stack.camera.kind, stack.camera.warnings)
    assert (back.order, back.size, back.composite_space) == (stack.order, stack.size, stack.composite_space)
    for one, other in zip(back.layers, stack.layers, strict=True):
        assert (one.layer_id, one.name, one.subject_ids) == (other.layer_id, other.name, other.subject_ids)
        assert len(one.pictures) == 3
        for frame in range(3):
            assert np.array_equal(one.pictures[frame], other.pictures[frame])
        assert (one.effects is None) == (other.effects is None)
    assert np.array_equal(back.layers[0].effects[2], stack.layers[0].effects[2])  # type: ignore[index]


def test_exposure_comes_back_or_is_absent(tmp_path: Path) -> None:
    stack = drawn_stack()
    write_stack(tmp_path / "lit", stack)
    again = read_stack(tmp_path / "lit").background.exposure
    assert again is not None
    assert np.array_equal(again, stack.background.exposure)
    write_stack(tmp_path / "still", replace(stack, background=replace(stack.background, exposure=None)))
    assert read_stack(tmp_path / "still").background.exposure is None


def test_nothing_appears_before_the_end_and_an_old_store_stays(tmp_path: Path) -> None:
    stack = drawn_stack()
    folder = tmp_path / "layers"
    names = [LayerName(layer_id=1, name="girl", subject_ids=(1,))]

    def write_too_little(*, stop: bool) -> None:
        with StackWriter(folder, layers=names, camera=stack.camera, order=[(1,)] * 3) as writer:
            writer.write_background(stack.background)
            writer.write(1, stack.layers[0].pictures[0])
            if stop:
                raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        write_too_little(stop=True)
    assert list(tmp_path.iterdir()) == []
    write_stack(folder, stack)
    with pytest.raises(InputError, match="every layer must get 3 frames; got 1 for layer girl"):
        write_too_little(stop=False)
    assert list(tmp_path.iterdir()) == [folder]
    assert read_stack(folder).layers[1].name == "boy and dog"


def test_an_empty_layer_costs_nothing(tmp_path: Path) -> None:
    stack = drawn_stack()
    empty = Layer(layer_id=1, name="nobody", subject_ids=(), pictures=np.zeros((3, 16, 24, 4), np.uint8))
    write_stack(
        tmp_path / "layers",
        LayerStack(
            background=replace(stack.background, live=None), layers=(empty,), order=((1,),) * 3, camera=stack.camera
        ),
    )
    assert (tmp_path / "layers" / "layer-01.bin").stat().st_size == 0
    assert not read_stack(tmp_path / "layers").layers[0].pictures[2].any()
    assert read_stack(tmp_path / "layers").background.live is None


@pytest.mark.refusal
def test_other_versions_are_refused(tmp_path: Path) -> None:
    write_stack(tmp_path / "layers", drawn_stack())
    write_damage(tmp_path / "layers" / "stack.json", lambda d: d.update(version=2))
    with pytest.raises(VersionError, match="the layer store must be of version 1; got version 2") as caught:
        read_stack(tmp_path / "layers")
    assert "stack.json" in str(caught.value)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("order"), "order: "),
        (lambda d: d.update(colour="red"), "colour: "),
        (lambda d: d["layers"][0]["frames"][1].update(x="3"), "layers.0.frames.1.x: "),
        (lambda d: d["layers"][0]["frames"][1].update(x=20), "layer girl, frame 1 does not lie in the picture"),
        (lambda d: d["layers"][0].update(file="../../etc/passwd"), "layer girl has 3 frames in"),
        (lambda d: d["canvas_from_frame"][0].__setitem__(0, [0, 0, 0]), "cannot be inverted"),
        (lambda d: d["live"].pop(), "the background's frame 0 does not lie"),
        (lambda d: d["layers"][0]["effects"].pop(), "layer girl has 3 frames in"),
        (lambda d: d["order"].pop(), "one order for each frame"),
        (lambda d: d.update(format="zip"), "not a layer store"),
    ],
)
def test_damaged_documents_are_refused(tmp_path: Path, change: Any, message: str) -> None:
    write_stack(tmp_path / "layers", drawn_stack())
    write_damage(tmp_path / "layers" / "stack.json", change)
    with pytest.raises(DamagedStackError, match="the layer store must be whole") as caught:
        read_stack(tmp_path / "layers")
    assert message in str(caught.value)


@pytest.mark.refusal
def test_damaged_pictures_are_refused_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "layers"
    write_stack(folder, drawn_stack())
    file = folder / "layer-01.bin"
    data = bytearray(file.read_bytes())
    start = json.loads((folder / "stack.json").read_text())["layers"][0]["frames"][1]["start"]
    data[start + 30] ^= 4
    file.write_bytes(data)
    pictures = read_stack(folder).layers[0].pictures
    assert pictures[0].any()
    with pytest.raises(DamagedStackError, match="layer girl, frame 1 is cut short or changed"):
        pictures[1]
    file.write_bytes(data[: start + 10])
    with pytest.raises(DamagedStackError, match="layer girl, frame 2 is cut short or changed"):
        pictures[2]
    file.unlink()
    with pytest.raises(DamagedStackError, match="cannot be read"):
        pictures[0]


@pytest.mark.refusal
def test_a_missing_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DamagedStackError, match=r"stack\.json"):
        read_stack(tmp_path / "nothing")


@pytest.mark.refusal
def test_random_damage_never_gives_anything_but_our_errors(tmp_path: Path) -> None:
    folder = tmp_path / "layers"
    write_stack(folder, drawn_stack())
    rng = np.random.default_rng(0)
    files = sorted(folder.iterdir())
    whole = {file: file.read_bytes() for file in files}
    for _ in range(150):
        file = files[rng.integers(len(files))]
        data = bytearray(whole[file])
        if rng.random() < 0.3:
            data = data[: rng.integers(len(data))]
        else:
            for _ in range(rng.integers(1, 4)):
                data[rng.integers(len(data))] ^= 1 << rng.integers(8)
        file.write_bytes(data)
        with suppress(PolytempoError):
            stack = read_stack(folder)
            for layer in stack.layers:
                for frame in range(stack.n_frames):
                    assert layer.pictures[frame].shape == (16, 24, 4)
        file.write_bytes(whole[file])


@pytest.mark.refusal
def test_wrong_use_of_the_writer_is_refused(tmp_path: Path) -> None:
    stack = drawn_stack()
    girl = LayerName(layer_id=1, name="girl", subject_ids=())
    with pytest.raises(InputError, match="names of their own"):
        StackWriter(tmp_path / "a", layers=[girl, girl], camera=stack.camera, order=[()] * 3)
    with pytest.raises(ShapeError, match="one order for each frame; got 2 for 3 frames"):
        StackWriter(tmp_path / "a", layers=[girl], camera=stack.camera, order=[()] * 2)
    with pytest.raises(InputError, match=r"must name layers \[1\], each once; got \(1, 4\) in frame 0"):
        StackWriter(tmp_path / "a", layers=[girl], camera=stack.camera, order=[(1, 4)] * 3)
    with (
        pytest.raises(ShapeError, match="pictures must be uint8 of shape"),
        StackWriter(tmp_path / "a", layers=[girl], camera=stack.camera, order=[(1,)] * 3) as writer,
    ):
        writer.write(1, np.zeros((16, 24, 3), np.uint8))

    def write_live_once() -> None:
        with StackWriter(tmp_path / "a", layers=[], camera=stack.camera, order=[()] * 3) as writer:
            writer.write_live(stack.layers[0].pictures[0])

    with pytest.raises(InputError, match="the background must have 3 live frames or none; got 1"):
        write_live_once()

    def write_effects_once() -> None:
        with StackWriter(tmp_path / "a", layers=[girl], camera=stack.camera, order=[(1,)] * 3) as writer:
            writer.write(1, stack.layers[0].pictures[0], effects=stack.layers[0].pictures[0])
            writer.write(1, stack.layers[0].pictures[1])

    with pytest.raises(InputError, match="layer girl must have effects in all frames or in none"):
        write_effects_once()
    with (
        pytest.raises(InputError, match="must have been announced; got layer id 7"),
        StackWriter(tmp_path / "a", layers=[girl], camera=stack.camera, order=[(1,)] * 3) as writer,
    ):
        writer.write(7, stack.layers[0].pictures[0])
    assert list(tmp_path.iterdir()) == []
