"""`make demo` plays the whole journey through the real parts; here it is watched step by step."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hardening.files import destroy

STEPS = [
    "a drop, its keys and a desk are set up",
    "both onion services can be reached",
    "a source begins",
    "sends a message and 5 files",
    "writes down the codename and types it once more",
    "sends one large file",
    "answers questions step by step, and allows one thing: to be written to",
    "sends a photo with it, and says something about it",
    "looks through her answers and sends them",
    "leaves",
    "a reviewer signs in through her own onion key",
    "downloads a transfer bag",
    "the desk, without a network, checks the bag and takes it in",
    "taking it in again changes nothing",
    "judges and opens everything",
    "every answer came out equal",
    "every byte came out equal",
    "a reply is written offline, and packed",
    "the return bag goes back",
    "the source comes back with the codename and reads the reply",
    "and answers",
    "all of it held",
]


@pytest.mark.onion
@pytest.mark.timeout(600)
@pytest.mark.check("M14", "P12", "T8", "Q14")
def test_the_whole_journey_holds() -> None:
    """Sockets need short paths, so it plays under /tmp."""
    folder = Path(tempfile.mkdtemp(prefix="sv", dir="/tmp"))
    folder.chmod(0o755)

    try:
        played = subprocess.run(
            [sys.executable, "-m", "svidok", "demo", "--json", str(folder / "j")],
            check=False,
            capture_output=True,
            text=True,
        )
    finally:
        destroy(folder)

    assert played.returncode == 0, played.stderr
    steps = [json.loads(line) for line in played.stdout.splitlines()]
    assert [step["step"] for step in steps] == STEPS
    sizes = {step["step"]: step["bytes"] for step in steps}
    assert sizes["sends one large file"] == 64 * 1024 * 1024
    assert sizes["downloads a transfer bag"] > 64 * 1024 * 1024
