"""Settings of a run: the configuration, over it what an earlier run saved, over both ``--hparams``."""

import argparse
import os
from pathlib import Path

import yaml

hparams = {}


def set_hparams():
    """Fill `hparams` from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=str, default="")
    parser.add_argument("--exp_name", type=str, default="")
    parser.add_argument("-hp", "--hparams", type=str, default="")
    for name in ("--infer", "--validate", "--reset", "--remove", "--debug"):
        parser.add_argument(name, action="store_true")
    args, _unknown = parser.parse_known_args()
    if args.remove:
        input("REMOVE old checkpoint? Y/N [Default: N]: ")
    saved = Path("checkpoints") / args.exp_name / "config.yaml" if args.exp_name else None
    found = chain(args.config) if args.config else {}
    if saved and saved.exists() and not args.reset:
        found.update(yaml.safe_load(saved.read_text()))
    if saved:
        found["work_dir"] = str(saved.parent)
    for setting in filter(None, args.hparams.split(",")):
        override(found, setting)
    if saved and (args.reset or not saved.exists()) and not args.infer:
        saved.parent.mkdir(parents=True, exist_ok=True)
        saved.write_text(yaml.safe_dump(found))
    hparams.clear()
    hparams.update(found, infer=args.infer, exp_name=args.exp_name)


def chain(name):
    """A configuration with all that it builds on, the last word with the one that is nearest."""
    found = {}
    own = yaml.safe_load(Path(name).read_text())
    bases = own.get("base_config", [])
    for base in bases if isinstance(bases, list) else [bases]:
        found.update(chain(os.path.normpath(Path(name).parent / base) if base.startswith(".") else base))
    found.update(own)
    return found


def override(found, setting):
    """``key=value``; the key must be there, and the value becomes what is there in kind."""
    key, value = setting.split("=")
    kind = type(found[key])
    if kind is list:
        found[key] = [] if value == "[]" else value.strip("[]").split(" ")
    else:
        found[key] = value == "True" if kind is bool else kind(value)
