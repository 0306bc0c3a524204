"""The command lines of the seeds, word for word, mean what they meant."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from backend import swap_command
from backend.swap_lines import PRESETS, read_roop, read_run
from visage.errors import InvalidRequest

SEED_001 = ("--execution-provider cuda -s ./assets/img1.png -t ./assets/video1.mp4 -o ./out.mp4 --frame-processor "
            "face_swapper face_enhancer --output-video-encoder libx264 --output-video-quality 35 --keep-fps    "
            "--temp-frame-format png --temp-frame-quality 0")
SEED_003 = "--source src.jpg --target tgt.mp4 --log-level debug"


def test_the_line_of_seed_001() -> None:
    line = read_roop(shlex.split(SEED_001))
    assert (line.sources, line.target, line.output) == ((Path("assets/img1.png"),), Path("assets/video1.mp4"),
                                                        Path("out.mp4"))
    assert (line.swap, line.restore, line.providers, line.strict) == (True, True, ("cuda",), False)
    assert (line.encoder, line.crf, line.sound, line.many) == ("libx264", 18, True, False)
    assert line.unused == ("--keep-fps", "--temp-frame-format", "--temp-frame-quality"), "what is idle is told"


def test_the_line_of_seed_003() -> None:
    line = read_run(shlex.split(SEED_003))
    assert (line.sources, line.target, line.log_level) == ((Path("src.jpg"),), Path("tgt.mp4"), "debug")
    assert line.output == Path("swapped-src-tgt.mp4") and line.swap and not line.restore


def test_every_option_of_roop() -> None:
    line = read_roop(shlex.split(
        "-s a.png -t b.mp4 -o c.mp4 --skip-audio --many-faces --reference-face-position 1 --reference-frame-number 7 "
        "--similar-face-distance 0.6 --max-memory 8 --execution-threads 3 --keep-frames --output-video-encoder "
        "libvpx-vp9 --output-video-quality 100 --execution-provider cuda cpu"))
    assert (line.sound, line.many, line.position, line.frame, line.distance) == (False, True, 1, 7, 0.6)
    assert (line.encoder, line.crf, line.providers) == ("libvpx-vp9", 51, ("cuda", "cpu"))
    assert line.unused == ("--keep-frames", "--max-memory", "--execution-threads")


@pytest.mark.parametrize(("quality", "roop", "fusion"), [(0, 0, 51), (35, 18, 34), (90, 46, 6), (100, 51, 1)])
def test_quality_counts_as_each_program_counts_it(quality: int, roop: int, fusion: int) -> None:
    argv = f"-s a.png -t b.mp4 --output-video-quality {quality}".split()
    assert (read_roop(argv).crf, read_run(argv).crf) == (roop, fusion)


def test_presets_choose_how_strongly_faces_are_made_clearer() -> None:
    shares = {}
    for preset in PRESETS:
        line = read_run(f"-s a.png -t b.mp4 --processors face_enhancer --preset {preset}".split())
        shares[preset] = swap_command._options(line).restore
    assert shares == {"social": 0.8, "faithful": 0.5, "video": 0.6}
    assert swap_command._options(read_run(["-s", "a.png", "-t", "b.mp4"])).restore == 0.8
    assert read_run(["-s", "a.png", "-t", "b.mp4"]).providers == (), "the settings say who computes"


def test_a_folder_as_output_gets_a_name(tmp_path: Path) -> None:
    assert read_run(["-s", "a.png", "-t", "b.mp4", "-o", str(tmp_path)]).output == tmp_path / "a-b.mp4"


@pytest.mark.parametrize("line", [
    "-s a.png", "-t b.mp4", "-s a.png -t b.mp4 --output-video-quality 101", "-s a -t b --execution-provider gpu",
    "-s a -t b --reference-face-position -1", "-s a -t b --similar-face-distance 9", "-s a -t b --nonsense", "x"])
def test_what_cannot_be_understood_is_said(line: str) -> None:
    with pytest.raises(InvalidRequest):
        read_roop(shlex.split(line))


def test_restoring_alone_needs_no_photo() -> None:
    line = read_run(["-t", "b.mp4", "--processors", "face_enhancer"])
    assert (line.swap, line.restore, line.sources) == (False, True, ())
