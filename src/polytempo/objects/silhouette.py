"""What outline a subject has in frames in which it stood like this: what lies beyond is likely somebody else.

Who is in front is seen whole, and was seen whole in nearly the same posture on other frames. A head that comes up
beside hers is no part of any outline that she has there; a foot below her skirt is. Arms swing: one that was laid
where this frame shows the bare wall is elsewhere here, and does not make room for a head.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy.typing import NDArray

from polytempo.core.discs import disc

WIDTH = 224
"""Width in pixels at which silhouettes are compared."""
BLANK = 128
"""Lab value where nothing is known."""
FAR = 60.0
"""Largest difference of colour, summed over 8-bit Lab."""
BARE = 30.0
"""What an outline costs where nobody is, against ``FAR`` for colours that differ: who swings an arm up is not like who
does not, but a face tells more."""
COARSE = 4
"""Likely frames are looked for at a size so many times smaller."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SilhouetteConfig:
    """How silhouettes are found. Pixels are of ``WIDTH``."""

    certain: float = 1.0
    """Nats by which pixels must be a subject's to be laid on other frames."""
    least_share: float = 0.4
    """Share of the subject's usual area that must be certain."""
    whole_share: float = 0.7
    """Share of that area from which a subject is whole on a frame on which it is not apart."""
    apart_frames: int = 8
    """Nearer frames that are not clear do not speak: they were followed into this one, and share its mistakes."""
    n_tried: int = 16
    """Frames that are laid on a frame."""
    n_kept: int = 8
    """Of these the likest, that speak."""
    even_px: float = 1.5
    """Smoothness of the flow that lays one frame on another."""
    like: float = 35.0
    """Mean difference of colour, summed over 8-bit Lab, up to which a silhouette is heard in full."""
    unlike: float = 60.0
    """The same from which it is not heard at all."""
    limb_px: int = 5
    """What is thinner than twice this is a limb."""
    limb_like: float = 43.0
    """Mean difference of colour, summed over 8-bit Lab, from which a limb is not where it was laid; ``FAR`` counts
    where nobody is."""
    near_px: int = 3
    """Nearer to a body nothing speaks against a limb: who is laid on another frame does not fit to the pixel."""
    slack_px: float = 1.0
    """Silhouettes are softened by this."""
    bound: float = 2.2
    """Largest cost in nats."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Silhouettes:
    """A clip made small, to compare silhouettes in."""

    lab: NDArray[np.uint8]
    """Frames ``[T, h, w, 3]`` in 8-bit Lab."""
    masks: NDArray[np.bool_]
    """Subjects ``[K, T, h, w]`` as far as known."""
    clear: NDArray[np.bool_]
    """Frames ``[T]`` on which that is certain."""


def silhouettes(
    lab: UInt8[np.ndarray, "T H W 3"],
    labels: UInt8[np.ndarray, "T H W"],
    clear: Bool[np.ndarray, " T"],
    n_subjects: int,
) -> Silhouettes:
    """Make a clip small.

    Args:
        lab: Frames in 8-bit Lab.
        labels: 0 background, ``k + 1`` for the k-th subject.
        clear: Frames on which labels tell who is who.
        n_subjects: How many.
    """
    size = _size(labels.shape[1:])
    return Silhouettes(
        lab=np.stack([cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in lab]),
        masks=np.stack([[_shrunk(one == k + 1, size) for one in labels] for k in range(n_subjects)]),
        clear=clear,
    )


def silhouette_costs(
    known: Silhouettes,
    certain: Bool[np.ndarray, "K H W"],
    body: Bool[np.ndarray, "H W"],
    t: int,
    *,
    config: SilhouetteConfig,
) -> Float32[np.ndarray, "H W K"]:
    """Cost of every subject at every pixel of frame ``t``, by the outlines that it has in its posture there.

    The expectation is positive inside the mean of these outlines, and negative outside all of them: an arm may be
    anywhere that one of them has it.

    Args:
        known: The clip.
        certain: Pixels of the frame that are certain to be each subject's: these choose the frames that are like it.
        body: Where anybody is. Frames are laid on all of it, that a foot in doubt be met by a foot.
        t: The frame.
        config: Where to look and what is like.

    Returns:
        0 to ``2 bound`` nats, that of the likeliest subject 0; all 0 where nobody is seen well enough.
    """
    height, width = body.shape
    size = _size(body.shape)
    anybody = _shrunk(body, size)
    costs = np.zeros((height, width, len(certain)), np.float32)
    most_of_it = 2 / (1 + np.exp(-config.bound)) - 1
    for k, mine in enumerate(certain):
        expected = _expected(known, k, _shrunk(mine, size), anybody, t, config)
        if expected is not None:
            share = 0.5 + most_of_it * (cv2.resize(expected, (width, height), interpolation=cv2.INTER_LINEAR) - 0.5)
            costs[..., k] = np.log((1 - share) / share)
    return costs - costs.min(-1, keepdims=True)


def _expected(
    known: Silhouettes, k: int, core: NDArray[np.bool_], body: NDArray[np.bool_], t: int, config: SilhouetteConfig
) -> NDArray[np.float32] | None:
    """How likely ``[h, w]`` each pixel is the subject's, 0…1; none if too little of it is known."""
    areas = np.asarray(known.masks[k].sum((1, 2)))
    apart = known.clear & (areas > 0)
    if not apart.any():
        return None
    usual = float(np.median(areas[apart]))
    far = np.abs(np.arange(len(areas)) - t) > config.apart_frames
    sources = np.flatnonzero(apart | (far & (areas > config.whole_share * usual)))
    if not len(sources) or core.sum() < config.least_share * usual:
        return None
    here, middle = _alone(known.lab[t], core | body), _middle(core)
    coarse_here, weight, bare = _coarse(here), _coarse(core.astype(np.float32)), _coarse(1 - body.astype(np.float32))
    tried: list[tuple[float, NDArray[np.float32], NDArray[np.float32]]] = []
    for s in sources:
        mask = known.masks[k, s]
        move = middle - _middle(mask)
        there, shape = _moved(_alone(known.lab[s], mask), move, BLANK), _moved(mask.astype(np.float32), move, 0)
        away = np.minimum(np.abs(coarse_here - _coarse(there)).sum(-1), FAR)
        beyond = BARE * np.minimum(_coarse(shape), bare)
        tried.append((float((away * weight + beyond).sum() / weight.sum()), there, shape))
    tried.sort(key=lambda one: one[0])
    found: list[tuple[float, NDArray[np.float32]]] = []
    for _, there, shape in tried[: config.n_tried]:
        laid = _pulled(np.dstack([there, shape]), _flow(here, there, config.even_px))
        differs = np.minimum(np.abs(here - laid[..., :3]).sum(-1), FAR)
        away = float((differs[core].sum() + BARE * np.minimum(laid[..., 3], ~body).sum()) / core.sum())
        heard = np.clip((config.unlike - away) / (config.unlike - config.like), 0, 1)
        outline = _without_strange_limbs(laid[..., 3], differs, body, config)
        found.append((away, np.asarray(0.5 + heard * (outline - 0.5), np.float32)))
    found.sort(key=lambda one: one[0])
    shares = np.stack([one for _, one in found[: config.n_kept]])
    mean, most = (cv2.GaussianBlur(one, (0, 0), config.slack_px) for one in (shares.mean(0), shares.max(0)))
    return np.where(mean > 0.5, mean, np.minimum(most, 0.5)).astype(np.float32)


