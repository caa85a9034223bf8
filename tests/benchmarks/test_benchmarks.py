"""The benchmarks run as they are and judge every claim; how fast this machine is today, no test says."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.__main__ import CLAIMS
from benchmarks.figures import Figure

_ROOT = Path(__file__).parents[2]
_FIGURES = {
    "a submission of 300 bytes, POST to 303",
    "to begin, against one Argon2id",
    "an upload of 4 MiB, speed against gpg alone",
    "an upload of 4 MiB, bytes written",
    "memory during an upload of 1 MiB, growth",
    "memory during an upload of 32 MiB, growth",
    "3 sources at once",
    "3 sources at once, errors",
    "a page of questions, 95 of 100",
    "the short path, in CPU time of the process",
    "the first page of collections at 2,000 submissions",
    "the middle page of collections at 2,000 submissions",
}


def test_a_quick_run_tells_about_every_claim() -> None:
    done = _run("--quick", "--json")

    told = json.loads(done.stdout)
    assert {figure["claim"] for figure in told["figures"]} == _FIGURES
    assert all(figure["value"] >= 0 and figure["bound"] is not None for figure in told["figures"])
    assert "cores" in told["machine"]
    assert done.returncode == (0 if all(figure["holds"] for figure in told["figures"]) else 1)


def test_an_unknown_claim_is_refused() -> None:
    done = _run("speed")

    assert done.returncode == 2
    assert all(name in done.stderr for name in ("speed", *CLAIMS))


def test_a_bound_is_the_most_or_the_least() -> None:
    assert Figure("a", 60.0, "ms", 60.0, "").holds
    assert not Figure("a", 60.1, "ms", 60.0, "").holds
    assert Figure("a", 0.6, "x", 0.6, "", at_least=True).holds
    assert not Figure("a", 0.59, "x", 0.6, "", at_least=True).holds
    assert Figure("a", 1e9, "ms", None, "").holds


def _run(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "benchmarks", *words]
    return subprocess.run(command, cwd=_ROOT, check=False, capture_output=True, text=True, timeout=280)
