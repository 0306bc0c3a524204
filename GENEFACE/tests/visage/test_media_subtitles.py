"""Subtitles can be read: two lines, no word lost, marks where they belong; and a font is found or named."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from visage.errors import NotInstalled
from visage.media import fonts
from visage.media.burning import SHARE, Burner
from visage.media.fonts import font_for
from visage.media.subtitles import LINE_UNITS, LINES, Cue, pages, spread, srt, stamp, units

ZH = "你好，我是一个会说话的面孔。今天我们来谈一谈“语音合成”与实时对话的延迟问题，特别是第一个字节到达之前的时间。"
TEXTS = {
    "zh": ZH,
    "en": "Hello there, this is a fairly long sentence that must be broken into two lines and then, alas, one more.",
    "de": "Die Donaudampfschifffahrtsgesellschaftskapitänsmützenfabrikationsstätte grüßt aus Köln, Öhringen und Aßlar.",
    "ru": "Привет, это довольно длинное предложение, которое не помещается на двух строках субтитров, увы.",
    "mixed": "GPT-4 模型在 2024 年发布，性能提升了 30%，延迟降到 900 ms 以内（第 99 百分位），参见 https://a.example/b。",
    "one word": "a" * 200,
    "no marks": "很" * 130,
    "short": "好。",
}


@pytest.mark.parametrize("name", TEXTS)
def test_every_page_can_be_read_and_no_word_is_lost(name: str) -> None:
    made = pages(TEXTS[name])
    assert "".join("".join(page) for page in made).replace(" ", "") == TEXTS[name].replace(" ", "")
    for page in made:
        assert 1 <= len(page) <= LINES
        assert all(0 < units(line) <= LINE_UNITS + 2 for line in page)
        assert not any(line[0] in "，。、！？；：”）%" for line in page), "a closing mark begins no line"
        assert not any(line[-1] in "“（" for line in page), "an opening mark ends no line"


def test_words_stay_whole_and_spaces_where_they_were() -> None:
    assert " ".join(line for page in pages(TEXTS["en"]) for line in page) == TEXTS["en"]
    assert pages("性能提升了 30%。") == [["性能提升了 30%。"]]
    assert pages("  ") == [] == pages("")


def test_a_cue_is_shared_out_by_what_its_pages_hold() -> None:
    made = spread(Cue(2.0, 12.0, ZH, "avatar"))
    assert made[0][0].start == 2.0 and made[-1][0].end == pytest.approx(12.0)
    for (one, _), (other, _) in pairwise(made):
        assert one.end == other.start
    shares = [sum(map(units, lines)) for _, lines in made]
    assert [(cue.end - cue.start) / 10 for cue, _ in made] == pytest.approx([share / sum(shares) for share in shares])


def test_the_file_is_one_that_players_read() -> None:
    said = srt([Cue(0.0, 1.5, "a --> b"), Cue(3723.0042, 3723.0042, "好。")])
    assert said == "1\n00:00:00,000 --> 00:00:01,500\na → b\n\n2\n01:02:03,004 --> 01:02:03,005\n好。\n"
    assert stamp(59.9996) == "00:01:00,000"


def test_a_font_is_found_that_shows_the_text_or_the_remedy_is_named(tmp_path: Path) -> None:
    (tmp_path / "wqy-microhei-broken.ttc").write_bytes(b"no font")
    broken = (str(tmp_path),)
    assert font_for("Hello, world: 42!", broken).lacks == ""
    with pytest.raises(NotInstalled) as found:
        font_for("你好", broken)
    assert found.value.hint == "apt install fonts-noto-cjk"
    assert "\u0e01" in font_for("ok \u0e01", broken).lacks


def test_words_are_drawn_below_and_only_there() -> None:
    frame = np.full((512, 640, 3), 255, np.uint8)
    burner = Burner(font_for("Hello"), 640, 512)
    made = burner.draw(frame, ["WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW", "Hello."], "avatar")
    changed = (made != frame).any(axis=2)
    top = 512 - int(512 * SHARE)
    assert frame.min() == 255, "the given frame stays as it is"
    assert not changed[:top].any()
    assert changed[top:].any()
    assert not changed[:, :3].any() and not changed[:, -3:].any(), "the widest line fits"
    assert made.min() < 40, "white letters have a dark edge, on a white picture, too"
    assert burner.draw(frame, [], "avatar") is frame


def test_chinese_is_drawn_where_a_font_is_there() -> None:
    try:
        font = font_for("你好吗")
    except NotInstalled as exc:
        pytest.skip(exc.hint)
    assert font.lacks == ""
    burner = Burner(font, 512, 512)
    frame = np.zeros((512, 512, 3), np.uint8)
    one, other = (burner.draw(frame, [text], "user") for text in ("你好", "再见"))
    assert (one != other).any(), "not two times the same box"
    assert fonts.font_for("plain").lacks == ""
