"""The work that figures are measured on: what is asked, what is scored, what is learned, in many lengths."""

from collections.abc import Sequence
from functools import cache

from sharpen.core.ports import Task
from sharpen.core.records import Chat, Message, Problem, user
from sharpen.tasks.open import open_task

REQUESTS = (
    "Why is the sky blue?",
    "Write two sentences about a lighthouse in winter.",
    "Explain to a child what a magnet does, and give an example from the kitchen.",
    "How do I boil an egg so that the yolk stays soft?",
    "List three uses of an empty glass jar.",
    "Summarise in two sentences: the town library closed for repairs in May, reopened in June with longer hours, and "
    "now lends tools as well as books, which many who live there had asked for.",
    "What is the difference between weather and climate?",
    "Tell me a short story about a dog that was afraid of stairs.",
    "A train leaves at nine and arrives at a quarter past eleven. How long does it take? Think step by step.",
    "Give me a polite way to decline an invitation to dinner.",
    "Describe how bread is made, from flour to the loaf, in the order in which it is done.",
    "Which is heavier, a kilogram of feathers or a kilogram of iron, and why?",
    "Name a few plants that grow well in the shade.",
    "Rewrite this so that it is friendlier: Send me the report today, I have waited long enough.",
    "What should someone who visits Rome for one day see first, and what can be left for another time?",
    "How does a bicycle stay upright?",
)
"""For SmolLM2, which talks."""

FAMILIES = ("arithmetic", "stories", "lists", "longform")
"""Whose worked solutions are learned from and scored."""
EASY = (1, 3)
"""Levels whose questions leave room for others before them."""


def sums() -> Task:
    """The task that nano was raised on."""
    return open_task("arithmetic")


def asked(model: str, count: int) -> list[Chat]:
    """So many different prompts."""
    if model == "nano":
        return [problem.chat for problem in sums().problems("train")[:count]]
    return [(user(request),) for request in REQUESTS[:count]]


@cache
def _tasks(levels: tuple[int, ...]) -> list[Task]:
    return [open_task(f"{family}:level={level},train=64,dev=1,test=1") for level in levels for family in FAMILIES]


def solved(count: int, levels: tuple[int, ...] = (1, 3, 5, 7)) -> list[tuple[Problem, str]]:
    """Problems with their worked solutions, of several families and of easy and hard levels in turn."""
    tasks = _tasks(levels)
    found = []
    for number in range(count):
        task = tasks[number % len(tasks)]
        problem = task.problems("train")[number // len(tasks)]
        found.append((problem, str(task.oracle.reveal(problem).notes["solution"])))
    return found


def few_shot(count: int, shots: int) -> list[Chat]:
    """Different questions, each after the same worked examples: long prompts, shared by the texts scored after them."""
    examples = _turns(solved(shots, EASY))
    return [(*examples, user(problem.chat[-1].text)) for problem, _ in solved(shots + count, EASY)[shots:]]


def _turns(examples: Sequence[tuple[Problem, str]]) -> tuple[Message, ...]:
    return tuple(
        message
        for problem, solution in examples
        for message in (user(problem.chat[-1].text), Message("assistant", solution))
    )
