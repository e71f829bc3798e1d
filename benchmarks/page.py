"""The results of all machines as tables in docs/speed.md, between two marks; the rest is written by hand."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.results import Result, read

PAGE = Path(__file__).parents[1] / "docs" / "speed.md"
BEGIN, END = "<!-- results begin -->", "<!-- results end -->"
NONE = "Not measured yet: `make bench` writes the table here."
HEAD = "| figure | model | unit | ours | peer | the peer | ratio | of the ceiling | target | met | runs, ratio |"


def write_table(results: Path, page: Path = PAGE) -> None:
    """Puts the tables of all files in a folder between the marks; raises ValueError where the page lacks them."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"expected the marks {BEGIN} and {END} in {page.name}, got a page without; put them back")
    files = sorted(results.glob("*.json"))
    tables = "\n".join(_table(file.stem, read(file)) for file in files) if files else NONE + "\n"
    page.write_text(f"{before}{BEGIN}\n{tables}{END}{after}", encoding="utf-8")


def _table(machine: str, results: Sequence[Result]) -> str:
    lines = [f"### {machine}", "", HEAD, "|" + "---|" * HEAD.count(" | ") + "---|"]
    lines += ["| " + " | ".join(_cells(result)) + " |" for result in results]
    commits = ", ".join(sorted({result.commit for result in results}))
    notes = sorted({f"{r.peer_name}: {r.note}." for r in results if r.note})
    return "\n".join([*lines, "", f"Commit {commits}.", *notes, ""])


def _cells(result: Result) -> list[str]:
    spread = result.spread
    between = f", {spread['ratio'][0]:.2f} to {spread['ratio'][1]:.2f}" if "ratio" in spread else ""
    return [
        f"{result.figure} ({result.device})",
        result.model,
        result.unit,
        f"{result.ours:.4g}",
        "-" if result.peer is None else f"{result.peer:.4g}",
        result.peer_name or "-",
        "-" if result.ratio is None else f"{result.ratio:.2f}",
        "-" if result.ceiling_share is None else f"{result.ceiling_share:.0%}",
        result.target or "-",
        "-" if result.met is None else ("yes" if result.met else "no"),
        f"{spread['runs']}{between}",
    ]
