"""An edit as frames and as a file: streamed, with memory that does not grow with the length."""

from __future__ import annotations

import logging
import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from queue import Full, Queue
from typing import Literal

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from polytempo.core.errors import ShapeError
from polytempo.core.pictures import Picture
from polytempo.core.progress import Progress, Report, silent
from polytempo.edit.edl import Edl, Instance, check_edl, clip_duration
from polytempo.layers.sparse import Crop
from polytempo.layers.stack import LayerStack
from polytempo.render.compose import lay_over
from polytempo.render.grain import Grain
from polytempo.render.ground import Ground
from polytempo.render.interpolate import Interpolator
from polytempo.render.network_file import read_interpolator
from polytempo.render.ordering import Showing, paint_order
from polytempo.render.showing import Shower, lowest_row
from polytempo.render.sound import SoundMode, sound_plan, sound_source
from polytempo.render.unseen import Unseen
from polytempo.render.view import View, require_scene_in_view, shown_at, source_frame, view_at
from polytempo.video.clip import Clip
from polytempo.video.door import threads
from polytempo.video.writer import Codec, write_clip

log = logging.getLogger(__name__)
WHERE = "render.sequence"
AT_ONCE = 1
"""Frames whose parts are made while an earlier one is laid together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RenderConfig:
    """How an edit is written."""

    codec: Codec = "h264"
    """``"h264"``, ``"h265"`` or lossless ``"ffv1"`` (.mkv)."""
    crf: int = 16
    """Quality of H.264 and H.265, 0 (lossless) to 51."""
    preset: str = "quick"
    """Speed word of x264 and x265, or ``"quick"``: twice as fast as ``superfast`` at like quality, some more bytes."""
    sound: SoundMode = "auto"
    """The clip's sound: ``"auto"`` copies it where the length is unchanged, follows the background's clock where that
    was changed, and keeps it else; ``"silence"``, ``"keep"`` or ``"stretch"`` to the output's length, pitch kept."""
    mark_unseen: bool = False
    """Hatch background that the clip never shows and that was filled in, to look an edit over."""
    interpolator: Path | Literal["flow"] = "flow"
    """What makes the pictures between two in slow motion by flow: optical flow, or a file with a network
    (``render.network_file``)."""
    ahead: int = 4
    """Frames that may be finished before the encoder takes them."""


def render_frames(
    stack: LayerStack,
    edl: Edl,
    clip: Clip,
    *,
    start: int = 0,
    stop: int | None = None,
    interpolator: Interpolator | None = None,
    mark_unseen: bool = False,
) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    """Frames of an edit, one after the other.

    For every output frame: the plate as the camera of that moment sees it; what the background's own frame shows of
    the background, if it is live; then the effects of all visible instances, which lie on the scene; then
    their bodies, back to front. Each instance shows the source moment its time map asks for,
    carried through the canvas from the camera of its source frame to the camera of the output frame (nothing is
    resampled where the two agree).

    Args:
        stack: The layers, in memory or on disk.
        edl: The edit.
        clip: The clip they come from; gives the times of the frames.
        start: First output frame.
        stop: Output frame to stop before; all when left out.
        interpolator: Makes pictures between two for instances whose slow motion is ``"flow"``; optical flow when left
            out. See ``render.learned`` for networks.
        mark_unseen: Hatch background that the clip never shows.

    Yields:
        uint8 ``[H, W, 3]``, each a picture of its own.

    Raises:
        InputError: the edit names a layer that is not there, or shows a moment outside the clip.
        ShapeError: stack and clip have different numbers of frames.
        DamagedStackError: a layer on disk is damaged.

    Source: paper A, Section 4.6 (retiming a layer under a moving camera).
    """
    frames = _checked_frames(
        stack, edl, clip, start=start, stop=stop, interpolator=interpolator, mark_unseen=mark_unseen
    )
    return (np.asarray(cv2.cvtColor(one, cv2.COLOR_RGBA2RGB), np.uint8) for one in frames)


