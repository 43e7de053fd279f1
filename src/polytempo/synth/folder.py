"""A drawn scene as a folder that ``score.py`` and ``bench/truth.py`` read: clip, truth, masks, facts."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from polytempo.core.errors import InputError
from polytempo.core.files import atomic_path, write_json
from polytempo.synth.draw import DrawnScene
from polytempo.synth.pose import COCO
from polytempo.synth.rough import rough_masks
from polytempo.video.writer import write_clip

CRF_INPUT, CRF_TRUTH = 14, 6
MATRIX_BT601 = 6


def write_scene(scene: DrawnScene, folder: Path, *, seed: int = 0) -> None:
    """Write a scene folder, which appears only when it is whole.

    Holds ``input.mp4`` (with grain, H.264 4:2:0), ``truth/*.mp4`` (4:4:4), ``masks``, ``masks_amodal``,
    ``rough_masks``, ``keypoints.json`` and ``scene.json``.

    Args:
        scene: What was drawn.
        folder: Replaced if it exists.
        seed: Of the rough masks.

    Raises:
        InputError: the place cannot be written; a side of the scene is odd, which 4:2:0 cannot carry.
    """
    spec = scene.spec
    if spec.size[0] % 2 or spec.size[1] % 2:
        raise InputError("synth.folder", "both sides of a scene must be even", got=f"{spec.size[0]}x{spec.size[1]}")
    with atomic_path(folder) as partial:
        (partial / "truth").mkdir(parents=True)
        write_clip(
            partial / "input.mp4", iter(scene.pictures), size=spec.size, frame_rate=Fraction(spec.fps), crf=CRF_INPUT
        )
        for name, pictures in truths(scene):
            _write_444(partial / "truth" / f"{name}.mp4", pictures, fps=spec.fps)
        _write_masks(partial / "masks", scene.masks)
        _write_masks(partial / "masks_amodal", scene.amodal)
        _write_masks(
            partial / "rough_masks", rough_masks(scene.masks, seed=seed, most_px=min(4.0, 4 * spec.size[1] / 256))
        )
        write_json(partial / "keypoints.json", _keypoints(scene))
        write_json(partial / "scene.json", _facts(scene))


def truths(scene: DrawnScene) -> Iterable[tuple[str, NDArray[np.uint8]]]:
    """Every truth clip of a scene with its name, one after the other."""
    ids = scene.layer_ids
    yield "full", scene.clean
    yield "background", scene.render(without=ids)
    for k in ids:
        yield f"without_{k}", scene.render(without=[k])
    if len(ids) > 2:
        for k in ids:
            yield f"solo_{k}", scene.render(solo=k)
    for retime in scene.spec.retimes:
        yield f"retime_{retime.name}", scene.render(dict(zip(ids, retime.maps, strict=True)))


def _facts(scene: DrawnScene) -> dict[str, Any]:
    spec, ids = scene.spec, scene.layer_ids
    path = scene.camera.canvas_from_frame
    first = np.linalg.inv(path[0]) @ path
    return {
        "name": spec.name,
        "frames": spec.n_frames,
        "fps": spec.fps,
        "size": list(spec.size),
        "static_camera": scene.camera.kind == "static",
        "static_illumination": True,
        "shutter": spec.shutter,
        "input_grain_sigma": spec.grain,
        "seed": spec.seed,
        "layers": [{"id": k, "name": p.name, "people": [k]} for k, p in zip(ids, spec.people, strict=True)],
        "order_back_to_front": [list(one) for one in scene.order],
        "solo_truth": {str(k): _solo_file(k, len(ids)) for k in ids},
        "retimes": {
            one.name: {
                "kind": one.kind,
                "file": f"truth/retime_{one.name}.mp4",
                "maps": {str(k): list(frames) for k, frames in zip(ids, one.maps, strict=True)},
            }
            for one in spec.retimes
        },
        "pixel_convention": "x right, y down, integer coordinates at pixel centres; homographies[f] maps homogeneous "
        "pixels of frame f to frame 0",
        "homographies": (first / first[:, 2:, 2:]).tolist(),
    }


def _solo_file(layer_id: int, n_layers: int) -> str:
    """Clip that shows one layer alone; with one or two layers it is there under another name."""
    if n_layers <= 2:
        return "full.mp4" if n_layers == 1 else f"without_{3 - layer_id}.mp4"
    return f"solo_{layer_id}.mp4"


def _keypoints(scene: DrawnScene) -> dict[str, Any]:
    frames = [
        [
            {
                "layer": k,
                "person": k,
                "keypoints": [
                    [round(float(x), 2), round(float(y), 2), int(v)] for x, y, v in scene.keypoints[k - 1, t]
                ],
            }
            for k in scene.layer_ids
        ]
        for t in range(scene.spec.n_frames)
    ]
    return {
        "order": list(COCO),
        "visibility": "0 outside the frame, 1 inside but hidden, 2 visible",
        "frames": frames,
    }


def _write_masks(folder: Path, masks: NDArray[np.bool_]) -> None:
    for k, frames in enumerate(masks, start=1):
        place = folder / str(k)
        place.mkdir(parents=True)
        for t, mask in enumerate(frames):
            done, data = cv2.imencode(".png", mask.astype(np.uint8) * 255)
            assert done
            (place / f"{t:04d}.png").write_bytes(data.tobytes())


def _write_444(path: Path, pictures: Iterable[NDArray[np.uint8]], *, fps: int) -> None:
    """Write without halving the colour's resolution, which the clip writer does not offer; BT.601, limited range."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": str(CRF_TRUTH), "preset": "veryfast"})
        stream.pix_fmt = "yuv444p"
        stream.codec_context.colorspace = MATRIX_BT601
        for n, picture in enumerate(pictures):
            if n == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
