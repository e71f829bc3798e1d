"""One more step of many solutions at once: sampled to the end of its line, checked, and read by a critic."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from sharpen.core.errors import InvalidInput
from sharpen.core.ports import Critic, Encoder, Env, Sampler
from sharpen.core.records import Completion, Finish, Piece, Problem, Sampling, Stop
from sharpen.core.tree import Draft, Node, Tree

LINE = "\n"
"""What ends a step, for all searches: a step is a line, or the last words of a turn."""


class Speaker(Protocol):
    """One policy on as many streams as are asked for."""

    def __call__(self, *path: str | int) -> Sampler:
        """The policy on the stream of that name."""
        ...


@dataclass(frozen=True, slots=True)
class Ground:
    """What trees grow on: the policy, the critic, their encoder, and the world of the problems."""

    speak: Speaker
    critic: Critic
    encoder: Encoder
    env: Env

    def on(self, *path: str | int) -> "Ground":
        """The same, the policy on streams of that name."""
        return replace(self, speak=partial(self.speak, *path))

    def rooted(self, problems: Sequence[Problem]) -> list[Tree]:
        """A tree per problem that is a root alone."""
        by = self.speak().weights
        return [Tree(problem, self.env.open(problem).chat, by) for problem in problems]

    def scores(self, drafts: Sequence[Draft]) -> list[float]:
        """What the critic's head says at the last token of each; 0 of one that does not fit into its context."""
        return [reads[-1][0] if reads else 0.0 for reads in self.critic.values([draft.chat for draft in drafts])]

    def closed(self, trees: Sequence[Tree]) -> list[Tree]:
        """The trees, after the world has heard every complete solution; raises InvalidInput where it would go on."""
        drafts = [tree.draft(place) for tree in trees for place in tree.complete]
        opened = [self.env.open(tree.problem) for tree in trees for _ in tree.complete]
        if not all(scene.done for scene in self.env.step_many(opened, [draft.message for draft in drafts])):
            raise InvalidInput(
                "expected problems that are solved in one turn, got one that goes on; choose another task"
            )
        return list(trees)


@dataclass(frozen=True, slots=True)
class Stepping:
    """How a step is drawn: a line, or what the policy says until it ends its turn."""

    temperature: float = 0.8  # ours; the paper's 0.7
    max_tokens: int = 64  # tokens of one step (ours; the paper's 256)
    tries: int = 3  # how often a step is asked for until it is sound, the code's

    def __post_init__(self) -> None:
        if self.tries < 1:
            raise InvalidInput(f"tries must be >= 1, got {self.tries}")
        self.sampling(1)

    def sampling(self, n: int) -> Sampling:
        """How the policy is asked."""
        return Sampling(n, self.temperature, max_tokens=self.max_tokens, stop=(LINE,))


@dataclass(frozen=True, slots=True)
class Step:
    """One more step of a draft, and whether the policy ended its turn with it."""

    piece: Piece
    ends: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """Sound steps to take from one draft, in the order drawn, equals included; and the tokens drawn for them."""

    steps: tuple[Step, ...]
    sampled: int


def proposed(ground: Ground, drafts: Sequence[Draft], n: int, how: Stepping) -> list[Proposal]:
    """Up to `n` steps for each draft; one that is not sound is drawn anew, `how.tries` times in all. What a draft gets
    depends on itself and on the ground's streams alone: ask on another one for other steps."""
    found: list[list[Step]] = [[] for _ in drafts]
    sampled = [0] * len(drafts)
    for trial in range(how.tries):
        policy = ground.speak(trial)
        missing = [n - len(steps) for steps in found]
        for count in sorted(set(missing) - {0}):
            rows = [row for row, wanted in enumerate(missing) if wanted == count]
            said = policy.sample([drafts[row].chat for row in rows], how.sampling(count))
            for row, group in zip(rows, said, strict=True):
                steps = [_sound(ground, drafts[row], completion) for completion in group]
                found[row] += [step for step in steps if step is not None]
                sampled[row] += sum(len(completion.piece.known) for completion in group)
    return [Proposal(tuple(steps), tokens) for steps, tokens in zip(found, sampled, strict=True)]


def _sound(ground: Ground, draft: Draft, completion: Completion) -> Step | None:
    """The step that a completion is. None for one that was cut off or makes the solution too long for the world, that
    is blank (but for the end of a turn in which something was said), or that repeats an earlier one."""
    if completion.finish is not Finish.END:
        return None
    whole = draft.plus(completion.piece)
    if len(whole.tokens) > ground.env.max_tokens:
        return None
    # What was sampled up to a stop string shows none; the tokens do.
    text = ground.encoder.decode(whole.tokens)[len(draft.text) :]
    ends, before = LINE not in text, {line.strip() for line in draft.text.split(LINE)}
    sound = text.strip() not in before if text.strip() else ends and bool(draft.text.strip())
    return Step(replace(completion.piece, text=text), ends) if sound else None


def expanded(ground: Ground, trees: Sequence[Tree], at: Sequence[tuple[int, int]], n: int, how: Stepping) -> list[Tree]:
    """The trees after each (tree, place) of `at` got its children: up to `n` steps, each text once, each read once by
    the critic; nothing can follow where there is no sound step."""
    proposals = proposed(ground, [trees[row].draft(place) for row, place in at], n, how)
    distinct = [list({step.piece.text: step for step in proposal.steps}.values()) for proposal in proposals]
    drafts = [
        trees[row].draft(place).plus(step.piece)
        for (row, place), steps in zip(at, distinct, strict=True)
        for step in steps
    ]
    scores = iter(ground.scores(drafts))
    grown = list(trees)
    for (row, place), steps, proposal in zip(at, distinct, proposals, strict=True):
        nodes = [node_of(step, next(scores)) for step in steps]
        grown[row] = grown[row].grown(place, nodes, proposal.sampled)
    return grown


def node_of(step: Step, score: float) -> Node:
    """A node that nobody has visited yet."""
    return Node(step.piece, score=score, value=score, stop=Stop.DONE if step.ends else None)
