"""The rules of the house that a formatter cannot hold, each checker tried on a snippet that breaks it."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HOME = Path(__file__).parents[1]
PACKAGE = HOME / "sharpen"
MODULES = sorted(PACKAGE.rglob("*.py"))
METHODS = [path for path in MODULES if path.parent.name == "methods" and path.stem != "__init__"]
METHOD_NAMES = {"PAPER", "NEEDS", "Config", "State", "run"}
ROOMS = {"propose", "sample", "search", "judge", "select", "update", "control"}
NAMELESS = {"util", "utils", "helper", "helpers", "manager", "handler", "misc", "common"}

LONGEST_MODULE = 300
LONGEST_FUNCTION = 60

Checker = Callable[[str, str], Iterator[str]]
"""From a module's path inside the package ("methods/bstar.py") and its source to sentences that say what is wrong."""


def long_modules(path: str, source: str) -> Iterator[str]:
    lines = len(source.splitlines())
    if lines > LONGEST_MODULE:
        yield f"{path} has {lines} lines, at most {LONGEST_MODULE} are allowed"


def long_functions(path: str, source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"{path}:{node.lineno} {node.name} has {lines} lines, at most {LONGEST_FUNCTION} are allowed"


def missing_docstrings(path: str, source: str) -> Iterator[str]:
    tree = ast.parse(source)
    if tree.body and not ast.get_docstring(tree):
        yield f"{path} does not open with one sentence that says what it is"


def nameless_files(path: str, source: str) -> Iterator[str]:
    for part in Path(path).with_suffix("").parts:
        if NAMELESS & set(part.lower().split("_")):
            yield f"{path}: {part!r} is not the name of a thing"


def printing(path: str, source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield f"{path}:{node.lineno} prints; only the command line and the view speak, through rich"


def catching_the_budget(path: str, source: str) -> Iterator[str]:
    if Path(path).parts[0] == "arena":
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler) and node.type is not None and "BudgetExhausted" in names_in(node.type):
            yield f"{path}:{node.lineno} catches BudgetExhausted; only the arena may"


def clocks_and_dice(path: str, source: str) -> Iterator[str]:
    if path == "core/streams.py" or Path(path).parts[0] in {"arena", "models"}:
        return
    for line, module in imported(source):
        if module.split(".")[0] in {"random", "time"}:
            yield f"{path}:{line} imports {module}; draw from a named stream, and leave the clock to arena and models"


def the_environment(path: str, source: str) -> Iterator[str]:
    if path == "cli/environment.py":
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "putenv"}:
            yield f"{path}:{node.lineno} reads the environment; only cli/environment.py may"


def inexact_types(path: str, source: str) -> Iterator[str]:
    exact = Path(path).parts[0] in {"core", "methods"}
    for line, module in imported(source):
        if module == "typing.cast" or (exact and module == "typing.Any"):
            yield f"{path}:{line} imports {module}, which hides what a thing is"


def method_shape(path: str, source: str) -> Iterator[str]:
    if Path(path).parts[0] != "methods" or Path(path).name == "__init__.py":
        return
    public = {name for name in defined(ast.parse(source)) if not name.startswith("_")}
    if public != METHOD_NAMES:
        missing, extra = sorted(METHOD_NAMES - public), sorted(public - METHOD_NAMES)
        yield f"{path} exports exactly {sorted(METHOD_NAMES)}; missing {missing}, too many {extra}"


def holders_of_a_lab(path: str, source: str) -> Iterator[str]:
    if Path(path).parts[0] not in ROOMS:
        return
    for line, module in imported(source):
        if module.endswith(".Lab"):
            yield f"{path}:{line} takes a whole Lab; ask for the least port instead"


def names_in(node: ast.AST) -> set[str]:
    inside = list(ast.walk(node))
    return {n.id for n in inside if isinstance(n, ast.Name)} | {n.attr for n in inside if isinstance(n, ast.Attribute)}


def imported(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def defined(tree: ast.Module) -> Iterator[str]:
    """Names bound at the top of a module, imports apart."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (name for target in node.targets for name in sorted(names_in(target)))
        elif isinstance(node, ast.AnnAssign):
            yield from sorted(names_in(node.target))


BROKEN: dict[Checker, tuple[str, str]] = {
    long_modules: ("core/long.py", "x = 1\n" * 301),
    long_functions: ("core/long.py", "def f():\n" + "    x = 1\n" * 60),
    missing_docstrings: ("core/mute.py", "x = 1\n"),
    nameless_files: ("core/text_utils.py", ""),
    printing: ("methods/loud.py", "def run():\n    print('round')\n"),
    catching_the_budget: ("methods/greedy.py", "try:\n    f()\nexcept (KeyError, errors.BudgetExhausted):\n    pass\n"),
    clocks_and_dice: ("judge/late.py", "from time import sleep\n"),
    the_environment: ("view/html.py", "import os\nhome = os.environ['HOME']\n"),
    inexact_types: ("core/loose.py", "from typing import Any\n"),
    method_shape: ("methods/star.py", "PAPER = 1\nNEEDS = 2\nclass Config: ...\ndef run(): ...\ndef extra(): ...\n"),
    holders_of_a_lab: ("sample/direct.py", "from sharpen.core.method import Lab\n"),
}


@pytest.mark.parametrize("checker", BROKEN, ids=lambda c: c.__name__)
def test_checker_sees_what_breaks_its_rule(checker: Checker) -> None:
    assert len(list(checker(*BROKEN[checker]))) == 1


@pytest.mark.parametrize("checker", BROKEN, ids=lambda c: c.__name__)
def test_the_package_keeps_the_rule(checker: Checker) -> None:
    sources = ((path.relative_to(PACKAGE).as_posix(), path.read_text(encoding="utf-8")) for path in MODULES)
    assert [wrong for path, source in sources for wrong in checker(path, source)] == []


@pytest.mark.parametrize("checker", BROKEN, ids=lambda c: c.__name__)
def test_a_good_method_file_passes(checker: Checker) -> None:
    source = (
        '"""Self-training: sample, keep, learn."""\nfrom sharpen.core.method import Lab\n\nPAPER = 1\n'
        "NEEDS: set[str] = set()\nclass Config: ...\nclass State: ...\ndef run(lab: Lab): ...\ndef _kept(): ...\n"
    )
    assert list(checker("methods/star.py", source)) == []


@pytest.mark.parametrize("path", METHODS, ids=lambda path: path.stem)
def test_a_method_has_its_page_in_the_docs(path: Path) -> None:
    assert (HOME / "docs" / "methods" / f"{path.stem}.md").exists()
