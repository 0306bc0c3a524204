"""The speech encoder from nothing: ``python -m benchmarks.encoder FOLDER --minutes 60`` builds the corpus and trains.

Parts of the corpus that lie in FOLDER already are used as they are.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.encoder_train import FOLDER

PARTS, MINUTES = 4, 90


def main() -> None:
    """Reads the command line and runs both, each in a process of its own: espeak-ng leaves nothing behind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=FOLDER)
    given = parser.parse_args()
    for part in range(PARTS):
        if not (given.folder / f"part{part}.npz").exists():
            subprocess.run([sys.executable, "-m", "benchmarks.encoder_corpus", str(given.folder), "--minutes",
                            str(MINUTES), "--part", str(part)], check=True)
    subprocess.run([sys.executable, "-m", "benchmarks.encoder_train", str(given.folder), "--minutes",
                    str(given.minutes), "--seed", str(given.seed), "--out", str(given.out)], check=True)


if __name__ == "__main__":
    main()
