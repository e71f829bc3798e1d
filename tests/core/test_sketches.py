"""The vocabulary is wide enough: five methods that have little in common type-check against it."""

import subprocess
import sys
from pathlib import Path

SKETCHES = Path(__file__).parent / "sketches"


def test_the_five_sketches_type_check_against_the_ports() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--follow-imports=silent",
            *map(str, sorted(SKETCHES.glob("[a-z]*.py"))),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_there_are_five_of_them() -> None:
    names = {path.stem for path in SKETCHES.glob("[a-z]*.py")}
    assert names == {"revise", "score", "ssrl", "tt_d", "soar"}
