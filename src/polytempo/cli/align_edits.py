"""Edits that look at how people move: align, photo-finish, beat, hold on exit."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import cast, get_args

import numpy as np

from polytempo.cli.scene import Scene
from polytempo.core.errors import InputError
from polytempo.edit.align.beat import beat_pairs, onsets
from polytempo.edit.align.choose import METHODS, Alignment, Method, align_motions
from polytempo.edit.align.finish import crossing_frame
from polytempo.edit.align.landmarks import landmark_map
from polytempo.edit.align.peaks import peaks
from polytempo.edit.align.presence import last_whole_view
from polytempo.edit.align.signals import MotionSignal, SignalKind
from polytempo.edit.align.warp import Warp, time_map_from_warp
from polytempo.edit.edl import Edl, clip_duration
from polytempo.edit.operations.align import align, follow, photo_finish
from polytempo.edit.operations.hold_on_exit import hold_on_exit
from polytempo.edit.phrases import AlignPhrase, parse_align, parse_line
from polytempo.edit.selectors import parse_selection
from polytempo.edit.timemap import TimeMap
from polytempo.video.samples import read_sound

SIGNALS: tuple[SignalKind, ...] = get_args(SignalKind)
PROMINENCE = 1.0
"""Of a motion's peak that meets a beat, in standard deviations."""


def align_edit(edl: Edl, text: str, scene: Scene) -> Edl:
    """``girl,dad=boy``, ``girl@3s-6s=boy:cow``, ``girl=boy:1s=1.2s``."""
    names = [one.name for one in edl.instances]
    phrase = parse_align(text, clip=scene.clip, names=names, output=edl.duration)
    start, stop = phrase.start or Fraction(0), phrase.stop
    for name in phrase.names:
        warp = _landmarks(phrase, scene) if phrase.landmarks else _found(edl, name, phrase, scene)
        edl = align(edl, name, to=phrase.to, warp=warp, start=start, stop=stop)
        if not phrase.landmarks:
            scene.aligned.append((scene.motion(edl, phrase.to), scene.motion(edl, name), edl))
    return edl


def photo_finish_edit(edl: Edl, text: str, scene: Scene) -> Edl:
    """``girl,boy:40,200,300,210@1s``."""
    phrase = parse_line(text, clip=scene.clip, names=[one.name for one in edl.instances])
    clip, camera = scene.clip, scene.camera
    scale = np.array(camera.frame_size) / (clip.width, clip.height)
    (x0, y0), (x1, y1) = phrase.line
    line = ((x0 * scale[0], y0 * scale[1]), (x1 * scale[0], y1 * scale[1]))
    crossings: dict[str, Fraction] = {}
    for name in phrase.names:
        frame = crossing_frame(name, scene.masks(edl, name), camera, line=line, seen_in=clip.frame_at(phrase.at))
        crossings[name] = _moment(frame, scene)
        scene.notes.append(f"{name} crosses the line at {float(crossings[name]):.2f} s")
    return photo_finish(edl, crossings, source_duration=clip_duration(clip))


def beat_edit(edl: Edl, text: str, scene: Scene) -> Edl:
    """``girl``: lowest places of the motion meet the onsets of the sound."""
    name = parse_selection(text, clip=scene.clip, names=[one.name for one in edl.instances]).name
    clip = scene.clip
    if scene.sound is None and not clip.audio_codecs:
        raise InputError("edit.align.beat", "the clip must have sound", got="none", todo="Name a track with --sound")
    sound = read_sound(clip.path if scene.sound is None else scene.sound)
    origin = clip.pts[0] * clip.time_base if scene.sound is None and not clip.times_rebuilt else sound.start
    beats = [Fraction(round(one * 1000), 1000) for one in onsets(sound.from_time(origin)[0], sound.rate)]
    motion = scene.motion(edl, name)
    events = peaks(motion.normalised(), prominence=PROMINENCE, apart=3)
    times = [_moment(float(one), scene) for one in events]
    within = [one for one in beats if 0 < one < edl.duration]
    pairs = beat_pairs(times, within)
    scene.notes.append(
        f"{name}: {len(pairs)} of {len(times)} events meet one of {len(within)} beats; {motion.kind} of {motion.source}"
    )
    time_map = landmark_map(pairs, duration=edl.duration, source_duration=clip_duration(clip))
    return follow(edl, name, time_map=time_map)


