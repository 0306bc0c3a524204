"""The verb swap, without the queue: consent first, then another face, marked, labelled, erasable."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from backend import consents as consent_verbs
from backend import face_swapper
from backend.face_swapper import BASIC, By, Wanted, put_on
from backend.forms import ConsentForm, FaceForm, Footage, SwapForm
from backend.services import Services, open_services
from visage.config import read_settings
from visage.errors import BadImage, InvalidRequest, NotFound, Refused
from visage.media.labels import read_label
from visage.swap.options import SwapOptions
from visage.trust.sentences import SENTENCES
from visage.types import Progress


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return open_services(read_settings(home=tmp_path, consent_proof=False))


def picture(folder: Path, name: str, mirrored: bool = False) -> Path:
    """A real face, or the same looking the other way."""
    face = skimage.data.astronaut()[0:320, 100:400]
    file = folder / name
    cv2.imwrite(str(file), cv2.cvtColor(face[:, ::-1] if mirrored else face, cv2.COLOR_RGB2BGR))
    return file


def uploaded(services: Services, file: Path) -> str:
    with file.open("rb") as stream:
        return services.uploads.keep(services.uploads.receive(stream, "image", file.name, "me")).id


def agreed(services: Services, upload: str) -> str:
    form = ConsentForm(person="Eileen", scope="swap", sentence=SENTENCES["swap"]["en"], consent=True, photos=(upload,))
    return consent_verbs.record(services, form, "me").id


def test_a_face_goes_onto_a_picture_with_mark_label_log_and_note(services: Services, tmp_path: Path) -> None:
    photo = uploaded(services, picture(tmp_path, "photo.png"))
    consent = agreed(services, photo)
    target = picture(tmp_path, "target.png", mirrored=True)
    wanted = face_swapper.wanted_by(services, FaceForm(photos=(photo,), consent=consent))
    out = services.paths.pictures / "out.png"
    result, found, notes = put_on(services, wanted, target, out, tmp_path / "job", By("job", "me"))
    assert (result.kind, result.swapped, found.id) == ("image", 1, consent) and BASIC in notes
    before, after = cv2.imread(str(target)), cv2.imread(str(out))
    changed = np.abs(before.astype(int) - after).max(2) > 2
    assert 0.03 < changed.mean() < 0.6, "the face and the mark, not the whole picture"
    assert changed[-40:, -150:].any() or changed[:40, :150].any() or changed[-40:, :150].any(), "the mark"
    assert read_label(out).producer == "Visage"
    assert [entry.event for entry in services.audit.entries(owner="me")].count("face.swapped") == 1
    consent_verbs.erase(services, consent, "me")
    assert not out.exists(), "what was made goes with the consent"


@pytest.mark.parametrize("case", ["none", "other photo", "revoked", "voice only"])
def test_without_consent_nothing_is_made(services: Services, tmp_path: Path, case: str) -> None:
    photo = uploaded(services, picture(tmp_path, "photo.png"))
    consent = "" if case == "none" else agreed(services, photo)
    if case == "other photo":
        photo = uploaded(services, picture(tmp_path, "another.png", mirrored=True))
    if case == "revoked":
        consent_verbs.revoke(services, consent, "me")
    if case == "voice only":
        consent = consent_verbs.record(services, ConsentForm(
            person="Eileen", scope="voice", sentence=SENTENCES["voice"]["en"], consent=True, photos=()), "me").id
    form = SwapForm(target=Footage(upload=uploaded(services, picture(tmp_path, "t.png"))), photos=(photo,),
                    consent=consent)
    with pytest.raises(Refused):
        face_swapper.submit(services, form, "me")
    assert not list(services.paths.pictures.iterdir()) and not services.store.list(limit=10)


@pytest.mark.parametrize("end", [consent_verbs.revoke, consent_verbs.erase])
def test_a_consent_that_ends_while_it_is_used_leaves_nothing(services: Services, tmp_path: Path, end: Callable) -> None:
    photo = uploaded(services, picture(tmp_path, "photo.png"))
    consent = agreed(services, photo)
    wanted = face_swapper.wanted_by(services, FaceForm(photos=(photo,), consent=consent))
    out, ended = services.paths.pictures / "out.png", []

    def meanwhile(_: Progress) -> None:
        if not ended:
            ended.append(end(services, consent, "me"))

    with pytest.raises(Refused):
        put_on(services, wanted, picture(tmp_path, "t.png", mirrored=True), out, tmp_path / "job", By("job", "me"),
               meanwhile)
    assert not out.exists()


def test_every_photo_goes_with_the_consent_and_so_does_the_job(services: Services, tmp_path: Path) -> None:
    photo = uploaded(services, picture(tmp_path, "photo.png"))
    consent, again = agreed(services, photo), uploaded(services, tmp_path / "photo.png")
    form = SwapForm(target=Footage(upload=uploaded(services, picture(tmp_path, "t.png", mirrored=True))),
                    photos=(again,), consent=consent)
    job = face_swapper.submit(services, form, "me")
    face_swapper.run(job, services, lambda _: None)
    assert services.consents.get(consent).photos == [consent_verbs.checksums(services, [again]).pop()]
    shown = consent_verbs.shown(services.consents.get(consent), services.consents.things(consent))
    assert shown["uploads"] == [photo, again] and shown["made"] == {"output": 1, "photo": 2}
    services.queue.cancel(job.id)
    consent_verbs.erase(services, consent, "me")
    assert not services.store.list(kind="swap")
    with pytest.raises(NotFound):
        services.uploads.file(services.uploads.get(again))


def test_a_proof_is_asked_for_unless_the_operator_does_without(tmp_path: Path) -> None:
    services = open_services(read_settings(home=tmp_path))
    photo = uploaded(services, picture(tmp_path, "photo.png"))
    wanted = face_swapper.wanted_by(services, FaceForm(photos=(photo,), consent=agreed(services, photo)))
    with pytest.raises(Refused) as caught:
        face_swapper.check(services, wanted, "picture")
    assert caught.value.code == "consent.no_proof"


def test_restoring_alone_needs_no_consent(services: Services, tmp_path: Path) -> None:
    wanted = face_swapper.wanted_by(services, FaceForm(restorer="embedded"))
    out = services.paths.pictures / "clear.png"
    result, consent, notes = put_on(services, wanted, picture(tmp_path, "t.png"), out, tmp_path / "job", By("j", "me"))
    assert BASIC not in notes, "no photo was put on"
    assert result.swapped == 1 and consent is None and read_label(out)


def test_faces_are_listed_in_the_wanted_order(services: Services, tmp_path: Path) -> None:
    face = cv2.imread(str(picture(tmp_path, "one.png")))
    small = np.pad(cv2.resize(face, None, fx=0.6, fy=0.6), ((0, 128), (0, 0), (0, 0)))
    cv2.imwrite(str(tmp_path / "two.png"), np.hstack([face, small]))
    form = SwapForm(target=Footage(upload=uploaded(services, tmp_path / "two.png")), restorer="embedded",
                    order="right-left", engine="embedded")
    faces = face_swapper.faces_in(services, form, "me")
    assert [face["position"] for face in faces] == [0, 1] and faces[0]["box"][0] > faces[1]["box"][0]
    assert json.dumps(faces)


def test_what_cannot_be_asked_for(services: Services, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest):
        face_swapper.wanted_by(services, FaceForm())
    with pytest.raises(InvalidRequest):
        face_swapper.find_target(services, Footage(), "me")
    with picture(tmp_path, "p.png").open("rb") as stream:
        upload = services.uploads.keep(services.uploads.receive(stream, "video", "p.mp4", "me"))
    with pytest.raises(BadImage):
        face_swapper.photo_file(services, upload.id)
    assert Wanted((), "", "", "embedded", SwapOptions()).photos == ()


def test_a_photo_that_is_no_upload_is_never_erased_nor_what_lies_beside_it(services: Services, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    photo, beside = picture(mine, "me.png"), mine / "diary.txt"
    beside.write_text("mine")
    consent = agreed(services, uploaded(services, photo))
    out = services.paths.pictures / "out.png"
    target = picture(tmp_path, "t.png", mirrored=True)
    put_on(services, Wanted((photo,), consent, "embedded", "", SwapOptions()), target, out, tmp_path / "job",
           By("job", "me"))
    consent_verbs.erase(services, consent, "me")
    assert photo.is_file() and beside.is_file() and not out.exists()
