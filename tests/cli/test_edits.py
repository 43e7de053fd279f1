from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from polytempo.camera.path import CameraPath, static_path
from polytempo.cli.edit import described, next_edit
from polytempo.cli.edits import EditWord, edit_words, edited
from polytempo.cli.scene import Scene
from polytempo.core.errors import InputError
from polytempo.edit.align.peaks import peaks
from polytempo.edit.camera import CameraKey, Whole
from polytempo.edit.edl import Edl, Framing, Locked, identity_edl
from polytempo.edit.light import Light
from polytempo.objects.cast import Cast, LayerPlan, Subject
from polytempo.project.folder import open_project
from polytempo.project.given_keypoints import keep_keypoints, keypoint_tracks
from polytempo.render.sound import RATE, write_sound
from polytempo.video.clip import Clip, ColourTags
from polytempo.video.probe import probe
from polytempo.video.writer import write_clip

TAGS = ColourTags(matrix="bt709", primaries="bt709", transfer="bt709", full_range=False, assumed=True)
CLIP = Clip(
    path=Path("clip.mp4"),
    width=64,
    height=48,
    n_frames=48,
    frame_rate=Fraction(24),
    time_base=Fraction(1, 24),
    pts=tuple(range(48)),
    rotation=0,
    bit_depth=8,
    colour=TAGS,
    audio_codecs=(),
)


def start() -> Edl:
    return identity_edl(["girl", "boy"], Fraction(2))


def test_words_keep_the_order_in_which_they_stand() -> None:
    words = ["retime", "a.mp4", "--delay", "girl+2f", "--freeze=girl@1s", "--box", "g=1,2,3,4@0"]
    words += ["--delay", "boy-1f", "-o", "x.mp4", "--remove"]
    assert edit_words(words) == [
        EditWord(operation="delay", text="girl+2f"),
        EditWord(operation="freeze", text="girl@1s"),
        EditWord(operation="delay", text="boy-1f"),
        EditWord(operation="remove", text=""),
    ]


def test_order_matters_between_delay_and_freeze() -> None:
    delay, freeze = EditWord(operation="delay", text="girl+12f"), EditWord(operation="freeze", text="girl@1s")
    late = edited(start(), [delay, freeze], scene=Scene(clip=CLIP)).instance("girl").time_map
    early = edited(start(), [freeze, delay], scene=Scene(clip=CLIP)).instance("girl").time_map
    assert late.at(Fraction(3, 2)) == Fraction(1, 2)
    assert early.at(Fraction(3, 2)) == Fraction(1)


@pytest.mark.parametrize(
    ("operation", "text", "line"),
    [
        ("freeze", "girl@1s", "girl: 0-2 s stands still at 1 s"),
        ("freeze", "girl@12f-1s", "girl: 0-0.5 s shows 0-0.5 s; 0.5-1 s stands still at 0.5 s; 1-2 s shows 0.5-1.5 s"),
        ("remove", "girl", "girl: not shown"),
        ("solo", "boy", "girl: not shown"),
        ("delay", "girl+12f", "girl: 0-0.5 s stands still at 0 s; 0.5-2 s shows 0-1.5 s"),
        ("speed", "girl=50%", "girl: 0-2 s shows 0-1 s"),
        ("ramp", "girl@0s-1s=100%..0%", "girl: 0-1 s shows 0-0.5 s along a curve; 1-2 s stands still at 0.5 s"),
        ("reverse", "girl", "girl: 0-1.958 s shows 1.958-0 s; 1.958-2 s stands still at 0 s"),
        ("loop", "girl@0s-1s", "girl: 0-2 s runs 0-1 s round and round"),
        ("ping-pong", "girl@0s-1s", "girl: 0-2 s runs 0-0.9583 s back and forth"),
        ("remove", "girl@0.5s-1s", "girl: 0-0.5 s shows 0-0.5 s; 0.5-1 s not shown; 1-2 s shows 1-2 s"),
        ("remove", "girl@1s", "girl: 0-1 s shows 0-1 s; 1-2 s not shown"),
        ("delay", "girl+12f:hide", "girl: 0-0.5 s not shown; 0.5-2 s shows 0-1.5 s"),
        ("stagger", "boy,girl+12f:hide", "girl: 0-0.5 s not shown; 0.5-2 s shows 0-1.5 s"),
        (
            "freeze",
            "girl@0.5s-1s:rejoin",
            "girl: 0-0.5 s shows 0-0.5 s; 0.5-1 s stands still at 0.5 s; 1-2 s shows 1-2 s",
        ),
        ("speed", "girl@1s-2s=50%:rejoin", "girl: 0-1 s shows 0-1 s; 1-2 s shows 1-1.5 s"),
        ("ramp", "girl@0s-1s=100%..0%:rejoin", "girl: 0-1 s shows 0-0.5 s along a curve; 1-2 s shows 1-2 s"),
        ("duplicate", "girl*1+1s:4,0:hide", "girl-2: 0-1 s not shown; 1-2 s shows 0-1 s"),
        ("extend", "3s:ping-pong", "girl: 0-2 s shows 0-2 s; back and forth after"),
        ("swap", "girl,boy", "girl: 0-2 s shows 0-2 s"),
        ("stagger", "boy,girl+12f", "girl: 0-0.5 s stands still at 0 s; 0.5-2 s shows 0-1.5 s"),
        ("keys", "girl@0s=0s,2s=1s", "girl: 0-2 s shows 0-1 s along a curve"),
        ("hold-on-exit", "girl@1s", "girl: 0-1 s shows 0-1 s; 1-2 s stands still at 1 s"),
        ("trim", "0.5s-1s", "girl: 0-0.5 s shows 0.5-1 s"),
        ("extend", "3s", "girl: 0-2 s shows 0-2 s"),
        ("align", "girl=boy:1s=0.5s", "girl: 0-1.5 s shows 0.5-2 s; 1.5-2 s stands still at 2 s"),
    ],
)
def test_every_operation_as_typed(operation: str, text: str, line: str) -> None:
    edl = next_edit(None, [EditWord(operation=operation, text=text)], names=["girl", "boy"], clip=CLIP)
    assert described(edl)[0] == line


