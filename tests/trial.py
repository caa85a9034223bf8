"""A whole drop as people run it: set up for trying out, run as processes, reached over its onion addresses."""

import itertools
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx
import psutil
import pyotp

from hardening.files import private_folder
from onion.daemon import Running
from onion.membership import Membership
from onion.torrc import Place as TorPlace
from onion.torrc import client_only, socks_port
from svidok.evaluation import SignIn, Trial
from svidok.identity import Identity
from tests.browserlike import Browser
from tests.onion_socks import SocksRefusedError, connect
from tests.processes import words_of

_BOTH_READY = ("reviewer ready, source ready", "source ready, reviewer ready")
_STOPPING_SECONDS = 60
_PAUSE_SECONDS = 0.2


def copied(trial: Trial, folder: Path) -> Trial:
    """Give a trial a twin with the same keys and accounts, owners and modes."""
    subprocess.run(["cp", "--archive", str(trial.root), str(folder)], check=True)
    return Trial(folder)


@dataclass(slots=True)
class Authenticator:
    """The first reviewer's authenticator; it never gives a code twice, as no code works twice."""

    sign_in: SignIn
    _given_step: int = 0

    def code(self) -> str:
        step = int(time.time()) // 30
        if step <= self._given_step:
            # One step ahead is taken, too (RFC 6238, 5.2); further ahead we have to wait.
            step = self._given_step + 1
            time.sleep(max(0, (step - 1) * 30 - time.time()))
        self._given_step = step
        return pyotp.TOTP(self.sign_in.totp_secret).at(step * 30)


class RunningDrop:
    """`svidok run`, started as from a terminal; everything that it has printed is in `said`."""

    def __init__(self, trial: Trial, *wishes: str) -> None:
        self.trial = trial
        self.place = trial.place
        self.identity = Identity.read(trial.place.identity)
        self.authenticator = Authenticator(SignIn.read(trial.credentials))
        self.said = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "svidok", "run", str(trial.place.root), *wishes],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def hear(self, *choices: str, seconds: float = 120) -> None:
        """Return when it has printed one of these."""
        assert self.process.stdout is not None
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not any(words in self.said for words in choices):
                heard = b""
                if selector.select(max(0, end - time.monotonic())):
                    heard = os.read(self.process.stdout.fileno(), 65536)
                if not heard:
                    raise AssertionError(f"it never said {choices}, but:\n{self.said}")
                self.said += heard.decode()

    def hear_ready(self) -> Self:
        """Return when both onion services can be reached."""
        self.hear(*_BOTH_READY)
        return self

    def forget(self) -> None:
        """Let `hear` listen for what is printed from now on."""
        self.said = ""

    def port(self, site: str) -> int:
        """Tell the loopback port of `sources` or `reviewers`."""
        line = next(line for line in self.said.splitlines() if line.split()[:1] == [site] and "127.0.0.1" in line)
        return int(line.partition("127.0.0.1:")[2].split()[0])

    def family(self) -> list[psutil.Process]:
        """List every process that runs because of this one."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def child(self, name: str) -> psutil.Process:
        """Find the process `keeper`, `source` or `journalist`."""
        children = psutil.Process(self.process.pid).children()
        return next(one for one in children if words_of(one)[3:5] == ["serve", name])

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it as a terminal or the system does, and tell its exit code."""
        if self.process.poll() is None:
            # A terminal's Ctrl-C goes to the whole group.
            os.killpg(self.process.pid, number)
        heard, _ = self.process.communicate(timeout=_STOPPING_SECONDS)
        self.said += heard.decode()
        return self.process.returncode


@contextmanager
def running(trial: Trial, *wishes: str) -> Iterator[RunningDrop]:
    """Run the drop of *trial* with the words *wishes*; whatever happens, nothing of it stays."""
    drop = RunningDrop(trial, *wishes)
    try:
        yield drop
    finally:
        if drop.process.poll() is None:
            drop.stop()
        assert drop.process.stdout is not None
        drop.process.stdout.close()


def left_behind(trial: Trial) -> list[str]:
    """List the processes on this machine that have to do with *trial*."""
    return [
        " ".join(one.info["cmdline"])
        for one in psutil.process_iter(["cmdline"])
        if one.pid != os.getpid() and any(str(trial.root) in word for word in one.info["cmdline"] or ())
    ]


def joined(drop: RunningDrop, folder: Path, *keys: str) -> Running:
    """Start a tor of a visitor's in the drop's private network, with these lines of onion client keys."""
    membership = Membership.read(drop.place.network)
    place = TorPlace(folder)
    held = private_folder(private_folder(folder) / "keys")
    for number, line in enumerate(keys):
        (held / f"{number}.auth_private").write_text(line)
    tor = membership.run(client_only(place, socks_port(), membership.torrc_lines(), held), place)
    tor.wait_bootstrapped(60)
    return tor


@contextmanager
def visiting(tor: Running, address: str, seconds: float = 90) -> Iterator[Browser]:
    """Lend a browser without scripts that goes through *tor* to the onion *address*."""
    with httpx.Client(
        proxy=f"socks5h://127.0.0.1:{tor.socks_port}", base_url=f"http://{address}", timeout=seconds, headers={}
    ) as client:
        yield Browser(client)


def wait_reachable(tor: Running, address: str, seconds: float = 60) -> None:
    """Knock until *address* lets us in: nothing tells a visitor that a service came back."""
    end = time.monotonic() + seconds
    for attempt in itertools.count():
        try:
            # On a circuit of its own each time: one that hangs must not use up what there is for all.
            connect(tor.socks_port, address, f"knock {attempt} {end}", seconds / 4).close()
        except (SocksRefusedError, OSError):
            if time.monotonic() > end:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
