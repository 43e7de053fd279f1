"""A network for slow motion as a file: TorchScript, or a program of ``torch.export``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from polytempo.core.errors import InputError
from polytempo.core.files import file_digest
from polytempo.core.network_file import BROKEN, first_line, load_network, require_network
from polytempo.render.learned import LearnedInterpolator, Network

WHERE = "render.network_file"
TRIED = ((64, 96), (128, 64))
"""Sizes at which a network is tried when it is read; crops come in all sizes."""


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
    module = load_network(path, where=WHERE, device=device)
    network = _called(module, by_float=path.suffix.lower() != ".pt2" and _takes_float(module, path))
    for height, width in TRIED:
        _try(network, height, width, path, device)
    return LearnedInterpolator(network, device=device)


def network_key(path: Path) -> str:
    """Hash of a network's file; results are keyed by it.

    Raises:
        InputError: there is no such file, or it is of another kind.
    """
    require_network(path, where=WHERE)
    return file_digest(path)


def _takes_float(module: Any, path: Path) -> bool:
    arguments: Any = module.forward.schema.arguments
    if len(arguments) < 4:
        raise InputError(
            WHERE,
            "the network must take two pictures and a share",
            got=f"forward takes {len(arguments) - 1} arguments",
            path=path,
        )
    return str(arguments[3].type) == "float"


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
    except BROKEN as error:
        raise InputError(WHERE, must, got=f"{first_line(error)} at {width}x{height}", path=path) from error
    if not isinstance(answer, Tensor) or answer.shape != pictures[0].shape or not bool(torch.isfinite(answer).all()):
        got = f"{list(answer.shape)}" if isinstance(answer, Tensor) else type(answer).__name__
        got = "values that are not finite" if isinstance(answer, Tensor) and answer.shape == pictures[0].shape else got
        raise InputError(WHERE, must, got=f"{got} at {width}x{height}", todo="Wrap it so", path=path)
