"""Problems that a teacher writes together with their answers, from one constant request; nobody checks them (SOAR,
arXiv:2601.18778)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal

from sharpen.core.errors import InvalidInput
from sharpen.core.judging import MARK, plain_answer
from sharpen.core.ports import Env, Refusal, Sampler, opens
from sharpen.core.records import Attempt, Chat, Completion, Finish, Problem, Sampling, Turn, user
from sharpen.core.speech import of_topics, with_answer
from sharpen.core.streams import stream_key

_TASK, _SOLUTION = "Task:", "Solution:"
_ITEM = re.compile(rf"{_TASK}(?P<question>.+?)(?:\s{_SOLUTION}.*?)?\s{MARK}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Posed:
    """A problem in a teacher's words, and the answer that the teacher gave to it, right or wrong."""

    problem: Problem
    answer: str


@dataclass(frozen=True, slots=True)
class Written:
    """What was posed, and how it was said: an attempt at the request, in one turn or two."""

    posed: Posed
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Writing:
    """How a teacher is asked for problems.

    sets, size   datasets a round, and problems in each (g and n)
    form         reply: problem and answer in one reply, the paper's; turns: the problem, and then its answer as any
                 problem is answered, for models that were never taught the first
    request      the one prompt; none: the words of `core.speech` for the form
    how          how it is said; it is learned from, so the whole policy must be drawn from
    patience     calls in which what could not be read is asked for again
    """

    sets: int = 4
    size: int = 16
    form: Literal["reply", "turns"] = "turns"
    request: str = ""
    how: Sampling = Sampling(temperature=1.0, max_tokens=512)
    patience: int = 16

    def __post_init__(self) -> None:
        if self.sets < 2 or self.size < 1 or self.patience < 1:
            raise InvalidInput(
                "a dataset is compared with the others: expected sets >= 2, size >= 1 and patience >= 1, "
                f"got {self.sets}, {self.size} and {self.patience}"
            )
        if self.how.temperature == 0 or self.how.top_p < 1:
            raise InvalidInput(
                "a policy gradient draws from the whole policy: expected temperature > 0 and top_p 1, "
                f"got {self.how.temperature} and {self.how.top_p}"
            )

    def prompt(self, topics: Sequence[str]) -> Chat:
        """The one prompt; it names what problems may be about, and shows none."""
        if self.request:
            return (user(self.request),)
        return with_answer(topics) if self.form == "reply" else of_topics(topics)

    def __call__(
        self, at: Callable[[int], Sampler], env: Env, prompt: Chat, frame: Chat, n: int
    ) -> tuple[list[Written], int]:
        """At most `n` problems that can be read, in the order drawn, and how many were drawn in all; `at` gives the
        teacher on the stream of each call, `frame` is what stands before a question."""
        found: list[Written] = []
        drawn = 0
        for call in range(self.patience):
            missing = n - len(found)
            if not missing:
                break
            teacher = at(call)
            said = teacher.sample([prompt], replace(self.how, n=missing))[0]
            drawn += missing
            read = self._replies if self.form == "reply" else self._turns
            found += read(teacher, env, prompt, frame, said)
        return found, drawn

    def _replies(
        self, teacher: Sampler, env: Env, prompt: Chat, frame: Chat, said: Sequence[Completion]
    ) -> list[Written]:
        pairs = [(one, read(one.text)) for one in said if one.finish is Finish.END]
        return [
            Written(posed, _attempt(teacher, prompt, Turn(prompt, (one.piece,))))
            for one, pair in pairs
            if pair and opens(env, (posed := _posed(frame, *pair)).problem)
        ]

    def _turns(
        self, teacher: Sampler, env: Env, prompt: Chat, frame: Chat, said: Sequence[Completion]
    ) -> list[Written]:
        texts = [(one, one.text.strip().removeprefix(_TASK).strip()) for one in said if one.finish is Finish.END]
        asked = [(one, text) for one, text in texts if text and MARK not in text and opens(env, _problem(frame, text))]
        if not asked:
            return []
        chats = [env.open(_problem(frame, text)).chat for _, text in asked]
        how = replace(self.how, n=1, max_tokens=min(self.how.max_tokens, env.max_tokens))
        answers = [group[0] for group in teacher.sample(chats, how)]
        return [
            Written(
                _posed(frame, text, answer),
                _attempt(teacher, prompt, Turn(prompt, (one.piece,)), Turn(chat, (reply.piece,))),
            )
            for (one, text), chat, reply in zip(asked, chats, answers, strict=True)
            if reply.finish is Finish.END and (answer := plain_answer(reply.text)) is not None
        ]


def read(text: str) -> tuple[str, str] | None:
    """The question and the answer of a reply: what stands behind its one `Task:`, up to `Solution:` or `Answer:`, and
    what stands behind its one `Answer:`. Whatever is said before is free. None where either is missing."""
    found = _ITEM.search(text)
    answer = plain_answer(text)
    if found is None or answer is None or text.count(_TASK) != 1 or not found["question"].strip():
        return None
    return found["question"].strip(), answer


def dealt(written: Sequence[Written], size: int) -> list[list[Written]]:
    """Whole datasets of that size, in order; what is left over makes none."""
    return [list(written[start : start + size]) for start in range(0, len(written) - size + 1, size)]


def watched(written: Sequence[Written], drawn: int, admit: Callable[[Problem], Problem | Refusal]) -> dict[str, float]:
    """The share of replies that could be read; of these the share of different questions, of those the task admits as
    its own, and their mean level: where they lie on a scale that the teacher knows nothing of."""
    found = {"teach/written": len(written) / drawn}
    if written:
        questions = [one.posed.problem for one in written]
        admitted = [one for one in map(admit, questions) if not isinstance(one, Refusal)]
        found["teach/distinct"] = len({one.chat for one in questions}) / len(questions)
        found["teach/admitted"] = len(admitted) / len(questions)
        found |= {"teach/level": fmean(one.level for one in admitted)} if admitted else {}
    return found


def _posed(frame: Chat, question: str, answer: str) -> Posed:
    """The id follows from question and answer: one question may be answered in several ways."""
    problem = _problem(frame, question)
    return Posed(replace(problem, id=f"posed-{stream_key(question, answer):016x}"), answer)


def _problem(frame: Chat, question: str) -> Problem:
    return Problem("posed", (*frame, user(question)), "posed")


def _attempt(teacher: Sampler, prompt: Chat, *turns: Turn) -> Attempt:
    return Attempt(Problem("request", prompt), turns, teacher.weights)
