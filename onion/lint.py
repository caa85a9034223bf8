"""Check a configuration of tor against the exact set of options that its role allows (M3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from onion.torrc import Option

_CONTROL = {
    "CookieAuthentication": "1",
    "SafeLogging": "1",
    "LogTimeGranularity": "3600000",
    "TruncateLogFile": "1",
    "NoExec": "1",
    "Sandbox": "0",
    "VanguardsLiteEnabled": "1",
    "HiddenServiceSingleHopMode": "0",
    "HiddenServiceNonAnonymousMode": "0",
}
_SERVICE = {
    **_CONTROL,
    "SocksPort": "0",
    "HiddenServiceVersion": "3",
    "HiddenServiceExportCircuitID": "haproxy",
    "HiddenServiceMaxStreams": "64",
    "HiddenServiceMaxStreamsCloseCircuit": "1",
}
_PLACES = {"DataDirectory": "/", "ControlSocket": 'unix:"/', "Log": "notice file /"}
_SERVICE_PLACES = {**_PLACES, "HiddenServiceDir": "/", "HiddenServicePort": '80 unix:"/'}


class _Line(NamedTuple):
    """A line as it stands, which `Option` might refuse."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What a configuration must hold, each exactly once; everything else is refused."""

    exact: Mapping[str, str]
    """Options whose value is given."""
    places: Mapping[str, str]
    """Options whose value depends on the machine, and how it begins."""
    optional: Mapping[str, str]
    """The same, but they may be left out."""
    extra: frozenset[Option] = frozenset()
    """Whole lines that may stand as often as they like."""

    def on_network(self, lines: Iterable[Option]) -> "Rules":
        """Allow the lines of a private network as well; a drop on the public network must not have them."""
        return replace(self, extra=self.extra | frozenset(lines))


SOURCE_RULES = Rules(
    exact={
        **_SERVICE,
        "HiddenServicePoWDefensesEnabled": "1",
        "HiddenServicePoWQueueRate": "50",
        "HiddenServicePoWQueueBurst": "100",
        "HiddenServiceEnableIntroDoSDefense": "1",
        "HiddenServiceEnableIntroDoSRatePerSec": "25",
        "HiddenServiceEnableIntroDoSBurstPerSec": "200",
    },
    places=_SERVICE_PLACES,
    optional={},
)
REVIEWER_RULES = Rules(exact=_SERVICE, places=_SERVICE_PLACES, optional={})
CLIENT_RULES = Rules(
    exact={**_CONTROL, "ClientOnly": "1", "SafeSocks": "1"},
    places={**_PLACES, "SocksPort": 'unix:"/'},
    optional={"ClientOnionAuthDir": "/"},
)


def findings(torrc: str, rules: Rules) -> tuple[str, ...]:
    """Say what is wrong with a configuration, an option a line; nothing means that it is exactly as it must be."""
    allowed = {_Line(option.name, option.value) for option in rules.extra}
    lines = [_read(line) for line in torrc.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    own = [line for line in lines if line not in allowed]
    names = [line.name for line in own]
    wanted = {**rules.exact, **rules.places}
    missing = [f"{name} is missing" for name in wanted if name not in names]
    repeated = [f"{name} stands {names.count(name)} times" for name in sorted(set(names)) if names.count(name) > 1]
    return (*missing, *repeated, *(text for line in own for text in _judge(line, rules)))


def _judge(line: _Line, rules: Rules) -> Iterable[str]:
    begins = {**rules.places, **rules.optional}
    if line.name in rules.exact:
        if line.value != rules.exact[line.name]:
            yield f"{line.name} must be {rules.exact[line.name]}"
    elif line.name not in begins:
        yield f"{line.name} does not belong here"
    elif not line.value.startswith(begins[line.name]):
        yield f"{line.name} must begin with {begins[line.name]}"


def _read(line: str) -> _Line:
    """Split one line; tor's own forms that we never write (`+Name`, `%include`, other letter case) end as findings."""
    name, _, value = line.strip().partition(" ")
    return _Line(name, value.strip())
