"""Losses of hashed atlases, each as a mean over points; weights are applied elsewhere."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

REFERENCE_UNIT = 255.0
"""Residuals are brought to this range before they are correlated, as paper B's Appendix C advises."""


def colour_loss(predicted: Float[Tensor, "N 3"], truth: Float[Tensor, "N 3"]) -> Float[Tensor, ""]:
    """Squared distance of colours, 0…3. Source: paper B, Eq. 13, first part."""
    return ((predicted - truth) ** 2).sum(-1).mean()


def gradient_loss(
    predicted: Float[Tensor, "N 3"],
    right: Float[Tensor, "N 3"],
    below: Float[Tensor, "N 3"],
    *,
    true_x: Float[Tensor, "N 3"],
    true_y: Float[Tensor, "N 3"],
) -> Float[Tensor, ""]:
    """Squared distance of forward differences to the pixels on the right and below.

    Args:
        predicted: The model at the points.
        right: And one pixel to the right.
        below: And one pixel below.
        true_x: The frame's difference to the right.
        true_y: And below.

    Source: paper B, Eq. 13, second part.
    """
    return (((right - predicted - true_x) ** 2).sum(-1) + ((below - predicted - true_y) ** 2).sum(-1)).mean()


def sparsity_loss(colour: Float[Tensor, "K N 3"], alpha: Float[Tensor, "K N"]) -> Float[Tensor, ""]:
    """Brightness of the objects' textures where the objects are not seen: their atlases are black outside.

    Args:
        colour: Textures of the objects, without residual.
        alpha: Shares of the objects.

    Source: paper B, Eq. 14.
    """
    return (((1 - alpha[..., None]) * colour) ** 2).sum((0, -1)).mean()


def flow_mapping_loss(
    uv: Float[Tensor, "L N 2"],
    uv_there: Float[Tensor, "L N 2"],
    alpha: Float[Tensor, "L N"],
    *,
    pixels_a_unit: Float[Tensor, " L"],
) -> Float[Tensor, ""]:
    """Distance in the atlas, in pixels, of places that flow says are the same, weighted by how much of each is seen.

    Args:
        uv: At the points.
        uv_there: Where flow takes them.
        alpha: Shares at the points.
        pixels_a_unit: Pixels of the clip that a UV unit of each layer is.

    Source: paper B, Eq. 15, first part, in pixels as in Layered Neural Atlases.
    """
    if uv.shape[1] == 0:
        return uv.sum()  # flow that can be trusted nowhere
    distance = torch.linalg.vector_norm(uv - uv_there, dim=-1)
    return (alpha * distance * pixels_a_unit[:, None]).sum(0).mean()


def flow_alpha_loss(alpha: Float[Tensor, "L N"], alpha_there: Float[Tensor, "L N"]) -> Float[Tensor, ""]:
    """Change of shares along the flow, a mean over layers too. Source: paper B, Eq. 15, second part."""
    return (alpha - alpha_there).abs().mean() if alpha.shape[1] else alpha.sum()


def bootstrap_loss(alpha: Float[Tensor, "L N"], masks: Float[Tensor, "K N"]) -> Float[Tensor, ""]:
    """Cross-entropy of the shares and the masks; the background's is what no mask covers.

    Args:
        alpha: Shares within 0…1, both ends left out.
        masks: 0…1, of the objects.

    Source: paper B, Eq. 16.
    """
    target = torch.cat([masks, 1 - masks.amax(0, keepdim=True)])
    return F.binary_cross_entropy(alpha, target)


def rigidity_loss(
    uv: Float[Tensor, "N 2"],
    uv_left: Float[Tensor, "N 2"],
    uv_above: Float[Tensor, "N 2"],
    *,
    step_px: float,
    pixels_a_unit: float,
) -> Float[Tensor, ""]:
    """How far a mapping is from turning and shifting; least, 2√2, where it does no more than that.

    With its Jacobian J, in pixels, it is ‖JᵀJ‖ + ‖(JᵀJ + 0.001)⁻¹‖: stretching costs as much as squeezing.

    Args:
        uv: At the points.
        uv_left: ``step_px`` to the left of them.
        uv_above: ``step_px`` above.
        step_px: 1 for the local term, 100 for the global one.
        pixels_a_unit: Pixels of the clip that a UV unit is.

    Source: Layered Neural Atlases (Kasten et al. 2021), Eq. 7, which paper B inherits.
    """
    jacobian = torch.stack([uv - uv_left, uv - uv_above], -1) * (pixels_a_unit / step_px)
    square = jacobian.mT @ jacobian
    a, b, d = square[:, 0, 0] + 1e-3, square[:, 0, 1], square[:, 1, 1] + 1e-3
    of_inverse = (a**2 + d**2 + 2 * b**2).sqrt() / (
        a * d - b**2
    )  # the norm of a 2×2 inverse is that of the matrix / det
    of_square = (square**2).sum((-2, -1)).clamp_min(1e-12).sqrt()
    return (of_square + of_inverse).mean()