def test_times_of_a_longer_output_lie_beyond_the_clip() -> None:
    def after(*words: str) -> Edl:
        return edited(start(), edit_words(["--extend", "4s", *words]), scene=moving_scene())

    assert described(after("--loop", "girl@1s-2s", "--freeze", "girl@3s-3.5s"))[0].count("stands still") == 1
    assert described(after("--speed", "girl@2s-60f=50%"))[0] == "girl: 0-2 s shows 0-2 s; 2-4 s stands still at 2 s"
    assert described(after("--speed", "girl=50%", "--freeze", "girl@60f-3s"))[0] == (
        "girl: 0-2.5 s shows 0-1.25 s; 2.5-3 s stands still at 1.25 s; 3-4 s shows 1.25-1.75 s"
    )
    assert after("--keys", "girl@0s=0s,96f=2s").instance("girl").time_map.at(Fraction(4)) == 2
    assert after("--level", "girl@3s-4s=2").instance("girl").level_at(Fraction(7, 2)) == 2
    assert after("--trim", "1s-3s").duration == 2
    with pytest.raises(InputError, match="within the output, 0 to 1 s"):
        edited(start(), edit_words(["--trim", "0s-1s", "--freeze", "girl@1.5s"]), scene=moving_scene())


def test_an_alignment_over_a_late_range_looks_at_what_is_shown_there() -> None:
    scene = moving_scene()
    half = ["--extend", "4s", "--speed", "girl=50%", "--align", "boy@2s-4s=girl:phase"]
    edl = edited(start(), edit_words(half), scene=scene)
    girl, boy = (edl.instance(name).time_map for name in ("girl", "boy"))
    assert boy.at(Fraction(1)) == 1  # before the range nothing changes
    speed = boy.speed_at(Fraction(3))
    assert girl.speed_at(Fraction(3)) == Fraction(1, 2)
    assert speed is not None
    assert 0.3 < speed < 0.46  # 15 / 20 / 2, found from little more than a bounce


def test_what_is_special_of_the_whole_is_told() -> None:
    words = ["--extend", "3s", "--level", "girl@1s-2s=1", "--slow-motion", "girl=flow", "--motion-blur", "boy"]
    words += ["--grain", "50%", "--camera", "locked@1s", "--frame-rate", "30", "--trim", "1s-2.5s"]
    girl, boy, whole = described(next_edit(None, edit_words(words), names=["girl", "boy"], clip=CLIP))
    assert girl.endswith("level 1 over 0-1 s; slow motion by flow")
    assert boy.endswith("motion blur")
    assert whole == (
        "output: 1.5 s; the background 0-1 s shows 1-2 s, 1-1.5 s stands still at 2 s; camera locked as at 1 s; "
        "30 frames a second; grain 50%"
    )
    assert len(described(start())) == 2


