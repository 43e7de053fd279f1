"""The network from keypoints to UV: a skeleton picture in, part and UV of the whole body out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32, UInt8
from torch import Tensor, nn

from polytempo.bodies.limbs import N_PARTS
from polytempo.core.errors import InputError
from polytempo.core.files import write_bytes

WHERE = "bodies.uv_network"
KIND = "polytempo.keypoints-to-uv"
SHIPPED = Path(__file__).parent / "weights" / "keypoints_to_uv.safetensors"
"""Weights that come with the package, with log and held-out scores beside them; trained on drawn people alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UvNetworkConfig:
    """Size of the network."""

    width: int = 64
    """Channels of the first row; the released system has 64 (9.62 M weights)."""
    side: int = 256
    """Side of the skeleton picture, in pixels; a multiple of 32."""


class UvNetwork(nn.Module):
    """Encoder and decoder with instance norm and two heads, which also see the skeleton picture itself.

    Source: LNR, A.2.3; instance norm, 3×3 rows 6 and 7 without dilation, and the picture as a skip are the released
        system's.
    """

    def __init__(self, config: UvNetworkConfig) -> None:
        """Make a network with torch's default initialisation, from its default generator."""
        super().__init__()
        self.config = config
        w = config.width
        down = [w, 2 * w, 4 * w, 4 * w, 4 * w]
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in zip([3, *down], down, strict=False)
        )
        self.middle = nn.ModuleList(nn.Conv2d(4 * w, 4 * w, 3, padding=1) for _ in range(2))
        up = [4 * w, 4 * w, 2 * w, w, w]
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(a + skip, b, 4, stride=2, padding=1)
            for a, skip, b in zip([4 * w, *up], reversed(down), up, strict=False)
        )
        self.part_head = nn.Conv2d(w + 3, N_PARTS + 1, 3, padding=1)
        self.uv_head = nn.Conv2d(w + 3, 2 * N_PARTS, 3, padding=1)

    def forward(self, picture: Float[Tensor, "B 3 S S"]) -> tuple[Float[Tensor, "B 25 S S"], Float[Tensor, "B 48 S S"]]:
        """Give logits of no part and the 24 parts, and U and V of every part in -1…1."""
        x, skips = picture, list[Tensor]()
        for row, conv in enumerate(self.down):
            x = conv(x)
            x = F.relu(x) if row == 0 else F.leaky_relu(F.instance_norm(x), 0.2)
            skips.append(x)
        for conv in self.middle:
            x = F.leaky_relu(F.instance_norm(conv(x)), 0.2)
        for conv, skip in zip(self.up, reversed(skips), strict=True):
            x = F.relu(F.instance_norm(conv(torch.cat([x, skip], 1))))
        x = torch.cat([x, picture], 1)
        return self.part_head(x), torch.tanh(self.uv_head(x))


def uv_loss(
    logits: Float[Tensor, "B 25 S S"],
    uv: Float[Tensor, "B 48 S S"],
    true_part: Tensor,
    true_uv: Float[Tensor, "B 2 S S"],
) -> Float[Tensor, ""]:
    """Cross-entropy of the part, plus L1 of U and V (-1…1) inside the true part alone.

    Source: LNR, A.2.3.
    """
    part = F.cross_entropy(logits, true_part)
    body = true_part > 0
    if not bool(body.any()):
        return part
    index = (true_part - 1).clamp_min(0)[:, None, None].expand(-1, 1, 2, -1, -1)
    chosen = uv.unflatten(1, (N_PARTS, 2)).gather(1, index)[:, 0]
    away = (chosen - (2 * true_uv - 1)).abs().sum(1)
    return part + (away * body).sum() / body.sum()


def decoded(
    logits: Float[Tensor, "25 S S"], uv: Float[Tensor, "48 S S"]
) -> tuple[UInt8[np.ndarray, "S S"], Float32[np.ndarray, "S S 2"]]:
    """Part and UV 0…1 of one picture: the likeliest part and its own two channels; 0 outside the body."""
    part = logits.argmax(0)
    index = (part - 1).clamp_min(0)[None, None].expand(1, 2, -1, -1)
    chosen = uv.unflatten(0, (N_PARTS, 2)).gather(0, index)[0]
    places = (chosen * 0.5 + 0.5) * (part > 0)
    return part.to(torch.uint8).cpu().numpy(), places.detach().permute(1, 2, 0).float().cpu().numpy()


def write_uv_network(path: Path, network: UvNetwork) -> None:
    """Write weights in half precision with the network's size, atomically."""
    tensors = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    about = {"kind": KIND, "version": "1", "width": str(network.config.width), "side": str(network.config.side)}
    write_bytes(path, safetensors.torch.save(tensors, metadata=about))


def read_uv_network(path: Path) -> UvNetwork:
    """Read what ``write_uv_network`` wrote.

    Raises:
        InputError: no file, a damaged one, or the weights of something else.
    """
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            about: dict[str, str] = file.metadata() or {}
            tensors: dict[str, Any] = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except (OSError, safetensors.SafetensorError) as error:
        raise InputError(
            WHERE, "weights must be a safetensors file that can be read", got=str(error)[:100], path=path
        ) from error
    if about.get("kind") != KIND:
        raise InputError(
            WHERE, "weights must be those of a network from keypoints to UV", got=about.get("kind", "another model"),
            todo="Train one with `polytempo train keypoints-to-uv`", path=path,
        )  # fmt: skip
    try:
        network = UvNetwork(UvNetworkConfig(width=int(about["width"]), side=int(about["side"])))
        network.load_state_dict(tensors)
    except (KeyError, ValueError, RuntimeError) as error:
        raise InputError(
            WHERE, "weights must fit the network that the file says they are of", got=str(error)[:100], path=path
        ) from error
    return network.eval()
