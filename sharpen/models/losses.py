"""One function per objective on tensors [B, T], all over one path that unembeds counted tokens only, a chunk at a time.

Each loss is a sum over tokens (or pairs, or targets), every one times its `share`: one over the normaliser of the WHOLE
optimiser batch. Losses of micro-batches therefore add up to the loss of the batch, and their gradients to its gradient.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from sharpen.core.objectives import Imitate, PolicyGradient, Prefer, Regress
from sharpen.models.body import Body
from sharpen.models.heads import Reader

CHUNK = 1 << 24
"""Logits held at once: 64 MiB of float32."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Sequences padded on the right, [B, T] but for lengths int64[B]. A token's numbers stand at its own place.

    counted: the objective counts this token (never the first of a row, which nothing predicts); share: its part of the
    sum; weight, leash: as in a lesson's part; sampled: the ratio's denominator; anchor: the reference (both in nats,
    NaN where they are the current ones); target: what the head is asked to give here.
    """

    ids: Tensor
    lengths: Tensor
    counted: Tensor
    share: Tensor
    weight: Tensor
    leash: Tensor
    sampled: Tensor
    anchor: Tensor
    target: Tensor


@dataclass(frozen=True, eq=False)
class Loss:
    """A loss to be differentiated, and sums over counted tokens (or pairs, or targets) that metrics are made of."""

    value: Tensor
    sums: Mapping[str, Tensor]


def selected(
    body: Body,
    hidden: Tensor,
    ids: Tensor,
    mask: Tensor,
    temperature: float = 1.0,
    *,
    entropy: bool = False,
    chunk: int = CHUNK,
) -> tuple[Tensor, Tensor | None]:
    """Log-probabilities [B, T] in nats of the tokens where mask bool[B, T] is set, 0 elsewhere; and their entropies.

    Logits are divided by the temperature. Only the hidden states [B, T, D] that predict a masked token are unembedded,
    at most `chunk` logits at a time; where that takes several chunks, each is computed anew in the backward pass, so
    that one chunk of logits is all that is ever held. No gradient flows through entropies.
    """
    wanted = mask[:, 1:]
    said, doubts = spoken(body, hidden[:, :-1][wanted], ids[:, 1:][wanted], temperature, entropy=entropy, chunk=chunk)
    return _scattered(said, mask), None if doubts is None else _scattered(doubts, mask)


def spoken(
    body: Body, states: Tensor, targets: Tensor, temperature: float = 1.0, *, entropy: bool = False, chunk: int = CHUNK
) -> tuple[Tensor, Tensor | None]:
    """Log-probabilities [N] in nats of tokens int64[N] behind states [N, D], a chunk of logits at a time, and the
    entropies there."""
    rows = max(1, chunk // body.vocabulary)

    def read(part: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        log = functional.log_softmax(body.unembed(part) / temperature if temperature != 1.0 else body.unembed(part), -1)
        with torch.no_grad():
            doubt = -(log.exp() * log).nan_to_num(0.0).sum(-1) if entropy else log.new_zeros(len(part))
        return log.gather(-1, target[:, None]).squeeze(-1), doubt

    if len(states) <= rows:
        said, doubts = read(states, targets)
    else:
        parts = [
            checkpoint(read, part, target, use_reentrant=False, preserve_rng_state=False)
            for part, target in zip(torch.split(states, rows), torch.split(targets, rows), strict=True)
        ]
        said, doubts = torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])
    return said, doubts if entropy else None


def _scattered(values: Tensor, mask: Tensor) -> Tensor:
    full = torch.zeros(mask.shape, dtype=values.dtype, device=values.device)
    return full.masked_scatter(mask, values)


def imitate(rows: Rows, logprobs: Tensor) -> Loss:
    """-sum share * w * log pi."""
    return Loss(-(rows.share * rows.weight * logprobs).sum(), {})


def prefer(objective: Prefer, rows: Rows, logprobs: Tensor) -> Loss:
    """DPO over consecutive rows, the better first, plus `imitate` * the better one's mean NLL (arXiv:2404.19733)."""
    said = (logprobs * rows.counted).sum(1)
    anchor = (_known(rows.anchor, logprobs) * rows.counted).sum(1)
    gain = said - anchor
    margin = objective.beta * (gain[0::2] - gain[1::2])
    loss = -functional.logsigmoid(margin)
    if objective.imitate:
        loss = loss - objective.imitate * said[0::2] / rows.counted[0::2].sum(1).clamp(min=1)
    share = rows.share.amax(1).view(-1, 2).amax(1)
    right = (margin > 0).float() + 0.5 * (margin == 0).float()
    sums = {"margin": margin.detach().sum(), "preferred": right.sum(), "pairs": share.new_tensor(float(len(margin)))}
    return Loss((share * loss).sum(), sums)


