"""What the stand-in's programs share: the GPU check, inputs that must be there, bars, and faults on order.

Faults: the variable STAND_IN_FAULT (or a file of that name, in lower case, in the folder of the data:
``data/processed/stand_in_fault``) holds ``NAME:fail`` or ``NAME:hang``, where NAME is what the program gave to
`begin`.
"""

import os
import sys
import time
from pathlib import Path


def begin(name, gpu=True):
    """Start of the program ``name``: fails without the variable that decides upstream's GPU use, or when told to."""
    if gpu and os.environ.get("CUDA_VISIBLE_DEVICES") != "0":
        raise RuntimeError("CUDA_VISIBLE_DEVICES is not 0: upstream would stay on the CPU")
    file = Path("data/processed/stand_in_fault")
    ordered = os.environ.get("STAND_IN_FAULT") or (file.read_text() if file.exists() else "")
    step, _, kind = ordered.strip().partition(":")
    if step != name:
        return
    print(f"stand-in: {name} was told to {kind}", flush=True)
    if kind == "fail":
        raise RuntimeError("the stand-in was told to fail at " + name)
    if kind == "hang":
        time.sleep(3600)


def need(*paths):
    """Fail as upstream would where an input is missing or empty."""
    for path in paths:
        if not Path(path).stat().st_size:
            raise ValueError(f"{path} is empty")


def bar(items, desc="", unit="it", pause=0.0):
    """The items, with a bar on stderr in tqdm's words."""
    items = list(items)
    for done, item in enumerate(items):
        _draw("{}{}%|#####| {}/{} [00:00<00:00, 25.0{}/s]".format(
            desc + ": " if desc else "", 100 * done // max(1, len(items)), done, len(items), unit))
        yield item
        time.sleep(pause)
    _draw("{}100%|##########| {}/{} [00:01<00:00, 25.0{}/s]\n".format(
        desc + ": " if desc else "", len(items), len(items), unit))


def steps(first, last, pause=0.0):
    """The trainer's endless bar: numbers from ``first`` up to ``last``, ``N``step each."""
    for number in range(first, last):
        _draw(f"{number}step [00:01, 50.0step/s, total_loss=0.1]")
        yield number
        time.sleep(pause)


def _draw(text):
    sys.stderr.write("\r" + text)
    sys.stderr.flush()
