"""Every loss against dense loops in float64, value and gradient; and micro-batches against the whole."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sharpen.core.objectives import Imitate, Objective, PolicyGradient, Prefer, Regress
from sharpen.core.training import Head
from sharpen.models.batches import Row, padded
from sharpen.models.heads import Reader
from sharpen.models.losses import Loss, Rows, imitate, policy_gradient, prefer, regress, selected, shares
from sharpen.models.transformer import Decoder
from tests.models.tiny import ENCODER, decoder

CPU = torch.device("cpu")


def rows(seed: int = 0, count: int = 4) -> list[Row]:
    """Random lessons of unequal lengths whose second half counts, with every number set."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        length = int(rng.integers(4, 11))
        counted = np.arange(length) >= length // 2
        floats = [rng.normal(size=length).astype(np.float32) * counted for _ in range(2)]
        sampled = (-rng.random(length) * 4).astype(np.float32)
        target = np.full(length, np.nan, np.float32)
        target[-1] = rng.random()
        row = Row(
            rng.integers(7, len(ENCODER), length).astype(np.int32), counted, floats[0], abs(floats[1]), sampled, target
        )
        row.anchor = (-rng.random(length) * 4).astype(np.float32)
        made.append(row)
    return made


def loss_of(body: Decoder, objective: Objective, batch: list[Row], share: list[float]) -> Loss:
    padded_rows = padded(batch, share, CPU)
    hidden = body.hidden(padded_rows.ids, padded_rows.lengths)
    temperature = objective.temperature if isinstance(objective, PolicyGradient) else 1.0
    logprobs, _ = selected(body, hidden, padded_rows.ids, padded_rows.counted, temperature)
    if isinstance(objective, Imitate):
        return imitate(padded_rows, logprobs)
    if isinstance(objective, Prefer):
        return prefer(objective, padded_rows, logprobs)
    assert isinstance(objective, PolicyGradient)
    return policy_gradient(objective, padded_rows, logprobs)


def dense(body: Decoder, row: Row, temperature: float = 1.0) -> list[Tensor]:
    """log pi of every token of a row (0 for the first), one softmax at a time, without padding."""
    ids = torch.from_numpy(row.ids.astype(np.int64))[None]
    logits = body.unembed(body.hidden(ids, torch.tensor([len(row.ids)])))[0] / temperature
    return [
        logits.new_zeros(()),
        *(torch.log(torch.softmax(logits[t - 1], 0)[ids[0, t]]) for t in range(1, len(row.ids))),
    ]


def naive(body: Decoder, objective: Objective, batch: list[Row]) -> Tensor:
    """The losses as their docstrings state them, token by token."""
    temperature = objective.temperature if isinstance(objective, PolicyGradient) else 1.0
    said = [dense(body, row, temperature) for row in batch]
    places = [[t for t in range(len(row.ids)) if row.counted[t]] for row in batch]
    if isinstance(objective, Prefer):
        total = torch.zeros((), dtype=torch.float64)
        for better in range(0, len(batch), 2):
            gains = [sum(said[i][t] - float(batch[i].anchor[t]) for t in places[i]) for i in (better, better + 1)]
            total = total - torch.log(torch.sigmoid(objective.beta * (gains[0] - gains[1])))
            nll = -sum(said[better][t] for t in places[better]) / len(places[better])
            total = total + objective.imitate * nll
        return total / (len(batch) / 2)
    tokens: list[list[Tensor]] = []
    for i, row in enumerate(batch):
        if isinstance(objective, Imitate):
            tokens.append([-float(row.weight[t]) * said[i][t] for t in places[i]])
        else:
            assert isinstance(objective, PolicyGradient)
            change = {t: said[i][t] - float(row.sampled[t]) for t in places[i]}
            whole = sum(change.values())
            tokens.append([])
            for t in places[i]:
                ratio = torch.exp(whole if objective.ratio == "sequence" else change[t])
                gain = ratio * float(row.weight[t])
                if objective.clip:
                    low, high = objective.clip
                    gain = torch.minimum(gain, ratio.clamp(1 - low, 1 + high) * float(row.weight[t]))
                d = float(row.anchor[t]) - said[i][t]
                kl = d**2 / 2 if objective.kl == "k2" else torch.exp(d) - d - 1
                tokens[-1].append(-gain + float(row.leash[t]) * kl)
    if objective.per == "tokens":
        return sum(sum(row) for row in tokens) / sum(map(len, tokens))
    if objective.per == "sequences":
        return sum(sum(row) / len(row) for row in tokens) / len(batch)
    return sum(sum(row) for row in tokens) / (objective.length * len(batch))


