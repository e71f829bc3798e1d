"""Which attempts are paired, and what is learned of a pair."""

from collections import Counter
from dataclasses import replace

import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.objectives import Imitate
from sharpen.core.records import Attempt, Sampling, user
from sharpen.core.speech import AGAIN, SURE
from sharpen.core.training import Training
from sharpen.methods.pair_sft import Config, run
from sharpen.sample.retry import Twice
from tests.methods.watching import MODEL, Impossible, Place, place, rounds, said, seen

HOW = Sampling(n=8, temperature=1.0, max_tokens=8)
SMALL = Config(problems=64, how=HOW, training=Training(epochs=1, batch=16, rate=0.01, inherit="moments"))


def taught(there: Place, learning: int = 0) -> list[tuple[str, str, str]]:
    """(question, first, second) of each lesson."""
    found = []
    for lesson in there.learnings[learning].lessons:
        chat = lesson.parts[0].content
        assert isinstance(chat, tuple)
        question, first, request = chat
        assert (first.role, request) == ("assistant", user(SURE))
        found.append((question.text, first.text, said(lesson)))
    return found


def attempts(there: Place, right: bool, learning: int = 0) -> list[tuple[str, str]]:
    marks = there.task.judged[learning]
    return [(asked(m.attempt), m.attempt.text) for m in marks if bool(m.verdict.right) == right]


def asked(attempt: Attempt) -> str:
    return attempt.problem.chat[0].text


def test_a_wrong_attempt_is_followed_by_a_right_one_at_the_same_problem() -> None:
    there = place()
    (done,) = rounds(run(there.lab, SMALL), 1)
    pairs = taught(there)
    assert 0 < len(pairs) == done.metrics["train/pairs"]
    wrong, right = Counter(attempts(there, False)), Counter(attempts(there, True))
    assert not Counter((question, first) for question, first, _ in pairs) - wrong
    assert not Counter((question, second) for question, _, second in pairs) - right
    expected = sum(min(4, count, 8 - count) for count in Counter(question for question, _ in right.elements()).values())
    assert len(pairs) == expected


def test_only_the_second_attempt_is_learned() -> None:
    there = place()
    rounds(run(there.lab, SMALL), 1)
    assert there.learnings[0].terms[0].objective == Imitate()
    for lesson in there.learnings[0].lessons:
        chat, second = lesson.parts
        assert (chat.weight, second.weight) == (0.0, 1.0)
        assert isinstance(chat.content, tuple) and chat.content[-2].tokens is not None


def test_plus_adds_pairs_of_two_right_attempts() -> None:
    there = place()
    rounds(run(there.lab, replace(Config.plus(), problems=64, how=HOW, training=SMALL.training)), 1)
    right = Counter(attempts(there, True))
    counts = Counter(question for question, _ in right.elements())
    both = [(question, first) for question, first, _ in taught(there) if (question, first) in right]
    assert len(both) == sum(min(4, count - 1) for count in counts.values()) > 0


def test_no_more_than_so_many_pairs_of_a_problem() -> None:
    there = place()
    rounds(run(there.lab, replace(SMALL, cap=1)), 1)
    questions = [question for question, _, _ in taught(there)]
    assert len(questions) == len(set(questions)) > 0


def test_attempts_are_always_the_bases_and_learning_goes_on() -> None:
    there = place()
    last = rounds(run(there.lab, SMALL), 3)[-1]
    assert {mark.attempt.by for marks in there.task.judged for mark in marks} == {there.lab.model.base}
    assert [one.start for one in there.learnings[1:]] == [one.learned.weights for one in there.learnings[:-1]]
    assert last.solver == Twice(there.learnings[-1].learned.weights)


def test_two_rounds_match_otherwise_and_the_same_round_alike() -> None:
    one, again = place(), place()
    rounds(run(one.lab, SMALL), 2)
    rounds(run(again.lab, SMALL), 2)
    assert taught(one) == taught(again) and taught(one, 1) == taught(again, 1) != taught(one)


def test_without_a_right_attempt_there_is_no_pair() -> None:
    there = place(toy=Impossible)
    (done,) = rounds(run(there.lab, SMALL), 1)
    assert done.metrics["train/pairs"] == 0 and there.learnings[0].learned.weights == MODEL.base


def test_the_request_is_a_setting() -> None:
    there = place()
    (done,) = rounds(run(there.lab, replace(SMALL, request=AGAIN)), 1)
    assert all(seen(lesson).endswith(AGAIN) for lesson in there.learnings[0].lessons)
    assert done.solver == Twice(there.learnings[0].learned.weights, AGAIN)


def test_one_attempt_makes_no_pair() -> None:
    with pytest.raises(InvalidInput, match="n must be >= 2"):
        Config(how=replace(HOW, n=1))
