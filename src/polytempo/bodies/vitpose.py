"""Keypoints found by ViTPose, with weights that the user has: an adapter for the model in ``transformers``.

Nothing is ever downloaded: weights are read from a folder as ``save_pretrained`` writes it, in safetensors.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float32

from polytempo.bodies.keypoints import N_KEYPOINTS, Detection
from polytempo.core.errors import InputError, ResourceError
from polytempo.core.pictures import Pictures
from polytempo.core.progress import Progress, Report, silent
from polytempo.objects.cast import Cast

WHERE = "bodies.vitpose"
LEAST_VISIBLE = 0.5
"""A subject is looked at in frames in which so much of it is visible; keypoints in others are closed over in time."""
LEAST_SCORE = 0.3
"""Mean score below which a box shows no person."""
_INSTALL = "Install it: pip install 'polytempo[vitpose]'"
COCO_EXPERT = 0
"""Which expert of ViTPose+ knows COCO's keypoints."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class VitPose:
    """A model ready to look at people, with what prepares its pictures. Get one from ``read_vitpose``."""

    model: Any
    processor: Any

    def keypoints(self, picture: np.ndarray, boxes: Float32[np.ndarray, "N 4"]) -> Float32[np.ndarray, "N 17 3"]:
        """Keypoints of people in one picture, in its pixels, score 0…1.

        Args:
            picture: ``uint8 [H, W, 3]``, RGB.
            boxes: ``(x, y, width, height)`` per person.

        Source: Xu et al., ViTPose, NeurIPS 2022; places on the heatmap after DARK (Zhang et al., CVPR 2020).
        """
        listed = [[[float(one) for one in box] for box in boxes]]
        inputs = self.processor(picture, boxes=listed, return_tensors="pt", input_data_format="channels_last")
        more: dict[str, Any] = {}
        if self.model.config.backbone_config.num_experts > 1:
            more["dataset_index"] = torch.full((len(boxes),), COCO_EXPERT)
        with torch.no_grad():
            found = self.model(**inputs, **more)
        (people,) = self.processor.post_process_pose_estimation(found, boxes=listed, threshold=-1e9)
        points = np.stack([np.asarray(one["keypoints"], np.float32) for one in people])
        scores = np.stack([np.asarray(one["scores"], np.float32) for one in people])
        return np.concatenate([points, np.clip(scores, 0, 1)[..., None]], -1)


def read_vitpose(folder: Path) -> VitPose:
    """ViTPose from a folder with ``config.json`` and ``model.safetensors``, perhaps ``preprocessor_config.json``.

    Raises:
        ResourceError: the extra is not installed.
        InputError: no such folder, another model's, weights missing, damaged or not of COCO's 17 keypoints.
    """
    config = check_vitpose(folder)
    try:
        library: Any = importlib.import_module("transformers")
        processors: Any = importlib.import_module("transformers.models.vitpose.image_processing_pil_vitpose")
    except ImportError as error:  # another version, or something that it needs
        raise ResourceError(
            WHERE,
            "ViTPose needs transformers",
            got=str(error)[:80],
            todo=_INSTALL,
        ) from error
    library.logging.disable_progress_bar()  # progress is reported in one way only
    try:
        model, loaded = library.VitPoseForPoseEstimation.from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, output_loading_info=True
        )
        processor_class = processors.VitPoseImageProcessorPil
        if (folder / "preprocessor_config.json").is_file():
            processor = processor_class.from_pretrained(str(folder), local_files_only=True)
        else:
            height, width = model.config.backbone_config.image_size
            processor = processor_class(size={"height": height, "width": width})
    except Exception as error:  # the library has many kinds of its own for a file that is wrong
        raise InputError(
            WHERE,
            "the weights must be readable by transformers",
            got=f"{type(error).__name__}: {str(error)[:160]}",
            todo="Save the model again with save_pretrained",
            path=folder,
        ) from error
    lacking = sorted(loaded["missing_keys"]) or [str(one) for one in loaded["mismatched_keys"]]
    if lacking:
        raise InputError(
            WHERE, "the weights must be those of the model that config.json describes",
            got=f"nothing that fits for {lacking[0]} and {len(lacking) - 1} more", path=folder,
        )  # fmt: skip
    if (
        n_keypoints := int(config.get("num_labels") or len(config.get("id2label") or ()) or model.config.num_labels)
    ) != (N_KEYPOINTS):
        raise InputError(WHERE, "the model must find COCO's 17 keypoints", got=f"{n_keypoints}", path=folder)
    return VitPose(model=model.eval(), processor=processor)


def find_keypoints(pictures: Pictures, cast: Cast, vitpose: VitPose, *, report: Report = silent) -> Iterator[Detection]:
    """Keypoints of a cast's subjects, each looked for around its own mask; its track is the subject's id.

    Frames that hide half of a subject are left out, and so are boxes in which no person is found.

    Args:
        pictures: Frames of any size with the clip's aspect; larger ones give finer places.
        cast: At working size.
        vitpose: From ``read_vitpose``.
        report: Receives progress.

    Yields:
        Detections in pixels of ``pictures``, by frame.
    """
    n_frames = len(cast.order)
    for t in range(n_frames):
        picture = np.asarray(pictures[t])
        seen = [one for one in cast.subjects if one.mask[t].any() and one.visibility[t] >= LEAST_VISIBLE]
        if seen:
            height, width = seen[0].mask.shape[1:]
            grow = np.array([picture.shape[1] / width, picture.shape[0] / height] * 2, np.float32)
            boxes = np.stack([np.array(cv2.boundingRect(one.mask[t].astype(np.uint8)), np.float32) for one in seen])
            for subject, points in zip(seen, vitpose.keypoints(picture, boxes * grow), strict=True):
                if points[:, 2].mean() >= LEAST_SCORE:
                    yield Detection(frame=t, points=points, track=subject.subject_id)
        report(Progress(stage="keypoints", done=t + 1, total=n_frames))


def check_vitpose(folder: Path) -> dict[str, Any]:
    """``config.json`` of a folder that looks like ViTPose; nothing big is imported or read.

    A backbone that is only named would be fetched from the net; it has to be described.

    Raises:
        ResourceError: the extra is not installed.
        InputError: the folder is not ViTPose's.
    """
    path = folder / "config.json"
    try:
        read: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            WHERE, "ViTPose's weights must be a folder with config.json and model.safetensors",
            got=error.strerror or "an error", todo="Give a folder as save_pretrained writes it", path=folder,
        ) from error  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise InputError(WHERE, "config.json must be JSON", got=str(error)[:80], path=path) from error
    kind = read.get("model_type") if isinstance(read, dict) else None
    if kind != "vitpose":
        raise InputError(WHERE, "the model must be ViTPose", got=f"model_type {kind!r}", path=path)
    if not isinstance(read.get("backbone_config"), dict) or read.get("backbone"):
        raise InputError(
            WHERE, "config.json must describe the backbone itself", got="none, or a name to be fetched", path=path
        )
    if not list(folder.glob("*.safetensors")):
        raise InputError(
            WHERE, "the weights must be there in safetensors", got="no such file",
            todo="Save the model again with save_pretrained", path=folder,
        )  # fmt: skip
    if importlib.util.find_spec("transformers") is None:
        raise ResourceError(WHERE, "ViTPose needs transformers", got="none installed", todo=_INSTALL)
    return read
