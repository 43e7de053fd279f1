"""From the keypoints of a subject to part and UV of every frame, two ways behind one function."""

from __future__ import annotations

from typing import Any, TypeVar

import cv2
import numpy as np
import torch
from jaxtyping import Float32, UInt8
from numpy.typing import NDArray

from polytempo.bodies.keypoints import Keypoints, KeypointTrack
from polytempo.bodies.limbs import poses
from polytempo.bodies.rasterise import BodyMap, body_map
from polytempo.bodies.skeleton import body_crop, skeleton_picture
from polytempo.bodies.uv_network import UvNetwork, decoded

A = TypeVar("A", bound=np.generic)


def keypoints_to_uv(
    track: KeypointTrack, *, size: tuple[int, int], build: float = 1.0, network: UvNetwork | None = None
) -> BodyMap:
    """Part and UV of a subject in every frame, whole also where it is hidden.

    Args:
        track: Keypoints in every frame, gaps closed.
        size: ``(width, height)`` of the frames.
        build: Width of the geometric body's limbs.
        network: Gives part and UV instead of the geometric body.

    Source: LNR, Section 4.5.
    """
    n_frames = len(track.points)
    if network is None:
        return body_map(poses(track), n_frames=n_frames, size=size, build=build)
    part = np.zeros((n_frames, size[1], size[0]), np.uint8)
    uv = np.zeros((n_frames, size[1], size[0], 2), np.float16)
    for t in np.flatnonzero(track.present):
        part[t], uv[t] = network_uv(network, track.points[t], size=size)
    return BodyMap(part=part, uv=uv)


def network_uv(
    network: UvNetwork, points: Keypoints, *, size: tuple[int, int]
) -> tuple[UInt8[np.ndarray, "H W"], Float32[np.ndarray, "H W 2"]]:
    """The network's part and UV of one frame: found in a crop of its own, carried back by the nearest pixel.

    Raises:
        InputError: fewer than two keypoints are known.
    """
    crop = body_crop(points, side=network.config.side)
    with torch.no_grad():
        logits, uv = network(torch.from_numpy(skeleton_picture(points, crop))[None])
    part, places = decoded(logits[0], uv[0])
    matrix = crop.picture_from_frame
    return warped(part, matrix, size, inverse=True), warped(places, matrix, size, inverse=True)


def warped(
    values: NDArray[A], matrix: NDArray[np.float64], size: tuple[int, int], *, inverse: bool = False
) -> NDArray[A]:
    """A field through an affine map (or its inverse) by the nearest pixel, 0 outside."""
    flags = cv2.INTER_NEAREST | (cv2.WARP_INVERSE_MAP if inverse else 0)
    any_type: Any = values  # the stubs know no type variables
    moved: Any = cv2.warpAffine(any_type, matrix, size, flags=flags)
    return moved
