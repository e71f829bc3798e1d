"""The family `grid`: hand-worked cases, what holds of every draw, and what it will not be fooled by."""

import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Message, Problem, Scene, user
from sharpen.core.streams import stream
from sharpen.tasks.grid import Grid

FAMILY = Grid()
DRAWS = 150
PLACES = [(kind, level) for kind in FAMILY.kinds for level in FAMILY.levels]
ODD = (
    "",
    "Answer:",
    "Answer: ",
    "Answer: 1\nAnswer: 1",
    "=",
    "7+5=",
    "- ",
    "- - -",
    "\x00",
    "²",
    "-" * 9000,
    "1" * 9000,
)


def drawn(kind: str, level: int) -> list[str]:
    rng = stream("test", kind, level)
    return [FAMILY.draw(kind, level, rng) for _ in range(DRAWS)]


@pytest.mark.parametrize(("kind", "level"), PLACES)
def test_the_plan_is_right_and_so_is_every_move_of_it(kind: str, level: int) -> None:
    for question in drawn(kind, level):
        worked = FAMILY.work(question)
        moves = worked.answer.split(" ")
        assert worked.steps == () and FAMILY.reached(question, moves)
        lines = FAMILY.follow(question, "\n".join(moves))
        assert [line.left for line in lines] == [str(left) for left in range(len(moves) - 1, -1, -1)]
        assert all(line.right for line in lines)


@pytest.mark.parametrize(("kind", "level"), PLACES)
def test_a_slip_is_wrong_from_its_only_line(kind: str, level: int) -> None:
    rng = stream("slip", kind, level)
    assert {FAMILY.slip(question, rng).wrong for question in drawn(kind, level)} == {0}


TURNS = "One move a turn: up, down, left, right"
WALK = f"Grid 3 by 3. You are at 1 1. Goal: 2 3. {TURNS}."
WALLED = f"You are at 1 1 in a grid 3 by 3. Walls: 2 1. Goal: 3 1. {TURNS}."
KEYED = f"Your goal is 1 2. You are at 1 1. Key: 2 1. The grid is 3 by 4. {TURNS}, take."
CASES = (
    (WALK, ("walk", 3, False), "Answer: right up up"),
    (WALLED, ("walls", 4, False), "Answer: up right right down"),
    (KEYED, ("key", 3, True), "Answer: right take left up"),
)


@pytest.mark.parametrize(("question", "place", "text"), CASES)
def test_hand_worked_cases(question: str, place: tuple[str, int, bool], text: str) -> None:
    assert FAMILY.place(question) == place
    assert FAMILY.work(question).text == text


@pytest.mark.parametrize(
    ("question", "plan", "right"),
    [
        (WALK, "up right up", True),
        (WALK, "left right up up", True),
        (WALK, "right up up up", False),
        (WALK, "right up up down", False),
        (WALK, "right up up down up", False),
        (WALK, "up down " * 7 + "right up up", False),
        (WALLED, "right right", False),
        (KEYED, "up", False),
        (KEYED, "up down right take left up", True),
        (KEYED, "take right take left up", True),
    ],
)
def test_a_plan_must_reach_the_goal_with_its_last_move_and_in_time(question: str, plan: str, right: bool) -> None:
    assert FAMILY.right(question, plan) == right


def played(question: str, *moves: str) -> Scene:
    world = FAMILY.world(8)
    scene = world.open(Problem("p", (user(f"How to answer.\n\n{question}"),)))
    for move in moves:
        scene = world.step_many([scene], [Message("assistant", move)])[0]
    return scene


def test_the_world_says_where_each_move_led() -> None:
    scene = played(KEYED, "left", "I must fetch the key.\n right ", "take", "take", "go left", "left")
    assert [message.text for message in scene.chat if message.role == "user"][1:] == [
        "You are at 1 1. A wall.",
        "You are at 2 1.",
        "You are at 2 1. You have the key.",
        "You are at 2 1. You said no move.",
        "You are at 2 1. You said no move.",
        "You are at 1 1.",
    ]
    assert not scene.done


def test_the_goal_without_its_key_is_not_the_end() -> None:
    assert not played(KEYED, "up").done
    done = played(KEYED, "right", "take", "left", "up")
    assert done.done and done.chat[-1] == Message("assistant", "up")


def test_a_wanderer_is_stopped_in_time() -> None:
    assert not played(WALK, *["left"] * 11).done
    assert played(WALK, *["left"] * 12).done
    assert not FAMILY.reached(WALK, ["left"] * 12)


def test_a_scene_that_is_done_takes_no_more_moves() -> None:
    with pytest.raises(InvalidInput):
        played(WALK, "right", "up", "up", "up")


@pytest.mark.parametrize("level", FAMILY.levels)
def test_what_is_reached_in_the_world_is_reached_in_the_judgement(level: int) -> None:
    rng = stream("wander", level)
    for question in drawn("key", level)[:40]:
        world = FAMILY.world(8)
        scene = world.open(Problem("p", (user(question),)))
        moves: list[str] = []
        plan = FAMILY.work(question).answer.split(" ")
        while not scene.done:
            moves.append("up" if rng.random() < 0.1 or len(moves) >= len(plan) else plan[len(moves)])
            scene = world.step_many([scene], [Message("assistant", moves[-1])])[0]
        assert FAMILY.reached(question, moves) == (FAMILY.follow(question, "\n".join(moves))[-1].left == "0")


@pytest.mark.parametrize(
    "question",
    [
        "",
        f"Grid 3 by 3. You are at 1 1. Goal: 1 1. {TURNS}.",
        f"Grid 3 by 3. You are at 1 1. Goal: 4 1. {TURNS}.",
        f"Grid 3 by 3. You are at 1 1. Walls: 2 1, 1 2. Goal: 3 3. {TURNS}.",
        f"Grid 3 by 3. You are at 1 1. Walls: 1 1. Goal: 3 3. {TURNS}.",
        f"Grid 3 by 3. You are at 1 1. Key: 4 4. Goal: 3 3. {TURNS}, take.",
        f"Grid 3 by 3. You are at 1 1. Key: 2 2. Goal: 3 3. {TURNS}.",
        f"Grid 3 by 3. You are at 1 1. Goal: 3 3. {TURNS}, take.",
        "Grid" * 9000,
    ],
)
def test_a_text_that_is_no_question_is_refused(question: str) -> None:
    with pytest.raises(ValueError):
        FAMILY.place(question)


@pytest.mark.parametrize("question", [case[0] for case in CASES])
def test_only_a_plan_alone_is_paid_for(question: str) -> None:
    plan = FAMILY.work(question).answer
    for said in (*ODD, f"{plan} {plan}", f"{plan}.", f"I go {plan}", f"{plan} done", plan.replace(" ", ", "), question):
        assert not FAMILY.right(question, said)


@pytest.mark.parametrize("question", [case[0] for case in CASES])
@pytest.mark.parametrize("text", ODD)
def test_odd_texts_are_wrong_and_never_raise(question: str, text: str) -> None:
    assert not any(line.right for line in FAMILY.follow(question, text))
    assert not FAMILY.reached(question, [text, text])
