"""The library: all that stays true without a web page."""

__version__ = "0.1.0"
