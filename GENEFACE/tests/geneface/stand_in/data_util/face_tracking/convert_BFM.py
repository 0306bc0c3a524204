"""Makes the tracker's face model of the licensed one; runs in its own folder."""

import time
from pathlib import Path

for name in ("../../deep_3drecon/BFM/01_MorphableModel.mat", "3DMM/topology_info.npy", "3DMM/exp_info.npy"):
    if not Path(name).stat().st_size:
        raise ValueError(name + " is empty")
fault = Path("../../data/processed/stand_in_fault")
with Path("3DMM/3DMM_info.npy").open("w") as model:
    model.write("half of the model")
    model.flush()
    if fault.exists() and fault.read_text().strip() == "convert:hang":
        print("stand-in: convert was told to hang", flush=True)
        time.sleep(3600)
    model.write(" and the other half\n")