def _checked_frames(
    stack: LayerStack,
    edl: Edl,
    clip: Clip,
    *,
    start: int = 0,
    stop: int | None = None,
    interpolator: Interpolator | None,
    mark_unseen: bool,
) -> Generator[UInt8[np.ndarray, "H W 4"]]:
    if stack.n_frames != clip.n_frames:
        raise ShapeError(
            WHERE,
            "layers and clip must have one number of frames",
            got=f"{stack.n_frames} in the layers, {clip.n_frames} in the clip",
        )
    check_edl(edl, layers=[one.name for one in stack.layers], source_duration=clip_duration(clip))
    times = output_times(edl, clip)
    require_scene_in_view(stack.camera, edl, clip, times[start:stop])
    unseen = Unseen(stack) if mark_unseen else None
    return _frames(stack, edl, clip, times[start:stop], first=start, interpolator=interpolator, unseen=unseen)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Begun:
    """An output frame whose parts are being made."""

    number: int
    time: Fraction
    view: View
    ground: Future[NDArray[np.uint8]]
    asked: Sequence[tuple[Instance, Fraction]]
    """Instances that it shows, and at what source moment."""
    bodies: Sequence[Future[Crop]]
    effects: Sequence[Future[Crop | None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shown:
    """An instance at a moment."""

    instance: Instance
    source: Fraction
    body: Crop
    effects: Crop | None


def _frames(
    stack: LayerStack,
    edl: Edl,
    clip: Clip,
    times: Sequence[Fraction],
    *,
    first: int,
    interpolator: Interpolator | None,
    unseen: Unseen | None,
) -> Generator[UInt8[np.ndarray, "H W 4"]]:
    """Opaque frames. Crops and backgrounds are made by several threads, one frame ahead; one lays them together."""
    by_name = {one.name: one for one in stack.layers}
    ground, height = Ground(stack, edl, clip, unseen=unseen), stack.size[1]
    grain = Grain(stack, share=edl.grain) if edl.grain > 0 else None
    visible = [one for one in edl.instances if one.visible and one.opacity > 0]
    showers = {one.name: Shower(stack, by_name[one.layer], one, clip, interpolator) for one in visible}

    def begun(number: int, time: Fraction, pool: ThreadPoolExecutor) -> _Begun:
        view = view_at(edl, clip, time)
        asked = [(one, source) for one in visible if (source := shown_at(one.time_map, clip, time)) is not None]
        return _Begun(
            number=number,
            time=time,
            view=view,
            ground=pool.submit(ground.frame, view),
            asked=asked,
            bodies=[pool.submit(showers[one.name].body, source, time, view) for one, source in asked],
            effects=[pool.submit(showers[one.name].effects, source, time, view) for one, source in asked],
        )

    def finished(frame_begun: _Begun) -> NDArray[np.uint8]:
        time, frame = frame_begun.time, frame_begun.ground.result()
        shown = [
            _Shown(instance=one, source=source, body=body.result(), effects=beneath.result())
            for (one, source), body, beneath in zip(
                frame_begun.asked, frame_begun.bodies, frame_begun.effects, strict=True
            )
        ]
        showing = [
            Showing(
                layer_id=by_name[one.instance.layer].layer_id,
                source=source_frame(clip, one.source),
                level=one.instance.level_at(time),
                contact=lowest_row(one.body, height),
            )
            for one in shown
        ]
        in_order = [shown[index] for index in paint_order(stack, showing, frame=frame_begun.view.background_frame)]
        for one in in_order:
            if one.effects is not None:
                lay_over(frame, one.effects, opacity=one.instance.opacity)
        for one in in_order:
            lay_over(frame, one.body, opacity=one.instance.opacity)
            if grain is not None and one.instance.time_map.speed_at(time) == 0:
                grain.lay(frame, one.body, number=frame_begun.number, opacity=one.instance.opacity)
        return frame

    # A network takes its own threads, and its memory once.
    with ThreadPoolExecutor(1 if interpolator is not None else threads()) as pool:
        waiting: deque[_Begun] = deque()
        for number, time in enumerate(times, start=first):
            waiting.append(begun(number, time, pool))
            if len(waiting) > AT_ONCE:
                yield finished(waiting.popleft())
        while waiting:
            yield finished(waiting.popleft())


def output_times(edl: Edl, clip: Clip) -> list[Fraction]:
    """Time of every output frame in seconds: the clip's own, and its nominal rate from there on where it ends.

    Where the edit has a frame rate of its own, that.
    """
    if isinstance(edl.timing, Fraction):
        n_frames = -(-(edl.duration * edl.timing).numerator // (edl.duration * edl.timing).denominator)
        return [n / edl.timing for n in range(max(n_frames, 1))]
    times = [clip.time_of(n) for n in range(clip.n_frames)]
    n_more = 0
    if edl.duration > clip_duration(clip):
        extra = (edl.duration - clip_duration(clip)) * clip.frame_rate
        n_more = -(-extra.numerator // extra.denominator)
    times += [times[-1] + n / clip.frame_rate for n in range(1, n_more + 1)]
    return times[: max(_n_before(times, edl.duration), 1)]


def _n_before(times: Sequence[Fraction], end: Fraction) -> int:
    return bisect_right(times, end) - (1 if end in times else 0)


def render_clip(
    stack: LayerStack,
    edl: Edl,
    clip: Clip,
    path: str | Path,
    *,
    config: RenderConfig = RenderConfig(),
    report: Report = silent,
) -> None:
    """Write an edit to a video file, which appears when it is whole, with what becomes of the sound.

    Frames are made in a thread of their own while earlier ones are encoded.

    Args:
        stack: The layers, in memory or on disk.
        edl: The edit.
        clip: The clip they come from; gives times, colour tags and sound.
        path: Ending in ``.mp4``, ``.mov``, ``.m4v`` or ``.mkv``; replaced if it exists.
        config: How to write it.
        report: Told after every frame.

    Raises:
        InputError: as ``render_frames``, or the file cannot be written so.
        ShapeError: as ``render_frames``.
        DamagedStackError: a layer on disk is damaged.
        ResourceError: the disk ran full.
        CancelledError: ``report`` asked to stop.
    """
    interpolator = configured_interpolator(config, edl)
    frames = _checked_frames(stack, edl, clip, interpolator=interpolator, mark_unseen=config.mark_unseen)
    times = output_times(edl, clip)
    rate = edl.timing if isinstance(edl.timing, Fraction) else None
    plan = sound_plan(edl, clip, config.sound, suffix=Path(path).suffix)
    log.info(plan.said)
    with _Ahead(frames, n_ahead=config.ahead) as ahead, sound_source(edl, clip, plan) as audio_from:
        write_clip(
            path,
            _counted(ahead, len(times), report),
            size=stack.size,
            frame_rate=rate,
            pts=None if rate else _ticks(times, clip),
            time_base=None if rate else clip.time_base,
            colour=clip.colour,
            audio_from=audio_from,
            codec=config.codec,
            crf=config.crf,
            preset=config.preset,
        )


def configured_interpolator(config: RenderConfig, edl: Edl) -> Interpolator | None:
    """The network that a config names, where an edit has use for it; nothing for optical flow.

    Raises:
        InputError: it cannot be read.
    """
    if config.interpolator == "flow" or not any(one.between == "flow" for one in edl.instances):
        return None
    return read_interpolator(config.interpolator)


def _ticks(times: Sequence[Fraction], clip: Clip) -> list[int]:
    return [clip.pts[0] + round(time / clip.time_base) for time in times]


def _counted(frames: Iterator[Picture], total: int, report: Report) -> Iterator[Picture]:
    for number, frame in enumerate(frames, start=1):
        yield frame
        report(Progress(stage="render", done=number, total=total, message="Writing frames"))


class _Ahead:
    """Runs a generator in a thread, a few items ahead of whoever takes them."""

    def __init__(self, items: Generator[Picture], *, n_ahead: int) -> None:
        self._items = items
        self._queue: Queue[Picture | BaseException | None] = Queue(maxsize=max(n_ahead, 1))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="polytempo-render", daemon=True)

    def __enter__(self) -> Iterator[Picture]:
        self._thread.start()
        return self._taken()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        last: BaseException | None = None
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as error:
            last = error
        finally:
            self._items.close()  # its own threads end here, also when nobody wants the rest
        self._put(last)

    def _put(self, item: Picture | BaseException | None) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=0.1)
            except Full:
                continue
            return True
        return False

    def _taken(self) -> Iterator[Picture]:
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
