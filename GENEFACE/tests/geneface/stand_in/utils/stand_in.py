"""What the stand-in's programs share: the GPU check, inputs that must be there, bars, and faults on order.

A fault is ordered by the variable STAND_IN_FAULT or the file ``data/processed/stand_in_fault``: ``NAME:fail`` or
``NAME:hang``, where NAME is what the program gives to `halfway`.  It happens there: with half of the output written.
"""

import os
import sys
import time
from pathlib import Path


def gpu():
    """Fail where upstream would quietly stay on the CPU."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") != "0":
        raise RuntimeError("CUDA_VISIBLE_DEVICES is not 0: upstream would stay on the CPU")


def halfway(name):
    """Where the fault that was ordered for the program ``name`` happens."""
    file = Path("data/processed/stand_in_fault")
    ordered = os.environ.get("STAND_IN_FAULT") or (file.read_text() if file.exists() else "")
    step, _, kind = ordered.strip().partition(":")
    if step == name:
        print(f"stand-in: {name} was told to {kind}", flush=True)
        if kind == "fail":
            raise RuntimeError("the stand-in was told to fail in " + name)
        time.sleep(3600)


def begin(name):
    """The start of a program that needs a GPU and writes nothing by halves."""
    gpu()
    halfway(name)


def need(*paths):
    """Fail as upstream would where an input is missing or empty."""
    for path in paths:
        if not Path(path).stat().st_size:
            raise ValueError(f"{path} is empty")


def cached(*names):
    """Fail where a weight is missing that a library would now download: there is no network."""
    need(*(Path(os.environ["TORCH_HOME"]) / "hub" / "checkpoints" / name for name in names))


def hubert_is_cached():
    """As above for HuBERT, in the folder of Hugging Face's library."""
    folder = Path(os.environ["HF_HOME"]) / "hub" / "models--facebook--hubert-large-ls960-ft"
    need(folder / "snapshots" / (folder / "refs" / "main").read_text().strip() / "config.json")


def bar(items, desc="", unit="it"):
    """The items, with a bar on stderr in tqdm's words."""
    items = list(items)
    head = desc + ": " if desc else ""
    for done, item in enumerate(items):
        _draw(f"{head}{100 * done // len(items)}%|#####| {done}/{len(items)} [00:00<00:00, 25.0{unit}/s]")
        yield item
    _draw(f"{head}100%|##########| {len(items)}/{len(items)} [00:01<00:00, 25.0{unit}/s]\n")


def step(number):
    """The trainer's bar, which has no end."""
    _draw(f"{number}step [00:01, 50.0step/s, total_loss=0.1]")


def _draw(text):
    sys.stderr.write("\r" + text)
    sys.stderr.flush()
