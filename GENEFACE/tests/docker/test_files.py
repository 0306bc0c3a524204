"""What can be said of the images and of the compose files without building anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pydantic import AliasChoices

from backend.packages import MEDIAPIPE, SILERO, TORCH
from visage.config import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILES = {name: (ROOT / "docker" / name / "Dockerfile").read_text(encoding="utf-8")
               for name in ("app", "lite", "tts", "eval")}
SHARED = ("# --- what computes", "# --- to here")


def shared_lines(name: str) -> str:
    text = DOCKERFILES[name]
    return text[text.index(SHARED[0]):text.index(SHARED[1])]


def names(file: Path) -> set[str]:
    """The packages of a requirements file."""
    return {found[0].lower().replace("_", "-") for line in file.read_text(encoding="utf-8").splitlines()
            if (found := re.match(r"[A-Za-z][\w.-]*", line))}


def test_what_computes_is_built_alike_so_that_images_share_layers() -> None:
    assert shared_lines("app") == shared_lines("lite") == shared_lines("eval")


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_says_which_python_who_runs_it_and_how_it_is_stopped(name: str) -> None:
    lines = DOCKERFILES[name].splitlines()
    assert "ARG BASE_IMAGE=python:3.11-slim-bookworm" in lines
    # the evaluation writes beside the videos it is given, whoever they belong to
    assert ("USER 1000:1000" in lines) == (name != "eval")
    assert [line for line in lines if line.startswith("STOPSIGNAL ")]


@pytest.mark.parametrize("name", ["app", "lite", "eval"])
def test_the_two_special_packages_are_those_of_the_set_up(name: str) -> None:
    assert f"ARG TORCH={TORCH}+cpu" in DOCKERFILES[name]
    assert f"--no-deps mediapipe=={MEDIAPIPE} " in DOCKERFILES[name]


def test_the_app_hears_with_the_network_of_the_set_up() -> None:
    assert f"--no-deps silero-vad=={SILERO}\n" in DOCKERFILES["app"]


@pytest.mark.parametrize("name", ["lite", "tts"])
def test_versions_come_from_requirements_alone(name: str) -> None:
    packages = ROOT / "docker" / name / "packages.txt"
    assert names(packages) <= names(ROOT / "requirements.txt")
    assert not re.search(r"^[^#]*[<>=]", packages.read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("name", DOCKERFILES)
def test_what_is_copied_is_in_the_build_context(name: str) -> None:
    admitted = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
                if line.startswith("!")}
    for line in re.findall(r"^COPY (.+)$", DOCKERFILES[name], re.M):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert source.split("/")[0] in admitted, source


def test_compose_has_the_three_services_on_the_hosts_network() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    assert services.keys() == {"tts", "web", "worker"}
    for service in services.values():
        assert service["network_mode"] == "host"
        assert service["healthcheck"]["test"][:3] == ["CMD", "visage", "healthy"], "asked with what the image has"
        assert (service["init"], service["read_only"], service["cap_drop"]) == (True, True, ["ALL"])
        assert not [word for word in service["volumes"] if "docker.sock" in word]
    for file in ("docker-compose.engines.yml", "docker-compose.gpu.yml"):
        added = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))
        assert added["services"].keys() == {"web", "worker"}


def test_compose_hands_through_every_setting_and_no_other() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    given = set(re.findall(r"^ {4,6}([A-Z][A-Z0-9_]+):", text, re.M))
    ours = {f"VISAGE_{name.upper()}" for name in Settings.model_fields}
    older = {str(choice) for field in Settings.model_fields.values()
             if isinstance(field.validation_alias, AliasChoices) for choice in field.validation_alias.choices} - ours
    assert given == ours | older
