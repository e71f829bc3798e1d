"""Where the knobs come from, and the process reward model."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sharpen.core.method import Lab, Seat
from sharpen.core.ports import Oracle
from sharpen.core.records import Attempt, Judged, Sampling, Verdict
from sharpen.core.training import Training
from sharpen.judge.steps import StepJudge
from sharpen.methods.bstar import Config, State, run
from sharpen.models.local import LocalModel
from sharpen.models.open import open_model
from sharpen.tasks.arithmetic import Arithmetic
from sharpen.tasks.ladder import Ladder, Sizes
from tests.methods.watching import MARKING, Watched, place, rounds, seen

GRID = (0.3, 1.0, 3.0)
SMALL = Config(
    rounds=4,
    problems=16,
    probe=8,
    temperatures=GRID,
    enough=2,
    training=Training(steps=4, batch=16, rate=0.03, inherit="moments"),
)


def worth(marks: list[Judged], enough: int) -> float:
    """The balance score by hand, where all that is kept is right: the mean of min(distinct right / n*, 1)."""
    right: dict[str, set[str]] = {mark.attempt.problem.id: set() for mark in marks}
    for mark in marks:
        if mark.verdict.right:
            right[mark.attempt.problem.id].add(" ".join(mark.attempt.text.split()))
    return sum(min(len(texts) / enough, 1.0) for texts in right.values()) / len(right)


def test_the_temperature_is_the_one_of_highest_balance_on_the_probe() -> None:
    there = place()
    played = rounds(run(there.lab, SMALL), 3)
    calls = iter(there.task.judged)
    for one in played:
        probe = [next(calls) for _ in GRID]
        scores = [worth(marks, SMALL.enough) for marks in probe]
        assert one.metrics["balance"] == pytest.approx(max(scores))
        assert one.metrics["temperature"] == GRID[scores.index(max(scores))]
        assert len({mark.attempt.problem.id for mark in next(calls)}) == SMALL.problems


def test_the_probe_is_the_same_every_round_and_at_every_temperature() -> None:
    there = place()
    rounds(run(there.lab, SMALL), 2)
    ids = [[mark.attempt.problem.id for mark in marks] for marks in there.task.judged]
    assert ids[0] == ids[1] == ids[2] == ids[4] == ids[5] == ids[6] != ids[3]


def test_the_schedule_goes_on_over_the_rounds_and_so_does_the_optimiser() -> None:
    there = place()
    rounds(run(there.lab, SMALL), 3)
    assert [learning.how.position for learning in there.learnings] == [(0, 16), (4, 16), (8, 16)]
    assert {learning.how.inherit for learning in there.learnings} == {"moments"}
    assert there.steps(there.learnings[-1].learned.weights) == 12


def test_the_critic_is_trained_once_before_the_first_round_and_kept() -> None:
    there = place(MARKING)
    config = replace(SMALL, critic=8, completions=2, thresholds=(-0.5, 0.0, 0.5))
    first, second = (one.state for one in rounds(run(there.lab, config), 2))
    assert isinstance(first, State) and isinstance(second, State)
    assert first.critic is not None and first.critic == second.critic
    assert first.critic != there.lab.model.base and len(there.learnings) == 3
    again = rounds(run(there.lab, config, first), 1)[0]
    assert again.state == second and len(there.learnings) == 4


def test_the_critics_lessons_end_steps_and_its_last_label_is_the_verdict() -> None:
    there = place(MARKING)
    next(run(there.lab, replace(SMALL, critic=8)))
    attempts = there.task.judged[0]
    lessons = there.learnings[0].lessons
    whole = [(f"{m.attempt.problem.chat[-1].text}\n{m.attempt.text.strip()}", float(bool(m.verdict.right)))
             for m in attempts if m.attempt.text.strip()]  # fmt: skip
    told = [(seen(lesson).strip(), lesson.parts[0].target) for lesson in lessons]
    assert all(seen(lesson).endswith("\n") for lesson in lessons)
    assert told == whole and {label for _, label in told} == {0.0, 1.0}


def test_the_critic_judges_by_steps_and_its_score_is_added() -> None:
    there = place(MARKING)
    config = replace(SMALL, critic=64, thresholds=(-0.9,))
    (one,) = rounds(run(there.lab, config), 1)
    assert isinstance(one.state, State) and one.state.critic is not None
    judge = StepJudge(there.lab.at(one.state.critic))
    verdicts = judge([mark.attempt for mark in there.task.judged[-1]])
    assert all(len(verdict.steps) == 1 for verdict in verdicts if verdict.steps)
    assert any(verdict.steps and abs(verdict.steps[0] - 0.5) > 0.01 for verdict in verdicts)
    assert all(-1 <= verdict.score <= 1 for verdict in verdicts)


class Recorder:
    """An oracle that remembers what it judged."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.judged: list[list[Judged]] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.oracle, name)

    def judge(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        verdicts = self.oracle.judge(attempts)
        self.judged.append([Judged(*both) for both in zip(attempts, verdicts, strict=True)])
        return verdicts


def test_a_step_is_good_where_any_try_from_it_arrives(tmp_path: Path) -> None:
    task, model = Ladder(Arithmetic(), levels=(4,), sizes=Sizes(6, 2, 2)), open_model("nano", tmp_path)
    assert isinstance(model, LocalModel)
    watched, oracle = Watched(model.bind(lambda work, paid: None)), Recorder(task.oracle)
    seat = Seat({"model": watched}, task.env)  # type: ignore[dict-item]  # it passes on what it does not have itself
    train = task.problems("train")
    lab = Lab(seat, oracle, train, (), task, lambda: 1.0)  # type: ignore[arg-type]  # the same
    config = replace(SMALL, critic=6, completions=2, probe=1, problems=1, how=Sampling(n=2, temperature=1.2))
    next(run(lab, config))
    tries = oracle.judged[1]
    lessons = watched.learnings[0].lessons[: len(tries) // 2]
    for first, lesson in enumerate(lessons):
        both = tries[2 * first : 2 * first + 2]
        problem, begun = seen(lesson).split("\n", 1)
        assert all(mark.attempt.problem.chat[-1].text == problem for mark in both)
        assert all(mark.attempt.text.startswith(begun) for mark in both)
        assert lesson.parts[0].target == float(any(mark.verdict.right for mark in both))
    assert {lesson.parts[0].target for lesson in lessons} == {0.0, 1.0}
