"""The picture service: ``python handler.py`` serves :8000; on a serverless platform its own package calls the handler.

``--rp_serve_api``, ``--rp_api_host`` and ``--rp_api_port`` are understood; with ``--test_input '{"input": …}'``, or
with a ``test_input.json`` in the working folder and no ``--rp_serve_api``, one job is done and its answer printed.
"""

import argparse
import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

from backend.picture_service import PictureService, service_of
from backend.services import open_services
from visage.errors import VisageError
from visage.swap.faults import exit_code
from web.picture_service import create_picture_app
from web.server import serve

THREADS = 40


def main() -> int:
    """The command line; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rp_serve_api", action="store_true", help="serve; what happens anyway without a test job")
    parser.add_argument("--rp_api_host", default=os.environ.get("PICTURE_HOST", "127.0.0.1"))
    parser.add_argument("--rp_api_port", type=int, default=8000)
    parser.add_argument("--test_input", default="")
    parser.add_argument("--check", action="store_true", help="open the engines, print who computes, and end")
    told = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    service = service_of(open_services())
    if told.check:
        service.warm_up()
        print(json.dumps(service.health(), ensure_ascii=False, indent=1))
        return 0
    test = Path("test_input.json")
    if told.test_input or (test.is_file() and not told.rp_serve_api):
        answer = service.handle(json.loads(told.test_input or test.read_text(encoding="utf-8")))
        print(json.dumps(answer, ensure_ascii=False))
        return 1 if "error" in answer else 0
    if os.environ.get("RUNPOD_WEBHOOK_GET_JOB"):
        return _serverless(service)
    return _served(service, told.rp_api_host, told.rp_api_port)


def _serverless(service: PictureService) -> int:
    """Work for the platform until it ends this process."""
    try:
        import runpod
    except ImportError:
        print("The platform's package is missing: build with --build-arg SERVERLESS=runpod, or pip install runpod",
              file=sys.stderr)
        return 2
    service.warm_up()
    runpod.serverless.start({"handler": service.handle})
    return 0


def _served(service: PictureService, host: str, port: int) -> int:
    """Answer over HTTP until a signal; engines warm up meanwhile, and in strict mode nothing starts without the GPU."""
    if service.services.settings.face_strict_provider:
        # in a process of its own: a GPU that was opened before the server forks is lost to its worker
        checked = subprocess.run([sys.executable, __file__, "--check"], stdout=subprocess.DEVNULL, check=False)
        if checked.returncode:
            return checked.returncode
    serve(create_picture_app(service), host, port, THREADS, lambda: _begin_warming(service))
    return 0


def _begin_warming(service: PictureService) -> None:
    threading.Thread(target=_warm, args=[service], name="warm-up", daemon=True).start()


def _warm(service: PictureService) -> None:
    try:
        service.warm_up()
    except VisageError as exc:
        logging.getLogger("visage.pictures").error("not ready: %s", exc.message)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except VisageError as exc:
        print(f"{exc.message}\n{exc.hint}", file=sys.stderr)
        sys.exit(exit_code(exc))
