"""Settings of hashed atlases: preset ``paper`` to the letter, ``standard`` for GPUs, ``draft`` for two cores."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from polytempo.core.errors import InputError
from polytempo.decompose.nvd.encoding.layout import GridConfig

PAPER_STEPS = 50_000


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldConfig:
    """An encoding and the network that reads it."""

    encoding: Literal["hash", "sines"] = "hash"
    """Hash grid, or positional encoding for the ablation."""
    grid: GridConfig = field(default_factory=GridConfig)
    """The hash grid."""
    n_frequencies: int = 10
    """Octaves of the positional encoding; Layered Neural Atlases' number."""
    n_hidden: int = 3
    """Hidden layers; 0 is a linear map of the encoding. Released system: 3."""
    width: int = 64
    """Channels of a hidden layer. Released system."""
    finest_px: float | None = None
    """Where given, the grid's base is set so that a cell of the finest level is so many pixels wide."""
    frames_a_cell: float | None = None
    """Where given, a cell of the finest level lasts so many frames; else time is gridded like space."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LossWeights:
    """Factors of the losses; 0 leaves a term out, and what only it needs is not evaluated."""

    colour: float = 5.0
    """Paper B, Eq. 13."""
    gradient: float = 1.0
    """Eq. 13, second part."""
    sparsity: float = 1.0
    """Eq. 14."""
    flow_mapping: float = 0.01
    """Eq. 15, first part."""
    flow_alpha: float = 0.05
    """Eq. 15, second part."""
    bootstrap: float = 2.0
    """Eq. 16; until ``bootstrap_steps``."""
    rigidity: float = 0.001
    """Layered Neural Atlases, at a distance of one pixel."""
    global_rigidity: float = 0.005
    """The same at 100 pixels, objects; until ``global_rigidity_steps``."""
    global_rigidity_background: float = 0.05
    """And of the background."""
    residual: float = 0.5
    """Eq. 11."""
    consistency: float = 0.1
    """Eq. 10."""
    hidden: float = 0.0
    """Light of the background where somebody hides it goes on from what is around; ours."""
    lasting: float = 0.0
    """What of the light is there at all times goes to the texture; ours."""
    alpha: float = 0.1
    """Eq. 12."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NvdConfig:
    """Everything that hashed atlases can be told; the defaults are those of preset ``paper``."""

    n_steps: int = PAPER_STEPS
    """Optimiser steps after pre-training. Paper B, Appendix C."""
    batch_points: int = 10_000
    """Points of the clip in a step. Appendix C."""
    object_share: float = 0.0
    """Share of a step's points that is drawn from the objects' surroundings alone."""
    motion_share: float = 1.0
    """Share of a step's points at which flow and rigidity are looked at."""
    mapping: Literal["network", "warp"] = "network"
    """A network from place and time to UV; or what is known of the motion, with a small warp learned over it."""
    warp: GridConfig = field(default_factory=lambda: GridConfig(n_levels=3, base=6, growth=2.0))
    """Grid of the warp, in u, v and t as they were known."""
    warp_rate: float = 0.1
    """UV units that a value of 1 in the warp's grid stands for."""
    mend_rate: float = 0.02
    """The same for the affine change that mends a camera path."""
    texture: FieldConfig = field(default_factory=FieldConfig)
    """UV to colour."""
    residual: FieldConfig = field(default_factory=FieldConfig)
    """UV and time to light."""
    residual_background: FieldConfig | None = None
    """The background's, where it is another one."""
    background_warps: bool = True
    """Whether a known camera path is mended by the warp too."""
    background_from_bare: bool = False
    """Whether the background learns from points with nobody near alone."""
    mends_camera: bool = False
    """Whether an affine change a frame is learned over the known camera path, where it has no warp."""
    alpha: FieldConfig = field(default_factory=FieldConfig)
    """Place and time to mattes."""
    residual_kind: Literal["multiplicative", "additive", "none"] = "multiplicative"
    """What the residual does to colour; the others for the ablation."""
    positive: Literal["softplus", "exp"] = "softplus"
    """What makes the residual positive; ``exp`` starts at 1."""
    light_rate: float = 1.0
    """Factor on what the residual's field gives, before that: with a larger one light is learned in fewer steps."""
    alpha_from_masks: bool = False
    """Whether mattes start at the masks and only the difference is learned."""
    uv_scale: float = 0.9
    """Size of objects in their atlas before training. Released system."""
    uv_scale_background: float = 0.6
    """And of the background. Paper B, Appendix C."""
    pretrain_rounds: int = 100
    """Rounds of pre-training of the mapping networks, a step for every frame. Released system."""
    pretrain_on_motion: bool = False
    """Teach the mapping what is known of the motion, instead of the identity."""
    grid_rate: float = 1e-2
    """Adam's learning rate of grids. Released system."""
    network_rate: float = 1e-4
    """And of networks."""
    last_rate: float = 1.0
    """Factor on both at the end, reached exponentially. 1 keeps them, as released."""
    weights: LossWeights = field(default_factory=LossWeights)
    """Factors of the losses."""
    consistency_every: int = 1
    """Steps from one look at the residuals' consistency to the next, which then counts so many times."""
    bootstrap_steps: int = 10_000
    """Steps with the masks' loss. Released system."""
    global_rigidity_steps: int = 5_000
    """Steps with global rigidity. Released system."""
    transfer_detail: bool = True
    """Whether layers take what the composite misses of the frame."""
    save_secs: float = 20.0
    """Least time between two checkpoints."""

    def __post_init__(self) -> None:
        """Refuse what cannot be trained.

        Raises:
            InputError: a count or rate out of its range.
        """
        for name, count, least in (
            ("n_steps", self.n_steps, 1),
            ("batch_points", self.batch_points, 1),
            ("pretrain_rounds", self.pretrain_rounds, 0),
            ("consistency_every", self.consistency_every, 1),
        ):
            if count < least:
                raise InputError("config", f"nvd.{name} must be {least} or more", got=str(count))
        for name, value, most in (
            ("grid_rate", self.grid_rate, 1),
            ("network_rate", self.network_rate, 1),
            ("last_rate", self.last_rate, 1),
            ("uv_scale", self.uv_scale, 1),
            ("uv_scale_background", self.uv_scale_background, 1),
            ("light_rate", self.light_rate, 100),
            ("motion_share", self.motion_share, 1),
        ):
            if not 0 < value <= most:
                raise InputError("config", f"nvd.{name} must be above 0, and {most} at most", got=str(value))
        if not 0 <= self.object_share < 1:
            raise InputError("config", "nvd.object_share must be 0 or more, and below 1", got=str(self.object_share))


