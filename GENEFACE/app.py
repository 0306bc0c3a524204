"""Process 1: the web app on :5001.

``scripts/run`` starts it together with the voice server and the worker; started
alone, it starts those two itself when they are not there.
"""

import os

from backend import setup

if __name__ == "__main__":
    setup.ensure()

    from visage.heaps import one_thread_each, share_heaps

    share_heaps()
    one_thread_each()

    from backend.services import open_services
    from backend.supervisor import ensure_companions
    from web import create_app
    from web.server import serve

    services = open_services()
    if not os.environ.get("VISAGE_SUPERVISED"):
        ensure_companions(services.settings, services.paths)
    serve(create_app(services), services.settings.host, services.settings.port)
