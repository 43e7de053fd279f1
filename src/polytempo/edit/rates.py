"""From one frame rate to another: which source frame is on screen when an output frame begins."""

from __future__ import annotations

from fractions import Fraction

from polytempo.core.errors import InputError

WHERE = "edit.rates"


def frame_on_screen(time: Fraction, rate: Fraction) -> int:
    """Number of the frame that is on screen at a time, at a constant rate; frame n begins at ``n / rate``.

    Raises:
        InputError: the rate is not above 0.

    Example:
        >>> frame_on_screen(Fraction(1001, 30000), Fraction(30000, 1001))
        1
    """
    if rate <= 0:
        raise InputError(WHERE, "a frame rate must be above 0", got=str(rate))
    return (time * rate).__floor__()


def converted_frames(n_frames: int, *, source_rate: Fraction, output_rate: Fraction) -> list[int]:
    """Source frame for every frame of an output at another rate, of the same length to within a frame.

    From 24 to 30 frames a second each fourth source frame comes twice; from 30 to 24 each fifth is left out.

    Raises:
        InputError: a rate is not above 0, or there are no frames.

    Example:
        >>> converted_frames(5, source_rate=Fraction(24), output_rate=Fraction(30))
        [0, 0, 1, 2, 3, 4]
    """
    if n_frames < 1:
        raise InputError(WHERE, "there must be frames", got=str(n_frames))
    if output_rate <= 0:
        raise InputError(WHERE, "a frame rate must be above 0", got=str(output_rate))
    n_output = max((n_frames * output_rate / source_rate).__floor__(), 1) if source_rate > 0 else 1
    return [min(frame_on_screen(n / output_rate, source_rate), n_frames - 1) for n in range(n_output)]
