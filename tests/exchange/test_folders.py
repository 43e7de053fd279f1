"""Layers of other programs: read, retimed here, written again."""

from __future__ import annotations

import json
import warnings
import wave
from dataclasses import replace
from fractions import Fraction as F
from pathlib import Path
from urllib.parse import unquote

import cv2
import numpy as np
import opentimelineio as otio
import pytest
import torch

from polytempo.bodies.keypoints_import import read_keypoints
from polytempo.cli.export import at_even_times
from polytempo.cli.export_folders import (
    NOTE,
    Export,
    check_folder,
    file_names,
    write_exr_folder,
    write_layer_folder,
)
from polytempo.cli.main import main
from polytempo.core.errors import InputError
from polytempo.core.progress import silent
from polytempo.edit.edl import clip_duration, identity_edl, read_edl
from polytempo.exchange.exr import read_exr
from polytempo.exchange.folders import find_layer_folders, import_layer_folders, read_paper_scene
from polytempo.exchange.images import read_png_sequence, write_png_sequence
from polytempo.exchange.otio import read_otio
from polytempo.exchange.video import VideoConfig, read_video
from polytempo.layers.store import read_stack
from polytempo.project.folder import open_project
from polytempo.project.request import read_request
from polytempo.project.run import run_stage
from polytempo.project.stages import run_probe
from polytempo.render.sequence import render_frames
from polytempo.render.sound import RATE, sound_plan, write_sound
from polytempo.video.probe import probe
from polytempo.video.samples import read_sound
from polytempo.video.writer import write_clip
from support import psnr
from support.squares import HEIGHT, N_FRAMES, WIDTH, drawn_clip, drawn_stack, edit_of


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Two squares as another program would leave them: straight PNG files, a folder a layer."""
    stack, root = drawn_stack(), tmp_path / "from_elsewhere"
    root.mkdir()
    for layer, name in zip(stack.layers, ("rgba_l1", "rgba_l2"), strict=True):
        write_png_sequence(root / name, (np.asarray(layer.pictures[t]) for t in range(N_FRAMES)))
    write_png_sequence(root / "background", (stack.background.colour for _ in range(N_FRAMES)))
    return root


def test_folders_of_layers_become_a_stack(folders: Path, tmp_path: Path) -> None:
    found = find_layer_folders(folders)
    assert [name for name, _ in found.layers] == ["l1", "l2"]
    assert (found.n_frames, found.size) == (N_FRAMES, (WIDTH, HEIGHT))
    import_layer_folders(found, tmp_path / "stack", tmp_path / "clip.mkv", frame_rate=F(30))
    stack, drawn = read_stack(tmp_path / "stack"), drawn_stack()
    for ours, theirs in zip(stack.layers, drawn.layers, strict=True):
        for t in range(N_FRAMES):
            assert np.abs(ours.pictures[t].astype(int) - theirs.pictures[t]).max() <= 1
    assert len(list(read_video(tmp_path / "clip.mkv", codec="ffv1"))) == N_FRAMES


@pytest.mark.slow  # the command line keeps to no shapes of ours
def test_the_whole_way_for_layers_from_elsewhere(folders: Path, tmp_path: Path) -> None:
    """Import, edit, export as everything; what is exported by layers composites to what is rendered."""
    project = tmp_path / "mine.polytempo"

    def run(*words: str) -> None:
        assert main(list(words)) == 0

    run("import", str(folders), "-o", str(project), "--frame-rate", "30")
    run("edit", str(project), "--freeze", "l1@2f", "--delay", "l2+1f")
    run("export", str(project), "-o", str(tmp_path / "layers"), "--layers", "--as", "png16")
    run("export", str(project), "-o", str(tmp_path / "frames"), "--as", "png")
    run("export", str(project), "-o", str(tmp_path / "exr"), "--as", "exr")
    run("export", str(project), "-o", str(tmp_path / "mov"), "--layers", "--as", "prores4444")
    run("export", str(project), "-o", str(tmp_path / "edit.otio"))
    run("export", str(project), "-o", str(tmp_path / "small.gif"))
    with open_project(project, writing=False) as opened:
        clip = run_probe(opened, silent).value
        stack = read_stack(opened.current_result("layers") / "stack")
    edl = read_edl(project / "edit.json")
    assert read_otio(tmp_path / "edit.otio") == edl
    run("edit", str(project), "--reset", "--edl", str(tmp_path / "edit.otio"))
    assert read_edl(project / "edit.json") == edl
    wanted = list(render_frames(stack, edl, clip))
    assert all(map(np.array_equal, wanted, read_png_sequence(tmp_path / "frames")))
    for kind in ("png", "exr"):
        for t in range(N_FRAMES):
            if kind == "png":
                layers = {n: list(read_png_sequence(tmp_path / "layers" / n))[t] for n in ("background", "l1", "l2")}
            else:
                layers = read_exr(tmp_path / "exr" / f"{t:04d}.exr")
            frame = layers["background"][..., :3].astype(np.float64)
            for name in ("l1", "l2"):
                frame = layers[name][..., :3] + frame * (1 - layers[name][..., 3:] / 255)
            assert np.abs(frame - wanted[t]).max() <= 1.5
    red = list(read_video(tmp_path / "mov" / "l1.mov", codec="prores4444"))
    assert all(np.abs(one[12:18, 16:22].astype(int) - (200, 20, 20, 255)).max() <= 6 for one in red)
    assert (tmp_path / "small.gif").stat().st_size > 100


def project_with_sound(folders: Path, tmp_path: Path) -> Path:
    """A project of layers from elsewhere whose clip has a low and then a high tone."""
    import_layer_folders(find_layer_folders(folders), tmp_path / "store", tmp_path / "mute.mkv", frame_rate=F(6))
    time = np.arange(RATE // 2) / RATE
    tones = np.concatenate([0.4 * np.sin(2 * np.pi * pitch * time) for pitch in (400, 800)]).astype(np.float32)
    write_sound(tmp_path / "tones.m4a", np.stack([tones, tones]))
    mute = probe(tmp_path / "mute.mkv")
    source = replace(mute, path=tmp_path / "tones.m4a", audio_codecs=("aac",))
    pictures = (one[..., :3] for one in read_video(mute.path, codec="ffv1"))
    write_clip(tmp_path / "clip.mp4", pictures, size=(WIDTH, HEIGHT), frame_rate=F(6), audio_from=source)
    project = tmp_path / "loud.polytempo"
    with open_project(project, clip=tmp_path / "clip.mp4") as opened:
        run_probe(opened, silent)
        run_stage(
            opened,
            "layers",
            inputs={"clip": opened.clip.digest},
            make=lambda folder, _: ((tmp_path / "store").rename(folder / "stack"), ())[1],
            load=lambda folder: read_stack(folder / "stack"),
            report=silent,
        )
    return project


def pitch(path: Path, at: float) -> float:
    sound = read_sound(path, rate=RATE, channels=2).from_time(F(0))[0]
    part = sound[round(at * RATE) : round((at + 0.2) * RATE)]
    return float(np.argmax(np.abs(np.fft.rfft(part * np.hanning(len(part))))) * RATE / len(part))


@pytest.mark.slow  # the command line keeps to no shapes of ours
def test_exports_take_the_sound_along(folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = project_with_sound(folders, tmp_path)

    def said(*words: str) -> str:
        capsys.readouterr()
        assert main(["export", str(project), *words, "--json"]) == 0
        return capsys.readouterr().out

    for name, kind, codec in (
        ("out.mp4", "h264", "aac"),
        ("out.mov", "prores4444", "aac"),
        ("out.mkv", "ffv1", "aac"),
        ("out.webm", "vp9-alpha", "opus"),
    ):
        words = said("-o", str(tmp_path / name), "--as", kind)
        anew = ", coded anew as opus: .webm cannot carry aac" if codec == "opus" else ""
        assert f'"The sound was copied{anew}"' in words
        assert probe(tmp_path / name).audio_codecs == (codec,)
        assert abs(pitch(tmp_path / name, 0.2) - 400) < 8
        assert abs(pitch(tmp_path / name, 0.7) - 800) < 8
    for name, words in (("frames", ("png",)), ("apart", ("png", "--layers")), ("exr", ("exr",))):
        assert '"The sound was copied, to sound.wav beside the pictures"' in said(
            "-o", str(tmp_path / name), "--as", *words
        )
        assert abs(pitch(tmp_path / name / "sound.wav", 0.7) - 800) < 8
        with wave.open(str(tmp_path / name / "sound.wav")) as file:
            assert abs(file.getnframes() / file.getframerate() - 1) < 0.01
    assert '"The sound was copied, with the background"' in said("-o", str(tmp_path / "layers"), "--layers")
    assert probe(tmp_path / "layers" / "background.mov").audio_codecs == ("aac",)
    assert probe(tmp_path / "layers" / "l1.mov").audio_codecs == ()
    assert "Previews carry no sound" in said("-o", str(tmp_path / "small.gif"))
    assert main(["edit", str(project), "--trim", "0.5s-1s"]) == 0
    assert "follows the background's clock" in said("-o", str(tmp_path / "part.webm"))
    assert abs(pitch(tmp_path / "part.webm", 0.2) - 800) < 8


@pytest.mark.slow
def test_a_timeline_comes_with_what_it_shows(folders: Path, tmp_path: Path) -> None:
    """Composited by OpenTimelineIO's reading of the timeline from the files it names, it is the rendered edit."""
    project = tmp_path / "mine.polytempo"
    assert main(["import", str(folders), "-o", str(project), "--frame-rate", "30"]) == 0
    assert main(["edit", str(project), "--freeze", "l1@2f-4f", "--delay", "l2+1f:hide", "--level", "l2=1"]) == 0
    assert main(["export", str(project), "-o", str(tmp_path / "cut" / "my edit.otio"), "--layers"]) == 0
    with open_project(project, writing=False) as opened:
        clip = run_probe(opened, silent).value
        stack = read_stack(opened.current_result("layers") / "stack")
    timeline = otio.adapters.read_from_file(str(tmp_path / "cut" / "my edit.otio"))
    frames = [np.zeros((HEIGHT, WIDTH, 3)) for _ in range(N_FRAMES)]
    for track in timeline.video_tracks():
        for n in range(N_FRAMES):
            time = otio.opentime.RationalTime(n, 30)
            item = track.child_at_time(time)
            if isinstance(item, otio.schema.Gap):
                continue
            path = tmp_path / "cut" / unquote(item.media_reference.target_url)
            still = any(isinstance(one, otio.schema.FreezeFrame) for one in item.effects)
            shown = item.source_range.start_time if still else track.transformed_time(time, item)
            rgba = list(read_video(path, codec="prores4444"))[round(shown.to_seconds() * 30)].astype(float)
            frames[n] = rgba[..., :3] + (1 - rgba[..., 3:] / 255) * frames[n]
    for frame, wanted in zip(frames, render_frames(stack, read_edl(project / "edit.json"), clip), strict=True):
        assert psnr(np.clip(frame, 0, 255).astype(np.uint8), wanted) > 36


