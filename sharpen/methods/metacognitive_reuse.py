"""Metacognitive reuse (arXiv:2509.13237): what recurs in one's own solutions is named, kept in a handbook, and used.

Curate, for every question of a set
    solve it; reflect on the solution; name the behaviours in it, each with a one-sentence instruction
    add them to the handbook: by name, near-duplicates merged, the rarest dropped where it is full
Use, one of
    inference    behaviour-conditioned inference: recall K behaviours for a new question and ask with them in the prompt
    training     behaviour-conditioned fine-tuning: have the same questions solved with behaviours in the prompt, and
                 imitate the solutions without the behaviours in the prompt, so that they must come from within
    second_pass  solve once, find behaviours in that solution, solve again with them; the first solution is not shown
    critique     solve once, be shown that solution, look it over: what second_pass is compared with

Controls: the same with behaviours that belong to other questions (shuffled) or to any (placebo), a request to be brief,
or nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Literal

from sharpen.control.monitors import monitors
from sharpen.core.errors import InvalidInput
from sharpen.core.judging import by_problem, judged
from sharpen.core.lessons import Lesson, Term, demonstration, retold
from sharpen.core.method import Lab, Paper, Round, Solver
from sharpen.core.objectives import Imitate
from sharpen.core.phrases import ENGLISH, NANO, Phrases
from sharpen.core.records import Attempt, Behaviour, Judged, Problem, Sampling, Stop, Weights
from sharpen.core.training import Training
from sharpen.propose.behaviours import Guided, Revised, found, general
from sharpen.sample.direct import GREEDY, Direct
from sharpen.sample.reworded import InOtherWords, Reminded, Reworded, Rewording, Template, as_asked
from sharpen.sample.rollout import rollout
from sharpen.sample.second_pass import SecondPass
from sharpen.select.keep import above
from sharpen.update.handbook import Always, Bookkeeping, Mismatched, Retrieval, cited

PAPER = Paper(
    title="Metacognitive Reuse: Turning Recurring LLM Reasoning Into Concise Behaviors",
    arxiv="2509.13237",
    year=2025,
    claim="behaviours found in earlier solutions shorten new ones at no loss of accuracy, in the prompt or learned",
    generate="attempts with a memory of behaviours",
    evaluate="own reflection",
    control="fixed",
)
NEEDS = frozenset({"sample"})


@dataclass(frozen=True, slots=True)
class Config:
    """Settings; the defaults are ours, for behaviour-conditioned inference on small models, the paper's beside them."""

    use: Literal["inference", "training", "second_pass", "critique"] = "inference"  # what the behaviours are for
    behaviours: Literal["own", "shuffled", "placebo", "brief", "nothing"] = "own"  # what stands in their place
    rounds: int = 10  # most rounds of curation, and as many of training after it (ours)
    problems: int = 32  # questions a round, each asked once (ours); paper 1,000 in all for MATH, 60 for AIME
    how: Sampling = Sampling(n=4, temperature=0.7, top_p=0.95, max_tokens=4096)  # n in each way of asking; paper 1, 0.6
    labels: bool = True  # of right solutions the shortest is read, one imitated (ours); paper: of all, no labels
    reading: Sampling = Sampling(temperature=0.7, top_p=0.95, max_tokens=512)  # reflecting, naming (ours); paper 0.6
    book: Bookkeeping = Bookkeeping()  # how the handbook is kept and read
    phrases: Literal["english", "nano"] | Phrases = "english"  # the words; nano's own for the embedded model
    by: Literal["model", "teacher"] = "model"  # who curates and writes what is imitated
    answer: Sampling = GREEDY  # how the solver answers; max_tokens is the budget b, paper 2,048 to 16,384 at 0.6
    training: Training = field(  # 3 epochs over a round's solutions (ours; the paper's are not known to us)
        default_factory=lambda: Training(epochs=3, batch=32, inherit="moments")
    )

    @property
    def needs(self) -> frozenset[str]:
        """Training learns; another model may curate."""
        learns, other = self.use == "training", self.by == "teacher"
        return frozenset(({"learn"} if learns else set()) | ({"teacher"} if other else set()))

    @property
    def words(self) -> Phrases:
        """The phrases, also where only their name is given."""
        return self.phrases if isinstance(self.phrases, Phrases) else {"english": ENGLISH, "nano": NANO}[self.phrases]

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.problems < 1:
            raise InvalidInput(f"rounds and problems must be >= 1, got {self.rounds} and {self.problems}")
        if self.use in ("second_pass", "critique") and (self.behaviours, self.by) != ("own", "model"):
            raise InvalidInput(
                f"use={self.use} goes by the model's own first solution: it needs behaviours=own and by=model, got "
                f"{self.behaviours} and {self.by}; the controls belong to use=inference"
            )

    @classmethod
    def self_improvement(cls) -> "Config":
        """Behaviour-guided self-improvement: a second pass with the behaviours of one's own first solution."""
        return cls(use="second_pass")

    @classmethod
    def critique(cls) -> "Config":
        """Critique and revise, the paper's baseline of self-improvement."""
        return cls(use="critique")

    @classmethod
    def bc_sft(cls) -> "Config":
        """Behaviour-conditioned fine-tuning: behaviours in the prompt of the solutions, none in the prompt learned."""
        return cls(use="training")

    @classmethod
    def sft(cls) -> "Config":
        """Vanilla fine-tuning, the paper's baseline: the same questions and writer, without behaviours."""
        return cls(use="training", behaviours="nothing")

    @classmethod
    def shuffled(cls) -> "Config":
        """Control: as many behaviours of the handbook, but others than those that suit the question (ours)."""
        return cls(behaviours="shuffled")

    @classmethod
    def placebo(cls) -> "Config":
        """Control: behaviours that fit any question and help with none (ours)."""
        return cls(behaviours="placebo")

    @classmethod
    def brief(cls) -> "Config":
        """Control: no behaviours, a request to be brief (ours)."""
        return cls(behaviours="brief")

    @classmethod
    def plain(cls) -> "Config":
        """Baseline: the question alone, answered once."""
        return cls(behaviours="nothing")


