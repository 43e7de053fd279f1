"""From masks as they come to a cast: repaired, completed, ordered, put on layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.core.discs import grown
from polytempo.core.errors import InputError, ShapeError
from polytempo.core.pictures import Pictures, picture_size
from polytempo.core.progress import Progress, Report, silent
from polytempo.objects.amodal import AmodalConfig, disputed_pixels
from polytempo.objects.cast import Cast, LayerPlan, Subject
from polytempo.objects.order import back_to_front, meetings, runs
from polytempo.objects.registration import neighbour_flow
from polytempo.objects.repair import RepairConfig, missed_frames, not_lost, present_frames, repair_masks
from polytempo.objects.whole_body import whole_body


@dataclass(frozen=True, kw_only=True, slots=True)
class CastConfig:
    """How a cast is built from masks."""

    repair: RepairConfig = field(default_factory=RepairConfig)
    """How trembling, holed and missing masks are made steady."""
    amodal: AmodalConfig = field(default_factory=AmodalConfig)
    """How hidden parts are completed."""
    repair_masks: bool = True
    """Whether masks are repaired at all; off for masks known to be exact."""
    static_share: float = 0.6
    """A subject that keeps this share of its area covered all clip long is called static, in a warning."""
    long_absence: int = 24
    """Frames in a row without a subject that are worth a warning."""


Order = Sequence[str] | Sequence[Sequence[str]]
"""Layer names back to front, once for the clip or once a frame."""


def build_cast(
    masks: dict[str, Bool[np.ndarray, "T H W"]],
    pictures: Pictures,
    camera: CameraPath,
    *,
    groups: dict[str, list[str]] | None = None,
    dynamic_layers: Sequence[str] = (),
    order: Order | None = None,
    edits: dict[str, dict[int, Bool[np.ndarray, "H W"]]] | None = None,
    keep_who: bool = False,
    config: CastConfig | None = None,
    report: Report = silent,
) -> Cast:
    """Cast from modal masks: repaired, completed behind each other, ordered, put on layers.

    Args:
        masks: Modal masks by subject name, at the pictures' size; trembling outlines, holes and missing frames are
            expected.
        pictures: The clip at working size.
        camera: At the pictures' size.
        groups: Subjects that share a layer, by layer name. Subjects in no group get a layer of their own name.
        dynamic_layers: Names of further layers without a subject (a dynamic background), put at the back.
        order: Layer names back to front, for the clip or per frame; guessed where not given.
        edits: Masks drawn by hand, by subject and frame. They stand as they are, and pull the frames around them; an
            empty one says that the subject is not visible there.
        keep_who: The masks tell whose a pixel is better than colours do, as those that were followed from prompts
            do: mending may move outlines, and give no part of one subject to another.
        config: How.
        report: Told as work goes on.

    Raises:
        InputError: no masks, a subject without a single pixel, an unknown or doubled name in groups or order.
        ShapeError: masks differ in shape from each other or from the pictures.
    """
    config = config or CastConfig()
    _check_masks(masks, pictures)
    names = list(masks)
    layers = plan_layers(names, groups=groups or {}, dynamic_layers=dynamic_layers)
    given = _with_edits(masks, edits or {})
    warnings = _mask_warnings(given, camera, config)
    steady = {name: mask.copy() for name, mask in given.items()}
    if config.repair_masks:
        flow = neighbour_flow(pictures)
        steady = repair_masks(
            given, pictures, camera, flow, edits=edits or {}, keep_who=keep_who, config=config.repair, report=report
        )
        steady, lost = not_lost(given, steady, lost_share=config.repair.lost_share)
        warnings += [_lost_warning(name, frames, given[name]) for name, frames in lost.items() if frames.any()]
    guessed = back_to_front(steady, meetings(steady))
    layer_order = _layer_order(order, layers, names, guessed)
    subject_order = _subject_order(layer_order, layers, names, guessed)
    amodal_config = config.amodal
    amodal: dict[str, NDArray[np.bool_]] = {}
    for i, name in enumerate(names):
        fronts = [back_first[back_first.index(name) + 1 :] for back_first in subject_order]
        front = _union(steady, fronts)
        whole = whole_body(steady[name], front, pictures, camera, config=amodal_config)
        warnings += _carried_warnings(name, whole.carried)
        amodal[name] = steady[name].copy()
        for t in whole.frames:
            shown = whole.shown(t)
            if config.repair_masks and not keep_who and t not in whole.carried:
                wrong = disputed_pixels(steady[name][t], front[t], pictures[t], shown, config=amodal_config)
                steady[name][t] &= ~wrong
                _give_to_nearest(wrong, [steady[other][t] for other in fronts[t]])
                front[t] |= wrong
            covered = grown(front[t], amodal_config.edge_px) & (shown[..., 3] >= amodal_config.threshold)
            amodal[name][t] = steady[name][t] | covered
        report(Progress(stage="objects.amodal", done=i + 1, total=len(names), message=name))
    subjects: list[Subject] = []
    for i, name in enumerate(names):
        # A subject may have been given pixels after it was completed itself.
        body = amodal[name] | steady[name]
        area = body.sum((1, 2))
        visibility = np.where(area > 0, steady[name].sum((1, 2)) / np.maximum(area, 1), 0.0).astype(np.float32)
        subjects.append(Subject(subject_id=i + 1, name=name, mask=steady[name], amodal=body, visibility=visibility))
    return Cast(subjects=tuple(subjects), layers=layers, order=layer_order, warnings=tuple(warnings))


def plan_layers(
    names: Sequence[str], *, groups: dict[str, list[str]], dynamic_layers: Sequence[str] = ()
) -> tuple[LayerPlan, ...]:
    """Layers in a fixed order: subjects as named (a group where its first subject stands), then dynamic ones.

    Raises:
        InputError: a group is empty or names an unknown subject, a subject is in two groups, a layer name is doubled.
    """
    group_of: dict[str, str] = {}
    for group, members in groups.items():
        if not members:
            raise InputError(
                "objects.build", "a group must hold at least one subject", got=f"none in group {group!r}",
                todo="Use dynamic_layers for a layer without a subject",
            )  # fmt: skip
        for member in members:
            if member not in names:
                raise InputError(
                    "objects.build", "groups must name subjects that have masks",
                    got=f"{member!r} in group {group!r}; the subjects are {', '.join(names)}",
                    todo="Mend the name in the group",
                )  # fmt: skip
            if member in group_of:
                raise InputError(
                    "objects.build", "a subject must be in one group only",
                    got=f"{member!r} in {group_of[member]!r} and {group!r}", todo="Take it out of one",
                )  # fmt: skip
            group_of[member] = group
    ids = {name: i + 1 for i, name in enumerate(names)}
    plans: list[tuple[str, tuple[int, ...]]] = []
    for name in names:
        if name not in group_of:
            plans.append((name, (ids[name],)))
        elif not any(layer == group_of[name] for layer, _ in plans):
            plans.append((group_of[name], tuple(sorted(ids[m] for m in groups[group_of[name]]))))
    plans += [(name, ()) for name in dynamic_layers]
    seen: set[str] = set()
    for name, _ in plans:
        if name in seen:
            raise InputError(
                "objects.build", "layer names must differ", got=f"{name!r} twice", todo="Rename one of the layers"
            )
        seen.add(name)
    return tuple(LayerPlan(layer_id=i + 1, name=n, subject_ids=s) for i, (n, s) in enumerate(plans))


def _layer_order(
    order: Order | None, layers: tuple[LayerPlan, ...], names: Sequence[str], guessed: list[tuple[str, ...]]
) -> tuple[tuple[int, ...], ...]:
    n = len(guessed)
    ids = {plan.name: plan.layer_id for plan in layers}
    if order is not None:
        per_frame: list[Sequence[str]]
        if len(order) == 0 or isinstance(order[0], str):
            per_frame = [[str(one) for one in order]] * n
        else:
            per_frame = [list(one) for one in order]
        if len(per_frame) != n:
            raise InputError(
                "objects.build", "an order per frame must have one entry for every frame",
                got=f"{len(per_frame)} entries for {n} frames", todo="Give one order for the clip, or one a frame",
            )  # fmt: skip
        for t, one in enumerate(per_frame):
            if sorted(one) != sorted(ids):
                raise InputError(
                    "objects.build", "an order must name every layer once, back to front",
                    got=f"{', '.join(one) or 'nothing'} at frame {t}; the layers are {', '.join(ids)}",
                    todo="Mend the order",
                )  # fmt: skip
        return tuple(tuple(ids[name] for name in one) for one in per_frame)
    dynamic = tuple(plan.layer_id for plan in layers if not plan.subject_ids)
    held = [plan for plan in layers if plan.subject_ids]
    out: list[tuple[int, ...]] = []
    for one in guessed:
        rank = {i + 1: one.index(name) for i, name in enumerate(names)}
        # A group stands where its nearest subject stands.
        held_ids = sorted(held, key=lambda plan: max(rank[i] for i in plan.subject_ids))
        out.append(dynamic + tuple(plan.layer_id for plan in held_ids))
    return tuple(out)


def _subject_order(
    layer_order: tuple[tuple[int, ...], ...],
    layers: tuple[LayerPlan, ...],
    names: Sequence[str],
    guessed: list[tuple[str, ...]],
) -> list[list[str]]:
    """Order of subjects that agrees with the layers' order; within a group as guessed."""
    of = {plan.layer_id: [names[i - 1] for i in plan.subject_ids] for plan in layers}
    return [
        [name for layer in ids for name in sorted(of[layer], key=one.index)]
        for ids, one in zip(layer_order, guessed, strict=True)
    ]


