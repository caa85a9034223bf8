"""Each lock is enough for what is installed from it: no command and no process needs a package beyond."""

import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

from tests.docs.repository import ROOT
from tests.docs.test_dependencies import LOCKS, lock

_RUNS = {
    "workstation": ("cli", "commands.workstation", "commands.keys", "commands.i18n"),
    "server": (
        "cli", "commands.init", "commands.keys", "commands.reviewers", "commands.run", "commands.serve",
        "commands.status", "commands.doctor", "commands.form", "forms.looking", "forms.approving", "commands.i18n",
        "serving.keeper", "serving.source", "serving.journalist",
    ),
    "run": ("commands.evaluate", "commands.demo"),
    "forms": ("cli", "commands.form", "forms.drafting", "forms.looking", "forms.paper"),
}  # fmt: skip

_WITHOUT = """
import sys, importlib
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"not in this lock: {name}", name=name)
ABSENT = set(sys.argv[2:])
sys.meta_path.insert(0, Absent())
for name in sys.argv[1].split(","):
    importlib.import_module(f"svidok.{name}")
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


@pytest.mark.parametrize(("purpose", "modules"), _RUNS.items(), ids=_RUNS)
def test_what_a_lock_is_for_runs_with_nothing_else(purpose: str, modules: tuple[str, ...]) -> None:
    absent = _absent(purpose)

    asked = subprocess.run(
        [sys.executable, "-c", _WITHOUT, ",".join(modules), *absent],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    assert "pytest" in absent
    assert asked.returncode == 0, asked.stderr.strip().splitlines()[-1]
