"""Every claim file can be begun as it stands, and no card in the repository is of another file than there is now."""

from pathlib import Path

import pytest

from sharpen.arena.cards import CARDS, stale_cards
from sharpen.arena.claims import claim_files, read_claims
from sharpen.arena.replicate import opened
from sharpen.cli.orders import openers

HOME = Path(__file__).parents[2]
FILES = claim_files(HOME / "claims")


@pytest.mark.parametrize("method", FILES)
def test_a_claim_file_can_be_begun(method: str) -> None:
    claims = read_claims(FILES[method])
    tasks = {task for arm in claims.arms for task in (arm.task, *arm.exams)}
    assert set(opened(claims, openers())) == tasks


@pytest.mark.parametrize("method", FILES)
def test_a_claim_file_has_a_page_for_its_section(method: str) -> None:
    assert (HOME / "docs" / "methods" / f"{method}.md").is_file()


def test_no_card_is_stale() -> None:
    assert stale_cards(HOME / "claims") == [], f"make these anew by `sharpen replicate`, or remove {CARDS}/METHOD.json"