def _with_edits(
    masks: dict[str, Bool[np.ndarray, "T H W"]], edits: dict[str, dict[int, Bool[np.ndarray, "H W"]]]
) -> dict[str, Bool[np.ndarray, "T H W"]]:
    out = {name: mask.copy() for name, mask in masks.items()}
    for name, by_frame in edits.items():
        if name not in out:
            raise InputError(
                "objects.build", "edited masks must belong to a subject", got=f"{name!r}; there are {', '.join(masks)}",
                todo="Mend the name",
            )  # fmt: skip
        for t, mask in by_frame.items():
            if not 0 <= t < len(out[name]) or mask.shape != out[name].shape[1:]:
                raise ShapeError(
                    "objects.build", "edited masks must lie in the clip and have its size",
                    got=f"frame {t} of {len(out[name])}, {mask.shape[1]}x{mask.shape[0]} for {name!r}",
                    todo="Export the edited mask at the clip's size",
                )  # fmt: skip
            out[name][t] = mask
    for by_frame in edits.values():
        for t, mask in by_frame.items():
            for other in out:
                if t not in edits.get(other, {}):
                    out[other][t] &= ~mask
    return out


def _union(masks: dict[str, Bool[np.ndarray, "T H W"]], names: Sequence[Sequence[str]]) -> Bool[np.ndarray, "T H W"]:
    """Union, frame by frame, of the masks of the subjects named for that frame."""
    out = np.zeros_like(next(iter(masks.values())))
    for t, chosen in enumerate(names):
        for name in chosen:
            out[t] |= masks[name][t]
    return out


