"""A running drop, as whoever started it sees it: what it opens, what it prints, how it ends."""

import asyncio
import os
import signal
import socket
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import httpx
import psutil
import pytest
from sqlalchemy import create_engine, text

from hardening.asking import ask
from keeper.alarm_file import Alarm, write
from svidok.children import REFUSED
from svidok.identity import Identity
from svidok.isolation import KEEPER, REVIEWER, SOURCE
from svidok.place import Place
from tests.browserlike import Browser, unix_client
from tests.svidok.conftest import Held, TwinOf
from tests.svidok.console import PASSPHRASE, Console, Program, Running, owner, running

AS_ROOT = os.geteuid() == 0
STARTED = "Ctrl-C stops everything."
SITES = ("sources", "reviewers")
OWNERS = {
    "source.sock": (SOURCE, KEEPER),
    "journalist.sock": (REVIEWER, KEEPER),
    "broker-source.sock": (KEEPER, SOURCE),
    "broker-reviewer.sock": (KEEPER, REVIEWER),
}


@pytest.fixture(scope="module")
def going(svidok: Program, ready_drop: Path, twin_of: TwinOf) -> Iterator[Running]:
    """One drop for the tests that only look at it."""
    with running(svidok, twin_of(ready_drop), "--listen", "0", "0") as drop:
        drop.hear(STARTED)
        # What each asks of itself it has done when it answers.
        for path in sockets(drop.place).values():
            with unix_client(str(path), "localhost") as client:
                client.get("/").raise_for_status()
        assert asyncio.run(ask(drop.place.reviewer_broker, "names")) == ""
        yield drop


def sockets(place: Place) -> dict[str, Path]:
    return {"sources": place.source_socket, "reviewers": place.journalist_socket}


def status(url: str, host: str, client: httpx.Client) -> int:
    return client.get(url, headers={"host": host}).status_code


@pytest.mark.check("D9")
def test_the_sockets_are_for_tor_and_for_each_other(going: Running) -> None:
    found = {path.name: owner(path) for path in going.place.run.iterdir() if stat.S_ISSOCK(path.stat().st_mode)}

    assert owner(going.place.run)[2] == (0o750 if AS_ROOT else 0o700)
    if AS_ROOT:
        assert found == {name: (*owners, 0o660) for name, owners in OWNERS.items()}
    else:
        assert {name: one[2] for name, one in found.items()} == dict.fromkeys(OWNERS, 0o600)


@pytest.mark.check("P9", "F13")
def test_each_process_is_its_own_user_and_dumps_no_core(going: Running) -> None:
    for name, user in (("keeper", KEEPER), ("source", SOURCE), ("journalist", REVIEWER)):
        child = going.child(name)
        assert child.username() == (user if AS_ROOT else psutil.Process().username())
        limits = Path(f"/proc/{child.pid}/limits").read_text("ascii")
        assert next(line.split()[4:6] for line in limits.splitlines() if "core file" in line) == ["0", "0"]


@pytest.mark.check("A8")
def test_both_sites_answer_on_socket_and_port_to_their_own_names_alone(going: Running) -> None:
    identity = Identity.read(going.place.identity)
    addresses = {"sources": identity.source_address, "reviewers": identity.reviewer_address}
    for site in SITES:
        port = going.port(site)
        other = addresses["reviewers" if site == "sources" else "sources"]
        with (
            unix_client(str(sockets(going.place)[site]), "localhost") as by_socket,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as by_port,
        ):
            for client in (by_socket, by_port):
                for host in (addresses[site], f"127.0.0.1:{port}", f"localhost:{port}", "localhost"):
                    assert status("/", host, client) == 200, (site, host)
                for host in (other, "example.org", "127.0.0.1", f"localhost:{port + 1}", f"x.{addresses[site]}"):
                    assert status("/", host, client) == 400, (site, host)


@pytest.mark.check("D9")
def test_the_ports_are_on_this_machine_alone(going: Running) -> None:
    """The processes inherit them; none of them has another. Only root may look into the processes."""
    listening = {
        connection.laddr
        for process in (psutil.Process(going.process.pid), *(going.children() if AS_ROOT else []))
        for connection in process.net_connections("inet")
    }

    assert listening == {("127.0.0.1", going.port(site)) for site in SITES}


