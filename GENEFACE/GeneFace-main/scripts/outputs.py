#!/usr/bin/env python3
"""What each stage of the training must have written: checks it, seals it, clears it.

    outputs.py whole STAGE ID      0 if the stage is sealed and its output still is what was sealed, or checks out anew;
                                   otherwise what an unfinished run left is removed, and the seals of all later stages
    outputs.py seal STAGE ID       check the output; 1 with the error line when it is not whole
    outputs.py adopt ID            seal all stages of a data set that was prepared elsewhere, where one lies whole
    outputs.py source ID FILE      0 if ID is being learned from this very file or from none yet; 1 otherwise
    outputs.py frames ID           print the number of frames
    outputs.py checkpoint ID EXPERIMENT     print the number of steps of its last checkpoint, 0 without one
    outputs.py forget ID           remove all that was made for ID, except the video itself
    outputs.py labels ID           write the two audio features that upstream loads but never uses here, as zeros

Runs in the workspace.  Python 3.8; numpy, which is imported where it is used: most calls do without.
"""

import hashlib
import json
import re
import shutil
import sys
from pathlib import Path

STAGES = ("inspect", "normalise", "audio", "frames", "landmarks", "parsing", "tracking", "background", "layers",
          "poses", "speech", "coefficients", "dataset")
OUTPUTS = {
    "inspect": ("inspection.json",), "normalise": ("normalised.mp4",), "audio": ("aud.wav",),
    "frames": ("ori_imgs/*.jpg",),
    "landmarks": ("ori_imgs/*.lms",), "parsing": ("parsing/*.png",), "tracking": ("track_params.pt",),
    "background": ("bc.jpg",), "layers": ("head_imgs/*.jpg", "torso_imgs/*.png", "gt_imgs/*.jpg"),
    "poses": ("transforms_train.json", "transforms_val.json"),
    "speech": ("aud_hubert.npy", "aud_mel_f0.npy", "aud_deepspeech.npy", "aud_esperanto.npy"),
    "coefficients": ("vid_coeff.npy",), "dataset": ("trainval_dataset.npy",),
}
NEEDED_BY_TRAINING = ("landmarks", "layers", "dataset")
"""Stages whose outputs are still read after the data set is made."""


class Person:
    """The folders of one id."""

    def __init__(self, name):
        self.processed = Path("data/processed/videos") / name
        self.binary = Path("data/binary/videos") / name
        self.checkpoints = Path("checkpoints") / name
        self.seals = self.processed / ".stages"

    def files(self, stage):
        """What a stage wrote, as far as it is there."""
        folder = self.binary if stage == "dataset" else self.processed
        return [file for pattern in OUTPUTS[stage] for file in folder.glob(pattern)]

    def frames(self):
        """How many frames there are: those that were taken, or before that those that were looked at."""
        for facts in (self.seals / "frames.json", self.processed / "inspection.json"):
            if facts.exists():
                return json.loads(facts.read_text(encoding="utf-8"))["frames"]
        return 0


