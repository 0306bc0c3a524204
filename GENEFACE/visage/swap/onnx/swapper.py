"""Driver ``onnx``: detector, recogniser and inswapper network behind the seam of face swapping."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np

from visage.config import Settings
from visage.errors import BadImage, InvalidRequest
from visage.swap.contract import Embedding, Face, Identity, Look, Patch
from visage.swap.onnx import describing, emap, recognise
from visage.swap.onnx.detect import SIDE, Found, find
from visage.swap.onnx.finding import find_hard
from visage.swap.onnx.geometry import align, cut
from visage.swap.onnx.kit import Kit
from visage.swap.onnx.ladder import Rung
from visage.swap.onnx.painting import BOOSTS, latent, paint
from visage.swap.onnx.painting import SIDE as CROP
from visage.swap.onnx.paste import patch, soft_square
from visage.swap.onnx.providers import Wish


@dataclass(frozen=True, slots=True)
class Style:
    """How a face is put in."""

    strength: float = 1.0
    """Of the identity: 1 is the photo's, 0 the target's own."""
    boost: int = 1
    """How many times finer than 128 pixels the painted crop is; each step costs its square in time."""
    side: int = SIDE
    """Of the square that the detector sees, pixels; a multiple of 32."""
    spare_covered: bool = True
    """Whether hands and things before the face stay, where a model for that is there."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What this engine keeps of an identity."""

    raw: np.ndarray
    """float32 [512], as the recogniser gave it."""
    latent: np.ndarray
    """float32 [1, 512], ready for the network at strength 1."""


