"""From the page to the played video, with training and rendering in containers of a real Docker engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
import yaml

from tests.browser.test_whole_way import MINUTE, PLAYED
from tests.conftest import ROOT, SHARED, Installation, run_product
from tests.docker.shell_engine import install
from tests.docker.shell_image import ready_shell
from tests.web.test_api import talking_clip  # noqa: F401 - a fixture

if TYPE_CHECKING:
    import docker
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser]
REAL = SHARED / "videos/de_anchor_20s.mp4"


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory, docker_engine: docker.DockerClient, lite_image: str
                 ) -> Iterator[Installation]:
    """The product with two more engines: ours in a container, and one that wants a GPU that is not there."""
    home = tmp_path_factory.mktemp("containers").resolve()
    install(home, ready_shell(docker_engine), "Carded", gpu="required")
    told = yaml.safe_load((ROOT / "docker/lite/engine.yaml").read_text())
    told["image"] = lite_image
    told["train"]["argv"] += ["--seconds", "20"]
    (home / "engines/lite.yaml").write_text(yaml.safe_dump(told))
    with run_product(home, VISAGE_GPU_SLOTS="1") as running:
        yield running


@pytest.fixture
def speaker(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A real recording where this machine has one, else one that the product made."""
    if REAL.is_file():
        return REAL
    (tmp_path / "speaker.mp4").write_bytes(request.getfixturevalue("talking_clip"))
    return tmp_path / "speaker.mp4"


def start_training(page: Page, video: Path, engine: str, name: str) -> None:
    page.goto("/model_training")
    page.set_input_files("#source input[type=file]", str(video))
    page.wait_for_selector("#make:not([hidden])", timeout=2 * MINUTE)
    page.fill("#name", name)
    page.locator(f"input[name=engine][value={engine}]").check(force=True)
    page.click("#make button[type=submit]")
    page.wait_for_selector("#job .chip", timeout=MINUTE)


def test_a_face_trained_in_a_container_speaks_in_the_browser(page: Page, installation: Installation,
                                                            speaker: Path) -> None:
    start_training(page, speaker, "LiteContainer", "Boxed face")
    page.wait_for_selector("#job a[href*='/video_generation']", timeout=5 * MINUTE)
    avatar = requests.get(f"{installation.url}/api/avatars", timeout=20).json()["avatars"][0]
    assert (avatar["engine"], avatar["name"]) == ("LiteContainer", "Boxed face")
    page.click("#job a[href*='/video_generation']")
    page.wait_for_selector("#faces *")
    page.fill("#text", "I was trained in a container.")
    page.click("#make")
    page.wait_for_function(PLAYED, timeout=3 * MINUTE)
    clip = requests.get(f"{installation.url}/api/clips", timeout=20).json()["clips"][0]
    assert clip["avatar"] == avatar["id"]
    assert clip["url"].startswith(f"/static/videos/litecontainer_{avatar['id']}_")


def test_the_page_says_what_docker_says_of_a_missing_gpu(page: Page, speaker: Path) -> None:
    start_training(page, speaker, "Carded", "Nobody")
    page.wait_for_selector("#job .notice", timeout=MINUTE)
    told = page.inner_text("#job")
    assert "GPU" in told
    assert "nvidia-ctk" in told
    page.click("#language-button")
    page.wait_for_function("() => /[\\u4e00-\\u9fff]/.test(document.querySelector('#job .notice').innerText)")
