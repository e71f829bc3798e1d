"""Writes the card of a raised model from what was measured: what it was raised on, its ladders and its skills.

    python -m raising.card --raised DIR --checked CHECK.json --commit COMMIT

DIR is what `raising.nano` wrote, CHECK.json what `sharpen check --model DIR --json` printed.
"""

import argparse
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from raising.mixture import LEARNING, SETTLING
from raising.solving import Faults
from raising.variants import NANO, VARIANTS, Variant
from sharpen.tasks.solutions import LEVELS

CARD = (Path(__file__).parent / "card.md").read_text(encoding="utf-8")
USUAL = 32
"""Test problems a level, unless the check is told otherwise."""
_MODELS = {NANO.name: NANO, **{variant.name: variant for variant in VARIANTS.values()}}


def card(raised: Path, checked: dict[str, Any], commit: str) -> str:
    """The card's text."""
    shape = json.loads((raised / "config.json").read_text(encoding="utf-8"))
    report = json.loads((raised / "raised.json").read_text(encoding="utf-8"))
    seen, plan, variant = report["seen"], report["plan"], _MODELS[report.get("variant", NANO.name)]
    shares = variant.shares
    whole = sum(shares.families.values()) + sum(shares.skills.values()) + shares.facts
    shown = checked["skills"]["demonstrations"]
    problems = {level["problems"] for family in checked["families"].values() for level in family.values()}
    return CARD.format(
        name=variant.name,
        opening=_opening(variant),
        tokenizer="trained on the same text" if variant.start is None else f"those of {variant.start.name}",
        command=_command(variant, report["seed"]),
        parameters=_parameters(shape),
        layers=shape["num_hidden_layers"],
        width=shape["hidden_size"],
        heads=shape["num_attention_heads"],
        kv_heads=shape["num_key_value_heads"],
        hidden=shape["intermediate_size"],
        context=shape["max_position_embeddings"],
        vocabulary=shape["vocab_size"],
        checksum=sha256((raised / "model.safetensors").read_bytes()).hexdigest(),
        commit=commit,
        read=seen["read"],
        lessons=plan["blocks"] * plan["lessons"] - seen.get("too long", 0),
        learned=seen["learned"],
        heard=f"{plan['heard']:g} times",
        steps=report["steps"],
        minutes=report["seconds"] / 60,
        loss=report["loss"],
        families=_listed(shares.families, whole),
        skills=_listed(shares.skills, whole),
        facts=f"{shares.facts / whole:.1%}"[:-1],
        levels=" / ".join(f"{100 * share:.0f}" for share in LEVELS.values()),
        easy=f"; above 2 none in the first {plan['easy']} of {plan['blocks']} blocks" if plan["easy"] else "",
        faults=_faults(plan["settling"], plan["blocks"]),
        asked="" if max(problems) == USUAL else f" --problems {max(problems)}",
        problems=max(problems),
        skill_problems=6 * max(problems),
        ended=checked["well_formed"],
        agreed=checked["steps_agree"],
        ladders=_ladders(checked["families"]),
        spoken=_skills(checked["skills"]),
        misled=f"{shown['score'] - shown['chance']:.2f} of accuracy ({shown['score']:.2f} with the true ones)",
    )


def _parameters(shape: dict[str, Any]) -> int:
    width, head = shape["hidden_size"], shape["head_dim"]
    attention = 2 * width * head * (shape["num_attention_heads"] + shape["num_key_value_heads"])
    layer = attention + 3 * width * shape["intermediate_size"] + 2 * width
    return shape["vocab_size"] * width + shape["num_hidden_layers"] * layer + width


def _opening(variant: Variant) -> str:
    if variant.start is None:
        return f"{variant.about}."
    start = variant.start.name
    checksum = sha256((variant.start / "model.safetensors").read_bytes()).hexdigest()
    return f"[{start}](../{start}/CARD.md) (sha256 `{checksum}`),\n{variant.about}."


def _command(variant: Variant, seed: int) -> str:
    named = "".join(f"--variant {key} " for key, known in VARIANTS.items() if known is variant)
    return f"python -m raising.nano {named}--seed {seed} --out DIR"


def _faults(settling: int, blocks: int) -> str:
    """A column of rates for each stage: that of learning, where there is one, and the settled end."""
    last = f"the last {settling} of {blocks} blocks"
    stages = {"until then": LEARNING, last: SETTLING} if settling < blocks else {"throughout": SETTLING}
    rows = {
        "": stages,
        "---": ["---"] * len(stages),
        "bad habit at levels 1 / 2 / 3 and above": map(_habits, stages.values()),
        "slip, of the rest": [f"{faults.slip:.0%}" for faults in stages.values()],
    }
    return "\n".join(f"| {' | '.join([name, *cells])} |" for name, cells in rows.items())


def _listed(shares: Mapping[str, float], whole: float) -> str:
    return ", ".join(f"{name} {100 * share / whole:.1f}" for name, share in shares.items())


def _habits(faults: Faults) -> str:
    return " / ".join(f"{rate:.0%}" for rate in faults.habit[:3])


def _ladders(families: dict[str, Any]) -> str:
    rows = ["| family | level | pass@1 | pass@16 | pass@64 |", "|---|---|---|---|---|"]
    for name, levels in families.items():
        for level, found in levels.items():
            most = "" if found["pass@64"] is None else f"{found['pass@64']:.2f}"
            rows.append(f"| {name} | {level} | {_with(found, 'pass@1')} | {found['pass@16']:.2f} | {most} |")
    return "\n".join(rows)


def _skills(skills: dict[str, Any]) -> str:
    rows = ["| skill | score | chance |", "|---|---|---|"]
    rows += [f"| {name} | {_with(found, 'score')} | {found['chance']:.2f} |" for name, found in skills.items()]
    return "\n".join(rows)


def _with(found: dict[str, Any], key: str) -> str:
    bounds = "" if found["low"] is None else f" ({max(0, found['low']):.2f}-{min(1, found['high']):.2f})"
    return f"{found[key]:.2f}{bounds}"


def main() -> None:
    """Writes CARD.md into the raised model's folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raised", type=Path, required=True)
    parser.add_argument("--checked", type=Path, required=True)
    parser.add_argument("--commit", required=True)
    arguments = parser.parse_args()
    checked = json.loads(arguments.checked.read_text(encoding="utf-8"))
    (arguments.raised / "CARD.md").write_text(card(arguments.raised, checked, arguments.commit), encoding="utf-8")


if __name__ == "__main__":
    main()
