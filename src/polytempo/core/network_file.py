"""A network as a file, program and weights together: TorchScript, or what ``torch.export`` writes."""

from __future__ import annotations

import logging
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from polytempo.core.errors import InputError

SUFFIXES = (".pt2", ".pt", ".ts")
"""``torch.export`` writes the first, TorchScript the others."""
BROKEN = (RuntimeError, AssertionError, TypeError, ValueError, IndexError, KeyError, AttributeError)
"""What a network of somebody else's may fail with."""


def require_network(path: Path, *, where: str) -> None:
    """Refuse what is no file of a network, as far as can be seen without reading it.

    Raises:
        InputError: it is none.
    """
    if not path.is_file():
        raise InputError(where, "the network's file must exist", got="a folder" if path.is_dir() else "none", path=path)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            where,
            f"a network must come as {', '.join(SUFFIXES)}",
            got=f"{path.suffix or 'no ending'}: weights without their network"
            if path.suffix.lower() in (".safetensors", ".pth", ".ckpt")
            else repr(path.suffix),
            todo="Load the weights into their network and save both with torch.export.save",
            path=path,
        )
    if not zipfile.is_zipfile(path):
        raise InputError(where, "the network's file must be whole", got="no archive, or a part of one", path=path)


def load_network(path: Path, *, where: str, device: torch.device | str = "cpu") -> Any:
    """Read a network with its weights: a module to be called, in evaluation mode.

    Such a file is a program: read only those of people you trust.

    Raises:
        InputError: there is no such file, or it is of another kind or damaged.
    """
    require_network(path, where=where)
    exported = path.suffix.lower() == ".pt2"
    try:
        return _exported(path, device) if exported else _scripted(path, device)
    except (*BROKEN, OSError, EOFError, zipfile.BadZipFile) as error:
        kind = "what torch.export wrote" if exported else "TorchScript, not weights alone"
        raise InputError(
            where, f"the file must be {kind}", got=first_line(error), todo="Save the whole network", path=path
        ) from error


def first_line(error: BaseException) -> str:
    """Kind of an error and the first line of what it says."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:120] if lines else ''}"


def _exported(path: Path, device: torch.device | str) -> Any:
    log = logging.getLogger("torch.export")
    before, log.disabled = log.disabled, True  # it tells the whole story of a damaged file; we tell the end of it
    try:
        module: Any = torch.export.load(path).module()
    finally:
        log.disabled = before
    module.to(device)
    return module


def _scripted(path: Path, device: torch.device | str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # what people have is TorchScript still
        module: Any = torch.jit.load(str(path), map_location=device)
    module.eval()
    return module
