"""What the surroundings say, read here and nowhere else: where to keep things, keys, cores, how threads wait."""

import os
from pathlib import Path

MOST_JOBS = 4
"""Runs side by side unless the user says otherwise: each holds a model of its own in memory."""


def cache() -> Path:
    """Where unpacked models are kept: $SHARPEN_HOME, or ~/.cache/sharpen."""
    return Path(os.environ.get("SHARPEN_HOME") or Path.home() / ".cache" / "sharpen").expanduser()


def server_key() -> str | None:
    """What servers are told: $OPENAI_API_KEY, if it is set."""
    return os.environ.get("OPENAI_API_KEY") or None


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads() -> str:
    """How many threads compute, as `calm` or the user has set it; the last bits of what is computed depend on it."""
    return os.environ.get("OMP_NUM_THREADS", "")


def calm(processes: int = 1) -> None:
    """Shares the cores out among so many processes, and lets idle threads sleep: two that spin on the same cores make a
    job of seconds last many times as long. To be called before torch loads; what the user has set stays."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("KMP_BLOCKTIME", "0")
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores() // processes)))
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
