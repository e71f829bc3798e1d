"""The public face of the vocabulary and the rooms, written down: a change to it is seen."""

import ast
from collections.abc import Iterator
from pathlib import Path

import sharpen

WRITTEN = Path(__file__).parent / "signatures.txt"
PACKAGES = ("core", "propose", "sample", "search", "judge", "select", "update", "control")


def signatures() -> Iterator[str]:
    root = Path(sharpen.__file__).parent
    for package in PACKAGES:
        for file in sorted((root / package).glob("[a-z]*.py")):
            yield from faces(f"{package}.{file.stem}", ast.parse(file.read_text()).body)


def faces(path: str, body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
            yield f"{path}.{node.name}({ast.unparse(node.args)}){returns}"
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            fields = [ast.unparse(item) for item in node.body if isinstance(item, ast.AnnAssign)]
            yield f"{path}.{node.name}: {'; '.join(fields)}" if fields else f"{path}.{node.name}"
            yield from faces(f"{path}.{node.name}", node.body)


def test_public_signatures_are_those_written_down() -> None:
    now = "\n".join(signatures()) + "\n"
    assert now == WRITTEN.read_text(), (
        "a public signature changed; if that is meant, write it down: python -m tests.contract.test_signatures"
    )


if __name__ == "__main__":
    WRITTEN.write_text("\n".join(signatures()) + "\n")
