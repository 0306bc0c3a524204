"""Five checks of face swapping, ``cd backend && python test_fixes.py``: exit code 0 only when all five pass.

The same as ``python -m backend.doctor --faceswap``, which also passes where the
engine named basic stands in for missing models; ``--json`` prints one object.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

sys.path[:] = [str(Path(__file__).resolve().parents[1]), *(
    entry for entry in sys.path if entry and Path(entry).resolve() != Path(__file__).resolve().parent)]


def main() -> int:
    """Run the five and tell; returns the exit code."""
    from backend.doctor import table
    from backend.face_doctor import examine
    from backend.machine import Host
    from backend.terminal import language
    from visage.config import read_settings
    from visage.storage.paths import Paths

    settings = read_settings()
    found = examine(Host(settings, Paths(settings.home), language()))
    passed = sum(one.ok for one in found)
    if "--json" in sys.argv[1:]:
        print(json.dumps({"ok": passed == len(found), "requirements": [asdict(one) for one in found]},
                         ensure_ascii=False, indent=2))
    else:
        print(f"{table(found)}\n\n{passed}/{len(found)}")
    return 0 if passed == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
