"""PromptQuine: a few-shot prompt evolves by losing its own tokens, which need not leave it readable (arXiv:2506.17930).

Start from plain demonstrations, the place of the question and the answer's cue; the population is copies of it. Repeat
    draw parents by tournament; a child is its parent without 1 to 4 more tokens; what reads like a member is skipped
    a child's fitness is its mean reward over the labelled problems: 200 * gap, or 180 * gap where the gap is not > 0,
        gap = p(right label) - the largest p of another label
    the fittest children are the next population; all parents die
until so many prompts were tried, or the population is short enough. Then the elites, the fittest tenth of all that was
tried, answer other problems, and the one that is right most often is the prompt.

Its rivals try prompts on the same problems: Config.ta_pruning and climb drop token after token, left to right, and keep
what does not harm; random_masks and demonstrations only draw; unpruned is the start.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal

from sharpen.control.evolve import Breeding, Tried, elite_count, enough, leading
from sharpen.core.errors import InvalidInput
from sharpen.core.judging import MARK, judged
from sharpen.core.method import Lab, Paper, Round
from sharpen.core.records import Attempt, Chat, Piece, Problem, Turn
from sharpen.core.streams import Rng
from sharpen.judge.forced_choice import Labelled
from sharpen.propose.demonstrate import Example, by_label, dealt, few_shot
from sharpen.propose.prune import Mask, Original, pruned, scattered, thinned, without
from sharpen.sample.label import ForcedChoice, as_said

PAPER = Paper(
    title="Evolving Prompts In-Context: An Open-ended, Self-replicating Perspective",
    arxiv="2506.17930",
    year=2025,
    claim="some subsequence of a few-shot prompt, found by evolution, is right more often than the prompt itself",
    generate="prompts with tokens left out",
    evaluate="label probabilities, then accuracy on other problems",
    control="evolution",
)
NEEDS = frozenset({"choices", "reveal"})


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of PromptQuine; the sizes are ours, for small models, the paper's are beside them."""

    search: Literal["evolve", "sweep", "masks", "demonstrations"] = "evolve"  # where the next prompts come from
    breeding: Breeding = Breeding()  # population, children (also prompts tried a round of any search), tournaments
    fitness: Literal["reward", "accuracy"] = "reward"  # on the labelled problems; the paper's for labels: reward
    tolerance: float | None = 0.04  # sweep: share of the best fitness that may be lost, paper 0.04; None: must rise
    explored: int = 640  # most prompts tried, the start included; paper 10,000
    shortest: float = 12.0  # evolve: ends at this mean length of the population, in tokens; paper 15
    elites: float = 0.1  # share of all tried that is ranked again; the paper's. 0: the fittest is taken as it is
    every: int = 10  # rounds between rankings (ours); 0: the last round alone, as the paper
    labelled: int = 64  # problems with revealed labels, for demonstrations and fitness; paper 8 a label for fitness
    validation: int = 200  # other train problems the elites are ranked on; the paper's
    shots: int = 1  # demonstrations of each label in the start; the paper's
    form: Literal["text", "turns"] = "text"  # raw text as the paper, or turns of a chat, whose marks are kept

    def __post_init__(self) -> None:
        if min(self.explored, self.labelled, self.validation) < 1 or min(self.shots, self.every) < 0:
            raise InvalidInput(
                "explored, labelled and validation must be >= 1, shots and every >= 0, got "
                f"{self.explored}, {self.labelled}, {self.validation}, {self.shots} and {self.every}"
            )
        if not 0 <= self.elites <= 1 or self.shortest < 0:
            raise InvalidInput(f"elites must be in [0, 1] and shortest >= 0, got {self.elites} and {self.shortest}")
        if self.tolerance is not None and not 0 <= self.tolerance < 1:
            raise InvalidInput(f"tolerance must be in [0, 1) or none, got {self.tolerance}")

    @classmethod
    def ta_pruning(cls) -> "Config":
        """The paper's baseline, threshold accepting: 0.96 of the best accuracy is enough; the fittest is taken."""
        return cls(search="sweep", fitness="accuracy", elites=0.0)

    @classmethod
    def climb(cls) -> "Config":
        """Hill climbing (the code's SAHC): only what raises the fitness stays dropped; the fittest is taken."""
        return cls(search="sweep", tolerance=None, elites=0.0)

    @classmethod
    def random_masks(cls) -> "Config":
        """No evolution: masks at random, ranked again as PromptQuine's elites are."""
        return cls(search="masks")

    @classmethod
    def demonstrations(cls) -> "Config":
        """No pruning: other demonstrations at random, ranked again as PromptQuine's elites are (ours)."""
        return cls(search="demonstrations")

    @classmethod
    def unpruned(cls) -> "Config":
        """The start prompt as it is: what a pruned one must beat."""
        return cls(explored=1, elites=0.0)


