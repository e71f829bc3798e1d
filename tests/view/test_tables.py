"""The table of a comparison in a terminal."""

from io import StringIO
from pathlib import Path

from rich.console import Console

from sharpen.view.rows import Row, alone
from sharpen.view.tables import comparison, interval
from tests.view.journals import FIVE, Made, rows_over, written


def printed(rows: list[Row], width: int = 120) -> str:
    console = Console(file=StringIO(), width=width, highlight=False)
    console.print(comparison(rows))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_every_method_and_number_fits_into_120_columns(tmp_path: Path) -> None:
    text = printed(rows_over(written(tmp_path)))
    assert "…" not in text
    assert all(made.name in text for made in FIVE)
    assert all(len(line) <= 120 for line in text.splitlines())


def test_in_80_columns_nothing_is_cut_either(tmp_path: Path) -> None:
    text = printed(rows_over(written(tmp_path)), 80)
    assert "…" not in text and all(len(line) <= 80 for line in text.splitlines())
    assert all(sum(made.name in line for line in text.splitlines()) == 2 for made in FIVE)
    assert all(head in text for head in ("before", "95 % interval", "verdicts", "unspent"))


def test_a_long_variant_is_not_cut(tmp_path: Path) -> None:
    text = printed(rows_over(written(tmp_path, (Made("expert_iteration:iterative", 0.2),))))
    assert [part in text for part in ("expert_iteration:", "iterative", "…")] == [True, True, False]


def test_an_interval_clear_of_zero_is_starred_and_another_is_not(tmp_path: Path) -> None:
    rows = {row.method: row for row in rows_over(written(tmp_path), half=0.08)}
    assert interval(rows["bstar"]).plain.endswith("*")
    assert not interval(rows["best_of_n"]).plain.endswith("*")


def test_one_seed_has_a_dash_and_a_reason(tmp_path: Path) -> None:
    text = printed(rows_over(written(tmp_path, seeds=1)))
    assert "—" in text
    assert "one value has no spread" in " ".join(text.split())


def test_says_what_the_interval_is_over_and_that_p_is_adjusted(tmp_path: Path) -> None:
    text = " ".join(printed(rows_over(written(tmp_path))).split())
    assert "95% over 5 seeds" in text
    assert "adjusted for 5 methods (Holm)" in text


def test_a_run_alone_shows_its_interval_over_problems(tmp_path: Path) -> None:
    assert "95% over 200 problems" in printed([alone(written(tmp_path, FIVE[:1], 1)[0])])


def test_no_rows_are_a_sentence() -> None:
    assert "No run has finished yet" in printed([])
