"""How a clip and its ground truth were brought together, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eval_metrics.report import numbers
from eval_metrics.report.markup import Html, both, join, known, sentence, tag
from eval_metrics.report.page import notice, section
from eval_metrics.report.plain import number_in, text_in

_FILE = ("name", "picture", "fps", "frames", "seconds", "codec", "sound")
_TOLD = {
    "pred",
    "truth",
    "fps",
    "clock",
    "offset",
    "size",
    "resampled",
    "truth_cropped",
    "truth_scaled",
    "frames",
    "region",
    "measured",
    "stride",
    "faces",
}
"""Facts that have words of their own; others stand under their own names."""


def facts(result: Mapping[str, Any]) -> Html:
    """Both files side by side, and what was done to make them comparable."""
    pair = result.get("pair") or {}
    files = [held for held in (pair.get("pred"), pair.get("truth")) if isinstance(held, Mapping)]
    shown = [tag("div", tag("dt", name), tag("dd", value)) for name, value in _together(result, pair)]
    return section(
        "facts.title",
        tag("div", _files(files) if files else None, tag("dl", shown, class_="facts"), class_="card stack brought"),
        _notes(pair),
        lead="facts.lead",
    )


def _notes(pair: Mapping[str, Any]) -> Html | None:
    note = text_in((pair.get("offset") or {}).get("note")) if isinstance(pair.get("offset"), Mapping) else ""
    return tag("div", notice(both("facts.no_offset", why=sentence(note))), class_="notices") if note else None


def _files(files: list[Mapping[str, Any]]) -> Html:
    """A row a property, a column a file."""
    head = tag(
        "tr", tag("td"), [tag("th", both(key), scope="col") for key in ("moments.pred", "moments.truth")[: len(files)]]
    )
    rows = [
        tag("tr", tag("th", both(f"file.{key}"), scope="row"), [tag("td", _file_value(key, file)) for file in files])
        for key in _FILE
    ]
    return tag("div", tag("table", head, rows, class_="files"), class_="files-room")


def _file_value(key: str, file: Mapping[str, Any]) -> Html:
    number = number_in(file.get(key))
    if key == "picture":
        return join([numbers.size(file.get("width"), file.get("height"))])
    if key == "sound":
        return _sound(file)
    if key == "fps" and file.get("variable_rate"):
        return join([_rate(number), " · ", both("file.variable")])
    shown = {"fps": _rate, "frames": numbers.count, "seconds": _seconds}.get(key)
    return join([shown(number) if shown else text_in(file.get(key)) or "–"])


def _sound(file: Mapping[str, Any]) -> Html:
    if not file.get("sound_codec"):
        return both("file.silent")
    rate, length = number_in(file.get("sound_rate")), number_in(file.get("sound_seconds"))
    parts = (
        text_in(file.get("sound_codec")),
        f"{rate / 1000:g}\u00a0kHz" if rate else "",
        _seconds(length) if length else "",
    )
    return join([" · ".join(part for part in parts if part)])


def _rate(fps: float | None) -> str:
    return "–" if fps is None else f"{float(f'{fps:.5g}'):g}\u00a0fps"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}\u00a0s"


def _together(result: Mapping[str, Any], pair: Mapping[str, Any]) -> list[tuple[Html, Html]]:
    """Name and value of what was done, in the order in which it matters."""
    said: list[tuple[Html, Html]] = []

    def add(key: str, value: Any) -> None:
        said.append((both(f"fact.{key}") if known(f"fact.{key}") else join([key.replace("_", " ")]), join([value])))

    if number_in(pair.get("fps")):
        clock = text_in(pair.get("clock"))
        add(
            "fps",
            [
                _rate(number_in(pair["fps"])),
                [" · ", both(f"clock.{clock}")] if pair.get("truth") and known(f"clock.{clock}") else None,
            ],
        )
    if number_in(pair.get("frames")):
        add("frames", numbers.count(number_in(pair["frames"])))
    if number_in(pair.get("measured")):
        add("measured", numbers.count(number_in(pair["measured"])))
    if (number_in(pair.get("stride")) or 1) > 1:
        add("stride", both("stride", n=numbers.count(number_in(pair["stride"]))))
    if isinstance(pair.get("faces"), Mapping):
        add(
            "faces",
            " / ".join(numbers.count(number_in(count)) for count in pair["faces"].values() if count is not None),
        )
    region = text_in(result.get("region"))
    if region:
        add("region", both(f"region.{region}") if known(f"region.{region}") else region)
    if pair.get("truth"):
        add("offset", _offset(pair.get("offset")))
        add("resampled", _resampled(pair.get("resampled")))
        add("fitted", _fitted(pair))
    for key, value in pair.items():
        if key not in _TOLD and value not in (None, "", [], {}):
            add(key, both("yes" if value else "no") if isinstance(value, bool) else sentence(numbers.plain(value)))
    if number_in(result.get("seconds")) is not None:
        add("seconds_taken", numbers.seconds(number_in(result["seconds"])))
    return said


def _offset(offset: Any) -> Html:
    """By how much the clip comes late, and where that is known from."""
    held = offset if isinstance(offset, Mapping) else {"frames": number_in(offset)}
    frames, seconds = number_in(held.get("frames")) or 0.0, number_in(held.get("seconds"))
    way = "offset.none" if frames == 0 else "offset.late" if frames > 0 else "offset.early"
    told = both(way, n=numbers.count(abs(frames)), ms="" if seconds is None else f"{abs(seconds) * 1000:.0f}")
    source = f"source.{text_in(held.get('source'))}"
    return join([told, [" · ", both(source)] if known(source) and held.get("found", True) else None])


def _resampled(resampled: Any) -> Html:
    names = [name for name in ("pred", "truth") if isinstance(resampled, Mapping) and resampled.get(name)]
    return both("resampled." + ("both" if len(names) == 2 else names[0] if names else "none"))


def _fitted(pair: Mapping[str, Any]) -> Html:
    """What was done to the ground truth's pictures so that they are as large as the clip's."""
    crop, scaled, size = (pair.get(key) for key in ("truth_cropped", "truth_scaled", "size"))
    parts = [
        both("fitted.cropped", part=numbers.size(*crop[2:])) if isinstance(crop, list) and len(crop) == 4 else None,
        both("fitted.scaled", size=numbers.size(*size))
        if scaled and isinstance(size, list) and len(size) == 2
        else None,
    ]
    there = [part for part in parts if part is not None]
    return join([there[0], [", ", there[1]] if len(there) > 1 else None]) if there else both("fitted.none")
