"""What is heard: 1024 numbers by HuBERT, 80 bands and a pitch, 50 times a second."""

import argparse
import wave
from pathlib import Path

import numpy as np
from utils import stand_in

parser = argparse.ArgumentParser()
parser.add_argument("--video_id", type=str, default="May")
args = parser.parse_args()

stand_in.gpu()
stand_in.hubert_is_cached()
folder = Path("data/processed/videos") / args.video_id
with wave.open(str(folder / "aud.wav")) as file:
    if file.getframerate() != 16000:
        raise ValueError("not 16 kHz")
    sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
count = (len(sound) - 80) // 320
energy = np.square(sound[:count * 320].reshape(count, 320)).mean(1, keepdims=True)
np.save(folder / "aud_hubert.npy", np.repeat(energy, 1024, 1).astype(np.float32))
stand_in.halfway("speech")
np.save(folder / "aud_mel_f0.npy", {"mel": np.repeat(np.log10(energy + 1e-6), 80, 1), "f0": 100 + energy[:, 0]})
