"""Curation, and the four uses of what was curated, each beside its controls."""

from dataclasses import replace

import pytest

from sharpen.core.archive import from_tagged, to_tagged
from sharpen.core.errors import InvalidInput
from sharpen.core.method import Round
from sharpen.core.phrases import ENGLISH, NANO, Phrases
from sharpen.core.records import Behaviour, Sampling
from sharpen.core.training import Training
from sharpen.methods.metacognitive_reuse import Config, State, run
from sharpen.sample.reworded import Reworded
from sharpen.sample.second_pass import SecondPass
from sharpen.update.handbook import Bookkeeping
from tests.methods.watching import MARKING, MODEL, Place, place, rounds, seen

TOY = Phrases(
    solve=("{question}",),
    reflect="",
    extract="{question} {solution} rule",
    found=r"(?P<name>[a-z]+)",
    entry="{name}",
    use="{question} hint {behaviours}",
    brief="{question} wait",
    revise="wrong",
    placebo=(Behaviour("tree"), Behaviour("house"), Behaviour("fish")),
)
"""For a model that says random words and letters: each is a behaviour."""
SMALL = Config(
    rounds=3,
    problems=8,
    how=Sampling(n=4, max_tokens=2),
    labels=False,
    reading=Sampling(max_tokens=4),
    book=Bookkeeping(most=2),
    phrases=TOY,
    answer=Sampling(temperature=0.0, max_tokens=2),
    training=Training(epochs=1, batch=8, rate=0.01, inherit="moments"),
)


def played(config: Config, there: Place | None = None) -> tuple[Place, list[Round]]:
    there = there or place()
    return there, rounds(run(there.lab, config), 99)


def state(one: Round) -> State:
    assert isinstance(one.state, State)
    return one.state


def prompts(there: Place, last: Round) -> list[str]:
    """What the solver shows of the dev problems."""
    return [one.turns[0].seen[-1].text for one in last.solver.answer(there.lab.seat, there.lab.dev)]


def test_the_handbook_grows_and_its_behaviours_stand_in_the_prompts_of_their_family() -> None:
    there, played_rounds = played(SMALL)
    sizes = [len(state(one).handbook) for one in played_rounds]
    assert len(sizes) == 3 and 0 < sizes[0] <= sizes[1] <= sizes[2]
    book = state(played_rounds[-1]).handbook
    assert {family for one in book for family in one.found} <= {"animal", "colour"}
    for problem, text in zip(there.lab.dev, prompts(there, played_rounds[-1]), strict=True):
        best = sorted((b for b in book if problem.family in b.found), key=lambda b: -b.found[problem.family])[:2]
        assert text == f"{problem.chat[-1].text} hint {chr(10).join(b.name for b in best)}"


def test_without_labels_none_is_consulted_and_every_solution_is_read() -> None:
    there, (first, *_) = played(SMALL)
    assert there.task.judged == [] and there.task.revealed == []
    assert first.metrics["handbook/read"] == 8 * 4


def test_with_labels_one_right_solution_of_each_solved_question_is_read() -> None:
    there, played_rounds = played(replace(SMALL, labels=True, problems=32, how=Sampling(n=8, max_tokens=2)))
    for one, marks in zip(played_rounds, there.task.judged, strict=True):
        solved = {mark.attempt.problem.id for mark in marks if mark.verdict.right}
        assert solved and one.metrics["handbook/read"] == len(solved)


def test_no_question_is_curated_twice_and_none_is_of_dev() -> None:
    there, _ = played(replace(SMALL, labels=True))
    asked = [{mark.attempt.problem.id for mark in marks} for marks in there.task.judged]
    assert [len(ids) for ids in asked] == [8, 8, 8] and len(set.union(*asked)) == 24
    assert set.union(*asked) <= {problem.id for problem in there.lab.train}


def test_what_is_learned_shows_no_behaviours_but_was_written_with_them() -> None:
    there, played_rounds = played(replace(SMALL, use="training", labels=True, how=Sampling(n=16, max_tokens=2)))
    own = {problem.chat[-1].text for problem in there.lab.train}
    assert len(played_rounds) == 6 and len(there.learnings) == 3
    lessons = [lesson for learning in there.learnings for lesson in learning.lessons]
    assert lessons and {seen(lesson) for lesson in lessons} <= own
    written = [mark.attempt for marks in there.task.judged[3:] for mark in marks]
    known = {family for one in state(played_rounds[2]).handbook for family in one.found}
    assert known and written
    assert all((" hint " in one.turns[0].seen[-1].text) == (one.problem.family in known) for one in written)
    assert prompts(there, played_rounds[-1]) == [problem.chat[-1].text for problem in there.lab.dev]


def test_training_asks_the_curated_questions_and_goes_on_from_the_weights_before() -> None:
    there, played_rounds = played(replace(SMALL, use="training", labels=True))
    asked = [[mark.attempt.problem.id for mark in marks] for marks in there.task.judged]
    assert asked[:3] == asked[3:]
    starts = [learning.start for learning in there.learnings]
    assert starts == [there.lab.model.base, *(learning.learned.weights for learning in there.learnings[:-1])]
    assert {attempt.by for marks in there.task.judged for attempt in [m.attempt for m in marks]} == {starts[0]}
    assert state(played_rounds[-1]).handbook == state(played_rounds[2]).handbook


def test_vanilla_training_is_the_same_without_curation_or_behaviours() -> None:
    there, played_rounds = played(replace(SMALL, use="training", behaviours="nothing", labels=True))
    with_them, _ = played(replace(SMALL, use="training", labels=True))
    assert len(played_rounds) == 3 and len(there.learnings) == 3
    plain = [mark.attempt for marks in there.task.judged for mark in marks]
    behaved = [mark.attempt for marks in with_them.task.judged[3:] for mark in marks]
    assert [one.problem for one in plain] == [one.problem for one in behaved]
    assert all(one.turns[0].seen == one.problem.chat for one in plain)


