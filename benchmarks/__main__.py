"""python -m benchmarks [--device cpu|cuda] [--figure NAME ...] [--quick] [--alone] [--resume] [--out DIR] [--list]"""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sharpen.cli.environment import calm
from sharpen.core.errors import InvalidInput, nearest

if TYPE_CHECKING:
    from benchmarks.bench import Bench, Figure
    from benchmarks.ceiling import Rates
    from benchmarks.results import Result

OUT = Path(__file__).parent / "results"
TRIED = Path("runs/benchmarks")
"""Where quick runs leave what they found: it is no measurement."""
COUNTED, QUICK = 5, 2
"""Runs of every contender."""


def main(words: list[str] | None = None) -> int:
    """Measures the figures asked for, one after another; each is written down when it is finished."""
    asked = _parser().parse_args(words)
    calm()
    from benchmarks.machine import commit, machine
    from benchmarks.page import write_table
    from benchmarks.results import Results

    try:
        figures = _chosen(asked.figure, asked.device)
        _require_device(asked.device)
        out = _place(asked.out, asked.quick)
    except InvalidInput as wrong:
        print(wrong, file=sys.stderr)
        return 2
    if asked.list:
        print("\n".join(f"{figure.name:24} about {figure.minutes:g} min" for figure in figures))
        return 0
    here = commit()
    results = Results(out / f"{machine(asked.device)}.json")
    todo = [f for f in figures if not (asked.resume and results.has(f.name, asked.device, here))]
    if len(todo) < len(figures):
        print(f"{len(figures) - len(todo)} of {len(figures)} figures are measured already on {here}")
    if not todo:
        return 0
    progress = _Progress(todo)
    rates, found = _ceilings(todo, asked.device, asked.quick, here)
    results.add(found)
    for figure in todo:
        progress.begin(figure)
        results.add(figure.measure(_bench(asked, rates, here, progress)))
        for result in (r for r in results.all if r.of == (figure.name, asked.device)):
            print("  " + _sentence(result))
        if out == OUT:
            write_table(OUT)
    print(f"written to {results.path}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--figure", nargs="+", default=[], metavar="NAME", help="a figure, or a group such as sampling")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that figures run, measures nothing")
    parser.add_argument("--alone", action="store_true", help="without the peers")
    parser.add_argument("--resume", action="store_true", help="leave out what was measured on this very commit")
    parser.add_argument("--out", type=Path, help=f"where to write (default {OUT.parent.name}/{OUT.name})")
    parser.add_argument("--list", action="store_true", help="the figures there are, and how long they take")
    return parser


def _chosen(names: list[str], device: str) -> "list[Figure]":
    """The figures of these names or groups that the device has; all of them where none is named."""
    from benchmarks import growth, learning, overhead, policy_gradient, sampling, scoring, trees

    rooms = (sampling, scoring, trees, learning, policy_gradient, overhead, growth)
    figures = [figure for room in rooms for figure in room.FIGURES if device in figure.devices]
    for name in names:
        if not any(figure.name == name or figure.name.startswith(f"{name}-") for figure in figures):
            raise InvalidInput(nearest(f"figure on {device}", name, [figure.name for figure in figures]))
    return [f for f in figures if not names or any(f.name == name or f.name.startswith(f"{name}-") for name in names)]


def _place(out: Path | None, quick: bool) -> Path:
    """The folder to write to."""
    if out is None:
        return TRIED if quick else OUT
    if quick and out.resolve() == OUT:
        raise InvalidInput(
            f"expected another folder for a quick run than {out}, where measurements are; leave --out away"
        )
    return OUT if out.resolve() == OUT else out


def _require_device(device: str) -> None:
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise InvalidInput("expected a GPU for --device cuda, got none that torch can use; measure with --device cpu")


def _ceilings(figures: "list[Figure]", device: str, quick: bool, commit: str) -> "tuple[Rates, list[Result]]":
    """What the machine can do now, and the same as results."""
    from benchmarks.ceiling import Rates, copy_rate, product_rate
    from benchmarks.results import Result

    print("measuring what this machine can do ...", flush=True)
    wanted = sorted({product for figure in figures for product in figure.products})
    rates = Rates(copy_rate(device, quick), {(m, rows): product_rate(m, rows, device, quick) for m, rows in wanted})
    named = [("ceiling-copy", "", "GB/s", rates.copy / 1e9)]
    named += [
        (f"ceiling-products-{model}-{rows}", model, "GFLOP/s", v / 1e9) for (model, rows), v in rates.products.items()
    ]
    command = f"python -m benchmarks --device {device}"
    found = [
        Result(
            figure,
            device,
            model,
            unit,
            value,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            {"runs": 1},
            "",
            command,
            commit,
        )
        for figure, model, unit, value in named
    ]
    for result in found:
        print(f"  {result.figure} {result.model}: {result.ours:.1f} {result.unit}")
    return rates, found


def _bench(asked: argparse.Namespace, rates: "Rates", commit: str, progress: "_Progress") -> "Bench":
    from benchmarks.bench import Bench

    runs = QUICK if asked.quick else COUNTED
    return Bench(asked.device, rates, commit, progress.tell, runs, asked.quick, asked.alone)


class _Progress:
    """Says how far all figures are, and how long they will still take if they take as they took."""

    def __init__(self, figures: "list[Figure]") -> None:
        self._whole = sum(figure.minutes for figure in figures)
        self._start, self._done, self._count, self._of = time.monotonic(), 0.0, 0, len(figures)
        self._now: Figure | None = None

    def begin(self, figure: "Figure") -> None:
        """The next figure."""
        self._done += self._now.minutes if self._now else 0.0
        self._now = figure
        self._count += 1
        print(f"[{self._count}/{self._of}] {figure.name}", flush=True)

    def tell(self, share: float) -> None:
        """The share of this figure that is done, 0 to 1."""
        if self._now is None:
            return
        done = (self._done + share * self._now.minutes) / self._whole
        left = (time.monotonic() - self._start) * (1 - done) / done
        print(f"  {share:4.0%} of {self._now.name}, about {left / 60:.1f} min left in all", flush=True)


def _sentence(result: "Result") -> str:
    """One result in a line."""
    text = f"{result.ours:.4g} {result.unit}"
    if result.peer_name:
        theirs = f"{result.peer:.4g}, ratio {result.ratio:.2f}" if result.peer and result.ratio else result.note
        text += f"; {result.peer_name}: {theirs}"
    if result.ceiling_share is not None:
        text += f"; {result.ceiling_share:.0%} of the ceiling"
    return text + (f"; target {result.target}: {'met' if result.met else 'not met'}" if result.met is not None else "")


if __name__ == "__main__":
    sys.exit(main())