def stamp(person, stage):
    """Names, sizes and times of a stage's files: the same as long as nobody touched them."""
    return sorted([file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in person.files(stage))


def fault(person, stage, count):
    """Why a stage's output is not whole, or an empty text."""
    for pattern in OUTPUTS[stage]:
        folder = person.binary if stage == "dataset" else person.processed
        found = list(folder.glob(pattern))
        if "*" in pattern:
            lacking = sorted(set(range(count)) - {int(file.stem) for file in found if file.stat().st_size})
            if lacking:
                return f"{len(lacking)} of {count} files {pattern} are missing, first of frame {lacking[0]}"
        elif not found or not found[0].stat().st_size:
            return f"{pattern} is missing or empty"
    try:
        return CHECKS[stage](person, count) if stage in CHECKS else ""
    except Exception as exc:  # a damaged file can raise anything while it is read
        return f"{OUTPUTS[stage][0]} cannot be read ({type(exc).__name__}: {exc})"


def check_poses(person, count):
    """Every frame has its pose."""
    found = sum(len(json.loads(file.read_text())["frames"]) for file in person.files("poses"))
    return "" if found == count else f"{found} poses for {count} frames"


def check_speech(person, count):
    """50 features a second of the right width."""
    import numpy as np
    hubert = np.load(person.processed / "aud_hubert.npy", mmap_mode="r")
    if hubert.ndim != 2 or hubert.shape[1] != 1024 or abs(len(hubert) - 2 * count) > 50 + count // 25:
        return f"aud_hubert.npy has the shape {hubert.shape} for {count} frames"
    mel = np.load(person.processed / "aud_mel_f0.npy", allow_pickle=True).item()
    return "" if mel["mel"].shape[1] == 80 and len(mel["f0"]) == len(mel["mel"]) else "aud_mel_f0.npy is incomplete"


def check_coefficients(person, count):
    """257 numbers a frame."""
    import numpy as np
    found = np.load(person.processed / "vid_coeff.npy", allow_pickle=True).item()["coeff"]
    return "" if found.shape[0] >= count and found.shape[1] == 257 and np.isfinite(found).all() else \
        f"vid_coeff.npy has the shape {found.shape} for {count} frames, or holds values that are no numbers"


def check_dataset(person, count):
    """Every frame is a sample."""
    import numpy as np
    found = load_dataset(person)
    samples = len(found["train_samples"]) + len(found["val_samples"])
    if count and samples != count:
        return f"the data set has {samples} samples for {count} frames"
    return "" if np.isfinite(found["idexp_lm3d_std"]).all() else "the data set holds values that are no numbers"


CHECKS = {"poses": check_poses, "speech": check_speech, "coefficients": check_coefficients, "dataset": check_dataset}


def load_dataset(person):
    """The whole data set; raises when it is torn."""
    import numpy as np
    return np.load(person.binary / "trainval_dataset.npy", allow_pickle=True).item()


def whole(person, stage):
    """Whether the stage need not run."""
    seal = person.seals / f"{stage}.json"
    if not seal.exists():
        return False
    told = json.loads(seal.read_text())
    if told["stamp"] == stamp(person, stage) and (told["stamp"] or told.get("adopted")):
        return True
    reason = fault(person, stage, told["frames"])
    if reason:
        print(f"{stage}: {reason}; it is made again")
    return not reason


def clear(person, stage):
    """Nothing of this stage is left, and no later stage counts as done."""
    for later in STAGES[STAGES.index(stage):]:
        if (person.seals / f"{later}.json").exists():
            (person.seals / f"{later}.json").unlink()
    for file in person.files(stage):
        file.unlink()


def seal(person, stage):
    """The error line, or an empty text when the stage is sealed."""
    count = person.frames()
    if stage == "frames":
        # ffmpeg may round the last one up or down
        taken = len(person.files(stage))
        count = taken if abs(taken - count) <= 1 else count
    reason = fault(person, stage, count)
    if not reason:
        write(person.seals / f"{stage}.json", {"frames": count, "stamp": stamp(person, stage)})
        return ""
    return json.dumps({"error": {
        "code": "geneface.output", "message": f"Stage {stage} ended without its whole output: {reason}.",
        "hint": "The log of the job has what it said. Start it again: it goes on with this stage.",
        "params": {"stage": stage, "reason": reason}}}, ensure_ascii=False)


def write(file, facts):
    """Write JSON, all or nothing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    part.write_text(json.dumps(facts), encoding="utf-8")
    part.replace(file)


def adopt(person):
    """Take over a data set from elsewhere; True if one was there, whole, with all that training still reads."""
    if person.seals.exists() or not (person.binary / "trainval_dataset.npy").exists():
        return False
    try:
        found = load_dataset(person)
        count = len(found["train_samples"]) + len(found["val_samples"])
    except Exception as exc:  # a damaged file can raise anything while it is read
        print(f"the data set is torn ({exc}); it is made again")
        return False
    for stage in NEEDED_BY_TRAINING:
        reason = fault(person, stage, count)
        if reason:
            print(f"the data set cannot be used as it is ({stage}: {reason}); it is made again")
            return False
    write(person.processed / "inspection.json", {"frames": count, "seconds": count / 25, "portrait": 0, "filter": ""})
    for stage in STAGES:
        write(person.seals / f"{stage}.json", {"frames": count, "stamp": stamp(person, stage), "adopted": True})
    print(f"the data set of {count} frames is already there; preprocessing is skipped")
    return True


def source(person, video):
    """Whether the id belongs to this video; it does from the first time on."""
    digest = hashlib.sha256()
    with Path(video).open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    record = person.processed / "source.json"
    if record.exists():
        return json.loads(record.read_text())["sha256"] == digest.hexdigest()
    write(record, {"sha256": digest.hexdigest()})
    return True


def checkpoint(person, experiment):
    """Steps of the last checkpoint of an experiment."""
    found = (re.fullmatch(r"model_ckpt_steps_(\d+)\.ckpt", file.name)
             for file in (person.checkpoints / experiment).glob("*.ckpt"))
    return max((int(match.group(1)) for match in found if match), default=0)


def labels(person):
    """Zeros for DeepSpeech's and wav2vec's letters: the heads trained here listen to landmarks alone."""
    import numpy as np
    count = person.frames()
    for name, width in (("deepspeech", 29), ("esperanto", 44)):
        np.save(person.processed / f"aud_{name}.npy", np.zeros((count, 16, width), np.float32))


def forget(person):
    """Remove all that was made for an id, except the video itself."""
    shutil.rmtree(person.binary, ignore_errors=True)
    shutil.rmtree(person.checkpoints, ignore_errors=True)
    for made in person.processed.iterdir():
        if made.is_dir():
            shutil.rmtree(made)
        elif made.name != ".lock":
            made.unlink()


def main(words):
    """Do what the first word says; the exit code is the answer."""
    verb = words.pop(0)
    if verb in ("whole", "seal"):
        stage, person = words[0], Person(words[1])
        if verb == "whole":
            found = whole(person, stage)
            if not found:
                clear(person, stage)
            return int(not found)
        told = seal(person, stage)
        if told:
            print(told)
        return int(bool(told))
    person = Person(words.pop(0))
    if verb in ("adopt", "source"):
        return int(not (adopt(person) if verb == "adopt" else source(person, words[0])))
    if verb in ("frames", "checkpoint"):
        print(person.frames() if verb == "frames" else checkpoint(person, words[0]))
    else:
        {"labels": labels, "forget": forget}[verb](person)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
