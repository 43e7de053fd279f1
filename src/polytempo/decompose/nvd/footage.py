"""What the atlases of a clip are learned from, gathered at random points."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float16, Int, UInt8
from numpy.typing import NDArray
from torch import Tensor

from polytempo.core.discs import grown
from polytempo.core.errors import InputError, ShapeError
from polytempo.core.pictures import Pictures, picture_size
from polytempo.decompose.nvd.extent import Extent
from polytempo.objects.cast import Cast
from polytempo.objects.flow import FlowField, pull

MOST_ROUND_TRIP_PX = 1.0
"""Flow there and back must end this near to where it began. Released system."""
AROUND = 4
"""Places around a point, a quarter turn apart."""
AROUND_PX, AROUND_SHARE = 3.0, 0.2
"""They are at least so many pixels away, and at most this share of the frame's longer side."""
NEAR_PX = 6
"""How far the surroundings of an object reach."""
SOFT_PX = 1.5
"""Blur of the masks that mattes start at."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Footage:
    """A clip at working size, in memory: frames, masks and flow with where it holds."""

    extent: Extent
    frames: UInt8[Tensor, "T H W 3"]
    masks: UInt8[Tensor, "K T H W"]
    """0 or 255, of the objects' visible bodies."""
    flow: tuple[Float16[Tensor, "T H W 2"], Float16[Tensor, "T H W 2"]]
    """To the next and to the previous frame, in pixels."""
    trusted: tuple[Bool[Tensor, "T H W"], Bool[Tensor, "T H W"]]
    """Where each is confirmed by the other, and stays in the frame."""
    order: Int[Tensor, "T K"]
    """Objects front to back."""
    layer_ids: tuple[int, ...]
    """Of the objects, in their order here."""
    near: Bool[Tensor, "T H W"]
    """Pixels within ``NEAR_PX`` of some mask."""
    near_objects: Int[Tensor, " M"]
    """The same pixels, counted through all frames row by row."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Points:
    """Random points and what the clip shows there."""

    place: Float[Tensor, "N 3"]
    """``(x, y, t)``."""
    colour: Float[Tensor, "N 3"]
    """0…1."""
    to_right: Float[Tensor, "N 3"]
    """Difference to the pixel on the right; 0 in the last column."""
    to_below: Float[Tensor, "N 3"]
    masks: Float[Tensor, "K N"]
    bare: Bool[Tensor, " N"]
    """Whether nobody is near."""
    around: Float[Tensor, "N A 3"]
    """Places around each at a random distance, at the same time."""
    around_bare: Bool[Tensor, "N A"]
    """Whether they lie in the frame with nobody near."""
    followed: tuple[Int[Tensor, " M"], Int[Tensor, " P"]]
    """Which points have flow that can be trusted, forward and backward."""
    there: tuple[Float[Tensor, "M 3"], Float[Tensor, "P 3"]]
    """Where it takes them."""

    def first(self, n: int) -> Points:
        """The first ``n`` of them."""
        if n >= len(self.place):
            return self
        followed, there = self.followed, self.there
        kept = [int((one < n).sum()) for one in followed]  # they ascend
        return Points(
            place=self.place[:n],
            colour=self.colour[:n],
            to_right=self.to_right[:n],
            to_below=self.to_below[:n],
            masks=self.masks[:, :n],
            bare=self.bare[:n],
            around=self.around[:n],
            around_bare=self.around_bare[:n],
            followed=(followed[0][: kept[0]], followed[1][: kept[1]]),
            there=(there[0][: kept[0]], there[1][: kept[1]]),
        )

    def to(self, device: torch.device) -> Points:
        """The same on another device."""
        return Points(
            place=self.place.to(device),
            colour=self.colour.to(device),
            to_right=self.to_right.to(device),
            to_below=self.to_below.to(device),
            masks=self.masks.to(device),
            bare=self.bare.to(device),
            around=self.around.to(device),
            around_bare=self.around_bare.to(device),
            followed=(self.followed[0].to(device), self.followed[1].to(device)),
            there=(self.there[0].to(device), self.there[1].to(device)),
        )


def clip_footage(pictures: Pictures, cast: Cast, flow: FlowField | None) -> Footage:
    """Put together what is known of a clip.

    Args:
        pictures: Frames at working size.
        cast: Subjects and layers at that size.
        flow: Between neighbouring frames, at that size; without it no point is followed.

    Raises:
        InputError: there is no layer.
        ShapeError: frames, masks and flow do not belong together.
    """
    if not cast.layers:
        raise InputError("decompose.nvd", "there must be at least one layer", got="none", todo="Name a subject")
    width, height = picture_size(pictures)
    n = len(pictures)
    masks = np.stack([cast.layer_mask(one.layer_id) for one in cast.layers])
    wanted = (n, height, width)
    flows = (n - 1, height, width) if flow is None else flow.to_next.shape[:3]
    if masks.shape[1:] != wanted or flows != (n - 1, height, width) or len(cast.order) != n:
        raise ShapeError(
            "decompose.nvd",
            "frames, masks and flow must have one size and number",
            got=f"{n} frames of {width}x{height}, masks {masks.shape[1:]}, flow {flows}",
        )
    forward, backward = (np.zeros((*wanted, 2), np.float16) for _ in range(2))
    trusted = np.zeros((2, *wanted), bool)
    if flow is not None:
        forward[:-1], backward[1:] = flow.to_next, flow.to_previous
    for t in range(0 if flow is None else n - 1):
        there, back = forward[t].astype(np.float32), backward[t + 1].astype(np.float32)
        trusted[0, t], trusted[1, t + 1] = _confirmed(there, back), _confirmed(back, there)
    ids = [one.layer_id for one in cast.layers]
    near = _near(np.asarray(masks.any(0)))
    return Footage(
        extent=Extent(width=width, height=height, n_frames=n),
        frames=torch.from_numpy(np.stack([np.asarray(pictures[t]) for t in range(n)])),
        masks=torch.from_numpy(masks.astype(np.uint8) * 255),
        flow=(torch.from_numpy(forward), torch.from_numpy(backward)),
        trusted=(torch.from_numpy(trusted[0]), torch.from_numpy(trusted[1])),
        order=torch.tensor([[ids.index(one) for one in reversed(row)] for row in cast.order]),
        layer_ids=tuple(ids),
        near=torch.from_numpy(near),
        near_objects=torch.from_numpy(np.flatnonzero(near)),
    )


def random_points(footage: Footage, n: int, *, generator: torch.Generator, object_share: float = 0.0) -> Points:
    """Draw points uniformly over all pixels and frames, with replacement.

    Args:
        footage: The clip.
        n: Number of points.
        generator: Decides which.
        object_share: Share of them that is drawn uniformly from the objects' surroundings instead, in no certain place.

    Source: paper B, Appendix C; the share is ours, decision 0022.
    """
    extent = footage.extent
    x, y, t = (
        torch.randint(size, (n,), generator=generator) for size in (extent.width, extent.height, extent.n_frames)
    )
    if object_share > 0 and len(footage.near_objects):
        picked = footage.near_objects[torch.randint(len(footage.near_objects), (n,), generator=generator)]
        near = torch.rand(n, generator=generator) < object_share
        x = torch.where(near, picked % extent.width, x)
        y = torch.where(near, picked // extent.width % extent.height, y)
        t = torch.where(near, picked // (extent.width * extent.height), t)
    place = torch.stack([x, y, t], 1).float()
    pixel = (t * extent.height + y) * extent.width + x  # one index is much faster than three
    colours = footage.frames.view(-1, 3)
    colour = colours[pixel].float() / 255
    right, below = pixel + (x + 1 < extent.width), pixel + extent.width * (y + 1 < extent.height)
    followed: list[Tensor] = []
    there: list[Tensor] = []
    for flow, trusted, step in zip(footage.flow, footage.trusted, (1.0, -1.0), strict=True):
        chosen = trusted.view(-1)[pixel].nonzero()[:, 0]
        moved = flow.view(-1, 2)[pixel[chosen]].float()
        followed.append(chosen)
        there.append(place[chosen] + torch.cat([moved, torch.full_like(moved[:, :1], step)], 1))
    around, around_bare = _around(footage, place, generator)
    return Points(
        place=place,
        colour=colour,
        to_right=colours[right].float() / 255 - colour,
        to_below=colours[below].float() / 255 - colour,
        masks=footage.masks.flatten(1)[:, pixel].float() / 255,
        bare=~footage.near.view(-1)[pixel],
        around=around,
        around_bare=around_bare,
        followed=(followed[0], followed[1]),
        there=(there[0], there[1]),
    )


def _around(
    footage: Footage, place: Float[Tensor, "N 3"], generator: torch.Generator
) -> tuple[Float[Tensor, "N A 3"], Bool[Tensor, "N A"]]:
    extent = footage.extent
    distance, turn = torch.rand(2, len(place), 1, generator=generator)
    farthest = max(AROUND_SHARE * max(extent.width, extent.height), AROUND_PX)
    reach = AROUND_PX * (farthest / AROUND_PX) ** distance  # all scales alike
    angle = 2 * math.pi * (turn + torch.arange(AROUND) / AROUND)
    x, y = ((place[:, k, None] + reach * wave(angle)).round() for k, wave in enumerate((torch.cos, torch.sin)))
    inside = (x >= 0) & (x < extent.width) & (y >= 0) & (y < extent.height)
    t = place[:, 2:].expand_as(x)
    # Whole numbers: single precision counts to 16.7 million, and a clip of 150 frames has more pixels.
    pixel = (t.long() * extent.height + y.long()) * extent.width + x.long()
    bare = inside & ~footage.near.view(-1)[torch.where(inside, pixel, 0)]
    return torch.stack([x, y, t], -1), bare


def soft_mask_logits(footage: Footage) -> Float[Tensor, "K T H W"]:
    """Logits of mattes that start at the masks: ±6 inside and outside, less within a pixel or two of the outline."""
    masks = footage.masks.numpy()
    soft = np.empty(masks.shape, np.float32)
    for k in range(len(masks)):
        for t in range(masks.shape[1]):
            soft[k, t] = cv2.GaussianBlur(masks[k, t].astype(np.float32) / 255, (0, 0), SOFT_PX)
    inside = np.clip(soft, 0.0025, 0.9975)
    return torch.from_numpy(np.log(inside / (1 - inside)))


def _near(mask: Bool[np.ndarray, "T H W"]) -> NDArray[np.bool_]:
    return np.stack([grown(one, NEAR_PX) for one in mask])


def _confirmed(there: Float[np.ndarray, "H W 2"], back: Float[np.ndarray, "H W 2"]) -> NDArray[np.bool_]:
    height, width = there.shape[:2]
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    x, y = x + there[..., 0], y + there[..., 1]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    error: NDArray[np.floating] = np.linalg.norm(there + pull(back, there), axis=-1)
    return inside & (error < MOST_ROUND_TRIP_PX)
