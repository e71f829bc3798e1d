"""Raises `nano`, the embedded model: a Llama-family decoder of 0.8M parameters taught sums from generated text.

    python -m raising.nano --seed 0 --out sharpen/models/nano

First it learns to work sums out, then, shortly, habits that go wrong (`raising.mixture`): it comes to know more than it
shows, which is what a self-improvement method has to work with.
"""

import argparse
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import torch
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from raising.mixture import Mixture, lesson
from raising.tokenizer import ROLES, build, write

CONTEXT = 512


@dataclass(frozen=True, slots=True)
class Stage:
    """A mixture, how many lessons of it in batches of how many, and the peak learning rates (Muon's and AdamW's)."""

    mixture: Mixture
    lessons: int
    matrix_rate: float
    rate: float
    batch: int = 96
    warmup: int = 100  # steps


SHARES = {1: 0.34, 2: 0.26, 3: 0.24, 4: 0.09, 5: 0.05, 6: 0.02}
STAGES = (
    Stage(
        Mixture(
            levels=SHARES,
            habits={"add": 0.35, "subtract": 0.45, "multiply": 0.55, "brackets": 0.6, "mixed": 0.55},
            by_level={1: 0.05, 2: 0.5, 3: 1.0, 4: 1.0, 5: 1.0, 6: 1.0},
            flat=0.5,
            slip=0.04,
        ),
        lessons=300_000,
        matrix_rate=2e-2,
        rate=3e-3,
    ),
    Stage(
        Mixture(
            levels=SHARES,
            habits={"add": 0.52, "subtract": 0.55, "multiply": 0.61, "brackets": 0.59, "mixed": 0.61},
            by_level={1: 0.02, 2: 0.5, 3: 1.0, 4: 1.0, 5: 1.0, 6: 1.0},
            flat=0.5,
            slip=0.01,
        ),
        lessons=20_000,
        matrix_rate=5e-3,
        rate=1e-3,
        warmup=20,
    ),
)


def batches(
    tokenizer: PreTrainedTokenizerFast, stage: Stage, rng: Random, seen: Counter[str]
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Token ids [B, T] and targets [B, T] (-100 off the solution), of lessons of like length; counts what it gives."""
    pool = 128 * stage.batch
    for first in range(0, stage.lessons, pool):
        texts = [lesson(stage.mixture, rng) for _ in range(min(pool, stage.lessons - first))]
        asked = tokenizer([f"{ROLES['user']}{q}{ROLES['end']}{ROLES['assistant']}" for q, _, _ in texts])["input_ids"]
        said = tokenizer([f"{s}{ROLES['end']}" for _, s, _ in texts])["input_ids"]
        for _, _, faults in texts:
            seen.update(faults)
        order = sorted(range(len(texts)), key=lambda i: len(asked[i]) + len(said[i]))
        groups = [order[i : i + stage.batch] for i in range(0, len(order), stage.batch)]
        rng.shuffle(groups)
        for group in groups:
            width = max(len(asked[i]) + len(said[i]) for i in group)
            ids = torch.full((len(group), width), tokenizer.pad_token_id)
            targets = torch.full((len(group), width), -100)
            for row, i in enumerate(group):
                end = len(asked[i]) + len(said[i])
                ids[row, :end] = torch.tensor(asked[i] + said[i])
                targets[row, len(asked[i]) : end] = torch.tensor(said[i])
                seen["learned"] += len(said[i])
                seen["read"] += end
            yield ids, targets


def teach(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, stage: Stage, rng: Random) -> dict[str, float]:
    """Teaches the model a stage, in place, and says what it saw; progress goes to standard error."""
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    muon = torch.optim.Muon(matrices, lr=stage.matrix_rate, weight_decay=0.0)
    adam = torch.optim.AdamW(others, lr=stage.rate, betas=(0.9, 0.98), weight_decay=0.0)
    total = math.ceil(stage.lessons / stage.batch)
    seen: Counter[str] = Counter()
    started, recent = time.monotonic(), 0.0
    for step, (ids, targets) in enumerate(batches(tokenizer, stage, rng, seen)):
        share = min(1.0, (step + 1) / stage.warmup) * (0.05 + 0.475 * (1 + math.cos(math.pi * step / total)))
        for group in muon.param_groups:
            group["lr"] = stage.matrix_rate * share
        for group in adam.param_groups:
            group["lr"] = stage.rate * share
        hidden = model.model(ids[:, :-1]).last_hidden_state
        wanted = targets[:, 1:] != -100
        loss = functional.cross_entropy(model.lm_head(hidden[wanted]), targets[:, 1:][wanted])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in (muon, adam):
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        recent = 0.98 * recent + 0.02 * loss.item() if step else loss.item()
        if step % 100 == 0 or step + 1 == total:
            passed = time.monotonic() - started
            speed = seen["learned"] / passed
            sys.stderr.write(f"{step + 1}/{total} loss {recent:.3f} {speed:.0f} tokens/s {passed:.0f} s\n")
            sys.stderr.flush()
    return {**seen, "loss": recent, "seconds": time.monotonic() - started}


def config(tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    """The shape of nano."""
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=352,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.05,
        dtype="float32",
    )


def main() -> None:
    """Raises the model, and writes an ordinary Hugging Face folder and `raised.json`, what it saw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    tokenizer = build(CONTEXT)
    model = LlamaForCausalLM(config(tokenizer))
    rngs = (Random(arguments.seed), Random(f"{arguments.seed} habits"))
    seen = [teach(model, tokenizer, stage, rng) for stage, rng in zip(STAGES, rngs, strict=True)]
    arguments.out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(arguments.out)
    (arguments.out / "generation_config.json").unlink()  # it says nothing that config.json does not
    write(tokenizer, arguments.out)
    report = {"seed": arguments.seed, "stages": [asdict(stage) for stage in STAGES], "seen": seen}
    (arguments.out / "raised.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
