"""What a live turn leaves on disk: as far as it was heard, whole after a crash, and gone in time."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from backend.housekeeping import sweep
from backend.services import Services
from tests.talks_on_hand import answer, services_with_avatar, shade, shown
from tests.visage.media_clips import babble
from visage.errors import NotFound
from visage.jobs.job import Lane
from visage.media.audio import sound_seconds
from visage.media.frames import read_video
from visage.media.probe import probe
from visage.storage.records import Caption
from visage.storage.talks import ANSWER, QUESTION, TalkFile

CAPTIONS = [Caption("One.", 0.0, 0.8), Caption("Two.", 0.8, 0.7), Caption("Three.", 1.5, 0.5)]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = services_with_avatar(tmp_path)
    yield made
    made.database.dispose()


def spoken(services: Services, parts: list[bytes], conversation: str = "") -> TalkFile:
    talk = services.talks.begin(conversation or services.conversations.add("ada", "me").id)
    talk.ask(babble(1.2))
    for part in parts:
        talk.append(part)
    return talk


def test_a_whole_answer_is_kept_as_it_was_sent(services: Services) -> None:
    parts = answer(2.0)
    assert len(parts) >= 4
    turn = spoken(services, parts).finish("Why?", "One. Two. Three.", captions=CAPTIONS, frame=7,
                                          stages=[{"name": "llm", "start_ms": 1, "end_ms": 2}], notes=["n"])
    file = services.talks.file(turn, ANSWER)
    info = probe(file, "video")
    assert (info.frames, info.seconds, info.has_sound) == (50, 2.0, True)
    assert [round(shown(frame)) for frame in read_video(file)] == pytest.approx(
        [shown(shade(n, 120)) for n in range(50)], abs=2)
    assert sound_seconds(services.talks.file(turn, QUESTION)) == pytest.approx(1.2, abs=0.01)
    stored = services.conversations.turn(turn.conversation, turn.id)
    assert stored == turn
    assert (stored.captions, stored.asked, stored.seconds, stored.heard, stored.frame) == (
        tuple(CAPTIONS), pytest.approx(1.2, abs=0.001), 2.0, 1.0, 7)
    assert [path.name for path in file.parent.iterdir() if path.suffix == ".part"] == []


@pytest.mark.parametrize("until", [0.04, 0.9, 1.0, 1.99])
def test_an_interrupted_answer_ends_at_the_frame_that_was_heard(services: Services, until: float) -> None:
    talk = spoken(services, answer(2.0))
    turn = talk.finish("Why?", "One.", until=until, heard=until / 2, captions=CAPTIONS)
    file = services.talks.file(turn, ANSWER)
    frames = list(read_video(file))
    assert len(frames) == int(np.ceil(until * 25 - 1e-6))
    assert shown(frames[-1]) == pytest.approx(shown(shade(len(frames) - 1, 120)), abs=2)
    assert turn.seconds == pytest.approx(len(frames) / 25)
    assert sound_seconds(file) <= turn.seconds + 0.05
    assert turn.captions[-1].start < until
    assert max(one.start + one.seconds for one in turn.captions) <= until + 1e-9


def test_a_stream_that_breaks_off_in_a_fragment_keeps_what_is_whole(services: Services) -> None:
    parts = answer(2.0)
    turn = spoken(services, [*parts[:3], parts[3][:len(parts[3]) // 2]]).finish("Why?", "One.")
    assert 0.6 < turn.seconds < 2.0
    assert probe(services.talks.file(turn, ANSWER), "video").frames == round(turn.seconds * 25)


@pytest.mark.parametrize(("count", "until"), [(0, None), (1, None), (9, 0.0)])
def test_an_answer_of_which_nothing_was_heard_has_no_video(services: Services, count: int, until: float | None) -> None:
    turn = spoken(services, answer(1.0)[:count]).finish("Why?", "", until=until, heard=0.0)
    assert (turn.seconds, turn.notes) == (0.0, ())
    assert not services.talks.has(turn, ANSWER)
    with pytest.raises(NotFound):
        services.talks.file(turn, ANSWER)


def test_a_full_disk_disturbs_no_talk_but_is_told(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = answer(1.0)
    talk = services.talks.begin(services.conversations.add("ada").id)
    talk.append(parts[0])
    with monkeypatch.context() as patch:
        def full(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")
        patch.setattr(Path, "open", full)
        talk.append(parts[1])
    talk.append(parts[2])
    turn = talk.finish("Why?", "One.")
    assert turn.seconds == 0
    assert "could not be kept" in turn.notes[0] and "disk is full" in turn.notes[0]


def test_a_conversation_deleted_meanwhile_leaves_nothing(services: Services) -> None:
    talk = spoken(services, answer(1.0))
    conversation = talk._conversation
    services.conversations.delete(conversation)
    with pytest.raises(NotFound):
        talk.finish("Why?", "One.")
    services.talks.forget(conversation)
    assert not services.talks.folder(conversation).exists()
    talk.append(b"late")
    assert not services.talks.folder(conversation).exists()


def test_what_is_old_goes_and_what_a_crash_left_goes_sooner(services: Services) -> None:
    old, needed = (services.conversations.add("ada").id for _ in range(2))
    turns = [spoken(services, answer(0.4), one).finish("q", "a") for one in (old, needed, old)]
    crashed = spoken(services, answer(0.4), old)
    fresh = spoken(services, answer(0.4), old)
    services.store.create("film", "t", Lane.QUICK, {"conversation": needed})

    def aged(path: Path, days: float) -> Path:
        os.utime(path, (time.time() - days * 86_400,) * 2)
        return path

    folders = [services.talks.folder(turn.conversation) / turn.id for turn in turns]
    for folder, days in zip(folders, (8, 8, 2), strict=True):
        aged(folder, days)
    left = aged(services.talks.folder(old) / crashed.id, 2)
    film = services.talks.folder(old) / "film-soft.mp4"
    film.write_bytes(b"x")
    aged(film, 8)
    assert sweep(services) == 3
    assert [folder.exists() for folder in folders] == [False, True, True]
    assert not left.exists() and not film.exists()
    assert (services.talks.folder(old) / fresh.id).exists()
    assert services.conversations.turn(old, turns[0].id).answer == "a", "what was said stays to be read"
