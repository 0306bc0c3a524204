"""Command lines of face swapping: roop's, facefusion's, and what both mean."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from visage.errors import InvalidRequest

ENCODERS = ("libx264", "libx265", "libvpx-vp9", "h264_nvenc", "hevc_nvenc")
PROCESSORS = ("face_swapper", "face_enhancer")
PROVIDERS = ("cpu", "cuda", "tensorrt", "rocm", "coreml", "openvino", "directml")
PRESETS = {"social": (0.8, 0.5), "faithful": (0.5, 0.9), "video": (0.6, 0.7)}
"""What restoring is for, to the share of the clearer face and how faithful CodeFormer stays, both 0 to 1."""
_IDLE = ("keep_fps", "keep_frames", "temp_frame_format", "temp_frame_quality", "max_memory", "execution_threads")
"""Options that change nothing here: frames always keep their rate and never lie on the disk, memory does not grow with
the length of a video, and as many threads work as fit the machine."""


@dataclass(frozen=True, slots=True)
class SwapLine:
    """What a command line asks for."""

    sources: tuple[Path, ...]
    """Photos of the face that is put in."""
    target: Path
    """Picture or video it is put into."""
    output: Path
    """Where the result goes."""
    swap: bool
    """Whether a face is put in."""
    restore: bool
    """Whether faces are made clearer."""
    engine: str
    """Driver of `visage.swap`; empty: the best there is."""
    providers: tuple[str, ...]
    """What should compute, the most wanted first; empty: what the settings say."""
    strict: bool
    """Whether another provider than the most wanted is an error."""
    encoder: str
    """ffmpeg's name of the video encoder."""
    crf: int
    """Its constant quality, 0 (best) to 51."""
    sound: bool
    """Whether the target's sound is kept."""
    many: bool
    """Whether every face is replaced."""
    position: int
    """Which face of the reference frame, 0 the first from the left, when not ``many``."""
    frame: int
    """Number of the reference frame."""
    distance: float
    """Largest squared distance of two embeddings of one person (roop's measure), 0 to 4."""
    max_side: int
    """Frames are made smaller to this longest side; 0: never."""
    log_level: str
    """debug, info, warning or error."""
    consent: str
    """Id of the consent; empty: the one that names the photo."""
    preset: str
    """One of `PRESETS`."""
    unused: tuple[str, ...]
    """Options that were given and change nothing here."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InvalidRequest("This command line cannot be understood: {reason}", code="swap.line", reason=message,
                             hint="{program} --help lists what there is.", program=self.prog)


def read_roop(argv: Sequence[str]) -> SwapLine:
    """The meaning of ``run.py``'s arguments.  Quality counts as roop counts it: 0 is the best.

    Raises `InvalidRequest` for what cannot be understood.
    """
    parser = _Parser(prog="run.py", description="Put a face into a picture or a video (roop's command line).")
    _add_material(parser)
    _add_roop(parser)
    given = parser.parse_args(list(argv))
    quality = 35 if given.output_video_quality is None else given.output_video_quality
    return _line(given, argv, crf=(quality + 1) * 51 // 100)


def read_run(argv: Sequence[str]) -> SwapLine:
    """The meaning of ``faceswap run``'s arguments.  Quality counts as facefusion counts it: 100 is the best."""
    parser = _Parser(prog="faceswap run", description="Put a face into a picture or a video.")
    _add_material(parser)
    _add_roop(parser)
    given = parser.parse_args(list(argv))
    quality = 66 if given.output_video_quality is None else given.output_video_quality
    return _line(given, argv, crf=round(51 - quality * 0.5))


def _add_material(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("-s", "--source", "--source-path", "--source-paths", dest="sources", type=Path, nargs="+", default=[],
        help="photos of the face that is put in")
    add("-t", "--target", "--target-path", dest="target", type=Path, required=True, help="picture or video")
    add("-o", "--output", "--output-path", dest="output", type=Path, help="file or folder of the result")
    add("--engine", default="", help="embedded (basic, no models) or onnx; without it the best there is")
    add("--consent", default="", help="id of the recorded consent; without it the one that names the photo")
    add("--preset", choices=tuple(PRESETS), default="social",
        help="how strongly faces are made clearer: social 80 %%, faithful 50 %%, video 60 %%")
    add("--log-level", choices=("debug", "info", "warning", "warn", "error"), default="info")
    add("--strict-provider", action="store_true", help="fail rather than compute on something slower")


def _add_roop(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--frame-processor", "--frame-processors", "--processors", dest="processors", nargs="+", choices=PROCESSORS,
        default=["face_swapper"])
    add("--execution-provider", "--execution-providers", dest="providers", nargs="+", choices=PROVIDERS,
        default=[], help="who computes; without it VISAGE_FACE_PROVIDER, a GPU where one can be used")
    add("--output-video-encoder", choices=ENCODERS, default="libx264")
    add("--output-video-quality", type=int, choices=range(101), metavar="[0-100]")
    add("--keep-fps", action="store_true")
    add("--keep-frames", action="store_true")
    add("--skip-audio", action="store_true")
    add("--many-faces", action="store_true")
    add("--reference-face-position", type=int, default=0)
    add("--reference-frame-number", type=int, default=0)
    add("--similar-face-distance", type=float, default=0.85)
    add("--temp-frame-format", choices=("jpg", "png", "bmp"), default="png")
    add("--temp-frame-quality", type=int, choices=range(101), metavar="[0-100]", default=0)
    add("--max-memory", type=int)
    add("--max-side", type=int, default=0, help="make frames smaller first")
    add("--execution-threads", type=int, default=0)


def _line(given: argparse.Namespace, argv: Sequence[str], crf: int) -> SwapLine:
    swap, restore = (name in given.processors for name in PROCESSORS)
    if swap and not given.sources:
        raise InvalidRequest("There is no photo of the face to put in.", code="swap.no_source",
                             hint="Name it: --source photo.jpg")
    if not 0 <= given.similar_face_distance <= 4 or min(given.reference_face_position, given.reference_frame_number,
                                                        given.execution_threads, given.max_side) < 0:
        raise InvalidRequest("This command line cannot be understood: {reason}", code="swap.line",
                             reason="a number lies outside of what it can be", program="run.py",
                             hint="{program} --help lists what there is.")
    asked = {word.split("=")[0].lstrip("-").replace("-", "_") for word in argv if word.startswith("--")}
    return SwapLine(
        tuple(given.sources), given.target, _output(given), swap, restore, given.engine, tuple(given.providers),
        given.strict_provider, given.output_video_encoder, crf, not given.skip_audio,
        given.many_faces, given.reference_face_position, given.reference_frame_number, given.similar_face_distance,
        given.max_side, "warning" if given.log_level == "warn" else given.log_level,
        given.consent, given.preset, tuple(f"--{name.replace('_', '-')}" for name in _IDLE if name in asked))


def _output(given: argparse.Namespace) -> Path:
    """The named file; in a named folder, or beside the target, a name made of both."""
    name = "-".join([*(source.stem for source in given.sources[:1]), given.target.stem]) + given.target.suffix
    if given.output is None:
        folder = given.target.parent
        return folder / f"swapped-{name}"
    return given.output / name if given.output.is_dir() else given.output
