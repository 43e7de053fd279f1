"""The public names are an inventory: adding or taking one away is a decision, not an accident."""

from __future__ import annotations

import subprocess
import sys

import polytempo

PUBLIC = [
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


def test_the_inventory() -> None:
    assert sorted(polytempo.__all__) == sorted(PUBLIC)
    assert sorted(polytempo.__all__) == dir(polytempo)


def test_every_name_can_be_had_and_says_what_it_is() -> None:
    for name in PUBLIC:
        value = getattr(polytempo, name)
        assert value.__name__ == name
        assert value.__module__.startswith("polytempo.")
        assert value.__doc__


def test_importing_is_quick() -> None:
    code = "import sys, polytempo, polytempo.core.errors; print(sorted({'torch', 'cv2', 'numba'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(polytempo, "nothing_of_that_name")
