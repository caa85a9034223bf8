import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onion.client_auth import PLACEHOLDER, AuthorizedClients, ClientKey, auth_private_line, client_pair
from onion.errors import ClientKeyError, NobodyAuthorizedError, ReviewerNameError
from onion.service import OnionAddress

# The same in every run, since it stands in the names of tests.
KEY = ClientKey.parse(client_pair(lambda count: b"\7" * count).public)


@pytest.fixture
def clients(tmp_path: Path) -> AuthorizedClients:
    return AuthorizedClients.prepare(tmp_path)


def test_a_pair_has_the_lengths_that_tor_wants() -> None:
    pair = client_pair()

    assert len(pair.public) == len(pair.private) == 52
    assert ClientKey.parse(pair.public).line() == f"descriptor:x25519:{pair.public}\n"


def test_the_private_line_names_the_service() -> None:
    address = OnionAddress.of(bytes(32))
    pair = client_pair()

    assert auth_private_line(address, pair.private) == f"{address.label}:descriptor:x25519:{pair.private}\n"


def test_a_private_key_that_is_none_gets_no_line() -> None:
    with pytest.raises(ClientKeyError):
        auth_private_line(OnionAddress.of(bytes(32)), "A" * 51)


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_every_made_key_is_read_back(secret: bytes) -> None:
    pair = client_pair(lambda _: secret)

    assert ClientKey.parse(pair.public).text == pair.public


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60) | st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567=", min_size=51, max_size=53))
def test_a_parsed_key_is_canonical(text: str) -> None:
    try:
        key = ClientKey.parse(text)
    except ClientKeyError:
        return

    assert key.text == text
    assert len(text) == 52


@pytest.mark.parametrize(
    "text",
    [
        "",
        KEY.text.lower(),
        KEY.text + "\n",
        KEY.text[:-1],
        f"descriptor:x25519:{KEY.text}",
        "A" * 51 + "B",  # bits beyond the 32 bytes
        "A" * 52,  # the point of order one
    ],
)
def test_malformed_keys_are_refused(text: str) -> None:
    with pytest.raises(ClientKeyError):
        ClientKey.parse(text)


@pytest.mark.check("M13")
def test_the_files_are_private(clients: AuthorizedClients) -> None:
    clients.add("alice", KEY)

    assert stat.S_IMODE(clients.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in clients.folder.iterdir()} == {0o600}


@pytest.mark.check("M8")
def test_each_reviewer_has_a_file_of_her_own(clients: AuthorizedClients) -> None:
    clients.add("bob", KEY)
    clients.add("alice", ClientKey.parse(client_pair().public))
    clients.verify()

    assert clients.names() == ("alice", "bob")
    assert clients.holds("bob", KEY)
    assert not clients.holds("alice", KEY)
    assert not clients.holds("carol", KEY)
    assert len(list(clients.folder.iterdir())) == 3


def test_a_reviewer_is_removed(clients: AuthorizedClients) -> None:
    clients.add("alice", KEY)
    clients.remove("alice")
    clients.remove("alice")

    assert clients.names() == ()


@pytest.mark.parametrize("name", ["", "../alice", "Alice", "a.b", PLACEHOLDER, "a" * 65, "-a", "a\n"])
def test_names_that_are_no_reviewers_are_refused(clients: AuthorizedClients, name: str) -> None:
    with pytest.raises(ReviewerNameError):
        clients.add(name, KEY)
    with pytest.raises(ReviewerNameError):
        clients.remove(name)


@pytest.mark.check("M11")
def test_a_placeholder_is_always_there(clients: AuthorizedClients) -> None:
    before = (clients.folder / f"{PLACEHOLDER}.auth").read_text()

    again = AuthorizedClients.prepare(clients.folder.parent)

    assert (again.folder / f"{PLACEHOLDER}.auth").read_text() == before
    assert again.names() == ()


@pytest.mark.check("M11")
def test_without_a_reviewer_the_folder_is_refused(clients: AuthorizedClients) -> None:
    with pytest.raises(NobodyAuthorizedError):
        clients.verify()


@pytest.mark.check("M11")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"descriptor:x25519:short\n",
        KEY.text.encode(),
        KEY.line().encode().strip(),
        KEY.line().encode() * 2,
        KEY.line().upper().encode(),
        b"\xff" * 71,
    ],
)
def test_a_malformed_file_is_refused(clients: AuthorizedClients, content: bytes) -> None:
    clients.add("alice", KEY)
    (clients.folder / "bob.auth").write_bytes(content)

    with pytest.raises(ClientKeyError):
        clients.verify()


@pytest.mark.check("M11")
def test_a_missing_placeholder_is_refused(clients: AuthorizedClients) -> None:
    clients.add("alice", KEY)
    (clients.folder / f"{PLACEHOLDER}.auth").unlink()

    with pytest.raises(ClientKeyError):
        clients.verify()


@pytest.mark.check("M11")
def test_strange_things_are_refused(clients: AuthorizedClients) -> None:
    clients.add("alice", KEY)
    (clients.folder / "bob.auth").symlink_to(clients.folder / "alice.auth")

    with pytest.raises(ClientKeyError):
        clients.verify()


def test_what_a_power_cut_left_is_cleared_away(clients: AuthorizedClients) -> None:
    clients.add("alice", KEY)
    (clients.folder / ".bob.auth.0123.part").write_bytes(b"half")

    AuthorizedClients.prepare(clients.folder.parent).verify()
