"""A user's rows: what is read, what is refused with its line, and who judges."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from sharpen.core.errors import InvalidInput, Unanswerable
from sharpen.core.ports import Refusal
from sharpen.core.records import Attempt, Message, Piece, Problem, Turn, Verdict, Weights, user
from sharpen.core.streams import Rng, stream
from sharpen.core.tokens import Tokens
from sharpen.tasks.jsonl import Rows
from sharpen.tasks.open import open_task
from sharpen.tasks.rewards import Reward, load_reward
from sharpen.tasks.rows import read_rows


def written(folder: Path, rows: Iterable[object]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def sums(n: int = 120) -> list[dict[str, object]]:
    return [{"question": f"What is {k} + {k}?", "answer": 2 * k, "grade": k % 3} for k in range(n)]


def replied(problem: Problem, text: str) -> Attempt:
    piece = Piece(text, Tokens(np.arange(3), "t"))
    return Attempt(problem, (Turn(problem.chat, (piece,)),), Weights("w", "body"))


def judged(task: Rows, problem: Problem, text: str) -> Verdict:
    return task.oracle.judge([replied(problem, text)])[0]


def test_every_row_is_in_one_split_and_public_columns_come_along(tmp_path: Path) -> None:
    task = Rows(written(tmp_path, sums()))
    problems = [p for split in ("train", "dev", "test") for p in task.problems(split)]
    assert len({p.id for p in problems}) == 120
    assert problems[0].notes.keys() == {"grade"}
    assert problems[0].chat[0].role == "system"


def test_only_an_answer_that_stands_alone_is_right(tmp_path: Path) -> None:
    task = Rows(written(tmp_path, sums()))
    problem = task.problems("train")[0]
    gold = task.oracle.reveal(problem).answer
    question = problem.chat[-1].text
    for text in (f"Answer: {gold}", f"I add.\nAnswer: {gold}.", f"Answer: ${gold}.0$", f"It is {gold}."):
        assert judged(task, problem, text) == Verdict(1.0, True)
    quoted = question.removeprefix("What is ").removesuffix("?")
    for text in (
        "",
        f"{gold} or {gold}",
        f"It is {gold}. It is 5.",
        f"Answer: it is {gold}",
        f"Answer: {quoted}",
        f"Answer: {gold} Answer: {gold}",
        "Answer: -1",
    ):
        verdict = judged(task, problem, text)
        assert (verdict.score, verdict.right) == (0.0, False)
        assert verdict.note


def test_the_note_says_what_was_wrong_and_not_what_is_right(tmp_path: Path) -> None:
    task = Rows(written(tmp_path, [{"question": f"{k}?", "answer": 777} for k in range(120)]))
    problem = task.problems("train")[0]
    assert judged(task, problem, "It is hard").note.startswith("no 'Answer:' found")
    assert judged(task, problem, "Answer: 12").note == "got '12', which is not the answer"
    assert "777" not in judged(task, problem, "Answer: 12").note


def test_formulas_are_compared_by_meaning_but_the_question_is_no_answer(tmp_path: Path) -> None:
    task = Rows(
        written(tmp_path, [{"prompt": f"Expand (x+{k})^2.", "answer": f"x^2+{2 * k}x+{k * k}"} for k in range(120)])
    )
    problem = task.problems("train")[0]
    k = int(problem.chat[-1].text.split("+")[1].split(")")[0])
    assert judged(task, problem, f"Answer: {k * k}+x^2+{2 * k}x").right
    assert not judged(task, problem, f"Answer: (x+{k})^2").right


def test_gsm8k_answers_are_read_after_the_four_marks(tmp_path: Path) -> None:
    rows = [{"question": f"{k}?", "answer": "2+2=4\n4*300=1200\n#### 1,200"} for k in range(120)]
    task = Rows(written(tmp_path, rows))
    reference = task.oracle.reveal(task.problems("dev")[0])
    assert (reference.answer, reference.steps) == ("1200", ("2+2=4", "4*300=1200"))


def test_no_answer_column_reaches_the_problem(tmp_path: Path) -> None:
    task = Rows(written(tmp_path, [{**row, "solution": "secret", "target": "secret"} for row in sums()]))
    assert "secret" not in repr(task.problems("train"))


def test_messages_are_taken_as_they_are_and_their_system_message_wins(tmp_path: Path) -> None:
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "1?"}]
    rows = [{"messages": [chat[0], {"role": "user", "content": f"{k}?"}], "answer": k} for k in range(120)]
    problem = Rows(written(tmp_path, rows)).problems("train")[0]
    assert problem.chat[0] == Message("system", "Be brief.")
    assert len(problem.chat) == 2


def test_another_system_message_replaces_the_request_and_an_empty_one_removes_it(tmp_path: Path) -> None:
    path = written(tmp_path, sums())
    assert Rows(path, system="Speak.").problems("train")[0].chat[0] == Message("system", "Speak.")
    assert Rows(path, system="").problems("train")[0].chat[0].role == "user"


def test_a_question_asked_twice_counts_once(tmp_path: Path) -> None:
    task = Rows(written(tmp_path, [*sums(), *sums(20)]))
    assert task.dropped == 20


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("[1]", r"line 2: expected a JSON object, got \[1\]"),
        ("{", "line 2: expected a JSON object, got '{'"),
        ('{"answer": 1}', "line 2: expected exactly one of the columns prompt, .*, got none among 'answer'"),
        ("{}", "got none among no columns"),
        ('{"prompt": "a", "question": "b", "answer": 1}', "line 2: .* got prompt and question"),
        ('{"prompt": 3, "answer": 1}', "expected 'prompt' to be a string or a list of messages, got 3"),
        ('{"prompt": " ", "answer": 1}', "expected a question in 'prompt', got an empty string"),
        ('{"prompt": [], "answer": 1}', "string or a list of messages"),
        ('{"prompt": [{"role": "boss", "content": "x"}], "answer": 1}', "expected messages with a role"),
        (
            '{"prompt": [{"role": "assistant", "content": "x"}], "answer": 1}',
            "expected the last message to be the user's",
        ),
        ('{"prompt": "a"}', "line 2: expected one of the columns answer, .*give a reward function"),
        ('{"prompt": "a", "answer": ""}', "expected 'answer' to be a number or a string that is not empty"),
        ('{"prompt": "a", "answer": true}', "expected 'answer' to be a number or a string"),
        ('{"prompt": "a", "answer": [1]}', "expected 'answer' to be a number or a string"),
        ('{"prompt": "a", "answer": NaN}', "NaN is no JSON"),
        ('{"prompt": "\\ud800", "answer": 1}', "line 2: expected a JSON object"),
    ],
)
def test_a_bad_row_is_refused_with_its_file_and_line(tmp_path: Path, line: str, sentence: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "good", "answer": 1}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match=sentence) as error:
        read_rows(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "expected at least one row"),
        (b"\n \n", "expected at least one row"),
        (b'{"prompt": "\xff"}', "expected UTF-8, got byte 0xff at 12"),
    ],
)
def test_a_file_without_readable_rows_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=sentence):
        read_rows(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"expected a file of JSON lines, got .*No such file"):
        read_rows(tmp_path / "none.jsonl")


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"prompt": "a", "answer": 1}\r\n{"prompt": "b", "answer": 2}\r\n')
    assert [row.gold for row in read_rows(path)[0]] == ["1", "2"]


def test_too_few_rows_are_refused_with_the_split_that_is_empty(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="of 2 different rows none falls into"):
        Rows(written(tmp_path, sums(2)))


def test_invented_problems_are_refused(tmp_path: Path) -> None:
    task = Rows(written(tmp_path, sums()))
    own = task.problems("train")[0]
    for problem in (Problem("mine", own.chat), Problem(own.id, (user("What is 1 + 2?"),))):
        with pytest.raises(Unanswerable, match="expected a problem of the file"):
            judged(task, problem, "Answer: 3")
        assert isinstance(task.admit(problem), Refusal)
    assert isinstance(task.admit(task.problems("test")[0]), Refusal)
    assert task.admit(own) == own
    rng: Rng = stream("test")
    with pytest.raises(InvalidInput, match="has only its rows"):
        task.generate("rows", 0.0, 1, rng)


def trl_reward(prompts: list[str], completions: list[str], grade: list[int], **columns: object) -> list[float | None]:
    assert set(columns) == {"question", "answer", "completion_ids"}
    assert columns["completion_ids"] == [[0, 1, 2]] * len(prompts)
    assert all(prompt.startswith("What is") for prompt in prompts)
    return [None if g == 0 else float(len(c)) for g, c in zip(grade, completions, strict=True)]


def test_a_reward_of_trl_gets_prompts_completions_and_columns(tmp_path: Path) -> None:
    task = Rows(written(tmp_path, sums()), reward=Reward(trl_reward, "trl"))
    problems = task.problems("train")[:9]
    verdicts = task.oracle.judge([replied(problem, "ab") for problem in problems])
    assert task.problems("train")[0].chat[0].role == "user"
    for problem, verdict in zip(problems, verdicts, strict=True):
        none = problem.notes["grade"] == 0
        assert (verdict.score, verdict.right) == ((0.0, False) if none else (2.0, True))
        assert ("does not apply" in verdict.note) == none


def test_a_reward_of_trl_sees_messages_where_the_rows_have_them(tmp_path: Path) -> None:
    rows = [{"prompt": [{"role": "user", "content": f"{k}?"}]} for k in range(120)]

    def reward(prompts: list[list[dict[str, str]]], completions: list[list[dict[str, str]]]) -> list[float]:
        assert prompts[0][0]["role"] == "user"
        return [float(completion[0]["content"] == "yes") for completion in completions]

    task = Rows(written(tmp_path, rows), reward=Reward(reward, "chat"))
    assert judged(task, task.problems("train")[0], "yes").right
    assert "reveal" not in task.offers
    with pytest.raises(Unanswerable, match="has no answer, only a reward"):
        task.oracle.reveal(task.problems("train")[0])


def test_extra_arguments_are_given_only_where_they_are_named(tmp_path: Path) -> None:
    def reward(completions: list[str], trainer_state: object) -> list[float]:
        assert trainer_state is None
        return [0.25 for _ in completions]

    task = Rows(written(tmp_path, sums()), reward=Reward(reward, "state"))
    assert judged(task, task.problems("train")[0], "x") == Verdict(0.25, False, note="the reward gave 0.25")


def test_a_reward_may_be_asynchronous(tmp_path: Path) -> None:
    async def reward(completions: list[str]) -> list[float]:
        return [1.0 for _ in completions]

    task = Rows(written(tmp_path, sums()), reward=Reward(reward, "later"))
    assert judged(task, task.problems("train")[0], "x").right


def test_a_reward_one_by_one_gets_the_answer_the_completion_and_the_row(tmp_path: Path) -> None:
    def verify(answer: str, completion: str, grade: int) -> bool:
        return completion == answer and grade >= 0

    task = Rows(written(tmp_path, sums()), reward=Reward(verify, "verify"))
    problem = task.problems("train")[0]
    assert judged(task, problem, task.oracle.reveal(problem).answer).right
    assert not judged(task, problem, "x").right


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        ([1.0, 2.0], "to return a list of 1 scores"),
        (1.0, "to return a list of 1 scores"),
        (["good"], "finite number or None, got 'good'"),
        ([float("nan")], "finite number or None, got nan"),
    ],
)
def test_a_reward_that_returns_something_else_is_an_error(tmp_path: Path, result: object, sentence: str) -> None:
    def reward(completions: list[str]) -> object:
        return result

    task = Rows(written(tmp_path, sums()), reward=Reward(reward, "odd"))
    with pytest.raises(InvalidInput, match=sentence):
        judged(task, task.problems("train")[0], "x")


def test_a_reward_that_needs_a_column_the_rows_lack_is_an_error(tmp_path: Path) -> None:
    def reward(completions: list[str], rubric: list[str]) -> list[float]:
        return [0.0 for _ in rubric]

    task = Rows(written(tmp_path, sums()), reward=Reward(reward, "needy"))
    with pytest.raises(InvalidInput, match="needs 'rubric', which the rows do not have"):
        judged(task, task.problems("train")[0], "x")


def test_a_reward_is_found_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_rewards_of_a_test.py").write_text(
        "def short(completions, **kwargs):\n    return [1.0 for _ in completions]\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    task = open_task(str(written(tmp_path, sums())), reward="my_rewards_of_a_test:short")
    assert judged(task, task.problems("train")[0], "x").right  # type: ignore[arg-type]  # a task of any kind
    with pytest.raises(InvalidInput, match="did you mean 'short'"):
        load_reward("my_rewards_of_a_test:shorter")
    with pytest.raises(InvalidInput, match="expected a module 'no_such_module_here'"):
        load_reward("no_such_module_here:short")
    with pytest.raises(InvalidInput, match="expected a reward such as module:function"):
        load_reward("my_rewards_of_a_test")


def test_a_function_with_neither_completions_nor_completion_is_no_reward() -> None:
    with pytest.raises(InvalidInput, match="to take `completions`"):
        Reward(lambda text: 1.0, "lambda")
