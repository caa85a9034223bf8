"""What is installed is pinned, argued, used, and has no hole that we know of."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, packages_distributions
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from onion.program import VERSION_FLOOR
from svidok import floors
from svidok.errors import CommandError
from tests.docs.repository import PACKAGES, ROOT, imports, modules

LOCKS = {path.stem: path for path in sorted((ROOT / "requirements").glob("*.lock"))}
_EXTRAS_OF = {
    "build": ("build",),
    "build-tests": ("build", "build-tests"),
    "server": ("server", "build"),
    "workstation": ("workstation", "build"),
    "forms": ("forms", "build"),
    "run": ("server", "workstation", "demo", "build"),
    "all": ("server", "workstation", "demo", "forms", "build", "build-tests", "postgresql", "dev"),
}
# uvicorn's parser, named for its floor.
_USED_BY_OTHERS = {"h11"}
_ENTRY = re.compile(
    r"([a-z0-9][a-z0-9-]*)==([^\s;]+)(?: ; [^\\]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.ASCII
)


class Locked(NamedTuple):
    """One line of a lock."""

    version: str
    hashes: tuple[str, ...]


def lock(path: Path) -> dict[str, Locked]:
    """Read a lock strictly: what is not a pinned version with its hashes is not skipped but refused."""
    text = path.read_text("utf-8")
    entries = list(_ENTRY.finditer(text))
    assert "".join(entry[0] for entry in entries) == text, f"{path.name} holds something else than pinned hashes"
    return {entry[1]: Locked(entry[2], tuple(re.findall(r"[0-9a-f]{64}", entry[3]))) for entry in entries}


def extras() -> dict[str, list[Requirement]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["dependencies"] == []
    return {extra: [Requirement(line) for line in lines] for extra, lines in project["optional-dependencies"].items()}


@pytest.mark.check("S1")
@pytest.mark.parametrize("path", LOCKS.values(), ids=LOCKS)
def test_every_line_of_every_lock_is_pinned_by_sha_256(path: Path) -> None:
    locked = lock(path)

    assert len(locked) >= (1 if path.stem.startswith("build") else 10)
    assert all(one.hashes for one in locked.values())


@pytest.mark.check("S1")
def test_there_is_a_lock_for_each_purpose_and_no_other() -> None:
    assert set(LOCKS) == set(_EXTRAS_OF)


@pytest.mark.check("S1")
@pytest.mark.parametrize("purpose", _EXTRAS_OF)
def test_a_lock_is_part_of_the_one_that_tests_run_with(purpose: str) -> None:
    """What is tested is what is installed: the same version, from the same files."""
    everything = lock(LOCKS["all"])

    assert {name: one for name, one in lock(LOCKS[purpose]).items() if everything.get(name) != one} == {}


@pytest.mark.check("S1")
@pytest.mark.parametrize("purpose", _EXTRAS_OF)
def test_a_lock_holds_what_its_extras_ask_for(purpose: str) -> None:
    locked = lock(LOCKS[purpose])
    missing = [
        str(requirement)
        for extra in _EXTRAS_OF[purpose]
        for requirement in extras()[extra]
        if requirement.name not in locked or not requirement.specifier.contains(locked[requirement.name].version)
    ]

    assert missing == []


@pytest.mark.check("S1")
def test_a_real_machine_gets_nothing_that_only_tests_need() -> None:
    tools = {requirement.name for requirement in extras()["dev"]}

    assert tools.intersection(lock(LOCKS["server"]), lock(LOCKS["workstation"])) == set()


@pytest.mark.check("S1")
def test_nothing_that_serves_gets_what_only_experts_write_forms_with() -> None:
    tools = {requirement.name for requirement in extras()["forms"]} - {"jinja2"}

    assert [one for one in ("server", "workstation", "run") if tools.intersection(lock(LOCKS[one]))] == []


@pytest.mark.check("S1")
def test_whatever_is_installed_from_a_lock_is_compared_with_it() -> None:
    """Also what builds the few that come as source: an isolated build fetches its tools as they are today."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    installs = [line for line in makefile.splitlines() if re.search(r"\bpip (install|download)\b", line)]
    (pinned,) = re.findall(r"^PINNED := (.+)$", makefile, re.MULTILINE)
    ours = [line for line in installs if line.endswith("--editable .")]

    assert {"--require-hashes", "--no-deps", "--no-build-isolation"} <= set(pinned.split())
    assert len(installs) > len(ours) == 1
    assert all("$(PINNED)" in line and "-r requirements/" in line for line in installs if line not in ours)
    assert "--no-deps --no-build-isolation" in ours[0]
    # What builds is there before anything is built.
    assert "build.lock" in next(line for line in installs if "install" in line)