def _give_to_nearest(pixels: NDArray[np.bool_], masks: list[NDArray[np.bool_]]) -> None:
    """Add pixels to that of several masks whose outline is nearest; the masks are buffers of the caller."""
    if not pixels.any() or not masks:
        return
    away = np.stack([cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3) for mask in masks])
    nearest = away.argmin(0)
    for i, mask in enumerate(masks):
        mask |= pixels & (nearest == i)


def _check_masks(masks: dict[str, Bool[np.ndarray, "T H W"]], pictures: Pictures) -> None:
    if not masks:
        raise InputError(
            "objects.build", "at least one subject must have a mask", got="none", todo="Give prompts or import masks"
        )
    width, height = picture_size(pictures)
    for name, mask in masks.items():
        if mask.shape != (len(pictures), height, width):
            raise ShapeError(
                "objects.build", "masks must match the clip's frames and size",
                got=f"{mask.shape[0]} masks of {mask.shape[2]}x{mask.shape[1]} for {name!r} and {len(pictures)} frames "
                f"of {width}x{height}", todo="Export the masks again at the clip's own size",
            )  # fmt: skip
        if not mask.any():
            raise InputError(
                "objects.build", "every subject must have a mask on at least one frame",
                got=f"no pixel of {name!r} in {len(mask)} frames", todo="Prompt it again or leave it out",
            )  # fmt: skip


def _carried_warnings(name: str, carried: Mapping[int, object]) -> list[str]:
    if not carried:
        return []
    return [
        f"{name}: on {len(carried)} frames between {min(carried)} and {max(carried)} nothing shows the whole body in a "
        "like posture; what is hidden there is put together from pieces seen before and after, and partly guessed, "
        "where no keypoints tell more"
    ]


def _lost_warning(name: str, lost: NDArray[np.bool_], mask: NDArray[np.bool_]) -> str:
    at, of = np.flatnonzero(lost), int(mask.any((1, 2)).sum())
    return (
        f"{name} looks like what is behind it: on {len(at)} of {of} frames, between {at[0]} and {at[-1]}, its mask is "
        f"taken as it was found, not mended; look at the outline there"
    )


def _mask_warnings(masks: dict[str, Bool[np.ndarray, "T H W"]], camera: CameraPath, config: CastConfig) -> list[str]:
    out: list[str] = []
    for name, mask in masks.items():
        present = present_frames(mask)
        missed = missed_frames(present, max_gap=config.repair.max_gap)
        frames = np.flatnonzero(missed)
        if len(frames) and config.repair_masks:
            listed = ", ".join(str(t) for t in frames[:12]) + (" …" if len(frames) > 12 else "")
            out.append(f"{name}: the mask was empty in {len(frames)} frames and was carried there ({listed}).")
        for start, stop in runs(~(present | missed)):
            if stop - start >= config.long_absence:
                out.append(f"{name}: not there in frames {start} to {stop - 1}.")
        if present.sum() > 1 and still_share(mask, camera) >= config.static_share:
            out.append(f"{name}: hardly moves, so that the background behind it is never seen.")
    return out


def still_share(mask: Bool[np.ndarray, "T H W"], camera: CameraPath) -> float:
    """Share of a subject's area that covers the same places of the canvas in nearly all frames that show it."""
    frames = np.flatnonzero(mask.any((1, 2)))
    # A sixteenth of the pixels is enough to tell.
    shrink = np.diag([0.25, 0.25, 1.0])
    size = (camera.canvas_size[0] // 4 + 1, camera.canvas_size[1] // 4 + 1)
    count = np.zeros((size[1], size[0]), np.int32)
    areas: list[int] = []
    for t in frames:
        laid = cv2.warpPerspective(mask[t].astype(np.uint8), shrink @ camera.canvas_from_frame[t], size)
        count += laid
        areas.append(int(laid.sum()))
    return float((count >= 0.95 * len(frames)).sum() / max(float(np.median(areas)), 1.0)) if areas else 0.0
