"""A conversation becomes one film: every frame where it belongs, words at their times, and what is missing is said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from backend import conversation_film, conversation_transcript
from backend.conversation_script import LOST, UNHEARD, reading_seconds, script_of
from backend.forms import FilmForm
from backend.services import Services
from tests.talks_on_hand import IDLE, SIZE, answer, services_with_avatar, shade, shown
from tests.visage.media_clips import babble, clip
from visage.errors import Cancelled, InvalidRequest, NotFound, NotInstalled, OutputInvalid
from visage.media import burning, fonts
from visage.media.audio import read_sound
from visage.media.frames import read_video
from visage.media.labels.mark import Mark
from visage.media.probe import probe
from visage.storage.records import Caption, Turn
from visage.tts.loudness import speech_loudness
from visage.types import Progress, silent

ZH, EN, DE = "今天天气怎么样？", "The weather is fine.", "Schöne Grüße aus Köln!"
LONG = "我先说一个很长的句子，它没有停顿也没有换行，只是一直说下去，" * 8 + "现在说完了。"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = services_with_avatar(tmp_path)
    yield made
    made.database.dispose()


def live(services: Services, conversation: str, question: str, text: str, seconds: float = 2.0, *,
         spoken: float = 0.0, until: float | None = None, frame: int = 0, captions: tuple[Caption, ...] = ()) -> Turn:
    """A turn of a live conversation."""
    talk = services.talks.begin(conversation)
    if spoken:
        talk.ask(0.05 * babble(spoken))
    for part in answer(seconds):
        talk.append(part)
    return talk.finish(question, text, until=until, heard=1.0 if until is None else until / seconds, frame=frame,
                       captions=captions or (Caption(text, 0.0, seconds),))


def filmed(services: Services, conversation: str, subtitles: str = "soft") -> tuple[Path, dict]:
    """The film, made as a job makes it."""
    job = conversation_film.submit(services, FilmForm(conversation=conversation, subtitles=subtitles), "me")
    result = dict(conversation_film.run(job, services, silent))
    assert not [path.name for path in services.store.folder(job.id).iterdir() if path.suffix in (".mp4", ".srt")]
    return conversation_film.film_file(services, conversation, subtitles), result


def words(film: Path) -> list[tuple[float, str]]:
    """The subtitle track, as a player reads it."""
    with av.open(str(film)) as container:
        stream = container.streams.subtitles[0]
        return [(float(packet.pts * packet.time_base), bytes(packet)[2:].decode().split("\0")[0])
                for packet in container.demux(stream) if packet.size > 2]


def test_rest_and_answers_follow_each_other_frame_by_frame(services: Services) -> None:
    talk = services.conversations.add("ada", "me").id
    live(services, talk, ZH, EN, spoken=1.3, frame=9)
    live(services, talk, "And?", DE, seconds=1.2, until=0.6)
    file, told = filmed(services, talk)
    script = script_of(services, services.conversations.get(talk))
    assert [scene.frames for scene in script.scenes] == [50, 50, round(25 * reading_seconds("And?")), 15]
    pictures = list(read_video(file))
    mark = Mark(SIZE, SIZE, 25)
    for number in (0, 60, len(pictures) - 1):
        ink = mark.on_rgb(np.zeros((SIZE, SIZE, 3), np.uint8), number)[..., 0] > 200
        assert pictures[number][ink].mean() > 185, "the film says what it is, to its end"
    frames = [shown(frame[SIZE // 2:]) for frame in pictures]
    info = probe(file, "video")
    assert (len(frames), info.has_sound, told["turns"], told["notes"]) == (script.frames, True, 2, [])
    assert told["seconds"] == pytest.approx(script.frames / 25, abs=0.01)
    plain = [n for n in range(50) if n < 44]  # the last ones go over into the answer
    assert [frames[n] for n in plain] == pytest.approx([shown(shade((9 - 50 + n) % IDLE, 20)) for n in plain], abs=2)
    assert frames[50:100] == pytest.approx([shown(shade(n, 120)) for n in range(50)], abs=2)
    assert frames[-15:] == pytest.approx([shown(shade(n, 120)) for n in range(15)], abs=2)
    for border in (50, 100, script.frames - 15):
        assert abs(frames[border] - frames[border - 1]) < 30, "it does not jump from one to the other"


def test_the_sound_is_where_it_belongs_and_about_equally_loud(services: Services) -> None:
    talk = services.conversations.add("ada", "me").id
    live(services, talk, ZH, EN, spoken=1.3)
    file, _ = filmed(services, talk, "none")
    heard = read_sound(file, 16_000)
    assert len(heard) == pytest.approx(100 * 640, abs=1100)
    question, reply = heard[6400:6400 + 20_800], heard[32_000:]
    assert np.abs(heard[:5800]).max() < 0.01
    assert speech_loudness(0.05 * babble(1.3), 16_000) < -38, "it was recorded much too softly"
    assert -34 < speech_loudness(question, 16_000) < -14, "as loud as a fourfold gain can make it"
    expected = babble(2.0)[:len(reply)]
    shift = np.argmax(np.correlate(reply[:16_000], expected[:16_000], "full")) - 15_999
    assert abs(shift) < 16_000 * 0.045
    with av.open(str(file)) as container:
        assert not container.streams.subtitles


def test_soft_subtitles_are_a_track_with_the_words_at_their_times(services: Services) -> None:
    talk = services.conversations.add("ada", "me").id
    live(services, talk, ZH, EN + " " + DE, captions=(Caption(EN, 0.0, 1.0), Caption(DE, 1.0, 1.0)))
    live(services, talk, "Привет?", LONG, seconds=3.0)
    file, _ = filmed(services, talk)
    start = reading_seconds(ZH)
    told = words(file)
    assert [text for _, text in told[:3]] == ["你：" + ZH, EN, DE]
    assert [at for at, _ in told[:3]] == pytest.approx([0.0, start, start + 1.0], abs=0.05)
    assert told[3][1] == "You: Привет?"
    assert "".join(text for _, text in told[4:]).replace("\n", "") == LONG
    assert all(text.count("\n") <= 1 and max(map(len, text.split("\n"))) <= 20 for _, text in told[4:])
    with av.open(str(file)) as container:
        assert container.streams.subtitles[0].language == "zho"


def test_burnt_words_lie_below_the_face_only_while_they_are_said(services: Services) -> None:
    talk = services.conversations.add("ada", "me").id
    live(services, talk, ZH, EN, captions=(Caption(EN, 0.0, 1.0),))
    file, told = filmed(services, talk, "burnt")
    frames = list(read_video(file))
    first = round(25 * reading_seconds(ZH))
    height = frames[0].shape[0]
    assert height >= burning.SMALLEST and told["notes"] == []
    edge = height - int(height * burning.SHARE)

    def marked(frame: np.ndarray) -> tuple[bool, bool]:
        above, below = frame[height // 5:edge - 4], frame[edge:]  # the mark is at the top
        return float(above.std(axis=(0, 1)).max()) > 2, float(below.std(axis=(0, 1)).max()) > 8

    assert marked(frames[5]) == (False, True)
    assert marked(frames[first + 10]) == (False, True)
    assert marked(frames[first + 40]) == (False, False), "its caption is over"
    assert not np.allclose(frames[5][edge:], frames[first + 10][edge:], atol=20), "other words"


def test_a_machine_without_a_chinese_font_is_told_which_to_install(services: Services, monkeypatch: pytest.MonkeyPatch,
                                                                  tmp_path: Path) -> None:
    monkeypatch.setattr(fonts.font_for, "__defaults__", ((str(tmp_path / "no fonts"),),))
    talk = services.conversations.add("ada", "me").id
    live(services, talk, "Why?", EN)
    assert filmed(services, talk, "burnt")[1]["notes"] == [], "English needs no font of the machine"
    live(services, talk, ZH, EN)
    with pytest.raises(NotInstalled) as found:
        filmed(services, talk, "burnt")
    assert "apt install fonts-noto-cjk" in found.value.hint
    assert filmed(services, talk, "soft")[0].is_file()


def test_missing_files_are_said_and_their_words_shown(services: Services) -> None:
    talk = services.conversations.add("ada", "me").id
    gone, deaf = live(services, talk, ZH, EN, spoken=1.0), live(services, talk, "And?", DE, spoken=1.0)
    services.conversations.add_turn(talk, "And then?", "A clip.", "lite_never.mp4")
    services.talks.file(gone, "answer.mp4").unlink()
    services.talks.file(deaf, "question.wav").unlink()
    file, told = filmed(services, talk)
    assert told["notes"] == [LOST.format(n=2), UNHEARD.format(n=1)]
    assert probe(file, "video").frames == script_of(services, services.conversations.get(talk)).frames
    said = [text.replace("\n", " ") for _, text in words(file)]
    assert any(EN in text and "no longer there" in text for text in said)


def test_clips_of_jobs_are_part_of_it_and_share_their_time_out(services: Services) -> None:
    talk = services.conversations.add("ada", "me").id
    clip(services.paths.clips / "lite_a.mp4", [shade(n, 150) for n in range(50)], babble(2.0))
    services.conversations.add_turn(talk, "Why?", "One two. Three four.", "lite_a.mp4", ["n"])
    file, told = filmed(services, talk)
    start = round(25 * reading_seconds("Why?"))
    frames = [shown(frame[SIZE // 2:]) for frame in read_video(file)]
    assert frames[start:] == pytest.approx([shown(shade(n, 150)) for n in range(50)], abs=2)
    assert [text for _, text in words(file)] == ["You: Why?", "One two.", "Three four."]
    assert words(file)[2][0] == pytest.approx(start / 25 + 2 * 8 / 20, abs=0.05)
    assert told["notes"] == []


def test_a_conversation_outlives_its_avatar(services: Services) -> None:
    talk = services.conversations.add("ada", "me").id
    live(services, talk, "Why?", EN)
    services.catalog.delete("ada")
    frames = [shown(frame[SIZE // 2:]) for frame in read_video(filmed(services, talk)[0])]
    assert frames[0] == pytest.approx(shown(shade(0, 120)), abs=2), "it rests in the first frame of its answer"
    shutil.rmtree(services.talks.folder(talk))
    with pytest.raises(NotFound) as found:
        filmed(services, talk)
    assert found.value.code == "film.no_picture"


def test_a_turn_without_words_is_no_obstacle(services: Services) -> None:
    talk = services.conversations.add("ada", "me").id
    live(services, talk, " ", "", seconds=0.4)
    for subtitles in ("soft", "burnt"):
        file, told = filmed(services, talk, subtitles)
        assert probe(file, "video").frames == round(25 * 1.5) + 10
        assert told["notes"] == []
    assert conversation_transcript.as_srt(script_of(services, services.conversations.get(talk)), "en") == ""


def test_an_attempt_that_was_killed_leaves_no_working_files_for_ever(services: Services) -> None:
    talk = services.conversations.add("ada", "me").id
    live(services, talk, "Why?", EN, seconds=0.4)
    job = conversation_film.submit(services, FilmForm(conversation=talk, subtitles="none"), "me")
    folder = services.store.folder(job.id)
    for name in ("film.mp4", ".film.99-abc.part", "log.txt"):
        (folder / name).write_bytes(b"x")
    conversation_film.run(job, services, silent)
    assert [path.name for path in folder.iterdir() if path.name != "lock"] == ["log.txt"]


def test_pictures_of_another_shape_are_shown_whole(services: Services) -> None:
    talk = services.conversations.add("ada", "me").id
    live(services, talk, "Why?", EN)
    clip(services.paths.clips / "lite_wide.mp4", [np.full((36, 96, 3), 200, np.uint8)] * 25, babble(1.0))
    services.conversations.add_turn(talk, "And?", "Wide.", "lite_wide.mp4")
    frames = list(read_video(filmed(services, talk, "none")[0]))
    assert frames[-1].shape == (SIZE, SIZE, 3)
    assert frames[-1][SIZE // 2].mean() == pytest.approx(200, abs=3)
    assert frames[-1][2].mean() < 10


def test_nothing_said_is_no_film_and_a_cancelled_one_leaves_nothing(services: Services) -> None:
    talk = services.conversations.add("ada", "me").id
    with pytest.raises(InvalidRequest) as found:
        filmed(services, talk)
    assert found.value.code == "conversation.empty"
    live(services, talk, "Why?", EN)
    with pytest.raises(NotFound):
        conversation_film.submit(services, FilmForm(conversation=talk), "somebody else")
    job = conversation_film.submit(services, FilmForm(conversation=talk), "me")

    def stop(step: Progress) -> None:
        if step.fraction > 0.5:
            raise Cancelled("The job was stopped.")

    with pytest.raises(Cancelled):
        conversation_film.run(job, services, stop)
    assert not list(services.store.folder(job.id).glob("*.mp4"))
    assert not list(services.talks.folder(talk).glob("*.mp4"))


def test_a_film_of_another_length_is_not_handed_out(services: Services) -> None:
    talk = services.conversations.add("ada", "me").id
    live(services, talk, "Why?", EN)
    script = script_of(services, services.conversations.get(talk))
    short = clip(services.paths.home / "short.mp4", [shade(n, 20) for n in range(script.frames - 1)], babble(1.0))
    with pytest.raises(OutputInvalid):
        conversation_film.checked(short, script, "none")


def test_transcripts_tell_who_when_and_how_much_was_heard(services: Services) -> None:
    talk = services.conversations.add("ada", "me").id
    live(services, talk, ZH, EN, spoken=1.3)
    live(services, talk, "And --> then?", DE, seconds=2.0, until=1.0)
    script = script_of(services, services.conversations.get(talk))
    text = conversation_transcript.as_text(script, "en")
    assert "# Conversation with Ada" in text
    assert f"**[00:00] You:** {ZH}" in text and f"**[00:02] Ada:** {EN}\n" in text
    assert f"{DE} (interrupted; 50 % was heard)" in text
    assert "被打断，听到了 50%" in conversation_transcript.as_text(script, "zh")
    data = json.loads(conversation_transcript.as_json(script, "en"))
    assert [turn["question"]["spoken"] for turn in data["turns"]] == [True, False]
    assert data["turns"][0]["answer"]["captions"] == [{"text": EN, "start": 2.0, "end": 4.0}]
    assert data["turns"][1]["answer"]["heard"] == 0.5
    assert data["seconds"] == script.frames / 25
    blocks = conversation_transcript.as_srt(script, "en").strip().split("\n\n")
    assert [block.split("\n")[0] for block in blocks] == ["1", "2", "3", "4"]
    assert blocks[1].split("\n")[1] == "00:00:02,000 --> 00:00:04,000"
    assert "And → then?" in blocks[2]
