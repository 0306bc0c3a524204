"""257 numbers of the face model a frame, read from the video itself."""

import argparse
import subprocess
from pathlib import Path

import numpy as np
from utils import stand_in

parser = argparse.ArgumentParser()
parser.add_argument("--video_id", type=str, default="May")
args = parser.parse_args()

stand_in.gpu()
stand_in.cached("s3fd-619a316812.pth", "2DFAN4-cd938726ad.zip")
stand_in.need("deep_3drecon/reconstructor_opt.pkl", "deep_3drecon/checkpoints/facerecon/epoch_20.pth",
              "deep_3drecon/BFM/BFM_model_front.mat", "deep_3drecon/BFM/similarity_Lm3D_all.mat")
seen = subprocess.run(["ffmpeg", "-v", "error", "-i", f"data/raw/videos/{args.video_id}.mp4", "-vf", "scale=8:8",
                       "-f", "rawvideo", "-pix_fmt", "gray", "-"], check=True, stdout=subprocess.PIPE).stdout
frames = np.frombuffer(seen, np.uint8).reshape(-1, 64) / 255
for index in stand_in.bar(range(len(frames)), desc="extracting 2D facial landmarks ..."):
    if index == len(frames) // 2:
        stand_in.halfway("coefficients")
for _ in stand_in.bar(range(len(frames) // 32), desc="start extracting 3DMM..."):
    pass
coefficients = np.zeros((len(frames), 257), np.float32)
coefficients[:, :64] = frames
np.save(Path("data/processed/videos") / args.video_id / "vid_coeff.npy",
        {"coeff": coefficients, "lm68": np.zeros((len(frames), 68, 2)), "lm5": np.zeros((len(frames), 5, 2))})
