"""The commands and their flags; what they do is loaded only when they are called."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from sharpen import __version__
from sharpen.cli.environment import calm
from sharpen.cli.sentences import Commands
from sharpen.cli.wish import BUDGET, CLAIMS, MODEL, OUT, TASK, Wish

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Make a language model better at a task from its own attempts, by many published methods at one budget, and "
    "see with honest intervals what each gained and what it cost.",
)

Text: TypeAlias = str | None
Number: TypeAlias = int | None
Task = Annotated[
    Text,
    typer.Option(
        help="arithmetic[:level=N,kind=K,...] or another family of the embedded world, gym:NAME[:key=value,...] or "
        f"FILE.jsonl. Default: {TASK}."
    ),
]
Model = Annotated[
    Text,
    typer.Option(
        help=f"nano, nano-critic, smollm2, a Hugging Face id or folder, or openai:MODEL@URL. Default: {MODEL}."
    ),
]
Teacher = Annotated[Text, typer.Option(help="A model that methods may learn from.")]
Judge = Annotated[Text, typer.Option(help="A model that methods may ask for verdicts.")]
Budget = Annotated[Text, typer.Option(help=f"What a run may spend: 3e13flops, 2e6tok or 10min. Default: {BUDGET}.")]
Settings = Annotated[
    list[str], typer.Option("--set", metavar="KEY=VALUE", help="A setting of the method, such as training.rate=1e-3.")
]
Config = Annotated[
    Path | None,
    typer.Option(help="A TOML file with these flags as keys and a [settings] table, or a run's config.toml."),
]
Out = Annotated[Path, typer.Option(help="The folder that runs are kept in.")]
System = Annotated[Text, typer.Option(help="Instructions that take the place of the task's own.")]
Reward = Annotated[
    Text, typer.Option(metavar="MODULE:FUNCTION", help="The judge of a FILE.jsonl task, with TRL's signature.")
]
MaxTokens = Annotated[Number, typer.Option(help="The longest answer, in tokens.")]
Rounds = Annotated[Number, typer.Option(help="At most so many rounds. Default: as many as the budget allows.")]
Dev = Annotated[Number, typer.Option(help="Examine at most so many dev problems after each round. Default: 100.")]
Test = Annotated[Number, typer.Option(help="Examine at most so many held-out problems at the end. Default: all.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what a round and the whole run will cost, and stop.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]
Method = Annotated[str, typer.Argument(metavar="METHOD[:VARIANT]", help="A method, as `sharpen list` names it.")]


def version(wanted: bool) -> None:
    """Says the version, and that is all."""
    if wanted:
        typer.echo(f"sharpen {__version__}")
        raise typer.Exit


@app.callback()
def begin(
    _version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """What all commands share."""


@app.command("list")
def list_methods(
    by: Annotated[Text, typer.Option(metavar="AXIS", help="Group by generate, evaluate or control.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the methods there are."""
    from sharpen.cli.showing import show_list

    show_list(by, as_json)


@app.command()
def show(method: Method) -> None:
    """Show a method in full: its paper, its algorithm, its settings and its variants."""
    from sharpen.cli.showing import show_method

    show_method(method)


@app.command()
def run(  # noqa: PLR0913 - flags are arguments here
    method: Method,
    task: Task = None,
    model: Model = None,
    budget: Budget = None,
    seed: Annotated[Number, typer.Option(help="The seed of the run. Default: 0.")] = None,
    teacher: Teacher = None,
    judge: Judge = None,
    settings: Settings = [],  # noqa: B006 - typer copies it
    config: Config = None,
    system: System = None,
    reward: Reward = None,
    max_tokens: MaxTokens = None,
    rounds: Rounds = None,
    dev: Dev = None,
    test: Test = None,
    out: Out = OUT,
    dry_run: DryRun = False,
) -> None:
    """Improve a model on a task by one method, and examine what that gave."""
    calm()
    from sharpen.cli.orders import order_for
    from sharpen.cli.running import begin_run, foretell

    wish = Wish(task, model, teacher, judge, budget, seed, tuple(settings), config, system, reward, max_tokens)
    order = order_for(method, wish.within(rounds, dev, test))
    if dry_run:
        foretell([order])
    else:
        begin_run(order, out)


