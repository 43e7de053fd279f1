"""Settings of the neural model: preset ``paper`` to the letter, ``standard`` the same from a warm start."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from polytempo.core.errors import InputError
from polytempo.decompose.lnr.augment import JitterConfig
from polytempo.decompose.lnr.renderer import BASE_CHANNELS

PAPER_EPOCHS = 2500


@dataclass(frozen=True, kw_only=True, slots=True)
class UpsampleConfig:
    """Training of the upsampling network."""

    n_epochs: int = 500
    """LNR, A.1. 0 leaves layers at working size, from where they are enlarged bilinearly."""
    crop_px: int = 256
    """Side of the crops at twice the working size. LNR, A.1."""
    batch_size: int = 16
    """Frames in a batch. Released system."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LnrConfig:
    """Everything that the neural model can be told; the defaults are those of preset ``paper``."""

    n_epochs: int = PAPER_EPOCHS
    """Passes over the frames. LNR, A.1; its patent and released system say 2,000."""
    batch_size: int = 32
    """Frames in a batch. Released system."""
    base_channels: int = BASE_CHANNELS
    """Channels of the renderer's first row; all others in proportion. LNR, A.2.1; fewer for experiments on CPUs."""
    learning_rate: float = 1e-3
    """Of Adam, constant. Released system."""
    gradient_memory: float = 0.999
    """Adam's second beta, its default in the released system. Gradients of the bootstrap, 50 times as large as those
    after it, are remembered for some 1 / (1 - memory) steps and hold what follows back; courses of few steps need less.
    """
    curriculum_epochs: int = 1000
    """Epochs on the easier half of the frames. LNR, A.1; 0 turns the curriculum off."""
    l1_epochs: int = 200
    """Last epoch with L1 in the regulariser. LNR, Eq. 8."""
    bootstrap_below: float = 0.02
    """Mask loss below which the bootstrap is over. LNR, Section 4.3."""
    regulariser: bool = True
    """Whether Eq. 6 counts; off for the ablation."""
    mask_loss: Literal["paper", "patent"] = "paper"
    """Eq. 4 and 5 with their schedule by threshold, or the patent's weighted distance with fixed epochs 50 and 100."""
    jitter: JitterConfig = field(default_factory=JitterConfig)
    """Jittered frames."""
    warm_epochs: int = 0
    """Epochs first in which background, alpha and colours are taught from clean plate, masks and frames."""
    given_background: bool = False
    """Composite over the clean plate, found in closed form, instead of a background learned in a pass of its own."""
    together: bool = False
    """All layers in one pass; see ``LayeredRenderer``."""
    mixed_precision: bool = False
    """bfloat16, where the device is CUDA; slower on CPUs, where it is not done."""
    compiled: bool = False
    """torch.compile of the renderer, where the device is CUDA."""
    upsample: UpsampleConfig = field(default_factory=UpsampleConfig)
    """Second stage."""
    transfer_detail: bool = True
    """Whether layers take what the composite misses of the frame. LNR, Eq. 9, 10."""
    save_secs: float = 20.0
    """Least time between two checkpoints."""

    def __post_init__(self) -> None:
        """Refuse what cannot be trained.

        Raises:
            InputError: a count, rate or threshold out of its range.
        """
        for name, value, least in (
            ("n_epochs", self.n_epochs, 1),
            ("batch_size", self.batch_size, 1),
            ("base_channels", self.base_channels, 1),
            ("warm_epochs", self.warm_epochs, 0),
            ("curriculum_epochs", self.curriculum_epochs, 0),
            ("upsample.n_epochs", self.upsample.n_epochs, 0),
            ("upsample.batch_size", self.upsample.batch_size, 1),
            ("upsample.crop_px", self.upsample.crop_px, 16),
        ):
            if value < least:
                raise InputError("config", f"lnr.{name} must be {least} or more", got=str(value))
        if not 0 <= self.gradient_memory < 1:
            raise InputError(
                "config", "lnr.gradient_memory must be 0 or more and below 1", got=str(self.gradient_memory)
            )
        if not 0 < self.learning_rate < 1:
            raise InputError("config", "lnr.learning_rate must lie between 0 and 1", got=str(self.learning_rate))


def paper_config() -> LnrConfig:
    """Preset ``paper``."""
    return LnrConfig()


@dataclass(frozen=True, kw_only=True, slots=True)
class StandardConfig(LnrConfig):
    """The same with the defaults of preset ``standard``: a tenth of the course, from what is known without training."""

    n_epochs: int = PAPER_EPOCHS // 10
    """Passes over the frames."""
    curriculum_epochs: int = 100
    """Epochs on the easier half of the frames."""
    l1_epochs: int = 20
    """Last epoch with L1 in the regulariser."""
    jitter: JitterConfig = field(default_factory=lambda: JitterConfig(brightness_epochs=40))
    """Jittered frames."""
    warm_epochs: int = 20
    """Epochs first in which alpha and colours are taught from masks and frames."""
    given_background: bool = True
    """Composite over the clean plate."""
    together: bool = True
    """All layers in one pass."""
    mixed_precision: bool = True
    """bfloat16, where the device is CUDA."""
    compiled: bool = True
    """torch.compile of the renderer, where the device is CUDA."""
    upsample: UpsampleConfig = field(default_factory=lambda: UpsampleConfig(n_epochs=50))
    """Second stage."""


def standard_config() -> LnrConfig:
    """Preset ``standard``."""
    return StandardConfig()


def shortened(config: LnrConfig, n_epochs: int) -> LnrConfig:
    """The same course of training in another number of epochs: every epoch number is scaled alike.

    A warm start stays as long as it is, up to a quarter of them.

    Example:
        >>> short = shortened(paper_config(), 25)
        >>> short.curriculum_epochs, short.l1_epochs, short.jitter.brightness_epochs, short.upsample.n_epochs
        (10, 2, 4, 5)
    """

    def scaled(epochs: int) -> int:
        return round(epochs * n_epochs / config.n_epochs)

    return replace(
        config,
        n_epochs=n_epochs,
        curriculum_epochs=scaled(config.curriculum_epochs),
        l1_epochs=scaled(config.l1_epochs),
        warm_epochs=min(config.warm_epochs, max(1, n_epochs // 4)),
        jitter=replace(config.jitter, brightness_epochs=scaled(config.jitter.brightness_epochs)),
        upsample=replace(config.upsample, n_epochs=scaled(config.upsample.n_epochs)),
    )