@pytest.mark.check("S4")
@pytest.mark.parametrize("package", floors.FLOORS)
def test_what_is_locked_is_at_its_floor_or_above(package: str) -> None:
    for path in LOCKS.values():
        locked = lock(path)
        if package in locked:
            assert Version(locked[package].version) >= Version(floors.FLOORS[package]), path.name


@pytest.mark.check("S4")
def test_the_floors_are_those_of_the_catalogue() -> None:
    """But for python-gnupg, whose floor is kept best by not having it."""
    assert floors.FLOORS == {
        "python-multipart": "0.0.34",
        "starlette": "1.3.1",
        "jinja2": "3.1.6",
        "h11": "0.16.0",
        "uvicorn": "0.11.7",
    }
    assert floors.GNUPG_FLOORS["2.2"] == "2.2.40-1.1+deb12u2"
    assert VERSION_FLOOR == (0, 4, 9, 11)


@pytest.mark.check("S4")
def test_this_machine_passes() -> None:
    floors.check_floors(floors.on_this_machine())


@pytest.mark.check("S4")
@pytest.mark.parametrize("package", floors.FLOORS)
def test_an_older_part_is_refused_by_name(package: str) -> None:
    installed = _machine(lambda name: "0.0.1" if name == package else floors.FLOORS[name])

    with pytest.raises(CommandError, match=f"{package} 0.0.1 has known holes"):
        floors.check_floors(installed)


@pytest.mark.check("S4")
def test_a_missing_part_is_refused_by_name() -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    with pytest.raises(CommandError, match="is not installed"):
        floors.check_floors(_machine(missing))


@pytest.mark.check("S4")
@pytest.mark.parametrize(
    ("upstream", "package", "accepted"),
    [
        ("2.2.40", "2.2.40-1.1+deb12u1", False),
        ("2.2.40", "2.2.40-1.1+deb12u2", True),
        ("2.2.40", "2.2.40-1.1+deb12u10", True),
        ("2.4.7", "2.4.7-20", False),
        ("2.4.7", "2.4.7-21", True),
        ("2.4.7", "2.4.7-21+deb13u1", True),
        ("2.4.8", "", False),
        ("2.4.9", "", True),
        ("2.5.16", "", True),
        ("2.3.8", "2.3.8-1", False),
        ("1.4.23", "1.4.23-2", False),
    ],
)
def test_gnupg_is_judged_as_debian_numbers_it(upstream: str, package: str, accepted: bool) -> None:
    """It is the real dpkg that compares."""
    installed = _machine(floors.FLOORS.__getitem__, {"gpg": f"gpg (GnuPG) {upstream}\n", "dpkg-query": package})

    if accepted:
        floors.check_floors(installed)
    else:
        with pytest.raises(CommandError, match="known holes"):
            floors.check_floors(installed)


@pytest.mark.check("S4")
def test_a_machine_without_gpg_is_refused() -> None:
    with pytest.raises(CommandError, match="gpg is missing"):
        floors.check_floors(_machine(floors.FLOORS.__getitem__, {"gpg": ""}))


def test_every_dependency_is_used_by_the_code_that_it_is_installed_for() -> None:
    """What nobody imports is code of strangers for nothing."""
    of_modules = packages_distributions()
    imported = {
        distribution.lower().replace("_", "-")
        for module in set[str]().union(*map(imports, modules(*PACKAGES)))
        for distribution in of_modules.get(module, ())
    }
    asked = {
        requirement.name for extra in ("server", "workstation", "demo", "forms") for requirement in extras()[extra]
    }

    assert asked - imported - _USED_BY_OTHERS == set()


def test_the_record_argues_every_dependency() -> None:
    record = (ROOT / "docs" / "adr" / "0002-dependencies.md").read_text("utf-8")
    argued = set(re.findall(r"[a-z0-9][a-z0-9-]+", record))
    asked = {requirement.name for lines in extras().values() for requirement in lines}

    assert asked - argued == set()


def _machine(version: Callable[[str], str], says: Mapping[str, str] | None = None) -> floors.Installed:
    """This machine, but for what it says of its parts."""
    real = floors.on_this_machine()
    told = says or {}
    return replace(
        real, version=version, output=lambda *command: told[command[0]] if command[0] in told else real.output(*command)
    )
