"""A responder without network or weights: it says what it is, and can greet, tell the time, add up and repeat."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime

from visage.config import Settings
from visage.llm.contract import Answer, Message
from visage.llm.line import Pieces
from visage.llm.sums import solve

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_WEEKDAYS = "一二三四五六日"

_HOW = {
    "en": "I am the built-in offline responder, not a language model. For real answers, set ZHIPU_API_KEY, "
          "or VISAGE_OPENAI_BASE_URL for a server of your own, and start again.",
    "zh": "我是内置的离线应答器，不是语言模型。要得到真正的回答，请设置 ZHIPU_API_KEY，"
          "或用 VISAGE_OPENAI_BASE_URL 指向自己的服务器，然后重新启动。",
}
_CAN = {
    "en": "I can greet you, tell the time and the date, do small sums, and repeat what I heard.",
    "zh": "我会打招呼、报时间和日期、做简单的算术，还能复述我听到的话。",
}
_RULES: tuple[tuple[str, str], ...] = (
    ("who", r"\b(who|what) are you\b|\byour name\b|\bintroduce yourself\b|你是谁|你是什么|你叫什么|介绍.{0,3}自己"),
    ("can", r"\bwhat can you do\b|\bhelp\b|你会什么|你会做什么|你能做什么|能干什么|帮助"),
    ("time", r"\bwhat time\b|\bthe time\b|几点|时间"),
    ("date", r"\b(what|which) day\b|\bdate\b|\btoday\b|几号|几月|日期|星期几|周几|礼拜几|今天"),
    ("thanks", r"\bthank(s| you)\b|谢谢|多谢|感谢"),
    ("bye", r"\b(good ?bye|bye|see you)\b|再见|拜拜|回头见"),
    ("hello", r"^\W*(hello|hi|hey|good (morning|afternoon|evening))\b|你好|您好|早上好|下午好|晚上好|大家好"),
)
_SAY = {
    "en": {"hello": "Hello! I can hear you.", "thanks": "You are welcome.",
           "bye": "Goodbye, and thank you for the talk."},
    "zh": {"hello": "你好！我听得到你。", "thanks": "不客气。", "bye": "再见，谢谢你和我聊天。"},
}


class OfflineResponder:
    """Answers from a few rules, in Chinese or English as it was asked; the same question gets the same answer."""

    name = "offline"

    def __init__(self, settings: Settings | None = None, clock: Callable[[], datetime] = datetime.now):
        del settings
        self._clock = clock

    def stream(self, messages: Sequence[Message]) -> Answer:
        """The answer to the last question, in a few pieces.  Never fails."""
        asked = [message.text.strip() for message in messages if message.role == "user"]
        first = not any(message.role == "assistant" for message in messages)
        answer = self._answer(asked[-1] if asked else "", first)
        pieces = re.findall(r".+?(?:[。！？，.!?,](?:\s+|$|(?=[\u3400-\u9fff]))|$)", answer, re.DOTALL)
        return Pieces(piece for piece in pieces)

    def _answer(self, question: str, first: bool) -> str:
        language = "zh" if _CHINESE.search(question) else "en"
        result = solve(question)
        if result is not None:
            return self._sum(result, language)
        topic = next((name for name, pattern in _RULES if re.search(pattern, question, re.IGNORECASE)), "")
        space = " " if language == "en" else ""
        if topic in {"who", "can"}:
            parts = (_HOW[language], _CAN[language]) if topic == "who" else (_CAN[language], _HOW[language])
            return space.join(parts)
        if topic == "time":
            return self._clock().strftime("It is %H:%M." if language == "en" else "现在是%H点%M分。")
        if topic == "date":
            return self._date(language)
        said = _SAY[language].get(topic) or self._echo(question, language, first)
        return f"{said}{space}{_HOW[language]}" if first and topic not in {"thanks", "bye"} else said

    def _date(self, language: str) -> str:
        now = self._clock()
        if language == "zh":
            return f"今天是{now.year}年{now.month}月{now.day}日，星期{_WEEKDAYS[now.weekday()]}。"
        return now.strftime("Today is %A, %B ") + f"{now.day}, {now.year}."

    @staticmethod
    def _echo(question: str, language: str, first: bool) -> str:
        words = question.strip("。.!！?？ ")[:200]
        if language == "zh":
            return f"我听到的是：{words}。" + ("" if first else "离线时我答不了这个问题。")
        return f"I heard: {words}." + ("" if first else " While offline I cannot answer that.")

    @staticmethod
    def _sum(result: float, language: str) -> str:
        if math.isnan(result):
            return "Nothing can be divided by zero." if language == "en" else "不能除以零。"
        number = f"{result:.10g}"
        return f"That makes {number}." if language == "en" else f"等于{number}。"