def policy_gradient(objective: PolicyGradient, rows: Rows, logprobs: Tensor, entropy: Tensor | None = None) -> Loss:
    """Clipped or unclipped policy gradient, plus the leashed divergence from the anchor, by the same shares."""
    counted = rows.counted
    change = torch.where(counted, logprobs - _known(rows.sampled, logprobs), 0.0)
    if objective.ratio == "sequence":
        change = change.sum(1, keepdim=True).expand_as(change)
    ratio = change.exp()
    gain = ratio * rows.weight
    cut = torch.zeros_like(counted)
    if objective.clip is not None:
        low, high = objective.clip
        bounded = ratio.clamp(1 - low, 1 + high) * rows.weight
        cut = counted & (bounded < gain.detach())
        gain = torch.minimum(gain, bounded)
    away = torch.where(counted, _known(rows.anchor, logprobs) - logprobs, 0.0)
    divergence = away.square() / 2 if objective.kl == "k2" else torch.expm1(away) - away
    loss = (rows.share * (rows.leash * divergence - gain))[counted].sum()
    sums = {
        "clip_ratio": cut.sum(),
        "kl": (divergence * (rows.leash != 0)).detach().sum(),
        "leashed": ((rows.leash != 0) & counted).sum(),
        "ratio": (ratio * counted).detach().sum(),
        "counted": counted.sum(),
    }
    if entropy is not None:
        sums["entropy"] = entropy.sum()
    return Loss(loss, sums)


def regress(objective: Regress, reader: Reader, rows: Rows, hidden: Tensor) -> Loss:
    """A head's squared error (after its link) or binary cross-entropy (before it) at every target."""
    here = rows.counted
    target, share = rows.target[here], rows.share[here]
    if objective.kind == "mse":
        error = (reader(hidden[here]).squeeze(-1) - target).square()
    else:
        error = functional.binary_cross_entropy_with_logits(
            reader.raw(hidden[here]).squeeze(-1), target, reduction="none"
        )
    return Loss((share * error).sum(), {})


def _known(reference: Tensor, current: Tensor) -> Tensor:
    """The reference, and the current log-probabilities without gradient where it is NaN."""
    return torch.where(reference.isnan(), current.detach(), reference)


def shares(objective: Imitate | Prefer | PolicyGradient | Regress, counts: list[int]) -> list[float]:
    """[lesson] the share of each counted token, one over the normaliser, from the counted tokens of every lesson of the
    optimiser batch. Lessons without a counted token do not count. Prefer's is each pair's; Regress's each target's."""
    total, lessons = sum(counts), sum(1 for count in counts if count)
    if not total:
        return [0.0] * len(counts)
    if isinstance(objective, Prefer):
        return [2 / len(counts)] * len(counts)
    if isinstance(objective, Regress) or objective.per == "tokens":
        return [1 / total] * len(counts)
    if objective.per == "constant":
        return [1 / (objective.length * lessons)] * len(counts)
    return [1 / (lessons * count) if count else 0.0 for count in counts]
