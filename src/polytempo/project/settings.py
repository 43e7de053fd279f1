"""All settings of the way from a clip to layers, in one place for files and the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from polytempo.bodies.complete_cast import BodiesConfig
from polytempo.camera.estimate import CameraConfig
from polytempo.core.errors import InputError
from polytempo.decompose.lnr.draft import DraftConfig
from polytempo.decompose.lnr.paper_config import LnrConfig, StandardConfig, paper_config, shortened
from polytempo.decompose.nvd.config import (
    NvdConfig,
    NvdDraftConfig,
    NvdStandardConfig,
    nvd_paper_config,
    nvd_shortened,
)
from polytempo.objects.build import CastConfig
from polytempo.objects.propose import ProposeConfig
from polytempo.objects.segment import SegmentConfig
from polytempo.render.sequence import RenderConfig

Preset = Literal["draft", "standard", "paper"]
Method = Literal["lnr", "nvd"]
GRID_PX = 16
"""Working sizes are multiples of this, so that the networks' halvings meet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NvdSettings:
    """Method ``nvd``, by preset."""

    steps: int | None = None
    """Optimiser steps; the whole course is scaled with them. The preset's own where not said."""
    flow_network: Path | Literal["none"] = "none"
    """File of a network for optical flow with weights of your own (RAFT and the like), in place of dense inverse
    search."""
    draft: NvdDraftConfig = field(default_factory=NvdDraftConfig)
    """Preset ``draft``."""
    standard: NvdStandardConfig = field(default_factory=NvdStandardConfig)
    """Preset ``standard``."""
    paper: NvdConfig = field(default_factory=nvd_paper_config)
    """Preset ``paper``."""

    def __post_init__(self) -> None:
        """Refuse training without steps.

        Raises:
            InputError: there are no steps.
        """
        if self.steps is not None and self.steps < 1:
            raise InputError("config", "nvd.steps must be 1 or more", got=str(self.steps))


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Every setting; a table per stage in a TOML file, a dotted path on the command line."""

    work_side_px: int = 448
    """Longer side of the frames that layers are found at, in pixels; paper A works at 448×256."""
    seed: int = 0
    """Seed of all that is random."""
    camera: CameraConfig = field(default_factory=CameraConfig)
    """How the camera is followed."""
    propose: ProposeConfig = field(default_factory=ProposeConfig)
    """What is proposed when nobody is named."""
    segment: SegmentConfig = field(default_factory=SegmentConfig)
    """How prompted subjects are followed."""
    cast: CastConfig = field(default_factory=CastConfig)
    """How masks are repaired, completed and ordered."""
    decompose: DraftConfig = field(default_factory=DraftConfig)
    """How layers are separated."""
    preset: Preset = "draft"
    """How layers are found: ``draft`` in minutes without a GPU, ``paper`` and ``standard`` by the neural model."""
    method: Method = "lnr"
    """Who finds layers: ``lnr`` with the effects of each subject, ``nvd`` as atlases under the light of each moment."""
    nvd: NvdSettings = field(default_factory=NvdSettings)
    """Method ``nvd``."""
    epochs: int | None = None
    """Epochs of the neural model; its whole course is scaled with them. The preset's own where not said."""
    bodies: BodiesConfig = field(default_factory=BodiesConfig)
    """How keypoints become bodies."""
    keypoint_corrections: Path | None = None
    """JSON file of keypoints put right by hand, in the clip's pixels."""
    vitpose: Path | Literal["none"] = "none"
    """Folder of ViTPose weights of your own, by which keypoints are found where no file of them was given (extra
    ``vitpose``)."""
    uv_network: Path | Literal["shipped"] | None = None
    """Weights of a network from keypoints to UV, in place of the geometric body: a file that ``polytempo train
    keypoints-to-uv`` wrote, or the package's own (``shipped``). For the neural presets."""
    paper: LnrConfig = field(default_factory=paper_config)
    """Preset ``paper``."""
    standard: StandardConfig = field(default_factory=StandardConfig)
    """Preset ``standard``."""
    render: RenderConfig = field(default_factory=RenderConfig)
    """How an edit is written."""

    def __post_init__(self) -> None:
        """Refuse a working size that no network can take, and training without epochs.

        Raises:
            InputError: the working size is too small or too large, or there are no epochs.
        """
        if not 64 <= self.work_side_px <= 4096:
            raise InputError("config", "work_side_px must lie between 64 and 4096", got=str(self.work_side_px))
        if self.epochs is not None and self.epochs < 1:
            raise InputError("config", "epochs must be 1 or more", got=str(self.epochs))

    def neural(self) -> LnrConfig:
        """Config of the neural model for the preset, in the number of epochs that was asked for."""
        config = self.standard if self.preset == "standard" else self.paper
        return config if self.epochs is None else shortened(config, self.epochs)

    def atlases(self) -> NvdConfig:
        """Config of method ``nvd`` for the preset, in the number of steps that was asked for."""
        match self.preset:
            case "draft":
                config: NvdConfig = self.nvd.draft
            case "standard":
                config = self.nvd.standard
            case "paper":
                config = self.nvd.paper
        return config if self.nvd.steps is None else nvd_shortened(config, self.nvd.steps)


def working_size(clip_size: tuple[int, int], *, side_px: int) -> tuple[int, int]:
    """Give the size that layers are found at: the clip's aspect to within half a grid step, never enlarged.

    Args:
        clip_size: ``(width, height)`` of the clip in pixels.
        side_px: Longest longer side.

    Example:
        >>> working_size((960, 540), side_px=448), working_size((540, 960), side_px=448)
        ((448, 256), (256, 448))
    """
    scale = min(1.0, side_px / max(clip_size))
    width, height = (max(GRID_PX, round(one * scale / GRID_PX) * GRID_PX) for one in clip_size)
    return width, height
