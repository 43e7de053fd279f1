"""The report: one page that shows the layers, how well they give the clip back, and where nothing was to go on."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

import cv2
import numpy as np

from polytempo.camera.given_plate import GIVEN
from polytempo.camera.path import CameraPath
from polytempo.core.errors import InputError
from polytempo.core.files import write_bytes
from polytempo.core.pictures import Picture, Pictures
from polytempo.core.progress import Progress, Report, silent
from polytempo.layers.stack import LayerStack
from polytempo.objects.cast import Cast
from polytempo.project.given_camera import GIVEN_CAMERA
from polytempo.project.measures import (
    FrameScore,
    frame_error,
    frame_score,
    leak_warnings,
    rebuilt_frames,
    unseen_warning,
)
from polytempo.project.plots import line_plot
from polytempo.project.records import Record
from polytempo.project.report_page import PAGE
from polytempo.project.sheet import (
    GIVEN_COLOUR,
    NEVER_SEEN,
    error_picture,
    fitted,
    layers_sheet,
    mark_unseen,
    over_chequer,
    sampled,
    whole_layer,
)
from polytempo.video.clip import Clip

SHOWN_FRAMES = 4
SCORED_FRAMES = 24
ERROR_FULL_SCALE = 32
"""Difference, in 0…255, that is white in an error map."""
CELL_WIDTH = 320
MADE_LAYERS = ("atlases", "layers")
"""Stages whose warnings are about the layers that are shown."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ReportInput:
    """All that a report is made of."""

    title: str
    clip: Clip
    pictures: Pictures
    """The clip's frames at clip size."""
    stack: LayerStack
    """At clip size."""
    camera: CameraPath
    """As estimated, at working size."""
    cast: Cast
    records: tuple[Record, ...]
    """One for each stage, in the order they ran."""
    alignments: tuple[str, ...] = ()
    """Plots of motions that were aligned, whole SVG documents."""
    edit: tuple[str, ...] = ()
    """What becomes of each instance in the edit, a line each; none where there is no edit."""
    edit_warnings: tuple[str, ...] = ()
    """What the edit shows that the clip never had; see ``render.findings``."""


def write_report(path: Path, given: ReportInput, *, report: Report = silent) -> list[str]:
    """Write ``report.html`` with all pictures inside, and a contact sheet PNG of the same name beside it.

    Args:
        path: Where the page goes, ``NAME.html``.
        given: What it is about.
        report: Told as work goes on.

    Returns:
        The warnings that the page shows.

    Raises:
        InputError: the stack and the clip do not have the same number of frames.
    """
    n_frames = given.stack.n_frames
    if n_frames != len(given.pictures):
        raise InputError(
            "project.report",
            "layers and clip must have the same number of frames",
            got=f"{n_frames} and {len(given.pictures)}",
            todo="Separate the layers again with `polytempo decompose`",
        )
    steps = 4
    shown = sampled(n_frames, SHOWN_FRAMES)
    pictures = [np.array(given.pictures[t]) for t in shown]
    report(Progress(stage="report", done=0, total=steps, message="contact sheet"))
    sheet = layers_sheet(given.stack, pictures, shown, cell_width=CELL_WIDTH)
    write_bytes(path.with_suffix(".png"), encoded(sheet, ".png"))
    report(Progress(stage="report", done=1, total=steps, message="scores"))
    scores: list[FrameScore] = []
    rebuilt: dict[int, Picture] = {}
    for t, picture in rebuilt_frames(given.stack, given.clip, {*shown, *sampled(n_frames, SCORED_FRAMES)}):
        scores.append(frame_score(given.stack, picture, np.asarray(given.pictures[t]), t))
        if t in shown:
            rebuilt[t] = picture
    report(Progress(stage="report", done=2, total=steps, message="leaks"))
    warnings = [
        *given.camera.warnings,
        *given.cast.warnings,
        *(text for one in given.records if one.stage in MADE_LAYERS for text in one.warnings),
        *unseen_warning(scores),
        *leak_warnings(given.stack, given.cast, sampled(n_frames, SCORED_FRAMES)),
        *given.edit_warnings,
    ]
    warnings = list(dict.fromkeys(warnings))  # stages pass some on
    report(Progress(stage="report", done=3, total=steps, message="page"))
    page = Template(PAGE).substitute(
        title=escape(given.title),
        lead=_lead(given.records),
        painted=" Layers are painted on; the paint counts as a difference." if _are_painted(given.records) else "",
        facts=_facts(given, scores),
        warnings=_warnings(warnings),
        layers=_layers(given.stack, pictures, shown),
        rebuilt=_rebuilt([rebuilt[t] for t in shown], pictures, shown),
        psnr=line_plot(
            [one.frame for one in scores],
            [one.psnr_db for one in scores],
            label="PSNR of the rebuilt frames",
            unit="dB",
            from_zero=False,
        ),
        plate=_plate(given.stack),
        camera=line_plot(
            list(range(len(given.camera.residual_px))),
            given.camera.residual_px.tolist(),
            label="Camera residual per frame",
            unit="px",
        ),
        camera_text=escape(_camera_text(given.camera, was_given=_camera_was_given(given.records))),
        stages=_stages(given.records),
        alignments=_edit(given.edit) + _alignments(given.alignments),
        versions=escape(", ".join(f"{k} {v}" for k, v in given.records[-1].versions.items()) if given.records else ""),
    )
    write_bytes(path, page.encode())
    report(Progress(stage="report", done=steps, total=steps, message="written"))
    return warnings


