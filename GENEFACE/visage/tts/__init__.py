"""Speech synthesis by name of driver; `open_synthesizer` joins those that this machine can use."""

from __future__ import annotations

from visage.config import Settings
from visage.drivers import load
from visage.errors import NotInstalled, VisageError
from visage.storage.paths import Paths
from visage.tts.builtin import voice_for_speaker
from visage.tts.chain import VoiceChain
from visage.tts.contract import Speech, SpeechRequest, Synthesizer, Voice
from visage.tts.http import VoiceServer

DRIVERS = {
    "edge": "visage.tts.edge:EdgeSynthesizer",
    "openai": "visage.tts.openai_http:OpenAISynthesizer",
    "piper": "visage.tts.piper:PiperSynthesizer",
    "clone": "visage.tts.clone:CloneSynthesizer",
    "espeak": "visage.tts.espeak:EspeakSynthesizer",
}

__all__ = ["DRIVERS", "Speech", "SpeechRequest", "Synthesizer", "Voice", "VoiceChain", "VoiceServer",
           "open_synthesizer", "open_voice_server", "voice_for_speaker"]


def open_synthesizer(settings: Settings) -> VoiceChain:
    """Every driver that can be used here, as one chain; the voice server calls it, others use `open_voice_server`.

    A driver that cannot be opened is kept with its reason; raises `NotInstalled` when none can.
    """
    drivers: dict[str, Synthesizer] = {}
    missing: dict[str, VisageError] = {}
    for name in DRIVERS:
        try:
            drivers[name] = _open(name, settings)
        except VisageError as exc:
            missing[name] = exc
    if not drivers:
        raise missing["espeak"]
    return VoiceChain(drivers, missing, settings.text_limit)


def open_voice_server(settings: Settings, timeout: float = 600.0) -> VoiceServer:
    """Client of this installation's voice server."""
    host = settings.voice_host if settings.voice_host not in ("", "0.0.0.0", "::") else "127.0.0.1"
    return VoiceServer(settings.voice_url or f"http://{host}:{settings.voice_port}", timeout)


def _open(name: str, settings: Settings) -> Synthesizer:
    if name == "edge":
        if not settings.online:
            raise NotInstalled("Voices on the internet are switched off.", code="tts.online_off",
                               hint="Set VISAGE_ONLINE=true to allow them.")
        return load("voice driver", DRIVERS, name)()
    if name == "openai":
        return load("voice driver", DRIVERS, name)(settings)
    if name == "piper":
        if settings.piper_voices is None:
            raise NotInstalled("No folder with Piper voices is configured.", code="tts.piper_unset",
                               hint="Set VISAGE_PIPER_VOICES to a folder with NAME.onnx and NAME.onnx.json.")
        return load("voice driver", DRIVERS, name)(settings.piper_voices)
    if name == "clone":
        return load("voice driver", DRIVERS, name)(_open("espeak", settings), Paths(settings.home.resolve()).voices)
    return load("voice driver", DRIVERS, name)()
