"""The model of the contract tests is causal, remembers what it read, and starts as it says."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sharpen.core.errors import ForeignTokens, InvalidInput
from sharpen.core.records import Message, Sampling, user
from sharpen.core.tokens import Tokens
from sharpen.models.linear import ANSWERS, WORDS, linear_model, newborn
from sharpen.models.words import END, UNKNOWN, WordEncoder

ENCODER = WordEncoder(WORDS)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126, include_characters="\n")))
def test_text_of_the_vocabulary_comes_back(text: str) -> None:
    assert ENCODER.decode(ENCODER.reply(text)) == text


def test_words_are_whole_only_where_they_stand_alone() -> None:
    assert [ENCODER.strings[i] for i in ENCODER.reply("cat cats").ids] == ["cat", " ", "c", "a", "t", "s", "<|end|>"]


def test_a_mark_written_into_a_text_is_spelled() -> None:
    ids = ENCODER.encode((user("<|end|>"),)).ids.tolist()
    assert ids.count(END) == 1
    assert ENCODER.reply("é").ids.tolist() == [UNKNOWN, END]


def test_a_chat_is_marked_by_role_and_open_for_the_assistant() -> None:
    ids = ENCODER.encode((Message("system", "cat"), user("dog"))).ids
    shown = " ".join(ENCODER.strings[i] for i in ids)
    assert shown == "<|system|> cat <|end|> <|user|> dog <|end|> <|assistant|>"
    continued = ENCODER.encode((user("dog"), Message("assistant", "cat")))
    assert continued == ENCODER.encode((user("dog"),)) + ENCODER.reply("cat")[:-1]


def test_sampled_tokens_win_over_text_and_their_end_is_not_doubled() -> None:
    said = ENCODER.reply("cat")
    by_tokens = ENCODER.encode((user("dog"), Message("assistant", "bird", said), user("fish")))
    assert by_tokens == ENCODER.encode((user("dog"), Message("assistant", "cat"), user("fish")))


def test_raw_text_has_no_marks() -> None:
    assert ENCODER.encode((Message("text", "cat"),)) == ENCODER.reply("cat")[:-1]
    with pytest.raises(InvalidInput, match="text message alone"):
        ENCODER.encode((Message("text", "cat"), user("dog")))


def test_spans_cover_the_matches_and_nothing_else() -> None:
    tokens = ENCODER.reply("cat dog cat")
    assert ENCODER.spans(tokens, "cat") == [(0, 1), (4, 5)]
    assert ENCODER.spans(tokens, "t d") == [(0, 3)]
    assert ENCODER.spans(ENCODER.encode((user("cat"),)), "cat") == [(1, 2)]


def test_foreign_tokens_are_refused() -> None:
    with pytest.raises(ForeignTokens):
        ENCODER.decode(Tokens(ENCODER.reply("cat").ids, "other"))


def test_what_is_read_in_steps_is_what_is_read_at_once() -> None:
    body = newborn(ENCODER, ANSWERS)
    ids = torch.randint(0, len(ENCODER), (6, 40), generator=torch.Generator().manual_seed(0))
    ids[torch.rand(ids.shape, generator=torch.Generator().manual_seed(1)) < 0.3] = ENCODER.place(" ")
    lengths = torch.tensor([10, 3, 1, 10, 7, 9])
    whole = body.hidden(ids, torch.full((6,), 40))
    cache, last = body.prefill(ids[:, :10], lengths, 30)
    assert torch.equal(last, whole[torch.arange(6), lengths - 1])
    index = torch.tensor([5, 0, 0])
    picked = cache.rows(index)
    for step in range(20):
        places = lengths[index] + step
        assert torch.equal(body.step(picked, ids[index, places]), whole[index, places])


def test_no_position_sees_what_comes_after_it() -> None:
    body = newborn(ENCODER, ANSWERS)
    ids = torch.randint(7, len(ENCODER), (2, 20), generator=torch.Generator().manual_seed(0))
    changed = ids.clone()
    changed[:, 12:] = 9
    lengths = torch.full((2,), 20)
    assert torch.equal(body.hidden(ids, lengths)[:, :12], body.hidden(changed, lengths)[:, :12])


def test_at_first_it_says_one_answer_evenly_and_ends() -> None:
    model = linear_model()
    answers = model.at(model.base).sample([(user("animal and dog"),)], Sampling(n=2000, max_tokens=8))[0]
    counts = Counter(answer.text for answer in answers)
    shares = [counts[answer] / 2000 for answer in ANSWERS]
    assert min(shares) > 0.05 and max(shares) < 0.15


def test_a_vocabulary_too_large_or_answers_outside_it_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at most"):
        linear_model([f"word{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(200)])
    with pytest.raises(InvalidInput, match="answers that are tokens"):
        linear_model(["cat"], ["dog"])
    with pytest.raises(InvalidInput, match="a word must be"):
        WordEncoder(["a"])
