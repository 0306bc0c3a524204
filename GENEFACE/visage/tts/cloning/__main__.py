"""``python -m visage.tts.cloning FILE LANGUAGE VOICE_SERVER``: a voice print as JSON, or ``{"error": …}``.

Measuring takes seconds of computing, so it is done in a process of its own and no conversation stutters for it.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from visage.errors import VisageError
from visage.tts.cloning.making import make_print
from visage.tts.http import VoiceServer


def main(file: str, language: str, url: str) -> str:
    """What to print."""
    with suppress(OSError, AttributeError):
        os.nice(5)
    try:
        return make_print(Path(file), language, VoiceServer(url)).dumps()
    except VisageError as error:
        return json.dumps({"error": error.as_dict()})


if __name__ == "__main__":
    print(main(*sys.argv[1:4]))
