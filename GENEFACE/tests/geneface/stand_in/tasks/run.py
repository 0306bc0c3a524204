"""Trains what the configuration names: counts steps, saves at the multiples of an interval, goes on from the last."""

import json
import re
import traceback
from pathlib import Path

import numpy as np
from utils import stand_in
from utils.commons.hparams import hparams, set_hparams


class Trainer:
    """One training."""

    def __init__(self):
        self.folder = Path(hparams["work_dir"])
        self.name = self.folder.name
        self.last = max((int(re.findall(r"steps_(\d+)", file.name)[0]) for file in self.saved()), default=0)

    def saved(self):
        """The checkpoints, the oldest first."""
        return sorted(self.folder.glob("model_ckpt_steps_*.ckpt"),
                      key=lambda file: int(re.findall(r"steps_(\d+)", file.name)[0]))

    def look_at_inputs(self):
        """Fail where something is missing that upstream reads before its first step."""
        stand_in.gpu()
        data = Path(hparams.get("person_binary_data_dir") or hparams["binary_data_dir"]) / hparams["video_id"]
        found = np.load(data / "trainval_dataset.npy", allow_pickle=True).item()
        if hparams["task_cls"].startswith("tasks.postnet"):
            names = ("train.data", "val.data", "sizes_train.npy", "sizes_val.npy", "stats.npy")
            stand_in.need(*(Path(hparams["binary_data_dir"]) / name for name in names))
            for kind in ("audio2motion", "syncnet"):
                steps = hparams[kind + "_ckpt_steps"]
                stand_in.need(Path(hparams[kind + "_work_dir"]) / f"model_ckpt_steps_{steps}.ckpt")
            return
        stand_in.cached("alexnet-owt-7be5be79.pth")
        frames = len(found["train_samples"]) + len(found["val_samples"])
        if hparams["individual_embedding_num"] <= frames:
            raise IndexError("fewer codes than frames")
        if "torso" in hparams["task_cls"] and not list(Path(hparams["head_model_dir"]).glob("model_ckpt_steps_*.ckpt")):
            raise AssertionError(f"| ckpt not found in {hparams['head_model_dir']}.")

    def train(self):
        """All steps that are left, and one more, as upstream does."""
        first, every, most = self.last, hparams["val_check_interval"], hparams["max_updates"]
        for number in range(self.last, most + 1):
            if number % every == 0 and number != first:
                self.save(number)
            if number == most // 2:
                stand_in.halfway(self.name)
            stand_in.step(number)
        print("| Training end..", flush=True)

    def save(self, number):
        """A checkpoint, all or nothing; only the newest are kept."""
        file = self.folder / f"model_ckpt_steps_{number}.ckpt"
        part = file.with_name(file.name + ".part")
        settings = {key: str(value) for key, value in hparams.items()}
        part.write_text(json.dumps({"global_step": number, "hparams": settings}))
        part.replace(file)
        for old in self.saved()[:-hparams["num_ckpt_keep"]]:
            old.unlink()


if __name__ == "__main__":
    set_hparams()
    trainer = Trainer()
    trainer.look_at_inputs()
    try:
        trainer.train()
    except KeyboardInterrupt:
        traceback.print_exc()
        (trainer.folder / "interrupted").touch()