@app.command()
def compare(  # noqa: PLR0913 - flags are arguments here
    methods: Annotated[list[str], typer.Argument(metavar="METHOD[:VARIANT]...", help="The methods to compare.")],
    task: Task = None,
    model: Model = None,
    budget: Budget = None,
    seeds: Annotated[str, typer.Option(help="Seeds, such as 0-4 or 0,2,5: every method runs with each.")] = "0-4",
    jobs: Annotated[Number, typer.Option(help="Runs at once. Default: one a core; one for budgets in time.")] = None,
    teacher: Teacher = None,
    judge: Judge = None,
    settings: Settings = [],  # noqa: B006 - typer copies it
    config: Config = None,
    system: System = None,
    reward: Reward = None,
    max_tokens: MaxTokens = None,
    rounds: Rounds = None,
    dev: Dev = None,
    test: Test = None,
    out: Out = OUT,
    dry_run: DryRun = False,
) -> None:
    """Compare methods at equal budget: every method with every seed, a table, and a report.

    A setting METHOD.key=value is for that method alone. The same command goes on where it was interrupted.
    """
    from sharpen.cli.orders import jobs_for, orders_for, seeds_of

    wish = Wish(task, model, teacher, judge, budget, None, tuple(settings), config, system, reward, max_tokens)
    orders = orders_for(methods, seeds_of(seeds), wish.within(rounds, dev, test))
    many = jobs_for(orders, jobs)
    calm(many)
    from sharpen.cli.running import compare_runs, foretell

    if dry_run:
        foretell(orders[: len(set(methods))])
    else:
        compare_runs(orders, out, many)


@app.command()
def replicate(
    method: Annotated[Text, typer.Argument(metavar="METHOD", help="A method with a claim file.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every method with a claim file.")] = False,
    claims: Annotated[Path, typer.Option(metavar="DIR", help="The folder of claim files, METHOD.toml each.")] = CLAIMS,
    jobs: Annotated[Number, typer.Option(help="Runs at once. Default: one a core; one for budgets in time.")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder that the runs are kept in.")] = OUT / "claims",
    dry_run: DryRun = False,
) -> None:
    """Decide what is claimed of a method: run what its claim file asks for, write its card and its page's section.

    Without METHOD: what is claimed, and what was found so far. The same command goes on where it was interrupted.
    """
    from sharpen.cli.claiming import claimed, show_claims
    from sharpen.cli.orders import jobs_for

    if method is None and not every:
        show_claims(claims)
        return
    stated = claimed(claims, method, every)
    calm(max(jobs_for(one.orders(), jobs) for one in stated))
    from sharpen.cli.replicating import foretell_claims, replicate_claims

    if dry_run:
        foretell_claims(stated)
    else:
        replicate_claims(stated, claims, out, jobs)


@app.command()
def exam(
    run: Run,
    task: Annotated[Text, typer.Option(help="Another task to examine it on. Default: the run's own result.")] = None,
) -> None:
    """Show what a run's held-out exam said, or examine what it delivered on another task."""
    calm()
    from sharpen.cli.delivering import examine

    examine(run, task)


@app.command()
def resume(run: Run) -> None:
    """Go on with a run that was interrupted."""
    calm()
    from sharpen.cli.running import resume_run

    resume_run(run)


@app.command()
def check(
    task: Task = None,
    model: Model = None,
    system: System = None,
    reward: Reward = None,
    max_tokens: MaxTokens = None,
    problems: Annotated[int, typer.Option(help="Problems to try.")] = 32,
    tries: Annotated[int, typer.Option(help="Attempts at each.")] = 16,
    as_json: AsJson = False,
) -> None:
    """Check that a task's judge is sound and that this model can learn from it by sampling at all. Without a task:
    where the model stands on every level of the embedded world, and what it can do with words; that takes minutes, is
    kept under checks in $SHARPEN_HOME (or ~/.cache/sharpen), and goes on where it was interrupted."""
    calm()
    from sharpen.cli.checking import check_model
    from sharpen.cli.delivering import check_pair
    from sharpen.cli.orders import order_for

    wish = Wish(task=task, model=model, system=system, reward=reward, max_tokens=max_tokens)
    if task is None and not wish.asks:
        check_model(order_for("", wish), problems, as_json)
    else:
        check_pair(order_for("", wish), problems, tries, as_json)


@app.command()
def view(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with runs in it.")]) -> None:
    """Show the table of all finished runs in a folder, and write its report.html anew."""
    from sharpen.cli.gathering import view_folder

    view_folder(folder)


@app.command()
def export(
    run: Run,
    to: Annotated[str, typer.Option("--to", metavar="FORM", help="hf (a model), peft (an adapter) or prompt.")],
    out: Annotated[Path | None, typer.Option(help="The folder to write. Default: export-FORM in the run's.")] = None,
) -> None:
    """Export what a run delivered, with a card that says what it gained and cost."""
    calm()
    from sharpen.cli.delivering import export_run

    export_run(run, to, out)


def main() -> None:
    """What the command `sharpen` calls."""
    app()
