"""The loss of one step: the model where it is needed, and all terms with their weights."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from polytempo.decompose.nvd import losses
from polytempo.decompose.nvd.extent import Extent
from polytempo.decompose.nvd.footage import Points
from polytempo.decompose.nvd.model import AtlasModel, LayerStart

GLOBAL_STEP_PX = 100.0
PATCH_SHARE = 9 * 15
"""A step has one border patch for so many points: nine points a patch, fifteen other times."""
N_OTHER_TIMES = 15
LASTING_TIMES = 6
"""Times at which a place's light is asked for what lasts of it."""
LASTING_SHARE = 1 / 3
"""Share of the points whose motion is looked at whose places are asked."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LossTerms:
    """Terms before their weights, and what is minimised."""

    total: Float[Tensor, ""]
    colour: Float[Tensor, ""]
    gradient: Float[Tensor, ""]
    sparsity: Float[Tensor, ""]
    flow_mapping: Float[Tensor, ""]
    flow_alpha: Float[Tensor, ""]
    bootstrap: Float[Tensor, ""]
    rigidity: Float[Tensor, ""]
    global_rigidity: Float[Tensor, ""]
    """Weighted already: it differs between objects and background."""
    residual: Float[Tensor, ""]
    consistency: Float[Tensor, ""]
    hidden: Float[Tensor, ""]
    lasting: Float[Tensor, ""]
    alpha: Float[Tensor, ""]

    def values(self) -> dict[str, float]:
        """As numbers."""
        return {one.name: float(getattr(self, one.name).detach()) for one in fields(self)}


def step_loss(model: AtlasModel, points: Points, *, step: int, generator: torch.Generator) -> LossTerms:
    """All losses at some random points.

    Args:
        model: Being trained.
        points: Of this step.
        step: Steps done since pre-training; some terms end.
        generator: For the patches at the border.

    Source: paper B, Sections 3.5 and Appendices B, C.
    """
    config, weights = model.config, model.config.weights
    n = len(points.place)
    zero = points.place.new_zeros(())
    shifts = [points.place]
    if weights.gradient > 0:
        shifts += [points.place + points.place.new_tensor(one) for one in ((1.0, 0, 0), (0, 1.0, 0))]
    whole = model(torch.cat(shifts))
    bare = points.bare if config.background_from_bare else torch.ones_like(points.bare)
    shaded = torch.cat([whole.shaded[:-1], taught(whole.shaded[-1:], bare.repeat(len(shifts)))])
    light = torch.cat([whole.residual[:-1, :n], taught(whole.residual[-1:, :n], bare)])
    composite = (shaded * whole.alpha[..., None]).sum(0)
    predicted, uv, alpha = composite[:n], whole.uv[:, :n], whole.alpha[:, :n]
    gradient = zero
    if weights.gradient > 0:
        right, below = composite[n : 2 * n], composite[2 * n :]
        gradient = losses.gradient_loss(predicted, right, below, true_x=points.to_right, true_y=points.to_below)
    moving = points.first(max(round(n * config.motion_share), 1))
    flow_mapping, flow_alpha = _flow_terms(model, moving, uv, alpha)
    rigidity, global_rigidity = _rigidity_terms(model, moving, uv[:, : len(moving.place)], step=step)
    looks = weights.consistency > 0 and step % config.consistency_every == 0
    neutral = 0.0 if config.residual_kind == "additive" else 1.0
    terms = {
        "colour": losses.colour_loss(predicted, points.colour),
        "gradient": gradient,
        "sparsity": losses.sparsity_loss(whole.colour[:-1, :n], alpha[:-1]),
        "flow_mapping": flow_mapping,
        "flow_alpha": flow_alpha,
        "bootstrap": losses.bootstrap_loss(alpha, points.masks) if step < config.bootstrap_steps else zero,
        "rigidity": rigidity,
        "residual": losses.residual_regulariser(light, neutral=neutral),
        "consistency": config.consistency_every * _consistency(model, n, generator) if looks else zero,
        "lasting": _lasting_light(model, moving, uv, generator) if weights.lasting > 0 else zero,
        "hidden": _hidden_light(model, moving) if weights.hidden > 0 else zero,
        "alpha": losses.alpha_regulariser(alpha),
    }
    total = global_rigidity + sum((getattr(weights, name) * value for name, value in terms.items()), zero)
    return LossTerms(total=total, global_rigidity=global_rigidity, **terms)


def taught(values: Float[Tensor, "L N C"], where: Bool[Tensor, " N"]) -> Float[Tensor, "L N C"]:
    """The same values, which learn from some points alone."""
    return torch.where(where[:, None], values, values.detach())


def pretrain_loss(model: AtlasModel, starts: list[LayerStart], place: Float[Tensor, "N 3"]) -> Float[Tensor, ""]:
    """Mean distance of each mapping from where its layer starts, summed over layers.

    Source: Layered Neural Atlases, which paper B inherits (Appendix C).
    """
    homogeneous = torch.cat([place[:, :2], torch.ones_like(place[:, :1])], 1)
    total = place.new_zeros(())
    for n, start in enumerate(starts):
        wanted = (start.uv_from_pixel.to(place)[place[:, 2].long()] @ homogeneous[:, :, None])[..., 0]
        distance = torch.linalg.vector_norm(model.uv(place, n) - wanted[:, :2] / wanted[:, 2:], dim=-1)
        total = total + distance.mean()
    return total


def pixels_a_unit(model: AtlasModel) -> list[float]:
    """Pixels of the clip that a UV unit of each layer is, before training."""
    return [model.extent.half / one for one in model.uv_scales]


def _flow_terms(model: AtlasModel, points: Points, uv: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Mapping and alpha along the flow: half of forward and half of backward."""
    weights = model.config.weights
    zero = uv.new_zeros(())
    if weights.flow_mapping == 0 and weights.flow_alpha == 0:
        return zero, zero
    there = torch.cat(points.there)
    uv_there = torch.stack([model.uv(there, n) for n in range(model.n_layers)])
    follows = torch.tensor([model.follows_flow(n) for n in range(model.n_layers)], device=uv.device)[:, None, None]
    uv, uv_there = torch.where(follows, uv, uv.detach()), torch.where(follows, uv_there, uv_there.detach())
    alpha_there = model.alphas(there)
    n_forward = len(points.there[0])
    units = uv.new_tensor(pixels_a_unit(model))
    mapping, change = zero, zero
    for chosen, part in zip(points.followed, (slice(n_forward), slice(n_forward, None)), strict=True):
        mapping = mapping + 0.5 * losses.flow_mapping_loss(
            uv[:, chosen], uv_there[:, part], alpha[:, chosen], pixels_a_unit=units
        )
        change = change + 0.5 * losses.flow_alpha_loss(alpha[:, chosen], alpha_there[:, part])
    return mapping, change


