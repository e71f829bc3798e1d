"""ReVISE, stage 2 (arXiv:2502.14565): masked imitation plus lambda times DPO; the wrong first try is context only."""

from collections.abc import Iterator
from dataclasses import dataclass

from sharpen.core.judging import judged
from sharpen.core.lessons import Lesson, Part, Term
from sharpen.core.method import Lab, Round
from sharpen.core.objectives import Imitate, Prefer
from sharpen.core.records import Judged, Sampling, Weights
from sharpen.core.training import Training
from sharpen.sample.direct import Direct
from sharpen.sample.rollout import rollout

REFINE = "[refine]"


@dataclass(frozen=True, slots=True)
class State:
    weights: Weights


def run(lab: Lab, how: Sampling, share: float, training: Training, start: Weights) -> Iterator[Round]:
    marks = judged(rollout(lab.at(start, "solve"), lab.env, lab.train, how), lab.oracle.judge)
    pairs = [pair for group, mark in enumerate(marks) for pair in chosen_and_rejected(lab, mark, group)]
    chosen = pairs[::2]
    terms = [Term(Imitate(per="tokens"), chosen), Term(Prefer(beta=0.1), pairs, share, anchor=start)]
    state = State(lab.model.learn(start, terms, training).weights)
    yield Round(state, Direct(state.weights), {})


def chosen_and_rejected(lab: Lab, mark: Judged, group: int) -> tuple[Lesson, Lesson]:
    turn = mark.attempt.turns[0]
    own = turn.tokens
    refine = lab.model.encoder.reply(REFINE)
    if mark.verdict.right:
        better: tuple[Part, ...] = (Part(turn.seen), Part(own, weight=1.0))
        worse: tuple[Part, ...] = (Part(turn.seen), Part(own), Part(refine, weight=1.0))
    else:
        gold = "\n".join(lab.oracle.reveal(mark.attempt.problem).steps)
        better = (Part(turn.seen), Part(own), Part(refine[:-1], weight=1.0), Part(gold, weight=1.0))
        worse = (Part(turn.seen), Part(own[:-1]), Part(own[-1:], weight=1.0))
    return Lesson(better, group), Lesson(worse, group)
