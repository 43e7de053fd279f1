"""Slow motion by a network of the user's, with the user's weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from polytempo.core.errors import ShapeError

WHERE = "render.learned"
Network = Callable[[Tensor, Tensor, float], Tensor]
"""Takes two pictures ``[1, 3, H, W]``, 0…1, and the share of the way from the first to the second; gives one such."""


class LearnedInterpolator:
    """Lets a network for opaque pictures make layers between two.

    The network sees the layer over black and over white; from the two answers follow premultiplied colour and alpha,
    as a matte is pulled from a subject filmed before two backings. So any network for frames will do, and alpha moves
    with the colour.

    Args:
        network: Called without gradients. Load its weights yourself, from a safetensors file or as its makers say.
        multiple: Height and width it asks to be a multiple of; pictures are padded with nothing and cut again.
        device: Where it runs.

    Source: triangulation matting, Smith and Blinn 1996, Theorem 4.
    """

    def __init__(self, network: Network, *, multiple: int = 32, device: torch.device | str = "cpu") -> None:
        self._network, self._multiple, self._device = network, multiple, device

    def __call__(
        self, first: UInt8[np.ndarray, "H W 4"], second: UInt8[np.ndarray, "H W 4"], share: float, /
    ) -> UInt8[np.ndarray, "H W 4"]:
        """Premultiplied picture at ``share`` of the way.

        Raises:
            ShapeError: the network answers with another shape than it was asked with.
        """
        height, width = first.shape[:2]
        rows, columns = (-(-n // self._multiple) * self._multiple for n in (height, width))
        tensors = [
            torch.nn.functional.pad(
                torch.from_numpy(np.ascontiguousarray(one)).to(self._device).permute(2, 0, 1)[None].float() / 255,
                (0, columns - width, 0, rows - height),
            )
            for one in (first, second)
        ]
        with torch.no_grad():
            black, white = (self._asked(tensors, share, backing=value) for value in (0.0, 1.0))
        alpha = (1 - (white - black).mean(dim=1, keepdim=True)).clamp(0, 1)
        rgba = torch.cat([black.clamp(0, 1), alpha], dim=1)[0, :, :height, :width]
        return (rgba * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()

    def _asked(self, tensors: list[Tensor], share: float, *, backing: float) -> Tensor:
        a, b = (one[:, :3] + (1 - one[:, 3:]) * backing for one in tensors)
        answer = self._network(a, b, share)
        if answer.shape != a.shape:
            raise ShapeError(
                WHERE, f"the network must answer with {list(a.shape)}", got=str(list(answer.shape)), todo="Wrap it so"
            )
        return answer
