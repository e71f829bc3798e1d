"""Behaviours in attempts: a strategist reflects on each attempt and names what can be used again (arXiv:2509.13237)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sharpen.core.judging import plain_answer
from sharpen.core.phrases import Phrases
from sharpen.core.ports import Recall, Sampler
from sharpen.core.records import Attempt, Behaviour, Chat, Message, Problem, Sampling, user

_LONG_NUMBER = re.compile(r"\d{2,}")


def unknown(problem: Problem) -> tuple[Behaviour, ...]:
    """No behaviour is known yet."""
    return ()


def found(
    strategist: Sampler, attempts: Sequence[Attempt], phrases: Phrases, how: Sampling, known: Recall = unknown
) -> list[list[Behaviour]]:
    """[attempt] the behaviours that the strategist finds in each, counted once in the family of its problem; no label
    is asked for. It reflects first, where the phrases say so, and is told which ones are known for the problem."""
    asked = [(_question(attempt), _solution(attempt), known(attempt.problem)) for attempt in attempts]
    reflections = [""] * len(attempts)
    if phrases.reflect:
        reflections = _replies(strategist, [phrases.reflecting(*each) for each in asked], how)
    chats = [phrases.extracting(q, s, reflection) for (q, s, _), reflection in zip(asked, reflections, strict=True)]
    return [
        [replace(one, found={attempt.problem.family: 1}) for one in phrases.read(reply)]
        for attempt, reply in zip(attempts, _replies(strategist, chats, how), strict=True)
    ]


def general(behaviours: Sequence[Behaviour], attempt: Attempt) -> list[Behaviour]:
    """Those that give nothing of the attempt away: neither its answer, as a whole word, nor a number of two or more
    digits that stands in its question or solution."""
    answer = plain_answer(attempt.text)
    numbers = set(_LONG_NUMBER.findall(f"{_question(attempt)}\n{_solution(attempt)}"))
    texts = [f"{one.name.replace('_', ' ')} {one.instruction}" for one in behaviours]
    return [one for one, text in zip(behaviours, texts, strict=True) if not _tells(text, answer, numbers)]


@dataclass(frozen=True, slots=True)
class Guided:
    """Asks the question of an attempt again with the behaviours that its own policy finds in it, at most `most`; the
    attempt itself is not shown."""

    phrases: Phrases
    how: Sampling
    most: int

    def __call__(self, policy: Sampler, attempts: Sequence[Attempt]) -> list[Chat]:
        """What is to be seen at first, in the order of the attempts."""
        named = found(policy, attempts, self.phrases, self.how)
        return [
            self.phrases.using(attempt.turns[0].seen, general(behaviours, attempt)[: self.most])
            for attempt, behaviours in zip(attempts, named, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Revised:
    """Shows an attempt and asks to look it over: critique and revise."""

    request: str

    def __call__(self, policy: Sampler, attempts: Sequence[Attempt]) -> list[Chat]:
        """What is to be seen at first, in the order of the attempts."""
        return [
            (*attempt.turns[0].seen, Message("assistant", _solution(attempt)), user(self.request))
            for attempt in attempts
        ]


def _replies(strategist: Sampler, chats: Sequence[Chat], how: Sampling) -> list[str]:
    return [group[0].text for group in strategist.sample(chats, how.times(1))]


def _question(attempt: Attempt) -> str:
    return "\n".join(message.text for message in attempt.problem.chat if message.role in ("user", "text"))


def _solution(attempt: Attempt) -> str:
    return "\n".join(turn.text for turn in attempt.turns)


def _tells(text: str, answer: str | None, numbers: set[str]) -> bool:
    told = answer and re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", text)
    return bool(told) or not numbers.isdisjoint(_LONG_NUMBER.findall(text))
