"""A network for slow motion as a file: TorchScript, or a program of ``torch.export``."""

from __future__ import annotations

import logging
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from polytempo.core.errors import InputError
from polytempo.core.files import file_digest
from polytempo.render.learned import LearnedInterpolator, Network

WHERE = "render.network_file"
SUFFIXES = (".pt2", ".pt", ".ts")
"""``torch.export`` writes the first, TorchScript the others."""
TRIED = ((64, 96), (128, 64))
"""Sizes at which a network is tried when it is read; crops come in all sizes."""
_BROKEN = (RuntimeError, AssertionError, TypeError, ValueError, IndexError, KeyError, AttributeError)


def read_interpolator(path: Path, *, device: torch.device | str = "cpu") -> LearnedInterpolator:
    """Read a network with its weights, and try it.

    The network is called with two pictures ``[1, 3, H, W]``, 0…1, H and W multiples of 32, and the share of the way
    between them: a float where TorchScript's ``forward`` says float, else a tensor ``[1, 1, 1, 1]``. It answers with
    the picture between. Such a file is a program: read only those of people you trust.

    Args:
        path: ``.pt2`` as ``torch.export.save`` writes it, with height and width left dynamic and
            two different pictures as its example (one given twice is taken for one); ``.pt`` or ``.ts`` as
            ``torch.jit.save`` does.
        device: Where it runs.

    Raises:
        InputError: there is no such file, it is of another kind or damaged, or the network does not take or give such
            pictures.
    """
    require_network(path)
    try:
        network = _exported(path, device) if path.suffix.lower() == ".pt2" else _scripted(path, device)
    except (*_BROKEN, OSError, EOFError, zipfile.BadZipFile) as error:
        kind = "what torch.export wrote" if path.suffix.lower() == ".pt2" else "TorchScript, not weights alone"
        raise InputError(
            WHERE, f"the file must be {kind}", got=_first_line(error), todo="Save the whole network", path=path
        ) from error
    for height, width in TRIED:
        _try(network, height, width, path, device)
    return LearnedInterpolator(network, device=device)


def network_key(path: Path) -> str:
    """Hash of a network's file; results are keyed by it.

    Raises:
        InputError: there is no such file, or it is of another kind.
    """
    require_network(path)
    return file_digest(path)


def require_network(path: Path) -> None:
    """Refuse what is no file of a network, as far as can be seen without reading it.

    Raises:
        InputError: it is none.
    """
    if not path.is_file():
        raise InputError(WHERE, "the network's file must exist", got="a folder" if path.is_dir() else "none", path=path)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            WHERE,
            f"a network must come as {', '.join(SUFFIXES)}",
            got=f"{path.suffix or 'no ending'}: weights without their network"
            if path.suffix.lower() in (".safetensors", ".pth", ".ckpt")
            else repr(path.suffix),
            todo="Load the weights into their network and save both with torch.export.save",
            path=path,
        )
    if not zipfile.is_zipfile(path):
        raise InputError(WHERE, "the network's file must be whole", got="no archive, or a part of one", path=path)


def _exported(path: Path, device: torch.device | str) -> Network:
    log = logging.getLogger("torch.export")
    before, log.disabled = log.disabled, True  # it tells the whole story of a damaged file; we tell the end of it
    try:
        module: Any = torch.export.load(path).module()
    finally:
        log.disabled = before
    module.to(device)
    return _called(module, by_float=False)


def _scripted(path: Path, device: torch.device | str) -> Network:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # what people have is TorchScript still
        module: Any = torch.jit.load(str(path), map_location=device)
    module.eval()
    arguments: Any = module.forward.schema.arguments
    if len(arguments) < 4:
        raise TypeError(f"forward takes {len(arguments) - 1} arguments")
    return _called(module, by_float=str(arguments[3].type) == "float")


def _called(module: Callable[..., Tensor], *, by_float: bool) -> Network:
    def network(first: Tensor, second: Tensor, share: float) -> Tensor:
        told = float(share) if by_float else torch.full((1, 1, 1, 1), share, device=first.device)
        return module(first, second, told)

    return network


def _try(network: Network, height: int, width: int, path: Path, device: torch.device | str) -> None:
    must = "the network must make a picture [1, 3, H, W] from two such and a share, whatever H and W are"
    pictures = [torch.full((1, 3, height, width), value, device=device) for value in (0.25, 0.75)]
    try:
        with torch.no_grad():
            answer: Any = network(pictures[0], pictures[1], 0.5)
    except _BROKEN as error:
        raise InputError(WHERE, must, got=f"{_first_line(error)} at {width}x{height}", path=path) from error
    if not isinstance(answer, Tensor) or answer.shape != pictures[0].shape or not bool(torch.isfinite(answer).all()):
        got = f"{list(answer.shape)}" if isinstance(answer, Tensor) else type(answer).__name__
        got = "values that are not finite" if isinstance(answer, Tensor) and answer.shape == pictures[0].shape else got
        raise InputError(WHERE, must, got=f"{got} at {width}x{height}", todo="Wrap it so", path=path)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:120] if lines else ''}"
