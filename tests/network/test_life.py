"""A drop's life as processes: what dies is started again, what is stopped leaves nothing, and a second run goes on."""

import signal
import socket
import time
from collections.abc import Mapping

import psutil
import pytest

from onion.daemon import Running
from source_interface.uploads import GATHERED_BYTES
from svidok.evaluation import Trial
from tests.onion_socks import connect
from tests.processes import words_of
from tests.source_interface.house import form_body, read_answer, shown_codename, until
from tests.trial import RunningDrop, joined, left_behind, running, visiting, wait_reachable
from tests.trial_fixtures import MakeTwin

pytestmark = pytest.mark.onion

TORS = 3 + 5
STOPPING_LIMIT_SECONDS = 30
"""J8."""


@pytest.fixture(scope="module")
def own(twin: MakeTwin) -> Trial:
    """A trial that these tests may end and begin again; its folder is left as each test leaves it."""
    return twin("life")


@pytest.mark.parametrize("name", ["source", "journalist"])
def test_a_server_process_that_is_killed_is_started_again_and_answers(
    onion_drop: RunningDrop, source_tor: Running, reviewer_tor: Running, name: str
) -> None:
    """No visitor meets a closed door meanwhile: the sockets stay with the parent."""
    tor, address = {
        "source": (source_tor, onion_drop.identity.source_address),
        "journalist": (reviewer_tor, onion_drop.identity.reviewer_address),
    }[name]
    wait_reachable(tor, address)
    before = onion_drop.child(name)

    before.kill()
    with visiting(tor, address) as browser:
        assert browser.open("/").status == 200

    assert onion_drop.child(name).pid != before.pid
    onion_drop.hear(f"the process {name} ended with code -9 and is started again")


@pytest.mark.check("J8", "F13")
def test_what_is_under_way_when_it_is_stopped_arrives_and_a_second_run_has_it(own: Trial) -> None:
    with running(own, "--tor", "private") as drop:
        drop.hear_ready()
        family = drop.family()
        assert [one.name() for one in family].count("tor") == TORS
        with joined(drop, own.root / "visitor") as tor:
            address = drop.identity.source_address
            with visiting(tor, address) as browser:
                browser.open("/")
                browser.begin()
                codename = shown_codename(browser.press("Send now", message="They came at night."))
                form = browser.open("/send").form("Send now")
                cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
            with connect(tor.socks_port, address, "upload", STOPPING_LIMIT_SECONDS) as stream:
                rest = half_sent(stream, address, cookie, form.controls)
                # What still lies in a tor's buffers has not reached the drop, and is not under way.
                until(lambda: any((own.place.inbox / "incoming").iterdir()), STOPPING_LIMIT_SECONDS)
                begun = time.monotonic()
                drop.process.send_signal(signal.SIGTERM)
                until(lambda: not named("journalist", family), STOPPING_LIMIT_SECONDS)
                stream.sendall(rest)
                answer = read_answer(stream)
        code = drop.stop()
        seconds = time.monotonic() - begun

    assert answer.status == 303
    assert code == 0
    assert seconds < STOPPING_LIMIT_SECONDS
    assert "stopped; nothing was lost" in drop.said
    assert nothing_left(own, family)
    with running(own, "--tor", "private") as drop:
        drop.hear_ready()
        with (
            joined(drop, own.root / "visitor") as tor,
            visiting(tor, drop.identity.source_address) as browser,
        ):
            browser.open("/login")
            page = browser.press("Open my inbox", codename=codename)
    assert page.heading == "Your inbox"
    cells = ["".join(cell.itertext()) for cell in page.tree.iter("td")]
    assert cells == ["1", "1", "–"]


@pytest.mark.check("J8")
def test_a_killed_keeper_comes_back_and_ctrl_c_ends_everything(own: Trial) -> None:
    with running(own, "--tor", "private") as drop:
        drop.hear_ready()
        family = drop.family()
        drop.forget()
        drop.child("keeper").kill()
        drop.hear("the process keeper ended with code -9 and is started again")
        drop.hear_ready()
        family += drop.family()
        with joined(drop, own.root / "visitor-after", own.client_key.read_text("ascii")) as tor:
            wait_reachable(tor, drop.identity.source_address)
            wait_reachable(tor, drop.identity.reviewer_address)
        drop.process.send_signal(signal.SIGINT)
        drop.hear("stopping")
        # Whoever presses it again is not faster, and leaves nothing behind either.
        code = drop.stop(signal.SIGINT)

    assert code == 0
    assert "stopped; nothing was lost" in drop.said
    assert nothing_left(own, family)


@pytest.mark.full
@pytest.mark.check("J8")
def test_twenty_cycles_of_start_and_stop_leave_nothing(twin: MakeTwin) -> None:
    cycled = twin("cycles")
    for number in range(20):
        with running(cycled, "--tor", "off") as drop:
            drop.hear("Ctrl-C stops everything")
            family = drop.family()
            begun = time.monotonic()
            assert drop.stop(signal.SIGINT if number % 2 else signal.SIGTERM) == 0
            assert time.monotonic() - begun < STOPPING_LIMIT_SECONDS
        assert nothing_left(cycled, family)


def half_sent(stream: socket.socket, address: str, cookie: str, controls: Mapping[str, str]) -> bytes:
    """Send half of a file, and give the other half."""
    parts: list[tuple[str, str | None, bytes]] = [(name, None, text.encode()) for name, text in controls.items()]
    body = form_body("half", [*parts, ("files", "rest.bin", bytes(4 * GATHERED_BYTES))])
    lines = (
        "POST /send HTTP/1.1",
        f"Host: {address}",
        f"Cookie: {cookie}",
        "Origin: null",
        "Sec-Fetch-Site: same-origin",
        "Content-Type: multipart/form-data; boundary=half",
        f"Content-Length: {len(body)}",
    )
    stream.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body[: len(body) // 2])
    return body[len(body) // 2 :]


def named(name: str, family: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in family if name in words_of(one)]


def nothing_left(trial: Trial, family: list[psutil.Process]) -> bool:
    """No process, no socket, nothing half-received."""
    assert [one for one in family if one.is_running()] == []
    assert left_behind(trial) == []
    assert list(trial.place.run.iterdir()) == []
    assert list((trial.place.inbox / "incoming").iterdir()) == []
    return not list(trial.place.root.rglob("*-journal")) and not list(trial.place.root.rglob("*.part"))
