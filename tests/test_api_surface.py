"""The public names are an inventory: adding or taking one away is a decision, not an accident."""

from __future__ import annotations

import subprocess
import sys

import polytempo

PUBLIC = [
    "Background",
    "CameraConfig",
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
    "PlateConfig",
    "PolytempoError",
    "Progress",
    "Project",
    "Prompts",
    "RenderConfig",
    "ResourceError",
    "SegmentConfig",
    "Settings",
    "ShapeError",
    "StackWriter",
    "Subject",
    "TimeMap",
    "VersionError",
    "build_cast",
    "clean_plate",
    "decompose_draft",
    "delay",
    "duplicate",
    "estimate_camera",
    "freeze",
    "identity_edl",
    "open_project",
    "probe",
    "read_edl",
    "read_homographies",
    "read_pictures",
    "read_prompts",
    "read_stack",
    "remove",
    "render_clip",
    "render_frames",
    "segment",
    "solo",
    "speed",
    "write_clip",
    "write_edl",
    "write_stack",
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
