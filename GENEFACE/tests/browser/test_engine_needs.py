"""What a person sees of weights that are missing, and of the GPU that a job got."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from tests.conftest import Installation
from visage.containers.nvidia import Gpu
from visage.jobs.job import Lane
from visage.jobs.lock import held
from visage.jobs.placing import place
from visage.jobs.store import JobStore
from visage.storage.database import open_database
from visage.storage.paths import Paths

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_missing_weights_are_listed_before_a_training(page: Page, installation: Installation) -> None:
    told = requests.get(f"{installation.url}/api/weights", timeout=10).json()["weights"]
    assert {one["name"]: one["ok"] for one in told}["bfm"] is False
    page.goto("/model_training")
    page.wait_for_selector("#engines .engine", state="attached")
    page.evaluate("document.querySelector('#make').hidden = false")  # as choosing a recording does
    card = page.locator("#engines .engine", has_text="GeneFace").first
    # the mouse alone: to a driver, all in the label of a disabled choice counts as disabled
    card.locator("details.more > summary").first.click(force=True)
    details = card.locator("details.weights")
    details.locator("summary").click(force=True)
    model = details.locator(".weight", has_text="Basel Face Model 2009")
    model.wait_for()
    assert "signed licence needed" in model.inner_text()
    assert f"{installation.home}/GeneFace-main/deep_3drecon/BFM/01_MorphableModel.mat" in model.inner_text()
    assert model.locator("code").inner_text() == "GENEFACE/scripts/weights import FILE"
    assert "unibas" in (model.locator("a").get_attribute("href") or "")
    hubert = details.locator(".weight", has_text="HuBERT")
    assert hubert.locator("code").inner_text() == "GENEFACE/scripts/weights fetch hubert"
    assert details.locator(".weight", has_text="LRS3, prepared").count() == 0, "optional ones are not missing"


def test_a_job_tells_which_gpu_it_has(page: Page, installation: Installation) -> None:
    paths = Paths(installation.home)
    engine = open_database(paths.database)
    store = JobStore(engine, paths)
    try:
        job = store.create("train", "Ada", Lane.GPU, {"device": "auto"})
        with held(store.folder(job.id) / "lock") as mine:
            assert mine and place(engine, job, [Gpu(1)], 1) == 1 and store.claim(job.id)
            page.goto(f"/model_training#job={job.id}")
            page.locator("#job .chip", has_text="on GPU1").wait_for()
            told = requests.get(f"{installation.url}/api/jobs/{job.id}", timeout=10).json()
            assert (told["device"], told["gpu"]) == ("auto", 1)
            store.cancelled(job.id)
    finally:
        engine.dispose()
