"""The label itself: the seven fields of GB 45438-2025, annex E, as one line of JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

FIELD = "AIGC"
"""Name of the metadata field, the same in every format."""
MADE = "1"
"""Value of ``Label`` for what is certainly generated or synthesised; "2" means probably, "3" suspected."""
_MOST_SOURCES = 50
"""Inputs that a label names, the newest."""
_LONGEST = 1 << 16
"""Characters of a label that are looked at."""
_NAMES = {"kind": "Label", "producer": "ContentProducer", "made_as": "ProduceID", "seal": "ReservedCode1",
          "propagator": "ContentPropagator", "passed_as": "PropagateID", "sources": "ReservedCode2"}


@dataclass(frozen=True, slots=True)
class Label:
    """Who made a file with a machine, and under which number."""

    kind: str = MADE
    """``Label``: "1" for what a machine made."""
    producer: str = ""
    """``ContentProducer``: name or code of who offers the service that made it."""
    made_as: str = ""
    """``ProduceID``: the producer's number of it."""
    seal: str = ""
    """``ReservedCode1``: what protects the label; see `visage.trust.seals`."""
    propagator: str = ""
    """``ContentPropagator``: who passed it on."""
    passed_as: str = ""
    """``PropagateID``: the propagator's number of it."""
    sources: str = ""
    """``ReservedCode2``: labels of what it was made from, as `Label.made_from` writes them."""

    def dumps(self) -> str:
        """The JSON that files carry."""
        return json.dumps({name: getattr(self, field) for field, name in _NAMES.items()}, ensure_ascii=False,
                          separators=(",", ":"))

    def made_from(self, labels: Sequence[Label]) -> Label:
        """This label of something made from labelled inputs: who made those, and theirs, stays readable in it."""
        told = []
        for one in labels:
            told += [*_listed(one.sources), {"ContentProducer": one.producer, "ProduceID": one.made_as}]
        kept = [source for place, source in enumerate(told) if source not in told[:place]][-_MOST_SOURCES:]
        return replace(self, sources=json.dumps(kept, ensure_ascii=False, separators=(",", ":")) if kept else "")

    def passed_on(self, by: str, number: str) -> Label:
        """The label of the same content after somebody passed it on unchanged: its producer stays."""
        return replace(self, propagator=by, passed_as=number)


def _listed(sources: str) -> list[Any]:
    """What `Label.made_from` wrote; a text of somebody else's as one entry."""
    try:
        told = json.loads(sources) if sources else []
    except ValueError:
        told = sources
    return told if isinstance(told, list) else [told]


def parsed(text: str) -> Label | None:
    """The label that a metadata field holds; None when it is none."""
    try:
        told = json.loads(text[:_LONGEST])
    except ValueError:
        return None
    if not isinstance(told, dict) or not told.get("Label"):
        return None
    values = {field: told.get(name, "") for field, name in _NAMES.items()}
    return Label(**{field: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                    for field, value in values.items()})
