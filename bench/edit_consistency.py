"""Whether an edit stays where it was put: TAP-Vid's measures against chained flow, drift of painted corners, light.

    python bench/edit_consistency.py SCENE --project nvd.polytempo --json edit_consistency.json

Truth comes with the scene: points of the background by its homographies, hidden where a body is in front; people by
their keypoints. The corners are those of a white and grey board painted on the wall in one frame; the light is that of
the truth's background on the board's place, and of the board. The board wants a still camera.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from machine import commit, machine_facts
from numpy.typing import NDArray
from relight import frames_of_video
from result_schemas import check_results
from scene_folder import SceneFolder, read_scene_folder

from polytempo.atlas.edit import BACKGROUND, AtlasEdit, edited_stack
from polytempo.atlas.on_frame import overlay_from_frame
from polytempo.atlas.track import atlas_tracks
from polytempo.camera.warp import moved_points
from polytempo.cli.render import current_stack
from polytempo.core.files import write_json
from polytempo.layers.stack import LayerStack
from polytempo.layers.tap_vid import PointTracks, first_queries, strided_queries, tap_vid_scores
from polytempo.objects.chained_flow import chained_tracks
from polytempo.objects.flow import neighbour_flow
from polytempo.project.folder import open_project

SCHEMA, VERSION = "polytempo.bench.edit_consistency", 1
STEP = 28
"""Pixels between two points of the background."""
SIDE = 1000


def main() -> int:
    """Measure, print, write."""
    given = arguments()
    scene = read_scene_folder(given.scene)
    frames = frames_of_video(scene.path / "input.mp4")
    flow = neighbour_flow(frames)
    truths = {"background": background_tracks(scene), "people": keypoint_tracks(scene)}
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "commit": commit(),
        "machine": machine_facts(),
        "scene": scene.name,
        "runs": [],
    }
    print(f"{'tracks':<14}{'queries':<10}{'by':<18}{'AJ':>7}{'delta':>7}{'OA':>7}")
    for folder in given.project:
        with open_project(folder, writing=False) as project:
            stack = current_stack(project).value
        for what, truth in truths.items():
            for mode in ("first", "strided"):
                queries = first_queries(truth) if mode == "first" else strided_queries(truth)
                asked = truth.points[queries[:, 0], queries[:, 1]], queries[:, 1]
                for by, found in (
                    (folder.stem, atlas_tracks(stack, *asked)),
                    ("chained DIS flow", chained_tracks(flow, *asked)),
                ):
                    row = tap_vid_scores(found, truth, queries, mode=mode)
                    said = {"aj": row.average_jaccard, "delta": row.delta_average, "oa": row.occlusion_accuracy}
                    document["runs"].append({"tracks": what, "mode": mode, "by": by, "queries": len(queries), **said})
                    print(f"{what:<14}{mode:<10}{by:<18}" + "".join(f"{value:>7.3f}" for value in said.values()))
        board = painted_board(stack, scene, given.board)
        document["runs"].append({"project": folder.stem, "board": board})
        print(
            f"{folder.stem}: drift {board['drift_px_max']:.2f} px at most, {board['drift_px_mean']:.2f} on the "
            f"whole; light on the board follows the truth's by r = {board['light_r']}"
        )
    check_results(document)
    if given.json:
        write_json(given.json, document)
    return 0


def background_tracks(scene: SceneFolder) -> PointTracks:
    """A grid on frame 0 through all frames."""
    width, height = scene.size
    x, y = np.meshgrid(np.arange(STEP // 2, width, STEP), np.arange(STEP // 2, height, STEP))
    grid = np.stack([x.ravel(), y.ravel()], -1).astype(float)
    bodies = np.any(list(scene.masks("masks").values()), axis=0)
    points = np.stack([moved_points(grid, np.linalg.inv(matrix)) for matrix in scene.homographies], 1)
    return PointTracks(points=points, occluded=hidden(points, bodies), size=scene.size)


def hidden(points: NDArray[np.float64], bodies: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Outside the frame, or under somebody."""
    height, width = bodies.shape[1:]
    inside = ((points > -0.5) & (points < [width - 0.5, height - 0.5])).all(-1)
    pixel = np.clip(np.rint(points).astype(int), 0, [width - 1, height - 1])
    return ~inside | bodies[np.arange(len(bodies))[None], pixel[..., 1], pixel[..., 0]]


