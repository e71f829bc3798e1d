"""reasoning-gym as tasks: settings, splits, and verifiers that pay for the answer alone."""

import importlib
import subprocess
import sys

import pytest

from sharpen.core.errors import InvalidInput, Unanswerable
from sharpen.core.ports import Refusal
from sharpen.core.records import Attempt, Judged, Piece, Problem, Turn, Verdict, Weights, user
from sharpen.core.streams import split_of, stream
from sharpen.tasks.gym import SHARES, Gym
from sharpen.tasks.verify_worker import LISTS, SUMS, harmless

SMALL = {"train": 6, "dev": 2, "test": 2}
SAMPLE = (
    "advanced_geometry", "basic_arithmetic", "coin_flip", "fraction_simplification", "game_of_life_halting",
    "gsm_symbolic", "knights_knaves", "prime_factorization", "simple_integration", "spell_backward", "survo",
    "time_intervals",
)  # fmt: skip
NO_REFERENCE = {"boxnet", "graph_color", "propositional_logic", "rubiks_cube", "rush_hour"}
EVERY = sorted(set(importlib.import_module("reasoning_gym.factory").DATASETS) - {"composite"})


@pytest.fixture(scope="module")
def sums() -> Gym:
    return Gym("chain_sum", SMALL)


def replied(problem: Problem, text: str) -> Attempt:
    return Attempt(problem, (Turn(problem.chat, (Piece(text),)),), Weights("w", "body"))


def judged(task: Gym, problem: Problem, text: str) -> Verdict:
    return task.oracle.judge([replied(problem, text)])[0]


def pays_only_for_the_answer(name: str, problems: int) -> None:
    task = Gym(name, {**SMALL, "train": problems})
    for problem in task.problems("train"):
        asked = "\n".join(message.text for message in problem.chat)
        wrong = [
            "",
            "Answer:",
            "Answer: ",
            f"Answer: {asked}",
            asked,
            "Answer: I do not know.",
            "Answer: qwx zz 7.77171",
        ]
        if name not in NO_REFERENCE:
            gold = task.oracle.reveal(problem).answer
            assert judged(task, problem, f"Let me see.\nAnswer: {gold}").right, (name, gold)
            assert judged(task, problem, f"Answer: {gold}").score == 1.0
            wrong += [
                f"{gold} or {gold}",
                f"It is {gold}. It is 5.",
                f"It is {gold}, I think.",
                f"Let me see.\nIt is {gold}.",
                f"Answer: I think it is {gold} since I counted twice.",
                f"Answer: {gold}\nAnswer: {gold}",
                f"Answer: {gold} {gold}",
                f"Answer: {gold}\nI hope this was of use to you.",
                f"{asked}\nAnswer: {gold}",
            ]
        for text in wrong:
            verdict = judged(task, problem, text)
            assert (verdict.right, verdict.score) == (False, 0.0), (name, text)
            assert verdict.note


@pytest.mark.parametrize("name", SAMPLE)
def test_a_dataset_pays_only_for_the_answer(name: str) -> None:
    pays_only_for_the_answer(name, 4)


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY)
def test_every_dataset_pays_only_for_the_answer(name: str) -> None:
    pays_only_for_the_answer(name, 12)


@pytest.mark.parametrize("name", ["chain_sum", "polynomial_multiplication"])
def test_the_same_seed_gives_the_same_problems_and_another_gives_others(name: str) -> None:
    first, again, other = (Gym(name, {**SMALL, "seed": seed}).problems("train") for seed in (1, 1, 2))
    assert first == again
    assert {problem.chat for problem in first}.isdisjoint(problem.chat for problem in other)


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY)
def test_every_dataset_gives_the_same_problems_in_every_process(name: str) -> None:
    assert Gym(name, SMALL).problems("train") == Gym(name, SMALL).problems("train")


def test_splits_are_told_by_the_question_and_no_question_comes_twice() -> None:
    task = Gym("chain_sum", {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 1})
    asked = [(split, p.chat[-1].text) for split in ("train", "dev", "test") for p in task.problems(split)]
    assert all(split_of(question, **SHARES) == split for split, question in asked)
    assert len({question for _, question in asked}) == len(asked)


def test_a_small_dataset_gives_as_many_problems_as_there_are() -> None:
    task = Gym("products", {"min_digits": 1, "max_digits": 1})
    found = [len(task.problems(split)) for split in ("train", "dev", "test")]
    assert 60 <= sum(found) <= 100
    assert min(found) > 0


