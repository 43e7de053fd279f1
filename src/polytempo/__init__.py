"""polytempo: each person in a clip on a clock of their own.

The public names live here and are loaded when first used, so that ``import polytempo`` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polytempo.atlas.edit import AtlasEdit, edited_stack, overlay_edit, recoloured_edit, repainted_edit
    from polytempo.atlas.on_frame import overlay_from_frame
    from polytempo.atlas.picture import AtlasPicture, atlas_pictures
    from polytempo.atlas.recolour import Recolour
    from polytempo.atlas.sticker import sticker, text_picture
    from polytempo.atlas.track import atlas_tracks
    from polytempo.camera.estimate import CameraConfig, estimate_camera
    from polytempo.camera.homographies_file import read_homographies
    from polytempo.camera.path import CameraPath
    from polytempo.camera.plate import CleanPlate, PlateConfig, clean_plate
    from polytempo.core.errors import (
        CancelledError,
        InputError,
        PolytempoError,
        ResourceError,
        ShapeError,
        VersionError,
    )
    from polytempo.core.progress import Progress
    from polytempo.decompose.lnr.draft import DraftConfig, decompose_draft
    from polytempo.decompose.nvd.build import decompose_nvd, learn_atlases
    from polytempo.decompose.nvd.config import NvdConfig, nvd_draft_config
    from polytempo.edit.algebra import compose, inverse, shifted, sliced, split
    from polytempo.edit.align.choose import Alignment, align_motions
    from polytempo.edit.align.landmarks import landmark_map
    from polytempo.edit.align.signals import MotionSignal, signal_from_keypoints, signal_from_masks
    from polytempo.edit.align.warp import Warp, time_map_from_warp
    from polytempo.edit.camera import CameraKey
    from polytempo.edit.edl import Edl, Instance, identity_edl, read_edl, write_edl
    from polytempo.edit.light import Light
    from polytempo.edit.operations.align import align, photo_finish
    from polytempo.edit.operations.delay import delay
    from polytempo.edit.operations.duplicate import duplicate
    from polytempo.edit.operations.freeze import freeze
    from polytempo.edit.operations.hold_on_exit import hold_on_exit
    from polytempo.edit.operations.keys import remap
    from polytempo.edit.operations.light import relight
    from polytempo.edit.operations.loop import loop
    from polytempo.edit.operations.picture import (
        frame_camera,
        interpolate,
        keep_grain,
        lock_camera,
        move_camera,
        put_at_level,
        widen_camera,
    )
    from polytempo.edit.operations.ramp import ramp
    from polytempo.edit.operations.remove import remove
    from polytempo.edit.operations.reverse import reverse
    from polytempo.edit.operations.solo import solo
    from polytempo.edit.operations.speed import speed
    from polytempo.edit.operations.stagger import stagger, swap
    from polytempo.edit.operations.trim import extend, trim
    from polytempo.edit.timemap import TimeMap, identity_map, keyed_map, smooth_map
    from polytempo.exchange.exr import read_exr, write_exr
    from polytempo.exchange.otio import read_otio, write_otio
    from polytempo.exchange.video import VideoConfig, write_video
    from polytempo.layers.mix import with_layers_from
    from polytempo.layers.shading import Shading
    from polytempo.layers.stack import Background, Layer, LayerStack
    from polytempo.layers.store import StackWriter, read_stack, write_stack
    from polytempo.layers.tap_vid import PointTracks, read_tap_vid, tap_vid_scores
    from polytempo.objects.build import CastConfig, build_cast
    from polytempo.objects.cast import Cast, LayerPlan, Subject
    from polytempo.objects.prompts import Prompts, read_prompts
    from polytempo.objects.segment import SegmentConfig, segment
    from polytempo.project.folder import Project, open_project
    from polytempo.project.settings import Settings
    from polytempo.render.sequence import RenderConfig, render_clip, render_frames
    from polytempo.video.clip import Clip
    from polytempo.video.frames import FrameStore
    from polytempo.video.probe import probe
    from polytempo.video.reader import ClipReader, read_pictures
    from polytempo.video.writer import write_clip

_HOMES = {
    "atlas.edit": (
        "AtlasEdit",
        "edited_stack",
        "overlay_edit",
        "recoloured_edit",
        "repainted_edit",
    ),
    "atlas.on_frame": ("overlay_from_frame",),
    "atlas.recolour": ("Recolour",),
    "atlas.sticker": (
        "sticker",
        "text_picture",
    ),
    "atlas.track": ("atlas_tracks",),
    "edit.camera": ("CameraKey",),
    "edit.light": ("Light",),
    "edit.operations.light": ("relight",),
    "layers.mix": ("with_layers_from",),
    "layers.shading": ("Shading",),
    "layers.tap_vid": (
        "PointTracks",
        "read_tap_vid",
        "tap_vid_scores",
    ),
    "atlas.picture": ("AtlasPicture", "atlas_pictures"),
    "camera.estimate": ("CameraConfig", "estimate_camera"),
    "camera.homographies_file": ("read_homographies",),
    "camera.path": ("CameraPath",),
    "camera.plate": ("CleanPlate", "PlateConfig", "clean_plate"),
    "core.errors": ("CancelledError", "InputError", "PolytempoError", "ResourceError", "ShapeError", "VersionError"),
    "core.progress": ("Progress",),
    "decompose.lnr.draft": ("DraftConfig", "decompose_draft"),
    "decompose.nvd.build": ("decompose_nvd", "learn_atlases"),
    "decompose.nvd.config": ("NvdConfig", "nvd_draft_config"),
    "edit.algebra": (
        "compose",
        "inverse",
        "shifted",
        "sliced",
        "split",
    ),
    "edit.align.choose": (
        "Alignment",
        "align_motions",
    ),
    "edit.align.landmarks": ("landmark_map",),
    "edit.align.signals": (
        "MotionSignal",
        "signal_from_keypoints",
        "signal_from_masks",
    ),
    "edit.align.warp": (
        "Warp",
        "time_map_from_warp",
    ),
    "edit.operations.align": (
        "align",
        "photo_finish",
    ),
    "edit.operations.hold_on_exit": ("hold_on_exit",),
    "edit.operations.keys": ("remap",),
    "edit.operations.loop": ("loop",),
    "edit.operations.picture": (
        "frame_camera",
        "interpolate",
        "keep_grain",
        "lock_camera",
        "move_camera",
        "put_at_level",
        "widen_camera",
    ),
    "edit.operations.ramp": ("ramp",),
    "edit.operations.reverse": ("reverse",),
    "edit.operations.stagger": (
        "stagger",
        "swap",
    ),
    "edit.operations.trim": (
        "extend",
        "trim",
    ),
    "exchange.exr": (
        "read_exr",
        "write_exr",
    ),
    "exchange.otio": (
        "read_otio",
        "write_otio",
    ),
    "exchange.video": (
        "VideoConfig",
        "write_video",
    ),
    "edit.edl": ("Edl", "Instance", "identity_edl", "read_edl", "write_edl"),
    "edit.operations.delay": ("delay",),
    "edit.operations.duplicate": ("duplicate",),
    "edit.operations.freeze": ("freeze",),
    "edit.operations.remove": ("remove",),
    "edit.operations.solo": ("solo",),
    "edit.operations.speed": ("speed",),
    "edit.timemap": ("TimeMap", "identity_map", "keyed_map", "smooth_map"),
    "layers.stack": ("Background", "Layer", "LayerStack"),
    "layers.store": ("StackWriter", "read_stack", "write_stack"),
    "objects.build": ("CastConfig", "build_cast"),
    "objects.cast": ("Cast", "LayerPlan", "Subject"),
    "objects.prompts": ("Prompts", "read_prompts"),
    "objects.segment": ("SegmentConfig", "segment"),
    "project.folder": ("Project", "open_project"),
    "project.settings": ("Settings",),
    "render.sequence": ("RenderConfig", "render_clip", "render_frames"),
    "video.clip": ("Clip",),
    "video.frames": ("FrameStore",),
    "video.probe": ("probe",),
    "video.reader": ("ClipReader", "read_pictures"),
    "video.writer": ("write_clip",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Alignment",
    "AtlasEdit",
    "AtlasPicture",
    "Background",
    "CameraConfig",
    "CameraKey",
    "CameraPath",
    "CancelledError",
    "Cast",
    "CastConfig",
    "CleanPlate",
    "Clip",
    "ClipReader",
    "DraftConfig",
    "Edl",
    "FrameStore",
    "InputError",
    "Instance",
    "Layer",
    "LayerPlan",
    "LayerStack",
    "Light",
    "MotionSignal",
    "NvdConfig",
    "PlateConfig",
    "PointTracks",
    "PolytempoError",
    "Progress",
    "Project",
    "Prompts",
    "Recolour",
    "RenderConfig",
    "ResourceError",
    "SegmentConfig",
    "Settings",
    "Shading",
    "ShapeError",
    "StackWriter",
    "Subject",
    "TimeMap",
    "VersionError",
    "VideoConfig",
    "Warp",
    "align",
    "align_motions",
    "atlas_pictures",
    "atlas_tracks",
    "build_cast",
    "clean_plate",
    "compose",
    "decompose_draft",
    "decompose_nvd",
    "delay",
    "duplicate",
    "edited_stack",
    "estimate_camera",
    "extend",
    "frame_camera",
    "freeze",
    "hold_on_exit",
    "identity_edl",
    "identity_map",
    "interpolate",
    "inverse",
    "keep_grain",
    "keyed_map",
    "landmark_map",
    "learn_atlases",
    "lock_camera",
    "loop",
    "move_camera",
    "nvd_draft_config",
    "open_project",
    "overlay_edit",
    "overlay_from_frame",
    "photo_finish",
    "probe",
    "put_at_level",
    "ramp",
    "read_edl",
    "read_exr",
    "read_homographies",
    "read_otio",
    "read_pictures",
    "read_prompts",
    "read_stack",
    "read_tap_vid",
    "recoloured_edit",
    "relight",
    "remap",
    "remove",
    "render_clip",
    "render_frames",
    "repainted_edit",
    "reverse",
    "segment",
    "shifted",
    "signal_from_keypoints",
    "signal_from_masks",
    "sliced",
    "smooth_map",
    "solo",
    "speed",
    "split",
    "stagger",
    "sticker",
    "swap",
    "tap_vid_scores",
    "text_picture",
    "time_map_from_warp",
    "trim",
    "widen_camera",
    "with_layers_from",
    "write_clip",
    "write_edl",
    "write_exr",
    "write_otio",
    "write_stack",
    "write_video",
]


def __getattr__(name: str) -> Any:
    """Load a public name from where it lives."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'polytempo' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"polytempo.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
