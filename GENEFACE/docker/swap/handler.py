"""The picture service: ``python handler.py`` serves :8000; on a serverless platform its own package calls the handler.

``--rp_serve_api``, ``--rp_api_host`` and ``--rp_api_port`` are understood; with ``--test_input '{"input": …}'`` or a
``test_input.json`` in the working folder one job is done and its answer printed.
"""

import argparse
import json
import logging
import os
import sys
from pathlib import Path

from backend.picture_service import handler_of
from backend.services import open_services


def main() -> int:
    """The command line; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rp_serve_api", action="store_true", help="serve; what happens anyway without a test job")
    parser.add_argument("--rp_api_host", default=os.environ.get("PICTURE_HOST", "127.0.0.1"))
    parser.add_argument("--rp_api_port", type=int, default=8000)
    parser.add_argument("--test_input", default="")
    told = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    handler = handler_of(open_services())
    test = Path("test_input.json")
    if told.test_input or (test.is_file() and not told.rp_serve_api):
        answer = handler(json.loads(told.test_input or test.read_text(encoding="utf-8")))
        print(json.dumps(answer, ensure_ascii=False))
        return 1 if "error" in answer else 0
    if os.environ.get("RUNPOD_WEBHOOK_GET_JOB"):
        import runpod

        runpod.serverless.start({"handler": handler})
        return 0
    from web.picture_service import create_picture_app
    from web.server import serve

    serve(create_picture_app(handler), told.rp_api_host, told.rp_api_port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
