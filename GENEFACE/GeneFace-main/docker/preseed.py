#!/usr/bin/env python3
"""Downloads the weights that libraries would fetch at run time, into a folder laid out like model_cache.

    preseed.py weights.json FOLDER

HF_ENDPOINT names a mirror of Hugging Face.  Python 3.8, standard library only.
"""

import hashlib
import json
import os
import shutil
import sys
import urllib.request
from pathlib import Path

HUB = "https://huggingface.co"


def bring(file, folder):
    """One file, all or nothing; raises when it is not what was published."""
    target = Path(folder) / file["path"]
    target.parent.mkdir(parents=True, exist_ok=True)
    if "text" in file:
        target.write_text(file["text"])
        return
    part = target.with_name(target.name + ".part")
    address = file["url"].replace(HUB, os.environ.get("HF_ENDPOINT") or HUB)
    with urllib.request.urlopen(address, timeout=60) as answer, part.open("wb") as out:
        shutil.copyfileobj(answer, out, 1 << 20)
    if file.get("sha256") and hashlib.sha256(part.read_bytes()).hexdigest() != file["sha256"]:
        raise ValueError(f"{address} is not the file that was published")
    part.replace(target)


def main(table, folder):
    """All that may be downloaded and that no run goes without."""
    for weight in json.loads(Path(table).read_text(encoding="utf-8"))["weights"]:
        if weight["root"] == "cache" and weight["fetch"] and not weight["optional"]:
            for file in weight["files"]:
                print(weight["title"], file["path"], flush=True)
                bring(file, folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
