"""Process 1: the web app on :5001.

``scripts/run`` starts it together with the voice server and the worker; started
alone, it starts those two itself when they are not there.
"""

import os

from backend import setup

if __name__ == "__main__":
    setup.ensure()

    # Conversations share the cores, and the threads of numpy and OpenCV would wait for one another on them: three
    # times the CPU for one sentence.  numpy reads this on import; what is started from here must not inherit it.
    _told = os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ["OPENBLAS_NUM_THREADS"] = _told or "1"
    import cv2
    import numpy  # noqa: F401

    cv2.setNumThreads(1)
    if _told is None:
        del os.environ["OPENBLAS_NUM_THREADS"]

    from backend.services import open_services
    from backend.supervisor import ensure_companions
    from web import create_app
    from web.server import serve

    services = open_services()
    if not os.environ.get("VISAGE_SUPERVISED"):
        ensure_companions(services.settings, services.paths)
    serve(create_app(services), services.settings.host, services.settings.port)
