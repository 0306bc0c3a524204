"""Listeners by name: from speech to the coefficients of a mouth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from visage.drivers import load
from visage.engines.lite.listen.contract import Listener, ListenerFit
from visage.engines.lite.mouth import MouthBasis

DRIVERS = {
    "person": "visage.engines.lite.listen.person:PersonListener",
    "encoder": "visage.engines.lite.listen.encoder:EncoderListener",
    "hubert": "visage.engines.lite.listen.hubert:HubertListener",
    "mel": "visage.engines.lite.listen.mel:MelListener",
    "phones": "visage.engines.lite.listen.phones:PhoneListener",
    "sounds": "visage.engines.lite.listen.sounds:SoundListener",
    "loudness": "visage.engines.lite.listen.loudness:LoudnessListener",
}
BEST = "person"
"""The driver to use where nothing else was asked for."""

__all__ = ["BEST", "DRIVERS", "Listener", "ListenerFit", "open_listener", "restore_listener", "stored_listener"]


def open_listener(basis: MouthBasis, driver: str = BEST) -> Listener:
    """A listener for the mouth of ``basis`` that has learnt nothing yet.  Raises `UnknownDriver`."""
    return load("listener", DRIVERS, driver)(basis)


def stored_listener(listener: Listener) -> dict[str, np.ndarray]:
    """All that `restore_listener` needs except the basis, to be kept in an ``.npz`` of the avatar package."""
    name = next(name for name, target in DRIVERS.items() if target.endswith(f":{type(listener).__name__}"))
    return {"driver": np.array(name), **listener.arrays()}


def restore_listener(arrays: Mapping[str, np.ndarray], basis: MouthBasis) -> Listener:
    """The listener that `stored_listener` kept.  Raises `UnknownDriver` and `KeyError` when it is not whole."""
    driver = load("listener", DRIVERS, str(arrays["driver"]))
    return driver.from_arrays({name: arrays[name] for name in arrays if name != "driver"}, basis)