def test_what_an_edit_looks_like_as_typed() -> None:
    words = ["--level", "girl@1s-2s=-1", "--slow-motion", "girl=flow", "--motion-blur", "girl", "--grain", "50%"]
    words += ["--camera", "locked@1s", "--frame-rate", "30000/1001"]
    edl = next_edit(None, edit_words(words), names=["girl", "boy"], clip=CLIP)
    girl = edl.instance("girl")
    assert (girl.level_at(Fraction(3, 2)), girl.between, girl.shutter, edl.grain) == (-1, "flow", 0.5, 0.5)
    assert (edl.camera, edl.timing) == (Locked(at=Fraction(1)), Fraction(30000, 1001))
    framed = edited(edl, edit_words(["--camera", "girl"]), scene=Scene(clip=CLIP))
    assert framed.camera == Framing(instance="girl")
    assert edited(framed, edit_words(["--camera=original"]), scene=Scene(clip=CLIP)).camera == "original"


def moving_scene() -> Scene:
    """Two blocks that bounce at different paces and run to the right."""

    def load() -> tuple[Cast, CameraPath]:
        subjects = []
        for k, (period, speed) in enumerate(((20, 0.6), (15, 1.0))):
            mask = np.zeros((48, 48, 64), np.bool_)
            for t in range(48):
                y = round(10 + 12 * abs(np.sin(np.pi * (t + 4 * k) / period)))
                x = round(2 + speed * t)
                mask[t, y : y + 12, x : x + 6] = True
            visible = np.ones(48, np.float32)
            subjects.append(Subject(subject_id=k + 1, name=f"s{k}", mask=mask, amodal=mask, visibility=visible))
        layers = tuple(
            LayerPlan(layer_id=k + 1, name=name, subject_ids=(k + 1,)) for k, name in enumerate(("girl", "boy"))
        )
        cast = Cast(subjects=tuple(subjects), layers=layers, order=((1, 2),) * 48)
        return cast, static_path(48, (64, 48))

    return Scene(clip=CLIP, load=load)


def test_edits_that_look_at_motion() -> None:
    scene = moving_scene()
    aligned = edited(start(), edit_words(["--align", "boy=girl"]), scene=scene)
    assert aligned.instance("girl") == start().instance("girl")
    assert "boy to girl by phase (periods of" in scene.notes[0]
    speed = aligned.instance("boy").time_map.speed_at(Fraction(1, 2))
    assert speed is not None
    assert abs(float(speed) - 15 / 20) < 0.02
    finish = edited(start(), edit_words(["--photo-finish", "girl,boy:30,0,30,40"]), scene=scene)
    assert [one for one in scene.notes if "crosses" in one] == [
        "girl crosses the line at 1.58 s",
        "boy crosses the line at 0.96 s",
    ]
    moments = [one.time_map.at(Fraction(19, 12)) for one in finish.instances]
    assert [round(float(one), 2) for one in moments if one is not None] == [1.58, 0.96]
    held = edited(start(), edit_words(["--hold-on-exit", "boy"]), scene=scene)
    assert held.instance("boy").time_map.at(Fraction(2)) == CLIP.time_of(47)


def with_keypoints(folder: Path, *, people: int, aside: tuple[int, int] = (0, 0)) -> Scene:
    """The same scene in a project that was given keypoints: upper bodies bounce, feet stay level with the box."""
    scene, size = moving_scene(), (64, 48)
    write_clip(folder / "clip.mkv", (np.full((48, 64, 3), t, np.uint8) for t in range(48)), size=size,
               frame_rate=Fraction(24), codec="ffv1")  # fmt: skip
    clip = probe(folder / "clip.mkv")
    rows: list[dict[str, object]] = []
    for t in range(48):
        for k, (period, speed) in enumerate(((20, 0.6), (15, 1.0))[:people]):
            y, x = round(10 + 12 * abs(np.sin(np.pi * (t + 4 * k) / period))), round(2 + speed * t)
            points = [[x + 1 + 4 * (n % 2) + aside[0], y + 1 + 10 * n / 16 + aside[1], 0.9] for n in range(17)]
            rows.append({"image_id": f"{t:04d}.png", "idx": k + 1, "keypoints": np.ravel(points).tolist()})
    (folder / "found.json").write_text(json.dumps(rows))
    with open_project(folder / "jump.polytempo", clip=clip.path) as project:
        keep_keypoints(project, clip, folder / "found.json")
    scene.clip = clip
    scene.keypoints = lambda cast, camera: keypoint_tracks(project, clip, cast, camera)
    return scene


