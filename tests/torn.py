"""Leave a store as a writer does that is killed in the middle of a change."""

import subprocess
import sys
from pathlib import Path

_TORN = """
import os, sqlite3, sys
torn = sqlite3.connect(sys.argv[1], isolation_level=None)
torn.execute("PRAGMA cache_size=1")
torn.execute("BEGIN EXCLUSIVE")
torn.executemany("INSERT INTO pending_leaves VALUES (?)", ((os.urandom(32),) for _ in range(5000)))
os.kill(os.getpid(), 9)
"""


def tear(inbox: Path) -> None:
    """Kill a writer of the store at *inbox*; its journal lies beside it afterwards."""
    assert subprocess.run([sys.executable, "-c", _TORN, inbox], check=False).returncode == -9
