"""The plot of what was aligned, kept with the project."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from polytempo.cli.scene import Scene
from polytempo.core.files import write_bytes
from polytempo.edit.align.plot import PlottedMotion, alignment_picture, alignment_svg
from polytempo.edit.align.signals import MotionSignal
from polytempo.edit.edl import Edl
from polytempo.project.report import encoded
from polytempo.video.clip import Clip


def write_plots(scene: Scene, folder: Path) -> list[Path]:
    """Write ``align-LEADER.svg`` and ``.png`` for every leader somebody was aligned to, and give their paths."""
    paths: list[Path] = []
    leaders = {leader.name: leader for leader, _, _ in scene.aligned}
    for name, leader in leaders.items():
        last = scene.aligned[-1][2]
        followers = {follower.name: follower for lead, follower, _ in scene.aligned if lead.name == name}
        motions = [plotted(one, last, scene.clip) for one in (leader, *followers.values())]
        title = f"{', '.join(followers)} in time with {name}: {leader.kind}"
        safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)
        svg, png = folder / f"align-{safe}.svg", folder / f"align-{safe}.png"
        write_bytes(svg, alignment_svg(motions[0], motions[1:], title=title).encode())
        write_bytes(png, encoded(alignment_picture(motions[0], motions[1:], title=title), ".png"))
        paths += [svg, png]
    return paths


def plotted(signal: MotionSignal, edl: Edl, clip: Clip) -> PlottedMotion:
    """A motion as the clip has it and as an edit shows it, by frames of the clip."""
    values, time_map = signal.normalised(), edl.instance(signal.name).time_map
    sources = np.full(clip.n_frames, np.nan)
    for t in range(clip.n_frames):
        source = time_map.at(clip.time_of(t))
        if source is not None:
            sources[t] = _place(source, clip)
    shown = np.interp(sources, np.arange(len(values)), values)
    absent = np.isnan(np.interp(sources, np.arange(len(values)), signal.values))
    return PlottedMotion(
        name=signal.name,
        before=np.where(signal.present, values, np.nan),
        after=np.where(absent, np.nan, shown),
        sources=sources,
    )


def _place(source: Fraction, clip: Clip) -> float:
    frame = clip.frame_at(source)
    following = clip.time_of(frame + 1) if frame + 1 < clip.n_frames else None
    start = clip.time_of(frame)
    return float(frame) if following is None else frame + float((source - start) / (following - start))