class OnnxSwapper:
    """Puts a face in with an inswapper network.  Raises `NotInstalled` (E02) which names what is missing."""

    name = "onnx"
    recolour = False

    def __init__(self, settings: Settings, style: Style | None = None, *, wish: Wish | None = None,
                 runtime: Any = None, threads: int = 0) -> None:
        """``wish`` instead of the settings' says who shall compute; ``threads`` of one session, 0: all cores."""
        self.style = style or Style()
        if self.style.boost not in BOOSTS:
            raise InvalidRequest("There is no pixel boost {boost}.", code="swap.boost_unknown",
                                 hint="Choose a pixel boost of 1 to 4.", boost=self.style.boost)
        self.kit = Kit(settings, {"detect": "", "recognise": "", "swap": ""}, {"landmarks": "", "occlude": ""},
                       wish=wish, runtime=runtime, threads=threads)
        sha256 = self.kit.fingerprint("recognise")
        self.space = recognise.space_of(sha256)
        model = self.kit.networks["swap"].model
        self._emap = emap.load(model.path, model.graph, self.kit.fingerprint("swap"), self.kit.cache)
        if sha256 not in self.kit.networks["recognise"].model.spec.hashes:
            self.kit.note(f"{self.kit.networks['recognise'].model.path.name} is not the published recogniser; "
                          "inswapper understands that one alone, so the likeness may suffer.")

    @property
    def title(self) -> str:
        """What a person reads: the model, and what is not as usual."""
        told = [self.kit.networks["swap"].model.path.stem]
        if self.style.boost > 1:
            told.append(f"{self.style.boost}x pixels")
        if self.style.strength != 1.0:
            told.append(f"identity {self.style.strength:g}")
        return ", ".join(told)

    @property
    def provider(self) -> str:
        """Who computes, by the sessions' own word."""
        return self.kit.provider

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of who computes and what was given up; English sentences."""
        return self.kit.notes

    def __enter__(self) -> OnnxSwapper:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.kit.close()

    def find(self, frame: np.ndarray, look: Look) -> list[Face]:
        """All faces, the largest first; empty when there are none."""
        return self.kit.run(lambda rung: self._find(frame, look, rung))

    def identify(self, pictures: Sequence[np.ndarray]) -> Identity:
        """The identity of the largest face of each photo.  Raises `BadImage` (E05) when none shows a face."""
        shown: list[tuple[np.ndarray, Face, np.ndarray]] = []
        notes = []
        for number, picture in enumerate(pictures, 1):
            faces = self.find(picture, Look(thorough=True))
            if len(faces) > 1:
                notes.append(f"Photo {number} shows {len(faces)} faces; the largest is used.")
            if faces:
                shown.append((picture, faces[0], recognise.crops(picture, [faces[0].five])[0]))
            else:
                notes.append(f"Photo {number} shows no face that can be used.")
        if not shown:
            raise BadImage("No face was found in the photo.", code="swap.no_face_source",
                           hint="Use a clear, bright photo of one person who looks into the camera.")
        crops = np.stack([crop for *_, crop in shown])
        raw = self.kit.run(lambda rung: self._embed(crops, rung))
        mean = recognise.together(raw, [face for _, face, _ in shown], crops)
        best = max(range(len(shown)), key=lambda place: shown[place][1].score * recognise.sharpness(crops[place]))
        photos = tuple(hashlib.sha256(np.ascontiguousarray(picture)).hexdigest() for picture, *_ in shown)
        return Identity(recognise.described(mean, self.space), shown[best][0], shown[best][1], photos,
                        Source(mean, latent(mean, self._emap)), (*notes, *self.notes))

    def swap(self, frame: np.ndarray, face: Face, identity: Identity) -> Patch:
        """The identity's face where ``face`` is.  Raises `InvalidRequest` (E06) for an identity of another space."""
        identity.embedding.check(Embedding(self.space, identity.embedding.vector))
        if not isinstance(identity.own, Source):
            raise InvalidRequest("The identity was not made by the engine {name!r}.", code="swap.identity_foreign",
                                 hint="Make the identity again with the engine in use.", name=self.name)
        return self.kit.run(lambda rung: self._swap(frame, face, identity.own, rung))

    def _find(self, frame: np.ndarray, look: Look, rung: Rung) -> list[Face]:
        seen, scale = self.kit.seen(frame, rung)
        side = min(self.style.side, rung.side or self.style.side)
        detector = self.kit.networks["detect"]
        found = find_hard(detector, seen, side) if look.thorough else find(detector, seen, side=side)
        if not len(found.scores):
            return []
        fives = self._fives(seen, found) / np.float32(scale)
        embeddings: list[Embedding | None] = [None] * len(fives)
        if look.embed:
            raw = self._embed(recognise.crops(frame, fives), rung)
            embeddings = [recognise.described(one, self.space) for one in raw]
        faces = [Face(tuple(map(float, box / scale)), float(score), five, None, embedding)
                 for box, score, five, embedding in zip(found.boxes, found.scores, fives, embeddings, strict=True)]
        return sorted(faces, key=lambda face: -face.area)

    def _fives(self, seen: np.ndarray, found: Found) -> np.ndarray:
        if found.fives is not None:
            return found.fives
        points = self.kit.networks.get("landmarks")
        if points is None:
            raise InvalidRequest("The detector {name} gives no points and there is no landmark model.",
                                 code="swap.points_missing", hint="Import det_10g.onnx, or 2d106det.onnx beside it.",
                                 name=self.kit.networks["detect"].model.path.name)
        return np.stack([describing.five_of(describing.points_106(points, seen, tuple(box))) for box in found.boxes])

    def _embed(self, crops: np.ndarray, rung: Rung) -> np.ndarray:
        network = self.kit.networks["recognise"]
        self.kit.several = self.kit.several or len(crops) > 1
        if rung.one_by_one:
            return np.concatenate([recognise.embed(network, one[None]) for one in crops])
        return recognise.embed(network, crops)

    def _swap(self, frame: np.ndarray, face: Face, source: Source, rung: Rung) -> Patch:
        size = CROP * (1 if rung.one_by_one else self.style.boost)
        seen, scale = self.kit.seen(frame, rung)
        crop = cut(seen, align(face.five * np.float32(scale), "arcface", size), size)
        wanted = source.latent
        if self.style.strength != 1.0:
            target = self._embed(recognise.crops(frame, [face.five]), rung)[0]
            wanted = latent(recognise.strengthened(source.raw, target, self.style.strength), self._emap)
        self.kit.several = self.kit.several or size > CROP
        painted = paint(self.kit.networks["swap"], crop, wanted)
        mask = soft_square(size)
        if self.style.spare_covered and "occlude" in self.kit.networks:
            mask = mask * describing.uncovered(self.kit.networks["occlude"], crop)
        return patch(frame.shape, painted, align(face.five, "arcface", size), mask)
