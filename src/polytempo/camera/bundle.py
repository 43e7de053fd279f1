"""All frames' homographies refined together, so that every pair of frames that share points agrees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from polytempo.camera.features import Pairing


def unit_from_pixels(size: tuple[int, int]) -> NDArray[np.float64]:
    """Scaling ``[3, 3]`` that puts the frame's middle at 0 and half its width at 1, so that numbers are of one size."""
    half = size[0] / 2
    return np.array([[1 / half, 0, -(size[0] - 1) / size[0]], [0, 1 / half, -(size[1] - 1) / size[0]], [0, 0, 1.0]])


def increments(delta: Float64[np.ndarray, "*B 8"]) -> Float64[np.ndarray, "*B 3 3"]:
    """Homographies near the identity from eight numbers each, the last entry held at 1."""
    full = np.concatenate([delta, np.zeros((*delta.shape[:-1], 1))], axis=-1)
    return np.eye(3) + full.reshape(*delta.shape[:-1], 3, 3)


def refine_together(
    canvas_from_frame: Float64[np.ndarray, "T 3 3"],
    pairings: Sequence[Pairing],
    *,
    reference: int,
    size: tuple[int, int],
    n_rounds: int = 8,
    scale_px: float = 0.5,
    n_points: int = 120,
) -> Float64[np.ndarray, "T 3 3"]:
    """Least transfer error over all pairs of frames at once, outliers weighed down.

    Args:
        canvas_from_frame: Start; the frame ``reference`` stays where it is.
        pairings: Points shared by pairs of frames; only their inliers are used.
        reference: Frame that is held.
        size: ``(width, height)`` of the frames.
        n_rounds: Gauss-Newton rounds.
        scale_px: Error at which a point's weight has fallen to a half.
        n_points: Most points of one pair.

    Returns:
        Refined homographies, last entry 1.

    Source: Gauss-Newton on the symmetric parametrisation H <- H (I + D), Cauchy weights; ours.
    """
    if not pairings:
        return canvas_from_frame
    scale = unit_from_pixels(size)
    back = np.linalg.inv(scale)
    path = scale @ canvas_from_frame @ back
    source = np.concatenate([_sample(p.source_points[p.inlier], n_points) for p in pairings])
    target = np.concatenate([_sample(p.target_points[p.inlier], n_points) for p in pairings])
    counts = [min(int(p.inlier.sum()), n_points) for p in pairings]
    edge = np.repeat(np.arange(len(pairings)), counts)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    s_of = np.array([p.source for p in pairings])
    t_of = np.array([p.target for p in pairings])
    source_unit = (np.c_[source, np.ones(len(source))] @ scale.T)[:, :2]
    target_unit = (np.c_[target, np.ones(len(target))] @ scale.T)[:, :2]
    half_scale = (scale_px * scale[0, 0]) ** 2
    for _ in range(n_rounds):
        between = np.linalg.inv(path[t_of]) @ path[s_of]
        jacobian_s, jacobian_t, error = _linearised(source_unit, target_unit, between[edge])
        weight = 1 / (1 + (error**2).sum(1) / half_scale)
        step = _solve(jacobian_s, jacobian_t, error, weight, starts, s_of, t_of, n=len(path), held=reference)
        path = path @ increments(step)
        path /= path[:, 2:, 2:]
        if np.abs(step).max() * size[0] < 1e-3:
            break
    moved = back @ path @ scale
    return moved / moved[:, 2:, 2:]


def transfer_errors(pairing: Pairing, canvas_from_frame: Float64[np.ndarray, "T 3 3"]) -> Float64[np.ndarray, " N"]:
    """Distance in the target frame between each point and where its partner lands, in pixels."""
    between = np.linalg.inv(canvas_from_frame[pairing.target]) @ canvas_from_frame[pairing.source]
    moved = np.c_[pairing.source_points, np.ones(len(pairing.source_points))] @ between.T
    return np.linalg.norm(moved[:, :2] / moved[:, 2:] - pairing.target_points, axis=1)


