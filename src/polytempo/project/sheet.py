"""Pictures that a person can judge: layers over a chequer, mattes, contact sheets."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float, Integer, UInt8

from polytempo.camera.path import CameraPath
from polytempo.camera.warp import warp_picture
from polytempo.core.pictures import Picture
from polytempo.layers.stack import Layer, LayerStack
from polytempo.objects.cast import Cast

INK, PAPER, FAINT = (32, 33, 36), (250, 250, 248), (120, 122, 126)
COLOURS = ((255, 99, 71), (64, 160, 255), (80, 220, 100), (255, 205, 60), (205, 110, 255), (60, 225, 215))
"""One per subject, told apart by most people."""
NEVER_SEEN = (224, 66, 160)
"""Colour of pixels that nothing is known of; rare in pictures."""
GIVEN_COLOUR = (64, 120, 255)
"""Colour of places that the user's own plate shows."""


def chequer(size: tuple[int, int], *, square_px: int = 8) -> Picture:
    """Give a grey chequer ``uint8 [H, W, 3]``, as editors show what is clear."""
    rows, columns = np.mgrid[: size[1], : size[0]] // square_px
    grey = np.where((rows + columns) % 2 == 0, 168, 200).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def over_chequer(layer: UInt8[np.ndarray, "H W 4"]) -> Picture:
    """Show a premultiplied layer over a chequer."""
    height, width = layer.shape[:2]
    return lay_over(layer, chequer((width, height), square_px=max(4, width // 56)))


def lay_over(layer: UInt8[np.ndarray, "H W 4"], back: UInt8[np.ndarray, "H W 3"]) -> Picture:
    """Join a premultiplied layer and an opaque picture by *over*."""
    clear = 255 - layer[..., 3:].astype(np.uint16)
    return np.minimum(layer[..., :3] + (back * clear + 127) // 255, 255).astype(np.uint8)


def plate_in_frame(stack: LayerStack, frame: int) -> Picture:
    """Show the background as the camera sees it in a frame."""
    return warp_picture(
        stack.background.colour,
        np.linalg.inv(stack.camera.canvas_from_frame[frame]),
        stack.size,
        border="replicate",
        interpolation="cubic",
    )


def coverage_in_frame(
    coverage: Integer[np.ndarray, "Hc Wc"], camera: CameraPath, frame: int
) -> Bool[np.ndarray, "H W"]:
    """Mark the pixels of a frame whose background was seen bare at least once."""
    seen = (coverage > 0).astype(np.uint8)
    inverse = np.linalg.inv(camera.canvas_from_frame[frame])
    return warp_picture(seen, inverse, camera.frame_size, border="replicate", interpolation="nearest") > 0


def whole_layer(layer: Layer, frame: int) -> UInt8[np.ndarray, "H W 4"]:
    """Join a layer's body and its effects into one premultiplied picture."""
    body = np.asarray(layer.pictures[frame])
    if layer.effects is None:
        return body
    clear = 255 - body[..., 3:].astype(np.uint16)
    return np.minimum(body + (np.asarray(layer.effects[frame]) * clear + 127) // 255, 255).astype(np.uint8)


def error_picture(error: Float[np.ndarray, "H W"], *, full_scale: float) -> Picture:
    """Show an error per pixel, 0 black to ``full_scale`` and more white, through red and yellow."""
    level = np.clip(error / full_scale * 255, 0, 255).astype(np.uint8)
    coloured = cv2.applyColorMap(level, cv2.COLORMAP_INFERNO)
    return np.ascontiguousarray(coloured[..., ::-1], np.uint8)


def mark_unseen(picture: UInt8[np.ndarray, "H W 3"], unseen: Bool[np.ndarray, "H W"]) -> Picture:
    """Hatch pixels that nothing is known of."""
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    hatch = (rows + columns) % 6 < 3
    out = picture.copy()
    out[unseen & hatch] = NEVER_SEEN
    return out


def fitted(picture: Picture, *, width: int) -> Picture:
    """Scale a picture to a width; averaged when it shrinks."""
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    way = cv2.INTER_AREA if width < picture.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=way), np.uint8)


def contact_sheet(rows: Sequence[tuple[str, Sequence[Picture]]], titles: Sequence[str], *, cell_width: int) -> Picture:
    """Lay pictures out in named rows under named columns.

    Args:
        rows: Name of each row and its pictures, ``uint8 [H, W, 3]``, one a column.
        titles: Name of each column.
        cell_width: Width of a picture on the sheet in pixels.

    Returns:
        The sheet, ``uint8 [H, W, 3]``.
    """
    gap, head, side = 6, 26, 96
    cells = [[fitted(one, width=cell_width) for one in pictures] for _, pictures in rows]
    cell_height = max(one.shape[0] for row in cells for one in row)
    sheet = np.full(
        (head + len(rows) * (cell_height + gap) + gap, side + len(titles) * (cell_width + gap) + gap, 3),
        PAPER,
        np.uint8,
    )
    for column, title in enumerate(titles):
        write_text(sheet, title, (side + column * (cell_width + gap) + 2, 18))
    for row, (name, _) in enumerate(rows):
        top = head + row * (cell_height + gap)
        write_text(sheet, name, (8, top + cell_height // 2 + 4))
        for column, cell in enumerate(cells[row]):
            left = side + column * (cell_width + gap)
            sheet[top : top + cell.shape[0], left : left + cell_width] = cell
    return sheet


def write_text(
    picture: UInt8[np.ndarray, "H W 3"],
    text: str,
    place: tuple[int, int],
    *,
    colour: tuple[int, int, int] = INK,
    scale: float = 0.42,
) -> None:
    """Write a short text into a picture that the caller made; letters that OpenCV's font has not come out as ``?``."""
    whole = text.encode("utf-8", "replace").decode()  # a name from a file system may hold half letters
    cv2.putText(picture, whole, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)


def sampled(n_frames: int, count: int) -> list[int]:
    """Pick frames spread over a clip, the first and the last among them.

    Example:
        >>> sampled(48, 4), sampled(2, 5)
        ([0, 16, 31, 47], [0, 1])
    """
    return sorted({round(t) for t in np.linspace(0, n_frames - 1, min(count, n_frames))})


def layers_sheet(stack: LayerStack, pictures: Sequence[Picture], frames: Sequence[int], *, cell_width: int) -> Picture:
    """Lay out input, background, each layer and its matte on some frames.

    Args:
        stack: At clip size.
        pictures: The clip's frames of ``frames``, in that order.
        frames: Which frames, a row each.
        cell_width: Width of a picture on the sheet.
    """
    titles = ["input", "background"]
    for layer in stack.layers:
        titles += [layer.name, f"{layer.name}: matte"]
    rows: list[tuple[str, list[Picture]]] = []
    for picture, frame in zip(pictures, frames, strict=True):
        row = [fitted(picture, width=cell_width), fitted(plate_in_frame(stack, frame), width=cell_width)]
        for layer in stack.layers:
            rgba = whole_layer(layer, frame)
            row.append(fitted(over_chequer(rgba), width=cell_width))
            row.append(fitted(np.repeat(rgba[..., 3:], 3, axis=2), width=cell_width))
        rows.append((f"frame {frame}", row))
    return contact_sheet(rows, titles, cell_width=cell_width)


def subjects_sheet(cast: Cast, pictures: Sequence[Picture], frames: Sequence[int]) -> Picture:
    """Show each subject's outline in a colour of its own, completed parts dashed by a lighter fill.

    Args:
        cast: At the size of the pictures.
        pictures: The clip's frames of ``frames``, in that order.
        frames: Which frames.
    """
    cells: list[Picture] = []
    for picture, frame in zip(pictures, frames, strict=True):
        out = picture.copy()
        for number, subject in enumerate(cast.subjects):
            colour = COLOURS[number % len(COLOURS)]
            out = outlined(out, subject.mask[frame], colour, fill=0.25)
            out = outlined(out, subject.amodal[frame] & ~subject.mask[frame], colour, fill=0.5)
            place = np.argwhere(subject.mask[frame])
            if len(place):
                write_text(
                    out, subject.name, (int(place[:, 1].min()), max(12, int(place[:, 0].min()) - 4)), colour=colour
                )
        cells.append(out)
    columns = 2 if cells[0].shape[1] > cells[0].shape[0] else 4
    rows = [(f"frame {frames[n]}", cells[n : n + columns]) for n in range(0, len(cells), columns)]
    return contact_sheet(rows, [""] * columns, cell_width=cells[0].shape[1])


def outlined(picture: Picture, mask: Bool[np.ndarray, "H W"], colour: tuple[int, int, int], *, fill: float) -> Picture:
    """Tint a mask and draw its edge."""
    out = picture.astype(np.float32)
    out[mask] = (1 - fill) * out[mask] + fill * np.array(colour, np.float32)
    edge = mask & (cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    out[edge] = colour
    return out.astype(np.uint8)
