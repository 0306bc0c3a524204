"""Nothing a person would say is dropped: numbers, units, dates, addresses, mixed languages."""

from __future__ import annotations

import time

import pytest

from visage.errors import InvalidRequest
from visage.tts.language import language_of, pieces, runs
from visage.tts.numbers_zh import number, whole
from visage.tts.reading import read

CHINESE = {
    "今天是2024年5月1日。": "今天是二零二四年五月一日。",
    "时间 2024-05-01 10:05": "时间 二零二四年五月一日 十点零五分",
    "气温25.5°C，夜里-5℃": "气温二十五点五摄氏度，夜里零下五摄氏度",
    "增长了50%，即10-20%": "增长了百分之五十，即百分之十到百分之二十",
    "重3kg，高5m，120km/h": "重三千克，高五米，一百二十公里每小时",
    "12345个，2个人，1/2": "一万二千三百四十五个，两个人，二分之一",
    "价格¥100万或$5.99": "价格一百万元或五点九九美元",
    "版本1.2.3和v2.0": "版本一点二点三和v二点零",
    "手机13812345678": "手机幺三八，幺二三四，五六七八",
    "我有GPU0和iPhone15": "我有GPU 零 和iPhone 十五",
    "比分3:2，算式5-3=2": "比分三比二，算式五减三等于二",
    "共1,234元，选1,2,3，约1/1000": "共一千二百三十四元，选一,二,三，约一千分之一",
    "2020-2024年20:00整，温度-3~5℃": "二零二零到二零二四年二十点整，温度负三到五摄氏度",
    "全角１２３％": "全角百分之一百二十三",
    "**重点**：`代码`😀": "重点：代码",
}


@pytest.mark.parametrize("text", CHINESE)
def test_chinese_is_written_out(text: str) -> None:
    assert read(text, "zh") == CHINESE[text]


def test_addresses_keep_every_sign() -> None:
    assert read("见https://a.com/b_1。", "zh") == "见 https冒号双斜杠 a点 com斜杠 b下划线 一。"
    spoken = read("Mail me@x.org or see https://a.com/b_c?d=1.", "en")
    assert spoken == ("Mail me at x dot org or see https colon slash slash a dot com slash b underscore c"
                      " question mark d equals 1.")


@pytest.mark.parametrize(("text", "spoken"), [
    ("It is -5°C, 3kg on 2024-05-01.", "It is minus 5 degrees Celsius, 3 kilograms on May 1, 2024."),
    ("$5.99 for #1", "5 dollars 99 cents for number 1"),
    ("$3.2 or $5 million or $1", "3.2 dollars or 5 million dollars or 1 dollar"),
    ("A turn of 90° now, 9.8 m/s²", "A turn of 90 degrees now, 9.8 meters per second squared"),
    ("On 2026年11月21日 it was 25度.", "On 二零二六年十一月二十一日 it was 二十五度."),
    ("a_b < x^2", "a underscore b less than x to the power of 2"),
])
def test_english_is_written_out_where_the_voice_would_drop_it(text: str, spoken: str) -> None:
    assert read(text, "en") == spoken


@pytest.mark.parametrize(("digits", "spoken"), [
    ("0", "零"), ("10", "十"), ("110", "一百一十"), ("10050", "一万零五十"), ("100000005", "一亿零五"),
    ("20020300", "二千零二万零三百"), ("007", "零零七"), ("1000000000000", "一万亿"),
])
def test_whole_numbers(digits: str, spoken: str) -> None:
    assert whole(digits) == spoken


def test_decimals() -> None:
    assert number("-1,234.50") == "负一千二百三十四点五零"


@pytest.mark.parametrize("text", ["", "   ", "……！？", "😀👍🏽", "\u200b\ufeff", "—— ** __ @"])
def test_nothing_to_say_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as told:
        read(text, "zh")
    assert told.value.code == "tts.nothing_to_say"
    assert told.value.hint


@pytest.mark.parametrize(("text", "language"), [
    ("你好 world", "zh"), ("The word 你好 means hello", "en"), ("こんにちは世界", "ja"), ("Привет", "ru"),
    ("2024", "en"),
    ("请用 TensorFlow Serving 部署模型", "zh"), ("看 https://a.example.com/b/c/d 吧", "zh"), ("", "en"),
])
def test_language_is_judged_by_what_most_of_the_text_is(text: str, language: str) -> None:
    assert language_of(text) == language


def test_cuts_lose_nothing() -> None:
    text = "你好。Привет, мир! This is one long English passage, 3 times. 안녕 " * 40 + "a" * 3000
    assert "".join(run.text for run in runs(text, "zh")) == text
    assert "".join(pieces(text)) == text
    assert max(map(len, pieces(text))) <= 240


@pytest.mark.parametrize("part", ["1", "1,", "[", "a.", "-1", "1:", "$1", "a@", "*"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_odd_long_texts_take_no_time(part: str, language: str) -> None:
    began = time.process_time()
    text = read((part * 20_000)[:20_000] + "a", language)
    assert sum(map(len, pieces(text))) == len(text)
    assert time.process_time() - began < 3


def test_short_latin_words_stay_in_the_chinese_voice() -> None:
    assert [run.language for run in runs("我用 Python 写代码", "zh")] == ["zh"]
    assert [run.language for run in runs("她说 I will be back again 然后走了", "zh")] == ["zh", "en", "zh"]
