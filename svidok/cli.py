"""Find the command, import its module alone, and turn what it raises into a plain sentence and an exit code."""

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence
from typing import Any

from hardening.errors import HardeningError
from hardening.logs import configure
from keys.errors import KeysError
from svidok.errors import CommandError, plain

# A server process never loads the workstation and the workstation never loads a server: the table holds names only.
COMMANDS = {
    "init": "make the folder of a new drop",
    "run": "run a drop until Ctrl-C",
    "upgrade": "bring the stores of a drop to this program's version",
    "status": "say how a drop is doing",
    "doctor": "say what is well with a drop, what needs somebody soon, and what is wrong",
    "keys": "make, install and watch the keys that reports are sealed to",
    "i18n": "how far translations are, who approved them, which are served",
    "reviewers": "add, list and disable the people who may fetch reports",
    "form": "write, judge, print and approve the questionnaire",
    "workstation": "the air-gapped side: import, open, reply",
    "evaluate": "set up and run a drop for trying out, with its own private Tor network",
    "demo": "play the whole journey once, from a source's report to the reply",
    "serve": "one process of a running drop; `svidok run` starts these",
}

USAGE = 2
FAILED = 1
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """A parser that guesses no word from its beginning; its actions' parsers are of the same kind."""

    def __init__(self, **words: Any) -> None:  # noqa: ANN401 - as the class above
        """Take what any parser takes."""
        words["allow_abbrev"] = False
        super().__init__(**words)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that *argv* names; give its exit code: 0 done, 1 failed, 2 not understood, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help())
        return 0 if arguments else USAGE
    name = arguments[0]
    if name not in COMMANDS:
        print(f"svidok: there is no command {name!r}; `svidok --help` lists them", file=sys.stderr)
        return USAGE
    configure(logging.WARNING, sys.stderr)
    try:
        command = importlib.import_module(f"svidok.commands.{name}")
        parser = Parser(prog=f"svidok {name}", description=COMMANDS[name])
        command.add_arguments(parser)
        return int(command.run(parser.parse_args(arguments[1:])))
    except (CommandError, HardeningError, KeysError, OSError, ModuleNotFoundError, EOFError) as error:
        print(f"svidok: {_sentence(name, error)}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _sentence(name: str, error: Exception) -> str:
    match error:
        case OSError():
            return plain(error)
        case ModuleNotFoundError():
            return (
                f"{error.name} is missing: `svidok {name}` needs the packages of another file in requirements/"
                " (docs/deployment.md, 1)"
            )
        case EOFError():
            return "there is no terminal to ask at; --passphrase-file takes a passphrase from a file"
        case _:
            return str(error)


def _help() -> str:
    width = max(len(name) for name in COMMANDS)
    rows = "\n".join(f"  {name:<{width}}  {says}" for name, says in COMMANDS.items())
    return f"usage: svidok COMMAND ...\n\n{rows}\n\n`svidok COMMAND --help` tells the rest."
