"""``polytempo subjects``: who is in the clip."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from polytempo.bodies.vitpose import check_vitpose
from polytempo.cli.asking import request_from
from polytempo.cli.options import ClipOrProject, Said, Working, takes_groups
from polytempo.cli.session import Session, session
from polytempo.core.files import write_bytes
from polytempo.objects.propose import contact_sheet
from polytempo.project.given_camera import forget_camera, keep_camera
from polytempo.project.given_iuv import forget_iuv, keep_iuv
from polytempo.project.given_keypoints import forget_keypoints, keep_keypoints
from polytempo.project.given_paint import forget_paint, keep_paint
from polytempo.project.given_plate import forget_plate, keep_plate
from polytempo.project.given_trimaps import forget_trimaps, keep_trimap
from polytempo.project.proposals import picked_prompts, run_proposals
from polytempo.project.report import encoded
from polytempo.project.request import SubjectsRequest, read_request, write_request
from polytempo.project.sheet import fitted, sampled, subjects_sheet
from polytempo.project.stages import Footage, Subjects, run_footage, run_probe, run_subjects
from polytempo.project.taken_layers import forget_taken, keep_taken


@takes_groups
def subjects_command(given: ClipOrProject, said: Said, place: Working) -> None:
    """Follow the subjects that are named; with nobody named, propose some by their motion."""
    with session(given, place) as now:
        request = settle_request(now, said)
        footage = run_footage(now.project, now.settings, now.report)
        if request is None:
            propose_subjects(now, footage)
            return
        found = followed(now, footage, request)
        show_subjects(now, footage, found)


def settle_request(now: Session, said: Said) -> SubjectsRequest | None:
    """Put together what was said now and earlier about subjects and camera, and keep it.

    Raises:
        InputError: it cannot be understood, or does not belong to the clip.
    """
    path = now.project.root / "subjects.json"
    clip = run_probe(now.project, now.report).value
    if said.homographies == "estimate":
        forget_camera(now.project)
    elif said.homographies is not None:
        keep_camera(now.project, clip, Path(said.homographies))
    if said.keypoints == "none":
        forget_keypoints(now.project)
    elif said.keypoints is not None:
        keep_keypoints(now.project, clip, Path(said.keypoints))
    for text in said.iuv or ():
        if text == "none":
            forget_iuv(now.project)
        else:
            keep_iuv(now.project, clip, text)
    if said.plate == "none":
        forget_plate(now.project)
    elif said.plate is not None:
        keep_plate(now.project, Path(said.plate))
    for text in said.trimap or ():
        if text == "none":
            forget_trimaps(now.project)
        else:
            keep_trimap(now.project, clip, text)
    for text in said.paint or ():
        if text == "none":
            forget_paint(now.project)
        else:
            keep_paint(now.project, clip, text)
    for text in said.take or ():
        if text == "none":
            forget_taken(now.project)
        else:
            keep_taken(now.project, text)
    if now.settings.vitpose != "none":
        check_vitpose(now.settings.vitpose)
    request = request_from(said, clip, before=None if said.names_somebody else read_request(path))
    if request is not None:
        write_request(path, request)
    return request


def followed(now: Session, footage: Footage, request: SubjectsRequest) -> Subjects:
    """Follow whoever was asked for; picked numbers are looked up among the proposals first."""
    if request.picked:
        prompts = picked_prompts(now.project, footage, request, now.settings, now.report)
        request = dataclasses.replace(request, prompts=prompts)
    return run_subjects(now.project, footage, request, now.settings, now.report)


def propose_subjects(now: Session, footage: Footage) -> None:
    """Show who is proposed, and how to pick them."""
    proposals = run_proposals(now.project, footage, now.settings, now.report).value
    if not proposals:
        now.output.say(
            "Nobody is proposed: nothing moves by itself. Name subjects with --box or --subjects.", proposals=[]
        )
        return
    sheet = now.project.root / "proposals.png"
    write_bytes(sheet, encoded(contact_sheet(footage.frames.value, proposals, tile_width=320), ".png"))
    for one in proposals:
        box = one.box(one.best_frame)
        now.output.say(
            f"{one.number}: frames {one.start} to {one.stop - 1}, {box[2] - box[0]}x{box[3] - box[1]} pixels",
            number=one.number,
            start=one.start,
            stop=one.stop,
        )
    now.output.say(
        f"Shown in {sheet}\nNext: polytempo subjects {now.project.root} --pick 1\n"
        "(or --pick girl=1,boy=2 with names; boy=2+3 where two of them are one)",
        sheet=str(sheet),
    )


def show_subjects(now: Session, footage: Footage, found: Subjects) -> None:
    """Show who was found, with a contact sheet."""
    frames = sampled(len(footage.frames.value), 8)
    sheet = now.project.root / "subjects.png"
    pictures = [fitted(footage.frames.value[t], width=footage.frames.value.size[0]) for t in frames]
    write_bytes(sheet, encoded(subjects_sheet(found.cast.value, pictures, frames), ".png"))
    for warning in (*found.camera.record.warnings, *found.cast.record.warnings):
        now.output.warn(warning)
    for one in found.cast.value.subjects:
        seen = int(one.mask.any(axis=(1, 2)).sum())
        now.output.say(f"{one.name}: seen in {seen} of {len(one.mask)} frames", subject=one.name, frames_seen=seen)
    now.output.say(f"Shown in {sheet}\nNext: polytempo decompose {now.project.root}", sheet=str(sheet))