@dataclass(frozen=True, slots=True)
class State:
    """The search so far; answers that were revealed are kept, so that nobody asks for them twice.

    prompt       what masks are masks of: the start, and in a sweep what the sweep before left, in tokens anew
    gold         the labels of the labelled problems, in the order they were drawn
    population   masks with their fitness; of copies one stands for all
    best         the fittest prompts so far, as many as may still be elites, best first
    champion     the winner of the last ranking
    at           sweep: the next token to be dropped
    """

    prompt: Chat
    gold: tuple[str, ...]
    population: tuple[tuple[Mask, float], ...]
    best: tuple[Tried, ...]
    champion: Tried | None = None
    explored: int = 0
    at: int = 0
    round: int = 0
    over: bool = False


@dataclass(frozen=True, slots=True)
class _Trial:
    """What prompts are made of and tried on: labelled examples, those the start shows, the others as fitness is
    measured on them, and the problems the elites are ranked on."""

    examples: tuple[Example, ...]
    shown: tuple[Example, ...]
    labelled: Labelled
    validation: tuple[Problem, ...]

    def written(self, config: Config, examples: Iterable[Example]) -> Chat:
        """The prompt that shows these examples."""
        return few_shot(examples, config.form, space="" if self.labelled.labels[0].startswith(" ") else " ")


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    """The start, then a generation (or so many tokens of a sweep) a round."""
    if state is None:
        gold, accepted = _revealed(lab, config)
        trial = _trial(lab, config, gold)
        state = _ranked(lab, config, trial, _begun(lab, config, trial, gold))
        yield _told(lab, trial, state, {"labels": float(len(trial.labelled.labels)), "labels/accepted": accepted})
    trial = _trial(lab, config, state.gold)
    while not state.over:
        step = _swept if config.search == "sweep" else _bred
        state = _ranked(lab, config, trial, step(lab, config, trial, state))
        yield _told(lab, trial, state, {})


def _drawn(lab: Lab, config: Config) -> list[Problem]:
    """Train problems in random order: first those to be labelled, behind them those the elites are ranked on."""
    if len(lab.train) <= config.labelled:
        raise InvalidInput(
            f"expected more than {config.labelled} train problems, so that some are left to rank prompts on, "
            f"got {len(lab.train)}; label fewer"
        )
    return lab.rng("problems").sample(lab.train, min(config.labelled + config.validation, len(lab.train)))


def _revealed(lab: Lab, config: Config) -> tuple[tuple[str, ...], float]:
    """The labels of the labelled problems, and the share of them that the oracle accepts as answers."""
    problems = _drawn(lab, config)[: config.labelled]
    gold = tuple(lab.oracle.reveal(problem).answer for problem in problems)
    turns = [
        Turn(lab.env.open(problem).chat, (Piece(f"{MARK} {label}", author="method"),))
        for problem, label in zip(problems, gold, strict=True)
    ]
    attempts = [Attempt(problem, (turn,), lab.model.base) for problem, turn in zip(problems, turns, strict=True)]
    return gold, fmean(bool(verdict.right) for verdict in lab.oracle.judge(attempts))


def _trial(lab: Lab, config: Config, gold: Sequence[str]) -> _Trial:
    """The first of each label are demonstrations; fitness is measured on the others."""
    problems, labels = _drawn(lab, config), sorted(set(gold))
    questions = [lab.env.open(problem).chat[-1].text for problem in problems[: len(gold)]]
    examples = tuple(zip(questions, gold, strict=True))
    shown, asked = dealt(examples, config.shots)
    right = tuple(labels.index(label) for _, label in asked)
    labelled = Labelled(as_said(labels, lab.model.encoder), tuple(question for question, _ in asked), right)
    return _Trial(examples, tuple(shown), labelled, tuple(problems[len(gold) :]))


def _begun(lab: Lab, config: Config, trial: _Trial, gold: tuple[str, ...]) -> State:
    """The start prompt, tried, and the first population."""
    prompt = trial.written(config, trial.shown)
    original = Original.of(prompt, lab.model.encoder)
    masks = {original.kept(original.whole): original.whole}
    if config.search == "evolve" and config.breeding.start == "thinned":
        rng = lab.rng("thinned")
        for _ in range(min(config.breeding.population, config.explored - 1)):
            mask = thinned(original.whole, rng)
            masks.setdefault(original.kept(mask), mask)
    tried = _tried(lab, config, trial, list(masks))
    members = tuple((mask, one.fitness) for mask, one in zip(masks.values(), tried, strict=True))
    return _after(lab, config, State(prompt, gold, members[1:] or members, ()), tried, len(tried))


def _bred(lab: Lab, config: Config, trial: _Trial, state: State) -> State:
    """A generation: prompts by the search, tried together; they alone are the next population."""
    original = Original.of(state.prompt, lab.model.encoder)
    children = _children(config, trial, state, original, lab.rng("children", state.round))
    tried = _tried(lab, config, trial, list(children))
    members = [(mask, one.fitness) for mask, one in zip(children.values(), tried, strict=True)]
    population = config.breeding.survivors(members) or state.population
    bred = replace(state, population=population, round=state.round + 1, over=not children)
    return _after(lab, config, bred, tried, len(tried))


def _children(config: Config, trial: _Trial, state: State, original: Original, rng: Rng) -> dict[Chat, Mask]:
    """New prompts that read unlike each other and unlike all members, with their masks."""
    members = {original.kept(mask) for mask, _ in state.population}
    children: dict[Chat, Mask] = {}
    for _ in range(min(config.breeding.children, config.explored - state.explored)):
        if config.search == "demonstrations":
            groups = by_label(trial.examples).values()
            shown = [one for group in groups for one in rng.sample(group, min(config.shots, len(group)))]
            children[trial.written(config, rng.sample(shown, len(shown)))] = original.whole
            continue
        if config.search == "masks":
            mask: Mask | None = scattered(len(original), rng)
        else:
            mask = pruned(config.breeding.parent(state.population, rng), rng)
        if mask is not None and (prompt := original.kept(mask)) not in members:
            children.setdefault(prompt, mask)
    return children


def _swept(lab: Lab, config: Config, trial: _Trial, state: State) -> State:
    """Some tokens of a sweep, one after the other; behind the last, what is left is tokenised anew for the next, and a
    sweep that left the length as it was is the last."""
    original = Original.of(state.prompt, lab.model.encoder)
    (mask, best), accepted = state.population[0], list[Tried]()
    some = min(config.breeding.children, config.explored - state.explored, len(original) - state.at)
    for place in range(state.at, state.at + some):
        shorter = without(mask, (place,))
        (tried,) = _tried(lab, config, trial, [original.kept(shorter)])
        if enough(tried.fitness, best, config.tolerance):
            mask, best = shorter, max(best, tried.fitness)
            accepted.append(tried)
    swept = replace(state, population=((mask, best),), at=state.at + some, round=state.round + 1)
    if swept.at == len(original):
        prompt = original.kept(mask)
        again = Original.of(prompt, lab.model.encoder)
        over = len(again) == len(original)
        swept = replace(swept, prompt=prompt, population=((again.whole, best),), at=0, over=over)
    return _after(lab, config, swept, accepted, some)


def _tried(lab: Lab, config: Config, trial: _Trial, prompts: Sequence[Chat]) -> list[Tried]:
    fitness = trial.labelled.fitness(lab.at(lab.model.base), prompts, config.fitness)
    return [Tried(prompt, value) for prompt, value in zip(prompts, fitness, strict=True)]


def _after(lab: Lab, config: Config, state: State, kept: Sequence[Tried], explored: int) -> State:
    """The state with the prompts that may be delivered, of so many more explored, and whether the search is over."""
    done = state.explored + explored
    short = config.search == "evolve" and _mean_length(lab, state) <= config.shortest
    best = leading(state.best, kept, elite_count(config.explored, config.elites))
    return replace(state, best=best, explored=done, over=state.over or short or done >= config.explored)


def _mean_length(lab: Lab, state: State) -> float:
    """Tokens of the population's prompts, read anew, without the question and the marks of the chat."""
    original = Original.of(state.prompt, lab.model.encoder)
    return fmean(len(Original.of(original.kept(mask), lab.model.encoder)) for mask, _ in state.population)


def _ranked(lab: Lab, config: Config, trial: _Trial, state: State) -> State:
    """Where a ranking is due, the elites answer the other problems; of equals the fitter wins."""
    if config.elites == 0 or not (state.over or (config.every and state.round and state.round % config.every == 0)):
        return state
    count = elite_count(state.explored, config.elites)
    elites = [
        elite if elite.score is not None else replace(elite, score=_accuracy(lab, trial, elite.prompt))
        for elite in state.best[:count]
    ]
    champion = max(elites, key=lambda elite: (elite.score or 0.0, elite.fitness))
    return replace(state, best=(*elites, *state.best[count:]), champion=champion)


def _accuracy(lab: Lab, trial: _Trial, prompt: Chat) -> float:
    attempts = ForcedChoice(lab.model.base, prompt, trial.labelled.labels).answer(lab.seat, trial.validation)
    return fmean(mark.verdict.score for mark in judged(attempts, lab.oracle.judge))


def _told(lab: Lab, trial: _Trial, state: State, more: Mapping[str, float]) -> Round:
    """The round, with the champion as the prompt; before any ranking, the fittest."""
    chosen = state.champion or state.best[0]
    metrics = {
        "prompt/fitness": chosen.fitness,
        "prompt/tokens": float(len(Original.of(chosen.prompt, lab.model.encoder))),
        "prompt/explored": float(state.explored),
        "population/fitness": fmean(fitness for _, fitness in state.population),
        "population/tokens": _mean_length(lab, state),
    }
    validated = {} if chosen.score is None else {"prompt/validation": chosen.score}
    return Round(
        state, ForcedChoice(lab.model.base, chosen.prompt, trial.labelled.labels), {**metrics, **validated, **more}
    )
