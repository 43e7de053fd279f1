"""UV and light of a layer: what nodes say of pixels, and that a store gives back what it was given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from polytempo.camera.path import static_path
from polytempo.core.errors import InputError, ShapeError
from polytempo.layers.chunks import DamagedStackError
from polytempo.layers.shading import Shading, at_pixels, atlas_sampled, node_places, texels
from polytempo.layers.stack import Background, Layer, LayerStack
from polytempo.layers.store import LayerName, StackWriter, read_stack, write_stack

SIDE = 200


def shaded_stack(n_frames: int = 2) -> LayerStack:
    rng = np.random.default_rng(3)

    def shading(side: int) -> Shading:
        uv = rng.uniform(-1, 1, (n_frames, 5, 7, 2)).astype(np.float32)
        return Shading(uv=uv, light=rng.uniform(0, 4, (n_frames, side, side, 3)).astype(np.float32))

    pictures = np.full((n_frames, 16, 24, 4), 9, np.uint8)
    return LayerStack(
        background=Background(
            colour=np.zeros((16, 24, 3), np.uint8), coverage=np.ones((16, 24), np.uint16), shading=shading(20)
        ),
        layers=(
            Layer(layer_id=1, name="girl", subject_ids=(1,), pictures=pictures, shading=shading(16)),
            Layer(layer_id=2, name="boy", subject_ids=(2,), pictures=pictures),
        ),
        order=((1, 2),) * n_frames,
        camera=static_path(n_frames, (24, 16)),
    )


def test_texels_lie_in_the_middle_of_their_squares() -> None:
    centres = (np.arange(SIDE) + 0.5) * 2 / SIDE - 1
    assert np.allclose(texels(centres, SIDE), np.arange(SIDE))
    ramp = np.tile(np.arange(SIDE, dtype=np.float32)[None, :, None], (SIDE, 1, 1))
    u, v = np.meshgrid(centres[3:90:7], centres[5:9])
    found = atlas_sampled(ramp, np.stack([u, v], -1).astype(np.float32))
    assert np.allclose(found[..., 0], np.arange(3, 90, 7)[None], atol=0.05)


def test_what_is_linear_over_nodes_is_linear_over_pixels_of_any_size() -> None:
    nodes = np.stack(np.meshgrid(node_places(7, 24), node_places(5, 16)), -1).astype(np.float32)
    for factor in (1, 5):
        size = (24 * factor, 16 * factor)
        x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
        expected = np.stack([(x + 0.5) / factor - 0.5, (y + 0.5) / factor - 0.5], -1)
        assert np.abs(at_pixels(nodes, size) - expected).max() < 0.13  # OpenCV's fractions are of 1/32 of a cell
    part = at_pixels(nodes, (120, 80), box=(31, 12, 40, 20))
    assert np.array_equal(part, at_pixels(nodes, (120, 80))[12:32, 31:71])


def test_a_store_gives_back_uv_and_light(tmp_path: Path) -> None:
    stack = shaded_stack()
    write_stack(tmp_path / "stack", stack)
    back = read_stack(tmp_path / "stack")
    assert back.layers[1].shading is None
    for mine, theirs in (
        (stack.background.shading, back.background.shading),
        (stack.layers[0].shading, back.layers[0].shading),
    ):
        assert mine is not None
        assert theirs is not None
        assert len(theirs.uv) == len(theirs.light) == 2
        assert np.array_equal(theirs.uv[1], mine.uv[1])
        assert np.allclose(theirs.light[1], mine.light[1], atol=2e-3)
        assert theirs.light[1].dtype == np.float32


@pytest.mark.parametrize("name", ["shading-00.bin", "shading-01.bin"])
def test_damage_is_named_when_it_is_met(name: str, tmp_path: Path) -> None:
    write_stack(tmp_path / "stack", shaded_stack())
    path = tmp_path / "stack" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 8
    path.write_bytes(data)
    back = read_stack(tmp_path / "stack")
    damaged = back.background.shading if name == "shading-00.bin" else back.layers[0].shading
    assert damaged is not None
    with pytest.raises(DamagedStackError, match="is cut short or changed"):
        _ = [(damaged.uv[t], damaged.light[t]) for t in range(2)]
    path.unlink()
    with pytest.raises(DamagedStackError, match="cannot be read"):
        damaged.uv[0]


@pytest.mark.refusal
def test_what_is_no_shading_is_refused(tmp_path: Path) -> None:
    stack = shaded_stack()
    names = [LayerName(layer_id=1, name="girl", subject_ids=(1,))]
    uv, light = np.zeros((4, 4, 2), np.float32), np.ones((8, 8, 3), np.float32)
    for given, error, words in (
        ((1, uv[..., :1], light), ShapeError, r"UV must be \[h, w, 2\]"),
        ((1, uv, light[:4]), ShapeError, r"light \[S, S, 3\]"),
        ((1, uv, -light), InputError, "light from 0"),
        ((1, uv * np.nan, light), InputError, "UV must be finite"),
        ((7, uv, light), InputError, "must have been announced; got layer id 7"),
    ):
        with (
            pytest.raises(error, match=words),
            StackWriter(tmp_path / "s", layers=names, camera=stack.camera, order=((1,), (1,))) as writer,
        ):
            writer.write_shading(given[0], uv=given[1], light=given[2])
    short = replace(stack, layers=(stack.layers[1],), order=((2,), (2,)))
    shading = stack.background.shading
    assert shading is not None

    def write_one_of_two() -> None:
        with StackWriter(tmp_path / "s", layers=short.layers, camera=stack.camera, order=short.order) as writer:
            writer.write_background(replace(stack.background, shading=None))
            for _ in range(2):
                writer.write(2, short.layers[0].pictures[0])
            writer.write_shading(0, uv=shading.uv[0], light=shading.light[0])

    with pytest.raises(InputError, match="for 2 frames or for none; got 1 of layer 0"):
        write_one_of_two()
    assert not (tmp_path / "s").exists()
