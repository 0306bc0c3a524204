"""Face swapping from the command line: ``run.py`` (roop's arguments) and ``scripts/faceswap``.

Exit codes: 0 done, 1 failed, 2 wrong arguments or something missing, 3 refused (no consent), 4 stopped.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from backend import consents, face_models, face_swapper, swap_benchmark
from backend.doctor import main as doctor
from backend.face_swapper import By, Wanted
from backend.forms import ConsentForm, read
from backend.services import Services, open_services
from backend.swap_lines import PRESETS, SwapLine, read_roop, read_run
from backend.terminal import language, paint, words
from visage.config import read_settings
from visage.errors import Cancelled, InvalidRequest, VisageError
from visage.heaps import one_thread_each
from visage.media.images import is_picture
from visage.storage.uploads import Upload
from visage.swap.faults import exit_code, fault_of
from visage.swap.options import SwapOptions, SwapResult
from visage.trust.__main__ import main as trust
from visage.trust.sentences import SENTENCES
from visage.tts.cloning.consent import checksum
from visage.types import Progress

_TOLD_SECONDS = 1.0
_REFUSED = 3


def main(argv: Sequence[str] | None = None) -> int:
    """``faceswap run|consent|models|doctor|verify|benchmark``; returns the exit code."""
    told = list(sys.argv[1:] if argv is None else argv)
    verbs: dict[str, Callable[[Sequence[str]], int]] = {
        "run": lambda rest: _run(rest, read_run), "headless-run": lambda rest: _run(rest, read_run),
        "roop": lambda rest: _run(rest, read_roop), "consent": _consent, "models": face_models.main,
        "doctor": lambda rest: doctor(["--faceswap", *rest]), "verify": lambda rest: trust(["verify", *rest]),
        "benchmark": swap_benchmark.main}
    if not told or told[0] not in verbs:
        wanted = told[:1] in (["-h"], ["--help"])
        print(f"usage: faceswap {'|'.join(verbs)} [--help]\n{_HELP}", file=sys.stdout if wanted else sys.stderr)
        return 0 if wanted else 2
    return verbs[told[0]](told[1:])


_HELP = """
  consent       record who agrees to being shown, with a proof: needed once for each photo
  run           put a face into a picture or a video, or make its faces clearer
  headless-run  the same
  roop          the same, with quality counted as roop counts it (what run.py does)
  models        list, import and verify face models; without any, the engine named basic works
  doctor        what is missing for face swapping on this machine
  verify        whether files are labelled as made by a machine
  benchmark     milliseconds a picture and frames a second of every engine that is installed here"""


def _run(argv: Sequence[str], reader: Callable[[Sequence[str]], SwapLine]) -> int:
    level, line = "info", None
    try:
        # the threads of the pipeline share the cores; those of a single call would only wait for one another
        one_thread_each()
        line = reader(argv)
        level = line.log_level
        _swap(line)
        return 0
    except VisageError as exc:
        return _failed(exc, level, line.sources if line else ())
    except KeyboardInterrupt:
        return _failed(Cancelled("It was stopped.", hint="The same command goes on where it stopped."), level)


def _swap(line: SwapLine) -> None:
    told: dict[str, Any] = {"face_strict_provider": True} if line.strict else {}
    told.update({"face_provider": line.providers[0]} if line.providers else {})
    settings = read_settings(**told, **({} if line.preset == "social" else {"face_fidelity": PRESETS[line.preset][1]}))
    services = open_services(settings)
    if line.unused and line.log_level in ("debug", "info"):
        print(words(f"Has no effect here: {', '.join(line.unused)}", f"在此无作用：{', '.join(line.unused)}"))
    sources = line.sources if line.swap else ()
    for file in (*sources, line.target):
        _there(file)
    wanted = Wanted(sources, line.consent or _covering(services, sources), line.engine, _restorer(line),
                    _options(line))
    report = _Lines(line.log_level)
    made, _, notes = face_swapper.put_on(services, wanted, line.target, line.output, settings.home / "var" / "swap",
                                         By(uuid.uuid4().hex, "command line"), report)
    _tell(made, notes, line.log_level)


def _restorer(line: SwapLine) -> str:
    if not line.restore:
        return ""
    return line.engine or "embedded"


def _options(line: SwapLine) -> SwapOptions:
    """roop compares squared distances of unit vectors, 2 - 2 cos; ours is (1 - cos) / 2, a quarter of that."""
    who = "all" if line.many else "one" if is_picture(line.target) else "reference"
    return SwapOptions(who=who, order="left-right", position=line.position, frame=line.frame,
                       distance=min(1.0, line.distance / 4), max_dim=line.max_side, encoder=line.encoder,
                       quality=max(0, min(100, 2 * (51 - line.crf))), sound=line.sound,
                       restore=PRESETS[line.preset][0])


def _covering(services: Services, sources: Sequence[Path]) -> str:
    """Id of the newest valid consent for these photos; empty when there is none."""
    if not sources or not all(source.is_file() for source in sources):
        return ""
    sums = {checksum(source) for source in sources}
    fit = [one for one in services.consents.list() if one.state == "valid" and sums <= set(one.photos)]
    # of several the newest that is proved: one without a proof may not be enough
    return next((one.id for one in fit if one.proof_name), fit[0].id if fit else "")


class _Lines:
    """Progress on one line a second, a line a step with ``debug``."""

    def __init__(self, level: str):
        self._level, self._last, self._stage = level, 0.0, ""

    def __call__(self, step: Progress) -> None:
        now = time.monotonic()
        if self._level not in ("debug", "info") or (step.stage == self._stage and now - self._last < _TOLD_SECONDS):
            return
        self._last, self._stage = now, step.stage
        print(f"{step.fraction:6.1%}  {step.stage}  {_pace(step.facts)}".rstrip(), flush=True)


def _pace(facts: Mapping[str, Any]) -> str:
    """How far and how fast, for people; speeds only once there is something to tell."""
    told = [str(facts[name]) for name in ("provider",) if name in facts]
    if facts.get("done"):
        told += [words(f"{facts['fps']} fps", f"每秒 {facts['fps']} 帧"),
                 words(f"{facts['realtime']} times realtime", f"实时倍率 {facts['realtime']}"),
                 words(f"frame {facts['done']} of {facts['frames']}", f"第 {facts['done']}/{facts['frames']} 帧"),
                 words(f"{facts['eta']:.0f} s left", f"还需 {facts['eta']:.0f} 秒")]
    return " · ".join(told)


def _tell(made: SwapResult, notes: Sequence[str], level: str) -> None:
    if level == "debug":
        for step, seconds in made.steps.items():
            print(f"        {step:10} {seconds:8.2f} s CPU")
        for number, why in made.skipped.items():
            print(f"        frame {number}: {why}")
    for note in (*made.notes, *notes):
        print(paint(note, "yellow"))
    print(words(f"{made.out}: {made.swapped} of {made.frames_out} frames, {made.seconds:.1f} s, {made.fps:.1f} fps, "
                f"{made.provider}, labelled as AI-generated",
                f"{made.out}：{made.frames_out} 帧中处理了 {made.swapped} 帧，{made.seconds:.1f} 秒，"
                f"每秒 {made.fps:.1f} 帧，{made.provider}，已标注为 AI 生成"))


def _failed(error: VisageError, level: str, photos: Sequence[Path] = ()) -> int:
    fault = fault_of(error)
    head = f"{fault.number} · {fault.stage}: " if fault else ""
    print(paint(head + error.message, "red"), file=sys.stderr)
    print(error.hint or (fault.remedy if fault else ""), file=sys.stderr)
    code = exit_code(error)
    if code == _REFUSED:
        named = shlex.join(map(str, photos)) or "PHOTO"
        print(f'scripts/faceswap consent --source {named} --person "NAME" --proof FILE', file=sys.stderr)
    if level == "debug":
        print(json.dumps(error.as_dict(), ensure_ascii=False, indent=1), file=sys.stderr)
    return code


def _consent(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="faceswap consent", description="Record that somebody agrees to being shown.")
    parser.add_argument("-s", "--source", dest="sources", type=Path, nargs="+", required=True, help="photos of them")
    parser.add_argument("--person", required=True, help="whose face it is")
    parser.add_argument("--giver", default="", help="who agrees for them; default: the person")
    parser.add_argument("--expires", default="", help="when it ends, e.g. 2027-01-31T00:00:00Z; default: never")
    parser.add_argument("--proof", type=Path, help="signed paper, its photo, or a recording of the spoken consent")
    parser.add_argument("--agree", action="store_true", help="without asking: the sentence was read and agreed to")
    told = parser.parse_args(list(argv))
    sentence = SENTENCES["swap"][language()]
    if not told.agree:
        print(sentence)
        if input(words("Type yes to agree: ", "同意请输入 yes：")).strip().lower() not in ("yes", "y", "是", "同意"):
            return _REFUSED
    try:
        print(_recorded(told, sentence))
        return 0
    except VisageError as exc:
        return _failed(exc, "info")


def _recorded(told: argparse.Namespace, sentence: str) -> str:
    services = open_services()
    photos = tuple(_kept(services, source).id for source in told.sources)
    form = {"person": told.person, "giver": told.giver, "scope": "swap", "sentence": sentence, "consent": True,
            "photos": photos, **({"expires": told.expires} if told.expires else {})}
    made = consents.record(services, read(ConsentForm, form), "")
    if told.proof:
        with _opened(told.proof) as stream:
            consents.prove(services, made.id, stream, "")
    elif services.settings.consent_proof:
        print(words("Nothing proves it yet, and without a proof it is refused: give --proof FILE.",
                    "尚无证明；没有证明会被拒绝：请提供 --proof FILE。"), file=sys.stderr)
    return made.id


def _kept(services: Services, photo: Path) -> Upload:
    with _opened(photo) as stream:
        return services.uploads.keep(services.uploads.receive(stream, "image", photo.name, ""))


def _opened(file: Path) -> BinaryIO:
    return _there(file).open("rb")


def _there(file: Path) -> Path:
    if not file.is_file():
        raise InvalidRequest("There is no file {path}.", code="swap.no_file", hint="Check the path.", path=str(file))
    return file


if __name__ == "__main__":
    sys.exit(main())
