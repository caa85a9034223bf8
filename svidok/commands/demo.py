"""`svidok demo DIR`: play the whole journey once, through the real parts and a private Tor network."""

import argparse
import json
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from hardening.files import destroy
from svidok.errors import CommandError
from svidok.evaluation import Trial, set_up
from svidok.journey.play import JourneyError, Play, Step
from svidok.place import Place

_LIMIT_SECONDS = 180.0
_TICK_SECONDS = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder that is made, or used again")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Play; the exit code is 0 only if all held."""
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    tell = _tell_json if arguments.json else _tell
    begun = time.monotonic()
    # Each play is a drop of its own: the old one is no use to anybody.
    trial = Trial(folder / "trial")
    destroy(trial.root)
    set_up(trial)
    tell(Step("a drop, its keys and a desk are set up", time.monotonic() - begun, 0))
    scratch = folder / f"play-{secrets.token_hex(4)}"
    scratch.mkdir(mode=0o700)
    try:
        with _running(trial, tell):
            Play(trial, scratch, tell).run()
    except JourneyError as error:
        raise CommandError(f"the journey does not hold: {error}") from error
    finally:
        destroy(scratch)
    tell(Step("all of it held", time.monotonic() - begun, 0))
    return 0


@contextmanager
def _running(trial: Trial, tell: Callable[[Step], None]) -> Generator[None]:
    """Run the drop as a process of its own, exactly as `svidok run` does."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "svidok", "run", str(trial.place.root), "--tor", "private"]
    with tempfile.TemporaryFile() as said:  # noqa: TID251 - the drop's own words, no plaintext
        process = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
        try:
            _wait(trial.place, process)
            tell(Step("both onion services can be reached", time.monotonic() - begun, 0))
            yield
        except BaseException:
            said.seek(0)
            sys.stderr.write(said.read().decode("utf-8", errors="replace"))
            raise
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(_LIMIT_SECONDS)


def _wait(place: Place, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _LIMIT_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if place.services.exists():
            states = json.loads(place.services.read_bytes())["services"]
            if set(states.values()) == {"ready"}:
                return
        time.sleep(_TICK_SECONDS)
    raise CommandError("the drop did not come up")


def _tell(step: Step) -> None:
    size = f"{step.size_bytes / 1e6:9.1f} MB" if step.size_bytes else ""
    print(f"{step.seconds:7.1f} s {size:>12}  {step.text}", flush=True)


def _tell_json(step: Step) -> None:
    print(json.dumps({"step": step.text, "seconds": round(step.seconds, 3), "bytes": step.size_bytes}), flush=True)
