from collections.abc import Sequence

import pytest

from sharpen.core.records import Attempt, Chat, Stop, Verdict
from sharpen.judge.blend import Blend
from sharpen.judge.steps import StepJudge
from tests.spoken import attempt


class Reader:
    """A critic that gives each line of what was said a value by its first character."""

    def values(self, chats: Sequence[Chat], head: str = "value") -> list[list[list[float]]]:
        return [[[float(line) / 10] for line in chat[-1].text.splitlines()] for chat in chats]


def right(attempts: Sequence[Attempt]) -> list[Verdict]:
    return [Verdict(1.0, True, note="yes") for _ in attempts]


def test_the_score_is_the_least_step_on_the_scale_of_minus_one_to_one() -> None:
    judge = StepJudge(Reader())
    verdicts = judge([attempt("p", "9\n3\n8"), attempt("p", "9", stop=Stop.LENGTH), attempt("p", "")])
    assert [v.score for v in verdicts] == pytest.approx([2 * 0.3 - 1, -1.0, -1.0])
    assert verdicts[0].steps == pytest.approx((0.9, 0.3, 0.8))


class Newlines:
    """A critic that values every line break of a whole chat, the question's too."""

    def __init__(self) -> None:
        self.asked: list[Chat] = []

    def values(self, chats: Sequence[Chat], head: str = "value") -> list[list[list[float]]]:
        self.asked += chats
        breaks = ["\n".join(message.text for message in chat).count("\n") for chat in chats]
        return [[[place / 10] for place in range(1, count + 1)] for count in breaks]


def test_line_breaks_of_the_question_are_no_steps() -> None:
    verdict = StepJudge(Newlines())([attempt("one\ntwo\nthree", "a\nb")])[0]
    assert verdict.steps == pytest.approx((0.4, 0.5)) and verdict.score == pytest.approx(-0.2)


def test_attempts_that_were_cut_off_are_not_read() -> None:
    critic = Newlines()
    verdicts = StepJudge(critic)([attempt("p", "a", stop=Stop.LENGTH), attempt("p", "b"), attempt("p", "")])
    assert [len(chat) for chat in critic.asked] == [2] and critic.asked[0][-1].text == "b\n"
    assert [v.steps for v in verdicts] == [(), pytest.approx((0.2,)), ()]


def test_a_blend_adds_scores_and_keeps_what_the_first_judge_knows() -> None:
    verdict = Blend(right, StepJudge(Reader()))([attempt("p", "9\n3")])[0]
    assert verdict.score == pytest.approx(1.0 + 2 * 0.3 - 1)
    assert verdict.right and verdict.note == "yes" and len(verdict.steps) == 2
