"""Raises `nano`, the embedded model: a Llama-family decoder of about a million parameters, on generated text alone.

    python -m raising.nano --seed 0 --out DIR
    python -m raising.nano --variant critic --seed 0 --out DIR      (`nano-critic`, trained further from nano)

Interrupted, the same command goes on from the last block it kept; the weights are the same either way.
"""

import argparse
import json
import os
import sys
import time
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import TypeAlias

import torch
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from raising.mixture import lesson, mixture
from raising.muon import Muon
from raising.solving import Spoken
from raising.tokenizer import ROLES, build, write
from raising.variants import NANO, VARIANTS, Variant

CONTEXT = 512


def config(tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    """The shape of nano."""
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=352,
        num_hidden_layers=5,
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


def drawn(seed: int, block: int, variant: Variant = NANO) -> list[tuple[str, Spoken]]:
    """The lessons of a block."""
    plan, rng = variant.plan, Random(f"{variant.stream(seed)} block {block}")
    made = mixture(block < plan.easy, block >= plan.blocks - plan.settling, variant.shares)
    return [lesson(made, rng) for _ in range(plan.lessons)]


def written(spoken: Spoken) -> list[tuple[str, bool]]:
    """The chat as stretches of text, and whether each is learned: what the assistant says, with the end of its turn."""
    stretches: list[tuple[str, bool]] = []
    for place, message in enumerate(spoken.chat):
        learned = message.role == "assistant" and place >= spoken.start
        stretches += [(ROLES[message.role], False), (f"{message.text}{ROLES['end']}", learned)]
    return stretches


Row: TypeAlias = tuple[list[int], list[float]]
"""Token ids of a lesson, and the weights of their losses."""


class Raising:
    """A model in the making: all that a checkpoint holds."""

    def __init__(self, seed: int, variant: Variant = NANO) -> None:
        self.seed, self.variant, self.plan = seed, variant, variant.plan
        plan = variant.plan
        if variant.start is None:
            texts = (message.text for b in range(4) for _, one in drawn(seed, b, variant) for message in one.chat)
            self.tokenizer = build(CONTEXT, texts)
            torch.manual_seed(seed)
            self.model = LlamaForCausalLM(config(self.tokenizer))
        else:
            self.tokenizer = PreTrainedTokenizerFast.from_pretrained(variant.start)
            self.model = LlamaForCausalLM.from_pretrained(variant.start)
        matrices = [p for n, p in self.model.named_parameters() if p.ndim == 2 and "embed" not in n]
        others = [p for n, p in self.model.named_parameters() if p.ndim != 2 or "embed" in n]
        self.optimizers: tuple[torch.optim.Optimizer, ...] = (
            Muon(matrices, plan.matrix_rate),
            torch.optim.AdamW(others, lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.0),
        )
        self.block, self.steps, self.seconds, self.loss = 0, 0, 0.0, 0.0
        self.seen: Counter[str] = Counter()

    def teach(self) -> None:
        """One block."""
        started = time.monotonic()
        for ids, weights in self._batches():
            self._step(ids, weights)
        self.block += 1
        self.seconds += time.monotonic() - started

    def save(self, path: Path) -> None:
        """The checkpoint, written whole or not at all."""
        kept = {
            "variant": self.variant.name,
            "plan": asdict(self.plan),
            "seed": self.seed,
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "rest": (self.block, self.steps, self.seconds, self.loss, dict(self.seen)),
        }
        torch.save(kept, path.with_suffix(".part"))
        os.replace(path.with_suffix(".part"), path)

    def restore(self, path: Path) -> None:
        """Goes on from a checkpoint; ValueError where it is of another variant, plan or seed."""
        kept = torch.load(path, weights_only=True)
        if (kept["variant"], kept["plan"], kept["seed"]) != (self.variant.name, asdict(self.plan), self.seed):
            raise ValueError(
                f"expected a checkpoint of {self.variant.name} by this plan and seed in {path}; "
                "remove it or take another --out"
            )
        self.model.load_state_dict(kept["model"])
        for optimizer, state in zip(self.optimizers, kept["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self.block, self.steps, self.seconds, self.loss, seen = kept["rest"]
        self.seen = Counter(seen)

    def _batches(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Token ids [B, T] and weights of their losses [B, T] of a block's lessons; like lengths together."""
        lessons = drawn(self.seed, self.block, self.variant)
        stretches = [written(spoken) for _, spoken in lessons]
        flat = [text for one in stretches for text, _ in one]
        encoded = iter(self.tokenizer(flat, add_special_tokens=False)["input_ids"])
        rows: list[Row] = []
        for (name, _), one in zip(lessons, stretches, strict=True):
            ids: list[int] = []
            weights: list[float] = []
            for _, learned in one:
                tokens = next(encoded)
                ids += tokens
                weights += [1.0 if learned else self.plan.heard] * len(tokens)
            if len(ids) > CONTEXT:
                self.seen["too long"] += 1
                continue
            rows.append((ids, weights))
            self.seen[name] += 1
            self.seen[f"{name} tokens"] += len(ids)
        rows.sort(key=lambda row: len(row[0]))
        groups: list[list[Row]] = [[]]
        for row in rows:
            if (len(groups[-1]) + 1) * len(row[0]) > self.plan.tokens:
                groups.append([])
            groups[-1].append(row)
        Random(f"{self.variant.stream(self.seed)} order {self.block}").shuffle(groups)
        return [self._padded(group) for group in groups]

    def _padded(self, group: list[Row]) -> tuple[torch.Tensor, torch.Tensor]:
        width = max(len(ids) for ids, _ in group)
        ids = torch.full((len(group), width), int(self.tokenizer.pad_token_id))
        weights = torch.zeros(len(group), width)
        for row, (tokens, wanted) in enumerate(group):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            weights[row, : len(wanted)] = torch.tensor(wanted)
            self.seen["read"] += len(tokens)
            self.seen["learned"] += sum(weight == 1.0 for weight in wanted)
        return ids, weights

    def _step(self, ids: torch.Tensor, weights: torch.Tensor) -> None:
        left = (self.plan.blocks - self.block) / (self.plan.decay * self.plan.blocks)
        share = min(1.0, (self.steps + 1) / self.plan.warmup, max(0.05, left))
        for optimizer, peak in zip(self.optimizers, (self.plan.matrix_rate, self.plan.rate), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = peak * share
        hidden = self.model.model(ids[:, :-1], use_cache=False).last_hidden_state
        weights = weights[:, 1:].flatten()
        counted = weights > 0
        logits = self.model.lm_head(hidden.flatten(0, 1)[counted])
        losses = functional.cross_entropy(logits, ids[:, 1:].flatten()[counted], reduction="none")
        said = weights[counted] == 1.0
        (losses @ weights[counted] / weights.sum()).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        now = losses.detach()[said].mean().item()
        self.loss = 0.98 * self.loss + 0.02 * now if self.steps else now
        self.steps += 1


def main() -> None:
    """Raises the model, and writes an ordinary Hugging Face folder and `raised.json`, what it saw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", choices=list(VARIANTS), help="trained further from nano; nano itself without it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--blocks", type=int, help="fewer make a less able model, sooner")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    checkpoint = arguments.out / "raising.pt"
    variant = VARIANTS.get(arguments.variant, NANO)
    plan = replace(variant.plan, blocks=arguments.blocks or variant.plan.blocks)
    raising = Raising(arguments.seed, replace(variant, plan=plan))
    if checkpoint.exists():
        raising.restore(checkpoint)
    while raising.block < raising.plan.blocks:
        raising.teach()
        if raising.block % raising.plan.kept == 0:
            raising.save(checkpoint)
        left = raising.seconds / raising.block * (raising.plan.blocks - raising.block)
        sys.stderr.write(
            f"block {raising.block}/{raising.plan.blocks} loss {raising.loss:.3f} "
            f"{raising.seen['read'] / raising.seconds:.0f} tokens/s {raising.seconds:.0f} s, {left / 60:.0f} min left\n"
        )
        sys.stderr.flush()
    raising.model.save_pretrained(arguments.out)
    (arguments.out / "generation_config.json").unlink()  # it says nothing that config.json does not
    write(raising.tokenizer, arguments.out)
    report = {
        "variant": raising.variant.name,
        "seed": raising.seed,
        "plan": asdict(raising.plan),
        "steps": raising.steps,
        "loss": raising.loss,
        "seconds": raising.seconds,
        "seen": dict(raising.seen),
    }
    (arguments.out / "raised.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