def gradient(body: Decoder, value: Tensor) -> Tensor:
    body.zero_grad()
    value.backward()
    return torch.cat([p.grad.flatten() for p in body.parameters() if p.grad is not None])


OBJECTIVES: list[Objective] = [
    Imitate(),
    Imitate("sequences"),
    Imitate("constant", 7),
    Prefer(0.3),
    Prefer(0.1, imitate=1.0),
    PolicyGradient(),
    PolicyGradient(clip=(0.2, 0.3), per="tokens", kl="k2"),
    PolicyGradient(clip=(0.2, 0.2), ratio="sequence", temperature=0.7),
    PolicyGradient(clip=(0.5, 5.0), per="constant", length=16, temperature=1.3),
]


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_loss_and_gradient_are_those_of_a_dense_loop(objective: Objective) -> None:
    body, batch = decoder().double(), rows()
    counts = [int(row.counted.sum()) for row in batch]
    ours = loss_of(body, objective, batch, shares(objective, counts)).value
    theirs = naive(body, objective, batch)
    # The shares are float32: sums agree to its precision.
    assert float(ours.detach()) == pytest.approx(float(theirs.detach()), rel=1e-6)
    torch.testing.assert_close(gradient(body, ours), gradient(body, theirs), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_micro_batches_add_up_to_the_gradient_of_the_whole(objective: Objective) -> None:
    body, batch = decoder().double(), rows(1, 6)
    share = shares(objective, [int(row.counted.sum()) for row in batch])
    whole = gradient(body, loss_of(body, objective, batch, share).value)
    pieces = [gradient(body, loss_of(body, objective, batch[i : i + 2], share[i : i + 2]).value) for i in (0, 2, 4)]
    assert float((sum(pieces) - whole).norm() / whole.norm()) < 1e-6


def test_regress_is_the_mean_error_over_targets() -> None:
    body, batch = decoder().double(), rows(2, 3)
    for row in batch:
        row.counted = ~np.isnan(row.target)
    weight, bias = torch.randn(1, 16, dtype=torch.float64), torch.randn(1, dtype=torch.float64)
    reader = Reader(Head("value", link="tanh"), ((weight, bias),))
    padded_rows = padded(batch, shares(Regress(), [1, 1, 1]), CPU)
    hidden = body.hidden(padded_rows.ids, padded_rows.lengths)
    last = [hidden[i, len(row.ids) - 1] for i, row in enumerate(batch)]
    targets = [float(row.target[-1]) for row in batch]
    raw = [float((weight[0] @ state + bias[0]).detach()) for state in last]
    squared = [(math.tanh(z) - y) ** 2 for z, y in zip(raw, targets, strict=True)]
    entropy = [
        -y * math.log(1 / (1 + math.exp(-z))) - (1 - y) * math.log(1 - 1 / (1 + math.exp(-z)))
        for z, y in zip(raw, targets, strict=True)
    ]
    for kind, errors in (("mse", squared), ("bce", entropy)):
        loss = regress(Regress(kind), reader, padded_rows, hidden)  # type: ignore[arg-type]  # a literal in a loop
        assert float(loss.value.detach()) == pytest.approx(sum(errors) / 3, rel=1e-6)


@pytest.mark.parametrize("entropy", [False, True])
def test_chunks_change_neither_the_numbers_nor_the_gradient(entropy: bool) -> None:
    body, batch = decoder().double(), padded(rows(3), [1.0] * 4, CPU)
    found = []
    for chunk in (1, 3 * len(ENCODER), 1 << 24):
        hidden = body.hidden(batch.ids, batch.lengths)
        logprobs, doubt = selected(body, hidden, batch.ids, batch.counted, 0.8, entropy=entropy, chunk=chunk)
        assert (doubt is not None) == entropy
        found.append((logprobs.detach(), gradient(body, logprobs.square().sum())))
    for logprobs, slope in found[1:]:
        torch.testing.assert_close(logprobs, found[0][0])
        torch.testing.assert_close(slope, found[0][1])


def test_masked_tokens_are_never_unembedded() -> None:
    body, batch = decoder(), padded(rows(4), [1.0] * 4, CPU)
    seen = []
    body.lm_head.register_forward_hook(lambda _layer, inputs, _output: seen.append(inputs[0].shape[0]))
    hidden = body.hidden(batch.ids, batch.lengths)
    logprobs, _ = selected(body, hidden, batch.ids, batch.counted)
    assert seen == [int(batch.counted.sum())]
    assert not logprobs[~batch.counted].any()


def test_entropy_of_even_odds_is_the_logarithm_of_their_number() -> None:
    body, batch = decoder(), padded(rows(5), [1.0] * 4, CPU)
    torch.nn.init.zeros_(body.lm_head.weight)
    hidden = body.hidden(batch.ids, batch.lengths)
    _, entropy = selected(body, hidden, batch.ids, batch.counted, entropy=True)
    assert entropy is not None
    torch.testing.assert_close(entropy[batch.counted], torch.full_like(entropy[batch.counted], math.log(len(ENCODER))))


def test_on_policy_the_ratio_is_one_and_the_gradient_is_reinforce() -> None:
    body, batch = decoder().double(), rows(6)
    for row in batch:
        row.sampled[:] = np.nan
        row.leash[:] = 0
    share = shares(PolicyGradient(), [int(row.counted.sum()) for row in batch])
    loss = loss_of(body, PolicyGradient(clip=(0.2, 0.2)), batch, share)
    assert float(loss.sums["ratio"]) == float(loss.sums["counted"])
    reinforce = loss_of(body, Imitate("sequences"), batch, share)
    torch.testing.assert_close(gradient(body, loss.value), gradient(body, reinforce.value))


def test_a_group_without_advantage_teaches_nothing() -> None:
    body, batch = decoder(), rows(7)
    for row in batch:
        row.weight[:] = 0
        row.leash[:] = 0
    share = shares(PolicyGradient(), [int(row.counted.sum()) for row in batch])
    assert not gradient(body, loss_of(body, PolicyGradient(clip=(0.2, 0.2)), batch, share).value).any()


def test_a_preference_worked_by_hand() -> None:
    ids = torch.tensor([[1, 2], [1, 3]])
    counted = torch.tensor([[False, True], [False, True]])
    nothing = torch.zeros(2, 2)
    anchor = torch.tensor([[0.0, -2.0], [0.0, -1.0]])
    pair = Rows(ids, torch.tensor([2, 2]), counted, counted.float(), nothing, nothing, nothing, anchor, nothing)
    # Gains 1 and -1 over the anchor: -log sigmoid(0.5 * 2) = log(1 + 1/e); and 0.1 times the better one's NLL of 1.
    loss = prefer(Prefer(0.5, imitate=0.1), pair, torch.tensor([[0.0, -1.0], [0.0, -2.0]]))
    assert float(loss.value) == pytest.approx(math.log(1 + math.exp(-1)) + 0.1)
    assert float(loss.sums["preferred"]) == 1


def test_a_clipped_token_worked_by_hand() -> None:
    one = torch.tensor([[True, True]])
    weight, nothing = torch.tensor([[1.0, -1.0]]), torch.zeros(1, 2)
    sampled, now = torch.tensor([[-1.0, -1.0]]), torch.tensor([[math.log(1.5) - 1, math.log(0.5) - 1]])
    row = Rows(nothing.long(), torch.tensor([2]), one, one / 2, weight, nothing, sampled, now, nothing)
    loss = policy_gradient(PolicyGradient(clip=(0.2, 0.2)), row, now)
    # Ratios 1.5 with A = 1 and 0.5 with A = -1 are clipped to 1.2 and 0.8: -(1.2 - 0.8) / 2.
    assert float(loss.value) == pytest.approx(-0.2)
    assert int(loss.sums["clip_ratio"]) == 2


NORMALISED: list[Callable[[], Objective]] = [lambda: Imitate("sequences"), lambda: PolicyGradient(per="tokens")]


@pytest.mark.parametrize("make", NORMALISED)
@given(counts=st.lists(st.integers(0, 9), min_size=1, max_size=8))
@settings(max_examples=30)
def test_shares_of_all_counted_tokens_sum_to_one(make: Callable[[], Objective], counts: list[int]) -> None:
    total = sum(share * count for share, count in zip(shares(make(), counts), counts, strict=True))
    assert total == pytest.approx(1.0 if sum(counts) else 0.0)
