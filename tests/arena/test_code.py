"""Which code a run is made by: what changes its digest and what does not, and what git is asked."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sharpen import __version__
from sharpen.arena import code


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small package of that shape, in place of the real one."""
    home = tmp_path / "sharpen"
    for name in ("core/records.py", "models/nano/weights.bin", "methods/grpo.py", "view/chart.py", "cli/wish.py"):
        (home / name).parent.mkdir(parents=True)
        (home / name).write_text(name)
    monkeypatch.setattr(code, "PACKAGE", home)
    forget()
    yield home
    forget()


def forget() -> None:
    """A new process begins."""
    code.code_digest.cache_clear()
    code.method_digest.cache_clear()
    code.commit.cache_clear()


def digest() -> str:
    forget()
    return code.code_digest()


@pytest.mark.parametrize("name", ["core/records.py", "models/nano/weights.bin", "tasks/new.py"])
def test_code_and_data_that_a_run_uses_change_the_digest(package: Path, name: str) -> None:
    before = digest()
    (package / name).parent.mkdir(exist_ok=True)
    (package / name).write_text("otherwise")
    assert digest() != before


@pytest.mark.parametrize(
    "name",
    ["methods/grpo.py", "methods/new.py", "view/chart.py", "cli/wish.py", "core/__pycache__/records.pyc", "../docs"],
)
def test_what_no_run_uses_does_not(package: Path, name: str) -> None:
    before = digest()
    (package / name).parent.mkdir(exist_ok=True)
    (package / name).write_text("otherwise")
    assert digest() == before


def test_a_process_goes_on_with_what_it_began_with(package: Path) -> None:
    before = digest()
    (package / "core" / "records.py").write_text("otherwise")
    assert code.code_digest() == before


def test_methods_are_told_apart_by_their_own_files() -> None:
    grpo, vote = code.made_by("sharpen.methods.grpo"), code.made_by("sharpen.methods.vote")
    assert grpo.version == __version__ and grpo.code.partition("+")[0] == vote.code.partition("+")[0]
    assert grpo.code != vote.code == code.made_by("sharpen.methods.vote").code


def git(home: Path, *words: str) -> str:
    named = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    return subprocess.run(
        ["git", "-C", home, *named, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_commit_says_whether_files_of_the_package_differ_from_it(package: Path) -> None:
    home = package.parent
    assert code.commit() == ""
    git(home, "init", "-q")
    git(home, "add", ".")
    git(home, "commit", "-qm", "first")
    head = git(home, "rev-parse", "HEAD")
    forget()
    assert code.commit() == head
    (home / "card.json").write_text("{}")
    forget()
    assert code.commit() == head
    (package / "core" / "new.py").write_text("")
    forget()
    assert code.commit() == f"{head}-dirty"


def test_without_git_there_is_no_commit(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (package.parent / ".git").mkdir()
    monkeypatch.setenv("PATH", str(package))
    assert code.commit() == ""
