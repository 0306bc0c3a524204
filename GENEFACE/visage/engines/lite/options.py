"""What a request may ask of this engine beyond the contract, validated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visage.engines.contract import TrainRequest
from visage.engines.lite.modes import Mode, find_mode, learning_seconds
from visage.errors import InvalidRequest

_KNOWN = ("quality", "seconds", "preview", "losses", "photo", "end")


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """Options of training."""

    mode: Mode
    """How the face is learnt: the option ``quality``."""
    seconds: float
    """Wall seconds of the learn stage."""
    preview: Path
    """Where the preview JPEG goes."""
    losses: Path
    """Where the loss points go, as JSON lines."""
    photo: bool | None
    """Whether the source is a photo; None: find out."""
    end: float | None
    """Seconds of the recording to use, from its start; None: all."""

    @classmethod
    def read(cls, request: TrainRequest) -> TrainOptions:
        """The options of a request.  Raises `InvalidRequest` for an unknown one or a wrong value."""
        given: Mapping[str, Any] = request.options
        for name in given:
            if name not in _KNOWN:
                raise InvalidRequest("The built-in engine has no option {name!r}.", code="lite.option_unknown",
                                     hint="There are: {known}.", name=name, known=", ".join(_KNOWN))
        work = request.avatar / "work"
        mode = find_mode(given.get("quality"))
        usual = learning_seconds(mode, mode.seconds, request.epochs, request.device)
        return cls(mode=mode, seconds=_positive(given, "seconds", usual),
                   preview=Path(given.get("preview") or work / "preview.jpg"),
                   losses=Path(given.get("losses") or work / "losses.jsonl"),
                   photo=given.get("photo"),
                   end=_positive(given, "end", None))


def _positive(given: Mapping[str, Any], name: str, default: Any) -> Any:
    value = given.get(name)
    if value is None:
        return default
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number < 1e6:
        raise InvalidRequest("The option {name} must be a number of seconds above 0.", code="lite.option_wrong",
                             hint="For example 420.", name=name)
    return number
