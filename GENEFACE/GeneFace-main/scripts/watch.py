#!/usr/bin/env python3
"""Runs one python program of a stage: logs what it says, turns its bars into progress lines, passes signals on.

Python 3.8, standard library only.  Exit code: 1 when a program of upstream's failed, with the error as its last line;
the program's own when it is one of ours, which tell their errors themselves.
"""

import argparse
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections import deque

COUNT = re.compile(r"(\d+)step \[|processed parsing (\d+)")
SHARE = re.compile(r"(\d+)/(\d+) \[|(\d+) of (\d+) done")
GRACE_S = 20.0
QUIET_S = 0.5

CAUSES = (
    ("No space left on device", "disk_full", "The disk is full.",
     "Free some space (df -h names the full disk), then start again: it goes on with this stage."),
    ("out of memory", "gpu_memory", "The memory of the GPU is not enough.",
     "Stop what else uses it (nvidia-smi lists it), or use another GPU, then start again: it goes on with this stage."),
    ("ModuleNotFoundError", "image", "The image lacks a package.",
     "Build it again: docker build -t geneface:latest GeneFace-main"),
    ("We couldn't connect to", "offline", "A weight that a library fetches itself is missing, without a network.",
     "On a machine with a network: scripts/weights fetch"),
    ("urlopen error", "offline", "A weight that a library fetches itself is missing, without a network.",
     "On a machine with a network: scripts/weights fetch"),
)


class Progress:
    """Prints progress lines, at most two a second, never backwards."""

    def __init__(self, options):
        self._options = options
        self._bar = 0
        self._share = 0.0
        self._last = -1.0
        self._told = 0.0

    def see(self, text):
        """Tell the place of the bar in ``text``, if there is one; returns what else stands in that line."""
        count, share = COUNT.search(text), SHARE.search(text)
        if count and self._options.total:
            self._tell(int(count.group(1) or count.group(2)) / self._options.total)
        elif share and not self._options.total:
            done, of = (int(number) for number in share.groups() if number is not None)
            self._tell(self._over_all_bars(done / max(of, 1)))
        # a program may go on writing in the line of its bar
        return text[text.rfind("]") + 1:].strip() if count or share else text

    def _over_all_bars(self, share):
        if share < self._share - 0.5:
            self._bar = min(self._bar + 1, self._options.bars - 1)
        self._share = share
        return (self._bar + share) / self._options.bars

    def _tell(self, done):
        options = self._options
        inside = (options.start + (options.end - options.start) * min(done, 1.0)) / 100
        now = time.monotonic()
        if inside <= self._last or (done < 1 and now - self._told < QUIET_S):
            return
        self._last, self._told = inside, now
        # cut off, not rounded, as steps.sh does: the next line must not be lower
        overall = int((options.before + options.weight * inside) / options.sum * 10000) / 10000
        print(json.dumps({"stage": options.stage, "index": options.index, "of": options.of,
                          "progress": int(inside * 10000) / 10000, "overall": overall, "message": options.message},
                         ensure_ascii=False), flush=True)


def arguments():
    """What steps.sh says about the stage, and the program with its arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("stage", "message"):
        parser.add_argument("--" + name, required=True)
    for name in ("index", "of", "before", "weight", "sum"):
        parser.add_argument("--" + name, type=int, required=True)
    parser.add_argument("--from", dest="start", type=float, default=0.0)
    parser.add_argument("--to", dest="end", type=float, default=100.0)
    parser.add_argument("--total", type=int, default=0)
    parser.add_argument("--bars", type=int, default=1)
    parser.add_argument("--in", dest="folder", default=".")
    parser.add_argument("--or", dest="code", default="step_failed")
    parser.add_argument("--ours", action="store_true")
    parser.add_argument("program", nargs=argparse.REMAINDER)
    return parser.parse_args()


def start(options):
    """The program in a process group of its own, able to be interrupted although bash made us ignore SIGINT."""
    return subprocess.Popen(
        [sys.executable, "-u", *options.program], cwd=options.folder, start_new_session=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # noqa: PLW1509 - there is one thread here


def pass_signals_on(child):
    """SIGINT or SIGTERM to us becomes SIGINT for the program's whole family, and after a while SIGKILL."""
    def interrupt(_number, _frame):
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(child.pid, signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, GRACE_S)
        os.killpg(child.pid, signal.SIGINT)
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)


def pieces(stream):
    """The texts of a stream: ended by a line feed, or by the carriage return of a bar."""
    kept = b""
    while True:
        block = os.read(stream.fileno(), 65536)
        if not block:
            break
        *whole, kept = re.split(rb"[\r\n]+", kept + block)
        for text in whole:
            yield text.decode("utf-8", "replace")
    if kept:
        yield kept.decode("utf-8", "replace")


def error_line(options, status, said):
    """The error as JSON: the known cause if the last lines name one, otherwise the last of them."""
    tail = "\n".join(said)
    last = next((line for line in reversed(said) if line.strip()), "it said nothing").strip()[:300]
    code = options.code
    message = f"Stage {options.stage} failed ({options.program[0]}, exit code {status}): {last}"
    hint = "The log of the job has the whole output."
    for words, known, told, remedy in CAUSES:
        if words in tail:
            code, message, hint = known, told, remedy
            break
    return json.dumps({"error": {"code": "geneface." + code, "message": message, "hint": hint,
                                 "params": {"stage": options.stage, "program": options.program[0],
                                            "status": status, "said": last}}}, ensure_ascii=False)


def main():
    """Run it to its end."""
    options = arguments()
    folder = "" if options.folder == "." else options.folder + "/"
    print("$ python", folder + shlex.join(options.program), flush=True)
    child = start(options)
    pass_signals_on(child)
    progress, said = Progress(options), deque(maxlen=30)
    for piece in pieces(child.stdout):
        text = progress.see(piece)
        if text:
            said.append(text)
            # what upstream says must not be taken for ours
            print(" " + text if text.startswith("{") and not options.ours else text, flush=True)
    status = child.wait()
    if options.ours and status > 0 and said and said[-1].startswith('{"error"'):
        return status
    if status:
        print(error_line(options, status, said), flush=True)
    return int(status != 0)


if __name__ == "__main__":
    sys.exit(main())
