"""Figures of a live conversation out of what pages and talkers measured, each with its spread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

STAGES = ("turn_end", "asr", "llm", "tts", "render", "mux", "play")


def spread(values: Iterable[float | None], digits: int = 1) -> dict[str, float | int | None]:
    """Count, median, 95th percentile, smallest and largest of the values that there are."""
    known = [value for value in values if value is not None]
    if not known:
        return {"count": 0, "median": None, "p95": None, "min": None, "max": None}
    middle, high = np.percentile(known, [50, 95])
    return {"count": len(known), "median": round(float(middle), digits), "p95": round(float(high), digits),
            "min": round(min(known), digits), "max": round(max(known), digits)}


def first_frames(measured: Mapping[str, Any]) -> dict[str, Any]:
    """``first_frame_ms`` and ``stages_ms`` of the spoken turns that a page measured."""
    turns = [turn for turn in measured["turns"] if not turn["typed"] and turn["first_frame_ms"] is not None]
    all_of_them = spread(turn["first_frame_ms"] for turn in turns)
    staged: dict[str, list[tuple[float, float]]] = {name: [] for name in STAGES}
    for turn in turns:
        for stage in turn["stages"] or ():
            staged.setdefault(stage["name"], []).append((stage["start_ms"], stage["end_ms"]))
    return {
        "first_frame_ms": {"median": all_of_them["median"], "p95": all_of_them["p95"]},
        "stages_ms": {name: spread(end - start for start, end in spans)["median"] for name, spans in staged.items()},
        "spread": {
            "first_frame_ms": all_of_them,
            "play_ms": spread(turn["play_ms"] for turn in turns),
            "stages_ms": {name: {"took": spread(end - start for start, end in spans),
                                 "ended": spread(end for _, end in spans)} for name, spans in staged.items()}}}


def course(measured: Mapping[str, Any]) -> dict[str, Any]:
    """``av_offset_ms`` (the largest, either way) and ``stalls`` of a conversation that a page measured."""
    offsets: Sequence[float] = measured["offsets"]
    beside = spread((abs(offset) for offset in offsets), 2)
    p99 = round(float(np.percentile(np.abs(offsets), 99)), 2) if offsets else None
    return {"av_offset_ms": beside["max"], "stalls": measured["stalls"],
            "spread": {"av_offset_ms": {**beside, "p99": p99,
                                        "mean": round(float(np.mean(offsets)), 2) if offsets else None},
                       "seconds_spoken": round(sum(turn["seconds"] or 0 for turn in measured["turns"]), 1),
                       "turns": len(measured["turns"])}}


def interruptions(measured: Mapping[str, Any]) -> dict[str, Any]:
    """``bargein_ms``: 95 of 100 times the avatar was still so many ms after the user began; with all its spread."""
    by_voice = [each for each in measured["interruptions"] if each["by"] == "voice"]
    kept = spread(each["ms"] for each in by_voice if each["kept"])
    spoken = sum(1 for turn in measured["turns"] if turn["first_frame_ms"] is not None)
    return {"bargein_ms": kept["p95"],
            "spread": {"bargein_ms": {**kept, "taken_back": sum(not each["kept"] for each in by_voice),
                                      "answers_shown": spoken}}}
