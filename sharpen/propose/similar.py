"""New problems like a given one: in a model's words, or, to see what likeness is worth, any others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sharpen.core.ports import Sampler
from sharpen.core.records import Finish, Problem, Sampling
from sharpen.core.speech import more_like
from sharpen.core.streams import Rng, stream_key


@dataclass(frozen=True, slots=True)
class Similar:
    """Asks for one more problem like it. What is written takes the place of the question; the messages before it
    (system, tools) and the notes stay, and the id follows from the words, so that no oracle knows the problem."""

    how: Sampling = Sampling(temperature=0.8, top_p=0.95, max_tokens=256)

    def __call__(
        self, policy: Sampler, problems: Sequence[Problem], n: int, rng: Callable[[str], Rng]
    ) -> list[list[Problem]]:
        """[problem][at most n] distinct problems; what is empty, was cut off or repeats the given one is left out. Only
        the policy draws."""
        chats = [more_like([problem.chat[-1].text]) for problem in problems]
        asked = list(dict.fromkeys(chats))
        how = replace(self.how, n=n, stop=(*self.how.stop, "\nTask:"))
        replies = dict(zip(asked, policy.sample(asked, how), strict=True))
        return [
            _fresh(problem, [said.text for said in replies[chat] if said.finish is Finish.END])
            for problem, chat in zip(problems, chats, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Takes them at random from a pool of given problems, whatever they ask."""

    pool: tuple[Problem, ...]

    def __call__(
        self, policy: Sampler, problems: Sequence[Problem], n: int, rng: Callable[[str], Rng]
    ) -> list[list[Problem]]:
        """[problem][at most n] problems of the pool, the given one left out, from the stream of the problem's id."""
        return [self._others(problem, n, rng(problem.id)) for problem in problems]

    def _others(self, problem: Problem, n: int, rng: Rng) -> list[Problem]:
        others = [other for other in self.pool if other.chat != problem.chat]
        return rng.sample(others, min(n, len(others)))


def _fresh(problem: Problem, texts: Sequence[str]) -> list[Problem]:
    *before, last = problem.chat
    written = dict.fromkeys(text.strip().removeprefix("Task:").strip() for text in texts)
    new = [text for text in written if text and text.split() != last.text.split()]
    chats = [(*before, replace(last, text=text, tokens=None)) for text in new]
    return [
        replace(problem, id=f"similar-{stream_key(*(part for m in chat for part in (m.role, m.text))):016x}", chat=chat)
        for chat in chats
    ]
