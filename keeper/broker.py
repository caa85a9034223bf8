"""The two tiny sockets: what the web processes may ask of tor and of the log key, and nothing else.

The sources' process may say `close N`. The reviewers' process may say `close N`, `authorize NAME KEY`,
`revoke NAME`, `names`, `holds NAME KEY` and `promise CT_SHA256 SIZE_CLASS DAY`. Neither ever touches tor's
control port (M12).
"""

import asyncio
import binascii
import re
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

from hardening.asking import RefusedError
from hardening.database_errors import DatabaseError
from keeper.errors import KeeperError
from keeper.log_key import LogKey
from keeper.tors import Service, Tors
from ledger.entry import Received, parse_day
from ledger.errors import EntryError
from onion.client_auth import ClientKey
from onion.errors import OnionError

_NUMBER = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)

Command = Callable[[list[str]], str]


@dataclass(frozen=True, slots=True)
class Broker:
    """Answers the requests of one web process, one after the other, in the thread that owns the tors."""

    commands: Mapping[str, Command]
    thread: Executor

    async def answer(self, request: str) -> str:
        """Do what *request* asks; a form that is not ours is refused without being looked at further.

        Raises:
            RefusedError: The command is unknown, its words are wrong, or it could not be done.
        """
        verb, *words = request.split(" ")
        command = self.commands.get(verb)
        if command is None:
            raise RefusedError("this socket does not know that command")
        try:
            return await asyncio.get_running_loop().run_in_executor(self.thread, command, words)
        except (DatabaseError, KeeperError, OnionError) as error:
            raise RefusedError(str(error)) from error


def source_commands(tors: Tors) -> dict[str, Command]:
    """Give what the sources' process may ask."""
    return {"close": lambda words: _close(tors, Service.SOURCE, words)}


def reviewer_commands(tors: Tors, log_key: LogKey, pending: Callable[[bytes], bool]) -> dict[str, Command]:
    """Give what the reviewers' process may ask."""

    def authorize(words: list[str]) -> str:
        name, key = _exactly(words, 2)
        tors.authorize(name, ClientKey.parse(key))
        return ""

    def revoke(words: list[str]) -> str:
        (name,) = _exactly(words, 1)
        tors.revoke(name)
        return ""

    def names(words: list[str]) -> str:
        _exactly(words, 0)
        return " ".join(tors.names())

    def holds(words: list[str]) -> str:
        name, key = _exactly(words, 2)
        return "yes" if tors.holds(name, ClientKey.parse(key)) else "no"

    def promise(words: list[str]) -> str:
        ct_sha256, size_class, day = _exactly(words, 3)
        try:
            entry = Received(ct_sha256, _number(size_class), parse_day(day))
        except EntryError as error:
            raise RefusedError(str(error)) from error
        return binascii.b2a_base64(log_key.promise(entry, pending), newline=False).decode("ascii")

    return {
        "close": lambda words: _close(tors, Service.REVIEWER, words),
        "authorize": authorize,
        "revoke": revoke,
        "names": names,
        "holds": holds,
        "promise": promise,
    }


def _close(tors: Tors, service: Service, words: list[str]) -> str:
    (number,) = _exactly(words, 1)
    return "closed" if tors.close_circuit(service, _number(number)) else "gone"


def _number(untrusted: str) -> int:
    if not _NUMBER.fullmatch(untrusted):
        raise RefusedError("a number has one to ten digits and no leading zero")
    return int(untrusted)


def _exactly(words: list[str], count: int) -> list[str]:
    if len(words) != count:
        raise RefusedError(f"this command takes {count} words, not {len(words)}")
    return words
