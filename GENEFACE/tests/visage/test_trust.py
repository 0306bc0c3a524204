"""Consents, the log, seals and verdicts, on a real database and real files."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image

from backend.services import Services, open_services
from tests.visage.labelled_files import copied, make
from tests.visage.trust_certificates import make as certificates
from visage.config import Settings
from visage.errors import BadMedia, InvalidRequest, NotFound, OutputInvalid, Refused
from visage.media.labels import Label, content_digest, read_label, write_label
from visage.storage import database
from visage.trust.__main__ import main
from visage.trust.audit import Audit
from visage.trust.consents import Consents, Wish
from visage.trust.labelling import NO_AGREEMENT
from visage.trust.proofs import LARGEST, receive_proof
from visage.trust.seals import Seals
from visage.trust.sentences import SENTENCES
from visage.trust.verifying import examine

WISH = Wish("Ada", "", "swap", SENTENCES["swap"]["en"], True, photos=("a" * 64,), owner="me")


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = open_services(Settings(home=tmp_path / "home"))
    yield made
    made.database.dispose()


def picture(size: int = 16) -> bytes:
    made = BytesIO()
    Image.new("RGB", (size, size), (200, 30, 30)).save(made, "PNG")
    return made.getvalue()


def proved(services: Services, wish: Wish = WISH) -> str:
    made = services.consents.record(wish)
    services.consents.prove(made.id, receive_proof(BytesIO(picture()), services.paths.consents / made.id))
    return made.id


def refused(services: Services, consent_id: str, scope: str = "swap", **more: str) -> str:
    with pytest.raises(Refused) as caught:
        services.consents.require(consent_id, scope, **more)
    assert caught.value.hint
    return caught.value.code


def test_a_swap_needs_a_consent_that_reaches_so_far(services: Services) -> None:
    assert refused(services, "") == "consent.none" and refused(services, "0" * 32) == "consent.missing"
    bare = services.consents.record(WISH)
    assert refused(services, bare.id) == "consent.no_proof"
    lax = Consents(services.database, services.paths.home, services.audit, with_proof=False)
    assert lax.require(bare.id, "swap").id == bare.id
    made = proved(services, replace(WISH, uses=("video",)))
    assert services.consents.require(made, "swap", use="video", photo="a" * 64).person == "Ada"
    assert refused(services, made, use="picture") == "consent.other_use"
    assert refused(services, made, photo="b" * 64) == "consent.other_photo"
    assert refused(services, made, "voice") == "consent.other_scope"
    both = proved(services, replace(WISH, scope="both", sentence=SENTENCES["both"]["zh"]))
    assert {services.consents.require(both, scope).language for scope in ("swap", "voice")} == {"zh"}
    soon = proved(services, replace(WISH, expires=datetime.now(timezone.utc) + timedelta(seconds=0.3)))
    time.sleep(0.4)
    assert refused(services, soon) == "consent.expired" and services.consents.get(soon).state == "expired"
    services.consents.revoke(made)
    assert refused(services, made) == "consent.revoked"


@pytest.mark.parametrize(("change", "code"), [
    ({"agreed": False}, "consent.not_agreed"), ({"sentence": "Yes."}, "consent.not_agreed"),
    ({"sentence": SENTENCES["voice"]["en"]}, "consent.not_agreed"), ({"scope": "all"}, "consent.scope"),
    ({"uses": ("war",)}, "consent.use"), ({"person": "  "}, "consent.no_person"), ({"photos": ()}, "consent.no_photo"),
    ({"expires": datetime(2020, 1, 1, tzinfo=timezone.utc)}, "consent.past")])
def test_what_is_no_consent_is_not_recorded(services: Services, change: dict, code: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        services.consents.record(replace(WISH, **change))
    assert caught.value.code == code and not services.consents.list() and not services.audit.entries()


def test_erasing_takes_everything_and_says_what(services: Services, tmp_path: Path) -> None:
    made = proved(services)
    home = services.paths.home
    outside = tmp_path / "outside"
    outside.write_bytes(b"x")
    for kind, name, size in (("embedding", "var/face.npy", 100), ("cache", "var/crops/one.png", 50),
                             ("output", "static/videos/swap.mp4", 1000), ("output", "static/videos/gone.mp4", 0)):
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if size:
            file.write_bytes(bytes(size))
        services.consents.attach(made, kind, file.parent if kind == "cache" else file)
    with pytest.raises(ValueError):
        services.consents.attach(made, "output", outside)
    assert services.consents.of(home / "static/videos/swap.mp4") == made
    erased = services.consents.erase(made, services.paths.consents)
    assert [(one.kind, one.name, one.size) for one in erased][:3] == [
        ("embedding", "var/face.npy", 100), ("cache", "var/crops", 50), ("output", "static/videos/swap.mp4", 1000)]
    assert erased[3].kind == "proof" and len(erased) == 4 and outside.exists()
    assert not (home / "var/face.npy").exists() and not (services.paths.consents / made).exists()
    with pytest.raises(NotFound):
        services.consents.get(made)
    last = services.audit.entries()[-1]
    assert last.event == "consent.erased" and last.facts["erased"] == {
        "cache": 1, "embedding": 1, "output": 1, "proof": 1}


def test_a_proof_is_judged_by_its_content(services: Services, tmp_path: Path) -> None:
    folder = tmp_path / "proof"
    assert receive_proof(BytesIO(b"%PDF-1.7\n" + bytes(50)), folder).kind == "document"
    assert receive_proof(BytesIO(picture()), folder).name == "proof.png"
    assert receive_proof(BytesIO(make("sound.wav", tmp_path).read_bytes()), folder).kind == "audio"
    kept = receive_proof(BytesIO(make("plain.mp4", tmp_path).read_bytes()), folder)
    for bad, code in ((b"", "upload.empty"), (b"just words", "consent.proof_kind"),
                      (picture()[:40], "consent.proof_kind"), (bytes(LARGEST + 1), "consent.proof_large")):
        with pytest.raises((InvalidRequest, BadMedia)) as caught:
            receive_proof(BytesIO(bad), folder)
        assert caught.value.code == code
        assert [file.name for file in folder.iterdir()] == [kept.name]
    assert not list(tmp_path.glob(".proof*"))


def test_the_log_shows_what_was_changed_and_forgets_in_time(services: Services) -> None:
    log = services.audit
    for number in range(5):
        log.note("export", f"number {number}", "me" if number % 2 else "you", sha256="x", size=number)
    assert [entry.number for entry in log.entries()] == [1, 2, 3, 4, 5] and log.broken_at() == 0
    assert [entry.subject for entry in log.entries(owner="me")] == ["number 1", "number 3"]
    assert [json.loads(line)["subject"] for line in log.lines("you")] == ["number 0", "number 2", "number 4"]
    table = database.audit
    with services.database.begin() as connection:
        connection.execute(sa.update(table).where(table.c.number <= 2).values(at=time.time() - 300 * 86_400))
    assert log.broken_at() == 2 and log.sweep() == 2 and log.broken_at() == 0
    with services.database.begin() as connection:
        connection.execute(sa.update(table).where(table.c.number == 4).values(subject="another"))
    assert log.broken_at() == 4
    with services.database.begin() as connection:
        connection.execute(sa.delete(table).where(table.c.number == 4))
    assert log.broken_at() == 5
    with pytest.raises(ValueError):
        log.note("gossip", "x")


def test_an_export_is_labelled_once_logged_and_carries_its_sources(services: Services, tmp_path: Path) -> None:
    clip, sound = make("plain.mp4", tmp_path), make("sound.wav", tmp_path)
    write_label(sound, Label(producer="Someone", made_as="7"))
    label = services.labeller.finish(clip, "clip", "me", [sound])
    assert label == read_label(clip) and label.producer == "Visage" and len(label.made_as) == 32
    assert json.loads(label.sources) == [{"ContentProducer": "Someone", "ProduceID": "7"}]
    assert services.labeller.finish(clip, "clip", "me") == label
    film = make("fast.mp4", tmp_path)
    assert json.loads(services.labeller.finish(film, sources=[clip, sound]).sources) == [
        {"ContentProducer": "Someone", "ProduceID": "7"}, {"ContentProducer": "Visage", "ProduceID": label.made_as}]
    entries = services.audit.entries(event="export")
    assert [(one.subject, one.owner, one.facts["sha256"]) for one in entries] == [
        (label.made_as, "me", content_digest(clip))]
    passed = services.labeller.pass_on(sound, "copy 1")
    assert passed == read_label(sound) and (passed.producer, passed.propagator) == ("Someone", "Visage")
    assert services.labeller.pass_on(make("sound.mp3", tmp_path), "copy 2") is None


@pytest.mark.parametrize("name", ["plain.mp4", "sound.wav", "picture.png"])
def test_verdicts(services: Services, name: str, tmp_path: Path) -> None:
    file, seals = make(name, tmp_path), services.labeller.seals
    assert examine(file, seals).state == "missing" and not examine(file, seals).labelled
    label = services.labeller.finish(file, "file")
    found = examine(file, seals)
    assert (found.state, found.ours, found.labelled) == ("intact", True, True)
    stranger = examine(file, Seals(tmp_path / "another.key"))
    assert (stranger.state, stranger.ours) == ("intact", False)
    write_label(file, replace(label, made_as="1"))
    assert examine(file, seals).state == "forged"
    write_label(file, replace(label, seal=""))
    assert examine(file, seals).state == "unbound"
    if name == "plain.mp4":
        copied(file, tmp_path / "short.mp4", "-t", "0.5")
        write_label(tmp_path / "short.mp4", label)
        assert examine(tmp_path / "short.mp4", seals).state == "changed"


def test_the_command_says_what_ffmpeg_dropped(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("VISAGE_HOME", str(services.paths.home))
    clip = make("plain.mp4", tmp_path)
    services.labeller.finish(clip, "clip")
    copy = copied(clip, tmp_path / "copy.mp4")
    assert main(["verify", str(clip)]) == 0
    assert "content as it was; by Visage" in capsys.readouterr().out
    assert main(["verify", str(clip), str(copy)]) == 1 and "copy.mp4: label missing" in capsys.readouterr().out
    assert main(["verify", "--json", str(clip)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["state"] == "intact" and told["ours"] and told["label"]["producer"] == "Visage"
    assert main(["verify", str(tmp_path / "nothing")]) == 2 and "nothing" in capsys.readouterr().err


def test_marks_go_only_with_an_agreement_on_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "home"
    assert open_services(Settings(home=home)).labeller.marking().visible
    services = open_services(Settings(home=home, visible_mark=False, audible_mark="off"))
    try:
        held = services.labeller.marking()
        assert held.visible and held.audible == "end" and held.notes == (NO_AGREEMENT,)
        monkeypatch.setenv("VISAGE_HOME", str(home))
        assert main(["agree", "--name", "Example Ltd", "--purpose", "a film with credits of its own"]) == 0
        free = services.labeller.marking()
        assert (free.visible, free.audible, free.notes) == (False, "off", ())
        assert not Audit(services.database, days=-1).agreement()
        assert main(["disagree", "--name", "Example Ltd"]) == 0 and services.labeller.marking().visible
        capsys.readouterr()
        assert main(["audit"]) == 0
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [one["event"] for one in told] == ["unlabelled.agreed", "unlabelled.ended"]
    finally:
        services.database.dispose()


@pytest.mark.parametrize("name", ["fast.mp4", "picture.jpg", "picture.png", "sound.wav"])
def test_exports_are_signed_when_there_is_a_certificate(name: str, tmp_path: Path) -> None:
    pytest.importorskip("c2pa", reason="c2pa-python is an option and not installed")
    chain, key = certificates(tmp_path)
    services = open_services(Settings(home=tmp_path / "home", signing_certificate=chain, signing_key=key))
    try:
        file = make(name, tmp_path)
        digest, label = content_digest(file), services.labeller.finish(file, "file")
        found = examine(file, services.labeller.seals)
        assert found.state == "intact" and found.label == label and found.digest == digest
        assert found.credential and (found.credential.state, found.credential.issuer) == ("Valid", "Example")
        content = bytearray(file.read_bytes())
        content[-5 if name != "fast.mp4" else len(content) * 9 // 10] ^= 0xFF
        file.write_bytes(content)
        broken = examine(file, services.labeller.seals).credential
        assert broken is None or broken.state != "Valid"
        key.write_text("no key")
        with pytest.raises((InvalidRequest, OutputInvalid)) as caught:
            services.labeller.finish(make(name, tmp_path), "file")
        assert caught.value.code.startswith("c2pa.")
    finally:
        services.database.dispose()
