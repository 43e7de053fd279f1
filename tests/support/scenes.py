"""Drawing the small scenes, and what a perfect earlier stage would make of them."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from polytempo.bodies.keypoints import Detection
from polytempo.objects.cast import Cast, LayerPlan, Subject
from polytempo.synth.draw import DrawnScene, draw
from polytempo.synth.scene import SceneSpec


def draw_small(spec: SceneSpec) -> DrawnScene:
    """Draw a scene whose arrays nobody can change by mistake."""
    scene = draw(spec)
    for one in fields(scene):
        value = getattr(scene, one.name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return scene


def true_cast(scene: DrawnScene) -> Cast:
    """Give the cast with true masks, true amodal masks and the true order; names are those of the people."""
    subjects = tuple(
        Subject(
            subject_id=k,
            name=person.name,
            mask=scene.masks[k - 1],
            amodal=scene.amodal[k - 1] | scene.masks[k - 1],
            visibility=(
                scene.masks[k - 1].sum((1, 2)) / np.maximum((scene.amodal[k - 1] | scene.masks[k - 1]).sum((1, 2)), 1)
            ).astype(np.float32),
        )
        for k, person in zip(scene.layer_ids, scene.spec.people, strict=True)
    )
    layers = tuple(LayerPlan(layer_id=one.subject_id, name=one.name, subject_ids=(one.subject_id,)) for one in subjects)
    return Cast(subjects=subjects, layers=layers, order=scene.order)


def detections(scene: DrawnScene, *, tracked: bool = True) -> list[Detection]:
    """Give everybody's true keypoints as a detector would, all of them sure; layer ``k`` has track ``10 + k``."""
    return [
        Detection(
            frame=t,
            points=np.concatenate([points[:, :2], np.ones((17, 1), np.float32)], 1),
            track=10 + k if tracked else None,
        )
        for k in scene.layer_ids
        for t, points in enumerate(scene.keypoints[k - 1])
    ]


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of two clips or pictures in dB."""
    error = float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))
    return float(10 * np.log10(255.0**2 / max(error, 1e-4)))


def still(spec: SceneSpec) -> SceneSpec:
    """The same scene without grain and motion blur."""
    return replace(spec, grain=0.0, shutter=0.0)
