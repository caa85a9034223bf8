"""`python -m benchmarks`: measure every claim about speed and memory; ends with 1 if a bound is missed."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from benchmarks import beginning, crowd, journey, memory, paging, questions, submission, uploading
from benchmarks.drop import made
from benchmarks.figures import Figure, Size
from benchmarks.machine import Watch
from settings.model import GIB, MIB
from svidok.place import Place

Claim = Callable[[Place, Size], list[Figure]]

CLAIMS: dict[str, Claim] = {
    "submission": submission.measure,
    "beginning": beginning.measure,
    "uploading": uploading.measure,
    "memory": memory.measure,
    "crowd": crowd.measure,
    "paging": paging.measure,
    "form page": questions.measure_page,
    "short path": questions.measure_path,
    "journey": journey.measure,
}
FULL = Size(
    submissions=100,
    derivations=15,
    uploads=((64 * MIB, 7), (400 * MIB, 5)),
    small_bytes=MIB,
    large_bytes=2 * GIB,
    sources=16,
    each=20,
    stored=100_000,
    pages=200,
    journeys=1,
)
QUICK = Size(
    submissions=5,
    derivations=1,
    uploads=((4 * MIB, 1),),
    small_bytes=MIB,
    large_bytes=32 * MIB,
    sources=3,
    each=1,
    stored=2_000,
    pages=5,
    journeys=0,
)


def main(words: Sequence[str] | None = None) -> int:
    """Measure, tell, and say by the exit code whether all bounds hold."""
    arguments = _arguments(words)
    errors = Console(stderr=True)
    figures: list[Figure] = []
    watch = Watch()
    with errors.status("making a drop") as status, made() as place:
        for name in arguments.claims or CLAIMS:
            status.update(f"measuring: {name}")
            figures += CLAIMS[name](place, QUICK if arguments.quick else FULL)
    if arguments.json:
        told = [{**asdict(figure), "holds": figure.holds} for figure in figures]
        print(json.dumps({"machine": watch.told(), "figures": told}, indent=1))
    else:
        Console().print(_table(figures), watch.told())
    return 0 if all(figure.holds for figure in figures) else 1


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure speed and memory against their bounds.")
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help=f"which to measure: {', '.join(CLAIMS)}")
    parser.add_argument("--quick", action="store_true", help="a slice that shows that everything runs")
    parser.add_argument("--json", action="store_true", help="the figures for other programs")
    arguments = parser.parse_args(words)
    if unknown := set(arguments.claims) - set(CLAIMS):
        parser.error(f"there is no claim {', '.join(sorted(unknown))}; there are {', '.join(CLAIMS)}")
    return arguments


def _table(figures: Sequence[Figure]) -> Table:
    table = Table(title="speed and memory")
    for name in ("claim", "measured", "bound", "", "how"):
        table.add_column(name, overflow="fold")
    for figure in figures:
        sign = "at least" if figure.at_least else "at most"
        bound = "" if figure.bound is None else f"{sign} {figure.bound:g} {figure.unit}"
        verdict = "[green]holds[/green]" if figure.holds else "[red]MISSED[/red]"
        table.add_row(figure.claim, f"{figure.value:.2f} {figure.unit}", bound, verdict, figure.note)
    return table


if __name__ == "__main__":
    sys.exit(main())