def test_a_second_run_of_the_same_drop_is_refused_and_the_first_goes_on(going: Running, svidok: Program) -> None:
    said = svidok("run", going.place.root, "--tor", "off")

    assert f"the drop in {going.place.root} runs already, or is still ending" in said.err
    assert said.code == 1
    with unix_client(str(going.place.source_socket), "localhost") as client:
        assert client.get("/").status_code == 200


def test_the_status_of_a_running_drop(going: Running, svidok: Program) -> None:
    said = svidok("status", going.place.root)

    assert "running            yes" in said.out
    assert "open for reports   yes" in said.out


@pytest.mark.check("G6", "G9")
def test_an_import_is_followed_within_seconds_without_a_restart(
    going: Running, svidok: Program, keys: Held, console: Console
) -> None:
    """An owner withdraws, the drop closes; whoever began before is not lost: she still has her form."""
    with unix_client(str(going.place.source_socket), "localhost") as client:
        early, late = Browser(client), Browser(client)
        early.open("/")
        early.begin()
        _ = console("keys", "withdraw", keys.keyset, *keys.owner("two")).done
        imported = svidok("keys", "import", going.place.root, keys.keyset)
        assert imported.code == 0, imported.err
        begun = time.monotonic()

        assert "Closed for new reports" in late.open("/").text
        assert "Begin" not in [button for form in late.page.forms for button in form.buttons]

        assert time.monotonic() - begun < 10
        assert client.post("/begin", headers={"sec-fetch-site": "same-origin", "origin": "null"}).status_code == 503
        assert early.open("/send").status == 200
    assert "open for reports   no" in svidok("status", going.place.root).out


@pytest.mark.check("L2")
def test_nothing_secret_is_ever_printed(going: Running) -> None:
    place = going.place
    secrets = [path.read_bytes() for path in (place.pepper, place.log_key)]
    secrets += [path.read_bytes() for path in place.onion.glob("*/hs_ed25519_secret_key")]
    said = going.said.encode()

    assert all(secret not in said and secret.hex().encode() not in said for secret in secrets)
    assert PASSPHRASE not in going.said


@pytest.mark.check("M6", "D3")
def test_the_proxy_line_is_asked_for_where_it_was_wished(svidok: Program, drop: Place) -> None:
    with running(svidok, drop.root, "--listen", "0", "0", "--proxy-line") as going:
        going.hear(STARTED)
        with unix_client(str(drop.source_socket), "localhost") as client:
            assert client.get("/").status_code == 200
        for site in SITES:
            host = f"127.0.0.1:{going.port(site)}"
            for line, answered in ((b"", b""), (b"PROXY TCP6 fc00:dead:beef:4dad::1:2 ::1 2 80\r\n", b"HTTP/1.1 200")):
                with closing(socket.create_connection(("127.0.0.1", going.port(site)), timeout=30)) as visitor:
                    visitor.sendall(line + f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                    assert visitor.recv(len(answered) or 1) == answered


@pytest.mark.check("J8", "L2")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=str)
def test_it_ends_when_asked_and_leaves_nothing_that_runs_and_no_socket(
    number: int, svidok: Program, drop: Place
) -> None:
    with running(svidok, drop.root) as going:
        going.hear(STARTED)
        family = going.children()
        with unix_client(str(drop.source_socket), "localhost") as client:
            assert client.get("/").status_code == 200

        assert going.end(number) == 0

        assert "stopped; nothing was lost" in going.said
        assert "Traceback" not in going.said
        assert list(drop.run.iterdir()) == []
        assert [one for one in family if one.is_running()] == []


@pytest.mark.check("J8")
def test_no_process_outlives_a_parent_that_is_killed_and_the_next_run_takes_over(svidok: Program, drop: Place) -> None:
    with running(svidok, drop.root) as going:
        going.hear(STARTED)
        family = going.children()
        with unix_client(str(drop.source_socket), "localhost") as client:
            assert client.get("/").status_code == 200

        going.process.kill()
        gone, left = psutil.wait_procs(family, timeout=40)

        assert (len(gone), left) == (3, [])
    assert drop.source_socket.exists()
    assert "running            no" in svidok("status", drop.root).out
    with running(svidok, drop.root) as again:
        again.hear(STARTED)
        with unix_client(str(drop.source_socket), "localhost") as client:
            assert client.get("/").status_code == 200


