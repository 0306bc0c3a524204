"""This engine as a program in a container: the contract that engines in containers share.

``visage-lite train`` and ``visage-lite infer`` work in the folder they are
started in: recordings in ``data/raw/videos``, avatars in ``checkpoints``, clips
in ``infer_out``.  Standard output holds a JSON line for every step forward and
one for the result or the error; everything else there is log.
"""

from __future__ import annotations

import argparse
import errno
import os
import re
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from visage.engines.contract import RenderRequest, TrainRequest
from visage.engines.lite.container_files import ContainerFiles, Training, fingerprint
from visage.engines.lite.container_lines import Steps, say
from visage.engines.lite.modes import find_mode
from visage.engines.lite.options import TrainOptions
from visage.errors import BadMedia, Cancelled, InvalidRequest, NotFound, NotInstalled, VisageError, from_os_error

BAD_ARGUMENTS, NOT_INSTALLED, BAD_RECORDING, NO_GPU, FAILED = 2, 3, 4, 5, 1
"""Exit codes, as every pipeline in a container uses them; 0 is success."""
_STOPPED = 128
_NO_ROOM = 1 << 20


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns its exit code and leaves one JSON line that tells the result or the error."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        with _scratch():
            asked = _parsed(arguments)
            say({"result": asked.work(asked)})
        return 0
    except KeyboardInterrupt as stopped:
        say({"error": _told(Cancelled("The job was stopped.", hint="Start it again; it goes on where it stopped."))})
        return _STOPPED + int(stopped.args[0] if stopped.args else signal.SIGINT)
    except Exception as error:  # whatever it was, the last line must say so
        return _fail(error if isinstance(error, VisageError) else _understood(error))


def _understood(error: Exception) -> VisageError:
    if isinstance(error, OSError):
        return from_os_error(error)
    if shutil.disk_usage(Path.cwd()).free < _NO_ROOM:  # libraries tell a full disk in many ways
        return from_os_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(Path.cwd())))
    traceback.print_exception(error)
    return VisageError("The job stopped at a fault in the program: {reason}", code="job.crashed",
                       hint="The log of the job tells more; please report it with that log.",
                       reason=f"{type(error).__name__}: {error}")


def _fail(error: VisageError) -> int:
    say({"error": _told(error)})
    if error.code == "lite.gpu_missing":
        return NO_GPU
    kinds = ((NotInstalled, NOT_INSTALLED), (BadMedia, BAD_RECORDING), (InvalidRequest, BAD_ARGUMENTS),
             (NotFound, BAD_ARGUMENTS))
    return next((code for kind, code in kinds if isinstance(error, kind)), FAILED)


def _told(error: VisageError) -> dict[str, Any]:
    told = error.as_dict()
    return {name: told[name] for name in ("code", "message", "hint", "params")}


def _stop(number: int, _frame: object) -> NoReturn:
    """The first signal lets writers tidy up; a second one does not wait for them."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_DFL)
    raise KeyboardInterrupt(number)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InvalidRequest("The command line is wrong: {reason}.", code="lite.arguments",
                             hint="visage-lite --help", reason=message)


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(prog="visage-lite", description="Learn a face from a recording; make it say a sound.")
    verbs = parser.add_subparsers(required=True, metavar="train|infer")
    train = verbs.add_parser("train", help="learn the face of data/raw/videos/ID.mp4 into checkpoints/ID")
    train.add_argument("--video_path", type=Path, required=True, help="the recording; its name without .mp4 is the id")
    train.add_argument("--epochs", type=int, default=10, help="how thoroughly (default %(default)s)")
    train.add_argument("--seconds", type=float, help="time to spend learning, instead of what --epochs means")
    train.add_argument("--quality", default="fast", help="fast: also for live conversations; fine: for files")
    train.set_defaults(work=_train)
    infer = verbs.add_parser("infer", help="make checkpoints/ID say a sound, into infer_out/ID/pred_video")
    infer.add_argument("--video_id", required=True, help="the id of a trained avatar")
    infer.add_argument("--audio_path", type=Path, required=True, help="any sound file")
    infer.set_defaults(work=_infer)
    for verb in (train, infer):
        verb.add_argument("--device", default="auto", help="auto, CPU or GPU0 (default %(default)s)")
    return parser.parse_args(arguments)


def _train(asked: argparse.Namespace) -> Mapping[str, Any]:
    if asked.epochs < 1:
        raise InvalidRequest("--epochs must be 1 or more.", code="lite.epochs", hint="10 yields a good avatar.")
    avatar_id = _identifier(asked.video_path.stem)
    source = _present(asked.video_path)
    _check_device(asked.device)
    mode = find_mode(asked.quality)
    given = {} if asked.seconds is None else {"seconds": asked.seconds}
    files = ContainerFiles(Path.cwd())
    task = Training(fingerprint(source), asked.epochs, asked.seconds, mode.name)
    done = files.resume(avatar_id, task)
    if done:
        return done

    from visage.engines.lite.training import SHARES

    request = TrainRequest(source, files.avatar(avatar_id), asked.epochs, asked.device,
                           {**given, "photo": False, "quality": mode.name})
    learn = TrainOptions.read(request).seconds
    facts = _engine(files).train(request, Steps({**SHARES, "learn": learn}))
    return files.finish(avatar_id, task, facts)


def _infer(asked: argparse.Namespace) -> Mapping[str, Any]:
    files = ContainerFiles(Path.cwd())
    avatar = files.trained(_identifier(asked.video_id))
    sound = _present(asked.audio_path)
    _check_device(asked.device)

    from visage.engines.lite.rendering import SHARES
    from visage.media.probe import probe

    clip = files.clip(asked.video_id, sound)
    _engine(files).render(RenderRequest(avatar, sound, clip, device=asked.device), Steps(SHARES))
    found = probe(clip, "video")
    return {"video": clip.relative_to(files.root).as_posix(), "seconds": round(found.seconds, 3),
            "frames": found.frames, "width": found.width, "height": found.height}


def _engine(files: ContainerFiles) -> Any:
    from visage.engines.lite.engine import LiteEngine

    return LiteEngine(files.paths)


def _identifier(name: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_]{1,64}", name):
        return name
    raise InvalidRequest("{name!r} cannot be the id of an avatar.", code="lite.identifier",
                         hint="Use 1 to 64 Latin letters, digits and _.", name=name)


def _present(file: Path) -> Path:
    if file.is_file():
        return file.resolve()
    raise NotFound("There is no file {name} in the mounted folder.", code="lite.file_missing", name=str(file),
                   hint="Copy it there: recordings into data/raw/videos, sounds into data/raw/val_wavs.")


def _check_device(device: str) -> None:
    if not re.fullmatch(r"auto|cpu|gpu\d+", device, re.I):
        raise InvalidRequest("There is no device {device!r}.", code="lite.device", hint="Choose auto, CPU or GPU0.",
                             device=device)
    if device.lower().startswith("gpu"):
        import torch

        if int(device[3:]) >= torch.cuda.device_count():
            raise NotInstalled("{device} is not visible in this container.", code="lite.gpu_missing",
                               hint="Start it with docker run --gpus all, from an image with a torch for GPUs.",
                               device=device)


@contextmanager
def _scratch() -> Iterator[None]:
    """A folder for what libraries want to keep in a home, which a user without an account does not have."""
    folder = tempfile.mkdtemp(prefix=".visage-lite-")
    os.environ |= {"HOME": folder, "MPLCONFIGDIR": folder, "TMPDIR": folder}
    tempfile.tempdir = folder
    try:
        yield
    finally:
        tempfile.tempdir = None
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
