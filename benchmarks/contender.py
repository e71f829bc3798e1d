"""A contender in a process of its own, so that its peak memory is its alone.

    python -m benchmarks.contender MODULE:FUNCTION '{"keyword": value}'

prints what the function returned, as JSON, in its last line.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PATIENCE = 3600
"""Seconds after which a run is given up."""


def apart(function: str, **keywords: Any) -> Any:
    """What `MODULE:FUNCTION(**keywords)`, a function of this package, returns in a new process, as JSON reads it.

    How threads wait is left to their libraries, as a peer's user would have it; ours say it for themselves.
    Raises RuntimeError with the last words of one that failed."""
    command = [sys.executable, "-m", "benchmarks.contender", function, json.dumps(keywords)]
    plain = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "KMP_BLOCKTIME")}
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, env=plain)
    if ended.returncode != 0:
        lines = ended.stderr.strip().splitlines()
        raise RuntimeError(lines[-1] if lines else f"{function} ended with code {ended.returncode}")
    return json.loads(ended.stdout.strip().splitlines()[-1])


def peak(device: str) -> int:
    """The most bytes this process has held: on the device, or resident.

    VmHWM counts this program alone; ru_maxrss would also remember the larger process that started it.
    """
    if device == "cuda":
        import torch

        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def resident() -> int:
    """The bytes this process holds now; raises OSError where there is no /proc."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise OSError("expected VmRSS in /proc/self/status, got none")


def main() -> None:
    """Does what the command line says."""
    from sharpen.cli.environment import calm

    module, _, name = sys.argv[1].partition(":")
    if name != "trl":
        calm()
    found = getattr(import_module(f"benchmarks.{module}"), name)(**json.loads(sys.argv[2]))
    print(json.dumps(found, default=asdict))


if __name__ == "__main__":
    main()
