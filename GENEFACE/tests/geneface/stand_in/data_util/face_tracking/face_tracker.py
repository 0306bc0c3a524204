"""Fits the face model to the landmarks of every frame."""

import argparse
import os
import pickle
from pathlib import Path

import numpy as np
from utils import stand_in

MODEL = Path(os.path.realpath(__file__)).parent / "3DMM"

parser = argparse.ArgumentParser()
parser.add_argument("--idname", type=str, default="obama")
parser.add_argument("--img_h", type=int, default=512)
parser.add_argument("--img_w", type=int, default=512)
parser.add_argument("--frame_num", type=int, default=11000)
args = parser.parse_args()

stand_in.gpu()
stand_in.need(MODEL / "3DMM_info.npy", MODEL / "keys_info.npy")
folder = Path("data/processed/videos") / args.idname
points = np.stack([np.loadtxt(folder / "ori_imgs" / f"{index}.lms") for index in range(args.frame_num)])
middle = points.mean(1) / 512
batches = range(0, args.frame_num, 50)
for batch in range(len(batches)):
    print(f"{batch} of {len(batches)} done", flush=True)
    if batch == len(batches) // 2:
        (folder / "track_params.pt").write_bytes(b"half")
        stand_in.halfway("tracking")
(folder / "track_params.pt").write_bytes(pickle.dumps({
    "id": np.zeros((1, 100)), "exp": np.zeros((args.frame_num, 79)), "euler": np.zeros((args.frame_num, 3)),
    "trans": np.concatenate([middle, np.full((args.frame_num, 1), -7.0)], 1), "focal": np.array([1200.0])}))
with Path("log.txt").open("a") as log:
    log.write("params saved\n")
