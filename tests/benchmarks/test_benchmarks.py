"""The benchmark runs at tiny sizes without its peers, and its arithmetic says what a reader takes it to say."""

import json
from dataclasses import replace
from pathlib import Path
from platform import node
from re import fullmatch

import pytest

from benchmarks.__main__ import OUT, main
from benchmarks.alternation import Contender, Reading, alternate
from benchmarks.bench import Bench, Subject, compared
from benchmarks.ceiling import Rates, moved_by_decoding
from benchmarks.machine import machine
from benchmarks.page import BEGIN, END, write_table
from benchmarks.peers import useful
from benchmarks.results import Result, Results, Target, read
from sharpen.models.shape import Shape

PROMISED = {
    *("figure", "device", "model", "ours", "peer", "peer_name", "ratio"),
    *("ceiling", "ceiling_share", "target", "met", "spread", "command", "commit"),
}


def bench(**settings: object) -> Bench:
    return Bench("cpu", Rates(1.0, {}), "abc", lambda share: None, **settings)  # type: ignore[arg-type]


def counting(name: str, rates: list[float], log: list[str], **settings: object) -> Contender:
    """Does as much as the list says in a second, the first of it as warm-up."""

    def run(number: int) -> Reading:
        log.append(f"{name}{number}")
        return Reading(rates[number], 1.0)

    return Contender(name, lambda: run, **settings)  # type: ignore[arg-type]


def result(figure: str = "f", commit: str = "abc") -> Result:
    spread = {"runs": 5, "ratio": [1.5, 2.5]}
    return Result(
        figure, "cpu", "nano", "t/s", 4, 2, "peer", 2, 8, 0.5, "ratio >= 2", True, spread, "", "python", commit
    )


