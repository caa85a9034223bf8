"""Every command that the pages show exists and takes what is shown.

The ones that run for long are run by other tests: `make run` and `make demo` by tests/flow, `make check` and
`make test` by whoever runs these tests.
"""

import argparse
import importlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest

from svidok.cli import COMMANDS
from tests.docs.repository import ROOT, name, pages, shown_commands

_SPAN = re.compile(r"`((?:svidok|make) [^`\n]+)`")
# These say what they do wherever they stand, or belong to a command that people never type.
_PLAIN = ("--json", "--tor", "--proxy-line", "--file")
_ACTION = re.compile(r"[a-z][a-z-]*")


def _shown() -> Iterator[tuple[str, str]]:
    for page in pages():
        yield from ((name(page), command) for command in shown_commands(page))


def _mentioned() -> Iterator[tuple[str, str]]:
    """Specifications quote strings of formats that begin like commands."""
    for page in pages():
        if page.parent.name == "specs":
            continue
        yield from ((name(page), command) for command in _SPAN.findall(page.read_text("utf-8")))


def _parser(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"svidok {command}", allow_abbrev=False)
    importlib.import_module(f"svidok.commands.{command}").add_arguments(parser)
    return parser


def _actions(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def test_the_pages_show_commands_at_all() -> None:
    shown = {command.split()[0] + " " + command.split()[1] for _, command in _shown()}

    assert {"make run", "make demo", "svidok init", "svidok run", "svidok keys", "svidok reviewers"} <= shown


@pytest.mark.parametrize(("page", "command"), [shown for shown in _shown() if shown[1].startswith("svidok ")])
def test_every_svidok_command_that_is_shown_takes_what_is_shown(page: str, command: str) -> None:
    words = shlex.split(command)[1:]

    assert words[0] in COMMANDS, f"{page}: there is no command {words[0]}"
    _parser(words[0]).parse_args(words[1:])


@pytest.mark.parametrize(("page", "command"), [one for one in _mentioned() if one[1].startswith("svidok ")])
def test_every_svidok_command_that_is_mentioned_exists(page: str, command: str) -> None:
    words = [word for word in command.split()[1:3] if _ACTION.fullmatch(word)]
    actions = _actions(_parser(words[0])) if words and words[0] in COMMANDS else {}

    assert not words or words[0] in COMMANDS, f"{page}: there is no command {words[0]}"
    assert len(words) < 2 or not actions or words[1] in actions, f"{page}: {words[0]} has no action {words[1]}"


@pytest.mark.parametrize("target", sorted({command.split()[1] for _, command in [*_shown(), *_mentioned()]
                                           if command.startswith("make ")}))  # fmt: skip
def test_every_make_target_that_is_shown_exists(target: str) -> None:
    asked = subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=False, capture_output=True, text=True)

    assert asked.returncode == 0, asked.stderr


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself_and_each_of_its_options(command: str) -> None:
    parser = _parser(command)
    options = [
        f"{one.prog} {action.option_strings[-1]}"
        for one in (parser, *_actions(parser).values())
        for action in one._actions
        if action.option_strings and not action.help and action.option_strings[-1] not in _PLAIN
    ]

    assert parser.format_help().startswith(f"usage: svidok {command}")
    assert options == []


def test_the_program_itself_can_be_started() -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "svidok", "--help"], cwd=ROOT, check=False, capture_output=True, text=True
    )

    assert asked.returncode == 0, asked.stderr
    assert all(says in asked.stdout for says in COMMANDS.values())