def test_another_models_words_are_learned_as_text_and_its_weights_stay() -> None:
    there = place()
    teacher = MARKING.bind(lambda work, paid: None)
    cast = {**there.lab.cast, "teacher": teacher}
    lab = replace(there.lab, seat=replace(there.lab.seat, cast=cast))
    config = replace(
        SMALL, use="training", behaviours="nothing", by="teacher", labels=True, how=Sampling(n=16, max_tokens=2)
    )
    assert config.needs == {"learn", "teacher"}
    rounds(run(lab, config), 99)
    lessons = [lesson for learning in there.learnings for lesson in learning.lessons]
    assert lessons and all(isinstance(lesson.parts[1].content, str) for lesson in lessons)
    assert {mark.attempt.by for marks in there.task.judged for mark in marks} == {teacher.base}


def test_the_training_goes_on_where_it_was_interrupted() -> None:
    there, whole = played(replace(SMALL, use="training", labels=True))
    for done in (1, 3, 4):
        again = rounds(run(there.lab, replace(SMALL, use="training", labels=True), state(whole[done - 1])), 99)
        assert [one.state for one in again] == [one.state for one in whole[done:]]
        assert [one.metrics for one in again] == [one.metrics for one in whole[done:]]


def test_shuffled_prompts_name_behaviours_that_the_true_ones_leave_out() -> None:
    there, true = played(SMALL)
    _, mixed = played(replace(SMALL, behaviours="shuffled"), there)
    assert state(true[-1]).handbook == state(mixed[-1]).handbook
    for own, other in zip(prompts(there, true[-1]), prompts(there, mixed[-1]), strict=True):
        names, others = (set(text.partition(" hint ")[2].split()) for text in (own, other))
        assert len(names) == len(others) == 2 and not names & others


def test_shuffled_differs_from_the_one_that_is_shown_where_a_prompt_names_but_one() -> None:
    one = replace(SMALL, rounds=1, phrases=replace(TOY, most=1), book=Bookkeeping(most=99))
    there, true = played(one)
    _, mixed = played(replace(one, behaviours="shuffled"), there)
    pairs = list(zip(prompts(there, true[-1]), prompts(there, mixed[-1]), strict=True))
    told = [(own, other) for own, other in pairs if " hint " in own]
    assert told
    for own, other in told:
        (name,), (another,) = (text.partition(" hint ")[2].split() for text in (own, other))
        assert name != another


@pytest.mark.parametrize(
    ("behaviours", "behind"), [("placebo", " hint tree\nhouse"), ("brief", " wait"), ("nothing", "")]
)
def test_controls_without_a_handbook_spend_nothing_before_the_exam(behaviours: str, behind: str) -> None:
    there, played_rounds = played(replace(SMALL, behaviours=behaviours, labels=True))  # type: ignore[arg-type]  # one of the three
    assert len(played_rounds) == 1 and there.task.judged == [] and there.learnings == []
    assert state(played_rounds[0]).handbook == ()
    asked = [problem.chat[-1].text for problem in there.lab.dev]
    assert prompts(there, played_rounds[0]) == [question + behind for question in asked]


def test_a_second_pass_shows_behaviours_and_a_critique_the_first_solution() -> None:
    there, (guided,) = played(replace(SMALL, use="second_pass"))
    _, (revised,) = played(replace(SMALL, use="critique"), there)
    for problem, one, other in zip(
        there.lab.dev,
        guided.solver.answer(there.lab.seat, there.lab.dev),
        revised.solver.answer(there.lab.seat, there.lab.dev),
        strict=True,
    ):
        assert one.problem == other.problem == problem
        assert len(one.turns[0].seen) == 1 and len(one.turns[0].seen[0].text.partition(" hint ")[2].split()) <= 2
        assert [message.role for message in other.turns[0].seen] == ["user", "assistant", "user"]
        assert other.turns[0].seen[-1].text == "wrong"
    assert any(" hint " in text for text in prompts(there, guided))
    assert rounds(run(there.lab, replace(SMALL, use="critique"), state(revised)), 9) == []


@pytest.mark.parametrize("use", ["inference", "second_pass", "critique", "training"])
def test_what_is_delivered_survives_the_archive(use: str) -> None:
    _, played_rounds = played(replace(SMALL, use=use))  # type: ignore[arg-type]  # one of the four
    solver = played_rounds[-1].solver
    assert from_tagged(to_tagged(solver)) == solver


def test_the_words_can_be_named_or_given() -> None:
    assert Config().words == ENGLISH and Config(phrases="nano").words == NANO and SMALL.words == TOY


def test_variants_are_what_they_are_called() -> None:
    there = place(MODEL)
    one = rounds(run(there.lab, replace(Config.self_improvement(), phrases=TOY)), 1)[0].solver
    other = rounds(run(there.lab, Config.plain()), 1)[0].solver
    assert isinstance(one, SecondPass) and isinstance(other, Reworded)
    assert (Config.bc_sft().needs, Config.bc_sft().behaviours, Config.sft().behaviours) == ({"learn"}, "own", "nothing")


@pytest.mark.parametrize(
    "wrong",
    [
        {"rounds": 0},
        {"problems": 0},
        {"use": "second_pass", "behaviours": "shuffled"},
        {"use": "critique", "by": "teacher"},
    ],
)
def test_settings_that_do_not_go_together_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        replace(Config(), **wrong)  # type: ignore[arg-type]  # the wrong values are what is tested
