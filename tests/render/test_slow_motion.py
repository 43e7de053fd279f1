"""Between two frames, and several in one: against what a finer clip would show."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as F

import cv2
import numpy as np
import pytest
import torch

from polytempo.core.errors import ShapeError
from polytempo.edit.edl import Between
from polytempo.edit.operations.freeze import freeze
from polytempo.edit.operations.picture import (
    at_frame_rate,
    frame_camera,
    interpolate,
    keep_grain,
    lock_camera,
)
from polytempo.edit.operations.speed import speed
from polytempo.edit.operations.trim import trim
from polytempo.layers.sparse import crop_of_picture
from polytempo.layers.stack import Background
from polytempo.render.grain import measured_grain
from polytempo.render.interpolate import FLOW_SIDE_PX, FlowBetween, blended
from polytempo.render.learned import LearnedInterpolator
from polytempo.render.sequence import output_times, render_frames
from polytempo.render.showing import mean_crop
from support import psnr
from support.squares import HEIGHT, N_FRAMES, WIDTH, drawn_clip, drawn_stack, edit_of, panning_path, plain_frame


def textured_layer(x: float, y: float, *, turn: float = 0.0) -> np.ndarray:
    """A soft-edged, textured disc at a place, premultiplied ``[120, 160, 4]``."""
    rng = np.random.default_rng(1)
    cloth = cv2.GaussianBlur(rng.uniform(0, 255, (120, 160, 3)).astype(np.float32), (0, 0), 1.5)
    cloth = np.clip((cloth - 127) * 3 + 127, 0, 255)
    alpha = np.zeros((120, 160), np.float32)
    cv2.circle(alpha, (50, 60), 30, 255.0, -1)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 1.5)
    rgba = np.dstack([cloth * alpha[..., None] / 255, alpha])
    matrix = cv2.getRotationMatrix2D((50, 60), turn, 1)
    matrix[:, 2] += (x, y)
    return np.clip(np.rint(cv2.warpAffine(rgba, matrix, (160, 120), flags=cv2.INTER_CUBIC)), 0, 255).astype(np.uint8)


def whole(crop_x: int, crop_y: int, picture: np.ndarray, size: tuple[int, int] = (160, 120)) -> np.ndarray:
    out = np.zeros((size[1] + 200, size[0] + 200, 4), np.uint8)
    out[crop_y + 100 : crop_y + 100 + picture.shape[0], crop_x + 100 : crop_x + 100 + picture.shape[1]] = picture
    return out[100 : 100 + size[1], 100 : 100 + size[0]]


@pytest.mark.parametrize(("dx", "dy", "turn"), [(6.0, 2.0, 0.0), (12.0, -4.0, 0.0), (3.0, 1.0, 8.0)])
@pytest.mark.parametrize("share", [0.25, 0.5, 0.8])
def test_flow_moves_what_blending_doubles(dx: float, dy: float, turn: float, share: float) -> None:
    first = crop_of_picture(textured_layer(0, 0))
    second = crop_of_picture(textured_layer(dx, dy, turn=turn))
    truth = textured_layer(dx * share, dy * share, turn=turn * share)
    flowed = FlowBetween()(first, second, share, pair=0)
    mixed = blended(first, second, share)
    by_flow = psnr(whole(flowed.x, flowed.y, flowed.picture), truth)
    by_blend = psnr(whole(mixed.x, mixed.y, mixed.picture), truth)
    assert by_flow > 33
    assert by_flow > by_blend + 8


@pytest.mark.parametrize("share", [0.3, 0.5])
def test_small_flow_and_plain_sampling_agree_with_the_slow_reference(share: float) -> None:
    """A person-sized layer: flow at its own size and cubic sampling against what is shown."""
    first, second, truth = (
        cv2.resize(textured_layer(2.5 * k, k, turn=3 * k), (960, 720), interpolation=cv2.INTER_CUBIC)
        for k in (0.0, 1.0, share)
    )
    a, b = crop_of_picture(first), crop_of_picture(second)
    assert max(a.picture.shape) > FLOW_SIDE_PX  # so that flow is found at a smaller size

    def shown(flow: FlowBetween) -> np.ndarray:
        made = flow(a, b, share, pair=0)
        return whole(made.x, made.y, made.picture, (960, 720))

    reference = shown(FlowBetween(side_px=None))
    mixed = blended(a, b, share)
    by_blend = psnr(whole(mixed.x, mixed.y, mixed.picture, (960, 720)), truth)
    for quick in (shown(FlowBetween()), shown(FlowBetween(soft=True))):
        assert psnr(quick, reference) > 55
        assert psnr(quick, truth) > psnr(reference, truth) - 1 > by_blend + 10


def test_what_only_one_frame_has_is_mixed() -> None:
    first = crop_of_picture(textured_layer(0, 0))
    nobody = crop_of_picture(np.zeros((120, 160, 4), np.uint8))
    half = FlowBetween()(first, nobody, 0.5, pair=0)
    assert np.abs(half.picture.astype(int) * 2 - first.picture).max() <= 1


def test_the_mean_of_crops_is_the_mean_of_pictures() -> None:
    pictures = [textured_layer(4 * k, 0) for k in range(3)]
    mean = mean_crop([crop_of_picture(one) for one in pictures])
    wanted = np.stack(pictures).astype(np.float64).mean(axis=0)
    assert np.abs(whole(mean.x, mean.y, mean.picture) - wanted).max() <= 0.51


def test_half_speed_shows_the_moments_between() -> None:
    stack = drawn_stack()
    edl = speed(edit_of(stack), "red", factor=F(1, 2))
    blend = list(render_frames(stack, interpolate(edl, "red", between="blend"), drawn_clip()))
    first = plain_frame(stack, 1, {2: 1, 1: 0})
    second = plain_frame(stack, 1, {2: 1, 1: 1})
    assert np.abs(blend[1] - (first + second) / 2).max() <= 1.5  # red is opaque: mixing layers is mixing pictures
    nearest = list(render_frames(stack, edl, drawn_clip()))
    assert np.array_equal(nearest[0], blend[0])
    flow = list(render_frames(stack, interpolate(edl, "red", between="flow"), drawn_clip()))
    square = flow[1][10:12, :, 0] > 150
    assert np.flatnonzero(square[0])[[0, -1]].tolist() in ([6, 15], [7, 15], [6, 16], [7, 16])


@pytest.mark.parametrize("between", ["blend", "flow"])
def test_each_moment_is_the_same_whatever_was_shown_before(between: Between) -> None:
    for stack in (drawn_stack(), drawn_stack(panning_path())):
        edl = interpolate(speed(edit_of(stack), "red", factor=F(1, 3)), "red", between=between)
        in_a_row = list(render_frames(stack, edl, drawn_clip()))
        for n, frame in enumerate(in_a_row):
            assert np.array_equal(frame, next(render_frames(stack, edl, drawn_clip(), start=n)))


def test_double_speed_is_blurred_by_an_open_shutter() -> None:
    stack = drawn_stack()
    edl = interpolate(speed(edit_of(stack), "red", factor=F(2)), "red", between="nearest", shutter=1.0)
    frame = next(render_frames(stack, edl, drawn_clip(), start=1))
    # Frames 2, 3 and 4 go by: the square's front is a third as strong.
    pictures = [plain_frame(stack, 1, {2: 1, 1: one}) for one in (2, 3, 4)]
    assert np.abs(frame - np.mean(pictures, axis=0)).max() <= 1.5
    still = interpolate(edit_of(stack), "red", between="nearest", shutter=1.0)
    plain = list(render_frames(stack, edit_of(stack), drawn_clip()))
    assert all(map(np.array_equal, render_frames(stack, still, drawn_clip()), plain))


def test_a_locked_camera_shows_everything_from_one_place() -> None:
    stack = drawn_stack(panning_path())
    frames = list(render_frames(stack, lock_camera(edit_of(stack), at=F(2, 30)), drawn_clip()))
    for t, frame in enumerate(frames):
        wanted = plain_frame(stack, 2, {})
        for layer_id in stack.order[t]:
            rgba = stack.layer(layer_id).pictures[t].astype(np.float32)
            rgba = cv2.warpPerspective(rgba, stack.camera.frame_from_frame(2, t), stack.size)
            wanted = rgba[..., :3] + (1 - rgba[..., 3:] / 255) * wanted
        assert np.abs(frame - wanted).max() <= 1.01


def test_a_camera_frames_a_subject_as_it_was_filmed() -> None:
    stack = drawn_stack(panning_path())
    edl = frame_camera(freeze(edit_of(stack), "red", at=F(4, 30)), "red")
    frames = list(render_frames(stack, edl, drawn_clip()))
    assert all((frame[11, 24:34, 0] == 200).all() for frame in frames)  # where frame 4 has it


def test_a_trimmed_edit_is_a_part_of_the_whole_one() -> None:
    stack = drawn_stack(panning_path())
    whole_edit = list(render_frames(stack, edit_of(stack), drawn_clip()))
    part = list(render_frames(stack, trim(edit_of(stack), start=F(2, 30), stop=F(5, 30)), drawn_clip()))
    assert len(part) == 3
    assert all(map(np.array_equal, part, whole_edit[2:5]))


def test_a_frame_rate_of_its_own() -> None:
    edl = at_frame_rate(edit_of(drawn_stack()), F(60))
    assert output_times(edl, drawn_clip()) == [F(n, 60) for n in range(2 * N_FRAMES)]
    frames = list(render_frames(drawn_stack(), edl, drawn_clip()))
    plain = list(render_frames(drawn_stack(), edit_of(drawn_stack()), drawn_clip()))
    assert all(np.array_equal(frames[2 * n], plain[n]) for n in range(N_FRAMES))
    assert len(output_times(at_frame_rate(edit_of(drawn_stack()), F(25)), drawn_clip())) == 5


def grainy_stack(strength: float = 4.0) -> object:
    stack = drawn_stack()
    rng = np.random.default_rng(0)
    noise = rng.normal(0, strength, (N_FRAMES, HEIGHT, WIDTH, 3))
    live = np.full((N_FRAMES, HEIGHT, WIDTH, 4), 255, np.uint8)
    live[..., :3] = np.clip(np.rint(stack.background.colour + noise), 0, 255)
    background = Background(colour=stack.background.colour, coverage=stack.background.coverage, live=live)
    return replace(stack, background=background)


def test_grain_goes_on_where_somebody_stands_still() -> None:
    stack = grainy_stack()
    strength, radius = measured_grain(stack)
    assert np.allclose(strength, 4, rtol=0.25)
    assert radius < 0.5
    still = freeze(edit_of(stack), "red", at=F(0))
    dead = np.stack(list(render_frames(stack, still, drawn_clip())))[:, 10:12, 4:14]
    alive = np.stack(list(render_frames(stack, keep_grain(still), drawn_clip())))[:, 10:12, 4:14]
    assert dead.std(axis=0).max() == 0
    assert 2.5 < alive.astype(float).std(axis=0)[..., 1].mean() < 5
    again = np.stack(list(render_frames(stack, keep_grain(still), drawn_clip())))[:, 10:12, 4:14]
    assert np.array_equal(alive, again)
    assert not measured_grain(drawn_stack())[0].any()


class Halfway(torch.nn.Module):
    """A network that blurs a little and mixes: real weights, known answer."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = torch.nn.Conv2d(6, 3, 1, bias=False)
        with torch.no_grad():
            self.mix.weight.copy_(torch.eye(3).repeat(1, 2)[..., None, None] / 2)

    def forward(self, first: torch.Tensor, second: torch.Tensor, share: float) -> torch.Tensor:
        assert first.shape[-1] % 32 == 0
        return self.mix(torch.cat([first, second], dim=1)) + 0 * share


def test_a_network_for_frames_makes_layers() -> None:
    first, second = textured_layer(0, 0), textured_layer(8, 0)
    made = LearnedInterpolator(Halfway())(first, second, 0.5)
    assert np.abs(made - (first.astype(float) + second) / 2).max() <= 1
    stack = drawn_stack()
    edl = interpolate(speed(edit_of(stack), "red", factor=F(1, 2)), "red", between="flow")
    frames = list(render_frames(stack, edl, drawn_clip(), interpolator=LearnedInterpolator(Halfway())))
    blend = list(render_frames(stack, interpolate(edl, "red", between="blend"), drawn_clip()))
    assert np.abs(frames[1].astype(int) - blend[1]).max() <= 2


@pytest.mark.refusal
def test_a_network_that_answers_with_another_size_is_refused() -> None:
    with pytest.raises(ShapeError, match="the network must answer with"):
        LearnedInterpolator(lambda a, b, share: a[..., ::2])(textured_layer(0, 0), textured_layer(1, 0), 0.5)
