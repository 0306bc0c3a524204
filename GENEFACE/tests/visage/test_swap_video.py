"""A video through the pipeline: nothing is lost, nothing is half done, and every failure says what it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.visage.media_clips import babble, clip, number, numbered
from tests.visage.swap_stand_in import BOX, NEW, StandIn, identity
from visage import errors as tree
from visage.media.frames import read_video
from visage.media.probe import probe
from visage.swap.encoding import choose_encoder
from visage.swap.faults import fault_of
from visage.swap.joining import mux, sound_digest
from visage.swap.options import SwapOptions, SwapRequest, SwapResult
from visage.swap.pipeline import swap_file
from visage.types import Progress

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    return clip(tmp_path / "talk.mp4", numbered(40), babble(1.6))


def swapped(target: Path, out: Path, swapper: StandIn | None = None, report=lambda progress: None,
            **options) -> SwapResult:
    swapper = swapper or StandIn()
    asked = SwapRequest(target, out, SwapOptions(**{"occlusion": False, **options}), out.parent / "root")
    return swap_file(asked, swapper, identity(swapper), report=report)


def times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as container:
        return sorted(frame.pts * frame.time_base for frame in container.decode(video=0))


def inside(frame: np.ndarray) -> np.ndarray:
    left, top, right, bottom = (round(value) for value in BOX)
    return frame[top + 4:bottom - 4, left + 4:right - 4].reshape(-1, 3).mean(0)


def test_every_frame_and_every_bit_of_sound_arrives(talk: Path, tmp_path: Path) -> None:
    result = swapped(talk, tmp_path / "out.mp4", segment=15)
    frames = list(read_video(result.out))
    assert (result.frames_in, result.frames_out, result.swapped, len(frames)) == (40, 40, 40, 40)
    assert result.sound == "copied" and sound_digest(result.out) == sound_digest(talk)
    assert times(result.out) == times(talk)
    for place, frame in enumerate(frames):
        assert np.abs(inside(frame) - NEW).max() < 10, f"frame {place} has no new face"
        outside = frame[40:, 44:]
        assert number(outside) == place % 30, f"another frame than {place} is shown"
    assert not list((tmp_path / "root").iterdir()), "the job's folder stays"
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_colours_are_tagged_and_no_stripes_appear(talk: Path, tmp_path: Path) -> None:
    out = swapped(talk, tmp_path / "out.mp4").out
    with av.open(str(out)) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.color_primaries, codec.color_trc, codec.colorspace, codec.color_range) == (1, 1, 1, 1)
    frame = next(read_video(out)).astype(int)
    rest = np.concatenate([frame[:8].reshape(-1, 3), frame[42:].reshape(-1, 3)])
    assert np.ptp(rest, axis=1).max() <= 6, "grey is not grey any more"


@pytest.mark.parametrize("size", [(63, 47), (64, 47), (63, 48)])
def test_odd_sides_are_made_even(tmp_path: Path, size: tuple[int, int]) -> None:
    target = tmp_path / "odd.mkv"
    with av.open(str(target), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, "bgr0"
        for frame in numbered(6, *size):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24").reformat(format="bgr0")))
        container.mux(stream.encode(None))
    result = swapped(target, tmp_path / "out.mp4")
    info = probe(result.out)
    assert (info.width, info.height) == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    assert info.frames == 6 and result.sound == "none" and not info.has_sound


def test_uneven_times_stay(tmp_path: Path) -> None:
    target = tmp_path / "uneven.mkv"
    stamps = [0, 40, 80, 200, 240, 500, 533]
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for stamp, frame in zip(stamps, numbered(7), strict=True):
            picture = av.VideoFrame.from_ndarray(frame, "rgb24")
            picture.pts, picture.time_base = stamp, Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    out = swapped(target, tmp_path / "out.mkv", segment=3).out
    assert [round(float(time) * 1000) for time in times(out)] == stamps


def test_sound_that_the_container_cannot_hold_is_encoded_again_and_said(talk: Path, tmp_path: Path) -> None:
    result = swapped(talk, tmp_path / "out.webm", encoder="libvpx-vp9")
    assert result.sound == "re-encoded" and result.encoder == "libvpx-vp9"
    assert any("sound" in note for note in result.notes)
    info = probe(result.out)
    assert (info.codec, info.sound_codec, info.frames) == ("vp9", "opus", 40)


def test_progress_says_how_fast_and_who_computes(talk: Path, tmp_path: Path) -> None:
    heard: list[Progress] = []
    result = swapped(talk, tmp_path / "out.mp4", report=heard.append)
    last = [progress for progress in heard if progress.stage == "swap"][-1]
    assert last.facts["done"] == last.facts["frames"] == 40
    assert last.facts["fps"] > 0 and last.facts["eta"] == 0 and last.facts["provider"] == "CPU"
    assert last.facts["realtime"] == pytest.approx(last.facts["fps"] / 25, abs=0.02)
    fractions = [progress.fraction for progress in heard]
    assert fractions == sorted(fractions)
    assert {"detect", "swap", "compose", "encode"} <= set(result.steps)


def test_cancelled_between_frames_leaves_no_output_and_goes_on_later(talk: Path, tmp_path: Path) -> None:
    calls = []

    def stop(progress: Progress) -> None:
        calls.append(progress)
        if progress.facts.get("done", 0) >= 25:
            raise tree.Cancelled("stopped")

    swapper = StandIn(slow=0.02)
    with pytest.raises(tree.Cancelled):
        swapped(talk, tmp_path / "out.mp4", swapper, stop, segment=10)
    assert not (tmp_path / "out.mp4").exists() and not list(tmp_path.glob(".out*"))
    again = StandIn()
    result = swapped(talk, tmp_path / "out.mp4", again, segment=10)
    assert result.resumed >= 20 and again.swapped == 40 - result.resumed
    assert (result.frames_out, result.swapped) == (40, 40) and times(result.out) == times(talk)


def test_a_killed_job_goes_on_where_it_was(talk: Path, tmp_path: Path) -> None:
    code = ("import sys; from pathlib import Path; from tests.visage.test_swap_video import swapped, StandIn; "
            f"swapped(Path({str(talk)!r}), Path({str(tmp_path / 'out.mp4')!r}), StandIn(slow=0.1), segment=8)")
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE,
                               env={**os.environ, "PYTHONPATH": str(ROOT)})
    lists = tmp_path / "root"
    try:
        for _ in range(1200):
            kept = [json.loads(path.read_text()) for path in lists.glob("*/manifest.json")] if lists.is_dir() else []
            if kept and len(kept[0]["stretches"]) >= 2:
                break
            assert process.poll() is None, process.stderr.read().decode()[-2000:]
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert not (tmp_path / "out.mp4").exists()
    swapper = StandIn()
    result = swapped(talk, tmp_path / "out.mp4", swapper, segment=8)
    assert result.resumed >= 16 and swapper.swapped == 40 - result.resumed
    assert result.frames_out == 40 and sound_digest(result.out) == sound_digest(talk)
    assert times(result.out) == times(talk)


def test_other_options_begin_anew(talk: Path, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.facts.get("done", 0) >= 20:
            raise tree.Cancelled("stopped")

    with pytest.raises(tree.Cancelled):
        swapped(talk, tmp_path / "out.mp4", StandIn(slow=0.02), stop, segment=10)
    assert swapped(talk, tmp_path / "out.mp4", segment=10, strength=0.5).resumed == 0


def test_a_damaged_stretch_is_made_again(talk: Path, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.facts.get("done", 0) >= 30:
            raise tree.Cancelled("stopped")

    with pytest.raises(tree.Cancelled):
        swapped(talk, tmp_path / "out.mp4", StandIn(slow=0.02), stop, segment=10)
    second = sorted((tmp_path / "root").glob("*/*.mp4"))[1]
    second.write_bytes(second.read_bytes()[:400])
    assert swapped(talk, tmp_path / "out.mp4", segment=10).resumed == 10


def test_a_frame_that_fails_is_kept_as_it_was_and_listed(talk: Path, tmp_path: Path) -> None:
    result = swapped(talk, tmp_path / "out.mp4", StandIn(fails=[7, 20]))
    assert result.skipped == {7: "ValueError: it broke", 20: "ValueError: it broke"}
    assert (result.frames_out, result.swapped) == (40, 38)
    frames = list(read_video(result.out))
    assert number(frames[7]) == 7 and np.ptp(inside(frames[7])) < 6
    assert np.abs(inside(frames[8]) - NEW).max() < 10


def test_too_many_failures_end_the_job_with_e14(talk: Path, tmp_path: Path) -> None:
    with pytest.raises(tree.BadVideo) as caught:
        swapped(talk, tmp_path / "out.mp4", StandIn(fails=range(5, 11)))
    assert fault_of(caught.value).number == "E14"
    assert caught.value.params["skipped"] == 6 and "it broke" in caught.value.message
    assert not (tmp_path / "out.mp4").exists()


def test_memory_that_is_exhausted_ends_the_job_with_e04(talk: Path, tmp_path: Path) -> None:
    with pytest.raises(tree.OutOfMemory) as caught:
        swapped(talk, tmp_path / "out.mp4", StandIn(fails=[3], error=MemoryError))
    assert fault_of(caught.value).number == "E04"


def test_a_video_without_a_face_is_refused_with_e05(talk: Path, tmp_path: Path) -> None:
    swapper = StandIn()
    who = identity(swapper)
    swapper.blind = set(range(100))
    with pytest.raises(tree.BadImage) as caught:
        swap_file(SwapRequest(talk, tmp_path / "out.mp4", root=tmp_path / "root"), swapper, who)
    assert fault_of(caught.value).number == "E05" and not (tmp_path / "out.mp4").exists()


def test_a_face_missed_for_a_moment_is_filled_in(talk: Path, tmp_path: Path) -> None:
    # the first look is the identity's
    result = swapped(talk, tmp_path / "out.mp4", StandIn(blind=[11, 12, 13]), refill=4)
    assert result.swapped == 40
    longer = swapped(talk, tmp_path / "two.mp4", StandIn(blind=range(11, 21)), refill=4)
    assert longer.swapped == 30


def test_a_smaller_size_can_be_asked_for(talk: Path, tmp_path: Path) -> None:
    info = probe(swapped(talk, tmp_path / "out.mp4", max_dim=48).out)
    assert (info.width, info.height) == (48, 36)


def test_a_target_that_breaks_off_is_refused_before_anything_is_done(talk: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(talk.read_bytes()[:-3000])
    swapper = StandIn()
    with pytest.raises(tree.BadMedia) as caught:
        swapped(broken, tmp_path / "out.mp4", swapper)
    assert fault_of(caught.value).number == "E01" and swapper.swapped == 0


def test_an_unknown_encoder_falls_back_and_says_so(talk: Path, tmp_path: Path) -> None:
    result = swapped(talk, tmp_path / "out.mp4", encoder="h264_of_tomorrow")
    assert result.encoder == "libx264" and "h264_of_tomorrow" in result.notes[0]
    assert choose_encoder("mpeg4", "mp4", 60, (64, 48)).note == ""
    assert swapped(talk, tmp_path / "two.mp4", encoder="mpeg4").frames_out == 40


def test_quality_means_something(talk: Path, tmp_path: Path) -> None:
    sizes = [swapped(talk, tmp_path / f"{quality}.mp4", quality=quality).out.stat().st_size for quality in (5, 95)]
    assert sizes[0] < sizes[1]


def test_the_label_comes_last_and_without_it_there_is_no_file(talk: Path, tmp_path: Path) -> None:
    out, sealed, marked = tmp_path / "out.mp4", [], []

    def mark(frame: np.ndarray, seconds: float) -> np.ndarray:
        marked.append(round(seconds, 2))
        return 255 - frame

    def seal(path: Path) -> None:
        assert probe(path).frames == 40 and not out.exists()
        sealed.append(path)

    swapper = StandIn()
    asked = SwapRequest(talk, out, SwapOptions(occlusion=False), tmp_path / "root", mark, seal)
    swap_file(asked, swapper, identity(swapper))
    assert len(sealed) == 1 and sealed[0].suffix == ".mp4" and marked == [round(n / 25, 2) for n in range(40)]
    assert np.abs(inside(next(read_video(out))) - (255 - np.array(NEW))).max() < 10

    def refuse(path: Path) -> None:
        raise tree.Refused("no label", code="trust.label_lost")

    with pytest.raises(tree.Refused):
        swap_file(SwapRequest(talk, tmp_path / "two.mp4", root=tmp_path / "root", seal=refuse), swapper,
                  identity(swapper))
    assert not (tmp_path / "two.mp4").exists() and not list(tmp_path.glob(".two*"))


def test_a_seal_that_damages_the_file_is_noticed(talk: Path, tmp_path: Path) -> None:
    def cut(path: Path) -> None:
        path.write_bytes(path.read_bytes()[:500])

    swapper = StandIn()
    with pytest.raises(tree.OutputInvalid) as caught:
        swap_file(SwapRequest(talk, tmp_path / "out.mp4", root=tmp_path / "root", seal=cut), swapper,
                  identity(swapper))
    assert fault_of(caught.value).number == "E13" and not (tmp_path / "out.mp4").exists()


def test_a_failing_ffmpeg_keeps_its_words(talk: Path, tmp_path: Path) -> None:
    from visage.media.run import run_tool
    with pytest.raises(tree.ToolFailed) as caught:
        run_tool(mux(tmp_path / "nothing.mp4", talk, 0.0, "mp4", "libx264", tmp_path / "out.mp4"))
    assert fault_of(caught.value).number == "E07"
    assert "-itsoffset" in caught.value.argv and "nothing.mp4" in caught.value.stderr


@pytest.mark.parametrize(("options", "code"), [({"blend": "magic"}, "swap.option"), ({"distance": 2}, "swap.range")])
def test_options_that_cannot_be_are_refused(options: dict, code: str) -> None:
    with pytest.raises(tree.InvalidRequest) as caught:
        SwapOptions(**options)
    assert caught.value.code == code


def test_the_target_is_never_overwritten_and_suffixes_are_checked(talk: Path, tmp_path: Path) -> None:
    for out, code in ((talk, "swap.same_file"), (tmp_path / "out.exe", "swap.suffix")):
        with pytest.raises(tree.InvalidRequest) as caught:
            swapped(talk, out)
        assert caught.value.code == code
