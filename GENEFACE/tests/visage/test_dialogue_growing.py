"""A growing Markdown answer gives the same words as the whole one, whatever its pieces."""

from __future__ import annotations

import random

import pytest

from visage.dialogue.growing import Plain, Thoughtless, settled
from visage.dialogue.sentences import sentences
from visage.dialogue.speakable import speakable, without_thoughts

TEXTS = (
    "你好！**世界**。<think>x</think> OK 😀",
    "# 标题\n- 一个*重点*是这样，\n- 二\n\n1. 三 `code` 好。",
    "先看代码：\n```python\nprint('a')\n```\n就这样。", "~~~\ncode\n~~~\nafter", "`` ` ``x```",
    "访问[我的网站](https://a.com/b)吧，或者 https://www.b.com/x?y=1。好的", "<https://x.org/y> fine", "[a](b",
    "| a | b |\n|---|---|\n| 1 | 2 |\nDone.", "a | b | c", "图![小猫](x.png)在这里。----\n---\n***\n好",
    "2*3*4 = 24, and some_long_name is _fine_ here. **bold text** goes.", "5 * 3 = 15，2 ** 3",
    "a <b>bold</b> thing, 3 < 4 and 5 > 2.", "a < b, c", "x <thin air> y", "a<think>b</think>c <think>d</think> e",
    "<think>monologue\n\n**x**</think>\n\n答案是 42。", "<thinking>no", "text ~~gone~~ here ~5 things",
    "unclosed **bold and more\nnext line", "**粗体，很长的一段。第二句。**然后", "> 引用\n> * x", "[笑] 你好[1]。",
    "见https://a.com是个网站。See https://a.com/b. Then go.", "😀😀", "\n\n  Hello  \n\n", "",
)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:16])
def test_the_pieces_do_not_matter(text: str) -> None:
    whole = without_thoughts(text)
    for seed in range(60):
        chance, place, shown, spoken = random.Random(seed), 0, "", ""
        open_text, plain = Thoughtless(), Plain()
        while place < len(text):
            step = chance.choice((1, 1, 2, 3, 9, 30))
            piece = open_text.feed(text[place:place + step])
            shown, spoken, place = shown + piece, spoken + plain.feed(piece), place + step
        rest = open_text.end()
        assert shown + rest == whole
        assert sentences(spoken + plain.feed(rest) + plain.end()) == sentences(speakable(whole))


@pytest.mark.parametrize(("line", "told"), [
    ("你好，世界", "你好，世界"),
    ("你好 wor", "你好 "), ("它是**重", "它是"), ("它是**重点**，", "它是**重点**，"), ("- ", ""),
    ("见[这里](htt", "见"), ("a ", "a "), ("1 < 2 ok ", "1 < 2 ok "), ("价格是$3.", "价格是"),
])
def test_only_what_may_change_is_held_back(line: str, told: str) -> None:
    assert line[:settled(line)] == told


def test_a_long_monologue_costs_little_memory() -> None:
    open_text = Thoughtless()
    assert "".join(open_text.feed(piece) for piece in ["<think>", *["hm, " * 100] * 500]) == ""
    assert len(open_text._held) < 100
    assert open_text.feed("</think> Yes.") == "Yes."
