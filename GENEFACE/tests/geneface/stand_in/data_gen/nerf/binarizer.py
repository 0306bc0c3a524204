"""Puts all that was measured into one file: a sample a frame."""

import json
from pathlib import Path

import numpy as np
from utils import stand_in
from utils.commons.hparams import hparams, set_hparams


def samples(folder, split, coefficients):
    """The samples of a split."""
    rows = json.loads((folder / f"transforms_{split}.json").read_text())["frames"]
    for row in stand_in.bar(rows, desc=f"Binarizing {split} set"):
        index = row["img_id"]
        points = np.resize(coefficients[index, :64], (68, 3)).astype(np.float32)
        yield {"idx": index, "c2w": np.array(row["transform_matrix"]), "face_rect": np.array(row["face_rect"]),
               "ori_img_fname": str(folder / "ori_imgs" / f"{index}.jpg"),
               "gt_img_fname": str(folder / "gt_imgs" / f"{index}.jpg"),
               "torso_img_fname": str(folder / "torso_imgs" / f"{index}.png"), "idexp_lm3d": points,
               "idexp_lm3d_normalized": points, "idexp_lm3d_normalized_win": points[None]}


if __name__ == "__main__":
    set_hparams()
    stand_in.gpu()
    stand_in.need("deep_3drecon/BFM/BFM_model_front.mat")
    source = Path("data/processed/videos") / hparams["video_id"]
    stand_in.need(source / "bc.jpg", source / "aud_deepspeech.npy", source / "aud_esperanto.npy")
    found = np.load(source / "vid_coeff.npy", allow_pickle=True).item()["coeff"]
    sound = np.load(source / "aud_mel_f0.npy", allow_pickle=True).item()
    result = {"hubert": np.load(source / "aud_hubert.npy"), **sound, "H": 512, "W": 512, "focal": 1200.0, "cx": 256.0,
              "cy": 256.0, "bg_img": np.zeros((512, 512, 3), np.uint8),
              "idexp_lm3d_mean": np.zeros((1, 68, 3), np.float32), "idexp_lm3d_std": np.ones((1, 68, 3), np.float32),
              "train_samples": list(samples(source, "train", found)),
              "val_samples": list(samples(source, "val", found))}
    target = Path("data/binary/videos") / hparams["video_id"] / "trainval_dataset.npy"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(b"half")
    stand_in.halfway("dataset")
    np.save(target, result, allow_pickle=True)
