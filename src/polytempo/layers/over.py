"""The *over* operator on premultiplied layers, and what the layers in front let through."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from polytempo.core.errors import InputError, ShapeError


def over(front: Float[Tensor, "*B 4 H W"], back: Float[Tensor, "*B 4 H W"]) -> Float[Tensor, "*B 4 H W"]:
    """Picture ``front`` laid over picture ``back``, both premultiplied; the result is premultiplied too.

    The alpha channel obeys the same rule as the colours, so two half-covered layers give 0.75.

    Args:
        front: RGBA in 0…1, colour premultiplied by alpha.
        back: The same, of a shape that broadcasts with ``front``.

    Raises:
        ShapeError: a picture does not have four channels.

    Source: Porter-Duff, *over*; paper A Eq. 2.

    Example:
        >>> half = torch.full((4, 1, 1), 0.5)
        >>> over(half, half)[3].item()
        0.75
    """
    _require_rgba(front, "front")
    _require_rgba(back, "back")
    return front + (1 - front[..., 3:4, :, :]) * back


def composite(layers: Float[Tensor, "*B L 4 H W"], *, order: Sequence[int] | None = None) -> Float[Tensor, "*B 4 H W"]:
    """All layers joined by *over*, back to front.

    Args:
        layers: Premultiplied RGBA in 0…1. With an opaque layer 0 the result is opaque.
        order: Which layers, back to front, as indices into axis ``L``. All of them as they lie when left out; indices
            that are not named are not shown.

    Raises:
        ShapeError: not four channels, or no layer at all.
        InputError: ``order`` names a layer that is not there, or one twice.

    Source: paper A Eq. 2.
    """
    stacked = in_order(layers, order)
    result = stacked[..., 0, :, :, :]
    for index in range(1, stacked.shape[-4]):
        result = over(stacked[..., index, :, :, :], result)
    return result


def composite_alpha(
    layers: Float[Tensor, "*B L 4 H W"], *, order: Sequence[int] | None = None
) -> Float[Tensor, "*B 1 H W"]:
    """Alpha of the composite: 1 minus the product of (1 - alpha) over the layers named.

    Leave the opaque background out of ``order`` to learn what the subjects cover together.

    Raises:
        ShapeError: not four channels, or no layer at all.
        InputError: ``order`` names a layer that is not there, or one twice.

    Source: the alpha of paper A's composite (its Eq. 9), by true *over*; the released system blends alpha with itself.
    """
    alpha = in_order(layers, order)[..., 3:4, :, :]
    return 1 - (1 - alpha).prod(dim=-4)


def transmittance(layers: Float[Tensor, "*B L 4 H W"]) -> Float[Tensor, "*B L 1 H W"]:
    """Share of each layer that the layers strictly in front of it let through.

    Args:
        layers: Premultiplied RGBA in 0…1, back to front.

    Returns:
        Per layer the product of (1 - alpha) of what lies in front; 1 everywhere for the front layer.

    Raises:
        ShapeError: not four channels, or no layer at all.

    Source: paper A Eq. 9, with the layer itself left out of the set: as printed it is in it, which would give 0 on
        opaque pixels and contradict the sentence that follows there.

    Example:
        >>> back, front = torch.ones(4, 1, 1), torch.full((4, 1, 1), 0.25)
        >>> transmittance(torch.stack([back, front])).flatten().tolist()
        [0.75, 1.0]
    """
    clear = 1 - in_order(layers, None)[..., 3:4, :, :]
    in_front = torch.cat([clear[..., 1:, :, :, :], torch.ones_like(clear[..., :1, :, :, :])], dim=-4)
    return in_front.flip(-4).cumprod(dim=-4).flip(-4)


def premultiplied(straight: Float[Tensor, "*B 4 H W"]) -> Float[Tensor, "*B 4 H W"]:
    """Straight RGBA as premultiplied: colour times alpha."""
    _require_rgba(straight, "straight")
    alpha = straight[..., 3:4, :, :]
    return torch.cat([straight[..., :3, :, :] * alpha, alpha], dim=-3)


def in_order(layers: Float[Tensor, "*B L 4 H W"], order: Sequence[int] | None) -> Float[Tensor, "*B N 4 H W"]:
    """The layers named by ``order`` and nothing else, checked.

    Raises:
        ShapeError: not four channels, or no layer at all.
        InputError: ``order`` names a layer that is not there, or one twice.
    """
    _require_rgba(layers, "layers")
    if layers.ndim < 4 or layers.shape[-4] == 0 or (order is not None and len(order) == 0):
        raise ShapeError("layers.over", "there must be at least one layer [L, 4, H, W]", got=str(tuple(layers.shape)))
    if order is None:
        return layers
    n_layers = layers.shape[-4]
    if len(set(order)) != len(order) or not all(0 <= index < n_layers for index in order):
        raise InputError(
            "layers.over", f"the order must name layers 0 to {n_layers - 1}, each at most once", got=str(list(order))
        )
    return layers.index_select(-4, torch.tensor(list(order), device=layers.device))


def _require_rgba(picture: Tensor, name: str) -> None:
    if picture.ndim < 3 or picture.shape[-3] != 4:
        raise ShapeError("layers.over", f"{name} must be RGBA [..., 4, H, W]", got=str(tuple(picture.shape)))
