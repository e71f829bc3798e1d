"""Mazes on a small grid: how they are drawn, written and read, and how far the goal is from everywhere."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sharpen.core.streams import Rng
from sharpen.tasks.family import pick

LENGTHS = (1, 2, 3, 4, 6, 8, 10, 14)
"""The longest shortest way of levels 1 to 8, in steps; the taking of a key is one move more."""
WALLS = (1, 1, 2, 3, 4, 6, 8, 10)
TAKE = "take"
STRIDE = 10  # cell `x y` is bit 10 * (y - 1) + x - 1; every tenth bit stays shut
STEPS = {"right": 1, "left": -1, "up": STRIDE, "down": -STRIDE}
SMALLEST, LARGEST = 3, 9

# The last wording is held out.
WORDINGS = (
    "Grid {size}. You are at {start}.{walls}{key} Goal: {goal}. One move a turn: {moves}.",
    "You are at {start} in a grid {size}.{walls}{key} Goal: {goal}. One move a turn: {moves}.",
    "Grid {size}.{walls}{key} Go from {start} to {goal}. One move a turn: {moves}.",
    "Your goal is {goal}. You are at {start}.{walls}{key} The grid is {size}. One move a turn: {moves}.",
)
_CELL = "[1-9] [1-9]"
_SLOTS = {
    "size": "(?P<width>[1-9]) by (?P<height>[1-9])",
    "start": f"(?P<start>{_CELL})",
    "walls": rf"(?: Walls: (?P<walls>{_CELL}(?:, {_CELL}){{0,19}})\.)?",
    "key": rf"(?: Key: (?P<key>{_CELL})\.)?",
    "goal": f"(?P<goal>{_CELL})",
    "moves": f"(?P<moves>up, down, left, right(?:, {TAKE})?)",
}


@dataclass(frozen=True, slots=True)
class Maze:
    """A grid and how far all its cells are: layer n of `to_goal` (and of `to_key`) has the cells n steps away. Cells
    are bits, and `free` is all that may be entered."""

    width: int
    height: int
    start: int
    goal: int
    key: int | None
    walls: tuple[int, ...]
    free: int
    to_goal: tuple[int, ...]
    to_key: tuple[int, ...]

    @property
    def has(self) -> bool:
        """Whether no key is needed."""
        return self.key is None

    @property
    def length(self) -> int:
        """The moves of the shortest way; 0 where there is none."""
        cells = (self.start, self.goal) if self.key is None else (self.start, self.key)
        open_way = all(any(layer >> cell & 1 for layer in self.to_goal) for cell in cells)
        return self.left(self.start, self.has) if open_way else 0

    @property
    def most(self) -> int:
        """How many moves are allowed."""
        return 3 * self.length + 3

    def left(self, at: int, has: bool) -> int:
        """The fewest moves from a cell, with the key (or none needed) or without it."""
        if has or self.key is None:
            return _layer(self.to_goal, at)
        return _layer(self.to_key, at) + 1 + _layer(self.to_goal, self.key)

    def after(self, at: int, has: bool, move: str) -> tuple[int, bool]:
        """Where a move leads; as it was for what is blocked or no move."""
        if move == TAKE:
            return at, has or at == self.key
        to = at + STEPS.get(move, 0)
        return (to if to >= 0 and self.free >> to & 1 else at), has

    def way(self, at: int, has: bool) -> list[str]:
        """The shortest way from a cell, across before up and down where both are as short."""
        if not has and self.key is not None:
            return [*_descent(self.to_key, at), TAKE, *_descent(self.to_goal, self.key)]
        return _descent(self.to_goal, at)

    def reached(self, moves: Sequence[str]) -> bool:
        """Whether the last of these moves is the one that reaches the goal, with the key if there is one, in time."""
        at, has = self.start, self.has
        for move in moves[: self.most]:
            if has and at == self.goal:
                return False
            at, has = self.after(at, has, move)
        return has and at == self.goal and len(moves) <= self.most


def draw(kind: str, level: int, rng: Rng, held_out: bool) -> str:
    """A question whose shortest way has up to `LENGTHS[level - 1]` steps, and more than the level below has."""
    low, high = (0, *LENGTHS)[level - 1 : level + 1]
    length = high - int((high - low) * rng.random())
    while True:
        legs = _legs(kind, length, rng)
        maze = _placed(kind, legs, WALLS[level - 1], rng)
        if maze and maze.length == length + (kind == "key"):
            return _written(maze, WORDINGS[-1] if held_out else pick(WORDINGS[:-1], rng))


def _legs(kind: str, length: int, rng: Rng) -> list[tuple[int, int]]:
    """How far across and along each leg leads: to the goal, or to the key and from there to the goal. Half of the
    `walls` lie on a line two steps shorter than the way."""
    if kind == "walls" and 4 <= length <= 10 and rng.random() < 0.5:
        line = _signed(length - 2, rng)
        return [(line, 0) if rng.random() < 0.5 else (0, line)]
    first = 0 if length == 1 else 1 + int((length - 1) * rng.random())
    return [_leg(part, rng) for part in ((first, length - first) if kind == "key" else (length,))]


def _leg(length: int, rng: Rng) -> tuple[int, int]:
    least, most = max(0, length - LARGEST + 1), min(LARGEST - 1, length)
    across = least + int((most - least + 1) * rng.random())
    return _signed(across, rng), _signed(length - across, rng)


def _signed(size: int, rng: Rng) -> int:
    return size if rng.random() < 0.5 else -size


def _placed(kind: str, legs: Sequence[tuple[int, int]], walls: int, rng: Rng) -> Maze | None:
    """The legs somewhere in a grid that they fit in; None where the goal would be the start, or walls would not fit."""
    xs, ys = [0], [0]
    for across, along in legs:
        xs.append(xs[-1] + across)
        ys.append(ys[-1] + along)
    wide, high = max(xs) - min(xs) + 1, max(ys) - min(ys) + 1
    if wide > LARGEST or high > LARGEST or (xs[-1], ys[-1]) == (0, 0):
        return None
    width, height = (
        low + int((LARGEST - low + 1) * rng.random()) for low in (max(wide, SMALLEST), max(high, SMALLEST))
    )
    left = int((width - wide + 1) * rng.random()) - min(xs)
    below = int((height - high + 1) * rng.random()) - min(ys)
    cells = [STRIDE * (y + below) + x + left for x, y in zip(xs, ys, strict=True)]
    count = 0 if kind == "walk" else walls if kind == "walls" else walls // 2 * (walls > 3)
    built = _built(cells, width, height, (count, kind == "walls"), rng)
    return _mapped((width, height), (cells[0], cells[-1]), cells[1] if kind == "key" else None, built)


def _built(cells: Sequence[int], width: int, height: int, asked: tuple[int, bool], rng: Rng) -> tuple[int, ...]:
    """So many walls beside these cells, one of them on the straight way where that is asked and there is room."""
    count, blocking = asked
    walls: list[int] = []
    at, between = cells[0], list[int]()
    for move in straight(cells[0], cells[-1])[:-1] if blocking else ():
        at += STEPS[move]
        between.append(at)
    if between:
        walls.append(between[int(len(between) * rng.random())])
    for _ in range(4 * count):
        cell = STRIDE * int(height * rng.random()) + int(width * rng.random())
        if len(walls) < count and cell not in walls and cell not in cells:
            walls.append(cell)
    return tuple(sorted(walls))


def _mapped(size: tuple[int, int], ends: tuple[int, int], key: int | None, walls: tuple[int, ...]) -> Maze:
    row = (1 << size[0]) - 1
    free = sum(row << STRIDE * y for y in range(size[1]))
    for wall in walls:
        free &= ~(1 << wall)
    to_key = () if key is None else _layers(key, free)
    return Maze(*size, *ends, key, walls, free, _layers(ends[1], free), to_key)


def _written(maze: Maze, wording: str) -> str:
    walls = f" Walls: {', '.join(map(named, maze.walls))}." if maze.walls else ""
    return wording.format(
        size=f"{maze.width} by {maze.height}",
        start=named(maze.start),
        walls=walls,
        key="" if maze.key is None else f" Key: {named(maze.key)}.",
        goal=named(maze.goal),
        moves=", ".join(("up", "down", "left", "right") if maze.key is None else ("up", "down", "left", "right", TAKE)),
    )


def read(question: str) -> tuple[Maze, bool]:
    """The maze of a question and whether its wording is held out; ValueError where it is none or has no way."""
    for wording, pattern in _PATTERNS:
        found = pattern.fullmatch(question) if len(question) < 400 else None
        if found:
            size = int(found["width"]), int(found["height"])
            key = _cell(found["key"]) if found["key"] else None
            walls = tuple(map(_cell, found["walls"].split(", "))) if found["walls"] else ()
            maze = _mapped(size, (_cell(found["start"]), _cell(found["goal"])), key, walls)
            inside = all(cell % STRIDE < size[0] and cell // STRIDE < size[1] for cell in (maze.start, maze.goal))
            shut = any(cell in walls for cell in (maze.start, maze.goal, key))
            if inside and not shut and maze.length and (key is None) == (TAKE not in found["moves"]):
                return maze, wording == WORDINGS[-1]
    raise ValueError(
        f"expected a grid with a way to its goal, such as 'Grid 3 by 3. You are at', got {question[:80]!r}"
    )


def named(cell: int) -> str:
    """Such as `2 1`."""
    return f"{cell % STRIDE + 1} {cell // STRIDE + 1}"


def _cell(text: str) -> int:
    return int(text[0]) - 1 + STRIDE * (int(text[2]) - 1)


def _layer(layers: Sequence[int], cell: int) -> int:
    return next(n for n, layer in enumerate(layers) if layer >> cell & 1)


def _layers(cell: int, free: int) -> tuple[int, ...]:
    layers = [1 << cell]
    while edge := layers[-1]:
        free &= ~edge
        layers.append((edge << 1 | edge >> 1 | edge << STRIDE | edge >> STRIDE) & free)
    return tuple(layers[:-1])


def _descent(layers: Sequence[int], at: int) -> list[str]:
    """The way down the layers from a cell to the first."""
    moves: list[str] = []
    for layer in layers[: _layer(layers, at)][::-1]:
        move, step = next((move, step) for move, step in STEPS.items() if at + step >= 0 and layer >> at + step & 1)
        moves.append(move)
        at += step
    return moves


def straight(start: int, goal: int) -> list[str]:
    """The moves from one cell to another as if there were no walls, across first."""
    across, along = goal % STRIDE - start % STRIDE, goal // STRIDE - start // STRIDE
    return ["right" if across > 0 else "left"] * abs(across) + ["up" if along > 0 else "down"] * abs(along)


def _compiled(wording: str) -> re.Pattern[str]:
    pattern = re.escape(wording)
    for name, slot in _SLOTS.items():
        pattern = pattern.replace(rf"\{{{name}\}}", slot)
    return re.compile(pattern)


_PATTERNS = [(wording, _compiled(wording)) for wording in WORDINGS]
