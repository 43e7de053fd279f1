"""Layers on which no flow can be trusted are named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from polytempo.decompose.nvd.footage import clip_footage
from polytempo.decompose.nvd.unfollowed import unfollowed_layers
from polytempo.objects.flow import FlowField
from polytempo.synth.draw import DrawnScene
from support import true_cast


def test_a_layer_that_flow_never_meets_is_named(crossing_scene: DrawnScene) -> None:
    scene, cast = crossing_scene, true_cast(crossing_scene)
    shape = (len(scene.pictures) - 1, *scene.pictures.shape[1:3], 2)
    still = np.zeros(shape, np.float16)
    footage = clip_footage(scene.pictures, cast, FlowField(to_next=still, to_previous=still))
    assert unfollowed_layers(footage) == ()
    torn = still.copy()
    torn[np.broadcast_to(scene.masks[1].any(0)[None], shape[:3])] = 20  # there, and nothing that comes back
    footage = clip_footage(scene.pictures, cast, FlowField(to_next=torn, to_previous=torn))
    apart = torn.any(-1).any(0) & scene.masks[0].any(0)
    assert unfollowed_layers(footage) == ((2,) if not apart.all() else (1, 2))
    nobody = replace(footage, masks=footage.masks * 0)
    assert unfollowed_layers(nobody) == ()
