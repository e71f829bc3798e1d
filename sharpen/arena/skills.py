"""What a model can do with words beyond answering: each skill of speech beside what chance, or its absence, gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sharpen.arena.statistics import paired
from sharpen.arena.trials import Trial
from sharpen.arena.trials_of_solutions import SOLVING
from sharpen.arena.trials_of_words import SPEAKING
from sharpen.core.ports import Policy
from sharpen.core.records import Sampling
from sharpen.core.streams import stream

SKILLS = {**SOLVING, **SPEAKING}
LONGEST = 160  # tokens of a reply


@dataclass(frozen=True, slots=True)
class Skill:
    """The mean score with its interval over problems (for these weights), and what the same costs nothing to get: a
    guess, the best constant reply, or the same problems without what the skill uses."""

    score: float
    chance: float
    low: float | None
    high: float | None


def skills(policy: Policy, problems: int = 200, seed: int = 0) -> Mapping[str, Callable[[], Skill]]:
    """By name, how to measure every skill, over that many test-split problems each, by greedy replies, or drawn ones
    where they should vary. None depends on another, or on the order."""
    return {name: partial(_skill, policy, name, problems, seed) for name in SKILLS}


def _skill(policy: Policy, name: str, problems: int, seed: int) -> Skill:
    trials = SKILLS[name](stream(seed, "skills", name), problems)
    how = Sampling(max_tokens=LONGEST) if trials.varied else Sampling(max_tokens=LONGEST).greedy()
    scores = _scores(policy, trials.asked, how)
    chance = trials.against if isinstance(trials.against, float) else _mean(_scores(policy, trials.against, how))
    found = paired(scores, over="problems")
    return Skill(found.mean, chance, found.low, found.high)


def _scores(policy: Policy, trials: Sequence[Trial], how: Sampling) -> list[float]:
    said = policy.sample([trial.chat for trial in trials], how)
    return [trial.worth(group[0].text) for trial, group in zip(trials, said, strict=True)]


def _mean(scores: Sequence[float]) -> float:
    return sum(scores) / len(scores)
