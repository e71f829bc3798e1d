"""What every model promises, whatever its body: one set of checks over all of them."""

import json
from collections import Counter
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from sharpen.core.budget import Spend, free
from sharpen.core.errors import CorruptRecord, ForeignTokens, InvalidInput
from sharpen.core.lessons import Term, demonstration, valuation
from sharpen.core.objectives import Imitate, Regress
from sharpen.core.ports import Model
from sharpen.core.records import Chat, Message, Role, Sampling, Weights, user
from sharpen.core.tokens import Tokens
from sharpen.core.training import Adapter, Head, Training
from sharpen.models.checkpoint import save_folder
from sharpen.models.linear import linear_model
from sharpen.models.local import LocalModel
from sharpen.models.open import NANO, open_folder
from sharpen.models.shape import Shape
from sharpen.models.transformer import Decoder

CHATS: list[Chat] = [(user(f"Work out {i} + {j}."),) for i in (3, 14) for j in (1, 5, 27)]
FEW = Sampling(n=3, max_tokens=16)
LESSONS = [demonstration(chat, "7") for chat in CHATS]
STEPS = Training(steps=4, batch=6)


@pytest.fixture(scope="module", params=["linear", "tiny", "nano"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    if request.param == "linear":
        return linear_model()
    if request.param == "nano":
        return open_folder("nano", NANO)
    return tiny(tmp_path_factory.mktemp("models") / "tiny")


def tiny(folder: Path) -> LocalModel:
    """A random decoder of two small layers with nano's tokenizer, through a folder."""
    vocabulary = json.loads((NANO / "config.json").read_text())["vocab_size"]
    shape = Shape(vocabulary, width=32, layers=2, heads=4, kv_heads=2, head_dim=8, hidden=48, context=128, tied=True)
    decoder, dice = Decoder(shape), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for matrix in (weight for weight in decoder.parameters() if weight.dim() == 2):
            matrix.normal_(std=0.3, generator=dice)
    save_folder(folder, decoder.state_dict(), shape, NANO)
    return open_folder("tiny", folder)


def texts(model: Model, weights: Weights, chats: list[Chat] = CHATS, how: Sampling = FEW) -> list[list[str]]:
    return [[answer.text for answer in row] for row in model.at(weights, ("texts",)).sample(chats, how)]


def adapter_of(model: LocalModel) -> Adapter:
    return Adapter(rank=2, targets=("out",)) if model.name == "linear" else Adapter(rank=2)


def logprob(model: Model, weights: Weights) -> float:
    """Of the demonstrations, in all."""
    return float(sum(scores.sum() for scores in model.at(weights).logprobs(CHATS, ["7"] * len(CHATS))))


def test_first_tokens_come_as_often_as_their_logprobs_say(model: LocalModel) -> None:
    n = 3000
    (answers,) = model.at(model.base).sample(CHATS[:1], Sampling(n=n, max_tokens=1))
    counts: Counter[int] = Counter()
    share: dict[int, float] = {}
    for answer in answers:
        assert answer.piece.tokens is not None and answer.piece.logprobs is not None
        token = int(answer.piece.tokens.ids[0])
        counts[token] += 1
        share[token] = float(np.exp(answer.piece.logprobs[0]))
    often = [token for token in share if share[token] * n >= 8]
    observed = [counts[token] for token in often]
    expected = [share[token] * n for token in often]
    rest = n - sum(expected)
    if rest >= 8:
        observed, expected = [*observed, n - sum(observed)], [*expected, rest]
    if len(observed) == 1:
        assert observed[0] / expected[0] == pytest.approx(1, abs=0.01)
        return
    assert chisquare(observed, np.array(expected) * sum(observed) / sum(expected)).pvalue > 1e-3


@pytest.mark.parametrize("how", [FEW, Sampling(n=2, temperature=0.7, top_p=0.9, max_tokens=12), FEW.greedy()])
def test_the_sampler_and_the_scorer_agree(model: LocalModel, how: Sampling) -> None:
    policy = model.at(model.base, ("agree",))
    for chat, row in zip(CHATS, policy.sample(CHATS, how), strict=True):
        said = [answer.piece.tokens for answer in row]
        assert all(tokens is not None for tokens in said)
        scores = policy.logprobs([chat] * len(row), [tokens for tokens in said if tokens is not None])
        for answer, score in zip(row, scores, strict=True):
            assert answer.piece.logprobs is not None
            # One row at a time or whole sequences: float32 sums in another order, on logits of some tens.
            np.testing.assert_allclose(answer.piece.logprobs, score, atol=3e-5)
            assert (answer.piece.drawn is None) == (how.temperature == 1 and how.top_p == 1)


def test_the_same_call_says_the_same(model: LocalModel) -> None:
    policy = model.at(model.base, ("same",))
    assert policy.sample(CHATS, FEW) == policy.sample(CHATS, FEW)


def test_answers_do_not_depend_on_order_or_company(model: LocalModel) -> None:
    alone = [texts(model, model.base, [chat])[0] for chat in CHATS]
    assert texts(model, model.base) == alone
    more: list[Chat] = [*CHATS[::-1], (user("Work out 2 * (3 + 4) - 5."),)]
    assert texts(model, model.base, more)[:-1][::-1] == alone


def test_a_stop_string_is_left_out_of_the_words(model: LocalModel) -> None:
    rows = model.at(model.base, ("stop",)).sample(CHATS, Sampling(n=8, max_tokens=24))
    said = "".join(answer.text[1:] for row in rows for answer in row)
    letter = Counter(character for character in said if character.isascii()).most_common(1)[0][0]
    stopped = model.at(model.base, ("stop",)).sample(CHATS, Sampling(n=8, max_tokens=24, stop=(letter,)))
    pairs = [pair for a, b in zip(rows, stopped, strict=True) for pair in zip(a, b, strict=True)]
    assert all(a.text.partition(letter)[0] == b.text for a, b in pairs)
    assert any(a.text != b.text for a, b in pairs)


def test_a_chat_that_ends_in_the_assistant_is_continued(model: LocalModel) -> None:
    policy = model.at(model.base)
    (whole,) = policy.sample(CHATS[:1], FEW.greedy())
    tokens = whole[0].piece.tokens
    assert tokens is not None
    if len(tokens) < 2:
        pytest.skip("said one token only")
    begun = (*CHATS[0], Message("assistant", "", tokens[:1]))
    (rest,) = policy.sample([begun], FEW.greedy())
    assert rest[0].piece.tokens is not None
    said = tokens[:1] + rest[0].piece.tokens
    assert said[: len(tokens)] == tokens


def test_choices_are_the_full_softmax_of_first_tokens(model: LocalModel) -> None:
    policy = model.at(model.base)
    digits = [str(digit) for digit in range(10)]
    for chat, row in zip(CHATS, policy.choices(CHATS, digits), strict=True):
        assert row.shape == (10,) and np.exp(row).sum() <= 1 + 1e-5
        first = [score[0] for score in policy.logprobs([chat] * 10, digits)]
        np.testing.assert_allclose(row, first, atol=1e-5)
    with pytest.raises(InvalidInput, match="differ in their first token"):
        policy.choices(CHATS, ["7", "7"])
    with pytest.raises(InvalidInput, match="differ in their first token"):
        policy.choices(CHATS, [])


def test_learning_leaves_the_start_as_it_was(model: LocalModel) -> None:
    before, score = texts(model, model.base), logprob(model, model.base)
    learned = model.learn(model.base, [Term(Imitate(), LESSONS)], STEPS)
    assert logprob(model, learned.weights) > score
    assert texts(model, model.base) == before and logprob(model, model.base) == score
    assert learned.weights != model.base and learned.spend.learned > 0 and learned.spend.flops > 0


def test_the_same_lessons_give_the_same_weights_by_name_and_by_voice(model: LocalModel) -> None:
    once = model.learn(model.base, [Term(Imitate(), LESSONS)], STEPS)
    score = logprob(model, once.weights)
    again = model.bind(free).learn(model.base, [Term(Imitate(), LESSONS)], STEPS)
    assert again.weights == once.weights and again.metrics == once.metrics
    assert logprob(model, once.weights) == score
    assert model.learn(model.base, [Term(Imitate(), LESSONS[1:])], STEPS).weights != once.weights


def test_without_lessons_the_start_comes_back_free(model: LocalModel) -> None:
    learned = model.learn(model.base, [Term(Imitate(), [])], STEPS)
    assert learned.weights == model.base and learned.spend == Spend()


def test_an_adapter_learns_and_leaves_the_base_alone(model: LocalModel) -> None:
    score = logprob(model, model.base)
    how = Training(steps=6, batch=6, pace=5.0, adapter=adapter_of(model))
    learned = model.learn(model.base, [Term(Imitate(), LESSONS)], how)
    assert logprob(model, learned.weights) > score
    assert logprob(model, model.base) == score


def test_a_head_is_zero_at_first_and_moves_when_taught(model: LocalModel) -> None:
    start = model.head(model.base, Head("value"))
    read = model.at(start).values(CHATS)
    assert read == [[[0.0]]] * len(CHATS)
    assert texts(model, start) == texts(model, model.base)
    lessons = [valuation(chat, "7", 1.0) for chat in CHATS]
    taught = model.learn(start, [Term(Regress(), lessons)], Training(steps=2, batch=6)).weights
    said = Message("assistant", "7", model.encoder.reply("7"))
    moved = model.at(taught).values([(*chat, said) for chat in CHATS])
    assert all(row[0][0] > 0 for row in moved)
    assert model.at(start).values(CHATS) == read
    with pytest.raises(InvalidInput, match="head"):
        model.at(model.base).values(CHATS)


def test_a_head_on_a_mark_reads_after_every_one(model: LocalModel) -> None:
    start = model.head(model.base, Head("steps", outputs=2, link="sigmoid", read="+"))
    chats: list[Chat] = [(user("3 + 4 + 5"),), (user("3 - 4"),)]
    assert model.at(start).values(chats, "steps") == [[[0.5, 0.5], [0.5, 0.5]], []]


def test_a_blend_lies_between_and_the_whole_of_one_is_that_one(model: LocalModel) -> None:
    learned = model.learn(model.base, [Term(Imitate(), LESSONS)], STEPS).weights
    assert model.blend([(learned, 1.0), (model.base, 0.0)]) == learned
    halves = model.blend([(learned, 0.5), (learned, 0.5)])
    assert logprob(model, halves) == pytest.approx(logprob(model, learned), abs=1e-4)
    between = model.blend([(model.base, 0.5), (learned, 0.5)])
    assert logprob(model, model.base) < logprob(model, between) < logprob(model, learned)


def test_what_is_kept_is_found_again_and_the_rest_is_gone(model: LocalModel, tmp_path: Path) -> None:
    run = model.bind(free, ("run",), tmp_path)
    kept = run.learn(run.base, [Term(Imitate(), LESSONS)], STEPS).weights
    headed = run.head(kept, Head("value"))
    dropped = run.learn(run.base, [Term(Imitate(), LESSONS[:2])], STEPS).weights
    said = texts(run, kept)
    run.keep([headed])
    again = model.bind(free, ("run",), tmp_path)
    name = Weights(headed.id, headed.body)
    assert texts(again, name) == said
    assert again.at(name).values(CHATS[:1]) == [[[0.0]]]
    with pytest.raises(CorruptRecord):
        again.at(Weights(dropped.id, dropped.body))


def test_work_is_billed_to_the_run_it_was_done_for(model: LocalModel) -> None:
    bills: list[Spend] = []
    run = model.bind(lambda work, paid: bills.append(work))
    learned = run.learn(run.base, [Term(Imitate(), LESSONS)], STEPS)
    assert sum(bills, Spend()).learned == learned.spend.learned
    bills.clear()
    run.at(run.base).sample(CHATS, FEW)
    total = sum(bills, Spend())
    assert total.read == sum(len(run.encoder.encode(chat)) for chat in CHATS)
    assert total.sampled > 0 and total.flops > 0 and total.learned == 0
    model.at(model.base).sample(CHATS, FEW)
    assert sum(bills, Spend()) == total


def test_costs_grow_with_tokens_and_learning_costs_three_times_as_much(model: LocalModel) -> None:
    said, learned = model.cost(sampled=100, context=10), model.cost(learned=100, context=10)
    assert learned.flops == pytest.approx(3 * said.flops) and said.sampled == learned.learned == 100
    assert model.cost(sampled=200, context=10).flops == pytest.approx(2 * said.flops)


def test_weights_and_tokens_of_others_are_refused(model: LocalModel) -> None:
    with pytest.raises(InvalidInput, match="expected weights of"):
        model.at(Weights("base", "another"))
    with pytest.raises(ForeignTokens):
        model.at(model.base).logprobs(CHATS[:1], [Tokens(np.array([1], dtype=np.int32), "another")])


def test_every_role_can_speak(model: LocalModel) -> None:
    for role in get_args(Role):
        chat: Chat = (Message(role, "3 + 4"),) if role == "text" else (user("3"), Message(role, "4"), user("5"))
        assert len(model.at(model.base).sample([chat], Sampling(max_tokens=2))) == 1
