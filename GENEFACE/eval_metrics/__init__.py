"""Measures how good a talking-face clip is, alone or against the recording it should equal."""
