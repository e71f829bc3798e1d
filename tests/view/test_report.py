"""The report of a comparison."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sharpen.view.report import write_report
from sharpen.view.runs import read_run
from tests.view.journals import FIVE, Made, rows_over, write_run, written

VOID = {"meta", "br", "line", "circle", "path", "link", "img"}
LOADING = {"src", "srcset", "poster", "data", "background"}


class Reader(HTMLParser):
    """Checks that elements nest, and collects what a browser would load or link to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.loads += [value or "" for name, value in attrs if name in LOADING or (name == "href" and tag != "a")]
        self.links += [value or "" for name, value in attrs if name == "href" and tag == "a"]
        assert tag not in {"script", "iframe"}

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    assert reader.open == []
    return reader


@pytest.fixture
def report(tmp_path: Path) -> Path:
    runs = written(tmp_path)
    write_report(tmp_path / "report.html", runs, rows_over(runs), "sharpen compare vote --seeds 0-4")
    return tmp_path / "report.html"


def test_is_whole_and_loads_nothing(report: Path) -> None:
    assert read(report).loads == []
    page = report.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert re.search(r"https?:|@import|url\(", page) is None


def test_names_every_method_setting_and_the_command(report: Path) -> None:
    text = " ".join(read(report).text)
    for part in (*(made.name for made in FIVE), "arithmetic", "nano", "3 × 10¹² FLOPs", "0123456789ab", "torch 2.13.0"):
        assert part in text
    assert "sharpen compare vote --seeds 0-4" in text


def test_links_to_every_run_beside_it(report: Path) -> None:
    links = read(report).links
    assert len(links) == 25
    assert all((report.parent / link).is_dir() for link in links)


def test_foreign_text_is_escaped(tmp_path: Path) -> None:
    runs = written(tmp_path, (Made("<b>&grpo", 0.2),), seeds=2)
    write_report(tmp_path / "report.html", runs, rows_over(runs), "a < b")
    assert "<b>" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_runs_that_are_not_finished_have_no_row_but_a_curve(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, FIVE[0], 0, finished=False))
    write_report(tmp_path / "report.html", [run], [], "")
    text = " ".join(read(tmp_path / "report.html").text)
    assert "No run has finished yet." in text
    assert "unfinished" in text