def residual_regulariser(light: Float[Tensor, "L N 3"], *, neutral: float = 1.0) -> Float[Tensor, ""]:
    """Squared distance of the residuals from doing nothing, a mean over channels, summed over layers.

    Args:
        light: Residuals.
        neutral: 1 for factors, 0 for what is added.

    Source: paper B, Eq. 11.
    """
    return ((light - neutral) ** 2).mean((1, 2)).sum()


def alpha_regulariser(alpha: Float[Tensor, "L N"]) -> Float[Tensor, ""]:
    """Cross-entropy of the largest share with 1: a pixel should be of one layer.

    Source: paper B, Eq. 12.
    """
    return -alpha.amax(0).log().mean()


def consistency_loss(
    reference: Float[Tensor, "M P 3"], other: Float[Tensor, "M P 3"], *, variance_weight: float = 16.0
) -> Float[Tensor, ""]:
    """How far the light of patches at times that do not see them is from that at a time that does, up to its strength.

    One minus the normalised cross-correlation, and a variance that keeps the unseen smooth.

    Args:
        reference: Residuals of patches of P points where they are seen; no gradient reaches them.
        other: The same places at other times.
        variance_weight: β.

    Returns:
        0 where there is no patch.

    Source: paper B, Eq. 8-10, with minus for the correlation: as printed, its minimum is anti-correlation.
    """
    if len(reference) == 0:
        return other.sum()
    a, b = reference.detach() * REFERENCE_UNIT, other * REFERENCE_UNIT
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    n = reference.shape[1] - 1
    both = ((a**2).sum(1) / n * (b**2).sum(1) / n + 1e-12).sqrt()
    correlation = (a * b).sum(1) / (n * both + 1e-6)
    variance = (b**2).sum(1) / n / REFERENCE_UNIT**2
    return (1 - correlation).mean() + variance_weight * variance.mean()


def lasting_light_loss(light: Float[Tensor, "P M 3"], *, neutral: float = 1.0) -> Float[Tensor, ""]:
    """How far light is from doing nothing in the mean over time: what lasts belongs to the texture.

    It is the mean of the products of departures at each two of the times, and so, over many draws, the square of the
    mean departure; changes cost nothing. With more times at a place its gradient is less noisy.

    Args:
        light: At some places, each at M random times, drawn independently; two or more.
        neutral: 1 for factors, 0 for what is added.

    Source: ours, decision 0027.
    """
    away = light - neutral
    n_times = light.shape[1]
    products = (away.sum(1) ** 2 - (away**2).sum(1)) / (n_times * (n_times - 1))
    return products.sum(-1).mean()


def hidden_light_loss(light: Float[Tensor, "N 3"], around: Float[Tensor, "N 3"]) -> Float[Tensor, ""]:
    """Squared distance of light that nobody sees from light that is seen around it.

    Over many draws of the places around, the light in between is the mean of what is seen, near places counting most.

    Args:
        light: Where the layer is hidden.
        around: Mean of the light at some bare places around each; no gradient reaches it.

    Source: ours, decision 0026.
    """
    return ((light - around.detach()) ** 2).sum(-1).mean()


def out_of_view(
    uv_seen: Float[Tensor, "M 2"], uv_border: Float[Tensor, "M 2"], *, axis: Tensor, outward: Float[Tensor, " M"]
) -> Bool[Tensor, " M"]:
    """Whether a place of the atlas, seen at one time beside the frame's border, lies beyond that border at another.

    Holds for motion that is smooth and roughly along the axes.

    Args:
        uv_seen: The place.
        uv_border: What the same pixel of the border shows at the other time.
        axis: 0 where the border is the left or right one, 1 for the upper or lower; per patch.
        outward: −1 for left and upper borders, 1 for right and lower.

    Source: paper B, Appendix C, as its released system tells the visible from the invisible.
    """
    beyond = (uv_seen - uv_border).gather(1, axis[:, None])[:, 0]
    return beyond * outward > 0
