"""The picture service: words or a picture in, another face, a clearer one, a label, and the file put into a store.

`handler` takes a job as serverless platforms hand it over, ``{"id": …, "input": {…}}``, and always answers with a
dict: the picture and every step with its time, or ``error``.
"""

from __future__ import annotations

import base64
import binascii
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field

from backend import face_swapper
from backend.exporting import Marked
from backend.face_swapper import Wanted
from backend.forms import Form, read
from backend.picture_engines import PictureEngines
from backend.picture_meter import Meter
from backend.services import Services
from visage.errors import InvalidRequest, NotInstalled, OutOfMemory, VisageError
from visage.media.images import probe_image, read_image
from visage.pictures import PictureRequest, open_pictures
from visage.storage.objects import open_objects
from visage.storage.paths import safe_name
from visage.swap.contract import Restorer
from visage.swap.faults import fault_of
from visage.swap.onnx import files as model_files
from visage.swap.options import SwapOptions, SwapRequest
from visage.swap.picture import write_picture
from visage.swap.pipeline import identity_of, swap_file
from visage.tts.cloning.consent import checksum

Handler = Callable[[Mapping[str, Any]], dict[str, Any]]
"""A job in, its answer out."""
log = logging.getLogger("visage.pictures")
_TASKS = {"face_swap": "swap", "face_enhance": "restore", "face_analysis": "recognise"}
"""Names that the service's own settings give to models, and the tasks they do."""


class PictureOrder(Form):
    """The ``input`` of a job; pictures are base64."""

    prompt: str = Field("", max_length=4000, description="what picture to begin with, in words; or give image")
    image: str = Field("", description="the picture to begin with")
    source: str = Field("", description="photo of the face that is put in; empty: none is")
    consent: str = Field("", description="id of the consent that covers the photo")
    enhance: bool = Field(True, description="make the face clearer afterwards")
    strength: float = Field(0.8, ge=0, le=1, description="share of the clearer face; less keeps more of the first one")
    engine: str = ""
    width: int = Field(512, ge=64, le=2048)
    height: int = Field(512, ge=64, le=2048)
    seed: int = Field(0, ge=0)
    name: str = Field("", max_length=120, description="name in the store; default: the job's id")


@dataclass(slots=True)
class Steps:
    """What was done, in order."""

    done: list[dict[str, Any]] = field(default_factory=list)
    """``{"name", "status", "ms"}`` of every step, and what it has to say."""

    @contextmanager
    def of(self, name: str) -> Iterator[dict[str, Any]]:
        """Time a step; what is put into the given dict is told with it."""
        told: dict[str, Any] = {"name": name, "status": "ok"}
        self.done.append(told)
        started = time.monotonic()
        try:
            yield told
        except BaseException as exc:
            told.update(status="failed", reason=str(exc))
            raise
        finally:
            told["ms"] = round((time.monotonic() - started) * 1000)
            log.info("%s: %s, %d ms %s", name, told["status"], told["ms"], told.get("reason", ""))


