"""Logs are one line an event, cannot be forged, and keep secrets."""

import asyncio
import io
import logging
import subprocess
import sys
import threading
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from hypothesis import given, settings
from hypothesis import strategies as st
from python_multipart.multipart import MultipartParser

from hardening.logs import OURS, configure, one_line

CANARY = "canary-otter-lamp"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Configure for one test, and put back what pytest itself listens with."""
    kept = {name: (each.handlers[:], each.propagate, each.level) for name, each in every_logger()}
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    stream = io.StringIO()
    configure(logging.DEBUG, stream)
    yield stream
    logging.captureWarnings(capture=False)
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    for name, each in every_logger():
        each.handlers[:], each.propagate, level = kept.get(name, ([], True, logging.NOTSET))
        each.setLevel(level)


def every_logger() -> list[tuple[str, logging.Logger]]:
    named = [(name, each) for name, each in logging.root.manager.loggerDict.items() if isinstance(each, logging.Logger)]
    return [*named, ("", logging.root)]


def written(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def test_an_event_of_ours_is_a_line_without_a_time(lines: io.StringIO) -> None:
    logging.getLogger("keeper.alarms").warning("%d keys expire within 30 days", 2)

    assert lines.getvalue() == "WARNING keeper.alarms: 2 keys expire within 30 days\n"


@pytest.mark.check("L4")
@pytest.mark.parametrize(
    "nasty",
    ["\r\n", "\n", "\x1b[2J", "\u2028", "\u2029", "\x85", "\x00", "\x7f", "\u202e", "\ufeff", "\ud800", "\x0b", "\x0c"],
    ids=ascii,
)
def test_an_event_is_one_line_whatever_is_in_it(lines: io.StringIO, nasty: str) -> None:
    logging.getLogger("onion.service").warning("before%sERROR keeper.alarms: forged", nasty)

    assert len(written(lines)) == 1
    assert nasty not in lines.getvalue().removesuffix("\n")
    assert written(lines)[0].startswith("WARNING onion.service: before\\")


@pytest.mark.check("L4")
@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_escaped_text_is_printable_and_two_texts_never_look_the_same(first: str, second: str) -> None:
    assert one_line(first).isascii()
    assert one_line(first).isprintable()
    assert (one_line(first) == one_line(second)) == (first == second)


def test_an_endless_line_is_cut(lines: io.StringIO) -> None:
    logging.getLogger("bags.verify").error("x" * 100_000)

    assert len(lines.getvalue()) == 2001
    assert lines.getvalue().endswith("...\n")


@pytest.mark.check("L2")
def test_an_exception_is_told_by_kind_and_place_alone(lines: io.StringIO) -> None:
    def codename_of(passphrase: str) -> int:
        return int(passphrase)

    try:
        try:
            codename_of(CANARY)
        except ValueError as error:
            raise RuntimeError(CANARY) from error
    except RuntimeError:
        logging.getLogger("keys.codename").exception("no codename")

    (line,) = written(lines)
    assert CANARY not in line
    assert line.startswith("ERROR keys.codename: no codename | builtins.RuntimeError at test_logs.py:")
    assert "caused by builtins.ValueError at test_logs.py:" in line
    assert "codename_of" in line


@pytest.mark.check("L2")
def test_a_foreign_module_is_heard_only_when_something_broke_and_without_its_words(lines: io.StringIO) -> None:
    for name in ("gnupg", "sqlalchemy.engine.Engine", "uvicorn.access", "httpx", "stem", "multipart", "uvicorn.error"):
        for level in (logging.DEBUG, logging.INFO, logging.WARNING):
            logging.getLogger(name).log(level, "GET /?%s", CANARY)
    assert lines.getvalue() == ""

    logging.getLogger("uvicorn.error").error("broke on %s", CANARY)

    assert written(lines) == ["ERROR uvicorn.error: something broke; its words are withheld"]


@pytest.mark.check("L2")
def test_the_real_libraries_are_silent_at_debug(lines: io.StringIO) -> None:
    for name in ("sqlalchemy.engine", "python_multipart.multipart"):
        logging.getLogger(name).setLevel(logging.DEBUG)

    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT :word"), {"word": CANARY})
    engine.dispose()
    parser = MultipartParser(b"x", {})
    parser.write(b'--x\r\nContent-Disposition: form-data; name="' + CANARY.encode() + b'"\r\n\r\nv\r\n--x--\r\nrest')

    assert lines.getvalue() == ""


@pytest.mark.check("L2", "F11")
def test_a_task_that_dies_unseen_is_logged_without_what_it_held(lines: io.StringIO) -> None:
    """asyncio would print the whole exception, arguments included."""

    async def dies(codename: str) -> None:
        raise ValueError(codename)

    async def loses_it() -> None:
        task = asyncio.create_task(dies(CANARY), name=CANARY)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task

    asyncio.run(loses_it())

    (line,) = written(lines)
    assert CANARY not in line
    assert line.startswith("ERROR asyncio: something broke; its words are withheld | builtins.ValueError at test_logs")


@pytest.mark.check("L2", "F11")
def test_a_thread_that_dies_is_logged_without_what_it_held(lines: io.StringIO) -> None:
    def dies() -> None:
        raise ValueError(CANARY)

    thread = threading.Thread(target=dies, name=CANARY)
    thread.start()
    thread.join()

    (line,) = written(lines)
    assert CANARY not in line
    assert line.startswith("CRITICAL hardening.logs: a thread ends | builtins.ValueError at test_logs.py:")


@pytest.mark.check("L2")
def test_an_error_in_a_finaliser_is_logged_without_what_it_held(lines: io.StringIO) -> None:
    class Dies:
        def __del__(self) -> None:
            raise ValueError(CANARY)

    Dies()

    (line,) = written(lines)
    assert CANARY not in line
    assert "builtins.ValueError" in line


@pytest.mark.check("L2")
def test_a_warning_is_not_printed(lines: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn(CANARY, stacklevel=1)

    assert lines.getvalue() + capsys.readouterr().err == ""


def test_a_closed_stream_ends_nothing(lines: io.StringIO) -> None:
    lines.close()

    logging.getLogger("keys.gpg").error("too late")
    configure(logging.DEBUG, io.StringIO())


CONFIGURED = """
import logging, sys
from hardening.logs import configure
configure(logging.DEBUG, sys.stderr)
"""
DIES = f"""
def report(text): raise KeyError(text)
report({CANARY!r})
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Run *program* without the handlers that pytest sets for itself."""
    return subprocess.run(
        [sys.executable, "-c", CONFIGURED + program], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.check("L2")
def test_an_event_that_cannot_be_formatted_is_not_printed() -> None:
    """The standard handler would print the message with its arguments."""
    ended = run(f"logging.getLogger('keys.gpg').error('%d', {CANARY!r})")

    assert ended.stdout == ""
    assert ended.stderr == "ERROR hardening.logs: an event of keys.gpg could not be written\n"


@pytest.mark.check("L2", "F11")
def test_a_process_that_dies_says_where_and_not_of_what() -> None:
    ended = run(DIES)

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert CANARY not in ended.stderr
    assert ended.stderr.startswith("CRITICAL hardening.logs: the process ends | builtins.KeyError at <string>:6 report")
    assert ended.stderr.count("\n") == 1


def test_ours_are_exactly_the_packages_that_are_built() -> None:
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]["include"]

    assert {name.removesuffix("*") for name in built} == OURS