def _sample(points: NDArray[np.float64], n_points: int) -> NDArray[np.float64]:
    if len(points) <= n_points:
        return points
    return points[np.linspace(0, len(points) - 1, n_points).round().astype(int)]


def _linearised(
    source: NDArray[np.float64], target: NDArray[np.float64], between: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Error ``[N, 2]`` of each point and its derivatives ``[N, 2, 8]`` by the source's and the target's increment."""
    ones = np.ones(len(source))
    reached = np.einsum("nij,nj->ni", between, np.c_[source, ones])
    place = reached[:, :2] / reached[:, 2:]
    project = np.zeros((len(source), 2, 3))
    project[:, 0, 0] = project[:, 1, 1] = 1 / reached[:, 2]
    project[:, :, 2] = -place / reached[:, 2:]
    by_source = (project @ between) @ _basis(source)
    at_place = np.zeros((len(source), 2, 3))
    at_place[:, 0, 0] = at_place[:, 1, 1] = 1
    at_place[:, :, 2] = -place
    return by_source, -at_place @ _basis(place), place - target


def _basis(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Derivative ``[N, 3, 8]`` of ``(I + D) (x, y, 1)`` by D's eight entries."""
    basis = np.zeros((len(points), 3, 8))
    homogeneous = np.c_[points, np.ones(len(points))]
    basis[:, 0, 0:3] = homogeneous
    basis[:, 1, 3:6] = homogeneous
    basis[:, 2, 6:8] = points
    return basis


def _solve(
    jacobian_s: NDArray[np.float64],
    jacobian_t: NDArray[np.float64],
    error: NDArray[np.float64],
    weight: NDArray[np.float64],
    starts: NDArray[np.int_],
    s_of: NDArray[np.int_],
    t_of: NDArray[np.int_],
    *,
    n: int,
    held: int,
) -> NDArray[np.float64]:
    """Gauss-Newton step ``[T, 8]`` by conjugate gradients over the graph of pairs; memory grows with the pairs only."""
    both = np.concatenate([jacobian_s, jacobian_t], axis=2)
    weighted = both * weight[:, None, None]
    blocks = np.add.reduceat(np.einsum("nki,nkj->nij", weighted, both), starts, axis=0)
    right = np.add.reduceat(np.einsum("nki,nk->ni", weighted, error), starts, axis=0)
    diagonal = np.zeros((n, 8, 8))
    gradient = np.zeros((n, 8))
    np.add.at(diagonal, s_of, blocks[:, :8, :8])
    np.add.at(diagonal, t_of, blocks[:, 8:, 8:])
    np.add.at(gradient, s_of, right[:, :8])
    np.add.at(gradient, t_of, right[:, 8:])
    damping = 1e-6 * np.trace(diagonal, axis1=1, axis2=2)[:, None, None] * np.eye(8) / 8 + 1e-9 * np.eye(8)
    preconditioner = np.linalg.inv(diagonal + damping)
    free = np.ones((n, 1))
    free[held] = 0

    def product(x: NDArray[np.float64]) -> NDArray[np.float64]:
        pulled = np.einsum("eij,ej->ei", blocks, np.concatenate([x[s_of], x[t_of]], axis=1))
        y = np.einsum("nij,nj->ni", damping, x)
        np.add.at(y, s_of, pulled[:, :8])
        np.add.at(y, t_of, pulled[:, 8:])
        return y * free

    x = np.zeros((n, 8))
    residual = -gradient * free
    z = np.einsum("nij,nj->ni", preconditioner, residual)
    direction = z.copy()
    power = start = float((residual * z).sum())
    for _ in range(400):
        if power <= 1e-12 * start or power == 0:
            break
        along = product(direction)
        length = power / float((direction * along).sum())
        x += length * direction
        residual -= length * along
        z = np.einsum("nij,nj->ni", preconditioner, residual)
        power, before = float((residual * z).sum()), power
        direction = z + power / before * direction
    return x * free
