"""The command line, from words to exit codes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sharpen.cli import app
from sharpen.cli.gathering import budget_of, command_of, labelled
from sharpen.cli.orders import order_for, orders_for, seeds_of
from sharpen.cli.wish import Wish
from sharpen.core.errors import InvalidInput
from tests.view.journals import FIVE, Made, write_run, written

LITTLE = ("--budget", "4e9flops", "--test", "20", "--dev", "10", "--max-tokens", "40")
FEW = ("--set", "problems=4", "--set", "how.n=2")


@pytest.fixture(autouse=True)
def untouched_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The commands set how threads wait; that ends with the test."""
    for name in ("OMP_WAIT_POLICY", "KMP_BLOCKTIME", "TOKENIZERS_PARALLELISM"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield


def sharpen(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def refused(result: Result, code: int = 2) -> str:
    """The one sentence of a refusal."""
    assert result.exit_code == code, result.output
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_help_names_every_command() -> None:
    result = sharpen("--help")
    assert result.exit_code == 0
    for name in ("list", "show", "run", "compare", "replicate", "exam", "resume", "check", "view", "export"):
        assert name in result.output
        assert sharpen(name, "--help").exit_code == 0


def test_reading_about_methods_does_not_load_torch() -> None:
    script = (
        "import sys; from typer.testing import CliRunner; from sharpen.cli import app\n"
        "for words in ('--help', 'list', 'show bstar'): assert not CliRunner().invoke(app, words.split()).exit_code\n"
        "sys.exit('torch' in sys.modules or 'scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_list_as_json_has_every_method_with_its_variants() -> None:
    listed = {method["name"]: method for method in json.loads(sharpen("list", "--json").output)}
    assert {"expert_iteration", "bstar", "grpo", "vote", "best_of_n"} <= set(listed)
    assert "rest_em" in listed["expert_iteration"]["variants"]


@pytest.mark.parametrize("axis", ["generate", "evaluate", "control"])
def test_the_list_can_be_grouped(axis: str) -> None:
    assert f"{axis}: " in sharpen("list", "--by", axis).output


def test_show_says_what_a_setting_means_and_what_it_is_in_a_variant() -> None:
    lines = sharpen("show", "grpo:rloo").output.splitlines()
    beta = next(line for line in lines if line.strip().startswith("beta"))
    assert "strength of the divergence" in beta
    baseline = next(line for line in lines if line.strip().startswith("baseline"))
    assert "'others'" in baseline


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("show", "bstr"), "'bstar'"),
        (("show", "grpo:rlo"), "'rloo'"),
        (("list", "--by", "evalute"), "'evaluate'"),
        (("run", "vote", "--model", "nanoo"), "'nano'"),
        (("run", "vote", "--task", "arithmatic"), "'arithmetic'"),
        (("run", "grpo", "--set", "bta=1"), "'beta'"),
        (("run", "grpo", "--set", "beta=x"), "expected float"),
        (("run", "vote", "--budget", "3"), "3e13flops"),
        (("run", "vote", "--budget", "0min"), "> 0"),
        (("run", "vote", "--max-tokens", "0"), "max_tokens"),
        (("run", "vote", "--rounds", "0"), "rounds"),
        (("compare", "vote", "--seeds", "four"), "0-4"),
        (("run", "vote", "--config", "absent.toml"), "absent.toml"),
        (("resume", "absent"), "absent"),
        (("view", "absent"), "absent"),
        (("exam", "absent"), "absent"),
        (("export", "absent", "--to", "hx", "--out", "there"), "'hf'"),
        (("replicate", "bstr"), "'bstar'"),
        (("replicate", "bstar", "--all"), "got bstar and --all"),
        (("replicate", "bstar", "--claims", "absent"), "--claims"),
        (("replicate", "--claims", "docs"), "--claims"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_used_is_refused_in_one_sentence_with_a_hint(words: tuple[str, ...], hint: str) -> None:
    assert hint in refused(sharpen(*words))


def test_flags_win_over_the_file_and_the_file_over_defaults(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('task = "gym:chain_sum"\nbudget = "2e6tok"\nseed = 4\n[settings]\nproblems = 7\nhow.n = 3\n')
    order = order_for("grpo", Wish(config=file, budget="1min", settings=("how.n=5",)))
    assert (order.task, order.seed, str(order.budget)) == ("gym:chain_sum", 4, "1min")
    assert order.settings == {"problems": 7, "how": {"n": 5}}
    assert order.cast == {"model": "nano"}


def test_an_unknown_key_of_the_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("modle = 'nano'\n")
    with pytest.raises(InvalidInput, match="'model'"):
        order_for("grpo", Wish(config=file))


def test_a_setting_can_be_for_one_method_alone() -> None:
    orders = orders_for(["grpo", "vote"], [0, 1], Wish(settings=("grpo.beta=0.5", "how.n=3")))
    assert [(order.method, order.seed) for order in orders] == [("grpo", 0), ("vote", 0), ("grpo", 1), ("vote", 1)]
    assert [order.settings for order in orders[:2]] == [{"beta": 0.5, "how": {"n": 3}}, {"how": {"n": 3}}]


def test_seeds_are_ranges_and_lists() -> None:
    assert seeds_of("0-2,5,1") == [0, 1, 2, 5]
    for wrong in ("", "2-1", "a", "1,,2"):
        with pytest.raises(InvalidInput):
            seeds_of(wrong)


def test_a_budget_reads_back_as_a_person_writes_it() -> None:
    assert [budget_of(text) for text in ("3000000000000.0flops", "600.0s", "1234567.0tok")] == [
        "3e12flops",
        "600s",
        "1234567.0tok",
    ]


def test_the_command_of_a_comparison_names_all_of_it(tmp_path: Path) -> None:
    command = command_of([run.config for run in written(tmp_path, FIVE[:2], 3)], Path("runs"))
    assert command == (
        "sharpen compare expert_iteration bstar --task arithmetic --model nano "
        "--budget 3e12flops --seeds 0-2 --out runs"
    )


def test_runs_of_one_method_with_other_settings_are_named_apart(tmp_path: Path) -> None:
    folders = [write_run(tmp_path / str(cap), Made("grpo", 0.1), 0) for cap in (1, 2)]
    for cap, folder in enumerate(folders, start=1):
        (folder / "config.toml").open("a").write(f"[settings]\nbeta = 0.{cap}\nrounds = 9\n")
    from sharpen.view.runs import read_run

    assert [run.method for run in labelled([read_run(f) for f in folders])] == ["grpo beta=0.1", "grpo beta=0.2"]


def test_a_run_leaves_a_result_is_shown_again_and_can_be_handed_on(tmp_path: Path) -> None:
    words = ("run", "expert_iteration", *FEW, "--rounds", "2", *LITTLE, "--out", tmp_path / "runs")
    first = sharpen(*words)
    assert first.exit_code == 0, first.output
    assert "95% over 20 problems, these weights only" in first.stdout
    (folder,) = (path.parent for path in (tmp_path / "runs").glob("*/result.json"))
    assert "finished already" in sharpen(*words).stdout
    assert "expert_iteration" in sharpen("exam", folder).stdout
    assert "leave --task out" in refused(sharpen("exam", folder, "--task", "arithmetic:level=3"))
    assert sharpen("resume", folder).exit_code == 0
    for form, file in (("hf", "model.safetensors"), ("prompt", "prompt.json")):
        assert sharpen("export", folder, "--to", form, "--out", tmp_path / form).exit_code == 0
        assert (tmp_path / form / file).exists()
        assert "Held-out score" in (tmp_path / form / "SHARPEN.md").read_text()
    assert "empty folder" in refused(sharpen("export", folder, "--to", "hf", "--out", tmp_path / "hf"))
    assert sharpen("export", folder, "--to", "prompt").exit_code == 0
    assert (folder / "export-prompt" / "prompt.json").exists()
    assert "adapter" in refused(sharpen("export", folder, "--to", "peft", "--out", tmp_path / "peft"))


def test_an_unfinished_run_is_resumed_and_not_begun_again(tmp_path: Path) -> None:
    words = ("run", "expert_iteration", *FEW, "--rounds", "2", *LITTLE, "--out", tmp_path)
    assert sharpen(*words).exit_code == 0
    (result,) = tmp_path.glob("*/result.json")
    whole = result.read_text()
    result.unlink()
    assert f"sharpen resume {result.parent}" in refused(sharpen(*words))
    assert sharpen("resume", result.parent).exit_code == 0
    assert json.loads(result.read_text())["exam"]["after"]["score"] == json.loads(whole)["exam"]["after"]["score"]


def test_a_comparison_ends_in_a_table_and_a_report(tmp_path: Path) -> None:
    result = sharpen(
        "compare", "vote", "best_of_n", "--seeds", "0-1", "--jobs", "1", "--set", "how.n=2", *LITTLE, "--out", tmp_path
    )
    assert result.exit_code == 0, result.output
    assert "best_of_n" in (tmp_path / "report.html").read_text()
    again = sharpen("view", tmp_path)
    assert again.stdout.splitlines()[-5:] == result.stdout.splitlines()[-5:]


def test_a_budget_too_small_for_a_round_says_what_one_needs(tmp_path: Path) -> None:
    words = ("run", "expert_iteration", *FEW, *LITTLE, "--budget", "1e5flops", "--out", tmp_path)
    assert "needs about" in refused(sharpen(*words))


def test_a_dry_run_says_what_a_round_costs_and_writes_nothing(tmp_path: Path) -> None:
    result = sharpen("run", "expert_iteration", *FEW, *LITTLE, "--dry-run", "--out", tmp_path / "runs")
    assert result.exit_code == 0, result.output
    assert "first round" in result.stdout and "a later one" in result.stdout
    assert not (tmp_path / "runs").exists()


def test_check_says_whether_a_pair_can_learn() -> None:
    result = sharpen("check", "--task", "arithmetic", "--problems", "3", "--tries", "2", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["gold_accepted"] == 1.0


@pytest.mark.slow
def test_what_a_check_of_a_model_measured_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARPEN_HOME", str(tmp_path))
    first, again = (sharpen("check", "--model", "linear", "--problems", "2", "--json") for _ in "12")
    assert first.exit_code == again.exit_code == 0, first.output
    assert first.stdout == again.stdout and "arithmetic" in json.loads(first.stdout)["families"]
    assert "102 levels and skills were measured before" in again.stderr


FEW_VOTES = """
task = "arithmetic:level=1"
budget = "1e9flops"
seeds = [0, 1, 2, 3, 4]
dev = 2
test = 6
departures = ["six problems are few"]
[arms.vote]
settings.how.n = 2
[claims.votes]
says = "Two agree"
source = "nowhere"
statistic = "value"
of = "score"
arm = "vote"
threshold = 0.2
margin = 0.1
"""


def test_a_claim_is_decided_put_on_a_card_and_on_its_page(tmp_path: Path) -> None:
    claims, page = tmp_path / "claims", tmp_path / "docs" / "methods" / "vote.md"
    for folder in (claims, page.parent):
        folder.mkdir(parents=True)
    (claims / "vote.toml").write_text(FEW_VOTES)
    page.write_text("# vote\n\n## Results\n\nNone.\n")
    words = ("replicate", "vote", "--claims", claims, "--out", tmp_path / "runs", "--jobs", "1")
    foretold = sharpen(*words, "--dry-run")
    assert foretold.exit_code == 0 and "all arms" in foretold.stdout
    assert not (tmp_path / "runs").exists() and not (claims / "cards").exists()
    assert "none yet" in sharpen("replicate", "--claims", claims).stdout
    result = sharpen(*words)
    assert result.exit_code == 0, result.output
    assert "one claim, five runs" in result.stdout.lower() and "vote seed 4: done" in result.stdout
    card = json.loads((claims / "cards" / "vote.json").read_text())
    (found,) = card["findings"]
    assert found["verdict"] in result.stdout and len(found["values"]) == 5
    assert f"**{found['verdict']}**" in page.read_text() and "- six problems are few" in page.read_text()
    listed = sharpen("replicate", "--claims", claims).stdout
    assert found["verdict"] in listed and card["date"] in listed

    (claims / "vote.toml").write_text(FEW_VOTES.replace("margin = 0.1", "margin = 0.2"))
    assert "stale" in sharpen("replicate", "--claims", claims).stdout
    again = sharpen("replicate", "--all", *words[2:])
    assert "Card: stale" in again.stdout and "done" not in again.stdout
    assert json.loads((claims / "cards" / "vote.json").read_text())["digest"] != card["digest"]
    assert "stale" not in sharpen("replicate", "--claims", claims).stdout and "Stale" not in page.read_text()


def test_a_claim_file_that_fails_among_all_is_named_and_the_others_are_decided(tmp_path: Path) -> None:
    (tmp_path / "vote.toml").write_text(FEW_VOTES)
    (tmp_path / "grpo.toml").write_text(FEW_VOTES.replace("vote", "grpo").replace("arithmetic", "arithmatic"))
    result = sharpen("replicate", "--all", "--claims", tmp_path, "--out", tmp_path / "runs", "--jobs", "1")
    assert result.exit_code == 1
    assert "grpo: unknown task" in result.stderr and "grpo could not be decided" in result.stderr
    assert {path.stem for path in (tmp_path / "cards").iterdir()} == {"vote"}
