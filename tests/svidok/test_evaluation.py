"""A drop for trying out: everything made from one command, marked as a test, and never half-made."""

import json
import sys
from argparse import Namespace
from pathlib import Path

import pytest
from pyotp.totp import TOTP

from keys.keyset_store import load
from onion.client_auth import AuthorizedClients
from settings import load as load_settings
from svidok.commands import evaluate
from svidok.errors import CommandError
from svidok.evaluation import REVIEWERS, SignIn, Trial, set_up
from svidok.identity import Identity
from tests.svidok.console import Console, owner, stop_agents


@pytest.fixture(scope="module")
def trial(short: Path) -> Trial:
    trial = Trial(short / "trial")
    set_up(trial)
    stop_agents(trial.root)
    return trial


def test_it_is_complete_and_says_that_it_is_a_test(trial: Trial) -> None:
    assert trial.complete
    assert Identity.read(trial.place.identity).evaluation
    assert load_settings(trial.place.settings).drop.evaluation
    assert load(trial.place.keyset).keyset.serial == 1
    assert len(AuthorizedClients.prepare(trial.place.onion / "reviewer").names()) == 1
    assert len(trial.client_key.read_text("ascii").split(":")) == 4
    assert {path.name for path in trial.ceremony.iterdir()} >= {*REVIEWERS, "recovery", "keyset"}


@pytest.mark.check("G13")
def test_its_secrets_are_its_owners_alone(trial: Trial) -> None:
    for path in (trial.passphrase, trial.client_key, trial.credentials):
        assert owner(path)[2] == 0o600
    for folder in (trial.ceremony, trial.workstation):
        assert owner(folder)[2] == 0o700


@pytest.mark.check("L2")
def test_only_the_code_of_this_moment_is_printed(trial: Trial, console: Console) -> None:
    sign_in = SignIn.read(trial.credentials)

    said = console("evaluate", trial.root, "--code")

    totp = TOTP(sign_in.totp_secret)
    assert totp.verify(said.done.strip(), valid_window=1)
    assert sign_in.totp_secret not in said.out
    assert sign_in.password not in said.out


def test_before_it_is_set_up_there_is_no_code(console: Console, tmp_path: Path) -> None:
    assert "nothing was set up in" in console("evaluate", tmp_path, "--code").refusal


@pytest.mark.parametrize(("ports", "pages"), [
    ((8080, 8081), ("http://127.0.0.1:8080 ", "http://127.0.0.1:8081 ")),
    ((0, 0), ("the sources' page on 127.0.0.1, named above,", "the reviewers' page on 127.0.0.1, named above,")),
])  # fmt: skip
def test_what_to_do_next_can_be_typed_as_it_is_told(
    ports: tuple[int, int],
    pages: tuple[str, str],
    trial: Trial,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tor Browser cannot reach the addresses of a private network."""
    monkeypatch.chdir("/usr")

    evaluate._tell(trial, Namespace(folder=Path("a demo"), listen=ports))

    said = capsys.readouterr().out
    assert all(page in said for page in pages)
    assert f"code      {sys.executable} -m svidok evaluate 'a demo' --code\n" in said
    assert (
        f"{sys.executable} -m svidok workstation import 'a demo'/desk BAG --passphrase-file 'a demo'/passphrase" in said
    )


def test_the_program_is_named_as_it_was_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called = tmp_path / "a.venv" / "bin" / "svidok"
    called.parent.mkdir(parents=True)
    called.write_text("#!/bin/sh\n")
    called.chmod(0o755)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/usr/bin")
    assert evaluate.program("a.venv/bin/svidok") == evaluate.program(str(called)) == "a.venv/bin/svidok"
    monkeypatch.chdir(called.parent)
    assert evaluate.program("./svidok") == "./svidok"
    monkeypatch.chdir("/usr")
    assert evaluate.program(str(called)) == str(called)
    monkeypatch.setenv("PATH", f"/usr/bin:{called.parent}")
    assert evaluate.program(str(called)) == "svidok"


def test_it_never_goes_to_the_public_network(trial: Trial, console: Console) -> None:
    said = console("run", trial.place.root, "--tor", "public")

    assert "an evaluation drop never goes to the public Tor network" in said.refusal
    assert list(trial.place.run.iterdir()) == []


def test_what_is_not_a_complete_trial_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "something").write_text("there")

    with pytest.raises(CommandError, match="holds something that is not a complete trial; remove it first"):
        set_up(Trial(tmp_path))

    assert [path.name for path in tmp_path.iterdir()] == ["something"]


def test_the_desk_knows_the_drop(trial: Trial, console: Console) -> None:
    said = console(
        *("workstation", "list", trial.workstation, "--json", "--passphrase-file", trial.passphrase),
    )

    assert json.loads(said.done) is not None
