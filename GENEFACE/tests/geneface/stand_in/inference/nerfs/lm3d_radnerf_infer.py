"""Draws, instead of a face, what the renderer was given, so that a test can read it off the video.

A picture's upper half is the number of the training frame whose pose it has, in twelve bars of black and white; its
lower half is a grey that says how far the lips are apart, after upstream's own smoothing from frame to frame.
"""

import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from inference.stand_in_motion import arguments, wav16k
from utils.stand_in import bar, cached, gpu, halfway, need

BITS = 12
FORGETS = 0.2


def samples_of(settings):
    """The samples of the dataset, both halves, with their landmarks and pictures on hand; neither half empty."""
    file = Path(settings["binary_data_dir"], settings["video_id"], "trainval_dataset.npy")
    dataset = np.load(file, allow_pickle=True).tolist()
    halves = [dataset["train_samples"], dataset["val_samples"]]
    for half in halves:
        np.stack([sample["c2w"] for sample in half])
    processed = Path("data/processed/videos", settings["video_id"])
    for sample in halves[0] + halves[1]:
        np.loadtxt(processed / "ori_imgs" / f"{sample['idx']}.lms")
        need(sample["torso_img_fname"], sample["gt_img_fname"])
    return halves[0] + halves[1], dataset


def smoothed(landmarks):
    """Lip distances [T], each frame still a fifth the one before, as upstream does with the landmarks."""
    face = landmarks.reshape(-1, 68, 3)
    gap = face[:, 62, 1] - face[:, 66, 1]
    for index in range(1, len(gap)):
        gap[index] = FORGETS * gap[index - 1] + (1 - FORGETS) * gap[index]
    return gap


def picture(pose, gap, height, width):
    """RGB [height, width, 3]."""
    bits = [(pose >> place) & 1 for place in range(BITS)]
    upper = np.repeat(np.array(bits, np.uint8) * 255, width // BITS)[None].repeat(height // 2, 0)
    lower = np.full((height - height // 2, upper.shape[1]), round(30 + 200 * float(np.clip(gap, 0, 1))), np.uint8)
    return np.concatenate([upper, lower])[:, :, None].repeat(3, 2)


def write_png(file, rgb):
    """An RGB picture as PNG."""
    def part(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    height, width, _ = rgb.shape
    rows = b"".join(b"\0" + row.tobytes() for row in rgb)
    Path(file).write_bytes(b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
                           + part(b"IDAT", zlib.compress(rows, 1)) + part(b"IEND", b""))


def main():
    """Render."""
    settings = arguments({"--infer"})
    video = Path(settings["infer_out_video_name"])
    print("stand-in: rendering", video.parent.name, flush=True)
    gpu()
    cached("alexnet-owt-7be5be79.pth")
    need("deep_3drecon/BFM/BFM_model_front.mat", *Path(settings["head_model_dir"]).glob("*.ckpt"))
    pictures = video.parent / "tmp_imgs" / video.name[:-4]
    pictures.mkdir(parents=True, exist_ok=True)
    samples, dataset = samples_of(settings)
    sound = wav16k(settings["infer_audio_source_name"])
    gaps = smoothed(np.load(settings["infer_cond_name"])[0])
    poses = [samples[index]["idx"] for index in range(len(gaps))]
    told = os.environ.get("STAND_IN_FAULT", "")
    for index in bar(range(len(gaps)), "NeRF is rendering frames..."):
        if index == len(gaps) // 2:
            print(file=sys.stderr, flush=True)
            halfway("render")
            halfway("render_" + video.parent.name)
        if told == "pictures:lost" and index == len(gaps) - 1:
            continue
        write_png(pictures / f"{index:05d}.png", picture(int(poses[index]), gaps[index], dataset["H"], dataset["W"]))
    if told != "video:lost":
        os.system(f"ffmpeg -i {pictures}/%5d.png -i {sound} -shortest -v quiet -c:v libx264 -pix_fmt yuv420p "
                  f"-b:v 2000k -r 25 -strict -2 -y {video}")


main()