@dataclass(frozen=True, slots=True)
class State:
    """The weights so far, and the handbook."""

    weights: Weights
    handbook: tuple[Behaviour, ...] = ()
    round: int = 0


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    """First the rounds of curation, then those of training, each over the same questions; at least one round."""
    state = state or State(lab.model.base)
    wanted = min(config.rounds * config.problems, len(lab.train))
    questions = lab.rng("questions").sample(lab.train, wanted)
    batches = [questions[start : start + config.problems] for start in range(0, wanted, config.problems)]
    remembers = config.use in ("inference", "training") and config.behaviours in ("own", "shuffled")
    curation = len(batches) if remembers else 0
    last = curation + (len(batches) if config.use == "training" else 0)
    while state.round < max(last, 1):
        if state.round < curation:
            state, metrics = _curated(lab, config, state, batches[state.round])
        elif config.use == "training":
            state, metrics = _trained(lab, config, state, batches[state.round - curation])
        else:
            state, metrics = replace(state, round=state.round + 1), dict[str, float]()
        yield Round(state, _solver(config, state, lab.seed), metrics)


def _curated(lab: Lab, config: Config, state: State, questions: Sequence[Problem]) -> tuple[State, dict[str, float]]:
    """Solve, reflect, name, add."""
    writer, words = _writer(lab, config), config.words
    policy = lab.at(writer, "solve", state.round)
    asked = [InOtherWords(lab.env, Template(text)) for text in words.solve]
    solved = [attempt for env in asked for attempt in rollout(policy, env, questions, config.how)]
    watched = dict[str, float]()
    if config.labels:
        marks = judged(solved, lab.oracle.judge)
        solved, watched = _shortest(marks), monitors(marks)
    named = found(lab.at(writer, "read", state.round), solved, words, config.reading, _recall(config, state))
    new = [one for ones, attempt in zip(named, solved, strict=True) for one in general(ones, attempt)]
    handbook = config.book.written(state.handbook, new)
    metrics = {
        "handbook/size": float(len(handbook)),
        "handbook/read": float(len(solved)),
        "handbook/named": fmean(bool(ones) for ones in named) if named else 0.0,
        "handbook/new": float(len({one.name for one in new} - {one.name for one in state.handbook})),
        "handbook/leaked": float(sum(map(len, named)) - len(new)),
    }
    return State(state.weights, handbook, state.round + 1), {**watched, **metrics}


