"""Lessons dealt into steps and cut into micro-batches; the schedule of the rate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharpen.core.lessons import Lesson, Part, Term, preference
from sharpen.core.objectives import Imitate, PolicyGradient, Prefer
from sharpen.core.records import Message, user
from sharpen.core.training import Training
from sharpen.models.batches import Lecture, deals, lecture, micro_batches
from sharpen.models.optimiser import rate
from tests.models.tiny import CHAT, ENCODER, says


def lecture_of(count: int, group: int = 1, objective: Imitate | PolicyGradient | None = None) -> Lecture:
    lessons = [Lesson((Part(CHAT), Part("x" * (1 + i % 5), 1.0)), i // group + 1) for i in range(count)]
    return lecture(Term(objective or Imitate(), lessons), ENCODER, 100)[0]


@given(groups=st.integers(1, 12), group=st.integers(1, 5), batch=st.integers(1, 16))
@settings(max_examples=50)
def test_one_epoch_deals_every_lesson_once_and_splits_no_group(groups: int, group: int, batch: int) -> None:
    one = lecture_of(groups * group, group)
    dealt = [indices for (indices,) in deals([one], Training(batch=batch), ("s",))]
    assert sorted(i for indices in dealt for i in indices) == list(range(groups * group))
    for indices in dealt:
        for members in one.groups:
            assert set(members) <= set(indices) or not set(members) & set(indices)


def test_smaller_lectures_are_spread_over_the_steps_of_the_largest() -> None:
    dealt = deals([lecture_of(40), lecture_of(20), lecture_of(1)], Training(batch=8), ())
    assert [tuple(map(len, deal)) for deal in dealt] == [(8, 4, 1)] * 5


def test_a_number_of_steps_goes_around_as_often_as_it_takes() -> None:
    dealt = [indices for (indices,) in deals([lecture_of(5)], Training(steps=7, batch=2), ())]
    assert [len(indices) for indices in dealt] == [2] * 7
    assert sorted(i for indices in dealt[:5] for i in indices) == sorted([*range(5)] * 2)
    assert [len(i) for (i,) in deals([lecture_of(5)], Training(steps=2, batch=32), ())] == [5, 5]


def test_half_an_epoch_deals_half_of_the_lessons() -> None:
    assert [len(i) for (i,) in deals([lecture_of(20)], Training(epochs=0.5, batch=5), ())] == [5, 5]


def test_lessons_of_group_zero_stand_alone_but_pairs_may_have_any_number() -> None:
    lessons = [Lesson((Part(CHAT), Part("red", 1.0))) for _ in range(3)]
    assert [list(g) for g in lecture(Term(Imitate(), lessons), ENCODER, 100)[0].groups] == [[0], [1], [2]]
    pair = Term(Prefer(), preference(CHAT, "red", "blue", 0))
    assert [list(g) for g in lecture(pair, ENCODER, 100)[0].groups] == [[0, 1]]


@given(room=st.integers(1, 200), count=st.integers(1, 30))
@settings(max_examples=50)
def test_micro_batches_hold_every_lesson_once_within_the_room(room: int, count: int) -> None:
    one = lecture_of(count)
    cut = micro_batches(one, range(count), room)
    assert sorted(i for batch in cut for i in batch) == list(range(count))
    for batch in cut:
        padded = len(batch) * max(len(one.rows[i].ids) for i in batch)
        assert padded <= room or len(batch) == 1


def test_pairs_stay_together_the_better_first() -> None:
    lessons = [lesson for i in range(5) for lesson in preference(CHAT, "red" * (5 - i), "blue", i)]
    one, _ = lecture(Term(Prefer(), lessons), ENCODER, 100)
    for batch in micro_batches(one, range(10), 40):
        assert all(
            better % 2 == 0 and worse == better + 1 for better, worse in zip(batch[::2], batch[1::2], strict=True)
        )


def test_a_later_chat_adds_only_what_is_new() -> None:
    later = (*CHAT, Message("assistant", "red"), user("dog"))
    lesson = Lesson((Part(CHAT), Part("red", 1.0), Part(later), Part("blue", 1.0)))
    row = lecture(Term(Imitate(), [lesson]), ENCODER, 100)[0].rows[0]
    whole = ENCODER.encode(later) + says("blue")
    assert np.array_equal(row.ids, whole.ids)
    assert int(row.counted.sum()) == len(says("red")) + len(says("blue"))


def test_the_end_of_a_turn_comes_once_after_words_in_pieces() -> None:
    lesson = Lesson((Part(CHAT), Part("red", 1.0), Part(" blue", 1.0)))
    row = lecture(Term(Imitate(), [lesson]), ENCODER, 100)[0].rows[0]
    assert np.array_equal(row.ids, (ENCODER.encode(CHAT) + says("red blue")).ids)


def test_tokens_without_advantage_count_where_the_policy_drew_them() -> None:
    said = says("red")
    drawn = Lesson((Part(CHAT), Part(said, 0.0, np.zeros(len(said), np.float32))))
    row = lecture(Term(PolicyGradient(), [drawn]), ENCODER, 100)[0].rows[0]
    assert int(row.counted.sum()) == len(said)


def test_the_rate_rises_and_falls_as_the_schedule_says() -> None:
    how = Training(rate=1.0, warmup=2, schedule="linear", floor=0.1)
    assert [rate(how, 128, step, 6) for step in range(6)] == pytest.approx([0.5, 1.0, 1.0, 0.775, 0.55, 0.325])
    cosine = Training(rate=1.0, schedule="cosine", position=(4, 8))
    assert rate(cosine, 128, 0, 2) == pytest.approx(0.5)
    assert rate(Training(rate=2.0), 128, 5, 6) == 2.0


def test_a_rate_of_none_follows_the_width() -> None:
    assert rate(Training(pace=2.0), 128, 0, 1) == pytest.approx(2e-4)
    assert rate(Training(), 512, 0, 1) == pytest.approx(1e-4 / 4)