def nvd_paper_config() -> NvdConfig:
    """Preset ``paper``."""
    return NvdConfig()


@dataclass(frozen=True, kw_only=True, slots=True)
class NvdStandardConfig(NvdConfig):
    """The paper's networks with the defaults of preset ``standard``: fewer, larger steps from what is known."""

    n_steps: int = 6_000
    """Optimiser steps after pre-training."""
    batch_points: int = 60_000
    """Points of the clip in a step."""
    pretrain_rounds: int = 20
    """Rounds of pre-training."""
    pretrain_on_motion: bool = True
    """Teach the mapping the camera's path and where subjects are."""
    network_rate: float = 1e-3
    """Adam's learning rate of networks."""
    last_rate: float = 0.1
    """Factor on the rates at the end."""
    bootstrap_steps: int = 1_200
    """Steps with the masks' loss."""
    global_rigidity_steps: int = 600
    """Steps with global rigidity."""


def nvd_standard_config() -> NvdConfig:
    """Preset ``standard``."""
    return NvdStandardConfig()


def _grid(n_levels: int, growth: float, log2_entries: int) -> GridConfig:
    return GridConfig(n_levels=n_levels, growth=growth, log2_entries=log2_entries)


@dataclass(frozen=True, kw_only=True, slots=True)
class NvdDraftConfig(NvdConfig):
    """The same losses with fields that two cores can train: known motion, grids that hardly need a network."""

    n_steps: int = 2_000
    """Optimiser steps; what they give is in decision 0026."""
    batch_points: int = 6_000
    """Points of the clip in a step."""
    object_share: float = 0.3
    """Share of points from the objects' surroundings: they are small, and move most."""
    motion_share: float = 0.25
    """Share of points at which flow and rigidity are looked at."""
    mapping: Literal["network", "warp"] = "warp"
    """Known motion with a small warp."""
    texture: FieldConfig = field(
        default_factory=lambda: FieldConfig(grid=_grid(5, 1.8, 17), n_hidden=1, width=16, finest_px=1.0)
    )
    """UV to colour."""
    residual: FieldConfig = field(
        default_factory=lambda: FieldConfig(grid=_grid(4, 1.8, 17), n_hidden=0, finest_px=3.0, frames_a_cell=1.0)
    )
    """UV and time to light."""
    residual_background: FieldConfig | None = field(
        default_factory=lambda: FieldConfig(grid=_grid(4, 1.8, 19), n_hidden=0, finest_px=6.0, frames_a_cell=1.0)
    )
    """Coarser: light on a wall is smoother than what changes on somebody who moves."""
    background_warps: bool = False
    """Paint on a wall must not swim."""
    background_from_bare: bool = True
    """So that it holds no ghosts of those in front of it, however fine its residual."""
    mends_camera: bool = True
    """Moving lights pull an estimated path along by parts of a pixel."""
    alpha: FieldConfig = field(
        default_factory=lambda: FieldConfig(grid=_grid(4, 1.8, 17), n_hidden=0, finest_px=3.0, frames_a_cell=1.0)
    )
    """Place and time to mattes."""
    positive: Literal["softplus", "exp"] = "exp"
    """The residual starts at 1."""
    light_rate: float = 4.0
    """A short course must get from 1 to the brightest spot."""
    alpha_from_masks: bool = True
    """Mattes start at the masks."""
    uv_scale_background: float = 0.9
    """Size of the background in its atlas."""
    pretrain_rounds: int = 0
    """The motion is known."""
    weights: LossWeights = field(
        default_factory=lambda: LossWeights(gradient=0.0, residual=0.02, hidden=0.5, lasting=0.2)
    )
    """Factors of the losses; gradients would cost three times the points and gain little (decision 0022), and what is
    hidden goes on from what is seen around it (0026)."""
    consistency_every: int = 4
    """A fifth of a step's time otherwise."""
    network_rate: float = 3e-3
    """Adam's learning rate of networks."""
    last_rate: float = 0.1
    """Factor on the rates at the end."""
    bootstrap_steps: int = 400
    """Steps with the masks' loss."""
    global_rigidity_steps: int = 200
    """Steps with global rigidity."""


def nvd_draft_config() -> NvdConfig:
    """Preset ``draft``."""
    return NvdDraftConfig()


def nvd_shortened(config: NvdConfig, n_steps: int) -> NvdConfig:
    """The same course of training in another number of steps: every step number is scaled alike.

    Example:
        >>> short = nvd_shortened(nvd_paper_config(), 500)
        >>> short.n_steps, short.bootstrap_steps, short.global_rigidity_steps, short.pretrain_rounds
        (500, 100, 50, 1)
    """

    def scaled(steps: int) -> int:
        return round(steps * n_steps / config.n_steps)

    return replace(
        config,
        n_steps=n_steps,
        bootstrap_steps=scaled(config.bootstrap_steps),
        global_rigidity_steps=scaled(config.global_rigidity_steps),
        pretrain_rounds=min(config.pretrain_rounds, max(scaled(config.pretrain_rounds), 1)),
    )
