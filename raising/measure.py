"""Measures a model folder on test-split sums, level by level: pass@1, pass@16, greedy accuracy, tokens.

python -m raising.measure --model sharpen/models/nano
"""

import argparse
import math
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from sharpen.core.streams import split_of
from sharpen.tasks.arithmetic import question_of
from sharpen.tasks.expressions import FAMILIES, LEVELS, answered, draw, parse, work

LIMIT = 160  # tokens of a solution; the longest right one, at level 8, has 135


@dataclass(frozen=True, slots=True)
class Question:
    """A sum as the model is asked it, and its value."""

    family: str
    text: str
    answer: int


def questions(level: int, count: int, split: str, seed: int) -> list[Question]:
    """Distinct questions of one split, the families in turn."""
    rng = Random(f"measure {split} {level} {seed}")
    found: dict[str, Question] = {}
    while len(found) < count:
        family = FAMILIES[len(found) % len(FAMILIES)]
        sum_ = draw(family, level, rng)
        text = question_of(sum_)
        if split_of(text) == split:
            found.setdefault(text, Question(family, text, work(parse(sum_))[1]))
    return list(found.values())


@torch.inference_mode()
def sample(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, asked: list[str], each: int, temperature: float
) -> list[list[list[int]]]:
    """`each` solutions per question as token ids, `[question][each][T]`, the end token included; 0 is greedy."""
    prompts = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": q}], add_generation_prompt=True, return_dict=False, tokenize=True
        )
        for q in asked
    ]
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for i, prompt in enumerate(prompts):
        groups[len(prompt)].append(i)
    said: list[list[list[int]]] = [[] for _ in asked]
    for _, members in sorted(groups.items()):
        for first in range(0, len(members), max(1, 256 // each)):
            part = members[first : first + max(1, 256 // each)]
            rows = torch.tensor([prompts[i] for i in part for _ in range(each)])
            for row, tokens in enumerate(_decode(model, rows, temperature, int(tokenizer.eos_token_id))):
                said[part[row // each]].append(tokens)
    return said


def _decode(model: PreTrainedModel, rows: torch.Tensor, temperature: float, end: int) -> list[list[int]]:
    """The new tokens of every row, up to the end token or the limit."""
    output = model(rows, use_cache=True)
    said, open_ = [], torch.ones(len(rows), dtype=torch.bool)
    for _ in range(LIMIT):
        logits = output.logits[:, -1]
        if temperature:
            token = torch.multinomial(torch.softmax(logits / temperature, -1), 1)
        else:
            token = logits.argmax(-1, keepdim=True)
        said.append(token)
        open_ &= token[:, 0] != end
        if not open_.any():
            break
        output = model(token, past_key_values=output.past_key_values, use_cache=True)
    found = []
    for tokens in torch.cat(said, 1).tolist():
        found.append(tokens[: tokens.index(end) + 1] if end in tokens else tokens)
    return found


def wilson(successes: float, trials: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a proportion."""
    z = 1.959964
    p = successes / trials
    middle = (p + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials))
    return middle - half, middle + half


@dataclass(frozen=True, slots=True)
class Rung:
    """How one level went: right answers of each question's samples, greedy answers, and tokens of all samples."""

    asked: list[Question]
    right: list[list[bool]]
    greedy: list[bool]
    tokens: int

    def row(self, name: str, members: list[int]) -> str:
        """A line of the table, over the questions at the places `members`."""
        each = len(self.right[0])
        counts = (
            sum(sum(self.right[i]) / each for i in members),
            sum(any(self.right[i]) for i in members),
            sum(self.greedy[i] for i in members),
        )
        cells = []
        for count in counts:
            low, high = wilson(count, len(members))
            cells.append(f"{count / len(members):.2f} ({low:.2f}-{high:.2f})")
        return f"| {name} | {' | '.join(cells)} | {self.tokens / len(self.asked) / each:.0f} |\n"


def climb(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, asked: list[Question], each: int) -> Rung:
    """Samples every question `each` times at temperature 1, and once greedily."""
    texts = [question.text for question in asked]
    said = sample(model, tokenizer, texts, each, 1.0)
    best = sample(model, tokenizer, texts, 1, 0.0)

    def solves(question: Question, tokens: list[int]) -> bool:
        return answered(str(tokenizer.decode(tokens, skip_special_tokens=True))) == question.answer

    return Rung(
        asked,
        [[solves(question, tokens) for tokens in many] for question, many in zip(asked, said, strict=True)],
        [solves(question, one[0]) for question, one in zip(asked, best, strict=True)],
        sum(len(tokens) for many in said for tokens in many),
    )


def main() -> None:
    """Writes a Markdown table to standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--problems", type=int, default=300)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--levels", type=int, nargs="+", default=list(LEVELS))
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--families", action="store_true", help="a line for each family too")
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(2)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32)
    sys.stdout.write(f"| level | pass@1 | pass@{arguments.samples} | greedy | tokens |\n|---|---|---|---|---|\n")
    for level in arguments.levels:
        asked = questions(level, arguments.problems, arguments.split, arguments.seed)
        rung = climb(model, tokenizer, asked, arguments.samples)
        sys.stdout.write(rung.row(str(level), list(range(len(asked)))))
        for family in FAMILIES if arguments.families else ():
            members = [i for i, question in enumerate(asked) if question.family == family]
            sys.stdout.write(rung.row(f"{level} {family}", members))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
