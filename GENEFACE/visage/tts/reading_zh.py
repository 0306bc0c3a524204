"""Chinese text with every number, date, unit, sign and address written out in characters."""

from __future__ import annotations

import re
from collections.abc import Callable

from visage.tts.numbers_zh import LONGEST, digits, number, whole
from visage.tts.reading_en import ADDRESS, spell_address

_UNITS = {
    "km/h": "公里每小时", "mph": "英里每小时", "m/s²": "米每二次方秒",
    "m/s": "米每秒", "kWh": "千瓦时", "kg": "千克", "mg": "毫克", "km": "公里", "cm": "厘米",
    "mm": "毫米", "nm": "纳米", "μm": "微米", "ms": "毫秒", "ml": "毫升", "mL": "毫升", "kHz": "千赫", "MHz": "兆赫",
    "GHz": "吉赫", "Hz": "赫兹", "kW": "千瓦", "dB": "分贝", "km²": "平方公里", "m²": "平方米", "m³": "立方米",
    "cm²": "平方厘米", "fps": "帧每秒", "px": "像素", "min": "分钟", "h": "小时", "s": "秒", "m": "米", "g": "克",
    "t": "吨", "L": "升", "W": "瓦", "V": "伏", "A": "安",
    "KB": "千字节", "MB": "兆字节", "GB": "吉字节", "TB": "太字节",
}
_MONEY = {"¥": "元", "￥": "元", "$": "美元", "€": "欧元", "£": "英镑"}
_ADDRESS = {"://": "冒号双斜杠 ", ".": "点 ", "/": "斜杠 ", "@": "艾特 ", "-": "横杠 ", "_": "下划线 ", "?": "问号 ",
            "=": "等于 ", "&": "和 ", "#": "井号 ", "%": "百分号 ", ":": "冒号 ", "+": "加号 ", "~": "波浪号 "}
_D = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
_N = rf"(?<![\d.])([-−–]?{_D})(?!\d)"
_TO = r"\s?(?:[-–—~～]|至)\s?"
_COUNTED = "个位只条张次种件本台天小时双倍把辆层名家座颗份岁点口间片杯步遍回块周"
_SIGNS = {"&": "和", "@": "艾特", "#": "井号", "+": "加", "=": "等于", "×": "乘", "÷": "除以", "<": "小于", ">": "大于",
          "≤": "小于等于", "≥": "大于等于", "≠": "不等于", "≈": "约等于", "±": "正负", "%": "百分号", "‰": "千分号",
          "°": "度", "№": "号", "©": "版权", "®": "注册商标", "™": "商标", "→": "到", "←": "向左",
          "^": "的幂", "_": "下划线",
          "*": "星号", "/": "斜杠", "\\": "反斜杠", "²": "平方", "³": "立方", "$": "美元", "¥": "元",
          "€": "欧元", "£": "英镑", "√": "根号", "∞": "无穷", "Ω": "欧姆", "μ": "微", "§": "章节"}


def _date(match: re.Match[str]) -> str:
    year, month, day = match[1], int(match[2]), int(match[3])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    return f"{digits(year)}年{whole(str(month))}月{whole(str(day))}日"


def _clock(match: re.Match[str]) -> str:
    hour, minute, second = int(match[1]), int(match[2]), match[3]
    if hour > 24 or minute > 59:
        return f"{number(match[1])}比{number(match[2])}"
    spoken = ("两" if hour == 2 else whole(str(hour))) + "点"
    if minute:
        spoken += ("零" if minute < 10 else "") + whole(str(minute)) + "分"
    elif second is None:
        spoken += "整"
    return spoken + (whole(str(int(second))) + "秒" if second else "")


def _temperature(match: re.Match[str]) -> str:
    scale = {"C": "摄氏", "F": "华氏"}.get(match[2] or "", "")
    value = number(match[1])
    return (f"零下{value[1:]}" if scale and value.startswith("负") else value) + scale + "度"


def _after_letters(match: re.Match[str]) -> str:
    return match[1] + " " + (whole(match[2]) if len(match[2]) <= 2 else digits(match[2])) + " "


