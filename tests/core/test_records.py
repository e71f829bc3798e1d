import numpy as np
import pytest

from sharpen.core.errors import ForeignTokens, InvalidInput
from sharpen.core.method import weights_in
from sharpen.core.records import Attempt, Piece, Problem, Sampling, Stop, Turn, Weights, user
from sharpen.core.tokens import Tokens, frozen_floats, frozen_ints

TOKENS = Tokens(frozen_ints([4, 5, 6]), "t")


def test_an_array_that_is_frozen_already_is_not_copied() -> None:
    frozen = frozen_ints(np.arange(3, dtype=np.int32))
    assert frozen_ints(frozen) is frozen
    assert np.shares_memory(Tokens(frozen, "t").ids, frozen)
    assert np.shares_memory(TOKENS[1:].ids, TOKENS.ids)


def test_freezing_a_view_leaves_its_owner_writable() -> None:
    owner = np.zeros(4, dtype=np.float32)
    view = frozen_floats(owner[1:3])
    owner[1] = 7.0
    assert view.tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1.0


def test_tokens_compare_and_join_by_content_and_tokenizer() -> None:
    assert TOKENS[:1] + TOKENS[1:] == TOKENS
    assert hash(TOKENS[:1] + TOKENS[1:]) == hash(TOKENS)
    assert Tokens(TOKENS.ids, "other") != TOKENS
    assert len({TOKENS, Tokens(frozen_ints([4, 5, 6]), "t")}) == 1
    assert len(TOKENS) == 3


def test_tokens_of_another_tokenizer_are_refused() -> None:
    with pytest.raises(ForeignTokens, match="expected tokens of tokenizer mine, got tokens of t"):
        TOKENS.require("mine")
    with pytest.raises(ForeignTokens):
        TOKENS + Tokens(TOKENS.ids, "other")
    assert TOKENS.require("t") is TOKENS


@pytest.mark.parametrize("values", [{"logprobs": frozen_floats([0.0])}, {"drawn": frozen_floats([0.0] * 4)}])
def test_a_piece_has_one_number_per_token(values: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="must have one number per token"):
        Piece("x", TOKENS, **values)  # type: ignore[arg-type] # one of two fields
    with pytest.raises(InvalidInput):
        Piece("x", None, **values)  # type: ignore[arg-type] # one of two fields


def test_pieces_are_equal_when_all_they_hold_is() -> None:
    said = Piece("x", TOKENS, frozen_floats([0, -1, -2]))
    assert said == Piece("x", TOKENS, frozen_floats([0, -1, -2])) and hash(said) == hash(Piece("x", TOKENS))
    assert said != Piece("x", TOKENS, frozen_floats([0, -1, -3]))
    assert said != Piece("x", TOKENS)
    assert said != Piece("x", TOKENS, said.logprobs, "method")


def test_an_attempt_tells_its_last_words_and_its_own_length() -> None:
    problem = Problem("p", (user("?"),))
    first = Turn(problem.chat, (Piece("a", TOKENS), Piece("looked up", TOKENS, author="world"), Piece("b")))
    attempt = Attempt(problem, (first, Turn(problem.chat, (Piece("c", TOKENS[:2]),))), Weights("w", "nano"))
    assert first.text == "alooked upb"
    assert attempt.text == "c"
    assert attempt.length == 5
    assert len(attempt.said) == 4
    assert Attempt(problem, (), Weights("w", "nano"), Stop.ERROR).text == ""


@pytest.mark.parametrize("field", [{"n": 0}, {"temperature": -0.1}, {"top_p": 0.0}, {"top_p": 1.1}, {"max_tokens": 0}])
def test_sampling_out_of_range_is_refused(field: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(field))):
        Sampling(**field)  # type: ignore[arg-type] # wrong on purpose


def test_sampling_is_changed_one_setting_at_a_time() -> None:
    how = Sampling(4, 0.7, 0.9, 32, ("\n",))
    assert how.heated(1.2) == Sampling(4, 1.2, 0.9, 32, ("\n",))
    assert how.times(8) == Sampling(8, 0.7, 0.9, 32, ("\n",))
    assert how.greedy() == Sampling(1, 0.0, 1.0, 32, ("\n",))


def test_weights_are_found_at_any_depth_once_and_in_order() -> None:
    a, b, c = (Weights(name, "nano") for name in "abc")
    attempt = Attempt(Problem("p", ()), (), c)
    assert weights_in({"x": (b, [a, b]), "y": attempt}) == (b, a, c)
    assert weights_in("none") == ()
