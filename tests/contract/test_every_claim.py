"""Every claim file can be begun as it stands, and no card in the repository is of another file than there is now."""

from pathlib import Path

import pytest

from sharpen.arena.cards import CARDS, stale_cards
from sharpen.arena.claims import claim_files, read_claims
from sharpen.arena.quantities import metric_in
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


@pytest.mark.parametrize("method", FILES)
def test_a_metric_that_is_claimed_of_is_on_the_page_of_its_method(method: str) -> None:
    claims = read_claims(FILES[method])
    arms = {arm.name: arm.method.partition(":")[0] for arm in claims.arms}
    for claim in claims.claims:
        metric = metric_in(claim.of)
        for name in claim.arms if metric else ():
            page = (HOME / "docs" / "methods" / f"{arms[name]}.md").read_text()
            assert f"`{metric}`" in page, f"{arms[name]}.md names no metric {metric}, which claim {claim.id} is made of"


def test_no_card_is_stale() -> None:
    assert stale_cards(HOME / "claims") == [], f"make these anew by `sharpen replicate`, or remove {CARDS}/METHOD.json"