_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (ADDRESS, lambda match: " " + re.sub(r"\d+", lambda run: digits(run[0]), spell_address(match[0], _ADDRESS))),
    (re.compile(rf"(?:(?<=\d)(\.))?(\d{{{LONGEST + 1},}})"),  # first, so that no later rule meets endless digits
     lambda match: ("点" if match[1] else "") + digits(match[2])),
    (re.compile(r"(?<!\d)(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})(?!\d)日?"), _date),
    (re.compile(r"(?<!\d)(\d{4})\s?[-–—~～至到]\s?(\d{4})(?=年)"),
     lambda match: f"{digits(match[1])}到{digits(match[2])}"),
    (re.compile(r"(?<![A-Za-z])[Nn][Oo]\.\s?(?=\d)"), "第"),
    (re.compile(r"(?<![\d.])([12]\d{3}|\d\d)(?=年(?!级|代?以|后|前|来|的历史))"), lambda match: digits(match[1])),
    (re.compile(r"(?<![\d.:])(\d{1,2})[:：](\d\d)(?:[:：](\d\d))?(?![\d:：])整?"), _clock),
    (re.compile(r"(?<!\d)(\d+)\s?[:：]\s?(\d+)(?!\d)"), lambda match: f"{number(match[1])}比{number(match[2])}"),
    (re.compile(r"(?<!\d)(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})(?!\d)"),
     lambda match: "，".join(digits(part, "幺") for part in match.groups())),
    (re.compile(r"(?<!\d)(0\d{2,3})-(\d{7,8})(?!\d)"),
     lambda match: digits(match[1], "幺") + "，" + digits(match[2], "幺")),
    (re.compile(rf"({_D})(%|‰)?{_TO}({_D})(%|‰)"),
     lambda match: f"{match[1]}{match[2] or match[4]}到{match[3]}{match[4]}"),
    (re.compile(rf"(?<=\d)\s?[-−–]\s?(?={_D}\s?=)"), "减"),
    (re.compile(rf"({_D}){_TO}(?={_D})(?![\d-]+-)"), r"\1到"),
    (re.compile(r"([¥￥$€£])\s?(" + _D + r")([万亿]?)"),
     lambda match: number(match[2]) + match[3] + _MONEY[match[1]]),
    (re.compile(_N + r"\s?°\s?([CF])?(?![A-Za-z])"), _temperature),
    (re.compile(_N + r"\s?([%‰])"), lambda match: ("负" if match[1][0] in "-−–" else "")
     + ("百分之" if match[2] == "%" else "千分之") + number(match[1].lstrip("-−–"))),
    (re.compile(_N + r"\s?(" + "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
                + r")(?![A-Za-z0-9/²³])"),
     lambda match: number(match[1]) + _UNITS[match[2]]),
    (re.compile(r"(?<![\d/])(\d{1,3})/(\d{1,4})(?![\d/])"), lambda match: f"{whole(match[2])}分之{whole(match[1])}"),
    (re.compile(r"\d+(?:\.\d+){2,}"), lambda match: "点".join(whole(part) for part in match[0].split("."))),
    (re.compile(r"(?<=\d)\s?[*×xX]\s?(?=\d)"), "乘"),
    (re.compile(r"(?<=\d)\s?[-−]\s?(?=\d)"), "减"),
    (re.compile(r"([A-Za-z])-?(\d+)(?![\d.])"), _after_letters),
    (re.compile(r"(?<![\d.])2(?=[" + _COUNTED + r"])"), "两"),
    (re.compile(r"(?<![A-Za-z0-9_-])[-−](?=\d)"), "负"),
    (re.compile(_D), lambda match: number(match[0])),
    (re.compile(r"(?<=[A-Za-z])\+\+"), "加加"),
    (re.compile(r"(?<=[\u4e00-\u9fff])\s?/\s?(?=[\u4e00-\u9fff])"), "，"),
    (re.compile(r"[|｜]"), "，"),
    (re.compile("[" + re.escape("".join(_SIGNS)) + "]"), lambda match: _SIGNS[match[0]]),
)


def read_chinese(text: str) -> str:
    """Chinese text, with Latin words left in place, as a Chinese voice should get it."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
