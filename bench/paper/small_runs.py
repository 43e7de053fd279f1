"""Preset ``paper`` on sequences so small that two cores train it in minutes, and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from blocks import Blocks, Effect
from numpy.typing import NDArray

from polytempo.decompose.lnr.augment import JitterConfig
from polytempo.decompose.lnr.maps import LayerMaps, layer_maps, make_batch
from polytempo.decompose.lnr.model import LayeredRenderer, composite_straight
from polytempo.decompose.lnr.paper_config import LnrConfig
from polytempo.decompose.lnr.train import train
from polytempo.objects.cast import Cast, LayerPlan, Subject
from polytempo.synth.draw import DrawnScene

BASE_CHANNELS, LEARNING_RATE, BATCH = 16, 2e-3, 4
"""A quarter of the paper's width, and larger steps for it."""
GRADIENT_MEMORY = 0.98
"""Some 50 steps instead of 1,000: as many more of them as the course is longer."""
BAND_PX = 9.5
"""The trimap's unknown band as the paper has it, in pixels: these little frames count as a cut out of large ones."""
Watch = Callable[["Learned"], None]


def course(epochs: int, **changes: Any) -> LnrConfig:
    """Paper A's training without what needs thousands of epochs.

    There is no jitter and no curriculum on twelve frames, and the bootstrap's large gradients are forgotten sooner.
    """
    plain: dict[str, Any] = {
        "n_epochs": epochs, "batch_size": BATCH, "base_channels": BASE_CHANNELS, "learning_rate": LEARNING_RATE,
        "gradient_memory": GRADIENT_MEMORY, "curriculum_epochs": 0, "l1_epochs": max(1, epochs // 12),
        "jitter": JitterConfig(brightness=0, crop_share=0),
    }  # fmt: skip
    return LnrConfig(**(plain | changes))


def patient_course(epochs: int, **changes: Any) -> LnrConfig:
    """The same with twice the steps in an epoch, and L1 in the regulariser for two thirds of them.

    What a layer keeps behind another one of the same colour costs no reconstruction: the regulariser alone takes it
    away, and in the paper its L1 part lasts for hundreds of epochs after the bootstrap.
    """
    return course(epochs, **{"batch_size": BATCH // 2, "l1_epochs": epochs * 2 // 3} | changes)


def settings(config: LnrConfig) -> dict[str, Any]:
    """What a result must say of a course, beside its epochs."""
    return {
        "base_channels": config.base_channels, "learning_rate": config.learning_rate, "batch": config.batch_size,
        "gradient_memory": config.gradient_memory, "l1_epochs": config.l1_epochs,
    }  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Learned:
    """Layers that came out of training, with batch statistics as in training."""

    layers: NDArray[np.float32]
    """Straight, ``[T, M, 4, H, W]``, 0…1; the background first."""
    maps: LayerMaps
    model: LayeredRenderer
    bootstrap_epoch: int | None

    def picture(self, shown: Collection[int] | None = None) -> NDArray[np.float32]:
        """Composite ``[T, H, W, 3]``, 0…1, of the background and the layers shown; of all where none are named."""
        layers = self.layers.copy()
        for m in range(1, layers.shape[1]):
            if shown is not None and m not in shown:
                layers[:, m, 3] = 0
        picture = composite_straight(torch.from_numpy(layers), torch.from_numpy(self.maps.order))
        return picture.permute(0, 2, 3, 1).numpy()


def learned(
    scene: Blocks,
    config: LnrConfig,
    *,
    seed: int,
    maps: LayerMaps | None = None,
    watch: Watch | None = None,
    every: int = 5,
) -> Learned:
    """Train on a scene; ``watch`` is shown all layers after each so many epochs."""
    maps = maps_of_blocks(scene) if maps is None else maps
    return learned_maps(scene.pictures, maps, scene.clean, config, seed=seed, watch=watch, every=every)


def maps_of_blocks(scene: Blocks, *, band_px: float = BAND_PX) -> LayerMaps:
    """Maps of all layers, people as sprites."""
    return layer_maps(scene.cast, scene.camera, {}, band_px=band_px)


def part_of(maps: LayerMaps, frames: NDArray[np.int64]) -> LayerMaps:
    """Maps of some of the frames, as if the clip had no others."""
    parts = {name: getattr(maps, name)[frames] for name in ("tile", "uv", "person", "trimap", "order")}
    return replace(maps, **parts)


def learned_maps(
    pictures: NDArray[np.uint8],
    maps: LayerMaps,
    clean: NDArray[np.uint8],
    config: LnrConfig,
    *,
    seed: int,
    watch: Watch | None = None,
    every: int = 5,
) -> Learned:
    """Train on any pictures with their maps and their clean plate ``[H, W, 3]``."""

    def now(model: LayeredRenderer, bootstrap_epoch: int | None = None) -> Learned:
        layers = layers_of(model, maps, pictures, clean if config.given_background else None)
        return Learned(layers=layers, maps=maps, model=model, bootstrap_epoch=bootstrap_epoch)

    def shown(epoch: int, model: LayeredRenderer) -> None:
        if watch is not None and epoch % every == 0:
            watch(now(model))

    trained = train(pictures, maps, config=config, seed=seed, plate=lambda _: clean, watch=shown)
    return now(trained.model, trained.bootstrap_epoch)


def reconstructed(scene: Blocks, picture: NDArray[np.float32], effect: Effect) -> float:
    """How far a picture ``[T, H, W, 3]``, 0…1, shows an effect where it is seen: 0 not at all, 1 wholly."""
    wanted = scene.pictures.astype(np.float32)
    missed = np.abs(picture * 255 - wanted)[effect.seen].mean()
    return float(1 - missed / np.abs(scene.clean - wanted)[effect.seen].mean())


def layers_of(
    model: LayeredRenderer, maps: LayerMaps, pictures: NDArray[np.uint8], clean: NDArray[np.uint8] | None = None
) -> NDArray[np.float32]:
    """Straight layers ``[T, M, 4, H, W]``, 0…1; the background is the clean plate, where there is one."""
    plates = None if clean is None else np.repeat(clean[None], len(pictures), 0)
    batch = make_batch(maps, pictures, np.arange(len(pictures)), plates=plates)
    with torch.no_grad():
        return model(batch, given_background=clean is not None).numpy()


def visible_cast(scene: DrawnScene) -> Cast:
    """Everybody in a drawn scene by the masks of what is visible."""
    subjects = tuple(
        Subject(subject_id=k, name=str(k), mask=mask, amodal=mask,
                visibility=(mask.any((1, 2))).astype(np.float32))
        for k, mask in zip(scene.layer_ids, scene.masks, strict=True)
    )  # fmt: skip
    layers = tuple(LayerPlan(layer_id=one.subject_id, name=one.name, subject_ids=(one.subject_id,)) for one in subjects)
    return Cast(subjects=subjects, layers=layers, order=scene.order)
