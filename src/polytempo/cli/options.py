"""Options that several verbs share, and the groups in which they come."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from polytempo.cli.look_options import Camera, LightOf, Paint, Take

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of text.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where an error came from, and what the program logs.")]
ClipOrProject = Annotated[
    Path, typer.Argument(metavar="CLIP|PROJECT", help="A video file, or a project folder (NAME.polytempo).")
]
ProjectFolder = Annotated[
    Path | None,
    typer.Option(
        "--project",
        metavar="FOLDER",
        help="Project folder of the clip. Left out: NAME.polytempo in the working directory.",
    ),
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="TOML file with settings; they stay with the project.")
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="One setting, e.g. work_side_px=320. May be repeated."),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="Video file to write: .mp4, .mov or .mkv.")]

SubjectsFile = Annotated[
    Path | None,
    typer.Option(
        "--subjects",
        metavar="FILE|FOLDER",
        help="Prompts (JSON), or ready masks: a folder of PNG files or COCO-RLE JSON.",
    ),
]
Boxes = Annotated[
    list[str] | None,
    typer.Option("--box", metavar="NAME=BOX", help="A loose box, e.g. girl=312,0,515,387@0 (x0,y0,x1,y1@frame)."),
]
Points = Annotated[
    list[str] | None, typer.Option("--point", metavar="NAME=POINT", help="A point on a subject, e.g. girl=400,120@12.")
]
OtherPrompts = Annotated[
    list[str] | None,
    typer.Option(
        "--prompt",
        metavar="NAME=PROMPT",
        help="Any prompt: girl=scribble:400,80;410,200@40, girl=not:300,200@12, girl=absent@150.",
    ),
]
Pick = Annotated[
    str | None,
    typer.Option(
        "--pick", metavar="NUMBERS", help="Which of the proposed subjects, e.g. 1,3 or girl=1,boy=3; boy=3+5 are one."
    ),
]
Groups = Annotated[
    list[str] | None,
    typer.Option(
        "--group", metavar="LAYER=NAMES", help="Subjects that share a layer, e.g. pair=girl,boy. May be repeated."
    ),
]
Order = Annotated[
    str | None,
    typer.Option("--order", metavar="NAMES", help="Layers back to front, e.g. boy,girl; guessed if left out."),
]
Dynamic = Annotated[
    list[str] | None,
    typer.Option("--dynamic", metavar="NAME", help="Name of a layer without a subject (moving background)."),
]
Homographies = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|estimate",
        help="The camera's path in the layout of homographies.txt; it stays with the project until `estimate` is said.",
    ),
]

Keypoints = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|none",
        help="Keypoints of the people (AlphaPose, PoseFlow or COCO-17 JSON): hidden bodies then come back, and where "
        "people meet it is told better who is who. They stay with the project until `none` is said. To have them found "
        "by your own ViTPose weights: --set vitpose=FOLDER.",
    ),
]
Iuv = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=FOLDER|none",
        help="DensePose's IUV pictures of a person (girl=FOLDER; girl:2=FOLDER of several), for the neural presets in "
        "place of bodies from keypoints. They stay with the project until `none` is said.",
    ),
]
PlateFile = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|none",
        help="Your own clean plate: a picture of the clip's size (unless the camera pans) or the canvas's. It stays "
        "with the project until `none` is said.",
    ),
]
Trimaps = Annotated[
    list[str] | None,
    typer.Option(
        "--trimap",
        metavar="NAME=FILE@RANGE|none",
        help="A layer's trimap drawn by hand on one frame, for a range from it on, e.g. girl=t.png@12f-40f: white "
        "surely hers, black surely not, transparent as it was. For the neural presets; `none` forgets all.",
    ),
]
PresetName = Annotated[
    str | None,
    typer.Option("--preset", metavar="NAME", help="draft (minutes, no GPU), standard or paper (neural model)."),
]
MethodName = Annotated[
    str | None,
    typer.Option(
        "--method",
        metavar="NAME",
        help="lnr (layers with their shadows and reflections), or nvd (atlases under the light of each moment).",
    ),
]
Epochs = Annotated[
    int | None,
    typer.Option("--epochs", metavar="N", help="Epochs of the neural model; its course is scaled with them."),
]

Freeze = Annotated[
    list[str] | None,
    typer.Option(
        "--freeze",
        metavar="WHO@WHEN",
        help="Stand still: girl@1.2s all along, girl@1.2s-3s for a while, ...:rejoin to jump back.",
    ),
]
Remove = Annotated[
    list[str] | None,
    typer.Option("--remove", metavar="WHO", help="Take away, with shadow and reflection: boy, boy@1s-2s."),
]
Delay = Annotated[
    list[str] | None,
    typer.Option(
        "--delay", metavar="WHO+TIME", help="Later or earlier: girl+10f, boy-0.5s; girl+10f:hide is not there before."
    ),
]
Speed = Annotated[
    list[str] | None,
    typer.Option("--speed", metavar="WHO=SPEED", help="Another speed: boy=50%, boy@1s-2s=200%, boy@1s-2s=200%:rejoin."),
]
Duplicate = Annotated[
    list[str] | None,
    typer.Option("--duplicate", metavar="WHO*N+TIME", help="Copies, each behind the one before: girl*3+5f:40,0."),
]
Solo = Annotated[list[str] | None, typer.Option("--solo", metavar="NAMES", help="Show only these: girl or girl,boy.")]
Ramp = Annotated[
    list[str] | None,
    typer.Option("--ramp", metavar="WHO=FROM..TO", help="From one speed to another: girl@1s-2s=100%..25%."),
]
Reverse = Annotated[
    list[str] | None, typer.Option("--reverse", metavar="WHO", help="Backwards: girl, or a range girl@1s-2s.")
]
Loop = Annotated[list[str] | None, typer.Option("--loop", metavar="WHO@WHEN", help="Again and again: girl@1s-2s.")]
PingPong = Annotated[list[str] | None, typer.Option("--ping-pong", metavar="WHO@WHEN", help="To and fro: girl@1s-2s.")]
Stagger = Annotated[
    list[str] | None,
    typer.Option("--stagger", metavar="NAMES+TIME", help="One by one: girl,boy,dog+10f, or girl,boy+10f:hide."),
]
Swap = Annotated[
    list[str] | None, typer.Option("--swap", metavar="NAMES", help="Exchange the clocks of two: girl,boy.")
]
Keys = Annotated[
    list[str] | None,
    typer.Option("--keys", metavar="WHO@KEYS", help="A smooth time remap: girl@0s=0s,1s=2s (output=source)."),
]
HoldOnExit = Annotated[
    list[str] | None, typer.Option("--hold-on-exit", metavar="WHO", help="Stay in view at the end: girl, or girl@3s.")
]
Align = Annotated[
    list[str] | None,
    typer.Option(
        "--align",
        metavar="NAMES=LEADER",
        help="Move in time with somebody: girl,dad=boy, girl@3s-6s=boy:cow (cow, dtw, phase, events), or by landmarks "
        "girl=boy:1s=1.2s,2s=2.5s.",
    ),
]
PhotoFinish = Annotated[
    list[str] | None,
    typer.Option(
        "--photo-finish",
        metavar="NAMES:LINE",
        help="Cross a line together: girl,boy:40,200,300,210@1s (x0,y0,x1,y1 as seen at that time).",
    ),
]
Beat = Annotated[
    list[str] | None, typer.Option("--beat", metavar="WHO", help="Move to the beat of the clip's sound, or of --sound.")
]
Trim = Annotated[list[str] | None, typer.Option("--trim", metavar="RANGE", help="Keep a part of the output: 1s-3s.")]
Extend = Annotated[
    list[str] | None,
    typer.Option("--extend", metavar="TIME", help="A longer output: 10s, with 10s:loop, 10s:ping-pong or 10s:hide."),
]
Level = Annotated[
    list[str] | None, typer.Option("--level", metavar="WHO=LEVEL", help="In front or behind: girl=1, girl@1s-2s=-1.")
]
SlowMotion = Annotated[
    list[str] | None,
    typer.Option("--slow-motion", metavar="WHO=HOW", help="Between two frames: girl=nearest, girl=blend, girl=flow."),
]
MotionBlur = Annotated[
    list[str] | None, typer.Option("--motion-blur", metavar="WHO", help="Blur what runs fast: girl.")
]
GrainShare = Annotated[
    list[str] | None, typer.Option("--grain", metavar="PERCENT", help="Grain on what stands still: 100%.")
]
FrameRate = Annotated[
    list[str] | None, typer.Option("--frame-rate", metavar="RATE", help="Frames a second of the output: 30000/1001.")
]
Signal = Annotated[
    str,
    typer.Option(
        "--signal", metavar="KIND", help="What is followed to align: height, across, extent, speed, head, feet."
    ),
]
SoundFile = Annotated[Path | None, typer.Option("--sound", metavar="FILE", help="Track whose beat counts for --beat.")]
InterpolatorFile = Annotated[
    str | None,
    typer.Option(
        "--interpolator",
        metavar="FILE|flow",
        help="Network with your weights for slow motion by flow (.pt2 of torch.export, .pt or .ts of TorchScript); it "
        "stays with the project until `flow` is said.",
    ),
]
EdlFile = Annotated[
    Path | None,
    typer.Option("--edl", metavar="FILE", help="Start from an edit decision list (.json) or a timeline (.otio)."),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Which project, and how to talk."""

    project: ProjectFolder = None
    as_json: Json = False
    debug: Debug = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Working(Place):
    """The same, for verbs that have something to set."""

    config: ConfigFile = None
    sets: Sets = None
    preset: PresetName = None
    method: MethodName = None
    epochs: Epochs = None

    @property
    def settings(self) -> tuple[str, ...]:
        """All settings said, as ``path=value``."""
        return (*(self.sets or ()), *(f"{name}={value}" for name, value in self.short() if value is not None))

    def short(self) -> list[tuple[str, object]]:
        """Settings that have an option of their own, with what was said; None where nothing was."""
        return [("preset", self.preset), ("method", self.method), ("epochs", self.epochs)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendering(Working):
    """The same, for verbs that make pictures of an edit."""

    interpolator: InterpolatorFile = None

    def short(self) -> list[tuple[str, object]]:
        """As for ``Working``."""
        named = self.interpolator if self.interpolator in (None, "flow") else str(Path(self.interpolator).resolve())
        return [*Working.short(self), ("render.interpolator", named)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What is known of the clip: who is in it, who shares a layer, how the camera moved."""

    subjects: SubjectsFile = None
    box: Boxes = None
    point: Points = None
    prompt: OtherPrompts = None
    pick: Pick = None
    group: Groups = None
    order: Order = None
    dynamic: Dynamic = None
    homographies: Homographies = None
    keypoints: Keypoints = None
    iuv: Iuv = None
    plate: PlateFile = None
    trimap: Trimaps = None
    paint: Paint = None
    take: Take = None

    @property
    def names_somebody(self) -> bool:
        """True when it says who is to be separated."""
        return bool(self.subjects or self.box or self.point or self.prompt or self.pick)


@dataclass(frozen=True, kw_only=True, slots=True)
class Edits:
    """Edits, for the parser; what is done, and in which order, ``edit_words`` reads from the words themselves."""

    freeze: Freeze = None
    remove: Remove = None
    delay: Delay = None
    speed: Speed = None
    duplicate: Duplicate = None
    solo: Solo = None
    ramp: Ramp = None
    reverse: Reverse = None
    loop: Loop = None
    ping_pong: PingPong = None
    stagger: Stagger = None
    swap: Swap = None
    keys: Keys = None
    hold_on_exit: HoldOnExit = None
    align: Align = None
    photo_finish: PhotoFinish = None
    beat: Beat = None
    trim: Trim = None
    extend: Extend = None
    level: Level = None
    slow_motion: SlowMotion = None
    motion_blur: MotionBlur = None
    camera: Camera = None
    light: LightOf = None
    grain: GrainShare = None
    frame_rate: FrameRate = None
    signal: Signal = "height"
    sound: SoundFile = None
    edl: EdlFile = None


def takes_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Let a verb take groups of options as one argument each: on the command line their fields are options.

    Example:
        >>> def show(given: ClipOrProject, place: Place) -> None: ...
        >>> list(inspect.signature(takes_groups(show)).parameters)
        ['given', 'project', 'as_json', 'debug']
    """
    kinds = get_type_hints(command, include_extras=True)
    shown: list[inspect.Parameter] = []
    groups: dict[str, tuple[type, list[str]]] = {}
    for name, one in inspect.signature(command).parameters.items():
        kind = kinds[name]
        if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
            shown.append(one.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=kind))
            continue
        fields, options = dataclasses.fields(kind), get_type_hints(kind, include_extras=True)
        groups[name] = (kind, [field.name for field in fields])
        shown += [
            inspect.Parameter(
                field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=options[field.name]
            )
            for field in fields
        ]

    def verb(**values: Any) -> None:
        made = {name: kind(**{one: values.pop(one) for one in names}) for name, (kind, names) in groups.items()}
        command(**values, **made)

    typed: Any = verb
    typed.__name__, typed.__doc__ = command.__name__, command.__doc__
    typed.__signature__ = inspect.Signature(shown)
    typed.__annotations__ = {one.name: one.annotation for one in shown}
    return verb
