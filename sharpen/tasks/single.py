"""The world of tasks that are a question and one reply."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Message, Problem, Scene


@dataclass(frozen=True, slots=True)
class SingleTurn:
    """Shows the problem's chat and is done after one move of at most `max_tokens` tokens."""

    max_tokens: int
    deterministic: bool = True

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise InvalidInput(f"max_tokens must be >= 1, got {self.max_tokens}")

    def open(self, problem: Problem) -> Scene:
        """The problem's chat."""
        return Scene(problem.chat)

    def step_many(self, scenes: Sequence[Scene], actions: Sequence[Message]) -> list[Scene]:
        """Each scene with what was said, done; raises InvalidInput for a scene that was done before."""
        if any(scene.done for scene in scenes):
            raise InvalidInput("expected scenes still open, got one that is done; a question takes one reply")
        return [
            replace(scene, chat=(*scene.chat, action), done=True) for scene, action in zip(scenes, actions, strict=True)
        ]
