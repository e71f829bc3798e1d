"""The sampler draws what the model says, whoever else is asked, and bills what it does."""

from collections import Counter
from itertools import chain

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from sharpen.core.budget import Spend
from sharpen.core.errors import BudgetExhausted, InvalidInput
from sharpen.core.records import Chat, Finish, Message, Sampling, user
from sharpen.models.draws import pick, row_keys, uniforms
from sharpen.models.linear import ANSWERS, SCALE, WORDS, HashedLinear, newborn
from sharpen.models.sampling import FEWEST, sample
from sharpen.models.words import WordEncoder

ENCODER = WordEncoder(WORDS)


def asked(*questions: str) -> list[Chat]:
    return [(user(question),) for question in questions]


def talker(seed: int = 0) -> HashedLinear:
    """A body that rambles: random weights, so that it says texts of many lengths."""
    body = newborn(ENCODER, ANSWERS)
    dice = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        body.module.out.weight.normal_(std=0.8 / SCALE, generator=dice)
        body.module.out.bias.zero_()
    return body


class Bill:
    """Adds up what is charged, and refuses once work exceeds a number of sampled tokens."""

    def __init__(self, limit: int = 10**9) -> None:
        self.work, self.paid, self.limit, self.calls = Spend(), Spend(), limit, 0

    def __call__(self, work: Spend, paid: Spend) -> None:
        if (self.work + work).sampled > self.limit:
            raise BudgetExhausted("spent")
        self.work, self.paid, self.calls = self.work + work, self.paid + paid, self.calls + 1


def test_a_hand_worked_pick_falls_into_the_right_interval() -> None:
    logits = torch.tensor([[0.2, 0.5, 0.3]]).log().expand(5, -1)
    tokens, logprobs, drawn = pick(logits, torch.tensor([0.0, 0.19, 0.21, 0.69, 0.999]), Sampling())
    assert tokens.tolist() == [0, 0, 1, 1, 2]
    assert drawn is None
    assert logprobs.exp().tolist() == pytest.approx([0.2, 0.2, 0.5, 0.5, 0.3])


def test_a_hand_worked_nucleus_holds_the_token_that_crosses_it_and_no_more() -> None:
    logits = torch.tensor([[0.2, 0.5, 0.3]]).log().expand(4, -1)
    tokens, logprobs, drawn = pick(logits, torch.tensor([0.0, 0.62, 0.63, 0.9999999]), Sampling(top_p=0.6))
    assert tokens.tolist() == [1, 1, 2, 2]
    assert drawn is not None
    assert drawn.exp().tolist() == pytest.approx([0.625, 0.625, 0.375, 0.375])
    assert logprobs.exp().tolist() == pytest.approx([0.5, 0.5, 0.3, 0.3])


def test_temperature_sharpens_what_is_drawn_and_not_what_is_reported_at_one() -> None:
    logits = torch.tensor([[0.2, 0.5, 0.3]]).log()
    _, logprobs, drawn = pick(logits, torch.tensor([0.9]), Sampling(temperature=0.5))
    assert drawn is not None
    assert float(drawn.exp()) == pytest.approx(0.09 / 0.38)
    assert float(logprobs.exp()) == pytest.approx(0.3)


def test_greedy_takes_the_most_likely_surely() -> None:
    tokens, logprobs, drawn = pick(torch.tensor([[1.0, 3.0, 3.0]]), torch.tensor([0.999]), Sampling(temperature=0))
    assert tokens.tolist() == [1] and drawn is not None and drawn.tolist() == [0.0]
    assert float(logprobs) < 0


def test_a_token_without_mass_is_never_picked() -> None:
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf]]).expand(3, -1)
    assert pick(logits, torch.tensor([0.0, 0.5, 1 - 2**-24]), Sampling())[0].tolist() == [1, 1, 1]


def test_uniforms_are_uniform_and_uncorrelated_between_neighbours() -> None:
    keys = row_keys(("stream",), [np.array([i], dtype=np.int32) for i in range(200)], 50).reshape(-1)
    first, second = uniforms(keys, 0), uniforms(keys, 1)
    counts = np.histogram(first, bins=50, range=(0, 1))[0]
    assert chisquare(counts).pvalue > 1e-3
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.04
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 0.04
    assert len(np.unique(keys)) == len(keys)


@pytest.mark.parametrize("how", [Sampling(), Sampling(temperature=0.6), Sampling(top_p=0.8)])
def test_sampled_frequencies_are_the_probabilities_drawn_from(how: Sampling) -> None:
    n = 4000
    (answers,) = sample(talker(), ENCODER, asked("red cat"), Sampling(n, how.temperature, how.top_p, 1))
    ids = [int(a.piece.tokens.ids[0]) for a in answers if a.piece.tokens is not None]
    counts = Counter(ids)
    share: dict[int, float] = {}
    for token, answer in zip(ids, answers, strict=True):
        numbers = answer.piece.logprobs if answer.piece.drawn is None else answer.piece.drawn
        assert numbers is not None
        share[token] = float(np.exp(numbers[0]))
    often = [token for token, p in share.items() if p * n >= 8]
    rest = 1 - sum(share[token] for token in often)
    observed = [*(counts[token] for token in often), n - sum(counts[token] for token in often)]
    expected = [*(share[token] * n for token in often), max(rest, 1e-9) * n]
    if rest * n < 5:
        observed, expected = observed[:-1], expected[:-1]
    scale = sum(observed) / sum(expected)
    assert chisquare(observed, [e * scale for e in expected]).pvalue > 1e-3


