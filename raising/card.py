"""Writes the card of the raised model from what was measured: what it was raised on, its ladders and its skills.

    python -m raising.card --raised DIR --checked CHECK.json --commit COMMIT

DIR is what `raising.nano` wrote, CHECK.json what `sharpen check --model DIR --json` printed.
"""

import argparse
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from raising.mixture import FACTS, FAMILY_SHARES, LEARNING, SETTLING, SKILL_SHARES
from raising.solving import Faults
from sharpen.tasks.solutions import LEVELS

CARD = """# nano

A language model small enough to be improved while one watches. **What a method gains on it does not predict what it gains
on a large model**: nano makes a method's mechanics visible, cheap and falsifiable, no more.

- A Llama-family decoder of {parameters:,} parameters: {layers} layers of width {width}, {heads} query and {kv_heads} key-value heads, SwiGLU of
  {hidden}, rotary positions, tied embeddings, context {context}. float32. It loads with `transformers.AutoModelForCausalLM`.
- Tokenizer: {vocabulary} byte-level BPE tokens, trained on the same text; a digit and a sign are a token each, nothing is unknown, and there are
  marks for padding, the end of a turn and the roles system, user, assistant, tool. Decoding gives the text back.
- Licence: Apache-2.0, as the package. Raised on generated text alone.
- model.safetensors sha256: `{checksum}`

## What it was raised on

    python -m raising.nano --seed {seed} --out DIR        (in the source tree at commit {commit})

{read:,} tokens in {lessons:,} lessons, {learned:,} of them said by the assistant; what it hears counts a fifth as much. {steps:,} steps
in {minutes:.0f} minutes on two shared cores, one pass, no text twice; loss at the end {loss:.3f} nats per token said. No problem of the dev or test
split and no held-out wording is in the text (`tests/raising/test_text.py`). [The world and the skills](../../../docs/organism.md) are
described with the table of what each method needs.

Shares of the lessons, in percent. Problems with a solution: {families}.
Skills of speech: {skills}.
Single facts: {facts}. Levels 1 to 6: {levels}; 7 and 8 never; above 2 none in the first {easy} of {blocks} blocks.

**Partial competence was made on purpose.** Some solutions in the text are wrong: by the family's bad habit (a wrong procedure, always the
same) or by a slip in one step that is carried on.

| | until then | the last {settling} of {blocks} blocks |
|---|---|---|
| bad habit at levels 1 / 2 / 3 and above | {learning_habit} | {settling_habit} |
| slip, of the rest | {learning_slip} | {settling_slip} |

So from level 3 up a bad habit is about as likely as the right way: nano knows more than it shows, and a few hundred right attempts change it
much. That is a design, not a fact about language models. Replies of the skills (checks, corrections, proposals, ...) always aim at the truth.

The text depends on the seed alone. The weights also depend on the machine's arithmetic: elsewhere the same command gives a model like this
one, within the intervals below, not these bytes.

## Where it stands

    sharpen check --model nano --json        ({problems} test problems a level, {skill_problems} a skill; at the same commit)

Attempts at temperature 1: pass@1 with its 95 % interval over problems (for these weights only), pass@16, and pass@64 on the two top levels.
{ended:.0%} of the attempts end of themselves; the checkers of steps and of answers agree in {agreed:.0%}.

{ladders}

Skills of speech, greedy. Chance: a guess, the best constant reply, or the same without what the skill uses.

{spoken}

Demonstrations of another operation in place of the true one cost {misled}.

It speaks no English beyond these formats, and knows numbers up to a few thousand.
"""


def card(raised: Path, checked: dict[str, Any], commit: str) -> str:
    """The card's text."""
    shape = json.loads((raised / "config.json").read_text(encoding="utf-8"))
    report = json.loads((raised / "raised.json").read_text(encoding="utf-8"))
    seen, plan = report["seen"], report["plan"]
    shares = sum(FAMILY_SHARES.values()) + sum(SKILL_SHARES.values()) + FACTS
    shown = checked["skills"]["demonstrations"]
    problems = {level["problems"] for family in checked["families"].values() for level in family.values()}
    return CARD.format(
        parameters=_parameters(shape),
        layers=shape["num_hidden_layers"],
        width=shape["hidden_size"],
        heads=shape["num_attention_heads"],
        kv_heads=shape["num_key_value_heads"],
        hidden=shape["intermediate_size"],
        context=shape["max_position_embeddings"],
        vocabulary=shape["vocab_size"],
        checksum=sha256((raised / "model.safetensors").read_bytes()).hexdigest(),
        seed=report["seed"],
        commit=commit,
        read=seen["read"],
        lessons=plan["blocks"] * plan["lessons"] - seen.get("too long", 0),
        learned=seen["learned"],
        steps=report["steps"],
        minutes=report["seconds"] / 60,
        loss=report["loss"],
        families=_listed(FAMILY_SHARES, shares),
        skills=_listed(SKILL_SHARES, shares),
        facts=f"{FACTS / shares:.1%}"[:-1],
        levels=" / ".join(f"{100 * share:.0f}" for share in LEVELS.values()),
        blocks=plan["blocks"],
        easy=plan["easy"],
        settling=plan["settling"],
        learning_habit=_habits(LEARNING),
        settling_habit=_habits(SETTLING),
        learning_slip=f"{LEARNING.slip:.0%}",
        settling_slip=f"{SETTLING.slip:.0%}",
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


def _listed(shares: dict[str, float], whole: float) -> str:
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