def test_motions_are_those_of_keypoints_where_there_are_any(tmp_path: Path) -> None:
    scene = with_keypoints(tmp_path, people=2)
    aligned = edited(start(), edit_words(["--align", "boy=girl"]), scene=scene)
    assert scene.notes[0].endswith("; height of keypoints")
    speed = aligned.instance("boy").time_map.speed_at(Fraction(1, 2))
    assert speed is not None
    assert abs(float(speed) - 15 / 20) < 0.02
    motion = scene.motion(start(), "girl")
    wanted = [round(10 + 12 * abs(np.sin(np.pi * t / 20))) + 6 for t in range(48)]
    assert (motion.source, motion.kind) == ("keypoints", "height")
    assert np.abs(motion.values - wanted).max() < 0.51
    mattes = moving_scene()
    edited(start(), edit_words(["--align", "boy=girl"]), scene=mattes)
    assert mattes.notes[0].endswith("; height of mattes")


def test_who_has_no_keypoints_moves_as_the_matte_does_and_that_is_said(tmp_path: Path) -> None:
    scene = with_keypoints(tmp_path, people=1)
    edited(start(), edit_words(["--align", "boy=girl"]), scene=scene)
    assert scene.notes[0].endswith("; height of keypoints and mattes")


@pytest.mark.refusal
def test_keypoints_of_nobody_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    scene = with_keypoints(tmp_path, people=1, aside=(1000, 0))
    edited(start(), edit_words(["--align", "boy=girl"]), scene=scene)
    assert "The keypoints are left out, motions are those of mattes: " in scene.notes[0]
    assert "must lie within a subject's mask" in scene.notes[0]
    assert scene.notes[1].endswith("; height of mattes")


def test_motion_meets_the_beat_of_a_track(tmp_path: Path) -> None:
    rng, track = np.random.default_rng(0), np.zeros((2, RATE * 2), np.float32)
    beats = [0.35, 0.8, 1.2, 1.6]
    for beat in beats:
        n = round(beat * RATE)
        track[:, n : n + 3000] += (rng.normal(0, 0.3, 3000) * np.exp(-np.arange(3000) / 500)).astype(np.float32)
    write_sound(tmp_path / "drum.m4a", track)
    scene = moving_scene()
    scene.sound = tmp_path / "drum.m4a"
    edl = edited(start(), edit_words(["--beat", "girl"]), scene=scene)
    assert "events meet one of 4 beats" in scene.notes[0]
    events = peaks(scene.motion(edl, "girl").normalised(), prominence=1.0, apart=3)
    shown = [edl.instance("girl").time_map.at(Fraction(round(beat * 1000), 1000)) for beat in beats]
    frames = [float(one) * 24 for one in shown if one is not None]
    met = [min(abs(frame - event) for frame in frames) for event in events]
    assert sum(one < 1 for one in met) >= 2


def test_light_is_typed_part_by_part() -> None:
    words = ["--light", "girl=output,background", "--light", "boy=time:1s,gain:1.5", "--light", "background=off"]
    edl = edited(start(), edit_words(words), scene=Scene(clip=CLIP))
    assert edl.instance("girl").light == Light(of="output", by="background")
    assert edl.instance("boy").light == Light(of=Fraction(1), gain=1.5)
    assert edl.light == Light(gain=0.0)
    assert [line for line in described(edl) if "light" in line] == [
        "girl: 0-2 s shows 0-2 s; light of the output's moment from the background around",
        "boy: 0-2 s shows 0-2 s; light of 1 s times 1.5",
        "output: the background's light off",
    ]
    back = edited(
        edl, edit_words([f"--light={name}=own" for name in ("girl", "boy", "background")]), scene=Scene(clip=CLIP)
    )
    assert back == start()


