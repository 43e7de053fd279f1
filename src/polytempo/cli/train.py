"""``polytempo train``: networks that do not belong to one clip."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from polytempo.bodies.found_pairs import FoundPair, held_out, one_after_another, one_of, read_found_pairs
from polytempo.bodies.keypoints import Keypoints
from polytempo.bodies.keypoints_to_uv import network_uv
from polytempo.bodies.train_uv import Body, UvTraining, drawn_pair, train_uv_network, uv_from_keypoints, uv_scores
from polytempo.bodies.uv_network import UvNetworkConfig, write_uv_network
from polytempo.cli.options import Debug, Json
from polytempo.cli.output import Output, choose_mode
from polytempo.cli.stopping import Stop
from polytempo.core.errors import InputError
from polytempo.core.files import write_json

KEYPOINTS_TO_UV = "keypoints-to-uv"


def train_command(
    what: Annotated[str, typer.Argument(metavar="WHAT", help=f"What to train: {KEYPOINTS_TO_UV}.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File for the weights: .safetensors.")],
    steps: Annotated[int, typer.Option(help="Optimiser steps.")] = UvTraining().n_steps,
    width: Annotated[int, typer.Option(help="Channels of the network's first row; the paper's has 64.")] = 24,
    side: Annotated[int, typer.Option(help="Side of the skeleton picture in pixels; the paper's is 256.")] = 128,
    seed: Annotated[int, typer.Option(help="Same seed, same weights on one machine.")] = 0,
    held_out_people: Annotated[int, typer.Option("--held-out", help="People to score on afterwards.")] = 200,
    pairs: Annotated[
        list[str] | None,
        typer.Option(
            "--pairs",
            metavar="FILE=FOLDER",
            help="Train on your own pairs instead of drawn ones: a file of keypoints and a folder of DensePose's IUV "
            "pictures of the same frames. May be repeated; one pair of ten is kept for the scores.",
        ),
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Train the network from keypoints to UV; beside the weights a log with held-out scores is put."""
    if what != KEYPOINTS_TO_UV:
        raise InputError("cli.train", f"what to train must be {KEYPOINTS_TO_UV}", got=repr(what))
    if output.suffix != ".safetensors":
        raise InputError("cli.train", "weights must go into a .safetensors file", got=repr(output.name))
    mine, kept = held_out(own_pairs(pairs)) if pairs else ((), ())
    config = UvTraining(network=UvNetworkConfig(width=width, side=side), n_steps=steps)
    shown, stop = Output(mode=choose_mode(as_json=as_json)), Stop()
    with stop.listening(), shown.working():
        network, losses = train_uv_network(
            config, source=one_of(mine) if pairs else drawn_pair, seed=seed, report=stop.watching(shown.report)
        )
        write_uv_network(output, network)
        large = round(1.25 * side)
        ways: dict[str, Callable[[Keypoints], Body]] = {
            "geometric body": lambda points: uv_from_keypoints(points, side=large),
            "network": lambda points: network_uv(network, points, size=(large, large)),
        }
        scores = {name: uv_scores(way, n_people=held_out_people, side=large) for name, way in ways.items()}
        scores |= {
            f"{name}, own pairs": uv_scores(way, n_people=len(kept), side=large, source=one_after_another(kept))
            for name, way in ways.items()
            if kept
        }
    log = {
        "training": dataclasses.asdict(config),
        "seed": seed,
        "pairs": {"trained on": len(mine), "held out": len(kept)} if pairs else "drawn",
        "losses": [round(one, 4) for one in losses],
        "held_out": {name: dataclasses.asdict(one) for name, one in scores.items()},
    }
    write_json(output.with_suffix(".json"), log)
    rows = [
        f"{name}: part {one.part_accuracy:.3f}, UV error {one.uv_error:.3f}; hidden limbs: part "
        f"{one.hidden_part_accuracy:.3f}, UV error {one.hidden_uv_error:.3f}; silhouette IoU {one.silhouette_iou:.3f}"
        for name, one in scores.items()
    ]
    shown.say("\n".join([str(output), *rows]), path=str(output), scores=log["held_out"])


def own_pairs(texts: list[str]) -> list[FoundPair]:
    """Pairs of all files and folders, said as ``FILE=FOLDER``.

    Raises:
        InputError: one does not read so, or holds no pair.
    """
    out: list[FoundPair] = []
    for text in texts:
        file, found, folder = text.partition("=")
        if not found or not file.strip() or not folder.strip():
            raise InputError("cli.train", "pairs must be given as KEYPOINTS.json=FOLDER", got=repr(text))
        out += read_found_pairs(Path(file.strip()), Path(folder.strip()))
    return out
