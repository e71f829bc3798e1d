"""Two tries: the world that asks for a second one whatever the first was, and the solver that takes both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sharpen.core.errors import InvalidInput
from sharpen.core.method import Seat
from sharpen.core.ports import Env
from sharpen.core.records import Attempt, Chat, Message, Problem, Sampling, Scene, Weights, user
from sharpen.core.speech import SURE
from sharpen.sample.direct import GREEDY
from sharpen.sample.rollout import rollout


@dataclass(frozen=True, slots=True)
class Retry:
    """Another world twice: when its problem is done it is opened anew, behind all that was seen and said and the words
    of `request`. No verdict is consulted, so the second try is asked for whether the first was right or wrong.

    The first try is trial 0, the second trial 1. The opening of the problem is not shown again.
    """

    inner: Env
    request: str = SURE

    @property
    def deterministic(self) -> bool:
        """As the world inside."""
        return self.inner.deterministic

    @property
    def max_tokens(self) -> int:
        """The longest move, in tokens: the inside world's, for each try."""
        return self.inner.max_tokens

    def open(self, problem: Problem) -> Scene:
        """The first scene of the first try."""
        scene = self.inner.open(problem)
        return replace(scene, world=_Trying(problem, scene, (), 0), trial=0)

    def step_many(self, scenes: Sequence[Scene], actions: Sequence[Message]) -> list[Scene]:
        """The scenes after each action; one step of the world inside for each."""
        trying = [_trying(scene) for scene in scenes]
        stepped = self.inner.step_many([one.scene for one in trying], actions)
        return [self._after(scene.trial, one, now) for scene, one, now in zip(scenes, trying, stepped, strict=True)]

    def _after(self, trial: int, trying: "_Trying", now: Scene) -> Scene:
        chat = (*trying.before, *now.chat[trying.hidden :])
        if now.done and trial == 0:
            before = (*chat, user(self.request))
            again = self.inner.open(trying.problem)
            return Scene(before, world=_Trying(trying.problem, again, before, len(again.chat)), trial=1)
        return Scene(chat, now.done, replace(trying, scene=now), trial)


@dataclass(frozen=True, slots=True)
class _Trying:
    """Where a try stands: the scene of the world inside, what was seen before the try, and how many messages of the
    inside scene's beginning are not shown again."""

    problem: Problem
    scene: Scene
    before: Chat
    hidden: int


def _trying(scene: Scene) -> _Trying:
    if not isinstance(scene.world, _Trying):
        raise InvalidInput("expected a scene that Retry opened, got another; open the problem in this world first")
    return scene.world


@dataclass(frozen=True, slots=True)
class Twice:
    """Two tries per problem, the last of which is the answer; greedy unless told otherwise. Both are paid for. The
    first stands where it leaves no room for another in the model's context."""

    weights: Weights
    request: str = SURE
    how: Sampling = GREEDY

    def answer(self, seat: Seat, problems: Sequence[Problem]) -> list[Attempt]:
        """One attempt of two tries per problem, in order."""
        return rollout(seat.at(self.weights, "answer"), Retry(seat.env, self.request), problems, self.how.times(1))