def without_pepper(place: Place) -> None:
    place.pepper.unlink()


def cut_pepper(place: Place) -> None:
    place.pepper.write_bytes(b"short")


def without_inbox(place: Place) -> None:
    (place.inbox / "inbox.db").unlink()


def other_version(place: Place) -> None:
    engine = create_engine(place.database("reviewers", ""))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'another'"))
    engine.dispose()


def damaged_outbox(place: Place) -> None:
    (place.outbox / "outbox.db").write_bytes(b"no database at all, but long enough to be looked at" * 100)


def without_log_key(place: Place) -> None:
    place.log_key.unlink()


DAMAGES = pytest.mark.parametrize(
    ("damage", "process", "says"),
    [
        (without_pepper, "source", "the pepper cannot be read (No such file or directory): restore it"),
        (cut_pepper, "source", "the pepper has 32 bytes, not 5: restore it"),
        (without_inbox, "source", "there is no store at inbox.db: restore it"),
        (other_version, "journalist", "version"),
        (damaged_outbox, "journalist", "damaged"),
        (without_log_key, "keeper", "the log key cannot be read"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)


@pytest.mark.check("J6")
@DAMAGES
def test_a_process_whose_part_is_not_whole_refuses_and_says_why(
    damage: Callable[[Place], None], process: str, says: str, svidok: Program, drop: Place
) -> None:
    """It makes nothing anew: an empty store over an old one would be a loss that nobody notices."""
    damage(drop)
    before = sorted(path.name for path in drop.root.rglob("*.db"))

    ended = svidok.serve(process, drop)

    assert ended.code == REFUSED
    assert ended.err.startswith(f"svidok: the {process} process refuses to run: ")
    assert says in ended.err
    assert ended.err.count("\n") == 1
    assert sorted(path.name for path in drop.root.rglob("*.db")) == before


@pytest.mark.check("J6")
def test_a_process_that_refuses_ends_the_run_with_a_plain_line(svidok: Program, drop: Place) -> None:
    drop.pepper.unlink()

    with running(svidok, drop.root) as going:
        assert going.wait() == 1

    assert "svidok: the source process refuses to run: the pepper cannot be read" in going.said
    assert going.said.endswith("svidok: the source process refuses to run; it said why above\n")
    assert "Traceback" not in going.said
    assert list(drop.run.iterdir()) == []


def test_what_the_keeper_said_in_the_last_run_is_not_taken_for_what_it_says_now(svidok: Program, drop: Place) -> None:
    """The keeper that refuses here has not looked at anything."""
    write([Alarm("keyset", "no keyset is installed")], date(2026, 3, 4), drop.alarms)
    drop.log_key.unlink()

    with running(svidok, drop.root) as going:
        assert going.wait() == 1

    assert not drop.alarms.exists()


def test_without_tor_and_ports_it_says_that_only_its_sockets_are_left(svidok: Program, drop: Place) -> None:
    says = "no tor was asked for: nobody can reach the drop but by its sockets"
    with running(svidok, drop.root) as alone:
        alone.hear(STARTED)
    with running(svidok, drop.root, "--listen", "0", "0") as with_ports:
        with_ports.hear(STARTED)

    assert f"{says}, {drop.source_socket} and {drop.journalist_socket}\n" in alone.said
    assert says not in with_ports.said


def test_a_port_that_is_taken_is_named_and_nothing_stays(console: Console, drop: Place) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]

        said = console("run", drop.root, "--tor", "off", "--listen", "0", port)

    assert said.refusal == f"port {port} on the loopback address is taken"
    assert list(drop.run.iterdir()) == []


def test_a_folder_of_sockets_that_others_may_enter_is_refused(console: Console, drop: Place) -> None:
    drop.run.chmod(0o755)

    assert "gives others rights (mode 755)" in console("run", drop.root, "--tor", "off").refusal