@pytest.mark.parametrize("figure", ["sampling-nano", "scoring-nano", "growth-problems"])
def test_a_figure_runs_and_leaves_whole_records(
    figure: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--quick", "--alone", "--figure", figure, "--out", str(tmp_path)]) == 0
    (file,) = tmp_path.glob("*.json")
    entries = json.loads(file.read_text())
    assert all(set(entry) == {*PROMISED, "unit", "note"} for entry in entries)
    mine = [entry for entry in entries if entry["figure"] == figure]
    assert mine and all(entry["ours"] > 0 for entry in mine)
    assert {entry["figure"].split("-")[0] for entry in entries} == {"ceiling", figure.split("-")[0]}
    assert "min left in all" in capsys.readouterr().out
    if figure != "growth-problems":
        assert all(entry["peer"] is None and entry["met"] is None for entry in mine)
        assert all(entry["ceiling_share"] > 0 for entry in mine)


def test_an_unknown_figure_is_refused_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--figure", "samplign-nano"]) == 2
    assert "sampling-nano" in capsys.readouterr().err


def test_a_quick_run_never_lands_among_the_measurements(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--out", str(OUT)]) == 2
    assert "quick run" in capsys.readouterr().err


def test_a_machine_is_called_by_its_parts() -> None:
    assert fullmatch(r"[a-z0-9-]+-[0-9]+-cores", machine("cpu"))
    assert node().lower() not in machine("cpu").split("-")


def test_contenders_take_turns_and_the_warm_up_does_not_count() -> None:
    log: list[str] = []
    pair = [counting("a", [9, 2, 4, 6], log), counting("b", [9, 1, 1, 2], log)]
    contest = alternate(pair, 3, lambda share: None)
    assert log == ["a0", "b0", "a1", "b1", "a2", "b2", "a3", "b3"]
    assert (contest.median("a"), contest.median("b")) == (4, 1)


def test_the_ratio_is_the_median_of_neighbouring_runs() -> None:
    log: list[str] = []
    pair = [counting("a", [9, 2, 4, 6], log), counting("b", [9, 1, 1, 2], log)]
    measuring = bench(runs=3)
    subject = Subject("f", "nano", "t/s", ceiling=8.0, targets=(("", Target(3, share=0.5)),))
    (found,) = compared(measuring, measuring.contest(pair), pair, subject)
    assert (found.ours, found.peer, found.ratio, found.ceiling_share, found.met) == (4, 1, 3, 0.5, True)
    assert found.spread == {"runs": 3, "ours": [2, 6], "peer": [1, 2], "ratio": [2, 4]}


def test_a_peer_that_fails_is_absent_and_beats_nobody() -> None:
    log: list[str] = []

    def missing() -> None:
        raise ImportError("No module named 'trl'")

    pair = [counting("a", [9, 2, 4], log), Contender("trl", missing)]  # type: ignore[arg-type]
    measuring = bench(runs=2)
    (found,) = compared(
        measuring, measuring.contest(pair), pair, Subject("f", "nano", "t/s", targets=(("", Target(2)),))
    )
    assert (found.peer, found.ratio, found.met) == (None, None, None)
    assert found.note == "absent: ImportError: No module named 'trl'"


def test_a_peer_that_fails_midway_loses_the_runs_it_made() -> None:
    log: list[str] = []
    contest = alternate([counting("a", [9, 2, 4], log), counting("b", [9, 1], log)], 2, lambda share: None)
    assert list(contest.readings) == ["a"] and "IndexError" in contest.absent["b"]


def test_what_ours_raises_is_raised() -> None:
    with pytest.raises(IndexError):
        alternate([counting("a", [9], [])], 1, lambda share: None)
    with pytest.raises(IndexError):
        alternate([counting("a", [9, 1], []), counting("b", [9], [], own=True)], 1, lambda share: None)


def test_only_peers_with_our_weights_have_the_common_target() -> None:
    log: list[str] = []
    pair = [counting("a", [9, 2], log), counting("b", [9, 1], log, same=False)]
    measuring = bench(runs=1)
    (found,) = compared(
        measuring, measuring.contest(pair), pair, Subject("f", "nano", "t/s", targets=(("", Target(1)),))
    )
    assert found.ratio == 2 and found.target is None and found.met is None


@pytest.mark.parametrize(
    ("target", "ratio", "share", "met"),
    [
        (Target(2), 2.0, None, True),
        (Target(2), 1.9, None, False),
        (Target(2), None, None, None),
        (Target(0.6, most=True), 0.6, None, True),
        (Target(0.6, most=True), 0.7, None, False),
        (Target(2, share=0.6), 3.0, 0.5, False),
        (Target(2, share=0.6), 3.0, None, None),
    ],
)
def test_a_target_is_met_as_a_whole(target: Target, ratio: float | None, share: float | None, met: bool | None) -> None:
    assert target.met(ratio, share) is met


def test_nothing_after_the_stop_is_useful() -> None:
    assert useful([5, 1, 7, 1], {1}) == 2
    assert useful([5, 6, 7], {1}) == 3


def test_the_least_time_is_the_slower_of_products_and_bytes() -> None:
    rates = Rates(copy=10.0, products={("nano", 4): 100.0})
    assert rates.least("nano", 4, flops=200.0, moved=10.0) == 2.0
    assert rates.least("nano", 4, flops=200.0, moved=50.0) == 5.0


def test_decoding_reads_all_weights_a_step_and_every_key_and_value_seen() -> None:
    shape = Shape(vocabulary=10, width=4, layers=2, heads=2, kv_heads=1, head_dim=2, hidden=8, context=16)
    # A layer: 4 x 4 (q), 4 x 2 (k), 4 x 2 (v), 4 x 4 (o), 3 x 4 x 8; a position: 2 x 2 layers x 2 numbers.
    assert moved_by_decoding(shape, steps=3, contexts=5) == 4 * (3 * (2 * (16 + 8 + 8 + 16 + 96) + 40) + 5 * 8)


def test_results_replace_older_ones_of_the_same_figure_and_keep_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    results = Results(file)
    results.add([result("f"), result("g")])
    results.add([replace(result("f", "def"), ours=5)])
    assert [(r.figure, r.ours, r.commit) for r in read(file)] == [("f", 5, "def"), ("g", 4, "abc")]
    assert results.has("f", "cpu", "def") and not results.has("f", "cpu", "abc")


def test_a_commit_with_changes_is_measured_again(tmp_path: Path) -> None:
    results = Results(tmp_path / "m.json")
    results.add([result("f", "abc+changes")])
    assert not results.has("f", "cpu", "abc+changes")


def test_the_table_stands_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "speed.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    Results(tmp_path / "machine-2-cores.json").add([result()])
    write_table(tmp_path, page)
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    row = "| f (cpu) | nano | t/s | 4 | 2 | peer | 2.00 | 50% | ratio >= 2 | yes | 5, 1.50 to 2.50 |"
    assert "### machine-2-cores" in text and row in text
    head, rule = (line for line in text.splitlines() if line.startswith(("| figure", "|---")))
    assert head.count("|") == rule.count("|") == row.count("|")
