"""The command line: `customer360 COMMAND`, each with an example in its help."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.markup import escape

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="One trustworthy view of each customer. Start with `make pipeline`.",
)
console = Console(highlight=False, soft_wrap=True)


@app.callback()
def begin() -> None:
    """Leave out what every command would load and none uses."""
    # Reading a notebook imports jsonschema, and that a grammar of international addresses
    # which takes 1.6 s to compile. It goes on without: no notebook has any to check.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def _stop(message: str, *, then: str = "") -> typer.Exit:
    console.print(f"[bold red]Stopped.[/] {escape(message)}")
    if then:
        console.print(f"[bold]Next:[/] {escape(then)}")
    return typer.Exit(1)


def _root() -> Path:
    from customer360.storage import find_root

    try:
        return find_root()
    except FileNotFoundError as error:
        raise _stop(str(error)) from None


def _params(root: Path) -> dict[str, Any]:
    try:
        return yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, ValueError) as error:
        raise _stop(f"params.yaml cannot be read: {error}") from None


@app.command()
def capture() -> None:
    """Bring in the dataset named in params.yaml, as raw tables.

    Example: [bold]customer360 capture[/]
    """
    from customer360.capture import capture as bring_in
    from customer360.contracts import ContractError
    from customer360.periods import PeriodError
    from customer360.run_notebook import transaction
    from customer360.worlds.spec import DatasetError

    root = _root()
    name = str(_params(root).get("dataset", "demo"))
    started = time.perf_counter()
    with console.status(f"Bringing in {name}..."):
        try:
            with transaction(root, _outputs(root, "capture")):
                rows = bring_in(root=root, name=name)
        except (DatasetError, ContractError, PeriodError, FileNotFoundError) as error:
            raise _stop(str(error), then=f"correct it, then `customer360 check {name}`") from None
    present = {table: count for table, count in rows.items() if count}
    console.print(
        f"[bold]{name}[/]: "
        + ", ".join(f"{count:,} {table}" for table, count in present.items())
        + f" [dim]({time.perf_counter() - started:.0f} s)[/]"
    )


def _outputs(root: Path, stage: str) -> list[str]:
    """Files that dvc.yaml says a stage writes."""
    stages = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    entry = stages.get(stage, {})
    return [
        next(iter(out)) if isinstance(out, dict) else out
        for kind in ("outs", "metrics")
        for out in entry.get(kind, [])
    ]


@app.command()
def run(
    stage: Annotated[str, typer.Argument(help="cleaning, linkage, customers, features...")],
) -> None:
    """Run one stage: its notebook, with the parameters of params.yaml.

    Progress and findings appear here; the page is written to reports/. When a cell
    fails, the last good outputs stay.

    Example: [bold]customer360 run churn[/]
    """
    from customer360.report import findings, render_page
    from customer360.run_notebook import (
        StageError,
        StageFailed,
        execute,
        notebook_path,
        one_cell,
        stage_names,
        title,
        transaction,
        write_notebook,
    )
    from customer360.storage import Store, write_text

    root = _root()
    params = _params(root).get(stage) or {}
    try:
        path = notebook_path(root, stage)
    except StageError as error:
        raise _stop(str(error)) from None
    started = time.perf_counter()
    told = 0
    status = console.status(f"{stage}: starting")

    def tell(cell: Any, index: int, total: int, done: bool) -> None:
        nonlocal told
        status.update(f"{stage}: cell {index + 1} of {total}")
        if done:
            for sentence in findings(one_cell(cell)):
                console.print(f"  • {escape(_plain(sentence))}")
                told += 1

    console.print(f"[bold]{path.stem}[/]")
    try:
        with status, transaction(root, _outputs(root, stage)):
            notebook = execute(root=root, stage=stage, parameters=params, tell=tell)
            store = Store.open(root)
            try:
                facts = store.dataset()
            finally:
                store.close()
            stages = list(stage_names(root))
            here = stages.index(stage)
            page = render_page(
                notebook,
                title=title(notebook),
                stage=stage,
                dataset=facts["name"],
                previous=stages[here - 1] if here else None,
                following=stages[here + 1] if here + 1 < len(stages) else None,
            )
            write_notebook(root / "reports" / path.name, notebook)
            write_text(root / "reports" / f"{path.stem}.html", page)
    except StageError as error:
        raise _stop(str(error), then="correct params.yaml") from None
    except FileNotFoundError as error:
        raise _stop(str(error), then="make pipeline") from None
    except StageFailed as failure:
        # Our own errors say all there is to say; of others, show where they came from.
        if not failure.expected:
            console.print(f"[dim]{escape(failure.where)}[/]")
        raise _stop(
            str(failure),
            then=f"read the message; to look closer: `make lab`, open {failure.notebook}, "
            "run all cells. The last good outputs are untouched.",
        ) from None
    console.print(f"  [dim]{time.perf_counter() - started:.0f} s, reports/{path.stem}.html[/]")


def _plain(markdown: str) -> str:
    return markdown.replace("**", "").replace("`", "")


@app.command()
def world(
    out: Annotated[Path, typer.Option(help="folder to write; raw/ and truth/ appear in it")],
    people: Annotated[int, typer.Option(help="true people, 100 to some millions")] = 20_000,
    seed: Annotated[int, typer.Option(help="same seed, same bytes")] = 360,
    as_of: Annotated[str, typer.Option(help="last day of the world")] = "2025-12-31",
    years: Annotated[int, typer.Option(help="years of events up to that day")] = 3,
) -> None:
    """Make a demo world of any size: a fictional retailer whose truth is known.

    Written chunk by chunk, so that memory does not grow with the number of people.

    Example: [bold]customer360 world --people 100000 --seed 7 --out worlds/large[/]
    """
    from datetime import date

    from rich.progress import Progress

    from customer360.worlds import demo

    started = time.perf_counter()
    try:
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task(f"Making {people:,} people", total=people)
            rows = demo.write(
                people=people,
                seed=seed,
                as_of=date.fromisoformat(as_of),
                out=out,
                years=years,
                tell=lambda done: bar.update(task, completed=done),
            )
    except (ValueError, OSError) as error:
        raise _stop(str(error), then="customer360 world --help") from None
    for name in ("raw.people", "raw.orders", "raw.web_events", "raw.contacts"):
        console.print(f"  {rows[name]:>13,} {name}")
    console.print(f"  [dim]{time.perf_counter() - started:.0f} s, {escape(str(out))}[/]")


@app.command("new-dataset")
def new_dataset(
    name: Annotated[str, typer.Argument(help="short name: letters, digits, - and _")],
    files: Annotated[list[Path], typer.Argument(help="your CSV, Excel or Parquet files")],
) -> None:
    """Write a first mapping of your own files by looking at them.

    The files are copied to data/incoming/NAME, the mapping is datasets/NAME.yaml.

    Example: [bold]customer360 new-dataset shop orders_2025.xlsx customers.csv[/]
    """
    from customer360.worlds.propose import new_dataset as propose
    from customer360.worlds.spec import DatasetError

    root = _root()
    try:
        path = propose(name=name, files=files, root=root)
    except (DatasetError, OSError) as error:
        raise _stop(str(error)) from None
    console.print(f"Wrote [bold]{path.relative_to(root)}[/]. Read it, correct it, then:")
    console.print(f"  customer360 check {name}")
    console.print(f"  set [bold]dataset: {name}[/] in params.yaml, then `make pipeline`")


@app.command()
def check(
    name: Annotated[str, typer.Argument(help="dataset: datasets/NAME.yaml")],
) -> None:
    """Check a dataset and its mapping without running anything.

    Example: [bold]customer360 check shop[/]
    """
    from customer360.capture import spec_path
    from customer360.worlds.propose import check_spec
    from customer360.worlds.spec import DatasetError, read_spec

    root = _root()
    try:
        report = check_spec(spec=read_spec(spec_path(root, name)), root=root)
    except DatasetError as error:
        raise _stop(str(error), then=f"correct datasets/{name}.yaml") from None
    for line in report.lines:
        console.print(escape(line))
    if not report.ok:
        raise typer.Exit(1)


@app.command()
def review(
    promote: Annotated[
        bool, typer.Option(help="make a challenger that passes the champion")
    ] = True,
    cards: Annotated[bool, typer.Option(help="show the card of each model under review")] = True,
) -> None:
    """Compare models that await review with the champions, and promote those that pass.

    Both are scored on the same holdout; the conditions are in params.yaml (review). Then
    every champion is held against what happened since: exit code 3 when one decays.

    Example: [bold]customer360 review --no-promote[/]
    """
    from rich.markdown import Markdown

    from customer360.review import champions_health, review_models
    from customer360.tracking import TrackingError

    root = _root()
    params = _params(root)
    try:
        rows = review_models(root=root, params=params, promote=promote)
        followed = champions_health(root=root)
    except (FileNotFoundError, TrackingError, ValueError) as error:
        raise _stop(str(error), then="make pipeline") from None
    if not rows:
        console.print("No model awaits review: every challenger is already the champion.")
    for row in rows:
        if cards and row.card:
            console.print(Markdown(row.card))
        champion = "no champion yet" if row.champion is None else f"champion v{row.champion}"
        colour = "green" if row.decision in ("promoted", "ready") else "yellow"
        console.print(
            f"[bold]{row.name}[/] v{row.challenger}: [{colour}]{row.decision}[/]  "
            f"{row.metric} {_number(row.challenger_value)} against "
            f"{_number(row.champion_value)} ({champion})"
        )
        console.print(f"  [dim]{escape('; '.join(row.reasons))}[/]")
    for one in followed:
        colour = "red" if one.decays else "dim"
        words = escape(one.sentence)
        console.print(f"[bold]{one.name}[/] champion v{one.version} [{colour}]{words}[/]")
    if any(one.decays for one in followed):
        raise typer.Exit(3)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


@app.command()
def learn() -> None:
    """Weigh what came back from past messages, before the next plan (stages response, learning).

    Writes what to say to whom, the lessons behind it and the lines to hand back to the source
    files to data/learned. `make pipeline` does it too; bring in the newest contacts first.

    Example: [bold]customer360 learn[/]
    """
    for stage in ("response", "learning"):
        run(stage)


@app.command()
def report() -> None:
    """Write reports/index.html, the front page of all stages.

    Example: [bold]customer360 report[/]
    """
    from customer360.report import build_index
    from customer360.storage import write_text

    root = _root()
    write_text(root / "reports" / "index.html", build_index(root=root))
    console.print("Open [bold]reports/index.html[/] in your browser.")


@app.command()
def dictionary() -> None:
    """Write the pages that come from code: tables, and parameters of the demo world.

    Example: [bold]customer360 dictionary[/]
    """
    from customer360.dictionary import render_dictionary
    from customer360.storage import write_text
    from customer360.worlds.demo_parameters import render_parameters

    root = _root()
    pages = {"data_dictionary": render_dictionary, "demo_world_parameters": render_parameters}
    for name, render in pages.items():
        write_text(root / "docs" / f"{name}.md", render())
        console.print(f"Wrote docs/{name}.md")


@app.command("explain-link")
def explain_link(
    first: Annotated[str, typer.Argument(help="a record, SOURCE:SOURCE_ID, or a customer's id")],
    second: Annotated[str | None, typer.Argument(help="another record, SOURCE:SOURCE_ID")] = None,
    show_values: Annotated[
        bool, typer.Option("--show-values", help="show personal values in full")
    ] = False,
) -> None:
    """Say in words why two records are one person or not, or what holds a customer together.

    Example: [bold]customer360 explain-link crm:1042 web:77[/]
    """
    from customer360.link_words import explain_customer, explain_two
    from customer360.linkage.records import LinkageError
    from customer360.storage import Store

    store = Store.open(_root())
    try:
        if second is None and ":" not in first:
            words = explain_customer(store, customer_id=first, show_values=show_values)
        else:
            two = [_record(text) for text in (first, second or "")]
            words = explain_two(store, records=two, show_values=show_values)
    except (LinkageError, FileNotFoundError) as error:
        raise _stop(str(error)) from None
    finally:
        store.close()
    console.print(escape(words))


def _record(text: str) -> tuple[str, str]:
    source, colon, source_id = text.partition(":")
    if not (source and colon and source_id):
        raise _stop(f"{text!r} is not a record: write SOURCE:SOURCE_ID, for example crm:1042")
    return source, source_id


@app.command()
def unlink(
    customer: Annotated[str, typer.Argument(help="customer_id")],
    records: Annotated[list[str], typer.Argument(help="its records to take out, SOURCE:SOURCE_ID")],
) -> None:
    """Take records out of a customer; later runs remember it (data/raw/corrections.csv).

    The records named may stay together; none of them comes back to the others.

    Example: [bold]customer360 unlink c0123456789ab web:77[/]
    """
    from customer360.contracts import ContractError
    from customer360.linkage.corrections import read_decisions
    from customer360.linkage.corrections import unlink as decide
    from customer360.linkage.records import LinkageError
    from customer360.storage import Store, write_text

    store = Store.open(_root())
    file = "data/raw/corrections.csv"
    try:
        linked = store.read("linked_records").df()
        rows = decide(linked, customer_id=customer, records=[_record(r) for r in records])
        before, labels = store.read_csv(file), store.read_csv("data/raw/labels.csv")
        both = rows if before is None else _together(before, rows)
        # Checked before it is written: a later run must be able to read it.
        read_decisions(corrections=both, labels=labels)
        write_text(store.root / file, both.to_csv(index=False))
    except (LinkageError, ContractError, FileNotFoundError) as error:
        raise _stop(str(error)) from None
    finally:
        store.close()
    console.print(f"Remembered in {file}: {len(rows):,} pairs of records are different people.")
    console.print("[bold]Next:[/] make pipeline")


def _together(before: Any, rows: Any) -> Any:
    import pandas as pd

    return pd.concat([before, rows], ignore_index=True).drop_duplicates()


@app.command()
def card(
    customer: Annotated[str, typer.Argument(help="customer_id, or a visitor_id of the site")],
    moment: Annotated[str, typer.Option(help="ISO time of the conversation; now by default")] = "",
) -> None:
    """Write the adviser's page of one customer: reports/cards/ID.html and .ipynb.

    It holds personal data: only you can read the files, and git never sees them.

    Example: [bold]customer360 card c0123456789ab[/]
    """
    from customer360.periods import utc_now
    from customer360.report import render_page
    from customer360.run_notebook import StageFailed, execute, title, write_notebook
    from customer360.storage import Store, write_text

    root = _root()
    if not customer.isalnum():
        raise _stop("an id has letters and digits only")
    try:
        notebook = execute(
            root=root,
            stage="customer_card",
            parameters={"customer": customer, "moment": moment or utc_now()},
            path=root / "notebooks" / "customer_card.ipynb",
        )
    except StageFailed as failure:
        raise _stop(str(failure), then="make pipeline") from None
    store = Store.open(root)
    try:
        facts = store.dataset()
    finally:
        store.close()
    page = render_page(notebook, title=title(notebook), stage="card", dataset=facts["name"])
    folder = root / "reports" / "cards"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    write_notebook(folder / f"{customer}.ipynb", notebook)
    write_text(folder / f"{customer}.html", page)
    for path in folder.glob(f"{customer}.*"):
        path.chmod(0o600)
    console.print(f"  [dim]reports/cards/{customer}.html[/]")


@app.command("accept-ids")
def accept() -> None:
    """Remember the customer ids of the last run, so that the next one keeps them.

    Run it when its ids were used (a list was sent, a file delivered), before new files come.

    Example: [bold]customer360 accept-ids[/]
    """
    from customer360.known import accept_ids

    try:
        counts = accept_ids(_root())
    except FileNotFoundError as error:
        raise _stop(str(error)) from None
    console.print(
        f"Remembered: {counts['customers']:,} customers of {counts['records']:,} records, in "
        "data/raw/known. Later runs keep their ids."
    )


@app.command()
def leaked(
    address: Annotated[
        str, typer.Argument(help="e-mail, name, postal address, telephone, id or hash")
    ],
) -> None:
    """Name the file that leaked, when a message came to one of our trap addresses.

    Each file of data/handoff holds an address of ours that stands in no other file.

    Example: [bold]customer360 leaked alix.brochanet017@traps.example.com[/]
    """
    from customer360.contracts import ContractError
    from customer360.handoff.traps import REGISTER, find_leak
    from customer360.handover import REGISTER_FILE
    from customer360.storage import Store

    store = Store.open(_root())
    try:
        register = store.read_csv(REGISTER_FILE)
    except ContractError as error:
        raise _stop(str(error)) from None
    finally:
        store.close()
    if register is None:
        raise _stop(
            f"{REGISTER_FILE} is not there: no campaign was handed over yet", then="make pipeline"
        )
    if not set(REGISTER) <= set(register.columns):
        raise _stop(f"{REGISTER_FILE} must have the columns {', '.join(REGISTER)}")
    found = find_leak(register, address=address)
    if found.empty:
        # Not repeated here: it may be somebody's.
        raise _stop(
            f"this is none of the trap addresses of {register['file'].nunique():,} files",
            then="look at the spelling, or try the name on the message",
        )
    for campaign_id, name in found.itertuples(index=False):
        console.print(f"[bold]{escape(name)}[/] of campaign [bold]{escape(campaign_id)}[/]")
    if len(found) > 1:
        console.print("One of these: they share that address. Try the name or the id.")


@app.command()
def lineage(
    campaign: Annotated[
        Path, typer.Argument(help="folder of a campaign", exists=True, file_okay=False)
    ],
) -> None:
    """Name the models behind a campaign: version and run in MLflow.

    Its manifest names each model by the fingerprint of its files; MLflow knows the rest.

    Example: [bold]customer360 lineage data/handoff/campaigns/retention[/]
    """
    from customer360.handover import models_behind
    from customer360.tracking import TrackingError

    manifest = campaign / "manifest.json"
    if not manifest.is_file():
        raise _stop(f"{manifest} is not there", then="name a folder below data/handoff")
    try:
        found = models_behind(root=_root(), manifest=manifest)
    except TrackingError as error:
        raise _stop(str(error)) from None
    if not found:
        console.print("The manifest names no model.")
    for name, version in found.items():
        if version is None:
            console.print(f"[bold]{escape(name)}[/]: not in this registry; was it made elsewhere?")
            continue
        held = f" ({version['aliases']})" if version["aliases"] else ""
        console.print(f"[bold]{escape(name)}[/]: {version['model']}{held}")
        console.print(f"  [dim]run {version['run_id']}, {version['link']}[/]")


@app.command()
def scenarios(
    at: Annotated[str, typer.Option(help="day of sending, such as 2026-01-01")],
    dry_run: Annotated[
        str | None,
        typer.Option(metavar="FROM", help="only show what would have gone from FROM to that day"),
    ] = None,
) -> None:
    """Write the lists of what goes out by itself on a day: welcome, birthday, win-back...

    The rules are in scenarios.yaml; the lists, with their brief, appear in
    data/handoff/scenarios.

    Example: [bold]customer360 scenarios --at 2026-01-01[/]
    """
    from datetime import date

    from customer360.planning.pressure import ContactRule
    from customer360.planning.scenario_rules import read_scenarios
    from customer360.planning.scenarios import count_stops
    from customer360.planning.scenarios import dry_run as send
    from customer360.scenario_day import hand_over_day, past_actions, scenario_tables
    from customer360.storage import Store

    root = _root()
    try:
        end, start = date.fromisoformat(at), date.fromisoformat(dry_run or at)
        caps = [ContactRule(**rule) for rule in _params(root)["scenarios"]["contact_rules"]]
        text = (root / "scenarios.yaml").read_text(encoding="utf-8")
        rules = read_scenarios(text, contact_rules=caps)
    except (KeyError, TypeError):
        raise _stop(
            "params.yaml does not say how often a person may be contacted",
            then="write scenarios: contact_rules: in it, as the project has them",
        ) from None
    except FileNotFoundError:
        raise _stop("scenarios.yaml is not there", then="take that of the project") from None
    except ValueError as error:
        raise _stop(str(error)) from None
    store = Store.open(root)
    try:
        dataset = store.dataset()
        actions = send(
            rules,
            scenario_tables(store),
            start=start,
            end=end,
            timezone=dataset["timezone"],
            horizon_days=store.snapshots().horizon_days,
            earlier=past_actions(store, before=start),
        )
        written = None
        if dry_run is None:
            written = hand_over_day(store, actions, at=end, rules=rules, dataset=dataset)
    except (ValueError, FileNotFoundError, PermissionError) as error:
        raise _stop(str(error)) from None
    finally:
        store.close()
    _show_stops(count_stops(actions))
    if written is not None:
        console.print(f"Wrote [bold]{written.relative_to(root)}[/]: read brief.html first.")


def _show_stops(counts: Any) -> None:
    """A line a scenario; of what stopped the others, the commonest reason."""
    from rich.table import Table

    shown = Table("scenario", "due", "goes", "stopped most by")
    for name, row in counts.iterrows():
        reasons = row.drop(["due", "goes"])
        most = f"{reasons.idxmax()} ({reasons.max():,})" if reasons.sum() else ""
        shown.add_row(escape(str(name)), f"{row['due']:,}", f"{row['goes']:,}", escape(most))
    shown.add_row("all", f"{counts['due'].sum():,}", f"{counts['goes'].sum():,}", "")
    console.print(shown)


@app.command()
def strip(
    notebooks: Annotated[
        list[Path],
        typer.Argument(help="notebooks to clean in place", exists=True, dir_okay=False),
    ],
    check_only: Annotated[bool, typer.Option("--check", help="only say which need it")] = False,
) -> None:
    """Remove outputs, counts and volatile metadata from notebooks, as git keeps them.

    Example: [bold]customer360 strip notebooks/*.ipynb[/]
    """
    import nbformat

    from customer360.run_notebook import strip as stripped
    from customer360.run_notebook import write_notebook

    dirty = []
    for path in notebooks:
        notebook = nbformat.read(path, as_version=4)
        clean = stripped(notebook)
        if nbformat.writes(clean) + "\n" != path.read_text(encoding="utf-8"):
            dirty.append(path)
            if not check_only:
                write_notebook(path, clean)
    for path in dirty:
        console.print(f"{'needs stripping' if check_only else 'stripped'}: {path}")
    if dirty and check_only:
        raise _stop("notebooks hold outputs", then="customer360 strip notebooks/*.ipynb")


if __name__ == "__main__":
    sys.exit(app())