def test_cameras_are_typed_with_how_they_are_moved(tmp_path: Path) -> None:
    def camera(text: str) -> Edl:
        return edited(start(), [EditWord(operation="camera", text=text)], scene=Scene(clip=CLIP))

    assert isinstance(camera("whole").camera, Whole)
    moved = camera("girl:x:40,y:-10.5,scale:1.2")
    assert moved.camera == Framing(instance="girl")
    assert moved.camera_path == (CameraKey(x=40, y=-10.5, scale=1.2),)
    path = camera("locked@1s:x:0@0s;x:90,rotate:5@24f")
    assert path.camera == Locked(at=Fraction(1))
    assert path.camera_path == (CameraKey(), CameraKey(at=Fraction(1), x=90, rotate=5))
    assert described(path)[-1] == (
        "output: camera locked as at 1 s; camera moved by nothing at 0 s; 90, 0 px and 5 degrees at 1 s"
    )
    file = tmp_path / "path.json"
    file.write_text('[{"at": "1", "scale": 2}]')
    assert camera(f"original:path:{file}").camera_path == (CameraKey(at=Fraction(1), scale=2),)
    assert edited(path, edit_words(["--camera", "original"]), scene=Scene(clip=CLIP)) == start()


def test_copies_come_after() -> None:
    edl = edited(start(), [EditWord(operation="duplicate", text="girl*2+3f:5,0")], scene=Scene(clip=CLIP))
    assert [one.layer for one in edl.instances].count("girl") == 3


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("operation", "text", "message"),
    [
        ("freeze", "girl", r"^--freeze girl: edit\.freeze: a moment must be given"),
        ("freeze", "gril@1s", r"layer of that name; got 'gril'\. There is: girl, boy"),
        (
            "freeze",
            "girl@9s",
            r"times must be within the output, 0 to 2 s; got 9 s in 'girl@9s'\. Make the output longer",
        ),
        ("freeze", "girl@49f", "times must be within the output, 0 to 2 s"),
        ("keys", "girl@0s=0s,3s=1s", "times must be within the output"),
        ("keys", "girl@0s=0s,1s=3s", "times must be within the clip"),
        ("level", "girl@1s-3s=1", "times must be within the output"),
        ("camera", "locked@3s", "times must be within the clip"),
        ("photo-finish", "girl,boy:1,2,3,4@3s", "times must be within the clip"),
        ("remove", "girl@3s", "times must be within the output"),
        ("solo", "girl@1s", "only a name must be given here"),
        ("delay", "girl+3f:magic", "the word at the end must be one of hold, hide; got 'magic'"),
        ("freeze", "girl@1s-2s:hide", "the word at the end must be one of resume, rejoin; got 'hide'"),
        ("extend", "3s:rejoin", "the word at the end must be one of hold, hide, loop, ping-pong; got 'rejoin'"),
        ("trim", "1s-0.5s", r"a range must stop after it starts; got '1s-0\.5s'"),
        ("remove", "", "must read NAME"),
        ("delay", "girl", r"must read NAME\+TIME"),
        ("speed", "girl=0%", "--speed girl=0%"),
        ("loop", "girl", "a range must be given"),
        ("swap", "girl", "two must be named"),
        ("trim", "1s", "a range must be given"),
        ("slow-motion", "girl=magic", "the word must be one of nearest, blend, flow; got 'magic'"),
        ("grain", "much", "must read PERCENT%"),
        ("camera", "whole:scale:9000", "scale by 0.05 to 20"),
        ("camera", "whole:zoom:2", "must read CAMERA:x:PX"),
        ("camera", "original:x:1@9s", "times must be within the output"),
        ("camera", "original:path:nowhere.json", "the path must be a readable file"),
        ("light", "girl", "must read NAME=PART"),
        ("light", "gril=output", "layer of that name; got 'gril'"),
        ("light", "girl=dark", "light must be of output, own, time:TIME"),
        ("light", "girl=gain:much", "light must read time:TIME or gain:NUMBER"),
        ("light", "girl=gain:20", "the gain must lie in 0 to 8; got 20"),
        ("light", "girl=time:9s", "times must be within the clip"),
        ("align", "girl=boy", "subjects must have been followed to be aligned"),
        ("align", "girl=boy:magic", "the method must be one of cow, dtw, phase, events, auto; got 'magic'"),
        ("align", "girl=boy:9s=1s", "times must be within the clip"),
        ("beat", "girl", "the clip must have sound; got none"),
        ("ramp", "girl=1..2", "must read NAME@TIME-TIME=PERCENT%"),
    ],
)
def test_what_cannot_be_done_shows_what_was_typed(operation: str, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        edited(start(), [EditWord(operation=operation, text=text)], scene=Scene(clip=CLIP))
