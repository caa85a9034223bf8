from pathlib import Path

import pytest

from onion.daemon import Daemon
from onion.errors import TorMissingError, TorModuleError, TorTooOldError
from onion.program import TorProgram
from onion.torrc import Place, Torrc

SCRIPT = """#!/bin/sh
case "$1" in
--version) echo "Tor version {version}." ;;
--list-modules) echo "relay: yes"; echo "pow: {pow}" ;;
*) touch "{started}" ;;
esac
"""


def _tor(folder: Path, version: str, pow_module: str = "yes") -> TorProgram:
    path = folder / "tor"
    path.write_text(SCRIPT.format(version=version, pow=pow_module, started=folder / "started"))
    path.chmod(0o755)
    return TorProgram(str(path))


@pytest.mark.check("M1", "M4")
def test_the_tor_of_this_machine_will_do() -> None:
    TorProgram().require()


@pytest.mark.check("M1")
@pytest.mark.parametrize("version", ["0.4.9.10", "0.4.8.21", "0.3.9.99-alpha"])
def test_an_old_tor_is_not_started(tmp_path: Path, version: str) -> None:
    program = _tor(tmp_path, version)

    with pytest.raises(TorTooOldError, match=r"0\.4\.9\.11"):
        Daemon(Torrc(()), Place(tmp_path / "place"), program).start()

    assert not (tmp_path / "started").exists()


@pytest.mark.check("M1")
@pytest.mark.parametrize("version", ["0.4.9.11", "0.4.9.12", "0.4.10.1-alpha", "0.5.0.0"])
def test_a_new_tor_will_do(tmp_path: Path, version: str) -> None:
    _tor(tmp_path, version).require()


@pytest.mark.check("M4")
def test_a_tor_without_proof_of_work_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TorModuleError):
        _tor(tmp_path, "0.4.9.11", "no").require()


@pytest.mark.parametrize("version", ["unknown", ""])
def test_a_tor_without_a_version_is_refused(tmp_path: Path, version: str) -> None:
    with pytest.raises(TorMissingError):
        _tor(tmp_path, version).require()


def test_a_missing_tor_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(TorMissingError):
        TorProgram(str(tmp_path / "none")).require()
