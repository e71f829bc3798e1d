"""The arithmetic task: its problems, its judge, and what it will not be fooled by."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharpen.core.errors import InvalidInput, Unanswerable
from sharpen.core.ports import Refusal, Task
from sharpen.core.records import Attempt, Message, Piece, Problem, Turn, Verdict, Weights, user
from sharpen.core.streams import SPLITS, stream
from sharpen.tasks.answers import mean_length
from sharpen.tasks.arithmetic import Arithmetic
from sharpen.tasks.expressions import FAMILIES, LEVELS, draw, follow, parse, work
from sharpen.tasks.family import split_for
from sharpen.tasks.ladder import Ladder, Sizes, problem_id, right_steps

SMALL = Sizes(train=40, dev=10, test=20)


def task(level: float = 3, kind: str = "", **options: object) -> Ladder:
    kinds = (kind,) if kind else ()
    return Ladder(Arithmetic(), levels=(level,), kinds=kinds, sizes=SMALL, **options)  # type: ignore[arg-type]  # as told


def sum_problem(expression: str) -> Problem:
    question = f"Work out {expression}."
    return Problem(problem_id(Arithmetic(), question), (user(question),))


def judged(problem: Problem, text: str) -> Verdict:
    attempt = Attempt(problem, (Turn(problem.chat, (Piece(text),)),), Weights("w", "b"))
    return task().oracle.judge([attempt])[0]


GOLD = "7+5=12\n2*3=6\n12-6=6\nAnswer: 6"
SUM = sum_problem("7+5-2*3")


def test_it_is_a_task() -> None:
    kept: Task = task()
    assert kept.name == "arithmetic"


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("family", FAMILIES)
def test_gold_passes_at_every_level_of_every_family(family: str, level: int) -> None:
    made = task(level=level, kind=family)
    for problem in made.problems("dev"):
        gold = str(made.oracle.reveal(problem).notes["solution"])
        verdict = judged(problem, gold)
        assert verdict == Verdict(1.0, True, (1.0,) * len(gold.split("\n")))
        assert (problem.family, problem.level) == (family, level)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n",
        "6",
        "Answer:",
        "Answer: 7",
        "Answer: -6",
        "Answer: 06",
        "Answer: 6.0",
        "Answer: 5 or 6",
        "Answer: 6 because 12-6=6",
        "Answer: 6\nThat is it.",
        "Answer: 5 Answer: 6 Answer: 7",
        "Answer: 5\nAnswer: 6",
        "Answer: 6\nAnswer: 6",
        "Answer: 7+5-2*3",
        "Answer: " + " ".join(map(str, range(100))),
        "answer: 6",
        "Work out 7+5-2*3.",
        "The answer is 6.",
        "Answer: six",
        "Answer: \u0666",
        "Answer: " + "6" * 5000,
    ],
)
def test_only_one_plain_right_number_after_one_mark_is_rewarded(text: str) -> None:
    verdict = judged(SUM, text)
    assert (verdict.score, verdict.right) == (0.0, False)
    assert verdict.note


def test_words_before_the_mark_and_space_after_it_do_no_harm() -> None:
    assert judged(SUM, f"Let me see.\n{GOLD}\n").right
    assert judged(SUM, "Answer: 6.").right


def test_steps_of_a_worked_example() -> None:
    lines = follow(parse("7+5-2*3"), "7+5=13\n2*3=6\n13-6=7\n\n7-1=6\nAnswer: 7")
    assert [(line.right, line.left) for line in lines] == [
        (False, "13-2*3"),
        (True, "13-6"),
        (True, "7"),
        (False, "7"),
        (True, "7"),
    ]


@pytest.mark.parametrize("line", ["5-2=3", "12-2=10", "7+5", "7 + 5 = 12", "5+7=12", "07+5=12", "7+5=12=12", "7/5=1"])
def test_a_step_that_may_not_be_done_now_is_wrong(line: str) -> None:
    assert [(found.right, found.left) for found in follow(parse("7+5-2*3"), line)] == [(False, "7+5-2*3")]


def test_any_order_of_allowed_operations_is_right() -> None:
    assert judged(SUM, "2*3=6\n7+5=12\n12-6=6\nAnswer: 6").steps == (1.0, 1.0, 1.0, 1.0)


def test_an_answer_before_the_work_is_done_is_right_as_an_answer_and_wrong_as_a_step() -> None:
    assert judged(SUM, "7+5=12\nAnswer: 6") == Verdict(1.0, True, (1.0, 0.0))


def test_the_note_names_the_first_wrong_line_and_keeps_the_answer_to_itself() -> None:
    note = judged(SUM, "7+5=12\n2*3=8\n12-8=4\nAnswer: 4").note
    assert "line 2" in note and "2*3=8" in note and "6" not in note


@given(st.sampled_from(FAMILIES), st.sampled_from(LEVELS), st.integers(0, 10**9))
def test_every_sum_is_worth_what_python_says_and_never_goes_below_zero(family: str, level: int, seed: int) -> None:
    expression = draw(family, level, stream("property", seed))
    steps, value = work(parse(expression))
    assert value == eval(expression)
    assert all(step.result >= 0 for step in steps)
    said = "\n".join([*map(str, steps), f"Answer: {value}"])
    assert all(line.right for line in follow(parse(expression), said))


@given(st.text("0123456789+-*() ", max_size=30))
@settings(max_examples=300)
def test_text_that_is_no_sum_is_refused_and_all_else_is_worth_what_python_says(text: str) -> None:
    try:
        _, value = work(parse(text))
    except ValueError:
        return
    assert value == int(eval("".join(c if c.isdigit() else f" {c} " for c in _stripped(text))))


def _stripped(text: str) -> str:
    """Without leading zeros, which Python refuses."""
    kept = ""
    for place, sign in enumerate(text):
        lone = place + 1 == len(text) or not text[place + 1].isdigit()
        if sign == "0" and not lone and not kept[-1:].isdigit():
            continue
        kept += sign
    return kept


@given(st.text(max_size=200))
def test_no_text_breaks_the_judge(text: str) -> None:
    assert judged(SUM, text).score in (0.0, 1.0)


def test_same_options_same_problems() -> None:
    for split in SPLITS:
        assert task(level=5).problems(split) == task(level=5).problems(split)
    assert draw("mixed", 3, stream("fixed")) == draw("mixed", 3, stream("fixed"))


@pytest.mark.parametrize("level", [1, 3, 8])
def test_splits_are_disjoint_distinct_full_and_by_question(level: int) -> None:
    made = Ladder(Arithmetic(), levels=(level,))
    ids = {split: [problem.id for problem in made.problems(split)] for split in SPLITS}
    assert {split: len(found) for split, found in ids.items()} == {"train": 2000, "dev": 200, "test": 500}
    assert len(set().union(*ids.values())) == 2700
    for split in SPLITS:
        assert {split_for(Arithmetic(), problem.chat[-1].text) for problem in made.problems(split)} == {split}


def test_families_take_turns() -> None:
    assert [problem.family for problem in task().problems("test")[:6]] == [*FAMILIES, "add"]


def test_a_family_with_too_few_sums_gives_all_it_finds() -> None:
    made = Ladder(Arithmetic(), levels=(1,), kinds=("multiply",), sizes=Sizes(train=10, dev=10, test=5000))
    assert 200 < len(made.problems("test")) < 2000


def test_it_generates_train_problems_only() -> None:
    made = task()
    found = made.generate("brackets", 2, 50, stream("generate"))
    assert len(found) == 50
    assert {split_for(Arithmetic(), problem.chat[-1].text) for problem in found} == {"train"}
    assert found == made.generate("brackets", 2, 50, stream("generate"))
    assert all(judged(problem, str(made.oracle.reveal(problem).notes["solution"])).right for problem in found)


def test_an_invented_problem_is_refused_until_it_is_admitted() -> None:
    invented = Problem("mine", (user("Work out 3 + 4 * 2."),))
    with pytest.raises(Unanswerable, match="admit"):
        judged(invented, "Answer: 11")
    with pytest.raises(Unanswerable, match="admit"):
        task().oracle.reveal(invented)
    admitted = task().admit(invented)
    assert isinstance(admitted, Problem)
    assert (admitted.family, admitted.level, admitted.chat[-1].text) == ("multiply", 2.0, "Work out 3+4*2.")
    assert judged(admitted, "Answer: 11").right


def test_another_question_under_a_known_id_is_refused() -> None:
    with pytest.raises(Unanswerable):
        judged(Problem(SUM.id, (user("Work out 1+1."),)), "Answer: 2")


@pytest.mark.parametrize("question", ["", "Tell me a story.", "5", "5+", "(5+3", "-5+3", "5+3)", "1+" * 20 + "1", "()"])
def test_what_is_no_sum_is_not_admitted(question: str) -> None:
    assert isinstance(task().admit(Problem("mine", (user(question),))), Refusal)


def test_what_is_kept_for_examination_is_not_admitted() -> None:
    for problem in (*task().problems("test"), *task().problems("dev")):
        assert isinstance(task().admit(problem), Refusal)


def test_states_are_what_is_left_of_the_sum() -> None:
    assert task().oracle.states(SUM, GOLD) == ["12-2*3", "12-6", "6", "6"]


def test_the_reference_has_the_steps() -> None:
    reference = task().oracle.reveal(SUM)
    assert (reference.answer, reference.steps, reference.notes["solution"]) == (
        "6",
        ("7+5=12", "2*3=6", "12-6=6"),
        GOLD,
    )


def test_instructions_come_first_and_change_no_id() -> None:
    plain, told = task().problems("dev")[0], task(instructions=True).problems("dev")[0]
    assert told.chat == (Message("system", Arithmetic().instructions), *plain.chat)
    assert told.id == plain.id
    assert judged(told, str(task().oracle.reveal(plain).notes["solution"])).right


def test_one_move_ends_it() -> None:
    env = task().env
    scene = env.open(SUM)
    assert (scene.chat, scene.done) == (SUM.chat, False)
    after = env.step_many([scene], [Message("assistant", GOLD)])[0]
    assert (after.chat[-1].text, after.done) == (GOLD, True)
    with pytest.raises(InvalidInput, match="one reply"):
        env.step_many([after], [Message("assistant", GOLD)])


@pytest.mark.parametrize("level", LEVELS)
def test_a_move_has_room_for_the_longest_right_solution(level: int) -> None:
    made = task(level=level)
    longest = max(len(str(made.oracle.reveal(p).notes["solution"])) for p in made.problems("train"))
    assert longest < made.env.max_tokens


def test_measures_count_lines_and_tokens() -> None:
    assert (right_steps([]), mean_length([])) == (0.0, 0.0)
    assert set(task().measures) == {"right_steps", "length"}


@pytest.mark.parametrize("options", [{"level": 0}, {"level": 9}, {"level": 2.5}, {"kind": "ad"}, {"max_tokens": 0}])
def test_impossible_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        task(**options)
