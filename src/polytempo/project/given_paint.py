"""What is painted on layers, kept in the project so that the files it came from may go.

==================================  ============================================================
``girl=FILE``                       an atlas painted on (RGBA) or painted anew (RGB); instead of the one before
``girl=FILE@40f``                   RGBA of the clip's size, drawn on a frame
``girl=FILE:X,Y,WIDTH@40f``         a sticker placed in a frame, in its pixels
``girl=FILE:X,Y,WIDTH``             a sticker placed in the atlas, in pixels of a picture of 1000
``girl=text:WORDS:X,Y,HEIGHT@40f``  words placed, and ``…,FF8800`` after the height for their colour
``girl=recolour:hue:120``           other colours: ``hue:DEGREES,saturation:FACTOR,brightness:FACTOR``
==================================  ============================================================
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8
from pydantic import TypeAdapter, ValidationError

from polytempo.atlas.edit import BACKGROUND, AtlasEdit, overlay_edit, recoloured_edit, repainted_edit
from polytempo.atlas.on_frame import overlay_from_frame
from polytempo.atlas.picture import SIDE_PX, AtlasPicture, atlas_pictures
from polytempo.atlas.recolour import Recolour
from polytempo.atlas.sticker import sticker, text_picture
from polytempo.core.errors import InputError
from polytempo.core.files import write_bytes
from polytempo.core.progress import Report
from polytempo.decompose.nvd.model import AtlasModel
from polytempo.edit.selectors import TIME, moment_from_text
from polytempo.layers.stack import LayerStack
from polytempo.objects.cast import Cast
from polytempo.project.folder import Project
from polytempo.project.request import files_key
from polytempo.video.clip import Clip

FOLDER = "paint"
ACCEPTED = "paint-accepted"
"""A copy of the paint that last fitted, so that what is refused leaves the project as it was."""
BACKGROUND_NAME = "background"
LARGEST_SIDE = 4096
TOLD = 0.02
"""Share of paint that is lost from which it is told."""
_NUMBER = r"-?\d+(?:\.\d+)?"
_TEXT = re.compile(
    rf"(?P<what>.+?)(?P<place>:(?P<x>{_NUMBER}),(?P<y>{_NUMBER}),(?P<size>\d+(?:\.\d+)?)(?:,#?(?P<colour>[0-9A-Fa-f]{{6}}))?)?"
    rf"(?:@(?P<time>{TIME}))?"
)
_KEPT = re.compile(r"(\d{4})-(.+)-(painted|atlas|recolour|\d+)\.(?:png|json)")
_FORM = (
    "paint must be given as NAME=FILE, NAME=FILE@TIME, NAME=FILE:X,Y,WIDTH@TIME, NAME=text:WORDS:X,Y,HEIGHT@TIME or "
    "NAME=recolour:hue:120, e.g. background=wall.png"
)


def keep_paint(project: Project, clip: Clip, text: str) -> None:
    """Take paint into the project, as the table above has it; later paint goes over earlier.

    Whether it fits is known once there are atlases: ``given_edits`` tells, and ``refuse_paint`` takes it back.

    Raises:
        InputError: it does not read so, or is no such picture; the project then stays as it was.
    """
    name, found, rest = (one.strip() for one in text.partition("="))
    match = _TEXT.fullmatch(rest)
    if not found or not name or match is None or "/" in name:
        raise InputError("cli.paint", _FORM, got=repr(text))
    if rest.startswith("recolour:"):
        how = _recolour(rest.removeprefix("recolour:"), text)
        _keep(project, name, "recolour", json.dumps(asdict(how)).encode(), suffix="json")
        return
    frame = None if match["time"] is None else clip.frame_at(moment_from_text(match["time"], clip, text))
    if match["place"] is None:
        painted = _read(Path(match["what"]))
        if frame is None:
            _require_atlas(painted, Path(match["what"]))
            for earlier in _files(project):
                if (one := _KEPT.fullmatch(earlier.name)) and (one[2], one[3]) == (name, "painted"):
                    earlier.unlink()
            _keep(project, name, "painted", Path(match["what"]).read_bytes())
            return
        if painted.shape != (clip.height, clip.width, 4):
            raise InputError(
                "project", f"what is drawn on a frame must be {clip.width}x{clip.height} pixels of RGBA",
                got=f"{painted.shape[1]}x{painted.shape[0]} in {painted.shape[2]} channels",
                todo="Draw on a picture of the clip's size, transparent elsewhere", path=match["what"],
            )  # fmt: skip
        _keep(project, name, str(frame), Path(match["what"]).read_bytes())
        return
    size = (SIDE_PX, SIDE_PX) if frame is None else (clip.width, clip.height)
    picture, width = _sticker_picture(match, text)
    placed = sticker(picture, size, x=float(match["x"]), y=float(match["y"]), width_px=width)
    _keep(project, name, "atlas" if frame is None else str(frame), _png(placed))


def forget_paint(project: Project) -> None:
    """Go on with the atlases as they are."""
    for folder in (FOLDER, ACCEPTED):
        shutil.rmtree(project.root / folder, ignore_errors=True)


def accept_paint(project: Project) -> None:
    """Remember all paint that there is as paint that fits."""
    kept, accepted = project.root / FOLDER, project.root / ACCEPTED
    if not accepted.is_dir() or files_key(accepted) != files_key(kept):
        _replace_by_copy(kept, accepted)


def refuse_paint(project: Project, error: InputError) -> InputError:
    """Take back what was given since paint last fitted, and say so; paint that fitted then stays."""
    kept, accepted = project.root / FOLDER, project.root / ACCEPTED
    before = paint_key(project)
    if accepted.is_dir():
        _replace_by_copy(accepted, kept)
    else:
        shutil.rmtree(kept, ignore_errors=True)
    got, path, end = error.got, error.path, "It fitted before; begin anew with --paint none"
    if paint_key(project) != before:
        end = "The project keeps the paint that it had"
        got, path = got if path is None else f"{got}, as {Path(path).stem}", None
    return type(error)(error.where, error.must, got=got, todo=f"{error.todo}. {end}" if error.todo else end, path=path)


def paint_key(project: Project) -> str | None:
    """Hash of all paint that the project was given; nothing where there is none."""
    return files_key(project.root / FOLDER) if _files(project) else None


def given_edits(
    project: Project, model: AtlasModel, stack: LayerStack, cast: Cast, *, report: Report
) -> tuple[Mapping[int, AtlasEdit], Sequence[str]]:
    """What the paint does to the layers, by layer id, and what of it is never seen, in sentences.

    Args:
        project: Where it is kept.
        model: Trained.
        stack: Made from it, at clip size.
        cast: Whose layers there are.
        report: Told as coverage is looked at.

    Raises:
        InputError: paint is for a layer that there is not, or lies where nothing is seen.
    """
    ids = {BACKGROUND_NAME: BACKGROUND} | {plan.name: plan.layer_id for plan in cast.layers}
    places = {plan.layer_id: place for place, plan in enumerate(cast.layers)} | {BACKGROUND: len(cast.layers)}
    given = [(one, file) for file in _files(project) if (one := _KEPT.fullmatch(file.name)) is not None]
    side = _side(model, stack, [file for one, file in given if one[3] == "painted"])
    atlases: dict[int, list[AtlasPicture]] = {}

    def atlas(side: int, layer_id: int) -> AtlasPicture:
        if side not in atlases:
            atlases[side] = atlas_pictures(model, side_px=side, report=report)
        return atlases[side][places[layer_id]]

    edits: dict[int, AtlasEdit] = {}
    told: list[str] = []
    for one, file in given:
        name, kind = one[2], one[3]
        if name not in ids:
            raise InputError(
                "project", "paint must be for a layer that there is", got=repr(name),
                todo=f"There is: {', '.join(ids)}", path=file,
            )  # fmt: skip
        layer_id = ids[name]
        before, picture = edits.get(layer_id), atlas(side, layer_id)
        try:
            if kind == "recolour":
                edits[layer_id] = recoloured_edit(picture, _read_recolour(file), before=before)
                continue
            painted = _read(file)
            if kind.isdigit():
                painted, outside = overlay_from_frame(stack, layer_id, painted, int(kind), side_px=side)
                if outside > TOLD:
                    told.append(f"{outside:.0%} of what was drawn on frame {kind} lies outside {name}, and is left out")
            elif painted.shape[2] == 3 and len(painted) != side:
                painted = _as_overlay(painted, atlas(len(painted), layer_id))
            if painted.shape[2] == 4:
                edits[layer_id] = overlay_edit(picture, _sized(painted, side), before=before)
            else:
                edits[layer_id] = repainted_edit(picture, painted, before=before)
        except InputError as error:
            raise type(error)(error.where, error.must, got=error.got, todo=error.todo, path=file) from error
        if edits[layer_id].unseen > TOLD:
            told.append(f"{edits[layer_id].unseen:.0%} of the paint on {name} lies where the clip never shows it")
    return edits, told


def _side(model: AtlasModel, stack: LayerStack, painted: Sequence[Path]) -> int:
    """Side of the atlas pictures that are painted on: about a texel a pixel of the clip, and no less than what came."""
    fine = max(stack.size) / min(model.uv_scales)
    return int(min(max(SIDE_PX, fine, *(len(_read(one)) for one in painted)), LARGEST_SIDE))


def _as_overlay(painted: UInt8[np.ndarray, "S S 3"], picture: AtlasPicture) -> UInt8[np.ndarray, "S S 4"]:
    differs = (painted != picture.colour).any(-1)
    return np.dstack([painted, np.where(differs, 255, 0).astype(np.uint8)])


def _sized(overlay: UInt8[np.ndarray, "S S 4"], side: int) -> UInt8[np.ndarray, "S S 4"]:
    if len(overlay) == side:
        return overlay
    return sticker(overlay, (side, side), x=0, y=0, width_px=side)


def _sticker_picture(match: re.Match[str], text: str) -> tuple[UInt8[np.ndarray, "h w 4"], float]:
    """The picture, and how wide it is to be."""
    what, size = match["what"], float(match["size"])
    if what.startswith("text:"):
        rgb = match["colour"] or "FFFFFF"
        words = text_picture(
            what.removeprefix("text:"), height_px=size, colour=(int(rgb[:2], 16), int(rgb[2:4], 16), int(rgb[4:], 16))
        )
        return words, float(words.shape[1])
    if match["colour"] is not None:
        raise InputError("cli.paint", "only words must be given a colour", got=repr(text))
    picture = _read(Path(what))
    if picture.shape[2] == 3:
        picture = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    return picture, size


def _recolour(parts: str, text: str) -> Recolour:
    values: dict[str, float] = {}
    for part in parts.split(","):
        match = re.fullmatch(rf"\s*(hue|saturation|brightness):({_NUMBER})\s*", part)
        if match is None:
            raise InputError(
                "cli.paint", "recolour must read hue:DEGREES,saturation:FACTOR,brightness:FACTOR, any of them",
                got=repr(text),
            )  # fmt: skip
        values[match[1]] = float(match[2])
    return Recolour(**values)


def _read_recolour(path: Path) -> Recolour:
    try:
        return TypeAdapter(Recolour).validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(
            "project", "kept paint must be whole", got="a recolouring that cannot be read",
            todo="Start again with --paint none", path=path,
        ) from error  # fmt: skip


def _keep(project: Project, name: str, kind: str, data: bytes, *, suffix: str = "png") -> None:
    last = max((int(one.name[:4]) for one in _files(project)), default=0)
    write_bytes(project.root / FOLDER / f"{last + 1:04d}-{name}-{kind}.{suffix}", data)


def _replace_by_copy(source: Path, target: Path) -> None:
    """Make one folder as the other; killed half-way, it is the one or the other, or gone."""
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(source, partial)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)


def _files(project: Project) -> list[Path]:
    return sorted(one for one in (project.root / FOLDER).glob("*") if _KEPT.fullmatch(one.name))


def _png(rgba: UInt8[np.ndarray, "H W 4"]) -> bytes:
    return cv2.imencode(".png", rgba[..., [2, 1, 0, 3]])[1].tobytes()


def _require_atlas(painted: UInt8[np.ndarray, "H W C"], path: Path) -> None:
    if painted.shape[0] != painted.shape[1]:
        raise InputError(
            "project", "an atlas that was painted on must be square", got=f"{painted.shape[1]}x{painted.shape[0]}",
            todo="Paint on a picture that `polytempo atlas` wrote; what was drawn on a frame is given with @FRAME",
            path=path,
        )  # fmt: skip


def _read(path: Path) -> UInt8[np.ndarray, "H W C"]:
    """RGB or straight RGBA."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(
            "project", "paint must be a file that can be read", got=str(error.strerror), path=path
        ) from error
    read: Any = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if read is None or read.dtype != np.uint8 or read.ndim != 3 or read.shape[2] not in (3, 4):
        got = "no picture" if read is None else f"{read.dtype} {read.shape}"
        raise InputError(
            "project", "paint must be a picture of 8 bits in colours, with or without alpha", got=got,
            todo="Save it as PNG in RGB or RGBA", path=path,
        )  # fmt: skip
    return np.ascontiguousarray(read[..., [2, 1, 0, 3][: read.shape[2]]])