def _lasting_light(model: AtlasModel, points: Points, uv: Tensor, generator: torch.Generator) -> Tensor:
    """What of the light is there at all times: of the background everywhere, of objects near their masks."""
    total = uv.new_zeros(())
    if model.config.residual_kind == "none":
        return total
    neutral = 0.0 if model.config.residual_kind == "additive" else 1.0
    last = model.n_layers - 1
    asked = points.first(max(round(len(points.place) * LASTING_SHARE), 1))
    for layer in range(model.n_layers):
        places = uv[layer, : len(asked.place)].detach()
        if layer < last:
            places = places[~asked.bare]
        if len(places):
            times = torch.randint(model.extent.n_frames, (len(places) * LASTING_TIMES,), generator=generator).to(uv)
            light = model.light(places.repeat_interleave(LASTING_TIMES, 0), times, layer)
            total = total + losses.lasting_light_loss(light.view(-1, LASTING_TIMES, 3), neutral=neutral)
    return total


def _hidden_light(model: AtlasModel, points: Points) -> Tensor:
    """How far the background's light, where somebody hides it, is from that of bare places around it."""
    chosen = ~points.bare & points.around_bare.any(1)
    if model.config.residual_kind == "none" or not bool(chosen.any()):
        return points.place.new_zeros(())
    last = model.n_layers - 1
    place, around, bare = points.place[chosen], points.around[chosen], points.around_bare[chosen]
    with torch.no_grad():
        uv = model.uv(place, last)
        seen = around[bare]
        of_seen = model.light(model.uv(seen, last), seen[:, 2], last)
        shown = bare.nonzero()[:, 0]
        total = torch.zeros_like(of_seen[:1]).expand(len(place), 3).index_add(0, shown, of_seen)
        mean = total / bare.sum(1, keepdim=True)
    return losses.hidden_light_loss(model.light(uv, place[:, 2], last), mean)