def test_answers_do_not_depend_on_order_or_company() -> None:
    body, how = talker(), Sampling(n=3, max_tokens=20)
    chats = asked(*(f"red {i} + {j}" + " dog" * j for i in range(4) for j in range(4)))
    alone = [sample(body, ENCODER, [chat], how)[0] for chat in chats]
    together = sample(body, ENCODER, chats, how)
    backwards = sample(body, ENCODER, [*chats[::-1], *asked("another one")], how)
    assert [[a.text for a in row] for row in together] == [[a.text for a in row] for row in alone]
    assert [[a.text for a in row] for row in backwards[:-1][::-1]] == [[a.text for a in row] for row in alone]


def test_more_samples_begin_with_the_fewer() -> None:
    body = talker()
    few, many = (sample(body, ENCODER, asked("cat"), Sampling(n=n, max_tokens=9))[0] for n in (2, 12))
    assert [a.text for a in many[:2]] == [a.text for a in few]


def test_the_same_call_says_the_same_and_another_stream_something_else() -> None:
    body, how = talker(), Sampling(n=4, max_tokens=20)
    once, again, other = (
        sample(body, ENCODER, asked("cat", "dog"), how, stream=stream) for stream in ((1,), (1,), ("1",))
    )
    assert once == again
    assert once != other


def test_equal_chats_of_one_call_are_drawn_apart() -> None:
    first, second = sample(talker(), ENCODER, asked("cat", "cat"), Sampling(n=4, max_tokens=20))
    assert [a.text for a in first] != [a.text for a in second]


def test_a_stop_string_ends_the_words_before_it_and_stays_in_the_tokens() -> None:
    chats = asked("cat", "dog", "tree", "house")
    how = Sampling(n=64, max_tokens=40)
    free = sample(talker(), ENCODER, chats, how)
    stopped = sample(talker(), ENCODER, chats, Sampling(n=64, max_tokens=40, stop=("e", "or")))
    cut = 0
    for a, b in zip(chain(*free), chain(*stopped), strict=True):
        assert "e" not in b.text and "or" not in b.text
        assert a.text.startswith(b.text)
        if a.text != b.text:
            cut += 1
            assert b.finish is Finish.END
            assert b.piece.tokens is not None
            whole = ENCODER.decode(b.piece.tokens)
            assert whole.startswith(b.text) and ("e" in whole or "or" in whole)
            assert "e" not in ENCODER.decode(b.piece.tokens[:-1])
    assert cut > 50


def test_an_end_of_turn_ends_and_a_limit_cuts() -> None:
    answers = sample(talker(), ENCODER, asked("cat"), Sampling(n=200, max_tokens=30))[0]
    assert {a.finish for a in answers} == {Finish.END, Finish.LENGTH}
    for answer in answers:
        assert answer.piece.tokens is not None
        ids = answer.piece.tokens.ids.tolist()
        ended = ids[-1] in ENCODER.ends
        assert ended == (answer.finish is Finish.END)
        assert not ENCODER.ends & set(ids[:-1])
        assert ended or len(ids) == 30


def test_nothing_is_said_beyond_the_context() -> None:
    body = HashedLinear(len(ENCODER), context=12)
    chats = asked("cat", "cat dog bird")
    lengths = [len(ENCODER.encode(chat)) for chat in chats]
    for length, row in zip(lengths, sample(body, ENCODER, chats, Sampling(n=50, max_tokens=99)), strict=True):
        longest = max(len(a.piece.tokens) for a in row if a.piece.tokens is not None)
        assert longest == 12 - length
        assert all(a.finish is Finish.LENGTH for a in row if a.piece.tokens is not None and a.piece.tokens.ids[-1] != 1)


def test_prompts_without_tokens_or_without_room_are_refused() -> None:
    body = HashedLinear(len(ENCODER), context=8)
    with pytest.raises(InvalidInput, match="at least one token"):
        sample(body, ENCODER, [(Message("text", ""),)], Sampling())
    with pytest.raises(InvalidInput, match="shorter than the context of 8"):
        sample(body, ENCODER, asked("cat dog bird fish tree"), Sampling())


def test_no_chats_get_no_answers() -> None:
    assert sample(talker(), ENCODER, [], Sampling()) == []


def test_every_sampled_token_is_billed_and_every_prompt_once_per_chat() -> None:
    bill, body = Bill(), talker()
    chats = asked("cat", "cat", "dog bird")
    answers = sample(body, ENCODER, chats, Sampling(n=5, max_tokens=20), charge=bill)
    lengths = [len(ENCODER.encode(chat)) for chat in chats]
    said = [len(a.piece.tokens) for row in answers for a in row if a.piece.tokens is not None]
    assert bill.work.sampled == sum(said)
    assert bill.work.read == sum(lengths)
    assert bill.paid.read == lengths[0] + lengths[2]
    read_on = sum(said) - len(said)
    assert bill.work.flops == body.flops(sum(lengths) + read_on, 1, len(lengths) + read_on)
    assert bill.paid.flops >= body.flops(lengths[0] + lengths[2] + read_on, 1, 2 + read_on)


def test_the_budget_is_asked_before_a_step_is_done() -> None:
    bill = Bill(limit=40)
    with pytest.raises(BudgetExhausted):
        sample(talker(), ENCODER, asked("cat"), Sampling(n=16, max_tokens=50), charge=bill)
    assert bill.work.sampled <= 40


def test_never_fewer_rows_are_decoded_than_keep_the_bits() -> None:
    seen: list[int] = []

    class Watched(HashedLinear):
        def unembed(self, hidden: torch.Tensor) -> torch.Tensor:
            seen.append(len(hidden))
            return super().unembed(hidden)

    sample(Watched(len(ENCODER)), ENCODER, asked("cat"), Sampling(n=1, max_tokens=3))
    sample(Watched(len(ENCODER)), ENCODER, asked("cat"), Sampling(n=100, max_tokens=300))
    assert min(seen) == FEWEST and max(seen) == 100
