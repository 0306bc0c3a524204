#!/usr/bin/env python3
"""Looks for every weight that a pipeline needs; names the first that is missing, with its source and licence.

Python 3.8, standard library only.  Exit code 3 when one is missing.
"""

import argparse
import json
import sys
from pathlib import Path

TABLE = Path(__file__).with_name("weights.json")


def places(entry, options):
    """Where a weight may lie: put by the user or, failing that, part of upstream's tree."""
    if entry["root"] == "cache":
        return [Path(options.cache) / entry["path"]]
    return [Path(options.workspace) / entry["path"], Path(options.home) / entry["path"]]


def missing(options):
    """The entries of the table that are needed and not there; an empty file is not there."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))["files"]
    return [entry for entry in table if options.purpose in entry["needed_for"]
            and not any(there(place) for place in places(entry, options))]


def there(place):
    """Whether a weight lies there: a folder, or a file that is not empty."""
    return place.is_dir() or (place.is_file() and place.stat().st_size > 0)


def error_line(lacking):
    """The error of the first missing weight, as JSON."""
    first, rest = lacking[0], len(lacking) - 1
    where = "model_cache" if first["root"] == "cache" else "GeneFace-main"
    path = "{}/{}".format(where, first["path"])
    more = f" ({rest} more are missing too)" if rest else ""
    return json.dumps({"error": {
        "code": "geneface.weight_missing",
        "message": "The weight {} is missing{}. It comes from {}; its licence: {}.".format(
            path, more, first["source"], first["licence"]),
        "hint": "scripts/weights list tells what is missing and how to get each.",
        "params": {"path": path, "source": first["source"], "licence": first["licence"], "missing": len(lacking)}}},
        ensure_ascii=False)


def main():
    """Print what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("purpose", choices=["train", "infer"])
    for name in ("workspace", "home", "cache"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()
    lacking = missing(options)
    for entry in lacking:
        print("missing: {path} ({root})".format(**entry), flush=True)
    if lacking:
        print(error_line(lacking), flush=True)
    return 3 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
