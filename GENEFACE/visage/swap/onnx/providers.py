"""Who computes: what is asked of onnxruntime, what a session really got, and how to mend the difference."""

from __future__ import annotations

import ctypes
import difflib
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from visage.errors import InvalidRequest

log = logging.getLogger(__name__)

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
NAMES = {"cpu": CPU, "cuda": CUDA, "tensorrt": "TensorrtExecutionProvider", "rocm": "ROCMExecutionProvider",
         "migraphx": "MIGraphXExecutionProvider", "directml": "DmlExecutionProvider",
         "coreml": "CoreMLExecutionProvider", "openvino": "OpenVINOExecutionProvider"}
"""Providers by the names that people use."""
ONE_AT_A_TIME = {"DmlExecutionProvider", "ROCMExecutionProvider", "MIGraphXExecutionProvider"}
"""Providers whose sessions must not run in two threads at once."""
OPTIONS: Mapping[str, frozenset[str]] = {
    CUDA: frozenset({
        "device_id", "gpu_mem_limit", "arena_extend_strategy", "cudnn_conv_algo_search", "do_copy_in_default_stream",
        "cudnn_conv_use_max_workspace", "cudnn_conv1d_pad_to_nc1d", "enable_cuda_graph", "use_tf32", "prefer_nhwc",
        "enable_skip_layer_norm_strict_mode", "tunable_op_enable", "tunable_op_tuning_enable", "user_compute_stream",
        "has_user_compute_stream", "use_ep_level_unified_stream", "sdpa_kernel", "fuse_conv_bias"}),
    "TensorrtExecutionProvider": frozenset({
        "device_id", "trt_max_workspace_size", "trt_fp16_enable", "trt_int8_enable", "trt_engine_cache_enable",
        "trt_engine_cache_path", "trt_timing_cache_enable", "trt_builder_optimization_level", "trt_cuda_graph_enable",
        "trt_layer_norm_fp32_fallback", "trt_max_partition_iterations", "trt_min_subgraph_size"}),
    CPU: frozenset()}
