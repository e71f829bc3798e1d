"""Claims for the command line: which there are, and what has been found of them so far; nothing is run."""

from collections.abc import Mapping
from pathlib import Path

from rich import box
from rich.table import Table
from rich.text import Text

from sharpen.arena.cards import Card, read_card, stale
from sharpen.arena.claims import Claims, claim_files, read_claims
from sharpen.cli.sentences import out
from sharpen.core.errors import InvalidInput, nearest


def claimed(folder: Path, method: str | None, every: bool = False) -> list[Claims]:
    """The claim file of a method, or all that a folder holds."""
    if every is not (method is None):
        raise InvalidInput(
            f"expected either a method or --all, got {method or 'neither'}{' and --all' if every else ''}"
        )
    files = claim_files(folder)
    if method is None:
        return [read_claims(path) for path in files.values()]
    if method not in files:
        raise InvalidInput(nearest(f"claim file in {folder} for", method, files))
    return [read_claims(files[method])]


def show_claims(folder: Path) -> None:
    """Every claim of a folder, with its verdict where there is a card, and whether that is of the file as it stands."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("method", "claim", "what is claimed", "verdict", "card"):
        table.add_column(head, overflow="fold")
    for claims in claimed(folder, None, every=True):
        card = read_card(folder, claims.method)
        found = _verdicts(card)
        for place, claim in enumerate(claims.claims):
            first = (Text(claims.method, "bold"), Text(state(card, claims))) if place == 0 else (Text(), Text())
            table.add_row(first[0], claim.id, Text(claim.says), found.get(claim.id, "—"), first[1])
    out().print(table)
    out().print("sharpen replicate METHOD decides the claims of one of them.", style="dim")


def state(card: Card | None, claims: Claims) -> str:
    """Whether there is a card, and whether it is of the claim file as it stands."""
    if card is None:
        return "none yet"
    return "stale: the claim file has changed since" if stale(card, claims) else f"made {card.date}"


def _verdicts(card: Card | None) -> Mapping[str, str]:
    return {} if card is None else {finding.claim: finding.verdict for finding in card.findings}