def _without_strange_limbs(
    outline: NDArray[np.float32], differs: NDArray[np.float32], body: NDArray[np.bool_], config: SilhouetteConfig
) -> NDArray[np.float32]:
    """An outline less the limbs of it that are elsewhere here: where they were laid, the frame shows something else."""
    shape = (outline > 0.5).astype(np.uint8)
    limbs = shape - cv2.morphologyEx(shape, cv2.MORPH_OPEN, disc(config.limb_px))
    n, pieces = cv2.connectedComponents(limbs, connectivity=8)
    found = np.asarray(pieces, np.int64)
    bare = cv2.dilate(body.astype(np.uint8), disc(config.near_px)) == 0
    away = np.bincount(found.ravel(), np.where(bare, FAR, differs * body).ravel(), minlength=n)
    strange = away > config.limb_like * np.bincount(found.ravel(), (body | bare).ravel(), minlength=n)
    strange[0] = False
    return np.where(cv2.dilate(strange[found].astype(np.uint8), disc(1)) > 0, np.float32(0), outline)


def _size(shape: tuple[int, ...]) -> tuple[int, int]:
    return WIDTH, max(round(WIDTH * shape[0] / shape[1]), 1)


def _shrunk(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    return np.asarray(cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5)


def _alone(lab: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.where(mask[..., None], lab, BLANK).astype(np.float32)


def _middle(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Median place ``(x, y)``: a limb more or less does not move it."""
    ys, xs = np.nonzero(mask)
    return np.array([np.median(xs), np.median(ys)])


def _coarse(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    soft = cv2.GaussianBlur(picture, (0, 0), 0.75 * COARSE)
    return np.asarray(cv2.resize(soft, None, fx=1 / COARSE, fy=1 / COARSE), np.float32)


def _moved(picture: NDArray[np.float32], move: NDArray[np.float64], border: int) -> NDArray[np.float32]:
    by = np.array([[1, 0, move[0]], [0, 1, move[1]]], np.float32)
    size = (picture.shape[1], picture.shape[0])
    return np.asarray(
        cv2.warpAffine(picture, by, size, borderMode=cv2.BORDER_CONSTANT, borderValue=(border,) * 3), np.float32
    )


def _flow(here: NDArray[np.float32], there: NDArray[np.float32], even_px: float) -> NDArray[np.float32]:
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(0)  # the pictures are small already
    start = np.zeros((*here.shape[:2], 2), np.float32)
    return np.asarray(cv2.GaussianBlur(dis.calc(_grey(here), _grey(there), start), (0, 0), even_px), np.float32)


def _grey(lab: NDArray[np.float32]) -> NDArray[np.uint8]:
    """One number a pixel in which skin, cloth and nothing differ: lightness alone mistakes one for another."""
    return np.clip(0.6 * lab[..., 0] + 2 * lab[..., 1] - 2 * lab[..., 2] + 50, 0, 255).astype(np.uint8)


def _pulled(picture: NDArray[np.float32], flow: NDArray[np.float32]) -> NDArray[np.float32]:
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    return np.asarray(
        cv2.remap(picture, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )
