"""Optical flow by a network of the user's (RAFT and the like), with the user's weights, as a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from polytempo.core.errors import InputError
from polytempo.core.files import file_digest
from polytempo.core.network_file import BROKEN, first_line, load_network, require_network
from polytempo.core.pictures import Picture, Pictures
from polytempo.core.progress import Progress, Report, silent
from polytempo.objects.flow import FlowField

WHERE = "objects.flow_network"
MULTIPLE = 8
"""Pictures are padded to multiples of this, as RAFT asks, and the flow is cut again."""
LEAST_SIDE = 128
"""And to at least this: RAFT's pyramid halves four times below an eighth."""
TRIED = (128, 136)
FlowNetwork = Callable[[Picture, Picture], Float32[np.ndarray, "H W 2"]]
"""Where each pixel of the first picture is in the second, ``(dx, dy)`` in pixels."""


def read_flow_network(path: Path, *, device: torch.device | str = "cpu") -> FlowNetwork:
    """Read a network with its weights, and try it.

    It is called with two pictures ``[1, 3, H, W]``, 0…1, H and W multiples of 8, and answers with the flow
    ``[1, 2, H, W]`` from the first to the second in pixels, or with a list of ever better ones, of which the last
    counts. Such a file is a program: read only those of people you trust.

    Args:
        path: ``.pt2`` as ``torch.export.save`` writes it, with height and width left dynamic; ``.pt`` or ``.ts`` as
            ``torch.jit.save`` does.
        device: Where it runs.

    Raises:
        InputError: there is no such file, it is of another kind or damaged, or the network does not take or give such
            tensors.
    """
    module = load_network(path, where=WHERE, device=device)

    def flow(first: Picture, second: Picture) -> Float32[np.ndarray, "H W 2"]:
        return _asked(module, first, second, path, device)

    height, width = TRIED
    ramp = np.broadcast_to(np.linspace(0, 255, width).astype(np.uint8)[None, :, None], (height, width, 3))
    flow(ramp, ramp[:, ::-1])
    return flow


def flow_network_key(path: Path) -> str:
    """Hash of a network's file; results are keyed by it.

    Raises:
        InputError: there is no such file, or it is of another kind.
    """
    require_network(path, where=WHERE)
    return file_digest(path)


def network_flow(pictures: Pictures, network: FlowNetwork, *, report: Report = silent) -> FlowField:
    """Flow between all neighbouring frames, both ways; as ``neighbour_flow`` gives it.

    Args:
        pictures: T frames ``uint8 [H, W, 3]``, T at least 1.
        network: From ``read_flow_network``, or any other.
        report: Told after every pair; may raise to stop.

    Source: paper B, Section 3.5, where RAFT (Teed and Deng 2020) gives it.
    """
    n = len(pictures)
    previous = np.asarray(pictures[0])
    forward = np.zeros((max(n - 1, 0), *previous.shape[:2], 2), np.float16)
    backward = np.zeros_like(forward)
    for t in range(n - 1):
        following = np.asarray(pictures[t + 1])
        forward[t], backward[t] = network(previous, following), network(following, previous)
        previous = following
        report(Progress(stage="objects.flow", done=t + 1, total=n - 1, message="Following motion"))
    return FlowField(to_next=forward, to_previous=backward)


def _asked(
    module: Any, first: Picture, second: Picture, path: Path, device: torch.device | str
) -> Float32[np.ndarray, "H W 2"]:
    height, width = first.shape[:2]
    rows, columns = (max(-(-n // MULTIPLE) * MULTIPLE, LEAST_SIDE) for n in (height, width))
    pictures = [
        torch.nn.functional.pad(
            torch.from_numpy(np.array(one)).to(device).permute(2, 0, 1)[None].float() / 255,
            (0, columns - width, 0, rows - height),
            mode="replicate",
        )
        for one in (first, second)
    ]
    must = "the network must give the flow [1, 2, H, W] from one picture [1, 3, H, W] to another, whatever H and W are"
    try:
        with torch.no_grad():
            answer: Any = module(*pictures)
    except BROKEN as error:
        raise InputError(WHERE, must, got=f"{first_line(error)} at {columns}x{rows}", path=path) from error
    if isinstance(answer, list | tuple) and answer:
        answer = answer[-1]
    if not isinstance(answer, Tensor) or answer.shape != (1, 2, rows, columns) or not bool(answer.isfinite().all()):
        got = str(list(answer.shape)) if isinstance(answer, Tensor) else type(answer).__name__
        if isinstance(answer, Tensor) and answer.shape == (1, 2, rows, columns):
            got = "values that are not finite"
        raise InputError(WHERE, must, got=f"{got} at {columns}x{rows}", todo="Wrap it so", path=path)
    return answer[0, :, :height, :width].permute(1, 2, 0).float().cpu().numpy()
