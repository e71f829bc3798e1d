"""One optimiser step after another, billed before the work: gradients of micro-batches that add up."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from sharpen.core.budget import Charge, Spend
from sharpen.core.errors import WontFit
from sharpen.core.lessons import Term
from sharpen.core.objectives import Imitate, PolicyGradient, Prefer, Regress
from sharpen.models.batches import Deal, Lecture, Row, micro_batches, padded, temperature_of, tokens_and_context
from sharpen.models.body import Body
from sharpen.models.losses import Loss, Rows, imitate, policy_gradient, prefer, regress, selected, shares
from sharpen.models.optimiser import Optimiser
from sharpen.models.threads import Hands
from sharpen.models.trainee import Trainee

BACKWARD = 3
"""A forward and a backward pass cost three forward passes."""


@dataclass
class Tally:
    """Sums over steps that metrics are made of."""

    sums: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, **sums: float) -> None:
        """Adds to the sums of those names."""
        for name, value in sums.items():
            self.sums[name] += value

    def metrics(self) -> dict[str, float]:
        """Means per step (loss, grad_norm), per counted token (kl, entropy, ratio, clip_ratio), per pair (margin,
        preferred), and counts (steps, lessons, skipped)."""
        per = {"loss": "steps", "grad_norm": "norms", "kl": "leashed", "margin": "pairs", "preferred": "pairs"}
        per |= dict.fromkeys(("entropy", "ratio", "clip_ratio"), "counted")
        known = self.sums
        means = {name: known[name] / known[count] for name, count in per.items() if name in known and known[count]}
        return means | {name: known[name] for name in ("steps", "lessons", "skipped")}


@dataclass
class Course:
    """Takes steps on what is seated in the body. `room` is the padded tokens of a piece (a micro-batch); it shrinks
    where memory ends."""

    body: Body
    charge: Charge
    lectures: Sequence[Lecture]
    trainee: Trainee
    optimiser: Optimiser
    room: int
    hands: Hands

    def step(self, deal: Deal, at: float, tally: Tally) -> Spend:
        """One optimiser step at that learning rate, on the lessons dealt; returns its work."""
        work = self._work(deal)
        self.charge(work, work)
        while (sums := self._gradients(deal)) is None:
            # The same step in smaller pieces: no new work, but paid for again.
            self.charge(Spend(), work)
        norm = self.optimiser.step(at)
        tally.add(**sums, steps=1, lessons=sum(map(len, deal)))
        finite = norm - norm == 0
        tally.add(**({"grad_norm": norm, "norms": 1} if finite else {"skipped": 1}))
        return work

    def _work(self, deal: Deal) -> Spend:
        chosen = [(one, one.rows[i]) for one, dealt in zip(self.lectures, deal, strict=True) for i in dealt]
        tokens, context = tokens_and_context(row for _, row in chosen)
        logits = sum(int(row.counted.sum()) for one, row in chosen if not isinstance(one.term.objective, Regress))
        return Spend(learned=tokens, flops=BACKWARD * self.body.flops(tokens, context, logits))

    def _gradients(self, deal: Deal) -> dict[str, float] | None:
        """The gradients of the whole step and its sums; None where memory ended and the room was halved."""
        try:
            return self._added_up(deal)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            longest = max(len(one.rows[i].ids) for one, dealt in zip(self.lectures, deal, strict=True) for i in dealt)
            if self.room <= longest:
                raise WontFit(
                    f"expected one lesson of {longest} tokens to fit into memory, got: {error}; set training.adapter, "
                    "leave out the longest lessons or take a smaller model"
                ) from error
            self.room //= 2
            return None

    def _added_up(self, deal: Deal) -> dict[str, float]:
        """Pieces side by side, their gradients added in the order of the pieces."""
        self.optimiser.clear()
        total: defaultdict[str, float] = defaultdict(float)
        tensors = list(self.trainee.trained.values())
        for sums, gradients in self.hands(partial(self._piece, tensors), self._pieces(deal)):
            for tensor, gradient in zip(tensors, gradients, strict=False):
                if gradient is not None:
                    tensor.grad = gradient if tensor.grad is None else tensor.grad.add_(gradient)
            for name, summed in sums.items():
                total[name] += summed
        return dict(total)

    def _pieces(self, deal: Deal) -> Iterator[tuple[Term, list[Row], list[float]]]:
        for lecture, dealt in zip(self.lectures, deal, strict=True):
            counts = [int(lecture.rows[i].counted.sum()) for i in dealt]
            share = dict(zip(dealt, shares(lecture.term.objective, counts), strict=True))
            for batch in micro_batches(lecture, dealt, self.room):
                yield lecture.term, [lecture.rows[i] for i in batch], [share[i] for i in batch]

    def _piece(
        self, tensors: Sequence[Tensor], piece: tuple[Term, list[Row], list[float]]
    ) -> tuple[dict[str, float], tuple[Tensor | None, ...]]:
        """The sums of a piece, and its gradients; none where there is one hand, which adds them up in place."""
        term, rows, share = piece
        loss = self._loss(term.objective, padded(rows, share, self._device))
        value = term.coefficient * loss.value
        gradients: tuple[Tensor | None, ...] = ()
        if self.hands.count == 1:
            value.backward()  # type: ignore[no-untyped-call]  # torch does not annotate it
        else:
            gradients = torch.autograd.grad(value, tensors, allow_unused=True)
        return {"loss": float(value.detach())} | {name: float(summed) for name, summed in loss.sums.items()}, gradients

    def _loss(self, objective: Imitate | Prefer | PolicyGradient | Regress, rows: Rows) -> Loss:
        hidden = self.body.hidden(rows.ids, rows.lengths)
        if isinstance(objective, Regress):
            return regress(objective, self.trainee.reader(objective.head), rows, hidden)
        doubting = isinstance(objective, PolicyGradient)
        logprobs, entropy = selected(
            self.body, hidden, rows.ids, rows.counted, temperature_of(objective), entropy=doubting
        )
        if isinstance(objective, Imitate):
            return imitate(rows, logprobs)
        if isinstance(objective, Prefer):
            return prefer(objective, rows, logprobs)
        return policy_gradient(objective, rows, logprobs, entropy)

    @property
    def _device(self) -> torch.device:
        return next(self.body.module.parameters()).device


def out_of_memory(error: RuntimeError | MemoryError) -> bool:
    """Whether this error says that memory ended, on a device or on the host."""
    words = str(error).lower()
    told = "out of memory" in words or "not enough memory" in words or "allocate memory" in words
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or told
