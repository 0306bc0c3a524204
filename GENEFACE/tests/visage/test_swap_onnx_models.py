"""Files of models: found by what they hold, refused with the reason, and replaced when their answers are nonsense."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.visage import swap_networks as nets
from tests.visage.swap_kit import opened
from visage.config import Settings, read_settings
from visage.errors import NotInstalled
from visage.swap.faults import fault_of
from visage.swap.onnx import emap, files, painting
from visage.swap.onnx.files import choose, folder, load, scan, sibling
from visage.swap.onnx.graph import read

KINDS = {"det_10g": "scrfd", "w600k_r50": "arcface", "2d106det": "2d106", "1k3d68": "3d68", "genderage": "genderage",
         "inswapper_128": "inswapper", "GFPGANv1.4": "gfpgan", "codeformer": "codeformer"}


def refused(path: Path) -> NotInstalled:
    with pytest.raises(NotInstalled) as caught:
        load(path)
    fault = fault_of(caught.value)
    assert fault is not None and fault.number == "E02"
    assert str(path) in caught.value.message
    return caught.value


def test_ports_are_read_as_the_onnx_package_reads_them(face_models: Path) -> None:
    for path in face_models.rglob("*.onnx"):
        ours, theirs = read(path), onnx.load(str(path)).graph
        assert [port.name for port in ours.inputs] == [port.name for port in theirs.input]
        assert [port.name for port in ours.outputs] == [port.name for port in theirs.output]
        assert [one.name for one in ours.stored] == [one.name for one in theirs.initializer]
        assert [list(one.shape) for one in ours.stored] == [list(one.dims) for one in theirs.initializer]
        assert ours.used == {name for node in theirs.node for name in node.input}


def test_stored_values_among_the_inputs_are_none(tmp_path: Path) -> None:
    """Old exports name every weight as an input too."""
    path = nets.gfpgan(tmp_path / "a.onnx")
    model = onnx.load(str(path))
    for one in model.graph.initializer:
        model.graph.input.append(onnx.helper.make_tensor_value_info(one.name, one.data_type, list(one.dims)))
    onnx.save(model, str(path))
    assert load(path).spec.kind == "gfpgan"


@pytest.mark.parametrize("stem", KINDS)
def test_a_file_is_known_whatever_it_is_called(stem: str, face_models: Path, tmp_path: Path) -> None:
    source = next(face_models.rglob(f"{stem}.onnx"))
    assert load(source).spec.kind == KINDS[stem]
    other = shutil.copy(source, tmp_path / "renamed.onnx")
    assert load(Path(other)).spec.kind == KINDS[stem]


def test_renamed_ports_change_nothing(face_models: Path, tmp_path: Path) -> None:
    path = tmp_path / "swap.onnx"
    text = (face_models / "inswapper_128.onnx").read_bytes()
    model = onnx.load_from_string(text)
    for node in model.graph.node:
        node.input[:] = [{"target": "a", "source": "b"}.get(name, name) for name in node.input]
    for port, name in zip(model.graph.input, ("a", "b"), strict=True):
        port.name = name
    model.graph.input.reverse()
    onnx.save(model, str(path))
    crop = np.full((128, 128, 3), 100, np.uint8)
    source = painting.latent(np.arange(512, dtype=np.float32), nets.emap())
    assert np.array_equal(painting.paint(opened(path), crop, source),
                          painting.paint(opened(face_models / "inswapper_128.onnx"), crop, source))


def test_what_cannot_be_used_is_told_apart(face_models: Path, tmp_path: Path) -> None:
    assert refused(tmp_path / "none.onnx").code == "swap.model_absent"
    (tmp_path / "folder.onnx").mkdir()
    assert refused(tmp_path / "folder.onnx").code == "swap.model_unreadable"
    for name, content in {"empty": b"", "page": b"<!doctype html><html>", "noise": bytes(range(256)) * 9}.items():
        (tmp_path / f"{name}.onnx").write_bytes(content)
        assert refused(tmp_path / f"{name}.onnx").code == "swap.model_corrupt"
    whole = (face_models / "inswapper_128.onnx").read_bytes()
    (tmp_path / "short.onnx").write_bytes(whole[:len(whole) * 2 // 3])
    assert refused(tmp_path / "short.onnx").code == "swap.model_corrupt"


def test_an_unknown_network_is_told_by_what_it_has(tmp_path: Path) -> None:
    s = nets.Sketch()
    s("Relu", "weird", out="odd")
    path = s.save(tmp_path / "x.onnx", [nets.port("weird", [1, 7])], [nets.port("odd", [1, 7])])
    error = refused(path)
    assert error.code == "swap.model_unknown"
    assert "weird float32 [1, 7]" in error.message and "odd float32 [1, 7]" in error.message


def test_an_inswapper_without_its_map_is_refused(tmp_path: Path) -> None:
    """The only matrix of that size is one that the network itself reads; taking the last value would take that."""
    model = load(nets.inswapper(tmp_path / "inswapper_128.onnx", place="none"))
    assert emap.choose(model.graph) is not None, "a single candidate is taken, as section 3.3 says"
    s = nets.Sketch()
    for name in ("one", "two"):
        s.constant(np.eye(512), np.float32, name)
    s("Add", s("MatMul", "source", "one"), s("MatMul", "source", "two"), out="r")
    path = s.save(tmp_path / "two.onnx", [nets.port("source", [1, 512])], [nets.port("r", [1, 512])])
    with pytest.raises(NotInstalled, match="2 matrices of 512 x 512") as caught:
        emap.load(path, read(path), "0" * 64)
    assert caught.value.code == "swap.model_no_map"


# ---- the folder -----------------------------------------------------------------------------------------------------

def test_the_folder_comes_from_the_variable_the_file_or_the_product(tmp_path: Path,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACE_FUSION_MODELS", raising=False)
    assert folder(read_settings(home=tmp_path)) == tmp_path / "model_cache" / "face_models"
    (tmp_path / ".env").write_text("OTHER=1\nFACE_FUSION_MODELS='/srv/models'\n")
    assert folder(read_settings(home=tmp_path)) == Path("/srv/models")
    monkeypatch.setenv("FACE_FUSION_MODELS", "mine")
    assert folder(read_settings(home=tmp_path)) == tmp_path / "mine"
    monkeypatch.setenv("FACE_FUSION_MODELS", "")
    assert folder(read_settings(home=tmp_path)) == Path("/srv/models")


def test_a_missing_task_is_told_with_what_was_found(face_models: Path, tmp_path: Path) -> None:
    with pytest.raises(NotInstalled) as caught:
        scan(tmp_path / "nowhere")
    assert caught.value.code == "swap.model_absent"
    shutil.copy(face_models / "GFPGANv1.4.onnx", tmp_path)
    with pytest.raises(NotInstalled, match=r"No model for swap in .*GFPGANv1\.4\.onnx \(gfpgan\)"):
        choose(scan(tmp_path), "swap", tmp_path)
    (tmp_path / "inswapper_128.onnx").write_bytes(b"\x08\x07")
    with pytest.raises(NotInstalled) as caught:
        choose(scan(tmp_path), "swap", tmp_path)
    assert caught.value.code == "swap.model_corrupt"


def test_the_usual_names_and_float32_come_first(tmp_path: Path) -> None:
    nets.inswapper(tmp_path / "inswapper_128_fp16.onnx", half=True)
    nets.inswapper(tmp_path / "a_copy.onnx")
    nets.inswapper(tmp_path / "inswapper_128.onnx")
    nets.codeformer(tmp_path / "codeformer.onnx")
    nets.gfpgan(tmp_path / "restore.onnx")
    entries = scan(tmp_path)
    best = choose(entries, "swap", tmp_path)
    assert best.path.name == "inswapper_128.onnx"
    small = sibling(entries, best, half=True)
    assert small is not None and small.path.name == "inswapper_128_fp16.onnx"
    assert choose(entries, "restore", tmp_path).path.name == "restore.onnx"
    assert choose(entries, "restore", tmp_path, name="codeformer").path.name == "codeformer.onnx"


def test_a_checksum_is_remembered_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, cache = tmp_path / "a", tmp_path / "cache"
    path.write_bytes(b"one")
    first = files.fingerprint(path, cache)
    with monkeypatch.context() as patched:
        patched.setattr(files.hashlib, "sha256", lambda: pytest.fail("it was read again"))
        assert files.fingerprint(path, cache) == first
    path.write_bytes(b"other")
    assert files.fingerprint(path, cache) != first


# ---- answers that are none ------------------------------------------------------------------------------------------

def test_float16_that_fails_is_replaced_by_float32(tmp_path: Path) -> None:
    bad = nets.inswapper(tmp_path / "inswapper_128_fp16.onnx", half=True, broken=True)
    good = load(nets.inswapper(tmp_path / "inswapper_128.onnx"))
    told: list[str] = []
    network = opened(bad, spare=good, told=told.append)
    crop = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    source = painting.latent(np.arange(512, dtype=np.float32), nets.emap())
    assert np.array_equal(painting.paint(network, crop, source), painting.paint(opened(good.path), crop, source))
    assert told == ["inswapper_128_fp16.onnx gave a picture that is not a number; "
                    "inswapper_128.onnx took its place."]
    painting.paint(network, crop, source)
    assert network.model is good and len(told) == 1


def test_without_a_float32_file_it_is_refused(tmp_path: Path) -> None:
    network = opened(nets.inswapper(tmp_path / "inswapper_128_fp16.onnx", half=True, broken=True))
    with pytest.raises(NotInstalled, match="not a number") as caught:
        painting.paint(network, np.zeros((128, 128, 3), np.uint8), np.zeros((1, 512), np.float32))
    assert caught.value.code == "swap.model_output"


@pytest.mark.parametrize(("value", "says"), [(0.0, "black"), (0.5, "of one colour"), (np.inf, "not a number")])
def test_flat_and_black_pictures_are_seen(value: float, says: str) -> None:
    from visage.swap.onnx.sanity import flaw

    given = np.random.default_rng(0).uniform(0, 1, (1, 3, 128, 128)).astype(np.float32)
    assert flaw(given, given, 0, 1) == ""
    assert flaw(np.full_like(given, value), given, 0, 1) == says
    dark = np.zeros_like(given)
    assert flaw(dark, dark, 0, 1) == "", "a black frame may stay black"


def test_settings_refuse_a_fidelity_beyond_one() -> None:
    with pytest.raises(ValueError, match="less than or equal to 1"):
        Settings(face_fidelity=1.5)
