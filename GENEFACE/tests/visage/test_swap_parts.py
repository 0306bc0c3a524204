"""The parts of the pipeline that know no engine: colours, blends, what lies in front, choosing, following."""

from __future__ import annotations

import numpy as np
import pytest

from visage.errors import BadImage
from visage.swap.blending import BLENDS, blend
from visage.swap.colouring import matched
from visage.swap.contract import Embedding, Face, Patch
from visage.swap.occlusion import visible
from visage.swap.options import ORDERS, SwapOptions
from visage.swap.selecting import Selector, ordered
from visage.swap.threads import background
from visage.swap.tracking import Cuts, Steady, Tracker, Work, refilled


def face(x: float, y: float = 100, size: float = 40, score: float = 0.9, vector: tuple[float, ...] = ()) -> Face:
    half = size / 2
    five = np.float32([[x - 8, y - 8], [x + 8, y - 8], [x, y], [x - 6, y + 9], [x + 6, y + 9]])
    embedding = Embedding("stand-in", np.float32(vector) / np.linalg.norm(vector)) if vector else None
    return Face((x - half, y - half, x + half, y + half), score, five, None, embedding)


def noise(colour: tuple[int, int, int], size: int = 80, spread: float = 8) -> np.ndarray:
    rng = np.random.default_rng(5)
    return np.clip(np.float32(colour) + rng.normal(0, spread, (size, size, 1)), 0, 255).astype(np.uint8)


def oval(size: int = 80) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.clip((size * 0.45 - np.hypot(x, y)) / 6, 0, 1).astype(np.float32)


def test_colours_are_matched_in_mean_and_spread() -> None:
    old, new = noise((200, 150, 130), spread=6), noise((90, 80, 120), spread=10)
    inside = oval() > 0.9
    out = matched(new, old, oval())
    assert np.abs(out[inside].mean(0) - old[inside].mean(0)).max() < 2.5
    assert out[inside].std() == pytest.approx(old[inside].std(), rel=0.25)
    same = matched(old, old, oval())
    assert np.abs(same.astype(int) - old).max() <= 1


def test_contrast_changes_by_a_factor_of_two_at_most() -> None:
    flat, rough = noise((128, 128, 128), spread=1), noise((128, 128, 128), spread=40)
    out = matched(flat, rough, np.ones((80, 80), np.float32))
    assert out.std() <= 2.6 * flat.std()


@pytest.mark.parametrize("way", BLENDS)
def test_where_the_mask_is_nought_every_bit_stays(way: str) -> None:
    frame = noise((120, 110, 100), 200, 25)
    out = frame.copy()
    mask = oval()
    blend(out, Patch(60, 40, noise((200, 90, 80)), mask), way)
    untouched = np.ones(frame.shape[:2], bool)
    untouched[40:120, 60:140] = mask == 0
    assert np.array_equal(out[untouched], frame[untouched])
    assert np.abs(out[70:90, 90:110].astype(int) - frame[70:90, 90:110]).mean() > 1


def test_a_pyramid_hides_a_seam_better_than_a_hard_edge() -> None:
    frame = np.full((200, 200, 3), 120, np.uint8)
    hard = (oval() > 0.5).astype(np.float32)
    steps = {}
    for way in ("alpha", "laplace"):
        out = frame.copy()
        blend(out, Patch(60, 60, np.full((80, 80, 3), 150, np.uint8), hard), way)
        steps[way] = int(np.abs(np.diff(out[100, :, 0].astype(int))).max())
    assert steps["alpha"] == 30 and steps["laplace"] < 25


def test_what_lies_in_front_of_a_face_stays_and_the_face_does_not() -> None:
    skin = noise((205, 160, 140))
    share = oval()
    hidden = skin.copy()
    hidden[50:62] = (20, 30, 120)
    free = visible(skin, hidden, share)
    assert free[54:58][:, 25:55].mean() < 0.15 and free[15:40, 30:50].mean() > 0.95
    assert visible(skin, skin, share).min() > 0.99
    inner = skin.copy()
    inner[30:36, 30:40] = (60, 30, 30)
    assert visible(skin, inner, share)[30:36, 30:40].mean() > 0.9, "a brow is no object"


def test_orders() -> None:
    crowd = [face(300, 50, 40, 0.5), face(100, 90, 80, 0.9), face(200, 20, 60, 0.7)]
    firsts = {order: round(ordered(crowd, order)[0].centre[0]) for order in ORDERS}
    assert firsts == {"left-right": 100, "right-left": 300, "top-bottom": 200, "bottom-top": 100, "largest": 100,
                      "smallest": 300, "best": 100, "worst": 300}


