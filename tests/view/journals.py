"""Journals written by hand: made-up runs for the tests of what is shown of them."""

import json
from dataclasses import dataclass
from math import exp
from pathlib import Path
from random import Random

from sharpen.view.rows import Row, row_of
from sharpen.view.runs import Gain, Run, read_run

START, BUDGET = 0.24, 3e12


@dataclass(frozen=True)
class Made:
    """A made-up method: what it gains in the end, its tries for one answer, its rounds (0: it does not train)."""

    name: str
    gain: float
    tries: int = 1
    rounds: int = 12


FIVE = (
    Made("expert_iteration", 0.31),
    Made("bstar", 0.33, rounds=9),
    Made("grpo", 0.19, rounds=14),
    Made("best_of_n", 0.06, tries=8, rounds=0),
    Made("vote", 0.10, tries=8, rounds=0),
)


def write_run(below: Path, made: Made, seed: int, finished: bool = True) -> Path:
    """A run's folder in the format of the journal."""
    rng = Random(f"{made.name} {seed}")
    folder = below / f"arithmetic--nano--{made.name.replace(':', '-')}--{seed}-0a1b2c3d"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(
        f'task = "arithmetic"\nmodel = "nano"\nmethod = "{made.name}"\nseed = {seed}\nbudget = "{BUDGET!r}flops"\n'
        'version = "0.1.0"\ncommit = "0123456789abcdef0123"\n[cast]\nmodel = "nano"\n'
        '[machine]\nsystem = "Linux-6.1-x86_64"\npython = "3.11.9"\ncores = 2\ntorch = "2.13.0"\nnumpy = "2.1.0"\n'
    )
    gain, lines, flops = made.gain * rng.uniform(0.8, 1.15), [], 0.0
    for number in range(1, max(1, made.rounds) + 1):
        flops += BUDGET / made.rounds * rng.uniform(0.85, 0.98) if made.rounds else 0.0
        grown = gain * (1 - exp(-3.2 * flops / BUDGET)) if made.rounds else gain
        lines.append(_round(number, flops, round(START + grown + rng.gauss(0, 0.012), 3)))
    (folder / "rounds.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    if finished:
        (folder / "result.json").write_text(json.dumps(_result(made, seed, round(START + gain, 3), flops)))
    return folder


def _spend(flops: float) -> dict[str, float]:
    return {"read": 0, "sampled": 9, "learned": 9, "flops": flops, "verdicts": 6144, "labelled": 512, "seconds": 41.2}


def _round(number: int, flops: float, dev: float) -> dict[str, object]:
    charged = {"role": "model", "body": "nano", "work": _spend(flops), "paid": _spend(flops / 2)}
    return {"number": number, "round": {"metrics": {}}, "spent": [charged], "seconds": 3.5 * number, "dev": dev}


def _result(made: Made, seed: int, after: float, flops: float) -> dict[str, object]:
    def exam(score: float, tries: int) -> dict[str, object]:
        return {
            "score": score,
            "low": score - 0.05,
            "high": score + 0.05,
            "n": 200,
            "inference": {"flops": 2.1e8 * tries},
        }

    work = _spend(flops) | ({} if made.rounds else {"verdicts": 0, "labelled": 0})
    spend = {"work": work, "paid": work, "flops": flops, "seconds": 41.2 if made.rounds else 0.1}
    return {
        "method": made.name,
        "seed": seed,
        "spend": {**spend, "unspent": 1 - flops / BUDGET},
        "exam": {
            "before": exam(START, 1),
            "after": exam(after, made.tries),
            "difference": {"mean": after - START, "low": 0.01, "high": 0.4, "label": "95% over 200 problems"},
        },
        "dev": {"before": START + 0.01, "n": 100},
        "rounds": max(1, made.rounds),
        "ended": "budget" if made.rounds else "finished",
    }


def written(below: Path, methods: tuple[Made, ...] = FIVE, seeds: int = 5) -> list[Run]:
    """Finished runs of these methods, read back."""
    return [read_run(write_run(below, made, seed)) for made in methods for seed in range(seeds)]


def rows_over(runs: list[Run], half: float = 0.04) -> list[Row]:
    """A row a method, with intervals of that half width where there are several seeds."""
    rows = []
    for name in dict.fromkeys(run.method for run in runs):
        mine = [run for run in runs if run.method == name]
        gains = [run.finished().after - run.finished().before for run in mine]
        mean = sum(gains) / len(gains)
        several = len(mine) > 1
        label = f"95% over {len(mine)} seeds" if several else "1 seed: no interval, one value has no spread"
        low, high = (mean - half, mean + half) if several else (None, None)
        rows.append(row_of(mine, Gain(mean, low, high, 0.0123 if several else None, label)))
    return rows
