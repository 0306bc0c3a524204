"""Landmarks by the general model."""

from inference.stand_in_motion import run

run("VAE")
