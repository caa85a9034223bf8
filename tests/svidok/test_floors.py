"""A part with known holes, or none at all, keeps a drop from starting."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError

import pytest

from svidok.errors import CommandError
from svidok.floors import FLOORS, GNUPG_FLOORS, Installed, check_floors, on_this_machine

UPSTREAM = "2.4.9"


def machine(
    versions: Mapping[str, str] = FLOORS, gpg: str = UPSTREAM, package: str = "", *, dpkg_agrees: bool = False
) -> Installed:
    """A machine with these parts."""

    def version(name: str) -> str:
        if name not in versions:
            raise PackageNotFoundError(name)
        return versions[name]

    def output(*command: str) -> str:
        if command[0] == "gpg":
            return f"gpg (GnuPG) {gpg}\nlibgcrypt 1.10.1\n" if gpg else ""
        return package

    return Installed(version, output, lambda *_command: dpkg_agrees)


@pytest.mark.check("S4")
def test_this_machine_is_at_its_floors() -> None:
    check_floors(on_this_machine())


@pytest.mark.check("S4")
def test_the_floors_themselves_are_enough() -> None:
    check_floors(machine())


@pytest.mark.check("S4")
@pytest.mark.parametrize("name", FLOORS)
def test_a_part_below_its_floor_is_named(name: str) -> None:
    numbers = [int(number) for number in FLOORS[name].split(".")]
    place = max(place for place, number in enumerate(numbers) if number)
    older = ".".join(str(number - (at == place)) for at, number in enumerate(numbers))

    with pytest.raises(CommandError, match=rf"^{name} {older} has known holes; {FLOORS[name]} or newer is needed$"):
        check_floors(machine({**FLOORS, name: older}))


@pytest.mark.check("S4")
@pytest.mark.parametrize("name", FLOORS)
def test_a_part_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(CommandError, match=f"^{name} is not installed$"):
        check_floors(machine({one: floor for one, floor in FLOORS.items() if one != name}))


@pytest.mark.check("S4")
def test_versions_are_compared_as_numbers() -> None:
    check_floors(machine({**FLOORS, "starlette": "1.10.0", "h11": "1.0"}))


@pytest.mark.check("S4")
@pytest.mark.parametrize(
    ("installed", "says"),
    [
        (machine(gpg=""), "gpg is missing: install the package gnupg"),
        (machine(gpg="2.2.40"), "gpg 2.2.40 has known holes"),
        (machine(gpg="2.2.40", package="2.2.40-1.1"), "gpg 2.2.40-1.1 has known holes"),
        (machine(gpg="2.3.8", package="2.3.8-1", dpkg_agrees=True), "gpg 2.3.8-1 has known holes"),
        (machine(gpg="2.4.8"), "gpg 2.4.8 has known holes"),
    ],
)
def test_a_gnupg_with_holes_is_refused(installed: Installed, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        check_floors(installed)


@pytest.mark.check("S4")
@pytest.mark.parametrize("series", GNUPG_FLOORS)
def test_debians_own_mending_counts(series: str) -> None:
    """Debian mends GnuPG and leaves its number as it is; dpkg compares."""
    check_floors(machine(gpg=f"{series}.7", package=GNUPG_FLOORS[series], dpkg_agrees=True))


@pytest.mark.check("S4")
def test_what_cannot_be_started_is_missing_and_no_error() -> None:
    here = on_this_machine()

    assert here.output("svidok-no-such-program") == ""
    assert not here.succeeds("svidok-no-such-program")
    assert here.succeeds("true")
