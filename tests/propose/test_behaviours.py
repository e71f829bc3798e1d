"""What a strategist is asked about attempts, what is found in its replies, and what would give an answer away."""

from collections.abc import Sequence
from dataclasses import replace

from sharpen.core.phrases import ENGLISH, NANO
from sharpen.core.records import Behaviour, Chat, Completion, Finish, Message, Piece, Problem, Sampling, Weights, user
from sharpen.propose.behaviours import Guided, Revised, found, general
from tests.spoken import BY, attempt

HOW = Sampling(n=3, temperature=0.7)
SUM = attempt("Work out 47+38.", "47+38=85\nAnswer: 85")
STORY = attempt("Ada has 7 apples. Ada loses 2.", "7-2=5\nAnswer: 5")


class Strategist:
    """Says one round of replies after the other, and remembers what it was asked."""

    weights: Weights = BY

    def __init__(self, *replies: Sequence[str]) -> None:
        self.replies = list(replies)
        self.asked: list[list[str]] = []
        self.how: list[Sampling] = []

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        self.asked.append([chat[-1].text for chat in chats])
        self.how.append(how)
        return [
            [Completion(Piece(text), Finish.END)]
            for text, _ in zip(self.replies[len(self.asked) - 1], chats, strict=True)
        ]


def in_family(name: str) -> Problem:
    return replace(SUM.problem, family=name)


def test_it_reflects_first_and_then_names_with_the_reflection_in_sight() -> None:
    one = Strategist(["Split it.", "Fine."], ["behavior_split: Split off the tens.\nbehavior_add: Add.", "none"])
    own = replace(SUM, problem=in_family("add"))
    known = [Behaviour("old_one")]
    named = found(one, [own, STORY], ENGLISH, HOW, lambda problem: known if problem.family == "add" else [])
    assert named == [
        [Behaviour("split", "Split off the tens.", {"add": 1}), Behaviour("add", "Add.", {"add": 1})],
        [],
    ]
    assert [list(behaviour.found.items()) for behaviour in named[0]] == [[("add", 1)]] * 2
    reflected, extracted = one.asked
    assert "old_one" in reflected[0] and "Known ones are: none" in reflected[1]
    assert "47+38=85" in reflected[0] and "47+38=85" in extracted[0] and "Split it." in extracted[0]
    assert {how.n for how in one.how} == {1}


def test_without_words_to_reflect_it_is_asked_once() -> None:
    one = Strategist(["tens first"])
    assert found(one, [SUM], NANO, HOW) == [[Behaviour("tens first", "", {"": 1})]]
    assert one.asked == [["Work out 47+38.\n47+38=85\nAnswer: 85\nWhat was used?"]]


def test_what_gives_the_answer_or_a_number_of_the_problem_away_is_not_general() -> None:
    good = [Behaviour("tens", "Add tens, then ones, in 2 steps."), Behaviour("limit", "Stop at 100.")]
    leaks = [Behaviour("end", "Say 85."), Behaviour("start_47", "Begin."), Behaviour("split", "Take 38 apart.")]
    assert general([*leaks, *good], SUM) == good
    assert general([Behaviour("say_5"), Behaviour("five", "It is 5."), Behaviour("fine", "In 15 steps.")], STORY) == [
        Behaviour("fine", "In 15 steps.")
    ]
    stopped = attempt("How many?", "Answer: 5.")
    assert general([Behaviour("five", "It is 5 then.")], stopped) == []
    worded = attempt("Who is oldest?", "Answer: Quin")
    assert general([Behaviour("a", "Name Quin."), Behaviour("b", "Quinces are fruit.")], worded) == [
        Behaviour("b", "Quinces are fruit.")
    ]


def test_a_second_pass_sees_its_own_behaviours_but_neither_the_first_solution_nor_a_leak() -> None:
    reply = "behavior_split: Split off the tens.\nbehavior_say: Say 85.\nbehavior_two: Add twice.\nbehavior_x: Go on."
    one = Strategist(["thoughts", "thoughts"], [reply, "nothing"])
    first, second = Guided(ENGLISH, HOW, most=2)(one, [SUM, STORY])
    assert first == ENGLISH.using(
        SUM.turns[0].seen, [Behaviour("split", "Split off the tens."), Behaviour("two", "Add twice.")]
    )
    assert "85" not in first[-1].text and "behavior_x" not in first[-1].text
    assert second == STORY.turns[0].seen


def test_a_critique_sees_the_first_solution() -> None:
    (chat,) = Revised("Look again.")(Strategist(), [SUM])
    assert chat == (user("Work out 47+38."), Message("assistant", "47+38=85\nAnswer: 85"), user("Look again."))
