"""The numbers E01 to E14: every row stands, and the doors answer as it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from visage import errors as tree
from visage.swap.contract import Embedding
from visage.swap.faults import FAULTS, Fault, exit_code, fault_of
from web.status import status_of


def made(fault: Fault) -> tree.VisageError:
    code = fault.codes[0] if fault.codes else None
    if fault.kind is tree.ToolFailed:
        return tree.ToolFailed("it failed", argv=["ffmpeg"], stderr="no")
    return fault.kind("it failed", code=code)


def test_every_number_has_one_row() -> None:
    assert [fault.number for fault in FAULTS] == [f"E{n:02}" for n in range(1, 15)]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.number)
def test_a_row_is_found_by_its_error_and_http_answers_as_it_says(fault: Fault) -> None:
    error = made(fault)
    assert fault_of(error) is fault
    assert status_of(error) == fault.http
    assert exit_code(error) == fault.exit
    assert fault_of(tree.revived(error.as_dict())) is fault, "the number is lost on the way out of a job's process"


def test_an_error_of_another_part_has_no_number() -> None:
    assert fault_of(tree.Conflict("it exists")) is None
    assert exit_code(tree.InvalidRequest("no")) == 2 and exit_code(tree.Conflict("it exists")) == 1


def test_embeddings_of_two_spaces_are_never_compared() -> None:
    one, other = (Embedding(space, np.float32([1, 0])) for space in ("embedded-v1", "arcface"))
    with pytest.raises(tree.InvalidRequest) as caught:
        one.distance(other)
    fault = fault_of(caught.value)
    assert fault and fault.number == "E06"
    assert one.distance(one) == 0.0
    assert one.distance(Embedding("embedded-v1", np.float32([-1, 0]))) == 1.0


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.number)
def test_the_document_has_the_row_as_it_is(fault: Fault) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "faceswap.md").read_text(encoding="utf-8")
    row = f"| {fault.number} | {fault.stage} | {fault.cause} | {fault.remedy} | {fault.http} | {fault.exit} |"
    assert row in text
