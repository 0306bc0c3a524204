"""Prepares a video for training, one task after the other."""

import argparse
import json
import os
import pickle
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
from utils import stand_in

NAMES = {1: "audio", 3: "frames", 4: "parsing", 5: "background", 6: "layers", 7: "landmarks", 8: "tracking",
         9: "poses"}


def ffmpeg(*argv):
    """Run ffmpeg; what it does with a file that is already there is its own affair, as it is for upstream."""
    subprocess.run(["ffmpeg", "-v", "error", *argv], check=True, stdin=subprocess.DEVNULL)


def picture(channels, value, side=512):
    """A PNG of one colour."""
    rows = (b"\0" + bytes([*value][:channels]) * side) * side
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2 if channels == 3 else 6, 0, 0, 0)),
              (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")]
    packed = [struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
              for kind, data in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def each(pictures, work, name, **words):
    """Do the work for every frame, with a bar, the fault in the middle."""
    for place, file in enumerate(stand_in.bar(pictures, **words)):
        if place == len(pictures) // 2:
            stand_in.halfway(name)
        work(file)


class Video:
    """The folders of one video and the tasks on them."""

    def __init__(self, name):
        self.name = name
        self.video = Path("data/raw/videos") / f"{name}.mp4"
        self.folder = Path("data/processed/videos") / name
        for part in ("ori_imgs", "parsing", "head_imgs", "gt_imgs", "torso_imgs"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)

    def pictures(self):
        """The frames, in no special order."""
        return list((self.folder / "ori_imgs").glob("*.jpg"))

    def audio(self):
        """16 kHz."""
        ffmpeg("-i", str(self.video), "-t", "1", "-f", "wav", "-ar", "16000", str(self.folder / "aud.wav"))
        stand_in.halfway("audio")
        (self.folder / "aud.wav").unlink()
        ffmpeg("-i", str(self.video), "-f", "wav", "-ar", "16000", str(self.folder / "aud.wav"))

    def frames(self):
        """25 a second, named by their numbers from 0."""
        argv = ["-i", str(self.video), "-vf", "fps=25", "-qmin", "1", "-q:v", "1", "-start_number", "0"]
        out = str(self.folder / "ori_imgs" / "%d.jpg")
        ffmpeg(*argv, "-frames:v", "20", out)
        stand_in.halfway("frames")
        ffmpeg(*argv, out)

    def landmarks(self):
        """68 points a frame."""
        stand_in.gpu()
        stand_in.cached("s3fd-619a316812.pth", "2DFAN4-cd938726ad.zip")

        def write(file):
            angle = np.linspace(0, 2 * np.pi, 68) + file.stat().st_size % 7 / 50
            np.savetxt(file.with_suffix(".lms"), 256 + 90 * np.stack([np.cos(angle), np.sin(angle)], 1), "%f")
        each(self.pictures(), write, "landmarks")

    def parsing(self):
        """A colour a part."""
        stand_in.gpu()
        stand_in.need("data_util/face_parsing/79999_iter.pth")
        colours = picture(3, (255, 0, 0))
        for done, file in enumerate(self.pictures(), 1):
            if done == 30:
                stand_in.halfway("parsing")
            (self.folder / "parsing" / f"{file.stem}.png").write_bytes(colours)
            if done % 100 == 0:
                print("processed parsing", done, flush=True)

    def tracking(self):
        """By a program of its own, whose end is not looked at."""
        os.system("python data_util/face_tracking/face_tracker.py "
                  f"--idname={self.name} --img_h=512 --img_w=512 --frame_num={len(self.pictures())}")

    def background(self):
        """What is never covered."""
        stand_in.need(*(self.folder / "parsing" / f"{file.stem}.png" for file in self.pictures()))
        (self.folder / "bc.jpg").write_bytes(b"")
        stand_in.halfway("background")
        (self.folder / "bc.jpg").write_bytes((self.folder / "ori_imgs" / "0.jpg").read_bytes())

    def layers(self):
        """Head, torso with alpha, and both before the background."""
        stand_in.need(self.folder / "bc.jpg")
        torso = picture(4, (90, 90, 90, 255))
        heads = self.folder / "head_imgs"
        each(self.pictures(), lambda file: (heads / file.name).write_bytes(file.read_bytes()), "heads")

        def write(file):
            (self.folder / "gt_imgs" / file.name).write_bytes(file.read_bytes())
            (self.folder / "torso_imgs" / f"{file.stem}.png").write_bytes(torso)
        each(self.pictures(), write, "layers")

    def poses(self):
        """Of ten frames in eleven for training, the rest for looking."""
        track = pickle.loads((self.folder / "track_params.pt").read_bytes())
        stand_in.need(*(self.folder / "ori_imgs" / f"{index}.lms" for index in range(len(track["euler"]))))
        split = len(track["euler"]) * 10 // 11
        pose = np.eye(4)
        for name, first, last in (("train", 0, split), ("val", split, len(track["euler"]))):
            rows = []
            for index in range(first, last):
                pose[:3, 3] = track["trans"][index]
                rows.append({"img_id": index, "aud_id": index, "transform_matrix": pose.tolist(),
                             "face_rect": [180, 180, 150, 150]})
            (self.folder / f"transforms_{name}.json").write_text(json.dumps(
                {"focal_len": float(track["focal"][0]), "cx": 256.0, "cy": 256.0, "frames": rows}))
            stand_in.halfway("poses")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--video_id", type=str, default="May")
    parser.add_argument("--task", type=int, default=-1)
    opt = parser.parse_args()
    getattr(Video(opt.video_id), NAMES[opt.task])()