def test_an_empty_split_is_an_error_that_says_which() -> None:
    task = Gym("gcd", {"min_value": 2, "max_value": 3, "min_numbers": 2, "max_numbers": 2})
    with pytest.raises(InvalidInput, match="too few different"):
        [task.problems(split) for split in ("train", "dev", "test")]


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("chain_sums", {}, "did you mean 'chain_sum'"),
        ("chain_sum", {"min_term": 2}, "did you mean 'min_terms'"),
        ("chain_sum", {"min_terms": "two"}, "min_terms must be a int, got 'two'"),
        ("chain_sum", {"min_terms": 5, "max_terms": 2}, "does not work with these settings"),
        ("composite", {}, "does not work with these settings"),
        ("chain_sum", {"train": 0}, "train must be a whole number"),
        ("time_intervals", {"min_date": "soon"}, "Invalid isoformat string: 'soon'"),
        ("rearc", {"board_format_opts": "x"}, "cannot be written on the command line"),
    ],
)
def test_what_is_unknown_or_refused_is_said_in_a_sentence(name: str, settings: dict[str, int], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        Gym(name, settings)


def test_lists_and_switches_reach_the_dataset() -> None:
    task = Gym("basic_arithmetic", {**SMALL, "operators": ["+"], "allow_parentheses": False})
    assert all(not set("-*/()") & set(p.chat[-1].text.split("Calculate")[-1]) for p in task.problems("train"))


def test_generated_problems_are_new_are_for_training_and_are_known_to_a_later_oracle(sums: Gym) -> None:
    later = Gym("chain_sum", SMALL)
    problems = sums.generate("chain_sum", 0.0, 20, stream("test"))
    assert len({p.chat for p in problems}) == 20
    assert all(split_of(p.chat[-1].text, **SHARES) == "train" for p in problems)
    gold = sums.oracle.reveal(problems[7]).answer
    assert judged(later, problems[7], f"Answer: {gold}").right
    assert problems == later.generate("chain_sum", 0.0, 20, stream("test"))


def test_generating_at_another_level_or_family_is_refused(sums: Gym) -> None:
    with pytest.raises(InvalidInput, match=r"level of gym:chain_sum.* must be 0, got 2"):
        sums.generate("chain_sum", 2.0, 1, stream("test"))
    with pytest.raises(InvalidInput, match="did you mean 'chain_sum'"):
        sums.generate("chain_sums", 0.0, 1, stream("test"))


def test_an_invented_problem_is_refused(sums: Gym) -> None:
    own = sums.problems("train")[0]
    invented = (
        Problem("mine", (user("1 + 1?"),)),
        Problem(own.id, (user("1 + 1?"),)),
        Problem("chain_sum/x/1", own.chat),
    )
    for problem in invented:
        with pytest.raises(Unanswerable, match="expected a problem that gym:chain_sum made"):
            judged(sums, problem, "Answer: 2")
        assert isinstance(sums.admit(problem), Refusal)
    assert sums.admit(own) == own
    assert isinstance(sums.admit(sums.problems("test")[0]), Refusal)


def test_a_dataset_without_references_offers_none_but_judges() -> None:
    task = Gym("propositional_logic", SMALL)
    assert "reveal" not in task.offers
    with pytest.raises(Unanswerable, match="no reference answers"):
        task.oracle.reveal(task.problems("train")[0])


def test_a_verifier_that_would_not_end_gives_no_marks() -> None:
    task = Gym("countdown", {"train": 2, "dev": 1, "test": 1})
    problem = task.problems("train")[0]
    verdict = judged(task, problem, "Answer: 9**9**9**9")
    assert not verdict.right
    assert "timed out" in verdict.note
    assert judged(task, problem, f"Answer: {task.oracle.reveal(problem).answer}").right


def test_what_would_be_evaluated_may_hold_no_calls_and_no_foreign_names() -> None:
    for name in SUMS:
        assert harmless(name, "40*(94 - 90) + 8.3/2")
        assert harmless(name, "x*asin(3*x) + sqrt(1 - 9*x**2)/3 + C")
        for text in ("__import__('os').system('true')", "exit()", "open(1)", "x.__class__", "x.a", "[1]", "eval(x)"):
            assert not harmless(name, text)
    for name in LISTS:
        assert harmless(name, "[[0, 1], [1, 0]]")
        assert not harmless(name, "[open('x')]")


def test_a_model_cannot_run_code_through_a_verifier(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("foreign") / "touched"
    for name in ("string_insertion", "countdown"):
        task = Gym(name, {"train": 1, "dev": 1, "test": 1})
        call = f"open({str(path)!r}, 'w')"
        assert not judged(task, task.problems("train")[0], f"Answer: [{call}]").right
        assert not judged(task, task.problems("train")[0], f"Answer: {call}").right
    assert not path.exists()


def test_measures_are_the_mean_length_and_the_share_of_readable_answers(sums: Gym) -> None:
    attempts = [replied(sums.problems("train")[0], text) for text in ("Answer: 1", "one, or two")]
    marks = [Judged(a, v) for a, v in zip(attempts, sums.oracle.judge(attempts), strict=True)]
    assert sums.measures["format"](marks) == 0.5
    assert sums.measures["length"]([]) == 0.0


def test_importing_the_tasks_does_not_import_the_heavy_libraries() -> None:
    program = "import sys, sharpen.tasks.open; sys.exit(any(m in sys.modules for m in ('reasoning_gym', 'sympy')))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
