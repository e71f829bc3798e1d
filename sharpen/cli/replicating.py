"""Claims decided for the command line: runs under way, verdicts, the card and the page; or only what it would cost."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich import box
from rich.table import Table
from rich.text import Text

from sharpen.arena.cards import Card, card_of, read_card, stale, write_card
from sharpen.arena.claims import Arm, Claims
from sharpen.arena.disk import in_a_sentence, replace
from sharpen.arena.estimate import Estimate, estimate
from sharpen.arena.quantities import metric_in
from sharpen.arena.replicate import opened, replicate
from sharpen.arena.setup import Openers
from sharpen.cli.claiming import state
from sharpen.cli.orders import jobs_for, openers
from sharpen.cli.running import resumable
from sharpen.cli.sentences import out, said
from sharpen.core.archive import to_json
from sharpen.core.budget import Spend
from sharpen.core.errors import SharpenError
from sharpen.view.numbers import plural, scientific, span
from sharpen.view.progress import Board
from sharpen.view.replication import looked, mixed, placed, section, verdicts


def replicate_claims(stated: Sequence[Claims], folder: Path, below: Path, jobs: int | None) -> None:
    """One claim file after the other; one that fails does not keep the others from being decided."""
    failed: list[str] = []
    with resumable("the same command"):
        for claims in stated:
            try:
                decide(claims, openers(), folder, below, jobs_for(claims.orders(), jobs))
            except SharpenError as failure:
                if len(stated) == 1:
                    raise
                said(f"{claims.method}: {failure}")
                failed.append(claims.method)
    if failed:
        raise SharpenError(f"{', '.join(failed)} could not be decided; the same command tries them again")


def decide(claims: Claims, parts: Openers, folder: Path, below: Path, jobs: int) -> None:
    """The runs of a claim file, its verdicts, its card and the section of its page. A card that is stale by now is
    marked so on the page before anything is run. Raises KeyboardInterrupt where it was stopped."""
    before = read_card(folder, claims.method)
    runs = plural(len(claims.orders()), "run")
    out().rule(f"[bold]{claims.method}", align="left", style="dim")
    out().print(f"{plural(len(claims.claims), 'claim').capitalize()}, {runs}, {jobs} at a time.", end=" ")
    out().print(Text(f"Card: {state(before, claims)}. The start is examined first."), soft_wrap=True)
    if before is not None and stale(before, claims):
        _place(before, folder, stale=True)
    arms = {arm.name: len(claims.seeds) for arm in claims.arms}
    with Board(out(), claims.budget, len(claims.orders()), arms) as board:
        found = replicate(claims, parts, below, jobs, board.tell)
    for run, failure in found.failures.items():
        said(f"{run}: {failure}")
    if found.stopped:
        raise KeyboardInterrupt
    if not found.whole:
        raise SharpenError(
            f"{len(found.failures)} of {runs} failed, so there is no card; the same command tries them again"
        )
    card = card_of(claims, found.results, before)
    out().print(verdicts(_facts(card)))
    for sentence in (looked(_facts(card)), mixed(_facts(card))):
        if sentence:
            out().print(Text(sentence), soft_wrap=True)
    path, page = write_card(folder, card), _place(card, folder)
    out().print(Text.assemble("Card: ", (str(path), "bold"), *page), soft_wrap=True)


def foretell_claims(stated: Sequence[Claims]) -> None:
    """What the arms of each claim file would cost over all seeds; nothing is written."""
    parts = openers()
    for claims in stated:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for head in ("arm", "method", "task", "runs", "FLOPs", "verdicts", "time, about"):
            table.add_column(head, justify="left" if head in ("arm", "method", "task") else "right")
        opened(claims, parts)
        whole, unheard = Spend(), list[str]()
        for arm in claims.arms:
            rehearsed = estimate(parts.open(claims.order(arm, claims.seeds[0])))
            total = sum([rehearsed.whole] * len(claims.seeds), Spend())
            unheard += _unheard(claims, arm, rehearsed)
            whole += total
            table.add_row(arm.name, arm.method, arm.task, str(len(claims.seeds)), *_cells(total))
        table.add_row("all arms", "", "", str(len(claims.orders())), *_cells(whole), style="bold")
        out().rule(f"[bold]{claims.method}", align="left", style="dim")
        out().print(table)
        note = f"Budget of a run: {claims.budget}. Exams are not counted. A dry run: nothing was written."
        out().print(Text(note), style="dim", soft_wrap=True)
        for sentence in unheard:
            out().print(Text(sentence), style="yellow", soft_wrap=True)


def _unheard(claims: Claims, arm: Arm, rehearsed: Estimate) -> Iterator[str]:
    """What to say of metrics that claims are made of and a rehearsal of the first round did not log."""
    for claim in claims.claims:
        metric = metric_in(claim.of)
        if arm.name in claim.arms and metric is not None and metric not in rehearsed.metrics:
            logged = ", ".join(sorted(rehearsed.metrics)) or "none"
            yield (
                f"Claim {claim.id} is made of {metric}, which the first round of {arm.name} did not log here "
                f"(it logged {logged}); if no later round does, its first run ends all"
            )


def _cells(spend: Spend) -> tuple[str, str, str]:
    return scientific(spend.flops), scientific(spend.verdicts), span(spend.seconds)


def _place(card: Card, folder: Path, stale: bool = False) -> tuple[str, ...]:
    """Puts the section into the method's page, docs/methods/METHOD.md beside the folder of claims, where there is one;
    what to say of it."""
    page = folder.resolve().parent / "docs" / "methods" / f"{card.method}.md"
    if not page.is_file():
        return (f"; there is no page {page} to put it on",)
    text = placed(page.read_text(encoding="utf-8"), section(_facts(card), stale))
    with in_a_sentence(f"write the page {page}"):
        replace(page, lambda file: file.write(text.encode()))
    return (f", and on the page {page}",)


def _facts(card: Card) -> dict[str, object]:
    """The card as the view reads it: the data that its file holds."""
    facts: dict[str, object] = json.loads(json.dumps(to_json(card)))
    return facts
