"""Layers whose motion nobody knows: no flow that can be trusted lies on their masks."""

from __future__ import annotations

import torch

from polytempo.decompose.nvd.footage import Footage


def unfollowed_layers(footage: Footage) -> tuple[int, ...]:
    """Ids of layers that have masks, on which flow is trusted in no frame; their atlases are held together by nothing.

    Args:
        footage: With flow.
    """
    trusted = footage.trusted[0] | footage.trusted[1]
    masked = footage.masks > 0
    met = torch.stack([(one & trusted).any() for one in masked])
    return tuple(
        layer_id
        for layer_id, there, followed in zip(footage.layer_ids, masked.flatten(1).any(1), met, strict=True)
        if bool(there) and not bool(followed)
    )
