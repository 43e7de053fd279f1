"""Rendering what ``score.py`` asks for from a layer stack, and writing it as it reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from scene_folder import FrameMap

from polytempo.edit.algebra import merged
from polytempo.edit.edl import Edl, Instance, clip_duration
from polytempo.edit.segments import Hide, Hold, Linear
from polytempo.edit.timemap import TimeMap
from polytempo.layers.stack import LayerStack
from polytempo.video.clip import Clip


def edl_from_frame_maps(maps: dict[int, FrameMap], stack: LayerStack, clip: Clip) -> Edl:
    """Edit that shows, in every output frame, the stated source frame of each layer.

    Args:
        maps: Source frame per output frame, by layer id in the stack; layers not named are left out.
        stack: Gives the layers' names, back to front as in its first frame.
        clip: Gives the times of the frames.
    """
    return Edl(
        instances=tuple(
            Instance(name=layer.name, layer=layer.name, time_map=time_map_from_frames(maps[layer.layer_id], clip))
            for layer in stack.layers
            if layer.layer_id in maps
        ),
        duration=clip_duration(clip),
    )


def time_map_from_frames(frames: FrameMap, clip: Clip) -> TimeMap:
    """Piecewise time map of a frame map: runs at the clip's own speed, holds where a frame stays."""
    times = [*(clip.time_of(t) for t in range(clip.n_frames)), clip_duration(clip)]
    pieces: list[Linear | Hold | Hide] = []
    for t, source in enumerate(frames):
        start, stop = times[t], times[t + 1]
        stays = source in (frames[t - 1] if t else None, frames[t + 1] if t + 1 < len(frames) else None)
        if stays:
            pieces.append(Hold(start=start, stop=stop, source=times[source]))
        else:
            pieces.append(
                Linear(start=start, stop=stop, source_start=times[source], source_stop=times[source] + stop - start)
            )
    return TimeMap(segments=merged(pieces), before=times[frames[0]], after=times[frames[-1]])


def write_output(path: Path, frames: Iterator[NDArray[np.uint8]], *, fps: int) -> None:
    """Write frames as 4:4:4 H.264, BT.601 limited, as ``score.py`` reads them.

    Baselines are scored uncoded, so the coding must cost next to nothing: crf 2 takes 0.02 dB off ``reconstruction``,
    crf 10 took 0.15.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "2", "preset": "veryfast"})
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
