"""Rendering what ``score.py`` asks for from a layer stack, and writing it as it reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from scene_folder import FrameMap

from polytempo.layers.stack import LayerStack


def plain_frames(stack: LayerStack, maps: dict[int, FrameMap]) -> Iterator[NDArray[np.uint8]]:
    """Composite layers at other times, frame by frame, in plain numpy: the slow reference of the renderer.

    Args:
        stack: Layers and background at the size to be written.
        maps: Source frame of each layer (by id in the stack) in each output frame; layers not named are left out.
    """
    width, height = stack.size
    plate = stack.background.colour.astype(np.float32)
    warp = {"flags": cv2.INTER_CUBIC, "borderMode": cv2.BORDER_REPLICATE}
    still = stack.camera.kind == "static"
    for t, order in enumerate(stack.order):
        frame_from_canvas = np.linalg.inv(stack.camera.canvas_from_frame[t])
        out = plate.copy() if still else cv2.warpPerspective(plate, frame_from_canvas, (width, height), **warp)
        for layer_id in order:
            if layer_id not in maps:
                continue
            s = maps[layer_id][t]
            rgba = np.asarray(stack.layer(layer_id).pictures[s]).astype(np.float32)
            if s != t and not still:
                rgba = cv2.warpPerspective(rgba, stack.camera.frame_from_frame(t, s), (width, height))
            out = rgba[..., :3] + (1 - rgba[..., 3:] / 255) * out
        yield np.clip(out + 0.5, 0, 255).astype(np.uint8)


def write_output(path: Path, frames: Iterator[NDArray[np.uint8]], *, fps: int) -> None:
    """Write frames as 4:4:4 H.264, crf 10, BT.601 limited: how ``score.py`` writes its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "10", "preset": "veryfast"})
        stream.pix_fmt = "yuv444p"
        for n, picture in enumerate(frames):
            if n == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def write_alphas(folder: Path, stack: LayerStack, layer_of: dict[int, int]) -> None:
    """Write each layer's alpha as ``alpha_<k>/%04d.png``."""
    for number, layer_id in layer_of.items():
        place = folder / f"alpha_{number}"
        place.mkdir(parents=True, exist_ok=True)
        layer = stack.layer(layer_id)
        for t in range(stack.n_frames):
            cv2.imwrite(str(place / f"{t:04d}.png"), np.asarray(layer.pictures[t])[..., 3])


def contact_sheet(path: Path, folder: Path, names: Sequence[str], *, columns: int = 4) -> None:
    """Put a few frames of each output one below the other, to be looked at."""
    rows: list[NDArray[np.uint8]] = []
    for name in names:
        with av.open(str(folder / f"{name}.mp4")) as container:
            frames = [f.to_ndarray(format="bgr24") for f in container.decode(video=0)]
        picks = np.linspace(0, len(frames) - 1, columns + 2).round().astype(int)[1:-1]
        row = np.concatenate([frames[i] for i in picks], 1)
        cv2.putText(row, name, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 3, cv2.LINE_AA)
        cv2.putText(row, name, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
        rows.append(row)
    cv2.imwrite(str(path), np.concatenate(rows, 0))
