#!/usr/bin/env python3
"""Looks at a training video before any hour of GPU is spent on it, and finds the square to cut out of it.

Every frame, at 25 a second, must show one whole face that is large enough and moves, with sound besides.  Writes what
it found as JSON; refuses (exit 4) with the frames and the reason.  Python 3.8; numpy, mediapipe's solutions and ffmpeg.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

FPS = 25
LOOK = 640
"""Side in pixels of the square that each frame is fitted into for looking at it."""
BLACK = 12.0
STILL = 0.15
STILL_S = 3.0
SILENCE_DBFS = -55.0
FACE_PX = 64
"""Smallest height of a face in the video itself, in pixels, brow to chin."""
SECOND_SHARE = 0.3
SECOND_FRAMES = 0.01
SIDE_OF_FACE = 2.6
RESERVE_BYTES = 1 << 30


class Unfit(Exception):
    """The video cannot be used: code, message, hint and what fills them."""

    def __init__(self, code, message, hint, **params):
        super().__init__(message)
        self.told = {"code": "geneface." + code, "message": message.format(**params), "hint": hint, "params": params}


def ranges(numbers, limit=6):
    """Frame numbers as words: ``"10-14 (0:00.4), 90 (0:03.6)"``."""
    groups = []
    for number in sorted(numbers):
        if groups and number <= groups[-1][1] + 2:
            groups[-1][1] = number
        else:
            groups.append([number, number])
    words = []
    for first, last in groups[:limit]:
        at = f"({first // FPS // 60}:{first / FPS % 60:04.1f})"
        words.append(f"{first} {at}" if first == last else f"{first}-{last} {at}")
    return ", ".join(words) + (f" and {len(groups) - limit} more places" if len(groups) > limit else "")


def probe(video):
    """Longer side in pixels, length in seconds (0: unknown) and whether there is sound, as ffmpeg says."""
    said = subprocess.run(["ffmpeg", "-hide_banner", "-nostdin", "-i", video], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False).stdout.decode("utf-8", "replace")
    picture = re.search(r"Stream #.*Video:.*?\b(\d{2,5})x(\d{2,5})\b", said)
    if not picture:
        last = (said.strip().splitlines() or ["ffmpeg said nothing"])[-1]
        raise Unfit("video_unreadable", "The file is no video that can be read: {reason}",
                    "Convert it to MP4 (H.264) and send it again.", reason=last[:200])
    length = re.search(r"Duration: (\d+):(\d+):([\d.]+)", said)
    hours, minutes, rest = (float(part) for part in length.groups()) if length else (0.0, 0.0, 0.0)
    seconds = 3600 * hours + 60 * minutes + rest
    return max(int(side) for side in picture.groups()), seconds, re.search(r"Stream #.*Audio:", said) is not None


def frames(video):
    """The frames, 25 a second, upright, each fitted into LOOK by LOOK with black bars: uint8 RGB."""
    fit = (f"scale=iw*sar:ih,setsar=1,fps={FPS},scale={LOOK}:{LOOK}:force_original_aspect_ratio=decrease,"
           f"pad={LOOK}:{LOOK}:(ow-iw)/2:(oh-ih)/2")
    argv = ["ffmpeg", "-v", "error", "-nostdin", "-i", video, "-an", "-vf", fit, "-f", "rawvideo", "-pix_fmt", "rgb24",
            "-"]
    size = LOOK * LOOK * 3
    with tempfile.TemporaryFile() as complaints, subprocess.Popen(argv, stdout=subprocess.PIPE,
                                                                  stderr=complaints) as process:
        while True:
            block = process.stdout.read(size)
            if len(block) < size:
                break
            yield np.frombuffer(block, np.uint8).reshape(LOOK, LOOK, 3)


def loudness(video):
    """Level of the first sound track in dB below full scale."""
    argv = ["ffmpeg", "-v", "error", "-nostdin", "-i", video, "-map", "0:a:0", "-ac", "1", "-ar", "16000",
            "-f", "s16le", "-"]
    heard = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    sound = np.frombuffer(heard, "<i2").astype(np.float32) / 32768
    return -120.0 if not len(sound) else float(20 * np.log10(np.sqrt(np.mean(sound ** 2)) + 1e-6))


class Watcher:
    """What was seen in the frames so far."""

    def __init__(self, finders):
        self._finders = finders
        self._last = None
        self.count = 0
        self.boxes = {}
        self.scores = {}
        self.missing, self.several, self.black, self.still = [], [], [], []

    def see(self, frame):
        """Look at the next frame."""
        small = frame[::8, ::8].astype(np.float32)
        if small.mean() < BLACK:
            self.black.append(self.count)
        elif self._last is not None and np.abs(small - self._last).mean() < STILL:
            self.still.append(self.count)
        self._last = small
        faces = self._faces(frame)
        if not faces:
            self.missing.append(self.count)
        else:
            self.scores[self.count], self.boxes[self.count] = faces[0]
            areas = [box[2] * box[3] for score, box in faces if score >= 0.7]
            if len(areas) > 1 and areas[1] > SECOND_SHARE * areas[0]:
                self.several.append(self.count)
        self.count += 1

    def _faces(self, frame):
        for finder in self._finders:
            found = finder.process(frame).detections or []
            faces = [(face.score[0], box(face)) for face in found]
            if faces:
                return sorted(faces, key=lambda face: -face[1][2] * face[1][3])
        return []


def box(face):
    """Left, top, width and height in pixels of LOOK."""
    place = face.location_data.relative_bounding_box
    return place.xmin * LOOK, place.ymin * LOOK, place.width * LOOK, place.height * LOOK


def finders():
    """Face finders, the one for the usual distance first; the others are asked where it sees nothing."""
    os.environ.setdefault("GLOG_minloglevel", "3")
    from mediapipe import solutions
    make = solutions.face_detection.FaceDetection
    ways = ((1, 0.5), (0, 0.5), (1, 0.2))
    return [make(model_selection=model, min_detection_confidence=least) for model, least in ways]


def longest_run(numbers):
    """The longest run of consecutive numbers."""
    best, run = [], []
    for number in numbers:
        run = [*run, number] if run and number == run[-1] + 1 else [number]
        best = max(best, run, key=len)
    return best


def memory():
    """Bytes that may be used here: what the machine has free, or less where the container is limited."""
    free = int(re.search(r"MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text()).group(1)) * 1024
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        limit = Path(name)
        if limit.exists() and limit.read_text().strip().isdigit():
            free = min(free, int(limit.read_text()))
    return free


def judge(seen, options):
    """Raise the first reason why the video cannot be used."""
    seconds = seen.count / FPS
    if seconds < options.min_seconds:
        raise Unfit("video_short", "The video lasts {seconds} s; at least {least} s are needed.",
                    "Three to five minutes of one person talking are best.", seconds=round(seconds, 1),
                    least=options.min_seconds)
    if seconds > options.max_seconds:
        raise Unfit("video_long", "The video lasts {seconds} s; at most {most} s can be learned.",
                    "Cut it: ffmpeg -i in.mp4 -t 300 -c copy out.mp4", seconds=round(seconds), most=options.max_seconds)
    if seen.black:
        raise Unfit("video_black", "{count} frames are black: {frames}.", "Cut that part out and send the rest.",
                    count=len(seen.black), frames=ranges(seen.black))
    if seen.missing:
        raise Unfit("video_no_face", "{count} frames show no face: {frames}.",
                    "Every frame must show the face. Cut those parts out and send the rest.",
                    count=len(seen.missing), frames=ranges(seen.missing))
    if len(seen.several) > SECOND_FRAMES * seen.count:
        raise Unfit("video_faces", "{count} frames show more than one face: {frames}.",
                    "Only the person to learn may be seen. Cut the picture or the parts.", count=len(seen.several),
                    frames=ranges(seen.several))
    still = longest_run(seen.still)
    if len(still) >= STILL_S * FPS:
        raise Unfit("video_frozen", "The picture stands still for {seconds} s: frames {frames}.",
                    "Cut that part out, or send a recording of the camera.", seconds=round(len(still) / FPS, 1),
                    frames=ranges(still))
    need = seen.count * 512 * 512 * 3 + RESERVE_BYTES
    if need > memory():
        raise Unfit("memory", "{frames} frames need {need} MB of memory; {free} MB are there.",
                    "Send a shorter video, or give the container more memory.", frames=seen.count, need=need >> 20,
                    free=memory() >> 20)


def wanted(seen, scale):
    """Middle of the face and side of the square around it, in pixels of LOOK; raises where the face is too small."""
    boxes = np.array(list(seen.boxes.values()))
    left, top, width, height = boxes.T
    face = float(np.median(height))
    if face * scale < FACE_PX:
        raise Unfit("video_small_face", "The face is {pixels} pixels high; at least {least} are needed.",
                    "Record closer to the camera, or in a higher resolution.", pixels=round(face * scale),
                    least=FACE_PX)
    return *(float(np.median(part)) for part in (left + width / 2, top + height / 2)), face * SIDE_OF_FACE


def crop(seen, picture, scale):
    """Left, top and side of the square to cut out of the picture [left, top, width, height], in pixels of LOOK.

    Raises where the head does not stay in it.
    """
    centre_x, centre_y, side = wanted(seen, scale)
    most = min(picture[2], picture[3])
    side = most if side > 0.8 * most else side
    x = min(max(centre_x - side / 2, picture[0]), picture[0] + picture[2] - side)
    y = min(max(centre_y - 0.46 * side, picture[1]), picture[1] + picture[3] - side)
    outside = [number for number, (left, top, width, height) in seen.boxes.items()
               if not (x <= left + 0.1 * width and left + 0.9 * width <= x + side
                       and y <= top + 0.1 * height and top + 0.9 * height <= y + side)]
    if outside:
        raise Unfit("video_moves", "The head leaves the picture in {count} frames: {frames}.",
                    "The camera and the seat must not move. Cut those parts out and send the rest.", count=len(outside),
                    frames=ranges(outside))
    return x, y, side


def picture_within(video):
    """Left, top, width and height, in pixels of LOOK, of the picture between the black bars."""
    fit = f"scale=iw*sar:ih,scale={LOOK}:{LOOK}:force_original_aspect_ratio=decrease"
    said = subprocess.run(["ffmpeg", "-hide_banner", "-nostdin", "-i", video, "-an", "-vf", fit, "-frames:v", "1", "-f",
                           "null", "-"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout.decode()
    width, height = (int(side) for side in re.findall(r"Video: wrapped_avframe.*?\b(\d+)x(\d+)", said)[-1])
    return (LOOK - width) // 2, (LOOK - height) // 2, width, height


def look(options):
    """All facts about the video; raises `Unfit`."""
    longer, seconds, sound = probe(options.video)
    if not sound or loudness(options.video) < SILENCE_DBFS:
        raise Unfit("video_silent", "The video has no sound." if not sound else "The sound of the video is silence.",
                    "Send a recording with the person's voice.")
    seen = Watcher(finders())
    expected = max(1, int(seconds * FPS))
    for frame in frames(options.video):
        seen.see(frame)
        if seen.count % FPS == 0:
            print(f"\r{min(seen.count, expected)}/{expected} [", file=sys.stderr, flush=True)
    judge(seen, options)
    picture = picture_within(options.video)
    x, y, side = crop(seen, picture, longer / LOOK)
    return {"frames": seen.count, "seconds": seen.count / FPS, "portrait": max(seen.scores, key=seen.scores.get),
            "filter": cut(x, y, side, picture)}


def cut(x, y, side, picture):
    """The ffmpeg filter that cuts the square out of the upright video and brings it to 512 pixels."""
    left, top, width, height = picture
    size = f"min(iw\\,min(ih\\,trunc(iw*{side / width:.6f}/2)*2))"
    return (f"scale=iw*sar:ih,setsar=1,crop=w={size}:h={size}:x=iw*{(x - left) / width:.6f}:"
            f"y=ih*{(y - top) / height:.6f},fps={FPS},scale=512:512:flags=lanczos")


def main():
    """Look, write, or refuse."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--min_seconds", type=float, required=True)
    parser.add_argument("--max_seconds", type=float, required=True)
    options = parser.parse_args()
    try:
        facts = look(options)
    except Unfit as refusal:
        print(json.dumps({"error": refusal.told}, ensure_ascii=False), flush=True)
        return 4
    part = Path(options.out + ".part")
    part.write_text(json.dumps(facts), encoding="utf-8")
    part.replace(options.out)
    print(f"{facts['frames']} frames, all with a face; {facts['filter']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
