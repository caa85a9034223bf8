"""Each lock is enough for what is installed from it: no command and no process needs a package beyond."""

import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

from tests.docs.repository import ROOT
from tests.docs.test_dependencies import LOCKS, lock

_RUNS = {
    "workstation": ("svidok.cli", "svidok.commands.workstation", "svidok.commands.keys"),
    "server": (
        "svidok.cli", "svidok.commands.init", "svidok.commands.keys", "svidok.commands.reviewers",
        "svidok.commands.run", "svidok.commands.serve", "svidok.commands.status", "svidok.serving.keeper", "svidok.serving.source",
        "svidok.serving.journalist",
    ),
    "run": ("svidok.commands.evaluate", "svidok.commands.demo"),
}  # fmt: skip

_WITHOUT = """
import sys, importlib
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"not in this lock: {name}", name=name)
ABSENT = set(sys.argv[2:])
sys.meta_path.insert(0, Absent())
importlib.import_module(sys.argv[1])
"""


def _absent(purpose: str) -> list[str]:
    """The modules that are here, but would not be if only this lock had been installed."""
    locked = set(lock(LOCKS[purpose]))
    ours = {"svidok"}
    return sorted(
        module
        for module, distributions in packages_distributions().items()
        if not locked.union(ours).intersection(
            name.lower().replace("_", "-").replace(".", "-") for name in distributions
        )
    )


@pytest.mark.parametrize(("purpose", "module"), [(lock, one) for lock, modules in _RUNS.items() for one in modules])
def test_what_a_lock_is_for_runs_with_nothing_else(purpose: str, module: str) -> None:
    absent = _absent(purpose)

    asked = subprocess.run(
        [sys.executable, "-c", _WITHOUT, module, *absent], cwd=ROOT, check=False, capture_output=True, text=True
    )

    assert "pytest" in absent
    assert asked.returncode == 0, asked.stderr.strip().splitlines()[-1]
