"""Engines that live in an image of their own and are described by a YAML file."""
