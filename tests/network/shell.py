"""What somebody does at the server's own shell."""

import subprocess
import sys

from svidok.place import Place


def reviewers(place: Place, action: str, *words: str) -> str:
    """Use `svidok reviewers`; give what it printed."""
    command = [sys.executable, "-m", "svidok", "reviewers", action, str(place.root), *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
