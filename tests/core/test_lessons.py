import numpy as np
import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.lessons import Part, demonstration, demonstrations, preference, reinforcement, retold, valuation
from sharpen.core.records import Attempt, Judged, Message, Piece, Problem, Turn, Verdict, Weights, user
from sharpen.core.tokens import Tokens, frozen_floats, frozen_ints

CHAT = (user("2 + 2?"),)
TOKENS = Tokens(frozen_ints([1, 2]), "t")
NATS = frozen_floats([-1.0, -2.0])
DRAWN = frozen_floats([-0.5, -3.0])
SAID = (Piece("4", TOKENS, NATS), Piece("page", TOKENS, author="world"), Piece("!", author="method"))


def attempt(*turns: tuple[Piece, ...]) -> Attempt:
    return Attempt(Problem("p", CHAT), tuple(Turn(CHAT, said) for said in turns), Weights("w", "nano"))


def test_a_demonstration_teaches_only_the_policys_own_words() -> None:
    lesson = demonstration(CHAT, SAID, 0.5, 3)
    assert [part.content for part in lesson.parts] == [CHAT, TOKENS, TOKENS, "!"]
    assert [part.weight for part in lesson.parts] == [0.0, 0.5, 0.0, 0.0]
    assert lesson.group == 3


def test_words_of_others_are_taught_as_text() -> None:
    assert [(part.content, part.weight) for part in demonstration(CHAT, "four").parts] == [(CHAT, 0.0), ("four", 1.0)]


def test_what_another_body_did_is_retold_without_any_of_its_tokens() -> None:
    later = (*CHAT, Message("assistant", "4!", TOKENS), user("sure?"))
    foreign = Attempt(Problem("p", CHAT), (Turn(CHAT, SAID[:1]), Turn(later, SAID[:1])), Weights("w", "other"))
    first, second = retold(foreign)
    assert [part.content for part in first.parts] == [CHAT, "4"]
    assert [part.content for part in second.parts] == [(*CHAT, Message("assistant", "4!"), user("sure?")), "4"]


def test_every_turn_of_every_attempt_is_one_demonstration() -> None:
    kept = [Judged(attempt(SAID, SAID[:1]), Verdict(1.0)), Judged(attempt(SAID[:1]), Verdict(0.5))]
    assert [len(lesson.parts) for lesson in demonstrations(kept)] == [4, 2, 2]


def test_the_preferred_comes_first_and_both_share_the_group() -> None:
    better, worse = preference(CHAT, "yes", SAID[:1], 7)
    assert (better.parts[1].content, worse.parts[1].content) == ("yes", TOKENS)
    assert (better.group, worse.group) == (7, 7)


def test_reinforcement_divides_by_what_was_really_drawn() -> None:
    warm = Piece("4", TOKENS, NATS, drawn=DRAWN)
    first, second = reinforcement(attempt(SAID, (warm,)), [1.0, -2.0], leash=0.1, group=4)
    own, foreign = first.parts[1], first.parts[2]
    assert own.sampled is NATS and second.parts[1].sampled is DRAWN
    assert (own.weight, own.leash, second.parts[1].weight) == (1.0, 0.1, -2.0)
    assert (foreign.weight, foreign.leash, foreign.sampled) == (0.0, 0.0, None)
    assert first.group == second.group == 4


def test_one_advantage_serves_all_turns_and_a_wrong_number_of_them_is_refused() -> None:
    assert [lesson.parts[1].weight for lesson in reinforcement(attempt(SAID, SAID), 0.25)] == [0.25, 0.25]
    with pytest.raises(InvalidInput, match=r"one per turn \(2\), got 3"):
        reinforcement(attempt(SAID, SAID), [1.0, 2.0, 3.0])


def test_a_valuation_asks_at_the_last_part() -> None:
    lesson = valuation(CHAT, SAID, 0.75, 2)
    assert [part.target for part in lesson.parts] == [None, None, None, 0.75]
    assert valuation(CHAT, "x", 0.0).parts[-1].target == 0.0


@pytest.mark.parametrize("name", ["weight", "sampled", "leash"])
def test_numbers_per_token_need_tokens_and_one_number_each(name: str) -> None:
    numbers = np.zeros(2, dtype=np.float32)
    assert not getattr(Part(TOKENS, **{name: numbers}), name).flags.writeable  # type: ignore[arg-type] # one of three
    with pytest.raises(InvalidInput, match=f"{name} must have one number per token of a tokens part, got 2"):
        Part("words", **{name: numbers})  # type: ignore[arg-type] # one of three fields
    with pytest.raises(InvalidInput):
        Part(TOKENS[:1], **{name: numbers})  # type: ignore[arg-type] # one of three fields