def _trained(lab: Lab, config: Config, state: State, questions: Sequence[Problem]) -> tuple[State, dict[str, float]]:
    """Have the questions solved with what stands in the prompt, forget what stood there, imitate."""
    writer = lab.at(_writer(lab, config), "write", state.round)
    env = InOtherWords(lab.env, _rewording(config, state, lab.seed))
    watched = dict[str, float]()
    if config.labels:
        marks = judged(rollout(writer, env, questions, config.how), lab.oracle.judge)
        whole = [mark for mark in marks if mark.attempt.stop is Stop.DONE]
        kept, watched = [mark.attempt for mark in above(whole, 0.5, cap=1)], monitors(marks)
    else:
        written = rollout(writer, env, questions, config.how.times(1))
        kept = [attempt for attempt in written if attempt.stop is Stop.DONE]
    taught = _own if config.by == "model" else retold
    lessons = [lesson for attempt in kept for lesson in taught(as_asked(attempt, lab.env))]
    learned = lab.model.learn(state.weights, [Term(Imitate(), lessons)], config.training)
    metrics = {
        "train/kept": float(len(kept)),
        "train/lessons": float(len(lessons)),
        "train/cited": fmean(bool(cited(one.text, state.handbook)) for one in kept) if kept else 0.0,
    }
    return State(learned.weights, state.handbook, state.round + 1), {**watched, **metrics, **learned.metrics}


def _solver(config: Config, state: State, seed: int) -> Solver:
    if config.use == "training":
        return Direct(state.weights, config.answer)
    if config.use == "inference":
        return Reworded(state.weights, _rewording(config, state, seed), config.answer)
    guided, revised = Guided(config.words, config.reading, config.book.most), Revised(config.words.revise)
    rework = guided if config.use == "second_pass" else revised
    return SecondPass(state.weights, rework, config.how.times(1), config.answer)


def _rewording(config: Config, state: State, seed: int) -> Rewording:
    """What stands in the prompt beside the question."""
    words, recall = config.words, _recall(config, state)
    if config.behaviours == "own":
        return Reminded(recall, words)
    if config.behaviours == "shuffled":
        return Reminded(Mismatched(recall, seed), words)
    if config.behaviours == "placebo":
        return Reminded(Always(words.placebo[: recall.most]), words)
    return Template(words.brief) if config.behaviours == "brief" else Template()


def _recall(config: Config, state: State) -> Retrieval:
    """No more than one prompt names: what is shuffled is then always other than what would be shown."""
    book, words = config.book, config.words
    return Retrieval(state.handbook, book.by, min(book.most, words.most or book.most))


def _writer(lab: Lab, config: Config) -> Weights:
    """Whoever curates stays as it is while the model learns."""
    return lab.cast[config.by].base


def _shortest(marks: Sequence[Judged]) -> list[Attempt]:
    """The shortest right attempt at each problem that has one, the first of equals."""
    right = [[m.attempt for m in group if m.verdict.right] for group in by_problem(marks).values()]
    return [min(group, key=lambda attempt: (attempt.length, len(attempt.text))) for group in right if group]


def _own(attempt: Attempt) -> list[Lesson]:
    """One demonstration per turn, of the tokens that were sampled."""
    return [demonstration(turn.seen, turn.said) for turn in attempt.turns]
