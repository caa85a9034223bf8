from collections.abc import Callable
from pathlib import Path

import pytest

from onion.client_auth import AuthorizedClients, ClientKey, client_pair
from onion.errors import ClientKeyError, ConfigurationError, NobodyAuthorizedError
from onion.lint import CLIENT_RULES, REVIEWER_RULES, SOURCE_RULES, Rules, findings
from onion.program import TorProgram
from onion.service import OnionKeys
from onion.torrc import Option, Place, Torrc, client_only, reviewer_service, socks_port, socks_socket, source_service


def _source(folder: Path) -> Torrc:
    return source_service(Place(folder), OnionKeys.create(folder / "onion").folder, folder / "web")


def _reviewer(folder: Path) -> Torrc:
    return reviewer_service(Place(folder), _clients(folder, "alice"), folder / "web")


def _client(folder: Path) -> Torrc:
    return client_only(Place(folder), socks_socket(folder / "socks"), client_keys=folder)


def _clients(folder: Path, *names: str) -> AuthorizedClients:
    clients = AuthorizedClients.prepare(OnionKeys.create(folder / "onion").folder)
    for name in names:
        clients.add(name, ClientKey.parse(client_pair().public))
    return clients


ROLES = [(_source, SOURCE_RULES), (_reviewer, REVIEWER_RULES), (_client, CLIENT_RULES)]


@pytest.mark.check("M3", "M5", "L5")
@pytest.mark.parametrize(("make", "rules"), ROLES)
def test_what_we_write_passes_our_rules_and_tor(
    short_folder: Path, make: Callable[[Path], Torrc], rules: Rules
) -> None:
    folder = short_folder / "with a space"
    folder.mkdir(mode=0o700)
    text = make(folder).text()
    (folder / "torrc").write_text(text)

    TorProgram().verify(folder / "torrc")

    assert findings(text, rules) == ()


@pytest.mark.check("M3")
@pytest.mark.parametrize(("make", "rules"), ROLES)
@pytest.mark.parametrize(
    "line",
    [
        "ORPort 9001",
        "DirPort 9030",
        "ExitRelay 1",
        "MetricsPort 127.0.0.1:9035",
        "DNSPort 53",
        "TransPort 9040",
        "HTTPTunnelPort 8118",
        "ControlPort 9051",
        "SocksPort 9050",
        "socksport 9050",
        "+SocksPort 9050",
        "TestingTorNetwork 1",
        "%include /etc/tor/torrc.d",
        "HiddenServiceSingleHopMode 1",
        "VanguardsLiteEnabled 0",
        "Sandbox 1",
        "HiddenServiceAllowUnknownPorts 1",
    ],
)
def test_a_line_too_many_is_found(short_folder: Path, make: Callable[[Path], Torrc], rules: Rules, line: str) -> None:
    text = make(short_folder).text()

    assert findings(f"{text}{line}\n", rules)


@pytest.mark.check("M3", "M4")
@pytest.mark.parametrize(("make", "rules"), ROLES)
def test_every_line_is_needed(short_folder: Path, make: Callable[[Path], Torrc], rules: Rules) -> None:
    options = [option for option in make(short_folder).options if option.name not in rules.optional]

    for left_out in options:
        text = Torrc(tuple(option for option in options if option != left_out)).text()
        assert findings(text, rules) == (f"{left_out.name} is missing",)


@pytest.mark.check("M3", "M4", "M5")
@pytest.mark.parametrize(("make", "rules"), ROLES)
def test_every_value_counts(short_folder: Path, make: Callable[[Path], Torrc], rules: Rules) -> None:
    options = make(short_folder).options

    for changed in options:
        text = Torrc(tuple(Option(option.name, "7") if option == changed else option for option in options)).text()
        assert len(findings(text, rules)) == 1


@pytest.mark.check("M3")
def test_a_private_network_is_allowed_only_where_it_is_meant(short_folder: Path) -> None:
    lines = (Option("TestingTorNetwork", "1"),)
    keys = OnionKeys.create(short_folder / "onion")
    text = source_service(Place(short_folder), keys.folder, short_folder / "web", lines).text()

    assert findings(text, SOURCE_RULES) == ("TestingTorNetwork does not belong here",)
    assert findings(text, SOURCE_RULES.on_network(lines)) == ()


@pytest.mark.check("M3")
def test_a_client_on_a_port_is_not_for_a_real_drop(short_folder: Path) -> None:
    text = client_only(Place(short_folder), socks_port()).text()

    assert findings(text, CLIENT_RULES) == ('SocksPort must begin with unix:"/',)


def test_comments_are_read_over(short_folder: Path) -> None:
    assert findings(f"# why\n\n{_source(short_folder).text()}", SOURCE_RULES) == ()


@pytest.mark.check("M11")
def test_a_reviewer_service_without_reviewers_is_not_configured(short_folder: Path) -> None:
    with pytest.raises(NobodyAuthorizedError):
        reviewer_service(Place(short_folder), _clients(short_folder), short_folder / "web")


@pytest.mark.check("M11")
def test_a_reviewer_service_with_a_malformed_key_is_not_configured(short_folder: Path) -> None:
    clients = _clients(short_folder, "alice")
    (clients.folder / "bob.auth").write_text("descriptor:x25519:nothing\n")

    with pytest.raises(ClientKeyError):
        reviewer_service(Place(short_folder), clients, short_folder / "web")


def test_tor_refuses_what_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "torrc").write_text("NoSuchOption 1\n")

    with pytest.raises(ConfigurationError):
        TorProgram().verify(tmp_path / "torrc")


@pytest.mark.parametrize(("name", "value"), [("Log", "a\nSocksPort 1"), ("Log", "a # b"), ("Log", "\\"), ("A B", "1")])
def test_an_option_cannot_smuggle_another(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError):
        Option(name, value)


@pytest.mark.parametrize("path", ["relative", '/with"quote', "/" + "l" * 107])
def test_a_socket_that_tor_could_not_open_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError):
        socks_socket(Path(path))
