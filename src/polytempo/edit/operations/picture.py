"""What an edit looks like beside its times: who is in front, slow motion, motion blur, camera, grain, frame rate."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from polytempo.core.errors import InputError
from polytempo.edit.camera import FARTHEST, CameraKey, Whole
from polytempo.edit.edl import Between, Edl, Framing, LevelRange, Locked, with_instance
from polytempo.edit.operations.retime import require_range


def put_at_level(
    edl: Edl, name: str, *, level: int, start: Fraction | None = None, stop: Fraction | None = None
) -> Edl:
    """An edit in which an instance is in front of lower levels and behind higher ones, always or over a range.

    Args:
        edl: The edit.
        name: The instance.
        level: 0 is everybody's; within a level the clip's own order holds.
        start: Start of the range in the output; left out, the level holds always and ranges are forgotten.
        stop: End of the range; the end of the edit when left out.

    Raises:
        InputError: there is no such instance, the range leaves the edit, or the level is not from -1000 to 1000.
    """
    one = edl.instance(name)
    if not -1000 <= level <= 1000:
        raise InputError("edit.picture", "a level must be from -1000 to 1000", got=str(level))
    if start is None:
        return with_instance(edl, replace(one, level=level, levels=()))
    until = edl.duration if stop is None else stop
    require_range("edit.picture", start=start, stop=until, duration=edl.duration)
    return with_instance(edl, replace(one, levels=(*one.levels, LevelRange(start=start, stop=until, level=level))))


def interpolate(edl: Edl, name: str, *, between: Between, shutter: float = 0.0) -> Edl:
    """An edit in which an instance shows something else than the nearest frame.

    Args:
        edl: The edit.
        name: The instance.
        between: What is shown between two frames of the source.
        shutter: Share of an output frame over which what passes by is mixed where it runs fast; 0 is none.

    Raises:
        InputError: there is no such instance, or the shutter is not in 0 to 1.
    """
    if not 0 <= shutter <= 1:
        raise InputError("edit.picture", "the shutter must lie in 0 to 1", got=str(shutter))
    return with_instance(edl, replace(edl.instance(name), between=between, shutter=shutter))


def lock_camera(edl: Edl, *, at: Fraction) -> Edl:
    """An edit whose camera stands still as it stood at a source time."""
    return replace(edl, camera=Locked(at=at))


def frame_camera(edl: Edl, name: str) -> Edl:
    """An edit whose camera moves as it did at the times that an instance shows: it keeps that subject's framing.

    Raises:
        InputError: there is no such instance.
    """
    edl.instance(name)
    return replace(edl, camera=Framing(instance=name))


def free_camera(edl: Edl) -> Edl:
    """An edit whose camera moves as it did in the clip, and not otherwise."""
    return replace(edl, camera="original", camera_path=())


def widen_camera(edl: Edl) -> Edl:
    """An edit whose camera stands still and takes in all that the clip shows of the scene.

    Source: paper B, Section 4.5 and Figure 6.
    """
    return replace(edl, camera=Whole())


def move_camera(edl: Edl, *keys: CameraKey) -> Edl:
    """An edit whose camera is moved, over the one it has: by one key throughout, by more along a path; none undoes it.

    Raises:
        InputError: two keys stand at one moment, or a number is out of its range.
    """
    for one in keys:
        held = [abs(one.x) <= FARTHEST, abs(one.y) <= FARTHEST, 0.05 <= one.scale <= 20, abs(one.rotate) <= 3600]
        if not all(held):
            raise InputError(
                "edit.picture",
                f"a camera must move by {FARTHEST:g} px, turn by 3600 degrees at most, and scale by 0.05 to 20",
                got=f"x {one.x:g}, y {one.y:g}, scale {one.scale:g}, rotate {one.rotate:g}",
            )  # fmt: skip
    return replace(edl, camera_path=tuple(sorted(keys, key=lambda one: one.at)))


def keep_grain(edl: Edl, *, share: float = 1.0) -> Edl:
    """An edit in which subjects that stand still are kept alive by so much of the clip's own grain, 0 to 1.

    Raises:
        InputError: the share is not in 0 to 1.
    """
    if not 0 <= share <= 1:
        raise InputError("edit.picture", "the share of grain must lie in 0 to 1", got=str(share))
    return replace(edl, grain=share)


def at_frame_rate(edl: Edl, rate: Fraction) -> Edl:
    """An edit that is written at a frame rate of its own; all times stay.

    Raises:
        InputError: the rate is not above 0.
    """
    return replace(edl, timing=rate)
