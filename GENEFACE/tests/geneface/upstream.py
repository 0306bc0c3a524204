"""A stand-in for GeneFace's source tree: the same script paths, flags and file names, small real effects, no GPU.

The programs lie in ``stand_in/`` at upstream's own paths, written from facts about its behaviour; whoever needs one
more adds it there.  ``utils/stand_in.py`` is what they share: bars, faults on order, the GPU check.  Configurations
are generated here.  `tests/geneface/test_conformance.py` holds this tree to the same check as the real one.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

PROGRAMS = Path(__file__).with_name("stand_in")

CONFIGS = {
    "egs/egs_bases/radnerf/base.yaml": """\
raw_data_dir: data/raw/videos
processed_data_dir: data/processed/videos
binary_data_dir: data/binary/videos
video_id: ''
task_cls: ''
work_dir: ''
num_ckpt_keep: 1
val_check_interval: 2000
save_codes:
- tasks
max_updates: 25_0000
finetune_lips: true
finetune_lips_start_iter: 20_0000
individual_embedding_num: 13000
infer_cond_name: ''
infer_out_video_name: ''
infer_audio_source_name: ''
infer_c2w_name: ''
infer_scale_factor: 1.0
infer_lm3d_clamp_std: 2.5
infer_bg_img_fname: ''
infer_smooth_camera_path: true
infer_smooth_camera_path_kernel_size: 7
""",
    "egs/egs_bases/radnerf/lm3d_radnerf.yaml": """\
base_config:
  - ./base.yaml
task_cls: tasks.radnerfs.radnerf.RADNeRFTask
cond_type: idexp_lm3d_normalized
""",
    "egs/egs_bases/audio2motion/vae_sync.yaml": """\
binary_data_dir: data/binary/lrs3
work_dir: ''
num_ckpt_keep: 100
val_check_interval: 2000
max_updates: 4_0000
save_codes:
- tasks
task_cls: tasks.audio2motion.lm3d_vae_sync.VAESyncAudio2MotionTask
infer_audio_source_name: ''
infer_out_npy_name: ''
infer_ckpt_steps: 40000
""",
    "egs/egs_bases/postnet/base.yaml": """\
base_config:
  - egs/egs_bases/audio2motion/vae_sync.yaml
task_cls: tasks.postnet.lm3d_postnet_adv_sync.PostnetAdvSyncTask
person_binary_data_dir: data/binary/videos
num_ckpt_keep: 500
val_check_interval: 1000
max_updates: 20000
audio2motion_work_dir: checkpoints/lrs3/lm3d_vae_sync/
audio2motion_ckpt_steps: 40000
syncnet_work_dir: checkpoints/lrs3/syncnet
syncnet_ckpt_steps: 40000
infer_audio_source_name: data/raw/val_wavs/zozo.wav
infer_out_npy_name: infer_out/May/pred_lm3d/zozo.npy
infer_ckpt_steps: 6000
""",
    "egs/datasets/lrs3/lm3d_vae_sync.yaml": """\
base_config:
  - egs/egs_bases/audio2motion/vae_sync.yaml
syncnet_work_dir: checkpoints/lrs3/syncnet
""",
    "egs/datasets/videos/May/lm3d_radnerf.yaml": """\
base_config:
  - egs/egs_bases/radnerf/lm3d_radnerf.yaml
video_id: May
""",
    "egs/datasets/videos/May/lm3d_radnerf_torso.yaml": """\
base_config:
  - egs/egs_bases/radnerf/lm3d_radnerf.yaml
video_id: May
task_cls: tasks.radnerfs.radnerf_torso.RADNeRFTorsoTask
head_model_dir: checkpoints/May/lm3d_radnerf
""",
    "egs/datasets/videos/May/lm3d_postnet_sync.yaml": """\
base_config:
  - egs/egs_bases/postnet/base.yaml
video_id: May
""",
}

EXTENSIONS = {"encoders/freqencoder": "_freqencoder", "encoders/shencoder": "_shencoder",
              "encoders/gridencoder": "_gridencoder", "raymarching": "_raymarching_face"}
"""Folders of the CUDA extensions below modules/radnerfs and the modules they become; here without CUDA."""

TABLE = json.loads((Path(__file__).parents[2] / "GeneFace-main" / "scripts" / "weights.json").read_text())["weights"]


def weight_files(root: str) -> list[str]:
    """Paths of the files that no run goes without, below a root of the table of weights: workspace, cache or image."""
    return [file["path"] for weight in TABLE if weight["root"] == root and not weight["optional"]
            for file in weight["files"]]


def write_files(folder: Path, names: list[str]) -> None:
    """Write a line into each file: enough for the stand-in, which only looks whether its weights are there."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("stand-in\n")


def write_upstream(folder: Path) -> Path:
    """Write the stand-in tree into ``folder``, made when missing; returns it."""
    shutil.copytree(PROGRAMS, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in CONFIGS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    write_files(folder, weight_files("image"))
    for place, module in EXTENSIONS.items():
        part = folder / "modules" / "radnerfs" / place
        part.mkdir(parents=True, exist_ok=True)
        (part / f"{module}.py").write_text("")
        (part / "setup.py").write_text("from setuptools import setup\n"
                                       f"setup(name={module.lstrip('_')!r}, version='0', py_modules=[{module!r}])\n")
    return folder
