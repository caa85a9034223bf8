"""A machine without a network gets the program from a folder, and nothing that the locks do not name gets in."""

import base64
import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.docs.repository import ROOT

_ALONE = ("unshare", "--net", "--map-root-user")
_CLEAN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PIP_CONFIG_FILE": "/dev/null", "HOME": "/nonexistent"}


def _wheel(folder: Path, name: str) -> Path:
    """Write the smallest wheel there is."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    files = {
        f"{name}.py": b"VALUE = 1\n",
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{name}-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [f"{one},sha256={_record_hash(content)},{len(content)}" for one, content in files.items()]
    with zipfile.ZipFile(path, "w") as opened:
        for one, content in files.items():
            opened.writestr(one, content)
        opened.writestr(f"{name}-1.0.dist-info/RECORD", "\n".join([*lines, f"{name}-1.0.dist-info/RECORD,,", ""]))
    return path


def _record_hash(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def _installed(wheels: Path, lock: str, target: Path) -> "subprocess.CompletedProcess[str]":
    """Install as the Makefile does, without a network, into a folder of its own."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (pinned,) = (line.partition(":=")[2] for line in makefile.splitlines() if line.startswith("PINNED :="))
    words = pinned.replace("$(if $(WHEELS),", "").replace("$(WHEELS))", str(wheels)).split()
    (wheels / "lock").write_text(lock)
    return subprocess.run(
        [*_ALONE, sys.executable, "-m", "pip", "install", *words, "--target", target, "-r", wheels / "lock"],
        check=False,
        capture_output=True,
        text=True,
        env=_CLEAN,
    )


@pytest.mark.check("S1", "S2")
def test_nothing_but_what_the_lock_pins_is_installed(tmp_path: Path) -> None:
    """One byte changed, and one line without its hash."""
    wheel = _wheel(tmp_path, "pinned")
    _wheel(tmp_path, "stranger")
    lock = f"pinned==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"

    whole = _installed(tmp_path, lock, tmp_path / "whole")
    strange = _installed(tmp_path, f"{lock}stranger==1.0\n", tmp_path / "strange")
    wheel.write_bytes(wheel.read_bytes().replace(b"VALUE = 1", b"VALUE = 2"))
    changed = _installed(tmp_path, lock, tmp_path / "changed")

    assert (whole.returncode, (tmp_path / "whole" / "pinned.py").exists()) == (0, True), whole.stderr
    assert (strange.returncode != 0, (tmp_path / "strange").exists()) == (True, False)
    assert (changed.returncode != 0, (tmp_path / "changed").exists()) == (True, False)
    assert "DO NOT MATCH THE HASHES" in changed.stderr


@pytest.mark.full
@pytest.mark.timeout(1200)
@pytest.mark.check("S1")
def test_the_program_is_installed_from_a_folder_without_a_network(tmp_path: Path) -> None:
    """The Makefile's own rules: the first gathers, with a network; the second installs, with none."""
    copy = tmp_path / "svidok"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    for name in listed.decode().split("\0")[:-1]:
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    subprocess.run(["make", "--quiet", "wheels"], cwd=copy, check=True, capture_output=True)
    shutil.rmtree(copy / ".venv")

    made = subprocess.run(
        [*_ALONE, "make", "--quiet", ".venv/run.stamp", "WHEELS=build/wheels"],
        cwd=copy,
        check=False,
        capture_output=True,
        text=True,
        env=_CLEAN,
    )

    assert made.returncode == 0, made.stderr
    said = subprocess.run([copy / ".venv/bin/svidok", "--help"], check=True, capture_output=True, text=True, cwd="/")
    assert "run a drop" in said.stdout
