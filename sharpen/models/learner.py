"""How a body learns: lessons to new tensors by AdamW, billed before the work, and the start left as it was."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sharpen.core.budget import Charge, Spend
from sharpen.core.errors import InvalidInput
from sharpen.core.lessons import Term
from sharpen.core.objectives import PolicyGradient, Prefer, Regress
from sharpen.core.ports import Encoder
from sharpen.core.records import Weights
from sharpen.core.streams import Stream, stream_key
from sharpen.core.training import Training
from sharpen.models.batches import Lecture, deals, heads_of, lecture
from sharpen.models.body import Body
from sharpen.models.course import Course, Tally
from sharpen.models.memory import available, fitting
from sharpen.models.optimiser import Optimiser, rate
from sharpen.models.references import References
from sharpen.models.store import Fetch, Stored
from sharpen.models.threads import hands_of
from sharpen.models.trainee import seated, trained_size


@dataclass
class Learner:
    """Teaches one body; the same start, lessons, settings and stream give the same bits."""

    body: Body
    encoder: Encoder
    fetch: Fetch
    charge: Charge
    stream: Stream = ()
    free: Callable[[torch.device], int] = available

    def learn(self, start: Weights, terms: Sequence[Term], how: Training) -> tuple[Stored, Spend, Mapping[str, float]]:
        """The bytes learned, what they cost, and metrics; without lessons that fit the context, the start's own bytes.

        Raises InvalidInput, ForeignTokens, LacksNeed and WontFit before anything is billed.
        """
        encoded = [lecture(term, self.encoder, self.body.context) for term in terms if term.lessons]
        lectures = [one for one, _ in encoded if one.size]
        told = {"too_long": float(sum(left_out for _, left_out in encoded))}
        stored = self.fetch(start)
        if not lectures:
            return stored, Spend(), told | {"steps": 0.0, "lessons": 0.0, "tokens": 0.0}
        for one in lectures:
            _check(one, start, stored)
        moments = _inherited(start, stored, how)
        room = self._room(lectures, how)
        dealt = deals(lectures, how, self.stream)
        hands = hands_of(self.body)
        spend = References(self.body, self.fetch, self.charge, room, hands).fill(start, lectures, dealt)

        heads = heads_of(one.term for one in lectures)
        trainee = seated(self.body, self.fetch, start, how, heads, stream_key(*self.stream, "adapter"))
        optimiser = Optimiser(trainee.trained, how, moments)
        course, tally = Course(self.body, self.charge, lectures, trainee, optimiser, room, hands), Tally()
        for number, deal in enumerate(dealt):
            spend += course.step(deal, rate(how, self.body.width, number, len(dealt)), tally)
        optimiser.clear()
        learned = trainee.stored(None if how.inherit == "nothing" else optimiser.moments(), stored.step + len(dealt))
        return learned, spend, tally.metrics() | told | {"tokens": float(spend.learned)}

    def _room(self, lectures: Sequence[Lecture], how: Training) -> int:
        widest = [2 if isinstance(one.term.objective, Prefer) else 1 for one in lectures]
        longest = max(
            width * len(one.rows[i].ids)
            for one, width in zip(lectures, widest, strict=True)
            for group in one.groups
            for i in group
        )
        device = next(self.body.module.parameters()).device
        return fitting(self.body, trained_size(self.body, how), longest, self.free(device))


def _check(lecture: Lecture, start: Weights, stored: Stored) -> None:
    objective, anchor = lecture.term.objective, lecture.term.anchor
    if anchor is not None and anchor.body != start.body:
        raise InvalidInput(f"expected an anchor of body {start.body}, got one of {anchor.body}; use this model's")
    if isinstance(objective, Prefer) and anchor is None:
        raise InvalidInput("Prefer needs its term's anchor, got None; give the weights it starts from, or the base")
    if isinstance(objective, PolicyGradient) and anchor is None and _leashed(lecture):
        raise InvalidInput("a leash pulls towards its term's anchor, got None; give the term an anchor")
    if isinstance(objective, Regress):
        if objective.head not in stored.heads:
            raise InvalidInput(
                f"expected weights with a head {objective.head!r}, got heads {sorted(stored.heads)}; "
                f"make one first with model.head(weights, Head({objective.head!r}))"
            )
        if stored.heads[objective.head].outputs != 1:
            raise InvalidInput(
                f"Regress needs a head of one output, got {stored.heads[objective.head].outputs} outputs of head "
                f"{objective.head!r}; make one with outputs=1"
            )


def _leashed(lecture: Lecture) -> bool:
    return any(bool(lecture.rows[i].leash.any()) for group in lecture.groups for i in group)


def _inherited(start: Weights, stored: Stored, how: Training) -> Mapping[str, Tensor] | None:
    """The optimiser's state to go on with; a start that never learned has none, and begins afresh."""
    if how.inherit != "moments":
        return None
    if stored.moments is None and stored.step:
        raise InvalidInput(
            f"expected the optimiser's moments with weights {start.id}, got none; "
            "let them be learned with training.inherit = 'moments' (or 'afresh') too"
        )
    return stored.moments
