"""The errors that a user can meet.

Every message reads *where: what must hold; got what. What to do.* and may end with the file it concerns, so that one
line on a terminal, in the web page or in a log says everything needed to mend the input.
"""

from __future__ import annotations

from os import PathLike


class PolytempoError(Exception):
    """Base of every error that polytempo raises on purpose.

    Args:
        where: Dotted place, e.g. ``"video.probe"``.
        must: What must hold, as a clause: ``"frame counts must match"``.
        got: What came instead, with unit and place: ``"120 frames and 118 masks for person 2"``. May be empty.
        todo: What the user can do about it, one sentence without the final stop. May be empty.
        path: The file concerned, put last. May be omitted.

    Example:
        >>> str(InputError("edit.timemap", "speed must be above 0", got="-2", todo="Use reverse() to run backwards"))
        'edit.timemap: speed must be above 0; got -2. Use reverse() to run backwards.'
    """

    def __init__(
        self, where: str, must: str, *, got: str = "", todo: str = "", path: str | PathLike[str] | None = None
    ) -> None:
        self.where, self.must, self.got, self.todo, self.path = where, must, got, todo, path
        got = " ".join(got.split()).removesuffix(".")  # other libraries' messages come in several lines
        text = f"{where}: {must}" + (f"; got {got}." if got else ".")
        if todo:
            text += f" {todo}."
        if path is not None:
            text += f" File: {path}"
        super().__init__(text)

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes with all fields."""
        return _rebuilt, (type(self), self.where, self.must, self.got, self.todo, self.path)


class InputError(PolytempoError, ValueError):
    """Something given by the user that the user can mend."""


class ShapeError(InputError):
    """Arrays whose shapes do not belong together."""


class ResourceError(PolytempoError):
    """Disk, memory or device is not enough."""


class VersionError(PolytempoError):
    """A file of ours in a version that this program does not know."""


class CancelledError(PolytempoError):
    """The user stopped the work; what was done so far can be resumed."""


def _rebuilt(
    kind: type[PolytempoError], where: str, must: str, got: str, todo: str, path: str | PathLike[str] | None
) -> PolytempoError:
    return kind(where, must, got=got, todo=todo, path=path)


def memory_ran_out(error: BaseException) -> bool:
    """Whether an error says that memory was refused: Python's own, CUDA's, or that of torch's allocator on a CPU.

    The last has no class of its own, and its words differ: Linux "can't allocate memory", Windows "not enough memory".
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    words = ("allocate memory", "not enough memory")
    return isinstance(error, RuntimeError) and any(one in str(error) for one in words)
