"""Write logs that an attacker cannot forge and that hold nothing a source or a reviewer has said.

Messages of our own modules are written as they are: by the rules of this code they hold no secrets.
Other modules are heard only when something broke, and then without their words, because libraries
quote what they work on: keys, queries, form fields, whole requests. Of an exception the kind and the
place are written, never its message or a local variable: the message says what was wrong, and that
may be a codename. No line has a time: a server keeps days (K1), and whoever collects the lines may
add when they came.
"""

import logging
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TextIO

OURS = frozenset(
    {
        "atlas", "bags", "casework", "exports", "hardening", "journalist_interface", "keeper", "keys", "ledger",
        "onion", "questionnaire", "reviewers", "settings", "source_interface", "svidok", "vault", "workstation",
    }
)  # fmt: skip
"""The packages whose messages are trusted to hold no secret."""

_MAX_LINE_CHARACTERS = 2000
_MAX_CAUSES = 4
_MAX_FRAMES = 6


def configure(level: int, stream: TextIO) -> None:
    """Send every log event of this process to *stream*, one line each, and nothing anywhere else.

    Handlers that were set before are removed. What ends the process or a thread, or cannot be raised,
    is logged in the same way instead of being printed with its message.

    Args:
        level: The least level written of our own modules; others speak from `logging.ERROR` on.
        stream: Where the lines go; stays open and belongs to the caller.
    """
    handler = _Lines(stream)
    handler.setFormatter(_OneLine())
    handler.addFilter(_may_speak)
    for known in [*logging.root.manager.loggerDict.values(), logging.root]:
        if isinstance(known, logging.Logger):
            known.handlers.clear()
            known.propagate = True
    logging.root.addHandler(handler)
    logging.root.setLevel(level)
    logging.captureWarnings(capture=True)
    sys.excepthook = _ended
    sys.unraisablehook = _unraisable
    threading.excepthook = _thread_ended


def one_line(text: str) -> str:
    r"""Escape *text* to printable ASCII: a line break becomes `\n`, a backslash becomes two (L4).

    Letters beyond ASCII are escaped too: some look like others, some turn the direction of the line.
    """
    return "".join(_escaped(character) for character in text)


class _Lines(logging.StreamHandler[TextIO]):
    """A stream of lines that never prints the event which it could not write."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is of logging
        with suppress(OSError, ValueError):
            self.stream.write(f"ERROR hardening.logs: an event of {one_line(record.name)} could not be written\n")


class _OneLine(logging.Formatter):
    """Level, module, message, and the kinds and places of exceptions, in one line."""

    def format(self, record: logging.LogRecord) -> str:
        parts = [record.getMessage() if _is_ours(record.name) else "something broke; its words are withheld"]
        if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
            parts.append(_told(record.exc_info[1]))
        line = one_line(f"{record.levelname} {record.name}: {' | '.join(parts)}")
        return line if len(line) <= _MAX_LINE_CHARACTERS else line[: _MAX_LINE_CHARACTERS - 3] + "..."


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in OURS


def _may_speak(record: logging.LogRecord) -> bool:
    return _is_ours(record.name) or record.levelno >= logging.ERROR


def _escaped(character: str) -> str:
    if " " <= character <= "~" and character != "\\":
        return character
    return character.encode("unicode_escape").decode("ascii")


def _told(error: BaseException) -> str:
    """Tell kind and place of *error* and of what caused it, innermost call first."""
    told: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(told) < _MAX_CAUSES:
        kind = f"{type(cause).__module__}.{type(cause).__qualname__}"
        told.append(f"{kind} at {_places(cause.__traceback__)}")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return ", caused by ".join(told)


def _places(trace: TracebackType | None) -> str:
    # Not traceback.extract_tb: it reads source lines, and files that changed since then.
    frames = [
        f"{Path(frame.f_code.co_filename).name}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(trace)
    ]
    return " < ".join(frames[: -_MAX_FRAMES - 1 : -1]) or "an unknown place"


def _ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        logging.getLogger(__name__).critical("the process ends", exc_info=(kind, error, trace))


def _unraisable(args: "sys.UnraisableHookArgs") -> None:
    error = args.exc_value
    exc_info = None if error is None else (args.exc_type, error, args.exc_traceback)
    logging.getLogger(__name__).error("an error came where none can be raised", exc_info=exc_info)


def _thread_ended(args: threading.ExceptHookArgs) -> None:
    error = args.exc_value
    exc_info = None if error is None else (args.exc_type, error, args.exc_traceback)
    logging.getLogger(__name__).critical("a thread ends", exc_info=exc_info)
