"""Every command can be asked for help, and whatever goes wrong is one plain line."""

import getpass
import importlib
import sys
from argparse import ArgumentParser, _SubParsersAction
from pathlib import Path

import pytest

from svidok.cli import COMMANDS
from tests.svidok.console import Console, Program


def actions() -> list[tuple[str, ...]]:
    """Every command, and every action of those that have some."""
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        parser = ArgumentParser()
        importlib.import_module(f"svidok.commands.{name}").add_arguments(parser)
        found.append((name,))
        for one in parser._actions:
            if isinstance(one, _SubParsersAction):
                found += [(name, str(action)) for action in one.choices]
    return found


@pytest.mark.parametrize("words", actions(), ids=" ".join)
def test_every_command_and_action_tells_how_it_is_used(words: tuple[str, ...], console: Console) -> None:
    said = console(*words, "--help")

    assert said.done.startswith(f"usage: svidok {' '.join(words)} ")
    assert said.err == ""


@pytest.mark.parametrize("words", [("--help",), ("-h",)])
def test_help_lists_every_command(words: tuple[str, ...], console: Console) -> None:
    said = console(*words)

    assert all(f"  {name} " in said.done and says in said.done for name, says in COMMANDS.items())


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("begin",),
        ("svidok.cli",),
        ("../run",),
        ("init",),
        ("run", "there", "--tor", "maybe"),
        ("run", "there", "--listen", "1"),
        ("keys",),
        ("keys", "forge"),
        ("reviewers", "promote"),
        ("status", "there", "--verbose"),
        ("keys", "status", "there", "--js"),
        ("serve", "everything", "there", "--fd", "3", "--parent", "1"),
    ],
    ids=" ".join,
)
def test_what_is_not_understood_ends_with_2(words: tuple[str, ...], console: Console) -> None:
    said = console(*words)

    assert said.code == 2
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "words",
    [
        ("run", "{}"),
        ("status", "{}"),
        ("keys", "status", "{}"),
        ("keys", "import", "{}", "{}"),
        ("keys", "sign", "{}", "--gnupg", "{}", "--key", "A" * 40),
        ("keys", "rotate", "{}", "--gnupg", "{}", "--key", "A" * 40),
        ("keys", "withdraw", "{}", "--gnupg", "{}", "--key", "not a fingerprint"),
        ("keys", "ceremony", "{}/out", "--adopt", "{}/none.gpg"),
        ("keys", "ceremony", "{}/out", "--reviewer", "a", "--reviewer", "b", "--passphrase-file", "{}/none"),
        ("keys", "ceremony", "{}/out", "--reviewer", "a", "--reviewer", "b", "--drop", "{}/none"),
        ("reviewers", "list", "{}"),
        ("reviewers", "disable", "{}", "somebody"),
        ("reviewers", "add", "{}", "somebody", "--client-key", "A"),
        ("reviewers", "client-key", "example.org", "{}/key"),
        ("evaluate", "{}", "--code"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_what_fails_is_one_plain_line_and_leaves_nothing(
    words: tuple[str, ...], console: Console, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()

    said = console(*(word.replace("{}", str(tmp_path / "there")) for word in words))

    assert said.refusal[0].isprintable()
    assert said.out == ""
    assert list((tmp_path / "there").iterdir()) == []


def test_what_the_system_refuses_is_told_without_a_trace(console: Console, short_folder: Path) -> None:
    (short_folder / "file").write_text("no folder")

    said = console("init", short_folder / "file" / "drop")

    assert said.refusal == f"{short_folder}/file/drop: not a directory"


def test_who_cannot_be_asked_is_told_what_to_do(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(_prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(getpass, "getpass", nobody)

    said = console("keys", "ceremony", tmp_path / "out", "--reviewer", "a", "--reviewer", "b")

    assert said.refusal == "there is no terminal to ask at; --passphrase-file takes a passphrase from a file"


def test_a_package_that_is_missing_is_named(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "svidok.commands.reviewers", raising=False)
    monkeypatch.setitem(sys.modules, "keys.password", None)

    said = console("reviewers", "list", "/nowhere")

    assert said.refusal == (
        "keys.password is missing: `svidok reviewers` needs the packages of another file in requirements/"
        " (docs/deployment.md, 1)"
    )


def test_as_a_program_it_says_the_same(svidok: Program, tmp_path: Path) -> None:
    said = svidok("status", tmp_path)

    assert said.refusal == f"{tmp_path} is not the folder of a drop; `svidok init {tmp_path}` makes one"
