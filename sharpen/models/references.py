"""Log-probabilities of lessons under frozen weights: the ratio's denominator and the anchor's, once before learning."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from sharpen.core.budget import Charge, Spend
from sharpen.core.objectives import PolicyGradient, Prefer
from sharpen.core.records import Weights
from sharpen.core.tokens import Floats
from sharpen.models.batches import Deal, Lecture, Row, micro_batches, padded, temperature_of, tokens_and_context
from sharpen.models.body import Body
from sharpen.models.losses import selected
from sharpen.models.mount import mount
from sharpen.models.store import Fetch
from sharpen.models.threads import Hands


@dataclass(frozen=True)
class References:
    """Fills in what the rows of lectures lack. Where the start is asked for and there is one step only, nothing is
    read: the start's numbers are then the current ones, which is what NaN means."""

    body: Body
    fetch: Fetch
    charge: Charge
    room: int
    hands: Hands

    def fill(self, start: Weights, lectures: Sequence[Lecture], dealt: Sequence[Deal]) -> Spend:
        """Reads every dealt lesson that needs it, once for each of the weights it needs; returns the work."""
        spend = Spend()
        for number, lecture in enumerate(lectures):
            used = sorted({index for deal in dealt for index in deal[number]})
            asked = _asked(lecture, used, start)
            for weights, indices in asked.items():
                if weights == start and len(dealt) == 1:
                    continue
                spend += self._read(weights, lecture, indices, start)
        return spend

    def _read(self, weights: Weights, lecture: Lecture, indices: Sequence[int], start: Weights) -> Spend:
        spend = Spend()
        mount(self.body, self.fetch(weights), self.fetch)
        batches = [[lecture.rows[i] for i in batch] for batch in micro_batches(lecture, indices, self.room)]
        for chosen in batches:
            tokens, context = tokens_and_context(chosen)
            logits = sum(int(row.counted.sum()) for row in chosen)
            work = Spend(read=tokens, flops=self.body.flops(tokens, context, logits))
            self.charge(work, work)
            spend += work
        temperature = temperature_of(lecture.term.objective)
        for chosen, known in zip(batches, self.hands(partial(self._heard, temperature), batches), strict=True):
            for row, values in zip(chosen, known, strict=True):
                said: Floats = values[: len(row.ids)]
                if weights == lecture.term.anchor:
                    row.anchor = np.where(row.counted, said, np.nan).astype(np.float32)
                if weights == start:
                    row.sampled = np.where(row.counted & np.isnan(row.sampled), said, row.sampled).astype(np.float32)
        return spend

    def _heard(self, temperature: float, chosen: Sequence[Row]) -> Floats:
        rows = padded(chosen, [0.0] * len(chosen), next(self.body.module.parameters()).device)
        with torch.no_grad():
            hidden = self.body.hidden(rows.ids, rows.lengths)
            known, _ = selected(self.body, hidden, rows.ids, rows.counted, temperature)
        heard: Floats = known.cpu().numpy()
        return heard


def _asked(lecture: Lecture, used: Iterable[int], start: Weights) -> dict[Weights, list[int]]:
    """Whose log-probabilities are needed of which lessons."""
    objective, anchor = lecture.term.objective, lecture.term.anchor
    asked: dict[Weights, list[int]] = {}
    for index in used:
        row = lecture.rows[index]
        gradient = isinstance(objective, PolicyGradient)
        whose = [start] if gradient and bool(np.isnan(row.sampled[row.counted]).any()) else []
        pulled = gradient and bool((row.leash[row.counted] != 0).any())
        if anchor is not None and (isinstance(objective, Prefer) or pulled):
            whose.append(anchor)
        for weights in dict.fromkeys(whose):
            asked.setdefault(weights, []).append(index)
    return asked
