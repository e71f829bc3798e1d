"""Where the numbers come from: the machine by its parts, never by its name, and the commit that was measured."""

import re
import subprocess
from pathlib import Path

import torch

from benchmarks.results import CHANGED, UNKNOWN
from sharpen.cli.environment import cores

ROOT = Path(__file__).parents[1]
OUTPUTS = ("benchmarks/results", "docs/speed.md")
"""What a benchmark itself writes: it does not make the code another one."""


def machine(device: str) -> str:
    """A name for a file, such as amd-epyc-7763-2-cores or nvidia-h100-80gb-hbm3-16-cores."""
    part = torch.cuda.get_device_name() if device == "cuda" else _processor()
    return re.sub(r"[^a-z0-9]+", "-", f"{part} {cores()} cores".lower()).strip("-")


def commit() -> str:
    """The commit of the code, marked where there are changes on top of it."""
    try:
        name = _git("rev-parse", "--short", "HEAD").strip()
        changed = [line for line in _git("status", "--porcelain").splitlines() if not line[3:].startswith(OUTPUTS)]
    except (OSError, subprocess.CalledProcessError):
        return UNKNOWN
    return name + (CHANGED if changed else "")


def _processor() -> str:
    table = Path("/proc/cpuinfo")
    if table.exists():
        for line in table.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].replace("(R)", "").replace("(TM)", "").strip()
    return torch.backends.cpu.get_cpu_capability()


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout
