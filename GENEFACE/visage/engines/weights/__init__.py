"""Files that engines need beside their code: what they are, whether they are here, and how they get here."""

from visage.engines.weights.check import Finding, look, missing
from visage.engines.weights.table import Weight, find, weights

__all__ = ["Finding", "Weight", "find", "look", "missing", "weights"]
