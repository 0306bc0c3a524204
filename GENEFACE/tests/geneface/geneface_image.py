"""The product's own Dockerfile of GeneFace, built of the stand-in's tree on the local base, without CUDA."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.geneface.upstream import EXTENSIONS, weight_files, write_upstream

MAIN = Path(__file__).parents[2] / "GeneFace-main"
TAG = "visage-test-geneface:stand-in"

PINS = """\
numpy==1.26.4
opencv-python-headless==4.11.0.86
matplotlib
absl-py
attrs>=19.1
flatbuffers>=2
protobuf>=6.31.1,<7
pyyaml
setuptools<80
wheel
"""
SMOKE = {"imports": ["numpy", "cv2", "yaml", "mediapipe"], "extensions": list(EXTENSIONS.values()),
         "attributes": ["mediapipe.solutions.face_detection.FaceDetection"], "files": weight_files("image"),
         "programs": ["ffmpeg", "ffprobe"], "cuda": False}
ARGUMENTS = {"SOURCE": "local", "PINS": "docker/test-pins.txt", "PINS_ALONE": "docker/test-pins-alone.txt",
             "PYTORCH3D": "", "SMOKE": "source/smoke.json", "APT_PACKAGES": "ffmpeg git"}
"""Build arguments that make the Dockerfile do without CUDA and without the gigabytes of the real packages."""


def write_context(folder: Path) -> Path:
    """Write what such a build needs into ``folder``; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("Dockerfile", ".dockerignore"):
        shutil.copy(MAIN / name, folder)
    shutil.copytree(MAIN / "docker", folder / "docker", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "docker" / "test-pins.txt").write_text(PINS)
    (folder / "docker" / "test-pins-alone.txt").write_text("mediapipe==0.10.21\n")
    write_upstream(folder / "source")
    (folder / "source" / "smoke.json").write_text(json.dumps(SMOKE))
    return folder
