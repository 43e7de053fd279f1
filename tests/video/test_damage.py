"""Damaged files: each is read wholly or refused by name; nothing else, and never half a result."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from polytempo.core.errors import PolytempoError
from polytempo.video.frames import FrameStore
from polytempo.video.probe import probe
from polytempo.video.writer import write_clip

DrawClip = Callable[..., Path]
N_CLIPS = 64


def damaged(data: bytes, chance: random.Random, kind: int) -> bytes:
    """Cut off (0), flip single bits anywhere (1), overwrite bytes of the headers at either end (2), lose a run (3)."""
    changed = bytearray(data)
    if kind == 0:
        return data[: chance.randrange(1, len(data))]
    if kind == 1:
        for _ in range(chance.choice([1, 3, 20])):
            changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    if kind == 2:
        for _ in range(chance.choice([1, 2, 8])):
            near = chance.randrange(min(len(data), 900))
            changed[chance.choice([near, -1 - near])] = chance.randrange(256)
    if kind == 3:
        start = chance.randrange(len(data))
        del changed[start : start + chance.randrange(1, 400)]
    return bytes(changed)


@pytest.mark.slow
def test_damaged_clips(draw_clip: DrawClip, tmp_path: Path) -> None:
    chance = random.Random(20)
    sources = [
        draw_clip("a.mp4", n=24, audio="aac", options={"g": "8"}),
        draw_clip("b.mp4", n=24, audio="aac", container_options={"movflags": "faststart"}),
        draw_clip("c.mkv", n=24, audio="libopus", options={"g": "8"}),
        draw_clip("d.ts", n=24, options={"g": "8"}),
        draw_clip("e.avi", n=24, codec="mpeg4"),
        draw_clip("f.webm", n=24, codec="libvpx-vp9"),
    ]
    whole = {source: source.read_bytes() for source in sources}
    out = tmp_path / "out"
    out.mkdir()
    n_read = n_refused = 0
    for n in range(N_CLIPS):
        source = sources[n % len(sources)]
        path = tmp_path / f"damaged{source.suffix}"
        path.write_bytes(damaged(whole[source], chance, n // len(sources) % 4))
        start = time.monotonic()
        try:
            clip = probe(path)
            store = FrameStore.build(clip, out / "store")
            assert len(store) == clip.n_frames
            write_clip(out / "a.mp4", store, size=store.size, pts=clip.pts, time_base=clip.time_base, audio_from=clip)
            assert probe(out / "a.mp4").n_frames == clip.n_frames
            n_read += 1
        except PolytempoError as error:
            assert ": " in str(error)  # noqa: PT017
            n_refused += 1
        left = {entry.name for entry in out.iterdir()}
        assert left <= {"store", "a.mp4"}, left
        if "store" in left:
            FrameStore.open(out / "store")
        assert time.monotonic() - start < 20, path.read_bytes()
    assert n_read > N_CLIPS // 8
    assert n_refused > N_CLIPS // 4
