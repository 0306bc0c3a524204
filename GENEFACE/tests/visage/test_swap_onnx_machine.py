"""Who computes, in how many threads, and what is given up when memory runs out."""

from __future__ import annotations

import logging
import shutil
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.visage import swap_networks as nets
from tests.visage.swap_kit import FakeRuntime
from visage.config import Settings
from visage.errors import InvalidRequest, NotInstalled, OutOfMemory
from visage.swap.contract import Look
from visage.swap.faults import fault_of
from visage.swap.onnx import OnnxSwapper, providers
from visage.swap.onnx.kit import Kit
from visage.swap.onnx.ladder import RUNGS, Ladder, Rung
from visage.swap.onnx.providers import CPU, CUDA, Wish, get_execution_providers
from visage.swap.onnx.room import MIB, Reading, machine, rung_for
from visage.swap.onnx.sessions import Session

DLL = "libonnxruntime_providers_cuda.so: failed: {}: cannot open shared object file: No such file or directory"


# ---- providers ------------------------------------------------------------------------------------------------------

def test_cuda_comes_first_with_its_options_and_the_cpu_last(caplog: pytest.LogCaptureFixture) -> None:
    runtime = FakeRuntime()
    with caplog.at_level(logging.INFO, "visage.swap.onnx.providers"):
        chosen = get_execution_providers(Wish(), runtime)
    assert chosen == [(CUDA, {"device_id": 0, "arena_extend_strategy": "kNextPowerOfTwo",
                              "gpu_mem_limit": 2 * 1024**3, "cudnn_conv_algo_search": "EXHAUSTIVE",
                              "do_copy_in_default_stream": True}), (CPU, {})]
    assert caplog.messages == ["✅ CUDA provider configured with options"]
    assert runtime.preloaded == 1


def test_the_memory_cap_and_the_search_can_be_chosen() -> None:
    wish = Wish("cuda", memory_mb=512, search="DEFAULT", options={"use_tf32": 0})
    options = get_execution_providers(wish, FakeRuntime())[0][1]
    assert options["gpu_mem_limit"] == 512 << 20
    assert (options["cudnn_conv_algo_search"], options["use_tf32"]) == ("DEFAULT", 0)


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_without_cuda_the_cpu_computes_and_it_is_said(device: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "visage.swap.onnx.providers"):
        assert get_execution_providers(Wish(device), FakeRuntime((CPU,))) == [(CPU, {})]
    assert caplog.messages == ["⚠️  CUDA provider not available, using CPU"]


def test_a_set_up_that_fails_leaves_the_cpu(caplog: pytest.LogCaptureFixture) -> None:
    runtime = FakeRuntime()
    runtime.preload_dlls = lambda: 1 / 0  # type: ignore[assignment,return-value]
    assert get_execution_providers(Wish(), runtime) == [(CPU, {})]
    assert caplog.messages == ["⚠️  CUDA provider setup failed: division by zero, falling back to CPU"]


@pytest.mark.parametrize(("options", "hint"), [({"fp16_enable": True}, "float16 model file"),
                                               ({"gpu_mem_limi": 1}, "Did you mean gpu_mem_limit?")])
