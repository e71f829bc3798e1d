"""A card as people read it: on the terminal, and as a section of the method's page."""

from copy import deepcopy
from typing import Any

import pytest
from rich.console import Console

from sharpen.view.replication import looked, mixed, placed, section, sources, verdicts

CLAIM = {
    "id": "gains",
    "says": "it gains ten points",
    "source": "sheet, 1",
    "statistic": "value",
    "of": "gain",
    "arm": "climb",
    "threshold": 0.1,
    "margin": 0.02,
    "than": None,
    "exam": None,
    "relation": "above",
}
FOUND = {
    "claim": "gains",
    "values": [0.2, 0.3],
    "mean": 0.25,
    "low": 0.21,
    "high": 0.29,
    "p": 0.001,
    "adjusted": 0.002,
    "verdict": "replicated",
    "seeds_needed": None,
    "label": "95% over 2 seeds",
}
MADE = {"version": "0.1.0", "commit": "0123456789abcdef", "code": "aaaaaaaa+bbbbbbbb"}
CARD: dict[str, Any] = {
    "method": "climb",
    "model": "nano",
    "budget": "2min",
    "claims": [
        CLAIM,
        {**CLAIM, "id": "keeps", "of": "labelled", "relation": "within", "threshold": 20000.0, "margin": 5.0},
    ],
    "findings": [
        FOUND,
        {
            **FOUND,
            "claim": "keeps",
            "mean": 21234.0,
            "low": 100.0,
            "high": 42368.0,
            "verdict": "undecided",
            "seeds_needed": 1234,
        },
    ],
    "arms": [
        {
            "arm": {
                "name": "fast",
                "method": "climb",
                "task": "toy",
                "teacher": None,
                "judge": None,
                "settings": {"training": {"rate": 0.03}},
                "exams": ["toy:hard"],
                "tried": ["rate 0.03", "rate 0.3"],
            },
            "scored": {"before": 0.25, "after": 0.5, "problems": 300},
            "elsewhere": {"toy:hard": {"before": 0.125, "after": 0.375, "problems": 300}},
            "flops": 2e9,
            "answer_flops": 1e6,
            "verdicts": 512.0,
            "labelled": 64.0,
            "seconds": 119.0,
            "rounds": 12.4,
            "seeds": [{"seed": 0, "made": [MADE]}, {"seed": 3, "made": [MADE]}],
        }
    ],
    "looks": [],
    "departures": ["a toy | no more"],
    "command": "sharpen replicate climb",
    "versions": ["0.1.0"],
    "commits": ["0123456789abcdef"],
    "machines": [{"processor": "Some CPU", "cores": 2, "gpu": "none used", "torch": "2.13.0"}],
    "date": "2026-01-02",
}


def test_the_section_says_claim_number_verdict_spend_and_where() -> None:
    text = section(CARD)
    lines = text.splitlines()
    assert lines[0] == "## Replication"
    for part in (
        "`sharpen replicate climb`",
        "2026-01-02",
        "seeds 0, 3",
        "2min",
        "0123456789,",
        "Some CPU, two cores",
        "2.13.0",
    ):
        assert part.rstrip(",") in lines[2]
    first, second = (line for line in lines if line.startswith("| it gains"))
    assert first == (
        "| it gains ten points (sheet, 1) | above +0.100, margin 0.020 | +0.250 (+0.210 to +0.290) | .002 "
        "| **replicated** |"
    )
    assert "within 5.000 of 2.00e4 | 2.12e4 (100.000 to 4.24e4)" in second
    assert second.endswith("| **undecided**; 1,234 seeds would decide it |")
    arm, other = (line for line in lines if "| `toy" in line)
    assert arm == (
        "| fast: `climb` `training.rate=0.03` (two settings tried on dev) | `toy` | 0.250 | 0.500 | 2.0e9 | 1:59 min "
        "| 1.0e6 | 512 | 64 | 12 |"
    )
    assert "| `toy:hard` | 0.125 | 0.375 |" in other
    assert lines[-1] == "- a toy | no more"
    assert "Stale" not in text


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    tables = [block.splitlines() for block in section(CARD).split("\n\n") if block.startswith("|")]
    assert len(tables) == 2
    for rows in tables:
        assert len({row.count("|") - row.count("\\|") for row in rows}) == 1


def test_a_stale_card_says_so() -> None:
    assert "**Stale: the claim file has changed" in section(CARD, stale=True)


