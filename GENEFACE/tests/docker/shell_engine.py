"""An engine in a container that is a shell script: it learns nothing, but waits, fails and copies like a real one."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.visage.media_clips import RATE, babble, clip, numbered
from visage.media.audio import write_wav

SECONDS = 2.0
TRAIN = """
id=$1; epochs=$2
echo "started with $epochs"
trap 'echo INT >interrupted; exit 130' INT
for step in $(seq 1 "$epochs"); do
  echo "{\\"stage\\": \\"learn\\", \\"overall\\": 0.$(printf %03d "$step"), \\"message\\": \\"step $step\\"}"
  sleep 0.1
done
test ! -f fail || { cat fail; exit "$(cat code)"; }
mkdir -p "checkpoints/$id"
cat seed/idle.mp4 >"checkpoints/$id/idle.mp4"
cat seed/poster.jpg >"checkpoints/$id/poster.jpg"
echo '{"result": {"steps": 7}}'
"""
INFER = """
id=$1; sound=$2
echo '{"stage": "draw", "overall": 0.5, "message": "half"}'
cat "data/raw/val_wavs/$sound.wav" >/dev/null || exit 1
mkdir -p "infer_out/$id/pred_video"
cat seed/clip.mp4 >"infer_out/$id/pred_video/$sound.mp4"
"""


def install(home: Path, image: str, name: str = "Shell", **changes: object) -> Path:
    """Describe the engine in an installation and fill its workspace; returns the workspace."""
    workspace = home / "var" / name.lower()
    (workspace / "seed").mkdir(parents=True)
    (workspace / "train.sh").write_text(TRAIN)
    (workspace / "infer.sh").write_text(INFER)
    _seed(workspace / "seed")
    told = {"name": name, "image": image, "build": "make-the-image", "workspace": f"var/{name.lower()}", "gpu": "none",
            "train": {"argv": ["sh", "train.sh", "{id}", "{epochs}"], "done": ["checkpoints/{id}/idle.mp4"]},
            "infer": {"argv": ["sh", "infer.sh", "{id}", "{sound}"]},
            "avatar": ["checkpoints/{id}", "infer_out/{id}", "data/raw/videos/{id}.mp4"],
            "package": ["checkpoints/{id}"], **changes}
    (home / "engines").mkdir(exist_ok=True)
    (home / "engines" / f"{name.lower()}.yaml").write_text(yaml.safe_dump(told))
    return workspace


def speech(folder: Path) -> Path:
    """A sound as long as the clip that the engine answers with."""
    folder.mkdir(parents=True, exist_ok=True)
    write_wav(folder / "speech.wav", babble(SECONDS), RATE)
    return folder / "speech.wav"


def recording(folder: Path) -> Path:
    """Any video: this engine looks at none."""
    folder.mkdir(parents=True, exist_ok=True)
    return clip(folder / "speaker.mp4", numbered(int(SECONDS * 25), 64, 64), babble(SECONDS), fps=25)


def _seed(folder: Path) -> None:
    from PIL import Image

    made = clip(folder / "clip.mp4", numbered(int(SECONDS * 25), 64, 64), babble(SECONDS), fps=25)
    (folder / "idle.mp4").write_bytes(made.read_bytes())
    Image.new("RGB", (64, 64), "teal").save(folder / "poster.jpg")