class PictureService:
    """The service of one process; models are opened once and kept."""

    def __init__(self, services: Services):
        self.services = services
        self.engines = PictureEngines(services)
        self.meter = Meter()
        self._models: dict[str, Path] = {}
        self._reason = ""
        self._guard = threading.Lock()

    def warm_up(self) -> None:
        """Open what the first job needs.  Raises `NotInstalled`, as in strict mode (E03)."""
        with self._guard:
            self.engines.warm_up()

    def health(self) -> dict[str, Any]:
        """What computes, and with which models, as they were found at the start; never waits for a job."""
        return {"status": "ok", **self.engines.described(),
                "models": {name: {"path": str(path), "there": path.is_file()} for name, path in self._models.items()}}

    def models_config(self) -> dict[str, Path]:
        """The file that serves each task, else the folder where it is looked for; the log names what is there."""
        root = model_files.folder(self.services.settings)
        try:
            found = model_files.scan(root)
        except NotInstalled:
            found = []
        config = {}
        for name, task in _TASKS.items():
            try:
                config[name] = model_files.choose(found, task, root).path
                log.info("模型存在: %s at %s", name, config[name])
            except NotInstalled as exc:
                config[name] = root
                log.warning("模型不存在: %s (%s)", name, exc.message)
        self._models = config
        return config

    def init_face_enhancer(self, engine: str) -> Restorer | None:
        """The restorer, opened when first needed; None when there is none, and the reason is kept for the answer."""
        try:
            return self.engines.restorer(engine or "onnx")
        except VisageError as exc:
            self._reason = exc.message
            log.warning("❌ Failed to initialize the face restorer: %s", exc.message)
            return None

    def enhance_face_quality(self, picture: Path, order: PictureOrder, folder: Path,
                             told: dict[str, Any]) -> tuple[Path, str]:
        """The picture with a clearer face and an empty reason; or the same picture and why it is the same."""
        restorer = self.init_face_enhancer(order.engine)
        if restorer is None:
            return picture, self._reason
        request = SwapRequest(picture, folder / "enhanced.png", SwapOptions(who="one", restore=order.strength))
        try:
            swapper, _ = self.engines.swapper(order.engine)
            made = swap_file(request, swapper, None, restorer)
        except VisageError as exc:
            return picture, exc.message
        told.update(restorer=restorer.title, strength=order.strength, notes=[*made.notes])
        return made.out, ""

    def process_face_swap_pipeline(self, picture: Path, photo: Path | None, order: PictureOrder, folder: Path,
                                   steps: Steps) -> Path:
        """Swap, then make clearer; a restorer that fails leaves the swapped picture and says so in its step."""
        if photo:
            with steps.of("swap") as told:
                wanted = Wanted((photo,), order.consent, order.engine, "", SwapOptions(who="one"))
                face_swapper.agreed(self.services, wanted, "picture")
                swapper, notes = self.engines.swapper(order.engine)
                request = SwapRequest(picture, folder / "swapped.png", wanted.options)
                made = swap_file(request, swapper, identity_of(swapper, [photo]))
                told.update(engine=swapper.title, provider=made.provider, notes=[*notes, *made.notes])
                picture = made.out
        if order.enhance:
            with steps.of("enhance") as told:
                picture, reason = self.enhance_face_quality(picture, order, folder, told)
                if reason:
                    told.update(status="skipped", reason=reason)
        return picture

    def handle(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a job; failures are told in it, with the steps that were done."""
        steps, number = Steps(), str(job.get("id") or "local")
        with self._guard:
            answer = self._answer(job, number, steps)
        self.meter.note(answer)
        failed = "error" in answer
        log.log(logging.ERROR if failed else logging.INFO, "%s | Time: %.3fs | %s", "Error" if failed else "Success",
                sum(step["ms"] for step in steps.done) / 1000, answer.get("error") or f"Job: {number}")
        return answer

    def _answer(self, job: Mapping[str, Any], number: str, steps: Steps) -> dict[str, Any]:
        try:
            order = read(PictureOrder, _mapping(job.get("input")))
            with tempfile.TemporaryDirectory(dir=self.services.paths.var) as folder:
                return {**self._made(order, number, Path(folder), steps), "steps": steps.done}
        except VisageError as exc:
            if isinstance(exc, OutOfMemory):
                self.engines.close()
            fault = fault_of(exc)
            return {"error": exc.message, "code": exc.code, "hint": exc.hint, "fault": fault.number if fault else None,
                    "stage": fault.stage if fault else None, "steps": steps.done}

    def _made(self, order: PictureOrder, number: str, folder: Path, steps: Steps) -> dict[str, Any]:
        with steps.of("generate") as told:
            first = self._first(order, folder, told)
        photo = _decoded(order.source, "source", folder) if order.source else None
        picture = self.process_face_swap_pipeline(first, photo, order, folder, steps)
        enhanced = any(step["name"] == "enhance" and step["status"] == "ok" for step in steps.done)
        reason = next((step.get("reason", "") for step in steps.done if step["name"] == "enhance"), "")
        with steps.of("label"):
            final = self._labelled(picture, [file for file in (first, photo) if file], folder, number, order)
        info = probe_image(final)
        answer = {"image": base64.b64encode(final.read_bytes()).decode(), "width": info.width, "height": info.height,
                  "enhanced": enhanced, "reason": reason or None, "url": None, "key": None}
        try:
            with steps.of("upload"):
                stored = open_objects(self.services.settings).put(final, f"{order.name or number}.png")
            return {**answer, "url": stored.url, "key": stored.key}
        except VisageError as exc:
            kept = self.services.paths.pictures / f"{safe_name(number, 'picture')}.png"
            kept.write_bytes(final.read_bytes())
            return {**answer, "kept": str(kept), "upload_error": exc.message}

    def _first(self, order: PictureOrder, folder: Path, told: dict[str, Any]) -> Path:
        if order.image:
            told["maker"] = "given"
            return _decoded(order.image, "image", folder)
        if not order.prompt:
            raise InvalidRequest("There is neither a picture nor words for one.", code="pictures.nothing_to_do",
                                 hint="Give image (base64) or prompt.")
        made = open_pictures(self.services.settings).make(
            PictureRequest(order.prompt, order.width, order.height, order.seed))
        told.update(maker=made.maker, generated=made.generated, notes=[made.note] if made.note else [])
        return write_picture(made.pixels, folder / "first.png", 100, None)

    def _labelled(self, picture: Path, sources: list[Path], folder: Path, number: str, order: PictureOrder) -> Path:
        """The finished picture, marked, with its own label in which those of ``sources`` live on."""
        marking = self.services.labeller.marking()
        pixels = read_image(picture)
        final = write_picture(Marked()(pixels, 0.0) if marking.visible else pixels, folder / "final.png", 100, None)
        self.services.labeller.finish(final, "picture service", "", sources)
        if order.source:
            self.services.audit.note("face.swapped", number, "", consent=order.consent, engine=order.engine,
                                     target=checksum(picture), out=final.name)
        return final


def service_of(services: Services) -> PictureService:
    """The service; models are looked for at once and named in the log."""
    service = PictureService(services)
    service.models_config()
    return service


def handler_of(services: Services) -> Handler:
    """The function that serverless platforms call."""
    return service_of(services).handle


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidRequest("The job has no input.", code="pictures.no_input",
                             hint='Send {"input": {"image": …}} as docs/faceswap.md has it.')
    return value


def _decoded(text: str, name: str, folder: Path) -> Path:
    """A picture in base64, also as a data address, as a file that is a picture by its content."""
    file = folder / name
    try:
        file.write_bytes(base64.b64decode(text.partition("base64,")[2] or text, validate=True))
    except (binascii.Error, ValueError) as exc:
        raise InvalidRequest("{field} is no picture in base64.", code="swap.base64", field=name,
                             hint="Send the file's bytes in base64, or a multipart form.") from exc
    probe_image(file)
    return file