@pytest.mark.slow
def test_a_network_is_named_on_the_command_line(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, network = tmp_path / "mine.polytempo", tmp_path / "mixing.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(Mixing()).save(str(network))

    def run(*words: str) -> str:
        capsys.readouterr()
        assert main([*words, "--json"]) == 0
        said = capsys.readouterr()
        return said.out + said.err

    run("import", str(folders), "-o", str(project), "--frame-rate", "30")
    lossless = ("--set", "render.codec=ffv1")
    by_network, by_blend = tmp_path / "network.mkv", tmp_path / "blend.mkv"
    used = run("render", str(project), "-o", str(by_blend), "--interpolator", str(network), *lossless)
    assert "mixing.pt is not used" in used
    run("edit", str(project), "--speed", "l1=50%", "--slow-motion", "l1=flow")
    assert "Slow motion by mixing.pt" in run("render", str(project), "-o", str(by_network))
    assert "Slow motion by mixing.pt" in run("export", str(project), "-o", str(tmp_path / "frames"), "--as", "png")
    run("edit", str(project), "--slow-motion", "l1=blend")
    assert "Slow motion" not in run("render", str(project), "-o", str(by_blend), "--interpolator", "flow")
    wanted = list(read_video(by_blend, codec="ffv1"))
    for made in (list(read_video(by_network, codec="ffv1")), list(read_png_sequence(tmp_path / "frames"))):
        assert all(np.abs(a[..., :3].astype(int) - b[..., :3]).max() <= 2 for a, b in zip(made, wanted, strict=True))
    assert main(["render", str(project), "-o", str(by_blend), "--interpolator", str(tmp_path / "none.pt")]) == 2
    assert "the network's file must exist" in capsys.readouterr().err


class Mixing(torch.nn.Module):
    """A network with a known answer."""

    def forward(self, first: torch.Tensor, second: torch.Tensor, share: float) -> torch.Tensor:
        return first * (1 - share) + second * share


def test_an_uneven_clip_is_exported_at_its_nominal_rate() -> None:
    even, stack = drawn_clip(30), drawn_stack()
    edl = edit_of(stack)
    assert at_even_times(edl, even) is edl
    uneven = replace(even, pts=tuple(n + (n // 10) * 2 for n in range(30)))
    assert at_even_times(edl, uneven).timing == uneven.frame_rate
    assert at_even_times(replace(edl, timing=F(12)), uneven).timing == F(12)


@pytest.mark.parametrize("kind", ["png", "exr", "ffv1"])
def test_layers_of_an_uneven_clip_show_each_moment_in_its_place(kind: str, tmp_path: Path) -> None:
    """Six frames, the fourth of them on screen for four times as long: evenly written it comes four times."""
    clip = replace(drawn_clip(), pts=(0, 1, 2, 3, 7, 8))
    stack = drawn_stack()
    edl = at_even_times(identity_edl(["red", "green"], clip_duration(clip)), clip)
    made = Export(
        stack=stack,
        edl=edl,
        clip=clip,
        kind=kind,
        config=VideoConfig(codec="ffv1") if kind == "ffv1" else None,
        sound=sound_plan(edl, clip, "auto"),
        network=None,
        report=silent,
    )
    folder = tmp_path / "out"
    (write_exr_folder if kind == "exr" else write_layer_folder)(made, folder)
    match kind:
        case "exr":
            red = [read_exr(one)["red"] for one in sorted(folder.glob("*.exr"))]
        case "png":
            red = list(read_png_sequence(folder / "red"))
        case _:
            red = list(read_video(folder / "red.mkv", codec="ffv1"))
    shown = [int(np.flatnonzero(one[15, :, 3])[0] - 4) // 5 for one in red]
    assert shown == [0, 1, 2, 3, 3, 3, 3, 4, 5]
    note = json.loads((folder / NOTE).read_text())
    assert (note["frame_rate"], note["layers"]) == ("30", ["background", "red", "green"])


@pytest.mark.refusal
def test_a_folder_of_somebody_elses_is_not_replaced(tmp_path: Path) -> None:
    check_folder(tmp_path / "new")
    (tmp_path / "empty").mkdir()
    check_folder(tmp_path / "empty")
    (tmp_path / "empty" / "holiday.mov").write_bytes(b"dear")
    with pytest.raises(InputError, match=r"got a folder that holds something else\. Choose another name"):
        check_folder(tmp_path / "empty")
    (tmp_path / "empty" / NOTE).write_text("{}")
    check_folder(tmp_path / "empty")
    with pytest.raises(InputError, match="this export fills a folder; got a file of that name"):
        check_folder(tmp_path / "empty" / "holiday.mov")


def test_every_layer_gets_a_file_of_its_own() -> None:
    names = ["background", "girl", "Girl", "a/b", "a.b", "a_b"]
    assert file_names(names) == {
        "background": "background", "girl": "girl", "Girl": "Girl~2", "a/b": "a_b", "a.b": "a_b~2", "a_b": "a_b~3"
    }  # fmt: skip


def test_the_papers_layout(tmp_path: Path) -> None:
    root = tmp_path / "splash"
    write_png_sequence(root / "rgb", (np.full((32, 48, 3), 10 * t, np.uint8) for t in range(3)))
    for name in ("01", "02"):
        write_png_sequence(root / "mask" / name, (np.full((32, 48, 3), 200, np.uint8) for _ in range(3)))
    (root / "metadata.json").write_text(json.dumps({"composite_order": [[1, 2], [1, 2], [2, 1]]}))
    person = {"idx": 4, "keypoints": [float(n) for n in range(51)], "scores": 1.0}
    (root / "keypoints.json").write_text(json.dumps({"0000.png": [person], "0002.png": [person]}))
    (root / "homographies.txt").write_text("size: 48 32\nbounds: 0 47 0 31\n" + "1 0 0 0 1 0 0 0 1\n" * 3)
    scene = read_paper_scene(root)
    assert (len(scene.frames), scene.size) == (3, (48, 32))
    assert scene.composite_order == ((1, 2), (1, 2), (2, 1))
    assert scene.keypoints is not None
    assert scene.keypoints.shape == (1, 3, 17, 3)
    assert scene.keypoints[0, 0, 16].tolist() == [48, 49, 50]
    assert not scene.keypoints[0, 1].any()
    assert scene.camera().canvas_size == (48, 32)
    project = tmp_path / "splash.polytempo"
    assert main(["import", str(root), "-o", str(project), "--frame-rate", "25"]) == 0
    back = list(read_video(tmp_path / "splash.mkv", codec="ffv1"))
    assert [int(one[0, 0, 0]) for one in back] == [0, 10, 20]
    request = read_request(project / "subjects.json")
    assert request is not None
    assert request.masks == root / "mask"
    assert request.order == (("01", "02"), ("01", "02"), ("02", "01"))
    assert (project / "homographies.txt").read_bytes() == (root / "homographies.txt").read_bytes()
    found = read_keypoints(project / "keypoints.json", n_frames=3, clip_size=(48, 32), size=(48, 32))
    assert [one.frame for one in found] == [0, 2]
    assert found[1].points[16].tolist() == [48, 49, 1]  # scores above 1 count as 1


@pytest.mark.refusal
def test_an_order_of_other_layers_than_the_masks_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "splash"
    write_png_sequence(root / "rgb", (np.full((32, 48, 3), 10 * t, np.uint8) for t in range(2)))
    write_png_sequence(root / "mask" / "01", (np.full((32, 48, 3), 200, np.uint8) for _ in range(2)))
    (root / "metadata.json").write_text(json.dumps({"composite_order": [[1, 2], [1, 2]]}))
    assert read_paper_scene(root).composite_order == ((1, 2), (1, 2))
    with pytest.raises(InputError, match="must name the layers 1 to 1, one for every folder of masks; got 1, 2"):
        read_paper_scene(root).named_order()
    assert main(["import", str(root), "-o", str(tmp_path / "no.polytempo")]) == 2
    assert not (tmp_path / "no.polytempo").exists()
    assert not (tmp_path / "no.mkv").exists()
    (root / "metadata.json").write_text(json.dumps({"composite_order": [[1], [1]]}))
    assert read_paper_scene(root).named_order() == ("01",)


@pytest.mark.refusal
def test_folders_that_do_not_fit_are_refused(folders: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="layers must come in a folder"):
        find_layer_folders(tmp_path / "nothing")
    with pytest.raises(InputError, match="one for every layer"):
        find_layer_folders(folders / "rgba_l1")
    (folders / "rgba_l2" / "0003.png").unlink()
    with pytest.raises(InputError, match="all layers must have the same number of frames"):
        find_layer_folders(folders)
    (folders / "rgba_l1" / "0003.png").unlink()
    (folders / "background" / "0003.png").unlink()
    cv2.imwrite(str(folders / "rgba_l2" / "0002.png"), np.zeros((5, 5, 4), np.uint8))
    with pytest.raises(InputError, match="all pictures must measure 48x32; got 5x5"):
        import_layer_folders(find_layer_folders(folders), tmp_path / "s", tmp_path / "c.mkv", frame_rate=F(24))
    assert not (tmp_path / "s").exists()
    assert not (tmp_path / "c.mkv").exists()
    with pytest.raises(InputError, match="the scene must have a folder rgb"):
        read_paper_scene(folders)
    root = tmp_path / "scene"
    write_png_sequence(root / "rgb", (np.zeros((32, 48, 3), np.uint8) for _ in range(2)))
    for name, text, message in (
        ("metadata.json", "{", "must be readable JSON"),
        ("metadata.json", "[]", "must be a JSON object"),
        ("metadata.json", '{"composite_order": [["a"]]}', "must be a list of layer numbers"),
        ("metadata.json", '{"composite_order": [[1, 2]]}', "must name every layer once in every frame"),
        ("keypoints.json", '{"0000.png": [{"idx": 1, "keypoints": [1, 2]}]}', "51 numbers and idx each"),
    ):
        (root / name).write_text(text)
        with pytest.raises(InputError, match=message):
            read_paper_scene(root)
        (root / name).unlink()
