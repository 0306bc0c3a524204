#!/usr/bin/env python3
"""Looks for every weight that a pipeline needs; names the first that is missing, with its source and licence.

Python 3.8, standard library only.  Exit code 3 when one is missing.
"""

import argparse
import json
import sys
from pathlib import Path

TABLE = Path(__file__).with_name("weights.json")


def places(weight, file, options):
    """Where a file of a weight may lie: put by the user or, failing that, part of upstream's tree."""
    if weight["root"] == "cache":
        return [Path(options.cache) / file["path"]]
    names = [file["path"], *file.get("also", ())]
    return [Path(root) / name for root in (options.workspace, options.home) for name in names]


def there(place):
    """Whether a file lies there that is not empty."""
    return place.is_file() and place.stat().st_size > 0


def missing(options):
    """Weight and path, as the user sees it, of each file that is needed and not there."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))["weights"]
    folder = {"cache": "model_cache", "workspace": "GeneFace-main", "image": options.home}
    return [(weight, f"{folder[weight['root']]}/{file['path']}") for weight in table
            if options.purpose in weight["needed_for"] and not weight["optional"] for file in weight["files"]
            if not any(there(place) for place in places(weight, file, options))]


def error_line(lacking):
    """The error of the first missing file, as JSON."""
    weight, path = lacking[0]
    more = f" {len(lacking) - 1} more files are missing too." if len(lacking) > 1 else ""
    hint = "scripts/weights list tells all that is missing and how to get each."
    if weight["root"] == "image":
        hint = "It is part of the image: docker build -t geneface:latest GeneFace-main"
    licence = weight["licence"]["name"]
    return json.dumps({"error": {
        "code": "geneface.weight_missing",
        "message": f"{weight['title']} is missing: {path}. It comes from {weight['page']} (licence: {licence}).{more}",
        "hint": hint,
        "params": {"title": weight["title"], "path": path, "source": weight["page"], "licence": licence,
                   "missing": len(lacking)}}}, ensure_ascii=False)


def main():
    """Print what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("purpose", choices=["train", "infer"])
    for name in ("workspace", "home", "cache"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()
    lacking = missing(options)
    for _weight, path in lacking:
        print("missing: " + path, flush=True)
    if lacking:
        print(error_line(lacking), flush=True)
    return 3 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