"""Options that a provider has; onnxruntime refuses others for the GPU and overlooks them for the CPU."""
_MISSING = re.compile(r"(lib[\w+.-]+?\.so(?:\.\d+)*): cannot open shared object file")
_LIBRARY = re.compile(r"lib([A-Za-z]+?)(?:64_|_\w+|)\.so(?:\.(\d+))?")
_WHEELS = {"cublas": "nvidia-cublas", "cublasLt": "nvidia-cublas", "cudnn": "nvidia-cudnn", "cufft": "nvidia-cufft",
           "cudart": "nvidia-cuda-runtime", "curand": "nvidia-curand", "nvrtc": "nvidia-cuda-nvrtc",
           "cusparse": "nvidia-cusparse", "cusolver": "nvidia-cusolver", "nvJitLink": "nvidia-nvjitlink"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of the machine."""

    device: str = "auto"
    """``auto`` (the GPU where it can be used), or one of `NAMES`."""
    strict: bool = False
    """Whether another provider than the one named is an error instead of a warning."""
    memory_mb: int = 2048
    """Most memory of the GPU that one session takes, MiB."""
    device_id: int = 0
    """Which GPU."""
    search: str = "EXHAUSTIVE"
    """How cuDNN chooses its ways to convolve; EXHAUSTIVE starts slowly, DEFAULT suits GTX 16 cards."""
    half: bool = False
    """Whether float16 files are taken where there are any."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """More options of the wanted provider, by its own names."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Who was asked and who computes."""

    wanted: str
    """First provider that was asked for."""
    got: str
    """What `get_providers` of the session begins with."""
    reason: str = ""
    """Why it is another one, as far as it can be found out."""
    remedy: str = ""
    """What mends that."""

    @property
    def fell_back(self) -> bool:
        """Whether another than the wanted one computes."""
        return self.got != self.wanted


def get_execution_providers(wish: Wish, runtime: Any) -> list[tuple[str, dict[str, Any]]]:
    """Providers with their options for a session: the wanted one first, the CPU always last.

    ``runtime`` is the module onnxruntime.  Logs which it will be.  Raises `InvalidRequest`
    for an unknown provider or option; whatever else goes wrong leaves the CPU.
    """
    if wish.device not in ("auto", *NAMES):
        raise InvalidRequest("There is no provider {name!r}; there are: auto, {names}.", code="swap.unknown_provider",
                             hint="Set VISAGE_FACE_PROVIDER to one of these.", name=wish.device,
                             names=", ".join(NAMES))
    wanted = CUDA if wish.device == "auto" else NAMES[wish.device]
    check_options(wanted, wish.options)
    last: list[tuple[str, dict[str, Any]]] = [(CPU, {})]
    if wanted == CPU:
        return last
    try:
        if wanted not in runtime.get_available_providers():
            # where nobody named a GPU, a machine without one is no cause for alarm
            level = logging.INFO if wish.device == "auto" else logging.WARNING
            log.log(level, "⚠️  %s provider not available, using CPU", _short(wanted))
            return last
        preload(runtime)
        chosen = [(wanted, {**_defaults(wanted, wish), **wish.options}), *last]
    except Exception as exc:  # whatever a broken installation raises, the CPU remains
        log.warning("⚠️  %s provider setup failed: %s, falling back to CPU", _short(wanted), exc)
        return last
    log.info("✅ %s provider configured with options", _short(wanted))
    return chosen


def check_options(provider: str, options: Mapping[str, Any]) -> None:
    """Raises `InvalidRequest` for an option that the provider does not have, with the likeliest meant."""
    known = OPTIONS.get(provider)
    for name in options if known is not None else ():
        if name in known:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = ("float16 comes with a float16 model file, or with trt_fp16_enable of TensorRT." if "fp16" in name
                else f"Did you mean {near[0]}?" if near else f"It has: {', '.join(sorted(known)) or 'none'}.")
        raise InvalidRequest("{provider} has no option {name!r}.", code="swap.unknown_option", hint="{advice}",
                             provider=provider, name=name, advice=hint)


def preload(runtime: Any) -> None:
    """Let onnxruntime load CUDA's libraries from where pip puts them (1.21 and newer)."""
    if hasattr(runtime, "preload_dlls"):
        runtime.preload_dlls()


def outcome(wish: Wish, got: Sequence[str], runtime: Any) -> Outcome:
    """What came of a wish, by the providers that a session names; nothing else tells the truth."""
    wanted = CUDA if wish.device == "auto" else NAMES[wish.device]
    first = got[0] if got else CPU
    available = runtime.get_available_providers()
    if first == wanted:
        return Outcome(wanted, first)
    if wish.device == "auto" and wanted not in available:
        # nobody named a GPU, and this build of onnxruntime knows none: the CPU is what was wanted
        return Outcome(first, first)
    if wanted not in available:
        return Outcome(wanted, first, f"this onnxruntime was built without {wanted}",
                       "pip uninstall onnxruntime, then pip install onnxruntime-gpu" if wanted == CUDA
                       else "install the onnxruntime that has it")
    reason, remedy = diagnose(runtime) if wanted == CUDA else ("it could not be started", "see the log of onnxruntime")
    return Outcome(wanted, first, reason, remedy)


def diagnose(runtime: Any) -> tuple[str, str]:
    """Why CUDA did not start, and what mends it: its library is loaded by hand to hear which other one is missing."""
    library = Path(runtime.__file__).parent / "capi" / "libonnxruntime_providers_cuda.so"
    if not library.is_file():
        return f"{library.name} is not there", "pip install --force-reinstall onnxruntime-gpu"
    shared = library.with_name("libonnxruntime_providers_shared.so")
    try:
        if shared.is_file():
            ctypes.CDLL(str(shared), mode=ctypes.RTLD_GLOBAL)
        ctypes.CDLL(str(library))
    except OSError as exc:
        return str(exc), remedy_for(str(exc))
    return "its libraries load, so the GPU or its driver refused", "nvidia-smi tells whether the GPU works"


def remedy_for(message: str) -> str:
    """What to install, by the message of a loader that names a missing library."""
    found = _MISSING.search(message)
    if not found:
        return "compare the versions: onnxruntime-gpu, CUDA, cuDNN and the driver"
    name = found.group(1)
    if name.startswith("libcuda.so"):
        return "install the NVIDIA driver; in a container start it with --gpus all"
    parts = _LIBRARY.match(name)
    wheel = _WHEELS.get(parts.group(1)) if parts else None
    if wheel is None or parts is None:
        return f"install the package that holds {name}"
    major = parts.group(2) or ""
    if wheel == "nvidia-cudnn":
        return (f"this onnxruntime wants cuDNN {major}: pip install 'nvidia-cudnn-cu12=={major}.*'" if major else
                "pip install nvidia-cudnn-cu12")
    # the numbers of cuFFT and cuRAND run one or two ahead or behind CUDA's own
    cuda = {"nvidia-cufft": {"10": "11", "11": "12", "12": "13"}, "nvidia-curand": {"10": "12"}}.get(wheel, {})
    return f"this onnxruntime wants CUDA {cuda.get(major, major)}: pip install {wheel}-cu{cuda.get(major, major)}"


def _defaults(provider: str, wish: Wish) -> dict[str, Any]:
    if provider == CUDA:
        return {"device_id": wish.device_id, "arena_extend_strategy": "kNextPowerOfTwo",
                "gpu_mem_limit": wish.memory_mb * 1024 * 1024, "cudnn_conv_algo_search": wish.search,
                "do_copy_in_default_stream": True}
    if provider == "TensorrtExecutionProvider":
        return {"device_id": wish.device_id, "trt_max_workspace_size": wish.memory_mb * 1024 * 1024,
                "trt_layer_norm_fp32_fallback": True}
    return {}


def _short(provider: str) -> str:
    return provider.removesuffix("ExecutionProvider")
