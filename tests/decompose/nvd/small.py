"""Settings and footage small enough to learn in seconds."""

from __future__ import annotations

from dataclasses import replace

from polytempo.decompose.nvd.config import FieldConfig, NvdConfig, nvd_draft_config, nvd_shortened
from polytempo.decompose.nvd.encoding.layout import GridConfig
from polytempo.decompose.nvd.footage import Footage, clip_footage
from polytempo.objects.flow import neighbour_flow
from polytempo.synth.draw import DrawnScene
from support import true_cast

GRID = GridConfig(n_levels=4, base=6, growth=1.8, log2_entries=11)


def small_config(n_steps: int = 6, **changes: object) -> NvdConfig:
    config = replace(nvd_shortened(nvd_draft_config(), n_steps), batch_points=600, save_secs=0.0)
    return replace(config, **changes)


def small_field(**changes: object) -> FieldConfig:
    return replace(FieldConfig(grid=GRID, n_hidden=1, width=16), **changes)


def drawn_footage(scene: DrawnScene) -> Footage:
    return clip_footage(scene.pictures, true_cast(scene), neighbour_flow(scene.pictures))