def _rigidity_terms(model: AtlasModel, points: Points, uv: Tensor, *, step: int) -> tuple[Tensor, Tensor]:
    """Local term, summed over layers, and the global one with its weights."""
    weights = model.config.weights
    local, overall = uv.new_zeros(()), uv.new_zeros(())
    n = len(points.place)
    last = model.n_layers - 1
    for layer in range(model.n_layers):
        if not model.follows_flow(layer):
            continue  # known, and as good as left as it is
        far = weights.global_rigidity_background if layer == last else weights.global_rigidity
        distances = [1.0] if weights.rigidity > 0 else []
        if far > 0 and step < model.config.global_rigidity_steps:
            distances.append(GLOBAL_STEP_PX)
        if not distances:
            continue
        aside = [
            points.place - points.place.new_tensor(one)
            for distance in distances
            for one in ((distance, 0.0, 0.0), (0.0, distance, 0.0))
        ]
        moved = model.uv(torch.cat(aside), layer).split(n)
        for index, distance in enumerate(distances):
            term = losses.rigidity_loss(
                uv[layer], moved[2 * index], moved[2 * index + 1],
                step_px=distance, pixels_a_unit=pixels_a_unit(model)[layer],
            )  # fmt: skip
            if distance == GLOBAL_STEP_PX:
                overall = overall + far * term
            else:
                local = local + term
    return local, overall


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BorderPatches:
    """Patches of 3×3 pixels beside the frame's border."""

    place: Float[Tensor, "P 9 3"]
    """Centre first."""
    axis: Tensor
    """0 at the left and right border, 1 at the upper and lower."""
    outward: Float[Tensor, " P"]
    """−1 at the left and upper, 1 at the right and lower."""


def border_patches(extent: Extent, n: int, *, generator: torch.Generator) -> BorderPatches:
    """Draw patches whose centres lie one pixel inside the frame's border, each at a random time and place along it.

    Three random cuts share them among left, right, upper and lower border.

    Source: paper B, Section 3.5 and Appendix C ("edges" are the frame's, as its released system has it).
    """
    cuts, _ = torch.randint(n + 1, (3,), generator=generator).sort()
    side = torch.searchsorted(cuts, torch.arange(n), right=True)
    axis = side // 2
    outward = (side % 2 * 2 - 1).float()
    along_size = torch.where(axis == 0, extent.height, extent.width)
    across_size = torch.where(axis == 0, extent.width, extent.height)
    along = 1 + (torch.rand(n, generator=generator) * (along_size - 2)).floor()
    across = torch.where(outward < 0, torch.ones(n), across_size - 2)
    t = torch.randint(extent.n_frames, (n,), generator=generator).float()
    x, y = torch.where(axis == 0, across, along), torch.where(axis == 0, along, across)
    centre = torch.stack([x, y, t], 1)
    ring = [(0, 0), *((i, j) for j in (-1, 0, 1) for i in (-1, 0, 1) if (i, j) != (0, 0))]
    offsets = torch.tensor([(i, j, 0) for i, j in ring]).float()
    return BorderPatches(place=centre[:, None] + offsets, axis=axis, outward=outward)


def _consistency(model: AtlasModel, n_points: int, generator: torch.Generator) -> Tensor:
    """Consistency of each layer's residual at times that do not see a place, summed over layers."""
    extent = model.extent
    n = max(n_points // PATCH_SHARE, 1)
    total = next(model.parameters()).new_zeros(())
    if min(extent.width, extent.height) < 3 or model.config.residual_kind == "none":
        return total
    for layer in range(model.n_layers):
        patches = border_patches(extent, n, generator=generator)
        place, axis, outward = (one.to(total.device) for one in (patches.place, patches.axis, patches.outward))
        times = torch.randint(extent.n_frames, (n, N_OTHER_TIMES), generator=generator).to(total)
        with torch.no_grad():  # only the residual learns from this
            uv = model.uv(place.flatten(0, 1), layer).view(n, 9, 2)
            border = place[:, :1].repeat(1, N_OTHER_TIMES, 1)
            border[..., 2] = times
            shown = model.uv(border.flatten(0, 1), layer)
            hidden = losses.out_of_view(
                uv[:, 0].repeat_interleave(N_OTHER_TIMES, 0), shown,
                axis=axis.repeat_interleave(N_OTHER_TIMES), outward=outward.repeat_interleave(N_OTHER_TIMES),
            )  # fmt: skip
            which = hidden.nonzero()[:, 0]
            seen = uv[which // N_OTHER_TIMES].flatten(0, 1)
            at_home = place[which // N_OTHER_TIMES, :, 2].flatten()
            reference = model.light(seen, at_home, layer).view(-1, 9, 3)
        elsewhere = times.flatten()[which].repeat_interleave(9)
        total = total + losses.consistency_loss(reference, model.light(seen, elsewhere, layer).view(-1, 9, 3))
    return total
