"""Landmarks by a person's own postnet."""

from inference.stand_in_motion import run

run("VAE and postnet")
