"""What lies around the product: ports, the voice server, models, keys, GPUs and Docker.

As `backend.machine`: one quick function a requirement; anything that may be
far away is asked with a short time limit.  None of these is essential.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import requests

from backend import packages
from backend.machine import Host
from visage.engines import open_engine
from visage.types import Requirement

_PATIENCE = 0.8
"""Seconds a server may take to answer."""


def web_port(host: Host) -> Requirement:
    """The web app's port: free, or held by this product."""
    port = host.settings.port
    ours = "exists" in _get_json(f"http://127.0.0.1:{port}/audio_exists")
    return _port(host, port, ours, f"GENEFACE/scripts/run --port {port + 10}", "port")


def voice_port(host: Host) -> Requirement:
    """The voice server's port: free, or held by this product."""
    port = host.settings.voice_port
    ours = "ok" in _get_json(f"http://127.0.0.1:{port}/health")
    return _port(host, port, ours, f"VISAGE_VOICE_PORT={port + 10} GENEFACE/scripts/run", "voice_port")


def voice_server(host: Host) -> Requirement:
    """The voice server, answering."""
    url = (host.settings.voice_url or f"http://127.0.0.1:{host.settings.voice_port}").rstrip("/")
    said = _get_json(url + "/health")
    if said.get("ok"):
        return Requirement("voice_server", True, f"{url} {said.get('engine', '')}".strip())
    detail = host.words(f"{url} does not answer", f"{url} 没有应答")
    return Requirement("voice_server", False, detail, "GENEFACE/scripts/run")


def gpu(host: Host) -> Requirement:
    """An NVIDIA GPU, and a torch that can use it."""
    found, version = packages.nvidia_gpu(), packages.version_of("torch")
    if not found:
        detail = host.words("none; everything built in works without", "无；内置功能不需要")
        remedy = host.words("For GeneFace: a machine with an NVIDIA GPU and its driver.",
                            "GeneFace 需要 NVIDIA GPU 及驱动。")
        return Requirement("gpu", False, detail, remedy)
    if version.endswith("+cpu"):
        detail = host.words(f"{found}, but torch is the CPU build", f"{found}，但 torch 为 CPU 版")
        return Requirement("gpu", False, detail, "rm -rf GENEFACE/.venv && GENEFACE/scripts/run --setup-only")
    return Requirement("gpu", True, found)


def geneface(host: Host) -> tuple[Requirement, ...]:
    """What the engine in a container needs: the Docker daemon, its image, GPUs in containers, weights."""
    return open_engine("GeneFace", host.settings, host.paths).describe().needs


def listening(host: Host) -> Requirement:
    """Speech recognition beyond English: a Vosk model."""
    folder = host.settings.vosk_model
    if (folder and (folder / "am").is_dir()) or (folder and (folder / "final.mdl").is_file()):
        return Requirement("vosk_model", True, str(folder))
    detail = host.words(f"{folder} is no Vosk model", f"{folder} 不是 Vosk 模型") if folder else host.words(
        "none; English is understood (pocketsphinx)", "未配置；只能听懂英语（pocketsphinx）")
    return Requirement("vosk_model", False, detail, host.words(
        "Unpack a model from https://alphacephei.com/vosk/models, then: export VISAGE_VOSK_MODEL=/its/folder",
        "从 https://alphacephei.com/vosk/models 下载并解压模型，然后：export VISAGE_VOSK_MODEL=/模型目录"))


def piper(host: Host) -> Requirement:
    """Better offline voices: Piper and its voice files."""
    folder = host.settings.piper_voices
    voices = sorted(path.stem for path in folder.glob("*.onnx") if Path(f"{path}.json").exists()) if folder else []
    if voices and packages.version_of("piper-tts"):
        return Requirement("piper_voices", True, ", ".join(voices))
    if voices:
        return Requirement("piper_voices", False, host.words("piper-tts is not installed", "未安装 piper-tts"),
                           "GENEFACE/scripts/run --setup-only --with piper")
    return Requirement("piper_voices", False, host.words("none; espeak-ng speaks", "无；使用 espeak-ng"), host.words(
        "Put voice.onnx and voice.onnx.json into a folder, then: export VISAGE_PIPER_VOICES=/that/folder",
        "把 voice.onnx 和 voice.onnx.json 放入同一目录，然后：export VISAGE_PIPER_VOICES=/该目录"))


def language_model(host: Host) -> Requirement:
    """A language model for conversations."""
    chosen = host.settings
    if chosen.zhipu_api_key.get_secret_value():
        return Requirement("llm", True, f"GLM {chosen.zhipu_model}, ZHIPU_API_KEY={chosen.zhipu_api_key}")
    if chosen.openai_base_url:
        return Requirement("llm", True, f"{chosen.openai_base_url} {chosen.openai_model}".strip())
    return Requirement("llm", False, host.words("none; a small offline responder answers", "无；由离线小程序应答"),
                       "export ZHIPU_API_KEY=…")


def _port(host: Host, port: int, ours: bool, remedy: str, name: str) -> Requirement:
    if ours:
        return Requirement(name, True, host.words(f"{port}, already running", f"{port}，正在运行"))
    with socket.socket() as probe:
        probe.settimeout(_PATIENCE)
        taken = probe.connect_ex(("127.0.0.1", port)) == 0
    if taken:
        detail = host.words(f"{port} is held by another program", f"{port} 被其他程序占用")
        return Requirement(name, False, detail, remedy)
    return Requirement(name, True, host.words(f"{port} is free", f"{port} 空闲"))


def _get_json(url: str) -> Mapping[str, Any]:
    """The JSON object at an address of this network; empty when there is no such answer in time."""
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy does not know this machine's own ports
            said = session.get(url, timeout=_PATIENCE / 2).json()
    except requests.RequestException:
        return {}
    return said if isinstance(said, dict) else {}


CHECKS: tuple[Callable[[Host], Requirement | tuple[Requirement, ...]], ...] = (
    web_port, voice_port, voice_server, language_model, listening, piper, gpu, geneface)
"""In the order in which they are shown."""
