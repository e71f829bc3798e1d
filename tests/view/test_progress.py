"""What is shown while runs go on."""

from dataclasses import dataclass
from io import StringIO
from typing import Literal

from rich.console import Console

from sharpen.core.budget import Budget
from sharpen.view.progress import SILENCE, Board, followed, name_of

RUN = "arithmetic--nano--grpo-rloo--3-0a1b2c3d"


@dataclass
class News:
    used: float
    doing: Literal["rounds", "exam", "done", "kept"] = "rounds"
    run: str = RUN
    round: int = 4
    seconds: float = 12.0
    remaining: float | None = 48.0
    dev: float | None = 0.41


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def heard(
    news: list[tuple[float, News]], runs: int = 1, terminal: bool = False, arms: dict[str, int] | None = None
) -> str:
    """What a board says to news at these seconds."""
    clock, file = Clock(), StringIO()
    console = Console(file=file, width=140, get_time=clock, force_terminal=terminal, highlight=False)
    with Board(console, Budget(3e12, "flops"), runs, arms) as board:
        for clock.now, item in news:
            board.tell(item)
    return file.getvalue()


def test_a_log_gets_a_line_at_most_every_few_seconds() -> None:
    lines = heard([(second, News(second / 100)) for second in range(21)]).splitlines()
    assert len(lines) == 20 // SILENCE


def test_a_line_says_spend_time_left_and_score() -> None:
    line = heard([(SILENCE, News(0.2))])
    for part in ("grpo:rloo seed 3", "round 4", "6.0e11 of 3e12flops", "20 %", "48 s left", "dev 0.410"):
        assert part in line


def test_the_end_of_a_run_is_always_said() -> None:
    assert "1 of 2 runs done" in heard([(0.1, News(0.97, "done"))], runs=2)


def test_all_runs_have_a_time_left_once_some_is_done() -> None:
    assert "30 s left in all" in heard([(10.0, News(0.5))], runs=2)


def test_a_terminal_sees_a_bar() -> None:
    assert "done" in heard(
        [(1.0, News(0.2)), (2.0, News(0.9, "exam")), (3.0, News(0.9, "done"))], runs=2, terminal=True
    )


KEPT = [(0.0, News(0.9, "kept", f"climb seed {seed}")) for seed in range(2)]


def test_runs_that_were_over_before_count_and_are_not_told() -> None:
    text = heard([*KEPT, (10.0, News(0.5, run="climb seed 2"))], runs=4)
    assert text.count("\n") == 1 and "2 of 4 runs done" in text
    assert "30 s left in all" in text  # one half of a run in ten seconds, one and a half to go


def test_runs_that_were_over_before_say_nothing_of_the_time_left() -> None:
    assert "left in all" not in heard([*KEPT, (10.0, News(0.0, run="climb seed 2"))], runs=4)


def test_each_arm_is_counted_with_its_spend_and_time_left() -> None:
    news = [*KEPT, (10.0, News(1.0, "done", "climb seed 2", seconds=20.0)), (20.0, News(0.5, run="poll seed 0"))]
    first, second = heard(news, runs=8, arms={"climb": 4, "poll": 4}).splitlines()
    assert "; climb: 3 of 4, 8.4e12 of 1.2e13flops, 20 s of runs left; 3 of 8 runs done" in first
    assert "; poll: 0 of 4, 1.5e12 of 1.2e13flops, 84 s of runs left; 3 of 8" in second


def test_a_terminal_sees_a_bar_an_arm() -> None:
    text = heard([*KEPT, (10.0, News(0.5, run="climb seed 2"))], runs=4, terminal=True, arms={"climb": 4})
    assert "2 of 4" in text and "climb seed 2" in text


def test_a_folder_of_another_form_keeps_its_name() -> None:
    assert name_of("mine") == "mine"


def test_items_that_take_their_time_are_passed_on_and_counted() -> None:
    clock, file = Clock(), StringIO()
    console = Console(file=file, width=140, get_time=clock, highlight=False)
    passed = []
    for item in followed(console, iter("abcd"), 4, str.upper):
        passed.append(item)
        clock.now += SILENCE
    assert passed == list("abcd")
    assert file.getvalue().splitlines() == ["2 of 4: B; 5.0 s left", "3 of 4: C; 3.3 s left", "4 of 4: D; 0.0 s left"]
