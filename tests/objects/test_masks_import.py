from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.core.errors import InputError, PolytempoError, ShapeError
from polytempo.objects.indexed_png import read_indexed_png
from polytempo.objects.masks_import import import_masks
from polytempo.objects.run_lengths import counts_from_text, mask_from_run_lengths, run_lengths_from_mask


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def indexed_png(indices: np.ndarray, *, row_filter: int = 0) -> bytes:
    height, width = indices.shape
    lines = b""
    above = np.zeros(width, np.uint8)
    for row in indices.astype(np.uint8):
        left = np.concatenate([[0], row[:-1]]).astype(np.uint8)
        corner = np.concatenate([[0], above[:-1]]).astype(np.uint8)
        if row_filter == 0:
            guess = np.zeros(width, np.uint8)
        elif row_filter == 1:
            guess = left
        elif row_filter == 2:
            guess = above
        elif row_filter == 3:
            guess = ((left.astype(int) + above) // 2).astype(np.uint8)
        else:
            p = left.astype(int) + above - corner
            far = np.stack([abs(p - left), abs(p - above), abs(p - corner)])
            guess = np.choose(far.argmin(0), [left, above, corner]).astype(np.uint8)
        lines += bytes([row_filter]) + (row - guess).tobytes()
        above = row
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    palette = bytes(range(256)) * 3
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"PLTE", palette)
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


