"""Process 2: the voice server on :5003.  One process, because espeak-ng is global state; many threads."""

from visage.config import read_settings
from web.server import serve
from web.voice_server import create_voice_app

THREADS = 16

if __name__ == "__main__":
    settings = read_settings()
    serve(create_voice_app(settings), settings.voice_host, settings.voice_port, THREADS)