def keypoint_tracks(scene: SceneFolder) -> PointTracks:
    """Every person's keypoints; hidden where the scene says that they are not to be seen."""
    people: dict[int, list[Any]] = {}
    facts = json.loads((scene.path / "keypoints.json").read_text())
    for frame, there in enumerate(facts["frames"]):
        for one in there:
            rows = people.setdefault(one["person"], [[[0, 0, 0]] * 17 for _ in range(scene.n_frames)])
            rows[frame] = one["keypoints"]
    found = np.concatenate([np.array(rows, float).transpose(1, 0, 2) for rows in people.values()])
    return PointTracks(points=found[..., :2], occluded=found[..., 2] < 2, size=scene.size)


def painted_board(stack: LayerStack, scene: SceneFolder, box: tuple[int, int, int, int]) -> dict[str, Any]:
    """Drift of the corner in the middle of a board of four squares, and how the board's light follows the truth's."""
    left, top, right, bottom = box
    middle = np.array([(left + right - 1) / 2, (top + bottom - 1) / 2])
    drawn = np.zeros((scene.size[1], scene.size[0], 4), np.uint8)
    drawn[top:bottom, left:right] = (110, 110, 110, 255)
    drawn[top : (top + bottom) // 2, left : (left + right) // 2, :3] = 230
    drawn[(top + bottom) // 2 : bottom, (left + right) // 2 : right, :3] = 230
    overlay, _ = overlay_from_frame(stack, BACKGROUND, drawn, 0, side_px=SIDE)
    alpha = overlay[..., 3:].astype(np.float32) / 255
    # Laid on black: what shows of the board alone, whatever the wall's texture is.
    change = alpha * overlay[..., :3].astype(np.float32) / 255
    dark = stack.background.live
    assert dark is not None
    black = np.zeros((scene.size[1], scene.size[0], 4), np.uint8)
    black[..., 3] = 255
    bare = np.broadcast_to(black, (stack.n_frames, *black.shape))
    on_black = LayerStack(
        background=type(stack.background)(
            colour=stack.background.colour, coverage=stack.background.coverage, live=bare,
            shading=stack.background.shading,
        ),
        layers=(), order=((),) * stack.n_frames, camera=stack.camera,
    )  # fmt: skip
    shown = edited_stack(on_black, {BACKGROUND: AtlasEdit(change=change.astype(np.float32))}).background.live
    assert shown is not None
    truth = frames_of_video(scene.path / "truth" / "background.mp4").astype(np.float32)
    drifts: list[float] = []
    on_board, on_wall = [], []
    for t in range(stack.n_frames):
        board = np.asarray(shown[t])[..., :3]
        grey = np.asarray(cv2.cvtColor(np.ascontiguousarray(board), cv2.COLOR_RGB2GRAY))
        expected = moved_points(middle[None], np.linalg.inv(scene.homographies[t]))[0]
        at = np.array([[expected]], np.float32)
        stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 50, 0.01)
        found = cv2.cornerSubPix(grey, at.copy(), (7, 7), (-1, -1), stop)[0, 0]
        drifts.append(float(np.linalg.norm(found - expected)))
        # The grey squares, which do not clip, and the same place of the truth's background.
        part = np.s_[top + 4 : (top + bottom) // 2 - 4, (left + right) // 2 + 4 : right - 4]
        on_board.append(board[part].reshape(-1, 3).mean(0))
        on_wall.append(truth[t][part].reshape(-1, 3).mean(0))
    r = [float(np.corrcoef(np.array(on_board)[:, c], np.array(on_wall)[:, c])[0, 1]) for c in range(3)]
    first = np.array(drifts)
    return {
        "box": box,
        "drift_px_max": float(first.max()),
        "drift_px_mean": float(first.mean()),
        "light_r": [round(one, 3) for one in r],
    }


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scene", type=Path, help="scene folder with rendered truth")
    parser.add_argument("--project", type=Path, action="append", required=True, help="of --method nvd; may be repeated")
    parser.add_argument(
        "--board", type=int, nargs=4, default=(90, 84, 150, 132), metavar=("LEFT", "TOP", "RIGHT", "BOTTOM"),
        help="where the board is painted in the first frame",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, help="write the figures here")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
