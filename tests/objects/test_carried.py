from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from polytempo.camera.path import CameraPath, static_path
from polytempo.core.discs import grown
from polytempo.objects.body_flow import BodyFlowConfig, body_flow
from polytempo.objects.body_motion import MotionConfig, body_motion, camera_field
from polytempo.objects.carried import CarryConfig, carried_bodies
from polytempo.objects.whole_body import whole_body

SIZE = (144, 96)
FRAMES = 40
APART = 5
"""So many frames at either end nothing is in front, and the body is seen from its other side."""


@dataclass(frozen=True)
class Scene:
    pictures: np.ndarray
    mask: np.ndarray
    front: np.ndarray
    body: np.ndarray
    bare: np.ndarray
    """The pictures without what is in front."""


def texture(rng: np.random.Generator, height: int, width: int, low: int, high: int) -> np.ndarray:
    return cv2.GaussianBlur(rng.integers(low, high, (height, width, 3)).astype(np.float32), (0, 0), 1.5)


def scene(*, pan: float = 0.0) -> Scene:
    """A body sways behind a bar that jumps: its upper or its lower half is seen, never both, and it has turned round.

    While it is hidden it has other colours than where it stands free, so that no whole frame can stand for it.
    """
    rng = np.random.default_rng(3)
    wide = texture(rng, SIZE[1], SIZE[0] + 200, 60, 255)
    sides = [
        np.clip(3 * (texture(rng, 48, 30, 0, 255) - 128) + tint, 0, 255) for tint in ((200, 60, 40), (40, 90, 200))
    ]
    pictures, bare = np.zeros((2, FRAMES, SIZE[1], SIZE[0], 3), np.uint8)
    body, front = np.zeros((2, FRAMES, SIZE[1], SIZE[0]), bool)
    for t in range(FRAMES):
        off = round(pan * t)
        bare[t] = wide[:, off : off + SIZE[0]]
        hidden = APART <= t < FRAMES - APART
        x, y = 50 + round(8 * np.sin(t / 5)) + (14 if pan else 0) - off // 2, 30 + round(3 * np.cos(t / 4))
        body[t, y : y + 48, x : x + 30] = True
        bare[t, y : y + 48, x : x + 30] = sides[1 if hidden else 0]
        pictures[t] = bare[t]
        if hidden:
            top = 26 if (t // 6) % 2 else 54
            front[t, top : top + 28, x - 14 : x + 46] = True
            pictures[t][front[t]] = (30, 160, 60)
    return Scene(pictures=pictures, mask=body & ~front, front=front, body=body, bare=bare)


def seen_whole_once(t: int) -> bool:
    """Both halves have been seen by then, and will be seen again."""
    return APART + 8 <= t < FRAMES - APART - 8


@pytest.mark.parametrize("pan", [0.0, 1.0])
def test_a_body_whose_halves_are_seen_in_turn_comes_back(pan: float) -> None:
    drawn = scene(pan=pan)
    camera = static_path(FRAMES, SIZE)
    if pan:
        moved = np.tile(np.eye(3), (FRAMES, 1, 1))
        moved[:, 0, 2] = np.round(pan * np.arange(FRAMES))
        camera = CameraPath(
            canvas_from_frame=moved,
            canvas_size=(SIZE[0] + FRAMES, SIZE[1]),
            frame_size=SIZE,
            kind="panning",
            residual_px=np.zeros(FRAMES),
        )
    found = carried_bodies(drawn.mask, drawn.front, drawn.pictures, camera, config=CarryConfig())
    assert sorted(found) == np.flatnonzero(drawn.front.any((1, 2))).tolist()
    wrong, overlap = [], []
    for t in filter(seen_whole_once, found):
        hidden = drawn.body[t] & drawn.front[t]
        alpha = found[t][..., 3]
        colour = found[t][..., :3] / np.maximum(alpha, 1e-3)[..., None]
        inside = cv2.erode(hidden.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        wrong.append(np.abs(colour - drawn.bare[t] / 255.0)[inside].mean())
        body = (alpha > 0.5) & drawn.front[t]
        overlap.append((body & hidden).sum() / (body | hidden).sum())
    # The colours that it had where it stood free are about 0.4 away, and of the bar's 0.3.
    assert np.mean(wrong) < 0.1
    assert np.mean(overlap) > 0.85
    assert min(overlap) > 0.7


def test_pieces_stand_in_only_where_no_posture_is_alike() -> None:
    drawn = scene()
    camera = static_path(FRAMES, SIZE)
    unlike = whole_body(drawn.mask, drawn.front, drawn.pictures, camera)
    assert set(unlike.carried) == set(np.flatnonzero(drawn.front.any((1, 2))).tolist())
    # The same body in the same colours all along is found whole on other frames.
    same = np.where(drawn.body[..., None], np.uint8(200), drawn.pictures)
    same[drawn.front] = (30, 160, 60)
    like = whole_body(drawn.mask, drawn.front, same, camera)
    assert not like.carried
    assert like.frames


def test_nothing_is_put_where_the_background_is_seen() -> None:
    drawn = scene()
    found = carried_bodies(drawn.mask, drawn.front, drawn.pictures, static_path(FRAMES, SIZE), config=CarryConfig())
    for t, rgba in found.items():
        outside = ~drawn.body[t] & ~grown(drawn.front[t], 6)
        assert rgba[outside, 3].max() < 0.6  # the soft edge of what is seen of it
        assert (rgba[..., :3] <= rgba[..., 3:] + 1e-5).all()


def test_nobody_in_front_or_nobody_there_needs_nothing() -> None:
    drawn = scene()
    camera = static_path(FRAMES, SIZE)
    none = np.zeros_like(drawn.front)
    assert carried_bodies(drawn.mask, none, drawn.pictures, camera, config=CarryConfig()) == {}
    assert carried_bodies(none, drawn.front, drawn.pictures, camera, config=CarryConfig()) == {}


def test_the_motion_of_a_piece_is_that_of_what_is_hidden() -> None:
    drawn = scene()
    flow = body_flow(drawn.mask, drawn.pictures, config=BodyFlowConfig())
    camera = static_path(FRAMES, SIZE)
    motion = body_motion(drawn.mask, flow, camera, step=1, scale=38.0, config=MotionConfig())
    left = np.array([np.flatnonzero(one.any(0))[0] for one in drawn.body])
    for t in range(APART + 2, FRAMES - APART - 1):
        hidden = drawn.body[t] & drawn.front[t]
        if (t // 6) != ((t - 1) // 6):
            continue  # the bar has jumped, and little is seen on both frames
        assert np.median(motion.field(t)[hidden][:, 0]) == pytest.approx(left[t - 1] - left[t], abs=0.6)
    assert motion.sureness[0] == 0
    assert motion.sureness[2] > 0.9


def test_a_camera_that_pans_moves_what_stands_still() -> None:
    moved = np.tile(np.eye(3), (2, 1, 1))
    moved[1, 0, 2] = 5
    camera = CameraPath(
        canvas_from_frame=moved, canvas_size=(40, 20), frame_size=(32, 20), kind="panning", residual_px=np.zeros(2)
    )
    assert camera_field(camera, 1, 0) == pytest.approx(np.broadcast_to((5.0, 0.0), (20, 32, 2)))


def test_a_tuft_that_a_limb_left_behind_is_cut_and_a_limb_is_not() -> None:
    rng = np.random.default_rng(6)
    n, wall = 8, texture(rng, SIZE[1], SIZE[0], 60, 255)
    body, front = np.zeros((2, n, SIZE[1], SIZE[0]), bool)
    body[:, 40:80, 50:80] = True
    body[:, 24:40, 54:66] = True  # a limb
    body[:, 26:40, 74:77] = True  # a tuft
    front[3:6, 10:60, 40:90] = True
    skin = np.clip(texture(rng, SIZE[1], SIZE[0], 0, 120), 0, 255)
    pictures = np.where(body[..., None], skin, wall).astype(np.uint8)
    pictures[front] = (30, 160, 60)
    found = carried_bodies(body & ~front, front, pictures, static_path(n, SIZE), config=CarryConfig())
    for t in (3, 4, 5):
        alpha = found[t][..., 3]
        assert alpha[28:38, 56:64].min() > 0.9
        assert alpha[28:36, 74:77].max() < 0.3


def test_who_crouches_where_he_is_seen_stands_no_longer_behind_who_is_in_front() -> None:
    rng = np.random.default_rng(5)
    wall = texture(rng, SIZE[1], SIZE[0], 60, 255)
    skin = np.clip(3 * (texture(rng, 48, 30, 0, 255) - 128) + (200, 60, 40), 0, 255)
    n, crouches = 30, 14
    pictures = np.zeros((n, SIZE[1], SIZE[0], 3), np.uint8)
    body, front = np.zeros((2, n, SIZE[1], SIZE[0]), bool)
    for t in range(n):
        pictures[t] = wall
        high, left = (48, 46) if t < crouches else (22, 72)
        body[t, 80 - high : 80, left : left + 30] = True
        pictures[t, 80 - high : 80, left : left + 30] = skin[48 - high :]
        if 6 <= t < 24:
            front[t, 20:90, 36:80] = True  # all of him while he stands, a part of him then
            pictures[t][front[t]] = (30, 160, 60)
    mask, camera = body & ~front, static_path(n, SIZE)

    def beyond(config: CarryConfig) -> list[int]:
        found = carried_bodies(mask, front, pictures, camera, config=config)
        return [int(((found[t][..., 3] > 0.5) & ~grown(body[t], 3)).sum()) for t in range(crouches + 1, 24)]

    assert max(beyond(CarryConfig(most=99.0, doubt_weight=0.002))) > 400  # two bodies
    assert max(beyond(CarryConfig())) < 60