def made(card: dict[str, Any], *by_seed: list[dict[str, str]]) -> dict[str, Any]:
    """The card with runs of that code."""
    other = deepcopy(card)
    for seed, own in zip(other["arms"][0]["seeds"], by_seed, strict=True):
        seed["made"] = own
    return other


def test_runs_of_one_commit_need_no_list() -> None:
    assert "begun" not in section(CARD) and mixed(CARD) == ""


def test_runs_of_several_commits_are_listed_by_arm_and_seed() -> None:
    later = MADE | {"commit": "fedcba9876543210"}
    text = section(made(CARD, [MADE], [MADE, later]))
    assert "begun at" in text
    assert (
        "- fast: 0123456789ab (code aaaaaa+bbbbbb): seeds 0; 0123456789ab (code aaaaaa+bbbbbb), then fedcba987654 "
        "(code aaaaaa+bbbbbb): seeds 3\n" in text
    )
    assert "same code" not in text  # the commit between them changed other files


@pytest.mark.parametrize("code", ["cccccccc+bbbbbbbb", "aaaaaaaa+cccccccc"])
def test_runs_of_other_code_are_marked(code: str) -> None:
    text = section(made(CARD, [MADE], [MADE | {"code": code}]))
    assert "**These runs are not all of the same code" in text


def test_arms_of_other_methods_at_one_commit_are_of_the_same_code() -> None:
    card = deepcopy(CARD)
    other = deepcopy(card["arms"][0])
    other["arm"]["method"] = "poll"
    other["seeds"] = [{"seed": 0, "made": [MADE | {"code": "aaaaaaaa+dddddddd"}]}]
    card["arms"].append(other)
    assert mixed(card) == "" and sources(card) == []


def test_what_was_not_committed_is_said() -> None:
    dirty = MADE | {"commit": "0123456789abcdef-dirty"}
    card = made(CARD, [dirty], [dirty]) | {"commits": ["0123456789abcdef-dirty"]}
    text = section(card)
    assert "commit 0123456789ab-dirty;" in text and "**These runs are of code with changes" in text


def test_without_a_commit_the_version_is_named() -> None:
    bare = MADE | {"commit": "", "version": "0.0.9"}
    text = section(made(CARD, [bare], [MADE]))
    assert "sharpen 0.0.9 (code aaaaaa+bbbbbb): seeds 0" in text


def test_earlier_looks_are_told_with_what_they_cost() -> None:
    assert looked(CARD) == ""
    seen = {"claim": "gains", "mean": 0.2, "p": 0.02, "adjusted": 0.08, "verdict": "undecided"}
    look = {"date": "2026-01-01", "digest": "x", "seeds": [0, 1], "seen": [seen]}
    text = section(CARD | {"looks": [look]})
    assert "look 2, at which p after Holm is multiplied by 4" in text
    assert "2026-01-01, seeds 0, 1: gains undecided (p .080)" in text


def test_a_teacher_is_named_with_its_arm() -> None:
    card = deepcopy(CARD)
    card["arms"][0]["arm"]["teacher"] = "big"
    assert "| fast: `climb` `training.rate=0.03` teacher `big` (two" in section(card)


def test_seeds_that_are_all_alike_have_no_interval() -> None:
    card = deepcopy(CARD)
    card["findings"][0] |= {"low": None, "high": None, "adjusted": None}
    assert "| +0.250 (every seed alike) | — | **replicated** |" in section(card)


def test_the_section_takes_the_place_of_the_one_before() -> None:
    page = "# climb\n\nWhat it is.\n\n## Replication\n\nold\n\n### part of it\n\n## Results\n\nNone yet.\n"
    once = placed(page, section(CARD))
    assert "old" not in once and "part of it" not in once
    assert once.startswith("# climb\n\nWhat it is.\n\n## Replication\n\n") and once.endswith(
        "\n\n## Results\n\nNone yet.\n"
    )
    assert placed(once, section(CARD)) == once


def test_a_page_without_the_section_gets_it_at_its_end() -> None:
    once = placed("# climb\n\nWhat it is.\n", section(CARD))
    assert once == "# climb\n\nWhat it is.\n\n" + section(CARD)
    assert placed(once, section(CARD)) == once


def test_the_terminal_shows_each_claim_with_its_verdict() -> None:
    console = Console(width=120, record=True)
    console.print(verdicts(CARD))
    text = console.export_text()
    assert "gains" in text and "replicated" in text and "+0.210 to +0.290" in text
    assert "1,234 seeds would decide it" in text
