"""What GPUs there are, and who gets which: also when many processes ask at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from visage.config import Settings
from visage.containers import nvidia
from visage.containers.nvidia import Gpu
from visage.jobs.job import Lane, State
from visage.jobs.placing import place
from visage.jobs.slots import slots
from visage.jobs.store import JobStore
from visage.storage.database import open_database, upgrade
from visage.storage.paths import Paths

ROOT = Path(__file__).resolve().parents[2]
GB = 1 << 30
TWO = (Gpu(0, "A", 24 * GB, 3 * GB), Gpu(1, "B", 24 * GB, 20 * GB))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    paths = Paths(tmp_path).create()
    engine = open_database(paths.database)
    upgrade(engine)
    yield JobStore(engine, paths)
    engine.dispose()


def wait(store: JobStore, device: str = "auto") -> str:
    return store.create("train", device, Lane.GPU, {"device": device}).id


def give(store: JobStore, job_id: str, cards: Sequence[Gpu] = TWO, each: int = 1) -> int | None:
    return place(store.engine, store.get(job_id), cards, each)


def test_device_nodes_tell_of_gpus_without_a_driver_library(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia10", "nvidia2", "nvidiactl", "nvidia-uvm", "nvidia-caps"):
        (tmp_path / name).touch()
    assert [gpu.name for gpu in nvidia.nodes(tmp_path)] == ["GPU0", "GPU2", "GPU10"]
    assert nvidia.nodes(tmp_path)[0].memory_free is None


def test_the_driver_library_tells_of_models_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is NVIDIA's own; its library needs a driver, so that here its answers are given."""
    import pynvml

    def memory(handle: int) -> SimpleNamespace:
        if handle == 1:
            raise pynvml.NVMLError_NotSupported
        return SimpleNamespace(total=80 * GB, free=70 * GB)

    answers = {"nvmlInit": lambda: None, "nvmlShutdown": lambda: None, "nvmlDeviceGetCount": lambda: 2,
               "nvmlDeviceGetHandleByIndex": lambda index: index, "nvmlDeviceGetMemoryInfo": memory,
               "nvmlDeviceGetName": lambda handle: [b"NVIDIA H100", "NVIDIA GB10"][handle]}
    for name, answer in answers.items():
        monkeypatch.setattr(pynvml, name, answer)
    assert nvidia.asked() == (Gpu(0, "NVIDIA H100", 80 * GB, 70 * GB), Gpu(1, "NVIDIA GB10"))


def test_a_machine_without_driver_or_package_has_what_its_nodes_show(monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia._seen.cache_clear()
    if not Path("/proc/driver/nvidia/version").exists():
        assert nvidia.asked() == ()
        assert nvidia.gpus() == nvidia.nodes(Path("/dev"))
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert nvidia.asked() == ()


def test_a_promise_counts_as_so_many_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia, "gpus", lambda: TWO)
    told = [nvidia.offered(Settings(home=tmp_path, gpu_slots=count)) for count in (0, 1, 3)]
    assert told == [TWO, TWO[:1], (*TWO, Gpu(2))]
    assert slots(Settings(home=tmp_path, gpu_slots=3, jobs_per_gpu=2), Lane.GPU) == 6


def test_auto_is_the_gpu_with_the_most_free_memory(store: JobStore) -> None:
    first, second, third = (wait(store) for _ in range(3))
    assert (give(store, first), give(store, second), give(store, third)) == (1, 0, None)
    assert store.claim(first) and not store.claim(third)
    assert store.get(first).gpu == 1 and store.get(first).state is State.RUNNING
    store.succeed(first, {})
    assert give(store, third) == 1 and store.get(first).gpu == 1, "what it had is still told"


def test_the_older_job_is_never_overtaken_at_its_own_gpu(store: JobStore) -> None:
    busy, old, young, other = wait(store, "GPU0"), wait(store, "GPU0"), wait(store), wait(store, "GPU1")
    assert give(store, other) is None, "the older auto would take it"
    assert give(store, busy) == 0 and give(store, old) is None
    assert give(store, young) == 1 and give(store, other) is None
    store.cancelled(busy)
    assert give(store, other) is None and give(store, old) == 0
    assert [store.get(job).position for job in (old, other)] == [0, 1]


def test_several_jobs_a_gpu_when_told_so(store: JobStore) -> None:
    assert [give(store, wait(store, "GPU0"), each=2) for _ in range(3)] == [0, 0, None]
    assert [give(store, wait(store), (Gpu(0), Gpu(1)), each=2) for _ in range(3)] == [1, 1, None]


def test_a_lost_job_keeps_its_gpu_and_one_put_back_does_not(store: JobStore) -> None:
    job_id, other = wait(store), wait(store)
    give(store, job_id, TWO[:1])
    store.claim(job_id)
    assert store.lose(job_id, "killed").gpu == 0 and give(store, other, TWO[:1]) is None
    assert store.claim(job_id) and store.requeue(job_id, "stopped")
    assert store.get(job_id).gpu is None and give(store, job_id, TWO[:1]) == 0


def test_many_processes_never_share_a_gpu(store: JobStore, tmp_path: Path) -> None:
    ids = [wait(store, device) for _ in range(6) for device in ("auto", "GPU0", "GPU3")]
    code = ("import sys\n"
            "from visage.containers.nvidia import Gpu\n"
            "from visage.jobs.placing import place\n"
            "from visage.jobs.store import JobStore\n"
            "from visage.storage.database import open_database\n"
            "from visage.storage.paths import Paths\n"
            "paths = Paths(__import__('pathlib').Path(sys.argv[1]))\n"
            "store = JobStore(open_database(paths.database), paths)\n"
            "for _ in range(6):\n"
            "    for job_id in sys.argv[2:]:\n"
            "        place(store.engine, store.get(job_id), [Gpu(n) for n in range(4)], 2)\n"
            "store.engine.dispose()\n")
    children = [subprocess.Popen([sys.executable, "-W", "error", "-c", code, str(tmp_path), *ids], cwd=ROOT)
                for _ in range(4)]
    assert [child.wait(timeout=120) for child in children] == [0] * 4
    given = [store.get(job_id).gpu for job_id in ids]
    assert {gpu: given.count(gpu) for gpu in range(4)} == {0: 2, 1: 2, 2: 2, 3: 2}