def test_options_that_a_provider_does_not_have_are_refused(options: dict, hint: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        get_execution_providers(Wish("cuda", options=options), FakeRuntime())
    assert hint in caught.value.hint


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no provider 'gpu'"):
        get_execution_providers(Wish("gpu"), FakeRuntime())


def test_only_the_session_tells_who_computes(face_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime still lists CUDA when its libraries do not load: the session is asked instead."""
    monkeypatch.setattr(providers, "diagnose", lambda _: ("libcublasLt.so.12 is missing", "pip install it"))
    runtime = FakeRuntime(got=(CPU,))
    session = Session(face_models / "GFPGANv1.4.onnx", Wish("cuda"), runtime=runtime)
    assert runtime.opened == [("GFPGANv1.4.onnx", [CUDA, CPU])]
    assert session.provider == CPU and session.outcome.fell_back
    assert session.outcome.reason == "libcublasLt.so.12 is missing"
    with pytest.raises(NotInstalled, match="CUDAExecutionProvider was asked for") as caught:
        Session(face_models / "GFPGANv1.4.onnx", Wish("cuda", strict=True), runtime=runtime)
    fault = fault_of(caught.value)
    assert fault is not None and fault.number == "E03" and caught.value.hint == "pip install it"


def test_a_fallback_is_told_to_the_user(face_settings: Settings) -> None:
    with Kit(face_settings, {"restore": ""}, wish=Wish("cuda"), runtime=FakeRuntime((CPU,))) as kit:
        assert kit.provider == CPU
        assert kit.notes == ("CUDAExecutionProvider was asked for, CPUExecutionProvider computes: this onnxruntime was "
                             "built without CUDAExecutionProvider; pip uninstall onnxruntime, then pip install "
                             "onnxruntime-gpu.",)


def test_every_model_that_is_there_is_logged(face_settings: Settings, face_models: Path,
                                             caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "visage.swap.onnx.kit"), Kit(face_settings, {"swap": "", "restore": ""}):
        pass
    assert caplog.messages == [f"模型存在: face_swap at {face_models / 'inswapper_128.onnx'}",
                               f"模型存在: face_enhance at {face_models / 'GFPGANv1.4.onnx'}"]


@pytest.mark.parametrize(("library", "remedy"), [
    ("libcublasLt.so.12", "wants CUDA 12: pip install nvidia-cublas-cu12"),
    ("libcublas.so.11", "wants CUDA 11: pip install nvidia-cublas-cu11"),
    ("libcudnn.so.9", "wants cuDNN 9: pip install 'nvidia-cudnn-cu12==9.*'"),
    ("libcudnn_adv.so.9", "wants cuDNN 9"),
    ("libcufft.so.11", "wants CUDA 12: pip install nvidia-cufft-cu12"),
    ("libcudart.so.12", "nvidia-cuda-runtime-cu12"),
    ("libcuda.so.1", "NVIDIA driver"),
    ("libodd.so.3", "the package that holds libodd.so.3")])
def test_each_missing_library_has_a_remedy(library: str, remedy: str) -> None:
    assert remedy in providers.remedy_for(DLL.format(library))


@pytest.mark.skipif(not shutil.which("gcc"), reason="there is no C compiler to build a broken library with")
def test_the_missing_library_is_found_by_loading(tmp_path: Path) -> None:
    """A real shared object that needs a real one which is then taken away."""
    capi = tmp_path / "capi"
    capi.mkdir()
    (tmp_path / "a.c").write_text("int a(void) { return 1; }")
    lost = capi / "libcublasLt.so.12"
    made = capi / "libonnxruntime_providers_cuda.so"
    build = ["gcc", "-shared", "-fPIC", tmp_path / "a.c", "-Wl,--no-as-needed", "-o"]
    subprocess.run([*build, lost, "-Wl,-soname,libcublasLt.so.12"], check=True)
    subprocess.run([*build, made, lost], check=True)
    lost.unlink()
    reason, remedy = providers.diagnose(SimpleNamespace(__file__=str(tmp_path / "__init__.py")))
    assert "libcublasLt.so.12" in reason
    assert "nvidia-cublas-cu12" in remedy


# ---- threads --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("way", ["shared", "per-thread", "locked"])
def test_eight_threads_get_their_own_answers(way: str, face_models: Path) -> None:
    session = Session(face_models / "buffalo_l" / "w600k_r50.onnx", Wish("cpu"), way=way, threads=1)
    rng = np.random.default_rng(0)
    given = [rng.normal(size=(1, 3, 112, 112)).astype(np.float32) for _ in range(8)]
    expected = [session.run({"input.1": one})[0] for one in given]
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(25):
            if not np.array_equal(session.run({"input.1": given[number]})[0], expected[number]):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and session.runs == 8 + 200


def test_a_session_is_opened_once_however_often_it_runs(face_settings: Settings) -> None:
    runtime = FakeRuntime((CPU,))
    with OnnxSwapper(face_settings, runtime=runtime) as swapper:
        opened = len(runtime.opened)
        assert swapper.kit.meters[0] == opened == 4, "each network ran once while it was warmed up"
        for _ in range(3):
            swapper.find(nets.frame((160, 200, 80)), Look())
        assert len(runtime.opened) == opened


def test_providers_that_must_not_run_twice_at_once_are_locked(face_models: Path) -> None:
    name = "DmlExecutionProvider"
    session = Session(face_models / "GFPGANv1.4.onnx", Wish("directml"), runtime=FakeRuntime((name, CPU)))
    assert (session.provider, session.way) == (name, "locked")
    assert Session(face_models / "GFPGANv1.4.onnx", Wish("cuda"), runtime=FakeRuntime()).way == "shared"


# ---- memory ---------------------------------------------------------------------------------------------------------

def test_the_ladder_goes_down_in_its_order_and_stays() -> None:
    applied: list[str] = []
    told: list[str] = []
    ladder = Ladder(lambda rung: applied.append(rung.name) or rung.name != RUNGS[2].name, told.append)
    tries: list[str] = []

    def work(rung: Rung) -> str:
        tries.append(rung.name)
        if not rung.cpu:
            raise OutOfMemory("no room")
        return "done"

    assert ladder.run(work) == "done"
    assert applied == [rung.name for rung in RUNGS[1:]]
    assert tries == ["all at once", "float16 models", "faces one by one", "pictures of 640 pixels", "the CPU"]
    assert told == tries[1:], "a rung that changes nothing is passed over"
    assert ladder.run(lambda rung: rung.name) == "the CPU"
    with pytest.raises(OutOfMemory, match="even after: float16 models, faces one by one") as caught:
        ladder.run(lambda _: (_ for _ in ()).throw(OutOfMemory("no room")))
    assert caught.value.code == "swap.memory_exhausted"


def test_threads_that_fail_together_go_down_one_rung() -> None:
    ladder = Ladder(lambda _: True)
    together = threading.Barrier(4, timeout=60)

    def work(rung: Rung) -> str:
        if rung is RUNGS[0]:
            together.wait()
            raise OutOfMemory("no room")
        return rung.name

    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(ladder.run(work))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["float16 models"] * 4


def test_sessions_are_rebuilt_smaller_when_memory_runs_out(face_models: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(face_models, models)
    nets.inswapper(models / "inswapper_128_fp16.onnx", half=True)
    settings = Settings(home=tmp_path, face_models=models)
    # the float32 network fails while it is warmed up, the float16 one at its first picture
    runtime = FakeRuntime(fails={"inswapper_128.onnx": 1, "inswapper_128_fp16.onnx": 0})
    frame = nets.frame((160, 200, 80))
    with OnnxSwapper(settings, runtime=runtime, threads=1) as swapper:
        assert swapper.notes[0] == "Memory ran out; from then on: float16 models."
        assert runtime.opened[-1] == ("inswapper_128_fp16.onnx", [CUDA, CPU])
        identity = swapper.identify([frame])
        face = swapper.find(frame, Look())[0]
        small = swapper.swap(frame, face, identity)
        runtime.fails["inswapper_128_fp16.onnx"] = 1
        patch = swapper.swap(frame, face, identity)
        assert ("inswapper_128.onnx", [CPU]) in runtime.opened, "float32 on the processor"
        assert all(names == [CPU] for _, names in runtime.opened[-4:])
        assert swapper.notes[-1] == "Memory ran out; from then on: the CPU."
        assert swapper.provider == CPU
        assert np.abs(patch.pixels.astype(int) - small.pixels).max() <= 1


def test_a_network_that_cannot_even_be_opened_goes_to_the_processor(face_settings: Settings) -> None:
    runtime = FakeRuntime()
    runtime.closed = {"GFPGANv1.4.onnx"}
    with Kit(face_settings, {"restore": "", "recognise": ""}, wish=Wish("cuda"), runtime=runtime) as kit:
        assert kit.networks["restore"].provider == CPU and kit.networks["recognise"].provider == CUDA
        assert kit.provider == f"{CPU}, {CUDA}"
        assert kit.notes == ("There was no room to open GFPGANv1.4.onnx; GFPGANv1.4.onnx computes on "
                             "CPUExecutionProvider.",)


def test_a_gpu_that_the_build_does_not_know_is_told(face_models: Path, face_settings: Settings) -> None:
    runtime = FakeRuntime(fails={"GFPGANv1.4.onnx": 9},
                          error="no kernel image is available for execution on the device")
    with pytest.raises(NotInstalled, match="not one that onnxruntime was built for") as caught:
        Kit(face_settings, {"restore": ""}, wish=Wish("cuda"), runtime=runtime)
    fault = fault_of(caught.value)
    assert fault is not None and fault.number == "E08"


@pytest.mark.parametrize(("free", "gpu", "rung"), [
    (8000, True, "all at once"), (1200, True, "float16 models"), (700, True, "pictures of 1280 pixels"),
    (500, True, "faces one by one"), (300, True, "pictures of 640 pixels"), (100, True, "the CPU"),
    (1200, False, "all at once"), (700, False, "pictures of 1280 pixels"), (10, False, "pictures of 640 pixels")])
def test_little_memory_begins_further_down(free: int, gpu: bool, rung: str) -> None:
    reading = Reading("a card", free * MIB, 24_000 * MIB)
    assert RUNGS[rung_for(reading, on_gpu=gpu)].name == rung
    assert rung_for(None, on_gpu=gpu) == 0


def test_an_engine_begins_sparingly_and_says_so(face_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visage.swap.onnx.kit.read_room", lambda *_: Reading("a card", 300 * MIB, 8192 * MIB))
    with OnnxSwapper(face_settings, wish=Wish(device="cpu"), threads=1) as swapper:
        assert swapper.kit.rung.side == 640 and not swapper.kit.networks["swap"].model.half
        assert ("Only 0.3 of 8.0 GiB of memory are free on a card; from the start: pictures of 640 pixels."
                in swapper.notes)
        seen, scale = swapper.kit.seen(np.zeros((1280, 960, 3), np.uint8), swapper.kit.rung)
        assert (max(seen.shape), scale) == (640, 0.5)
    with OnnxSwapper(face_settings, wish=Wish("cuda"), runtime=FakeRuntime(), threads=1) as swapper:
        assert swapper.kit.rung.side == 640 and swapper.provider == CUDA


def test_a_container_knows_its_own_limit(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:       16000000 kB\nMemAvailable:    9000000 kB\nHugePages_Total: 0\n")
    assert machine(tmp_path / "meminfo", tmp_path) == Reading("this machine", 9_000_000 * 1024, 16_000_000 * 1024)
    for name, text in (("memory.max", "2000000000"), ("memory.current", "1900000000"),
                       ("memory.stat", "anon 5\ninactive_file 400000000\n")):
        (tmp_path / name).write_text(text)
    assert machine(tmp_path / "meminfo", tmp_path) == Reading("this machine", 500_000_000, 2_000_000_000)
    (tmp_path / "memory.max").write_text("max\n")
    assert machine(tmp_path / "meminfo", tmp_path).total == 16_000_000 * 1024
    assert machine(tmp_path / "absent", tmp_path) is None


def test_float16_is_taken_when_asked_for_and_its_absence_is_said(face_models: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(face_models, tmp_path / "faces")
    nets.inswapper(folder / "inswapper_128_fp16.onnx", half=True)
    settings = Settings(home=tmp_path, face_models=folder, face_fp16=True)
    with Kit(settings, {"swap": "", "restore": ""}, threads=1) as kit:
        assert kit.networks["swap"].model.half and not kit.networks["restore"].model.half
        assert any(note.startswith("float16 was asked for; there is no float16 file beside") for note in kit.notes)
