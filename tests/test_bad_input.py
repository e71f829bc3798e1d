"""What goes wrong at the command line ends in one sentence and a code, and loses nothing that was finished."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sharpen.arena.journal import Journal
from sharpen.cli import app

LIMITS = ("--max-tokens", "12", "--dev", "5", "--test", "10")
SMALL = ("--set", "problems=8", "--set", "how.n=4")
NANO = ("run", "expert_iteration", "--budget", "8e9flops", "--set", "problems=4", "--set", "how.n=2")
EXAMS = ("--max-tokens", "40", "--dev", "5", "--test", "20")


@pytest.fixture(autouse=True)
def untouched_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The commands set how threads wait; that ends with the test. Runs go where nothing else is."""
    for name in ("OMP_WAIT_POLICY", "KMP_BLOCKTIME", "TOKENIZERS_PARALLELISM"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def sums(tmp_path: Path) -> Path:
    """Sixty sums, each with its answer."""
    file = tmp_path / "sums.jsonl"
    rows = [{"question": f"What is {a} + {b}?", "answer": a + b} for a in range(10) for b in range(1, 7)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def sharpen(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def refused(result: Result, code: int = 2) -> str:
    """The one sentence of a refusal."""
    assert result.exit_code == code, result.output + str(result.exception)
    assert result.stderr.startswith("sharpen: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def training(task: Path, out: Path, *more: object, budget: str = "4e7flops") -> tuple[object, ...]:
    """The words of a run of a few rounds, of milliseconds each."""
    words = ("run", "expert_iteration", "--model", "linear", "--task", task, "--budget", budget)
    return (*words, *SMALL, *LIMITS, "--out", out, *more)


def only(out: Path) -> Path:
    """The folder of the only run in a folder."""
    (config,) = out.glob("*/config.toml")
    return config.parent


def finished(run: Path) -> int:
    """The rounds of a run that read back, all of them."""
    return len(list(Journal.read(run).rounds()))


@contextmanager
def started(*words: object) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own."""
    command = [sys.executable, "-c", "from sharpen.cli import main; main()", *map(str, words)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(condition: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 60) -> None:
    """Waits for what the process is expected to do."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("run", "expert_itration"), "'expert_iteration'"),
        (("compare", "vote", "best_of_m"), "'best_of_n'"),
        (("run", "vote", "--task", "arithmetic:levle=3"), "'level'"),
        (("run", "vote", "--task", "arithmetic:level=99"), "from 1 to 8, got 99"),
        (("run", "vote", "--task", "arithmetic:level"), "key=value"),
        (("run", "vote", "--task", "absent.jsonl"), "absent.jsonl"),
        (("run", "vote", "--reward", "absent:absent"), "FILE.jsonl"),
        (("run", "vote", "--model", "some/folder/there"), "some/folder/there"),
        (("run", "vote", "--model", "openai:qwen"), "openai:MODEL@URL"),
        (("run", "vote", "--judge", "smolm2"), "'smollm2'"),
        (("run", "vote", "--budget", "10parsecs"), "10min"),
        (("run", "grpo", "--set", "how.n=-3"), "n must be >= 1, got -3"),
        (("run", "grpo", "--set", "epochs=3"), "'training.epochs'"),
        (("run", "grpo", "--set", "training.rte=1"), "'training.rate'"),
        (("run", "grpo", "--set", "problems"), "problems"),
        (("check", "--task", "arithmetic", "--tries", "1"), "2 tries, got 32 and 1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_an_unknown_name_or_value_ends_in_a_sentence_that_says_what_is_known(words: tuple[str, ...], hint: str) -> None:
    assert hint in refused(sharpen(*words))
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("{'question': 'a'}", "line 7: expected a JSON object"),
        ('{"question": "a"}', "line 7: expected one of the columns answer"),
        ('{"qestion": "a", "answer": 1}', "line 7: expected exactly one of the columns"),
        ('{"question": "a", "answer": ["b"]}', "line 7: expected 'answer' to be a number or a string"),
    ],
)
def test_a_bad_row_names_its_line_and_nothing_is_begun(sums: Path, tmp_path: Path, row: str, complaint: str) -> None:
    lines = sums.read_text().splitlines()
    sums.write_text("\n".join([*lines[:6], row, *lines[6:]]) + "\n")
    assert complaint in refused(sharpen(*training(sums, tmp_path / "runs")))
    assert not (tmp_path / "runs").exists()


def test_a_budget_too_small_for_a_round_says_what_one_needs_and_that_is_enough(sums: Path, tmp_path: Path) -> None:
    sentence = refused(sharpen(*training(sums, tmp_path, budget="2e2flops")))
    assert "needs about" in sentence
    needed = sentence.partition("needs about ")[2].partition(";")[0]
    assert sharpen(*training(sums, tmp_path, budget=f"{2 * float(needed.removesuffix('flops'))}flops")).exit_code == 0


def test_a_changed_config_or_version_is_refused_with_what_changed(sums: Path, tmp_path: Path) -> None:
    assert sharpen(*training(sums, tmp_path / "runs")).exit_code == 0
    run = only(tmp_path / "runs")
    config = (run / "config.toml").read_text()
    (run / "config.toml").write_text(config.replace('version = "', 'version = "0.0.'))
    assert "version: '0.0." in refused(sharpen(*training(sums, tmp_path / "runs")))
    (run / "result.json").unlink()
    assert "version: '0.0." in refused(sharpen("resume", run))
    (run / "config.toml").write_text(config)
    sums.write_text(sums.read_text().replace("What is 3 + 4?", "What is 3 plus 4?"))
    assert "problems: " in refused(sharpen("resume", run))


def test_what_a_run_delivers_is_a_model_that_can_be_loaded_and_has_a_card(tmp_path: Path) -> None:
    out = tmp_path / "runs"
    assert sharpen(*NANO, "--rounds", "2", *EXAMS, "--out", out).exit_code == 0
    delivered = only(out) / "solver"
    card = (delivered / "SHARPEN.md").read_text()
    for fact in ("Base model: nano", "Licence: Apache-2.0", "Budget: 8e9flops", "Held-out score", "over 20 problems"):
        assert fact in card
    assert json.loads((delivered / "solver.json").read_text())["is"].endswith(":Direct")
    again = sharpen("run", "vote", "--model", delivered, "--set", "how.n=1", *EXAMS, "--out", tmp_path / "more")
    assert again.exit_code == 0, again.output
    after, before = (
        json.loads((only(below) / "result.json").read_text())["exam"][when]["score"]
        for below, when in ((out, "after"), (tmp_path / "more", "before"))
    )
    assert after == before


def test_an_adapter_is_delivered_as_an_adapter(tmp_path: Path) -> None:
    adapter = ("--set", "training.adapter.rank=2", "--set", "start=base")
    result = sharpen(*NANO, "--rounds", "1", *EXAMS, *adapter, "--out", tmp_path / "runs")
    assert result.exit_code == 0, result.output
    run = only(tmp_path / "runs")
    assert (run / "solver" / "adapter_model.safetensors").exists()
    assert sharpen("export", run, "--to", "peft", "--out", tmp_path / "peft").exit_code == 0
    assert (tmp_path / "peft" / "adapter_config.json").exists() and (tmp_path / "peft" / "SHARPEN.md").exists()


def test_where_nothing_was_learned_the_solver_is_delivered_as_data(sums: Path, tmp_path: Path) -> None:
    words = (
        "run",
        "vote",
        "--model",
        "linear",
        "--task",
        sums,
        "--set",
        "how.n=2",
        *LIMITS,
        "--out",
        tmp_path / "runs",
    )
    assert sharpen(*words).exit_code == 0
    run = only(tmp_path / "runs")
    assert sorted(path.name for path in (run / "solver").iterdir()) == ["SHARPEN.md", "solver.json"]
    assert "--to prompt" in refused(sharpen("export", run, "--to", "hf", "--out", tmp_path / "hf"))
    assert not (tmp_path / "hf").exists()


def test_truncated_weights_of_a_run_end_in_a_sentence(tmp_path: Path) -> None:
    assert sharpen(*NANO, "--rounds", "2", *EXAMS, "--out", tmp_path / "runs").exit_code == 0
    run = only(tmp_path / "runs")
    (run / "result.json").unlink()
    for file in (run / "weights").rglob("*.safetensors"):
        os.truncate(file, file.stat().st_size // 2)
    assert "delete" in refused(sharpen("resume", run), code=1)


def test_an_unreadable_exam_of_the_start_ends_in_a_sentence(sums: Path, tmp_path: Path) -> None:
    assert sharpen(*training(sums, tmp_path / "runs")).exit_code == 0
    (start,) = (tmp_path / "runs").glob("start-*.json")
    start.write_text(start.read_text()[:40])
    assert f"{start.name}" in refused(sharpen(*training(sums, tmp_path / "runs", "--seed", 1)), code=1)
    start.unlink()
    assert sharpen(*training(sums, tmp_path / "runs", "--seed", 1)).exit_code != 1


def test_check_says_that_a_judge_is_not_sound(sums: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "grumpy_judge.py").write_text("def score(completions, **_):\n    return [0.0 for _ in completions]\n")
    monkeypatch.syspath_prepend(tmp_path)
    words = ("check", "--model", "linear", "--task", sums, "--problems", 3, "--tries", 2, "--max-tokens", 8)
    result = sharpen(*words, "--reward", "grumpy_judge:score")
    assert result.exit_code == 1 and "not sound" in result.stderr, result.output


def test_a_reward_that_fails_is_named_with_its_line(
    sums: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_judge.py").write_text("def score(completions):\n    return [1 / 0 for _ in completions]\n")
    (tmp_path / "unfinished_judge.py").write_text("def score(completions)\n")
    monkeypatch.syspath_prepend(tmp_path)
    words = training(sums, tmp_path / "runs")
    assert "broken_judge.py, line 2" in refused(sharpen(*words, "--reward", "broken_judge:score"))
    assert "unfinished_judge.py, line 1" in refused(sharpen(*words, "--reward", "unfinished_judge:score"))


def test_a_run_that_does_not_read_is_left_out_of_the_view_of_others(sums: Path, tmp_path: Path) -> None:
    for seed in (0, 1):
        assert sharpen(*training(sums, tmp_path / "runs", "--seed", seed)).exit_code == 0
    (result,) = (tmp_path / "runs").glob("*--0-*/result.json")
    result.write_text("{")
    shown = sharpen("view", tmp_path / "runs")
    assert shown.exit_code == 1 and "expert_iteration" in shown.stdout
    assert result.parent.name in shown.stderr and "1 of 2 runs could not be read" in shown.stderr


def test_a_folder_that_cannot_be_written_ends_in_a_sentence(sums: Path, tmp_path: Path) -> None:
    file = tmp_path / "taken"
    file.write_text("mine")
    assert "taken" in refused(sharpen(*training(sums, file)), code=1)
    assert "taken" in refused(sharpen(*training(sums, file / "below")), code=1)
    assert file.read_text() == "mine"


@pytest.fixture
def cramped(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root mounts disks")
    yield disk
    subprocess.run(["umount", disk], check=False)


@pytest.mark.skipif(shutil.which("mount") is None, reason="there is no mount here")
def test_a_full_disk_keeps_what_was_finished_and_the_run_resumes(cramped: Path) -> None:
    assert "resume" in refused(sharpen(*NANO, *EXAMS, "--out", cramped), code=1)
    run = only(cramped)
    kept = finished(run)
    assert kept > 0
    assert "resume" in refused(sharpen("resume", run), code=1)
    assert finished(run) == kept
    subprocess.run(["mount", "-o", "remount,size=90m", cramped], check=True)
    assert sharpen("resume", run).exit_code == 0
    assert finished(run) > kept


class Desk:
    """A server of one model, which answers so many requests and is then broken until it is mended."""

    def __init__(self) -> None:
        self.left = 10**6
        self.lock = threading.Lock()
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with desk.lock:
                    desk.left -= 1
                    status = 200 if desk.left >= 0 else 501
                choice = {"text": "4"} if "prompt" in asked else {"message": {"content": "Answer: 4"}}
                usage = {"prompt_tokens": 9, "completion_tokens": 3}
                body = json.dumps({"choices": [choice | {"finish_reason": "stop"}], "usage": usage}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *parts: object) -> None:
                """Silence."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.model = f"openai:m@http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.server.shutdown()
    desk.server.server_close()


def test_a_method_whose_needs_the_model_lacks_is_refused_before_anything_is_spent(
    desk: Desk, sums: Path, tmp_path: Path
) -> None:
    words = ("run", "expert_iteration", "--model", desk.model, "--task", sums, "--out", tmp_path / "runs")
    asked = desk.left
    assert "needs learn" in refused(sharpen(*words))
    assert asked - desk.left == 1 and not (tmp_path / "runs").exists()
    assert "needs" in refused(sharpen("run", "best_of_n", *words[2:]))
    assert sharpen("run", "vote", *words[2:], "--budget", "1e5tok", "--dry-run").exit_code == 0
    assert not (tmp_path / "runs").exists()


def test_a_server_that_dies_ends_in_a_sentence_and_the_run_resumes(desk: Desk, sums: Path, tmp_path: Path) -> None:
    words = ("run", "vote", "--model", desk.model, "--task", sums, "--set", "how.n=2", *LIMITS, "--out", tmp_path)
    desk.left = 24  # what it offers and the start on test and dev take less, the round and its exam more
    assert f"{desk.model.partition('@')[2]}/chat/completions answered 501" in refused(
        sharpen(*words, "--budget", "1e5tok"), code=1
    )
    run = only(tmp_path)
    assert finished(run) == 1
    desk.left = 10**6
    assert sharpen("resume", run).exit_code == 0
    assert json.loads((run / "result.json").read_text())["rounds"] == 1


def test_an_interrupted_run_keeps_its_rounds_and_says_how_to_go_on(sums: Path, tmp_path: Path) -> None:
    words = training(sums, tmp_path / "runs", "--set", "rounds=100000", budget="1e13flops")
    with started(*words) as process:
        until(lambda: len(list((tmp_path / "runs").glob("*/attempts.parquet/*"))) > 3, process)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    run = only(tmp_path / "runs")
    assert process.returncode == 130, said
    assert f"sharpen resume {run}" in said and "Traceback" not in said
    kept = finished(run)
    assert kept > 2
    with started("resume", run) as process:
        until(lambda: finished(run) > kept, process)


def test_an_interrupted_comparison_goes_on_with_the_same_command(sums: Path, tmp_path: Path) -> None:
    with started(*comparison(sums, tmp_path / "runs", "1e13flops")) as process:
        until(lambda: len(list((tmp_path / "runs").glob("*/attempts.parquet/round-0003*"))) == 2, process)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert "the same command goes on" in said and "Traceback" not in said
    for config in (tmp_path / "runs").glob("*/config.toml"):
        assert finished(config.parent) >= 2


def test_a_killed_worker_costs_its_own_run_only_and_that_resumes(sums: Path, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    words = comparison(sums, out, "3e8flops")
    with started(*words) as process:
        until(lambda: bool(list(out.glob("*--0-*/attempts.parquet/round-0003*"))), process)
        (lock,) = out.glob("*--0-*/lock")
        with suppress(ProcessLookupError):
            os.kill(int(lock.read_text()), signal.SIGKILL)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 1, said
    assert "expert_iteration seed 0" in said and "signal 9" in said and "Traceback" not in said
    (other,) = out.glob("*--1-*/result.json")
    kept = other.read_text()
    again = sharpen(*words[:-1], "1")
    assert again.exit_code == 0, again.output
    assert other.read_text() == kept and len(list(out.glob("*/result.json"))) == 2


def comparison(task: Path, out: Path, budget: str) -> tuple[object, ...]:
    """The words of a comparison of two seeds, each in a process of its own."""
    words = ("compare", "expert_iteration", "--model", "linear", "--task", task, "--budget", budget, *SMALL, *LIMITS)
    return (*words, "--set", "rounds=100000", "--seeds", "0-1", "--out", out, "--jobs", "2")
