"""What the teacher is paid, which student is promoted, and from where every student starts."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from sharpen.control.promotion import Promotion
from sharpen.control.study import Drill, Study
from sharpen.core.errors import InvalidInput
from sharpen.core.method import Round
from sharpen.core.objectives import PolicyGradient
from sharpen.core.records import Attempt, Judged, Sampling, Verdict
from sharpen.core.speech import of_topics
from sharpen.core.training import Training
from sharpen.judge.given import points
from sharpen.methods.soar import Config, State, run
from sharpen.models.linear import ANSWERS, WORDS, linear_model
from sharpen.propose.pose import Writing
from sharpen.sample.direct import Direct
from tests.methods.watching import Impossible, Learning, Place, WatchedToy, place, rounds, said, seen

POSED = tuple(
    f"Task: {key} {idle} Answer: {n}" for n, key in enumerate(("cat", "dog", "bird")) for idle in ("of", "to")
)
WRITER = linear_model((*WORDS, *POSED), (*ANSWERS[:3], *POSED))
"""Says a number, or a whole problem with its answer, which as an answer is its number."""
TRAINING = Training(rate=0.003)
SMALL = Config(
    rounds=3,
    asked=4,
    writing=Writing(sets=2, size=2, form="reply", how=Sampling(max_tokens=8)),
    drill=Drill(repeats=2, steps=2, more=1, most=3, problems=2, how=Sampling(n=3, max_tokens=8)),
    promotion=Promotion(threshold=0.1),
    teaching=replace(TRAINING, inherit="moments"),
    training=TRAINING,
)
FRESH = Study(steps=4, warm=2, amount=3, warmup=0)
A_ROUND = [1, 2, 3, 1, 0]
"""Of four: before, and after each of two students on two datasets. R = 3/8 and -1/8, A = 1/2 and -1/2."""


class Scripted(WatchedToy):
    """As many attempts of each call are right as the script says, over and over."""

    script: Sequence[int] = A_ROUND

    def judge(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        right = self.script[len(self.judged) % len(self.script)]
        verdicts = [Verdict(float(i < right), i < right) for i in range(len(attempts))]
        self.judged.append([Judged(*both) for both in zip(attempts, verdicts, strict=True)])
        return verdicts


class Level(Scripted):
    """Nobody gets better or worse."""

    script = (1,)


class Half(WatchedToy):
    """Problems about animals are always solved, others never."""

    def _verdict(self, attempt: Attempt) -> Verdict:
        right = attempt.problem.family == "animal"
        return Verdict(float(right), right)


def there(toy: type[WatchedToy] = Scripted) -> Place:
    return place(WRITER, toy)


def state(last: Round) -> State:
    assert isinstance(last.state, State)
    return last.state


def weights(learning: Learning) -> list[float]:
    return [float(np.asarray(lesson.parts[1].weight)) for lesson in learning.lessons]


def small(config: Config) -> Config:
    """The variant at the size of these tests."""
    study = replace(config.study, steps=4, warm=2, amount=3, warmup=0)
    drill = replace(SMALL.drill, repeats=config.drill.repeats)
    return replace(
        SMALL,
        rounds=min(config.rounds, 1),
        reward=config.reward,
        study=study,
        drill=drill,
        promotion=replace(SMALL.promotion, threshold=max(config.promotion.threshold, 0.1)),
    )


def test_all_that_was_written_in_a_dataset_is_credited_with_what_its_students_gained() -> None:
    here = there()
    (first,) = rounds(run(here.lab, SMALL), 1)
    teacher = here.learnings[8]
    assert teacher.start == here.lab.model.base and teacher.learned.weights == state(first).teacher
    assert weights(teacher) == pytest.approx([0.5, 0.5, -0.5, -0.5])
    assert [lesson.parts[0].content for lesson in teacher.lessons] == [SMALL.writing.prompt(["animal", "colour"])] * 4
    assert first.metrics["teach/reward"] == pytest.approx(0.125)
    assert first.metrics["student/before"] == 0.25


def test_the_teachers_loss_is_the_sheets_sum_over_tokens_and_mean_over_problems() -> None:
    here = there()
    rounds(run(here.lab, replace(SMALL, beta=0.0)), 1)
    teacher = here.learnings[8]
    lengths = [len(lesson.parts[1].content) for lesson in teacher.lessons]
    expected = -sum(0.5 * length for length in lengths[:2]) / 4 + sum(0.5 * length for length in lengths[2:]) / 4
    assert teacher.learned.metrics["loss"] == pytest.approx(expected, abs=1e-5)  # the ratio is 1
    assert teacher.learned.metrics["steps"] == 1 and teacher.terms[0].anchor is None


def test_in_turns_question_and_answer_are_one_sum() -> None:
    here = there()
    rounds(run(here.lab, replace(SMALL, beta=0.0, writing=replace(SMALL.writing, form="turns"))), 1)
    teacher = here.learnings[8]
    assert weights(teacher) == pytest.approx([0.5] * 4 + [-0.5] * 4)
    lengths = [len(lesson.parts[1].content) for lesson in teacher.lessons]
    assert teacher.learned.metrics["loss"] == pytest.approx(0.5 * (sum(lengths[4:]) - sum(lengths[:4])) / 4, abs=1e-5)
    assert seen(teacher.lessons[0]) == of_topics(["animal", "colour"])[0].text


def test_every_student_starts_from_the_same_weights_and_a_fresh_optimiser() -> None:
    here = there()
    rounds(run(here.lab, SMALL), 1)
    runs = [here.learnings[start : start + 2] for start in range(0, 8, 2)]
    for first, second in runs:
        assert first.start == here.lab.model.base and first.how.inherit == "afresh"
        assert second.start == first.learned.weights and second.how.inherit == "moments"
        assert [one.how.position for one in (first, second)] == [(0, 2), (1, 2)]
    assert len({second.learned.weights.id for _, second in runs}) == 4


def test_the_median_student_of_the_best_dataset_is_promoted_and_its_dataset_kept() -> None:
    here = there()
    first, second = rounds(run(here.lab, SMALL), 2)
    assert state(first).student == here.learnings[1].learned.weights  # gained 1/4, the other student 1/2
    assert state(first).promotions == 1 and state(first).window == ()
    taught = {seen(lesson) for lesson in here.learnings[0].lessons}
    assert {one.problem.chat[-1].text for one in state(first).questions} == taught
    starts = here.learnings[9::3]
    assert all(one.start == state(first).student and one.how.inherit == "afresh" for one in starts[:4])
    assert second.metrics["drill/steps"] == 3.0
    assert isinstance(first.solver, Direct) and first.solver.weights == state(first).student


def test_where_nobody_gains_all_students_are_dropped_and_the_teacher_is_only_held() -> None:
    here = there(Level)
    (first,) = rounds(run(here.lab, SMALL), 1)
    assert state(first).student == here.lab.model.base and state(first).questions == ()
    assert state(first).window == (0.0,) and first.metrics["student/promoted"] == 0.0
    assert weights(here.learnings[8]) == [0.0] * 4


def test_students_are_judged_by_the_teachers_answers_and_the_oracle_sees_hard_problems_alone() -> None:
    here = there()
    rounds(run(here.lab, SMALL), 1)
    assert len(here.task.judged) == 5
    known = {problem.id for problem in here.lab.train}
    asked = [[mark.attempt.problem.id for mark in marks] for marks in here.task.judged]
    assert all(ids == asked[0] and set(ids) <= known and len(set(ids)) == 4 for ids in asked)
    for learning in here.learnings[:8]:
        texts = [seen(lesson) for lesson in learning.lessons]
        replies = [said(lesson, WRITER) for lesson in learning.lessons]
        for start in range(0, len(texts), 3):
            given = next(text[-1] for text in POSED if text.startswith(f"Task: {texts[start]} "))
            paid = [points(reply, given) for reply in replies[start : start + 3]]
            expected = [own - (sum(paid) - own) / 2 for own in paid]
            assert weights(learning)[start : start + 3] == pytest.approx(expected)


def test_both_are_held_to_the_base_and_step_on_sums_over_tokens() -> None:
    here = there()
    rounds(run(here.lab, replace(SMALL, beta=0.25)), 2)
    for learning in here.learnings:
        (term,) = learning.terms
        assert term.objective == PolicyGradient(None, "token", "constant", 1, "k3", 1.0)
        assert term.anchor == here.lab.model.base and learning.learned.metrics["steps"] == 1
        assert {lesson.parts[1].leash for lesson in term.lessons} == {0.25}


def test_an_intrinsic_teacher_is_paid_by_its_own_answers_whatever_its_students_gain() -> None:
    here = there(Impossible)
    (first,) = rounds(run(here.lab, replace(SMALL, reward="learnability")), 1)
    assert 0 < first.metrics["teach/reward"] < 1 and first.metrics["student/gain"] == 0.0
    (other,) = rounds(run(there(Impossible).lab, SMALL), 1)
    assert other.metrics["teach/reward"] == 0.0


def test_a_fresh_student_learns_the_kept_questions_first_and_then_the_hard_problems() -> None:
    here = there()
    last = rounds(run(here.lab, replace(SMALL, rounds=1, study=FRESH)), 5)[-1]
    steps = here.learnings[9:]
    assert steps[0].start == here.lab.model.base and len(steps) == 4
    posed = {one.problem.chat[-1].text for one in state(last).questions}
    asked = [{seen(lesson) for lesson in step.lessons} for step in steps]
    assert all(texts <= posed for texts in asked[:2]) and not any(texts & posed for texts in asked[2:])
    assert isinstance(last.solver, Direct) and last.solver.weights == state(last).learner == steps[-1].learned.weights
    assert state(last).student != state(last).learner


def test_a_mixture_asks_both_all_along() -> None:
    here = there()
    study = replace(FRESH, order="mixed")
    lab = replace(here.lab, train=here.lab.train[:4])
    rounds(run(lab, replace(SMALL, rounds=1, drill=replace(SMALL.drill, problems=6), study=study)), 5)
    hard = {problem.chat[-1].text for problem in lab.train}
    for step in here.learnings[-4:]:
        asked = {seen(lesson) for lesson in step.lessons}
        assert asked & hard and asked - hard


def test_the_baselines_learn_from_what_they_say() -> None:
    hard = {problem.chat[-1].text for problem in there().lab.train}
    for variant, taught, own in (
        (Config.hard_only(), 0, False),
        (Config.untrained(), 0, True),
        (Config.curated(), 0, False),
        (Config.unpromoted(), 9, True),
        (Config.grounded(), 9, True),
        (Config.intrinsic(), 5, True),
    ):
        here = there()
        last = rounds(run(here.lab, small(variant)), 5)[-1]
        assert len(here.learnings) == taught + 4
        assert (state(last).teacher == here.lab.model.base) == (taught == 0)
        assert bool(state(last).questions) == own
        early = {seen(lesson) for step in here.learnings[taught : taught + 2] for lesson in step.lessons}
        assert (early <= {" ".join(text.split()[1:3]) for text in POSED}) == own
        assert variant != Config.hard_only() or early <= hard


def test_curated_questions_are_the_tasks_own_of_a_level() -> None:
    here = there(WatchedToy)
    config = small(Config.curated())
    rounds(run(here.lab, config), 1)
    assert {mark.attempt.problem.level for mark in here.task.judged[0]} == {config.study.level}
    assert config.needs == {"generate"} and SMALL.needs == frozenset()


def test_without_promotion_no_student_stays() -> None:
    here = there()
    last = rounds(run(here.lab, replace(SMALL, promotion=Config.unpromoted().promotion)), 3)[-1]
    assert state(last).student == here.lab.model.base and state(last).promotions == 0


def test_teaching_ends_where_the_fresh_students_share_of_the_budget_begins() -> None:
    here = there()
    left = iter([1.0, 0.7, 0.49])
    last = rounds(run(replace(here.lab, left=lambda: next(left)), replace(SMALL, study=FRESH)), 3)[-1]
    assert state(last).round == 2 and state(last).studied == 1


def test_only_problems_that_the_base_fails_every_time_are_asked() -> None:
    here = there(Half)
    (first,) = rounds(run(here.lab, replace(SMALL, failing=2)), 1)
    asked = [{mark.attempt.problem.family for mark in marks} for marks in here.task.judged]
    assert asked == [{"animal", "colour"}, *[{"colour"}] * 5]
    assert len(here.task.judged[0]) == 2 * len(here.lab.train)
    hard = {problem.id for problem in here.lab.train if problem.family == "colour"}
    assert set(state(first).hard) == hard
    again = there(Half)
    rounds(run(again.lab, replace(SMALL, failing=2), replace(state(first), teacher=again.lab.model.base)), 1)
    assert {mark.attempt.problem.family for marks in again.task.judged for mark in marks} == {"colour"}


def test_a_task_in_which_nothing_is_hard_is_refused() -> None:
    class Easy(Half):
        def _verdict(self, attempt: Attempt) -> Verdict:
            return Verdict(1.0, True)

    with pytest.raises(InvalidInput, match="take a harder task"):
        next(run(there(Easy).lab, replace(SMALL, failing=2)))


def test_the_teacher_sees_neither_a_problem_nor_a_level() -> None:
    here = there()
    rounds(run(here.lab, SMALL), 2)
    prompts = {
        seen(lesson) for learning in here.learnings[8:16:7] for lesson in learning.lessons if "Write" in seen(lesson)
    }
    assert len(prompts) == 1
    (prompt,) = prompts
    assert not any(problem.chat[-1].text in prompt for problem in here.lab.train) and "level" not in prompt


def test_a_teacher_that_cannot_write_teaches_nothing_and_the_run_goes_on() -> None:
    here = place()
    writing = replace(SMALL.writing, patience=1)
    first, second = rounds(run(here.lab, replace(SMALL, writing=writing)), 2)
    assert here.learnings == [] and here.task.judged == []
    assert first.metrics == {"teach/written": 0.0} and state(second).round == 2


@pytest.mark.parametrize("after", [1, 2, 4])
def test_resumes_where_it_stopped(after: int) -> None:
    config = replace(SMALL, rounds=2, study=FRESH)
    whole = rounds(run(there(WatchedToy).lab, config), 6)
    here = there(WatchedToy)
    kept = rounds(run(here.lab, config), after)[-1]
    again = rounds(run(here.lab, config, state(kept)), 6 - after)
    assert [state(one) for one in again] == [state(one) for one in whole[after:]]
    assert [one.metrics for one in again] == [one.metrics for one in whole[after:]]


def test_settings_in_which_nothing_is_learned_are_refused() -> None:
    with pytest.raises(InvalidInput, match="0 rounds without a study"):
        Config(rounds=0)
    with pytest.raises(InvalidInput, match="asked >= 1"):
        Config(asked=0)
    with pytest.raises(InvalidInput, match="measured on train problems"):
        next(run(replace(there().lab, train=()), SMALL))
