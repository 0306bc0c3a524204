"""The lines of a container, from its output to progress, result and error."""

from __future__ import annotations

import pytest

from visage.engines.container.lines import Listener
from visage.errors import BadVideo, Cancelled, ContainerFailed, InvalidRequest, NotInstalled
from visage.types import Progress


def heard(*lines: str) -> tuple[list[Progress], Listener]:
    steps: list[Progress] = []
    listener = Listener(steps.append)
    for line in lines:
        listener(line)
    return steps, listener


def failed(code: int) -> ContainerFailed:
    return ContainerFailed("it failed", exit_code=code, argv=["bash"], stderr="the log")


def test_progress_is_weighted_by_the_container_or_by_its_stages() -> None:
    steps, _ = heard('{"stage":"audio","index":2,"of":4,"progress":0.5,"message":"half"}',
                     '{"stage":"train","index":3,"of":4,"progress":0,"overall":0.1}',
                     '{"stage":"train","overall":0.6,"facts":{"step":7}}')
    assert [step.stage for step in steps] == ["audio", "train", "train"]
    assert [step.fraction for step in steps] == [0.375, 0.375, 0.6]
    assert steps[0].message == "half"
    assert steps[2].facts == {"step": 7}


def test_all_else_is_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    odd = ["plain", "{not json}", '{"a": 1}', "[1]", '{"stage": 3}', '{"error": "text"}', "{" * 5000 + "}"]
    steps, listener = heard(*odd)
    assert not steps
    assert not listener.result
    assert listener.error is None
    assert capsys.readouterr().out.splitlines() == odd


def test_strange_numbers_do_no_harm() -> None:
    steps, _ = heard('{"stage":"a","overall":NaN}', '{"stage":"a","overall":7}', '{"stage":"a","overall":-1}',
                     '{"stage":"a","index":"x","of":0,"progress":null}')
    assert [step.fraction for step in steps] == [0.0, 1.0, 1.0, 1.0]


def test_the_results_are_gathered() -> None:
    assert heard('{"result":{"width":512}}', '{"result":{"frames":3}}')[1].result == {"width": 512, "frames": 3}


@pytest.mark.parametrize(("code", "kind"), [(1, ContainerFailed), (2, InvalidRequest), (3, NotInstalled),
                                            (4, BadVideo), (5, NotInstalled), (99, ContainerFailed)])
def test_the_exit_code_says_what_kind_of_error_was_told(code: int, kind: type) -> None:
    _, listener = heard('{"error":{"code":"geneface.x","message":"No {braces} here.","hint":"Do this.",'
                        '"params":{"file":"a.mat"}}}')
    error = listener.translated(failed(code))
    assert type(error) is kind
    assert (error.message, error.hint, error.code) == ("No {braces} here.", "Do this.", "geneface.x")
    assert error.params["file"] == "a.mat"


def test_without_words_of_its_own_the_failure_stays_as_it_was() -> None:
    failure = failed(1)
    assert heard()[1].translated(failure) is failure
    assert heard('{"error":{"code":"x"}}')[1].translated(failure) is failure


def test_a_cancelled_job_stops_at_the_next_progress() -> None:
    def stop(_: Progress) -> None:
        raise Cancelled("The job was stopped.")

    with pytest.raises(Cancelled):
        Listener(stop)('{"stage":"a"}')
