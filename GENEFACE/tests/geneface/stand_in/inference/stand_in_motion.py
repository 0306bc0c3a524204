"""What the stand-in's two landmark programs do: a mouth as open as the sound is loud.

The landmarks tell how they were made: x of landmark 0 is the checkpoint's step, x of landmark 1 the time in frames.
"""

import os
import sys
import wave
from pathlib import Path

import numpy as np
from utils.stand_in import bar, gpu, halfway, hubert_is_cached, need

WEIGHTS = ("deep_3drecon/BFM/BFM_model_front.mat", "checkpoints/lrs3/lm3d_vae_sync/model_ckpt_steps_40000.ckpt",
           "checkpoints/lrs3/syncnet/model_ckpt_steps_40000.ckpt")


def arguments(flags):
    """The settings of --config with those of --hparams in their place; fails for a key that the config lacks."""
    words = dict(word.partition("=")[::2] for word in sys.argv[1:])
    if set(words) != {"--config", "--hparams", *flags}:
        raise SystemExit(f"stand-in: unexpected arguments {sys.argv[1:]}")
    lines = Path(words["--config"]).read_text().splitlines()
    settings = {key.strip(): value.strip().strip("'\"") for key, _, value in (line.partition(":") for line in lines)}
    for pair in words["--hparams"].split(","):
        key, value = pair.split("=")
        if key not in settings:
            raise KeyError(key)
        settings[key] = value
    return settings


def wav16k(source):
    """Convert the source as upstream does, its shell line unquoted; returns the new file's name."""
    if not source.endswith((".wav", ".mp3", ".mp4", ".avi")):
        raise AssertionError("supported: .wav .mp3 .mp4 .avi")
    name = source[:-4] + "_16k.wav"
    os.system(f"ffmpeg -i {source} -v quiet -f wav -ar 16000 {name} -y")
    return name


def openness(name):
    """How open a mouth is, 0..1 a frame: as many frames as upstream gets from features of 20 ms in groups of eight."""
    with wave.open(name, "rb") as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.float64) / 32768
    features = (len(samples) - 80) // 320
    frames = -(-features // 8) * 4
    padded = np.pad(samples, (0, max(0, frames * 640 - len(samples))))[:frames * 640]
    return np.minimum(np.sqrt((padded.reshape(frames, 640) ** 2).mean(1)) * 8, 1.0) * 0.8 + 0.2


def landmarks(mouth, step):
    """A face [T, 204] whose lips are ``mouth`` apart (landmark 62 above 66, by 1 when wide open)."""
    face = np.zeros([len(mouth), 68, 3], np.float32)
    face[:, 0, 0] = step
    face[:, 1, 0] = np.arange(len(mouth))
    for upper, lower in ((61, 67), (62, 66), (63, 65), (50, 58), (51, 57), (52, 56)):
        face[:, upper, 1] = mouth / 2
        face[:, lower, 1] = -mouth / 2
    return face.reshape(len(mouth), 204)


def run(name):
    """One landmark program."""
    settings = arguments({"--reset"})
    gpu()
    hubert_is_cached()
    need(*WEIGHTS)
    step = int(settings["infer_ckpt_steps"])
    need(f"{settings['work_dir']}/model_ckpt_steps_{step}.ckpt")
    out = Path(settings["infer_out_npy_name"])
    out.parent.mkdir(parents=True, exist_ok=True)
    mouth = openness(wav16k(settings["infer_audio_source_name"]))
    made = [landmarks(mouth, step) for _ in bar(range(1), f"Now {name} is predicting the action into {out}")]
    out.write_bytes(b"half")
    halfway("landmarks")
    np.save(out, made)
