"""Paper A, Figure 4 and Section 6.4.1: UV of whole bodies from keypoints against UV of what is visible.

    python bench/paper/figure_4.py --out out/paper

Two drawn people cross. Keypoints that the other hides are taken away, as no detector would find them, and closed in
time. The one model sees the hidden one's whole body from them, the other only the part of it that is visible, as from
DensePose. Then she who is in front is taken out.

Both start as preset ``standard`` does, over the clean plate and from what trimaps and frames tell: from nothing,
colours have not come in so few epochs (10 dB where hidden after 60), and the question is what UV does for them.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from report import Claim, Findings, as_bytes, as_grey, experiment, over_grey, sheet
from small_runs import course, learned_maps, settings, visible_cast

from polytempo.bodies.complete_cast import bodies_of
from polytempo.bodies.keypoints import Detection, Keypoints
from polytempo.bodies.keypoints_to_uv import keypoints_to_uv
from polytempo.bodies.rasterise import BodyMap
from polytempo.decompose.lnr.maps import LayerMaps, layer_maps
from polytempo.layers.metrics import psnr
from polytempo.objects.cast import Subject
from polytempo.synth.draw import DrawnScene, draw
from polytempo.synth.scene import SceneSpec
from polytempo.synth.scenes import crossing

SIZE, N_FRAMES = (96, 64), 12
LEAST_GAIN_DB, LEAST_ALPHA_GAIN = 1.5, 0.3
"""By so much must whole bodies be better where somebody was hidden: nearer to the truth, and more opaque."""


def main() -> int:
    """Run the experiment."""
    return experiment("figure-4", __doc__, run, epochs=80)


def run(given: argparse.Namespace) -> Findings:
    """Both kinds of UV, every seed."""
    config = course(given.epochs, given_background=True, warm_epochs=given.epochs // 3)
    found = Findings(settings=settings(config) | {"size": SIZE, "frames": N_FRAMES, "warm_epochs": config.warm_epochs})
    gains: list[tuple[float, float]] = []
    for seed in given.seeds:
        scene = draw(meeting(seed))
        hidden = scene.amodal[0] & ~scene.masks[0]
        truth = scene.render(without=[2])
        results = {
            name: learned_maps(scene.pictures, maps_of(scene, whole=whole), scene.background(0), config, seed=seed)
            for name, whole in (("from keypoints", True), ("visible only", False))
        }
        rows = [
            {"seed": seed, "uv": name, "alpha of the hidden body": float(one.layers[:, 1, 3][hidden].mean()),
             "psnr where hidden": psnr(one.picture({1}), truth / 255, where=hidden),
             "psnr of the clip": psnr(one.picture(), scene.pictures / 255)}
            for name, one in results.items()
        ]  # fmt: skip
        found.table += rows
        gains.append(tuple(rows[0][c] - rows[1][c] for c in ("psnr where hidden", "alpha of the hidden body")))
        if seed == given.seeds[0]:
            frames = [int(t) for t in np.argsort(-hidden.sum((1, 2)))[:3]]
            lines = [("input", [scene.pictures[t] for t in frames]), ("truth without her", [truth[t] for t in frames])]
            for name, one in results.items():
                tiles = one.maps.person[:, 1] > 0
                lines += [
                    (f"where his UV is, {name}", [as_grey(tiles[t]) for t in frames]),
                    (f"his layer, {name}", [over_grey(one.layers[t, 1]) for t in frames]),
                    (f"without her, {name}", [as_bytes(one.picture({1})[t]) for t in frames]),
                ]
            sheet(given.out / "figure-4.png", lines)
    found.claims = [
        Claim(text="whole bodies bring back who was hidden (dB nearer to the truth)", least=LEAST_GAIN_DB,
              value=min(one[0] for one in gains)),
        Claim(text="and are opaque there (alpha ahead)", least=LEAST_ALPHA_GAIN, value=min(one[1] for one in gains)),
    ]  # fmt: skip
    return found


def maps_of(scene: DrawnScene, *, whole: bool) -> LayerMaps:
    """Maps of both people; of the one behind only what is visible, unless ``whole``."""
    cast = visible_cast(scene)
    found = [
        Detection(frame=t, points=points, track=k + 1)
        for k, t in np.ndindex(*scene.keypoints.shape[:2])
        if ((points := detected(scene, k, t))[:, 2] > 0).sum() >= 4
    ]
    bodies = {
        who: keypoints_to_uv(one.track, size=SIZE, build=one.build)
        for who, one in bodies_of(cast, found, scene.camera).items()
    }
    subjects: list[Subject] = []
    for subject in cast.subjects:
        seen = whole or subject.subject_id != 1
        shown = bodies[subject.subject_id].silhouette if seen else subject.mask & bodies[1].silhouette
        bodies[subject.subject_id] = within(bodies[subject.subject_id], shown)
        subjects.append(replace(subject, amodal=subject.mask | shown))
    return layer_maps(replace(cast, subjects=tuple(subjects)), scene.camera, bodies)


def detected(scene: DrawnScene, row: int, frame: int) -> Keypoints:
    """Keypoints of one person as a detector finds them: not those that the other person hides."""
    points = scene.keypoints[row, frame].copy()
    height, width = scene.masks.shape[2:]
    x, y = (points[:, i].round().astype(int) for i in (0, 1))
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    other = scene.masks[1 - row, frame][y.clip(0, height - 1), x.clip(0, width - 1)]
    points[:, 2] = inside & ~other
    return points


def meeting(seed: int) -> SceneSpec:
    """The crossing nearer to the camera and on a shorter way, so that one hides the other for several frames."""
    spec = crossing(size=SIZE, n_frames=N_FRAMES, seed=seed, grain=0)
    far, near = spec.people
    people = (replace(far, start=(0.66, 0.88), stop=(0.42, 0.88)), replace(near, start=(0.36, 0.97), stop=(0.70, 0.97)))
    return replace(spec, people=people, horizon=0.14, wall_foot=0.55, wall="plaster", floor="tiles", gloss=0.0,
                   shadow=0.25, retimes=())  # fmt: skip


def within(body: BodyMap, shown: NDArray[np.bool_]) -> BodyMap:
    """Part and UV where it is shown alone."""
    return BodyMap(part=np.where(shown, body.part, 0).astype(np.uint8), uv=np.where(shown[..., None], body.uv, 0))


if __name__ == "__main__":
    sys.exit(main())