def encoded(picture: Picture, suffix: str) -> bytes:
    """Encode a picture as PNG or JPEG."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 88] if suffix == ".jpg" else [cv2.IMWRITE_PNG_COMPRESSION, 9]
    done, data = cv2.imencode(suffix, picture[..., ::-1], options)
    assert done  # an 8-bit picture of three channels can always be encoded
    return data.tobytes()


def _image(picture: Picture, text: str, *, width: int = CELL_WIDTH) -> str:
    data = base64.b64encode(encoded(fitted(picture, width=width), ".jpg")).decode()
    alt = escape(text, quote=True)
    return f'<figure><img src="data:image/jpeg;base64,{data}" alt="{alt}"><figcaption>{alt}</figcaption></figure>'


def _facts(given: ReportInput, scores: Sequence[FrameScore]) -> str:
    clip = given.clip
    mean = float(np.mean([one.psnr_db for one in scores]))
    kind = "variable rate" if clip.is_variable_rate else "frames a second"
    seconds = sum(one.seconds for one in given.records)
    peak = max((one.peak_mb for one in given.records), default=0.0)
    facts = [
        ("Clip", f"{clip.path.name}, {clip.width}×{clip.height}, {clip.n_frames} frames"),
        ("Rate", f"{float(clip.frame_rate):.5g} {kind}"),
        ("Layers", ", ".join(layer.name for layer in given.stack.layers) or "none"),
        ("Reconstruction", f"{mean:.1f} dB PSNR, mean of {len(scores)} frames"),
        ("Time", f"{seconds:.0f} s in all stages"),
        ("Memory", f"{peak:.0f} MB at most"),
    ]
    return "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)


def _warnings(warnings: Sequence[str]) -> str:
    if not warnings:
        return '<p class="fine">Nothing to warn of.</p>'
    return "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in warnings) + "</ul>"


def _layers(stack: LayerStack, pictures: Sequence[Picture], frames: Sequence[int]) -> str:
    rows = [_row("Input", [_image(one, f"frame {t}") for one, t in zip(pictures, frames, strict=True)])]
    for layer in stack.layers:
        rgba = [whole_layer(layer, t) for t in frames]
        name = layer.name
        rows.append(
            _row(name, [_image(over_chequer(one), f"{name}, frame {t}") for one, t in zip(rgba, frames, strict=True)])
        )
        mattes = [np.repeat(one[..., 3:], 3, axis=2) for one in rgba]
        rows.append(_row(f"{name}: matte", [_image(one, f"frame {t}") for one, t in zip(mattes, frames, strict=True)]))
    return "".join(rows)


def _rebuilt(rebuilt: Sequence[Picture], pictures: Sequence[Picture], frames: Sequence[int]) -> str:
    errors = [frame_error(one, other).astype(np.float64) for one, other in zip(rebuilt, pictures, strict=True)]
    maps = [error_picture(one, full_scale=ERROR_FULL_SCALE) for one in errors]
    return (
        _row("Input", [_image(one, f"frame {t}") for one, t in zip(pictures, frames, strict=True)])
        + _row("All layers", [_image(one, f"frame {t}") for one, t in zip(rebuilt, frames, strict=True)])
        + _row("Difference", [_image(one, f"frame {t}") for one, t in zip(maps, frames, strict=True)])
    )


def _plate(stack: LayerStack) -> str:
    coverage = stack.background.coverage
    share = np.minimum(coverage / max(stack.n_frames, 1), 1.0).astype(np.float64)
    shade = error_picture(share, full_scale=1.0)
    shade[coverage == 0] = NEVER_SEEN
    shade[coverage == GIVEN] = GIVEN_COLOUR
    marked = mark_unseen(stack.background.colour, coverage == 0)
    return _row(
        "On the canvas",
        [
            _image(stack.background.colour, "background", width=2 * CELL_WIDTH),
            _image(marked, "never seen: hatched", width=2 * CELL_WIDTH),
            _image(
                shade, "seen bare in: no frame (pink), few (dark), all (bright); given (blue)", width=2 * CELL_WIDTH
            ),
        ],
    )


def _row(name: str, cells: Sequence[str]) -> str:
    return f'<div class="row"><h3>{escape(name)}</h3><div class="cells">{"".join(cells)}</div></div>'


def _lead(records: Sequence[Record]) -> str:
    if any(one.stage == "atlases" for one in records):
        return (
            "Each subject is a layer of its own, with an atlas that can be painted on; shadows and reflections are "
            "light on the background. Together they give the clip back."
        )
    return (
        "Each subject with what belongs to it (shadow, reflection) is a layer of its own; together they give the clip "
        "back."
    )


def _are_painted(records: Sequence[Record]) -> bool:
    return any(one.stage == "layers" and "paint" in one.inputs for one in records)


def _camera_was_given(records: Sequence[Record]) -> bool:
    return any(one.stage == "camera" and GIVEN_CAMERA in one.inputs for one in records)


def _camera_text(camera: CameraPath, *, was_given: bool) -> str:
    kinds = {
        "static": "The camera stands still",
        "stabilised": "The camera shakes a little",
        "panning": "The camera pans",
    }
    worst = int(camera.residual_px.argmax())
    text = (
        f"{kinds[camera.kind]}: canvas of {camera.canvas_size[0]}×{camera.canvas_size[1]} pixels for frames of "
        f"{camera.frame_size[0]}×{camera.frame_size[1]}. "
    )
    if was_given:  # a residual of 0 would claim a perfect fit
        return f"{text}Its path was given with the clip; how well it fits was not measured."
    return (
        f"{text}Median residual {np.median(camera.residual_px):.2f} px, "
        f"largest {camera.residual_px[worst]:.2f} px in frame {worst}."
    )


def _edit(lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(one)}</li>" for one in lines)
    return f"<h2>Edit</h2><ul>{items}</ul>" if lines else ""


def _alignments(plots: Sequence[str]) -> str:
    if not plots:
        return ""
    return "<h2>Motions in time</h2>" + "".join(f'<div class="plot">{one}</div>' for one in plots)


def _stages(records: Sequence[Record]) -> str:
    rows = "".join(
        f"<tr><td>{escape(one.stage.replace('_', ' '))}</td><td>{one.seconds:.1f} s</td><td>{one.peak_mb:.0f} MB</td>"
        f"<td><code>{escape(one.key[:8])}</code></td></tr>"
        for one in records
    )
    return f"<table><tr><th>stage</th><th>time</th><th>memory</th><th>key</th></tr>{rows}</table>"