def hold_on_exit_edit(edl: Edl, text: str, scene: Scene) -> Edl:
    """``girl``, or ``girl@3s``."""
    names = [one.name for one in edl.instances]
    who = parse_selection(text, clip=scene.clip, names=names, output=edl.duration)
    at = who.start
    if at is None:
        view = last_whole_view(who.name, scene.masks(edl, who.name), scene.camera)
        at = scene.clip.time_of(view.frame)
        left = "" if view.stays else "; the camera leaves the place later on: lock it, or name an earlier moment"
        scene.notes.append(f"{who.name} is last wholly in view at {float(at):.2f} s{left}")
    return hold_on_exit(edl, who.name, at=at)


def _landmarks(phrase: AlignPhrase, scene: Scene) -> TimeMap:
    end = clip_duration(scene.clip)
    return landmark_map([(b, a) for a, b in phrase.landmarks], duration=end, source_duration=end)


def _found(edl: Edl, name: str, phrase: AlignPhrase, scene: Scene) -> TimeMap:
    if phrase.method not in (*METHODS, "auto"):
        raise InputError(
            "edit.align",
            f"the method must be one of {', '.join((*METHODS, 'auto'))}",
            got=repr(phrase.method),
            todo="Landmarks are written like 1s=1.2s,2s=2.5s",
        )
    clip = scene.clip
    first, last = _shown_frames(edl, phrase, scene)
    leader, follower = scene.motion(edl, phrase.to), scene.motion(edl, name)
    found: Alignment = align_motions(
        leader.part(first, last), follower.part(first, last), method=cast("Method", phrase.method)
    )
    tried = ", ".join(f"{one} {score:.2f}" for one, score in found.scores.items())
    scene.notes.append(
        f"{name} to {phrase.to} by {found.method} ({found.detail}): correlation {found.before:.2f} before, "
        f"{found.likeness:.2f} after; scores {tried}; {leader.kind} of {_sources(leader, follower)}"
    )
    moved = Warp(
        target=tuple(one + first for one in found.warp.target), sample=tuple(one + first for one in found.warp.sample)
    )
    return time_map_from_warp(moved, clip)


def _sources(*signals: MotionSignal) -> str:
    return " and ".join(sorted({one.source for one in signals}))


def _shown_frames(edl: Edl, phrase: AlignPhrase, scene: Scene) -> tuple[int, int]:
    """Source frames, half-open, that the leader shows over the range of the output; all without a range."""
    clip, leader = scene.clip, edl.instance(phrase.to)
    if phrase.start is None and phrase.stop is None:
        return 0, clip.n_frames
    start = phrase.start or Fraction(0)
    stop = edl.duration if phrase.stop is None else phrase.stop
    times = [start + n * scene.frame for n in range(max(math.ceil((stop - start) / scene.frame), 1))]
    shown = [clip.frame_at(source) for time in times if (source := leader.time_map.at(time)) is not None]
    if not shown:
        raise InputError("edit.align", f"{phrase.to} must be in view in the range", got="hidden")
    return min(shown), max(shown) + 1


def _moment(frame: float, scene: Scene) -> Fraction:
    """Source time of a place between two frames."""
    clip = scene.clip
    whole = min(int(frame), clip.n_frames - 1)
    following = clip.time_of(whole + 1) if whole + 1 < clip.n_frames else clip_duration(clip)
    share = Fraction(round((frame - whole) * 1000), 1000)
    return clip.time_of(whole) + share * (following - clip.time_of(whole))
