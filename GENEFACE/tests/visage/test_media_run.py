"""Command lines are data; running them ends in output or in an error that keeps what was printed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.visage.media_clips import babble, clip, numbered
from visage.errors import DiskFull, NotInstalled, ToolFailed
from visage.media.ffmpeg import normalise, to_wav
from visage.media.probe import probe
from visage.media.run import ffmpeg_path, run_tool


def test_command_lines_are_lists_with_safe_names() -> None:
    source, out = Path("/in/-odd; name.webm"), Path("/out/a.wav")
    for line in (to_wav(source, out), normalise(source, out)):
        assert line[0] == "ffmpeg" and all(isinstance(word, str) for word in line)
        assert line[line.index("-i") + 1] == "file:/in/-odd; name.webm" and line[-1] == "file:/out/a.wav"
        assert "-nostdin" in line and line[line.index("-protocol_whitelist") + 1] == "file"
    assert "16000" in to_wav(source, out)


def test_normalise_sets_rate_and_size(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", numbered(60, 100, 80), babble(2), fps=30)
    run_tool(normalise(source, tmp_path / "n.mp4", size=60))
    info = probe(tmp_path / "n.mp4", "video")
    assert (info.width, info.height, info.frames) == (60, 48, 50) and info.has_sound


def test_failure_keeps_argv_and_stderr(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed) as raised:
        run_tool(to_wav(tmp_path / "gone.webm", tmp_path / "out.wav"))
    assert raised.value.argv[0] == ffmpeg_path() and "No such file" in raised.value.stderr
    assert "No such file" in raised.value.message


def test_output_is_returned_and_a_missing_program_named() -> None:
    assert run_tool(["echo", "a b"]) == b"a b\n"
    with pytest.raises(NotInstalled, match="no-such-program"):
        run_tool(["no-such-program"])


def test_a_timeout_kills_the_whole_group(tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    started = time.monotonic()
    with pytest.raises(ToolFailed) as raised:
        run_tool(["sh", "-c", f"(sleep 2; touch {mark}) & echo working >&2; wait"], timeout=0.4)
    assert raised.value.code == "tool.timeout" and "working" in raised.value.stderr
    assert time.monotonic() - started < 1.5
    time.sleep(2)
    assert not mark.exists()


def test_a_full_disk_is_named() -> None:
    with pytest.raises(DiskFull):
        run_tool(["sh", "-c", "cat /proc/self/status >/dev/full"])
