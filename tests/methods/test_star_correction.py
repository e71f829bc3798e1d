"""Which corrections are imitated, and from where."""

from dataclasses import replace

import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.objectives import Imitate
from sharpen.core.records import Judged, Sampling
from sharpen.core.speech import SURE
from sharpen.core.training import Training
from sharpen.methods.star_correction import Config, run
from sharpen.sample.retry import Twice
from tests.methods.watching import Impossible, Place, place, rounds, said, seen

HOW = Sampling(n=4, temperature=1.0, max_tokens=8)
SMALL = Config(problems=64, how=HOW, cap=64, training=Training(epochs=1, batch=16, rate=0.01))


def pairs(there: Place, learning: int = 0) -> list[tuple[Judged, Judged]]:
    marks = there.task.judged[learning]
    return list(zip(marks[::2], marks[1::2], strict=True))


def shown(mark: Judged) -> tuple[str, str]:
    turn = mark.attempt.turns[0]
    return "\n".join(message.text for message in turn.seen), turn.text


@pytest.mark.parametrize("name", ["", "plus"])
def test_only_second_tries_that_are_right_are_imitated_and_the_first_must_have_been_wrong(name: str) -> None:
    config = replace(SMALL, keep="right") if name else SMALL
    assert config.keep == (getattr(Config, name)() if name else Config()).keep
    there = place()
    (done,) = rounds(run(there.lab, config), 1)
    wanted = {shown(b) for a, b in pairs(there) if b.verdict.right and (name or not a.verdict.right)}
    (term,) = there.learnings[0].terms
    taught = [(seen(lesson), said(lesson)) for lesson in term.lessons]
    assert sorted(taught) == sorted(wanted)
    assert 0 < len(taught) == done.metrics["train/kept"]
    assert all(chat.endswith(SURE) for chat, _ in taught)
    assert term.objective == Imitate()


def test_plus_keeps_what_was_right_and_stayed_right_as_well() -> None:
    there = place()
    rounds(run(there.lab, replace(SMALL, keep="right")), 1)
    assert any(a.verdict.right and b.verdict.right for a, b in pairs(there))
    assert len(there.learnings[0].lessons) > sum(bool(b.verdict.right and not a.verdict.right) for a, b in pairs(there))


def test_the_first_try_is_context_only() -> None:
    there = place()
    rounds(run(there.lab, SMALL), 1)
    assert all(lesson.parts[0].weight == 0 and lesson.parts[1].weight == 1 for lesson in there.learnings[0].lessons)
    assert all(len(lesson.parts) == 2 for lesson in there.learnings[0].lessons)


def test_at_most_so_many_corrections_of_a_problem() -> None:
    there = place()
    rounds(run(there.lab, replace(SMALL, keep="right", cap=1, how=replace(HOW, n=8))), 1)
    questions = [seen(lesson).splitlines()[0] for lesson in there.learnings[0].lessons]
    assert len(questions) == len(set(questions)) > 0


@pytest.mark.parametrize(("start", "inherits"), [("previous", "nothing"), ("moments", "moments"), ("base", "nothing")])
def test_learning_starts_where_it_is_told_to(start: str, inherits: str) -> None:
    there = place()
    rounds(run(there.lab, replace(SMALL, start=start)), 3)  # type: ignore[arg-type]  # a literal, parametrised
    base = there.lab.model.base
    before = [base] * 3 if start == "base" else [base, *(one.learned.weights for one in there.learnings[:-1])]
    assert [one.start for one in there.learnings] == before
    assert {one.how.inherit for one in there.learnings} == {inherits}


def test_without_a_right_try_nothing_is_learned() -> None:
    there = place(toy=Impossible)
    (done,) = rounds(run(there.lab, SMALL), 1)
    assert there.learnings[0].learned.weights == there.lab.model.base and done.metrics["train/kept"] == 0
    assert done.solver == Twice(there.lab.model.base)


def test_no_corrections_at_all_are_refused() -> None:
    with pytest.raises(InvalidInput, match="cap must be >= 1"):
        Config(cap=0)
