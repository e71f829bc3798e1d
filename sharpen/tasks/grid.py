"""A small grid to act in, a move a turn: to a goal, round walls, with a key to fetch on the way."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sharpen.core.errors import InvalidInput
from sharpen.core.judging import MARK, final_answer
from sharpen.core.ports import Env
from sharpen.core.records import Message, Problem, Scene, user
from sharpen.core.streams import Rng
from sharpen.tasks.family import Line, Worked, trimmed
from sharpen.tasks.mazes import LENGTHS, STEPS, TAKE, Maze, draw, named, read, straight

_LONGEST = 4000  # characters


@dataclass(frozen=True)
class Grid:
    """Right adds one to the first number of a cell, up to the second. `walk` has no walls; the straight way (across,
    then up or down) of `walls` is blocked from level 2 on; `key` has walls too from level 5 on. A task that plays asks
    `reached` about the moves of all turns; a plan (`right`, and the answer of `work`) is the moves with spaces between.
    The bad habit goes straight for the goal, sees neither wall nor key, and in `walk` takes up for down."""

    name = "grid"
    kinds = ("walk", "walls", "key")
    levels = range(1, 9)
    instructions = (
        "Cells are named by two numbers: right adds one to the first, up adds one to the second. Say one move a turn, "
        "the word alone; `take` takes the key in its cell, which must be done before the goal counts."
    )

    def draw(self, kind: str, level: int, rng: Rng, held_out: bool = False) -> str:
        """A question whose shortest way has up to `LENGTHS[level - 1]` steps, and a `take` where there is a key."""
        return draw(kind, level, rng, held_out)

    def tidy(self, question: str) -> str:
        """Without white space around it and its lines."""
        return trimmed(question)

    def place(self, question: str) -> tuple[str, int, bool]:
        """Kind, level (by the shortest way) and whether the wording is held out."""
        maze, held_out = read(question)
        kind = "walk" if maze.key is None and not maze.walls else "walls" if maze.key is None else "key"
        steps = maze.length - (maze.key is not None)
        return kind, next((n for n, length in enumerate(LENGTHS, 1) if steps <= length), len(LENGTHS)), held_out

    def work(self, question: str) -> Worked:
        """No steps; the answer is a shortest plan."""
        maze = read(question)[0]
        return Worked((), " ".join(maze.way(maze.start, maze.has)))

    def slip(self, question: str, rng: Rng) -> Worked:
        """One move of the plan is another, and the rest goes on as if it were not. Never right."""
        maze = read(question)[0]
        plan = maze.way(maze.start, maze.has)
        at = int(len(plan) * rng.random())
        turn = int(4 * rng.random())
        for move in (*STEPS, *STEPS)[turn : turn + 4]:
            wrong = [*plan[:at], move, *plan[at + 1 :]]
            if not maze.reached(wrong):
                break
        return Worked((), " ".join(wrong), 0)

    def habit(self, question: str, rng: Rng) -> Worked:
        """Straight for the goal."""
        maze = read(question)[0]
        plan = straight(maze.start, maze.goal) or ["up"]
        if maze.key is None and not maze.walls:
            plan = [{"up": "down", "down": "up"}.get(move, move) for move in plan]
        return Worked((), " ".join(plan), None if maze.reached(plan) else 0)

    def follow(self, question: str, text: str) -> list[Line]:
        """Lines of single moves, each right if it brings the goal nearer; a marked plan is judged from the start. What
        is left is the number of moves to the goal."""
        maze = read(question)[0]
        at, has = maze.start, maze.has
        lines: list[Line] = []
        for line in filter(None, map(str.strip, text[:_LONGEST].split("\n"))):
            before = maze.left(at, has)
            if line.startswith(MARK):
                right = self.right(question, final_answer(line) or "")
            else:
                at, has = maze.after(at, has, line)
                right = maze.left(at, has) < before
            lines.append(Line(line, right, str(maze.left(at, has))))
        return lines

    def right(self, question: str, answer: str) -> bool:
        """Whether moves with spaces between them reach the goal, with the last of them and not before."""
        maze, moves = read(question)[0], answer[:_LONGEST].split(" ")
        return all(move == TAKE or move in STEPS for move in moves) and maze.reached(moves)

    def reached(self, question: str, moves: Sequence[str]) -> bool:
        """Whether what was said in all turns (of each, the last line counts) reaches the goal, with the last of them
        and in time."""
        return read(question)[0].reached([_said(move) for move in moves])

    def score(self, question: str, said: Sequence[str]) -> float:
        """1 if the moves of all turns reach the goal, or if a whole plan, said at once behind the mark, does."""
        plan = final_answer(said[0]) if len(said) == 1 else None
        return float(self.reached(question, said) if plan is None else self.right(question, plan))

    def reach(self, level: int) -> int:
        """A whole plan; a turn of play needs one token."""
        return 12 + 2 * LENGTHS[level - 1]

    def world(self, max_tokens: int) -> Env:
        """A move a turn."""
        return Walking(max_tokens)


@dataclass(frozen=True, slots=True)
class _Standing:
    grid: Maze
    at: int
    has: bool
    moves: int = 0


@dataclass(frozen=True, slots=True)
class Walking:
    """Answers each move with where it led, until the goal is reached (with the key, where there is one), 3 * shortest
    + 3 moves are made, or a whole plan was said behind the mark. Moves are of at most `max_tokens` tokens."""

    max_tokens: int
    deterministic: bool = True

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise InvalidInput(f"max_tokens must be >= 1, got {self.max_tokens}")

    def open(self, problem: Problem) -> Scene:
        """The problem's chat; its question is the last line. Raises ValueError where that is none of the family."""
        maze = read(problem.chat[-1].text.rsplit("\n", 1)[-1])[0]
        return Scene(problem.chat, world=_Standing(maze, maze.start, maze.has))

    def step_many(self, scenes: Sequence[Scene], actions: Sequence[Message]) -> list[Scene]:
        """The scenes after a move each; raises InvalidInput for a scene that was done before."""
        return [_moved(scene, action) for scene, action in zip(scenes, actions, strict=True)]


def _moved(scene: Scene, action: Message) -> Scene:
    before = scene.world
    if scene.done or not isinstance(before, _Standing):
        raise InvalidInput("expected an open scene of a grid, got one that is done or of another world")
    move = _said(action.text)
    at, has = before.grid.after(before.at, before.has, move)
    now = replace(before, at=at, has=has, moves=before.moves + 1)
    if (has and at == now.grid.goal) or now.moves >= now.grid.most or MARK in action.text:
        return Scene((*scene.chat, action), True, now)
    note = ""
    if has and not before.has:
        note = " You have the key."
    elif move in STEPS and at == before.at:
        note = " A wall."
    elif move not in STEPS:
        note = " You said no move."
    return Scene((*scene.chat, action, user(f"You are at {named(at)}.{note}")), False, now)


def _said(text: str) -> str:
    """The move in what was said: its last line."""
    return text.strip().rsplit("\n", 1)[-1].strip()
