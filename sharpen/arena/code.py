"""By which code a run is made: a digest of the files that it can execute, beside the version and the commit."""

import subprocess
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib import import_module
from pathlib import Path

from sharpen import __version__

PACKAGE = Path(__file__).parents[1]
APART = ("cli", "view", "methods")
"""What no run executes, and the methods, of which it executes one."""


@dataclass(frozen=True, slots=True)
class Made:
    """The code that a run was carried on by: version of the package, commit of its sources ("-dirty" behind it where
    files of the package differ from it, "" where no commit is known), and digests of what all runs share and of the
    method's own file, as SHARED+OWN ("" in runs of before there were digests)."""

    version: str
    commit: str
    code: str


def made_by(method: str) -> Made:
    """This code, for a run of the method in that module."""
    return Made(__version__, commit(), f"{code_digest()}+{method_digest(method)}")


@cache
def code_digest() -> str:
    """Names what decides what any run does: code and data of the package without its command line, its view, its
    methods and what is only read by people. Read once a process, which goes on with what it has imported."""
    digest = blake2b(digest_size=8)
    for path in sorted(PACKAGE.rglob("*")):
        inside = path.relative_to(PACKAGE)
        if inside.parts[0] in APART or "__pycache__" in inside.parts or path.suffix == ".md":
            continue
        if path.is_file():
            digest.update(repr((inside.as_posix(), path.stat().st_size)).encode() + path.read_bytes())
    return digest.hexdigest()


@cache
def method_digest(module: str) -> str:
    """Names a method's own file; no method imports another."""
    file = import_module(module).__file__
    return blake2b(Path(file).read_bytes() if file else b"", digest_size=8).hexdigest()


@cache
def commit() -> str:
    """The commit of these sources, as in `Made`. Asked once a process. What the claims write into the checkout, cards
    and pages, makes nothing dirty."""
    if not (PACKAGE.parent / ".git").exists():
        return ""
    head = _git("rev-parse", "--verify", "HEAD")
    return f"{head}-dirty" if head and _git("status", "--porcelain", "--", PACKAGE.name) != "" else head or ""


def _git(*words: str) -> str | None:
    """What git says of this checkout; None where it is missing or refuses."""
    command = ["git", "--no-optional-locks", "-C", str(PACKAGE.parent), *words]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return asked.stdout.strip() if asked.returncode == 0 else None