def write_grey(path: Path, mask: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", mask.astype(np.uint8) * 255)[1].tobytes())


def square(width: int = 16, height: int = 8, at: int = 2) -> np.ndarray:
    mask = np.zeros((height, width), bool)
    mask[2:6, at : at + 5] = True
    return mask


@pytest.mark.parametrize("row_filter", range(5))
def test_indices_survive_every_row_filter(tmp_path: Path, row_filter: int) -> None:
    indices = np.random.default_rng(0).integers(0, 256, (6, 9)).astype(np.uint8)
    file = tmp_path / "0.png"
    file.write_bytes(indexed_png(indices, row_filter=row_filter))
    assert np.array_equal(read_indexed_png(file), indices)


def test_davis_indices_become_subjects_and_void_nobody(tmp_path: Path) -> None:
    indices = np.zeros((8, 16), np.uint8)
    indices[1:3, 1:3] = 1
    indices[4:6, 4:8] = 2
    indices[7] = 255
    for t in range(3):
        (tmp_path / f"{t:05d}.png").write_bytes(indexed_png(indices))
    masks = import_masks(tmp_path, n_frames=3, size=(16, 8))
    assert list(masks) == ["01", "02"]
    assert np.array_equal(masks["02"][1], indices == 2)


@pytest.mark.parametrize("start", [0, 1, 17])
def test_folders_a_subject_start_at_any_number(tmp_path: Path, start: int) -> None:
    for name in ("01", "02"):
        for t in range(2):
            write_grey(tmp_path / "mask" / name / f"{t + start:05d}.png", square(at=2 + t))
    masks = import_masks(tmp_path, n_frames=2, size=(16, 8))
    assert list(masks) == ["01", "02"]
    assert np.array_equal(masks["01"][1], square(at=3))


def test_masks_of_the_same_aspect_are_resized(tmp_path: Path) -> None:
    write_grey(tmp_path / "01" / "0000.png", np.kron(square(), np.ones((4, 4), bool)))
    masks = import_masks(tmp_path, n_frames=1, size=(16, 8))
    assert np.array_equal(masks["01"][0], square())


def test_compressed_counts_worked_by_hand() -> None:
    # 6 is one character; 40 = 01000 00001 takes two, the first with the bit for more.
    assert counts_from_text("6") == [6]
    assert counts_from_text("X1") == [40]
    # From the fourth on, differences to the count two before: 5, 3, 5, then 3 + 1.
    assert counts_from_text("5351") == [5, 3, 5, 4]
    # -1 is all sign bits: 2 + (-1) after 9, 2, 9.
    assert counts_from_text("929O") == [9, 2, 9, 1]


@given(st.integers(0, 2**30), st.integers(1, 9), st.integers(1, 9))
def test_run_lengths_give_the_mask_back(seed: int, height: int, width: int) -> None:
    mask = np.random.default_rng(seed).random((height, width)) > 0.5
    assert np.array_equal(mask_from_run_lengths(run_lengths_from_mask(mask)), mask)


def test_coco_layouts(tmp_path: Path) -> None:
    rle = run_lengths_from_mask(square())
    file = tmp_path / "masks.json"
    file.write_text(json.dumps({"subjects": {"girl": [rle, None]}}))
    assert import_masks(file, n_frames=2, size=(16, 8))["girl"].sum() == 20
    file.write_text(json.dumps({"annotations": [{"id": 7, "segmentations": [None, rle]}]}))
    assert import_masks(file, n_frames=2, size=(16, 8))["7"][1].sum() == 20
    document = {
        "images": [{"id": 4}, {"id": 5}],
        "annotations": [{"id": 1, "track_id": 3, "image_id": 5, "segmentation": rle}],
    }
    file.write_text(json.dumps(document))
    assert import_masks(file, n_frames=2, size=(16, 8))["3"][1].sum() == 20


@pytest.mark.refusal
def test_wrong_count_size_mode_and_damage_are_refused(tmp_path: Path) -> None:
    write_grey(tmp_path / "a" / "01" / "0000.png", square())
    with pytest.raises(InputError, match="1 masks for 2 frames"):
        import_masks(tmp_path / "a", n_frames=2, size=(16, 8))
    with pytest.raises(ShapeError, match="16x8 for a clip of 16x9"):
        import_masks(tmp_path / "a", n_frames=1, size=(16, 9))
    coloured = np.zeros((8, 16, 3), np.uint8)
    coloured[..., 1] = 255
    (tmp_path / "c" / "01").mkdir(parents=True)
    (tmp_path / "c" / "01" / "0.png").write_bytes(cv2.imencode(".png", coloured)[1].tobytes())
    with pytest.raises(InputError, match="a mask must be grey"):
        import_masks(tmp_path / "c", n_frames=1, size=(16, 8))
    (tmp_path / "c" / "01" / "0.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    with pytest.raises(InputError, match="damaged"):
        import_masks(tmp_path / "c", n_frames=1, size=(16, 8))
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "0.png").write_bytes(cv2.imencode(".png", coloured)[1].tobytes())
    with pytest.raises(InputError, match="palette"):
        import_masks(tmp_path / "d", n_frames=1, size=(16, 8))
    (tmp_path / "e").mkdir()
    with pytest.raises(InputError, match="must hold PNG files"):
        import_masks(tmp_path / "e", n_frames=1, size=(16, 8))
    with pytest.raises(InputError, match="exists"):
        import_masks(tmp_path / "nowhere", n_frames=1, size=(16, 8))


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("rle", "words"),
    [
        ({"size": [2, 2], "counts": [1, 2]}, "fill their picture"),
        ({"size": [2, 2], "counts": [-1, 5]}, "fill their picture"),
        ({"size": [2], "counts": [4]}, "two whole numbers"),
        ({"size": [10**9, 10**9], "counts": [4]}, "pixels"),
        ({"size": [2, 2], "counts": "P"}, "cut off"),
        ({"size": [2, 2], "counts": "\u00ff"}, "characters"),
        ({"size": [2, 2], "counts": None}, "whole numbers or text"),
        ([[1, 2, 3, 4]], "an object"),
    ],
)
def test_bad_run_lengths_are_refused(rle: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        mask_from_run_lengths(rle)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_files_never_escape_as_other_errors(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    whole = bytearray(indexed_png(np.eye(8, 16, dtype=np.uint8)))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    (folder / "0.png").write_bytes(bytes(whole[:cut]))
    try:
        masks = import_masks(folder, n_frames=1, size=(16, 8))
    except PolytempoError:
        return
    assert all(mask.shape == (1, 8, 16) for mask in masks.values())
