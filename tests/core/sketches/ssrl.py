"""SSRL with a real search tool (arXiv:2508.10874): what the tool says stands in the turn, and is never learned."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sharpen.core.judging import by_problem, judged
from sharpen.core.lessons import Lesson, Term, reinforcement
from sharpen.core.method import Lab, Round
from sharpen.core.objectives import PolicyGradient
from sharpen.core.ports import Encoder, Sampler
from sharpen.core.records import Attempt, Chat, Message, Piece, Problem, Sampling, Turn, Weights
from sharpen.core.training import Training
from sharpen.sample.direct import Direct
from sharpen.select.advantage import group_mean

OPEN, CLOSE = "<search>", "</search>"


@dataclass(frozen=True, slots=True)
class State:
    weights: Weights
    round: int = 0


def searched(
    policy: Sampler, encoder: Encoder, tool: Callable[[str], str], asked: Sequence[tuple[Problem, Chat]], how: Sampling
) -> list[Attempt]:
    """One attempt each: speak up to a query, let the tool speak, go on; at most three searches."""
    said: list[tuple[Piece, ...]] = [()] * len(asked)
    alive = list(range(len(asked)))
    for _ in range(4):
        chats = [(*asked[row][1], *begun(said[row])) for row in alive]
        for row, group in zip(alive, policy.sample(chats, replace(how, n=1, stop=(CLOSE,))), strict=True):
            said[row] += (group[0].piece,)
        alive = [row for row in alive if OPEN in said[row][-1].text]
        for row in alive:
            found = f"<information>{tool(said[row][-1].text.rpartition(OPEN)[2])}</information>"
            said[row] += (Piece(found, encoder.encode((Message("text", found),)), author="world"),)
    return [
        Attempt(problem, (Turn(chat, pieces),), policy.weights)
        for (problem, chat), pieces in zip(asked, said, strict=True)
    ]


def begun(pieces: Sequence[Piece]) -> tuple[Message, ...]:
    if not pieces:
        return ()
    tokens = sum((piece.known for piece in pieces[1:]), pieces[0].known)
    return (Message("assistant", "".join(piece.text for piece in pieces), tokens),)


def run(lab: Lab, tool: Callable[[str], str], how: Sampling, training: Training) -> Iterator[Round]:
    state = State(lab.model.base)
    while True:
        problems = lab.rng("draw", state.round).sample(lab.train, 32)
        asked = [(p, lab.env.open(p).chat) for p in problems for _ in range(how.n)]
        attempts = searched(lab.at(state.weights, state.round), lab.model.encoder, tool, asked, how)
        lessons: list[Lesson] = []
        for group in by_problem(judged(attempts, lab.oracle.judge)).values():
            for mark, advantage in zip(group, group_mean([m.verdict.score for m in group]), strict=True):
                lessons += reinforcement(mark.attempt, advantage, leash=0.001)
        objective = PolicyGradient(clip=(0.2, 0.2), per="tokens", kl="k3")
        learned = lab.model.learn(state.weights, [Term(objective, lessons, anchor=lab.model.base)], training)
        state = State(learned.weights, state.round + 1)
        yield Round(state, Direct(state.weights), {})