def test_the_chosen_face_stays_chosen_when_another_grows() -> None:
    selector = Selector(SwapOptions(who="one", order="largest"))
    assert list(selector.choose({4: face(100, size=60), 5: face(300, size=40)}, cut=True)) == [4]
    assert list(selector.choose({4: face(100, size=40), 5: face(300, size=60)}, cut=False)) == [4]
    assert selector.choose({5: face(300, size=60)}, cut=False) == {}
    assert list(selector.choose({6: face(100, size=40), 7: face(300, size=60)}, cut=True)) == [7]


def test_a_reference_chooses_by_likeness_and_refuses_other_spaces() -> None:
    reference = Embedding("stand-in", np.float32([1, 0]))
    selector = Selector(SwapOptions(who="reference", distance=0.2), reference)
    crowd = {1: face(100, vector=(1, 0.2)), 2: face(200, vector=(0, 1))}
    assert list(selector.choose(crowd, cut=True)) == [1]
    assert list(selector.choose({1: face(102), 2: face(198)}, cut=False)) == [1], "known without a new embedding"
    foreign = Selector(SwapOptions(who="reference"), Embedding("other", np.float32([1, 0])))
    with pytest.raises(Exception, match="cannot be compared"):
        foreign.choose(crowd, cut=True)


def test_two_faces_that_pass_keep_their_tracks_by_likeness() -> None:
    tracker = Tracker(6)
    for step in range(9):
        found = tracker.follow(step, [face(100 + 5 * step, vector=(1, 0)), face(140 - 5 * step, vector=(0, 1))],
                               cut=step == 0)
        assert found[0].embedding.vector[0] == 1, f"step {step}"


def works(courses: list[dict[int, float]], cuts: tuple[int, ...] = (0,)) -> list[Work]:
    empty = np.zeros((1, 1, 3), np.uint8)
    return [Work(n, n, n / 25, empty, {track: face(x) for track, x in course.items()}, n in cuts)
            for n, course in enumerate(courses)]


def test_a_gap_is_filled_between_its_ends_and_never_across_a_cut() -> None:
    filled = list(refilled(works([{1: 100}, {}, {}, {1: 130}, {1: 140}]), 4))
    assert [work.number for work in filled] == [0, 1, 2, 3, 4]
    assert [round(work.faces[1].centre[0]) for work in filled] == [100, 110, 120, 130, 140]
    long = list(refilled(works([{1: 100}, *[{}] * 7, {1: 180}]), 4))
    assert [len(work.faces) for work in long] == [1, *[0] * 7, 1]
    cut = list(refilled(works([{1: 100}, {}, {1: 120}], cuts=(0, 2)), 4))
    assert [len(work.faces) for work in cut] == [1, 0, 1]


def test_few_frames_are_held_while_a_face_is_missing() -> None:
    given = []

    def source():
        for work in works([{1: 100}, *[{}] * 30]):
            given.append(work.number)
            yield work

    for work in refilled(source(), 5):
        assert given[-1] - work.number <= 6


def test_points_at_rest_are_calmed_and_moving_ones_are_not_late() -> None:
    rng = np.random.default_rng(3)
    steady = Steady(25)
    rest = np.array([steady.settle(1, n, face(100 + rng.normal(0, 0.5))).five[2, 0] for n in range(60)])
    assert rest[20:].std() < 0.35
    moving = [steady.settle(2, n, face(100 + 6 * n)).five[2, 0] - (100 + 6 * n) for n in range(30)]
    assert np.abs(moving[5:]).max() < 1.6
    steady.forget()
    assert steady.settle(2, 30, face(500)).five[2, 0] == 500


def test_cuts() -> None:
    cuts = Cuts()
    one, other = noise((40, 60, 80), 64), noise((200, 180, 90), 64)
    assert [cuts.at(frame) for frame in (one, one, other, other, one)] == [True, False, True, False, True]


def test_a_step_in_the_background_hands_over_its_failure_and_ends_when_closed() -> None:
    closed = []

    def source(count: int):
        try:
            yield from range(count)
            raise BadImage("it broke")
        finally:
            closed.append(count)

    with pytest.raises(BadImage):
        list(background(source(3), 2, "test"))
    endless = background(source(10**9), 2, "test")
    assert next(endless) == 0
    endless.close()
    assert closed == [3, 10**9]
