"""Write tor's configurations from typed blocks: one for each role that a tor has with us, all on the safe side."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from onion.client_auth import AuthorizedClients
from onion.errors import ConfigurationError

SERVICE_PORT = 80
# A Unix socket's path has 108 bytes in the kernel, the last of them zero.
_LONGEST_SOCKET_PATH = 107


@dataclass(frozen=True, slots=True)
class Option:
    """One line of a configuration."""

    name: str
    value: str

    def __post_init__(self) -> None:
        """Refuse what tor would read as something else.

        Raises:
            ConfigurationError: A control character, a comment sign or a backslash.
        """
        if not self.name.isascii() or not self.name.isidentifier():
            raise ConfigurationError("the name of an option consists of letters, digits and underscores")
        if not self.value.isprintable() or {"#", "\\"} & set(self.value):
            raise ConfigurationError("the value of an option holds a character that tor reads as something else")

    def line(self) -> str:
        """Write the option as tor reads it."""
        return f"{self.name} {self.value}"


@dataclass(frozen=True, slots=True)
class Torrc:
    """A whole configuration; the order counts, as the lines of a service follow its folder."""

    options: tuple[Option, ...]

    def text(self) -> str:
        """Write the file."""
        return "".join(f"{option.line()}\n" for option in self.options)

    def service_block(self) -> tuple[Option, ...]:
        """Tell the lines of the onion service, from its folder to the end; empty where there is none."""
        for position, option in enumerate(self.options):
            if option.name == "HiddenServiceDir":
                return self.options[position:]
        return ()


@dataclass(frozen=True, slots=True)
class Place:
    """The private folder (0700) in which one tor keeps all it has, except the keys of its service."""

    folder: Path

    @property
    def data(self) -> Path:
        """Tor's own state; its guards live here, so it outlives restarts."""
        return self.folder / "data"

    @property
    def control(self) -> Path:
        """The control socket."""
        return self.folder / "control"

    @property
    def log(self) -> Path:
        """Tor's log, begun anew at each start."""
        return self.folder / "log"

    @property
    def torrc(self) -> Path:
        """The configuration as tor reads it."""
        return self.folder / "torrc"

    @property
    def defaults(self) -> Path:
        """An empty file in place of the distribution's defaults."""
        return self.folder / "defaults"


def source_service(place: Place, service_folder: Path, target: Path, network: Iterable[Option] = ()) -> Torrc:
    """Configure the tor that holds the source service: proof of work, flood defence, circuits told apart.

    Args:
        place: Where this tor lives.
        service_folder: The folder of `OnionKeys`.
        target: The Unix socket of the web process.
        network: The lines of a private network; none for the public one.
    """
    return Torrc(
        (
            *_common(place),
            *_no_client(),
            *network,
            *_service(service_folder, target),
            Option("HiddenServicePoWDefensesEnabled", "1"),
            Option("HiddenServicePoWQueueRate", "50"),
            Option("HiddenServicePoWQueueBurst", "100"),
            Option("HiddenServiceEnableIntroDoSDefense", "1"),
            Option("HiddenServiceEnableIntroDoSRatePerSec", "25"),
            Option("HiddenServiceEnableIntroDoSBurstPerSec", "200"),
        )
    )


def reviewer_service(place: Place, clients: AuthorizedClients, target: Path, network: Iterable[Option] = ()) -> Torrc:
    """Configure the tor that holds the reviewer service; who comes in is decided by *clients*.

    Raises:
        NobodyAuthorizedError: There is no reviewer yet, so there must be no service (M11).
        ClientKeyError: A key file is malformed; tor would skip it, and open the service if all are.
    """
    clients.verify()
    return Torrc((*_common(place), *_no_client(), *network, *_service(clients.folder.parent, target)))


def client_only(place: Place, socks: str, network: Iterable[Option] = (), client_keys: Path | None = None) -> Torrc:
    """Configure a tor that only goes out.

    Args:
        place: Where this tor lives.
        socks: From `socks_socket` or `socks_port`.
        network: The lines of a private network; none for the public one.
        client_keys: A folder of `.auth_private` files.
    """
    keys = () if client_keys is None else (Option("ClientOnionAuthDir", _path(client_keys)),)
    return Torrc(
        (
            *_common(place),
            Option("ClientOnly", "1"),
            Option("SocksPort", f"{socks} ExtendedErrors"),
            # A name looked up elsewhere first would have left the machine without Tor.
            Option("SafeSocks", "1"),
            *keys,
            *network,
        )
    )


def socks_socket(path: Path) -> str:
    """Say where a client-only tor listens: on a Unix socket, which only its own user may open."""
    return f'unix:"{_socket(path)}"'


def socks_port(port: int | None = None) -> str:
    """Say where a client-only tor listens: on a loopback port, a free one unless given; for browsers and tests."""
    return f"127.0.0.1:{'auto' if port is None else port}"


def control_options(place: Place) -> tuple[Option, ...]:
    """Write where a tor lives, how it is controlled, and that its log says nothing about people (L5, M12)."""
    return (
        Option("DataDirectory", _path(place.data)),
        Option("ControlSocket", f'unix:"{_socket(place.control)}"'),
        Option("CookieAuthentication", "1"),
        Option("Log", f"notice file {_path(place.log)}"),
        Option("SafeLogging", "1"),
        Option("LogTimeGranularity", "3600000"),
        Option("TruncateLogFile", "1"),
        Option("NoExec", "1"),
        # Sandbox 1 and a reload end tor: it may no longer read the folder of its service.
        Option("Sandbox", "0"),
    )


def _common(place: Place) -> tuple[Option, ...]:
    return (
        *control_options(place),
        Option("VanguardsLiteEnabled", "1"),
        Option("HiddenServiceSingleHopMode", "0"),
        Option("HiddenServiceNonAnonymousMode", "0"),
    )


def _no_client() -> tuple[Option, ...]:
    return (Option("SocksPort", "0"),)


def _service(folder: Path, target: Path) -> tuple[Option, ...]:
    return (
        Option("HiddenServiceDir", _path(folder)),
        Option("HiddenServiceVersion", "3"),
        Option("HiddenServicePort", f'{SERVICE_PORT} unix:"{_socket(target)}"'),
        Option("HiddenServiceExportCircuitID", "haproxy"),
        Option("HiddenServiceMaxStreams", "64"),
        Option("HiddenServiceMaxStreamsCloseCircuit", "1"),
    )


def _path(path: Path) -> str:
    text = str(path)
    if not path.is_absolute() or '"' in text:
        raise ConfigurationError("a path in a configuration of tor is absolute and has no quotation marks")
    return text


def _socket(path: Path) -> str:
    text = _path(path)
    length = len(text.encode())
    if length > _LONGEST_SOCKET_PATH:
        raise ConfigurationError(f"the path of a socket has at most {_LONGEST_SOCKET_PATH} bytes, not {length}")
    return text
