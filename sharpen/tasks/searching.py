"""A world in which facts may be searched: a move that ends in a search is answered, any other is the last."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sharpen.core.errors import InvalidInput
from sharpen.core.judging import MARK
from sharpen.core.records import Message, Problem, Scene

SEARCHES = 8  # a scene answers no more
SEARCH = "Search:"


@dataclass(frozen=True, slots=True)
class Searching:
    """A world that answers a move which ends in a line such as `Search: boss of Ada` with what `find` finds, up to
    `SEARCHES` times, and is done after any other move, or one that has an answer. A move has at most `max_tokens`
    tokens."""

    max_tokens: int
    find: Callable[[str], str]
    deterministic: bool = True

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise InvalidInput(f"max_tokens must be >= 1, got {self.max_tokens}")

    def open(self, problem: Problem) -> Scene:
        """The problem's chat; its world counts the searches made."""
        return Scene(problem.chat, world=0)

    def step_many(self, scenes: Sequence[Scene], actions: Sequence[Message]) -> list[Scene]:
        """Each scene with what was said and what was found; raises InvalidInput for a scene that was done before."""
        if any(scene.done for scene in scenes):
            raise InvalidInput("expected scenes still open, got one that is done; it ended with its answer")
        return list(self._steps(scenes, actions))

    def _steps(self, scenes: Sequence[Scene], actions: Sequence[Message]) -> Iterator[Scene]:
        for scene, action in zip(scenes, actions, strict=True):
            asked, made = _query(action.text), scene.world if isinstance(scene.world, int) else 0
            chat = (*scene.chat, action)
            if asked is None or made >= SEARCHES:
                yield replace(scene, chat=chat, done=True)
            else:
                yield Scene((*chat, Message("tool", self.find(asked))), world=made + 1)


def _query(text: str) -> str | None:
    """What a move searches for; None where it does not end in a search, or has an answer."""
    last = text.rstrip().rpartition("\n")[2].strip()
    return last.removeprefix(SEARCH) if last.startswith(SEARCH) and MARK not in text else None
