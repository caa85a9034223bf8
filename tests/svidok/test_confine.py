"""What a web process can still do when it serves, tried from inside one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_TRY = """
import errno, json, os, sys, tempfile
from pathlib import Path
from hardening.process import Reach
from svidok.serving.confine import confine, preload

own, places = Path(sys.argv[1]), sys.argv[2:]
preload()
confine(Reach(write=(own,)))
found = {}
for place in [*places, str(own)]:
    try:
        descriptor = os.open(f"{place}/svidok-was-here", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        found[place] = errno.errorcode[error.errno]
    else:
        os.close(descriptor)
        found[place] = "written"
try:
    tempfile.TemporaryFile()
except OSError as error:
    found["a temporary file"] = errno.errorcode[error.errno]
print(json.dumps(found))
"""


@pytest.mark.check("F5")
def test_a_web_process_can_write_nowhere_but_into_its_own_folder(tmp_path: Path) -> None:
    """Not where temporary files, caches and settings go, whoever it runs as; so no library leaves plaintext there."""
    own, elsewhere = tmp_path / "own", tmp_path / "elsewhere"
    cache = tmp_path / "cache"
    for folder in (own, elsewhere, cache):
        folder.mkdir()
    places = ["/tmp", "/var/tmp", "/dev/shm", "/run", str(Path.home()), str(elsewhere), str(cache), str(Path.cwd())]  # noqa: S108
    environment = {**os.environ, "TMPDIR": str(elsewhere), "XDG_CACHE_HOME": str(cache), "HOME": str(elsewhere)}

    asked = subprocess.run(
        [sys.executable, "-c", _TRY, str(own), *places], check=False, capture_output=True, text=True, env=environment
    )

    assert asked.returncode == 0, asked.stderr
    found = json.loads(asked.stdout)
    assert {place: found[place] for place in places} == dict.fromkeys(places, "EACCES")
    assert found[str(own)] == "written"
    assert found["a temporary file"] in ("ENOENT", "EACCES")
