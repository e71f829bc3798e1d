"""What a run delivers, as a folder that stands alone: weights that others can load, the solver as data, and a card."""

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sharpen.arena.disk import in_a_sentence, replace
from sharpen.arena.journal import Journal
from sharpen.core.archive import to_tagged
from sharpen.core.budget import parse_budget
from sharpen.core.errors import InvalidInput
from sharpen.core.method import Solver, weights_in
from sharpen.core.ports import Model
from sharpen.core.records import Weights

SOLVER, CARD = "solver.json", "SHARPEN.md"

LICENCES = {"nano": "Apache-2.0", "nano-critic": "Apache-2.0", "smollm2": "Apache-2.0"}
"""Of the models that come with a name of ours."""


def deliver(journal: Journal, model: Model, solver: Solver) -> None:
    """Puts solver/ into a run's folder, whole or not at all: what was learned as an adapter where it is one, else as a
    Hugging Face folder (nothing where nothing was learned, or the model has no such form), and the solver as data.

    Raises SharpenError where the disk does not take it.
    """
    draft = journal.solver.with_name(".solver.draft")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        with in_a_sentence(f"write what {journal.folder} delivered"):
            for weights in learned(model, solver)[:1]:
                _export(model, weights, draft)
            draft.mkdir(exist_ok=True)
            (draft / SOLVER).write_text(json.dumps(to_tagged(solver), indent=2) + "\n", encoding="utf-8")
            if journal.solver.exists():
                shutil.rmtree(journal.solver)
            draft.rename(journal.solver)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def learned(model: Model, solver: Solver) -> list[Weights]:
    """The weights of this model that a solver names and that are not its base."""
    return [named for named in weights_in(solver) if named.body == model.base.body and named != model.base]


def _export(model: Model, weights: Weights, folder: Path) -> None:
    for form in ("peft", "hf"):
        with suppress(InvalidInput):  # these weights have no such form
            model.export(weights, folder, "peft" if form == "peft" else "hf")
            return


def write_card(journal: Journal, result: Mapping[str, Any]) -> None:
    """Puts the card beside what was delivered."""
    text = card(journal.config, result)
    with in_a_sentence(f"write the card of {journal.folder}"):
        replace(journal.solver / CARD, lambda file: file.write(text.encode()))


def card(config: Mapping[str, Any], result: Mapping[str, Any] | None) -> str:
    """What others should know, in Markdown: base model, licence, budget, and what was gained; `result` is None where
    the run has none yet."""
    model = config["model"]
    licence = LICENCES.get(model, "the base model's own")
    lines = [
        f"# {model}, sharpened by {config['method']}",
        "",
        f"- Base model: {model}. Licence: {licence}; it holds for what was learned from it too.",
        f"- Task: {config['task']}. Seed: {config['seed']}. Budget: {parse_budget(config['budget'])}.",
        f"- Made by sharpen {config.get('version', '')}, commit {config.get('commit') or 'unknown'}.",
    ]
    if result is not None:
        exam, work = result["exam"], result["spend"]["work"]
        gain = exam["difference"]
        bounds = "" if gain["low"] is None else f" [{gain['low']:+.3f}, {gain['high']:+.3f}]"
        lines += [
            f"- Held-out score: {exam['before']['score']:.3f} before, {exam['after']['score']:.3f} after; "
            f"difference {gain['mean']:+.3f}{bounds} ({gain['label']}).",
            f"- Training: {result['spend']['flops']:.2g} FLOPs, {work['verdicts']} verdicts, "
            f"{work['labelled']} labelled problems, {result['rounds']} rounds.",
        ]
    return "\n".join(lines) + "\n"
