"""Prove that a form was asked for in this session, and let each form do its work once.

A foreign page cannot write a token, because it is a MAC under a key that only the session's own
requests see. Everything that changes something asks for one (C7, C8); a form whose repetition would
do harm asks for a one-time token, and answers a repetition as it answered the first time (T8).
"""

import asyncio
import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from hardening.errors import HardeningError

_NONCE_CHARACTERS = 32
_LABEL = b"svidok form 1\n"


class CsrfError(HardeningError):
    """The form carries no token of this session and purpose."""


def token(session_key: bytes, purpose: str) -> str:
    """Make the token for the forms of one *purpose* in one session; the same each time."""
    return _mac(session_key, purpose, "")


def check(session_key: bytes, purpose: str, untrusted: str | None) -> None:
    """Accept *untrusted* if `token` made it for this session and purpose, in constant time.

    Raises:
        CsrfError: It is missing, somebody else's, or not the same in every character.
    """
    _compare(token(session_key, purpose), untrusted)


@dataclass(slots=True)
class Turn:
    """The one time that a form does its work, or the answer from that time.

    Attributes:
        outcome: Where the first time led to; `None` while this is the first time.
    """

    outcome: str | None

    def settle(self, outcome: str) -> None:
        """Say where this time led to; from now on the form's token is spent."""
        self.outcome = outcome


@dataclass(slots=True)
class _Spent:
    outcome: str | None = None
    waiting: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class FormTokens:
    """One-time form tokens and what became of them, in memory; they die with the session's key."""

    def __init__(self, capacity: int = 20_000) -> None:
        """Remember up to *capacity* outcomes; beyond, the oldest is forgotten and its form works anew."""
        self._capacity = capacity
        self._spent: OrderedDict[bytes, _Spent] = OrderedDict()

    def issue(self, session_key: bytes, purpose: str) -> str:
        """Make a token for one form; nothing is remembered until it comes back."""
        nonce = secrets.token_hex(_NONCE_CHARACTERS // 2)
        return nonce + _mac(session_key, purpose, nonce)

    @asynccontextmanager
    async def turn(self, session_key: bytes, purpose: str, untrusted: str | None) -> AsyncGenerator[Turn]:
        """Lend the form's turn; a repetition waits until the time before has ended.

        Whoever leaves the block without `settle` has done nothing, and the next one may try: so an
        upload that broke off can be sent again from the same page.

        Raises:
            CsrfError: The token was not issued for this session and purpose.
        """
        nonce = (untrusted or "")[:_NONCE_CHARACTERS]
        _compare(nonce + _mac(session_key, purpose, nonce), untrusted)
        # Only a hash is remembered: the token itself would tell later which session sent what.
        mark = hashlib.sha256(_LABEL + session_key + nonce.encode()).digest()
        spent = self._spent.setdefault(mark, _Spent())
        spent.waiting += 1
        try:
            async with spent.lock:
                turn = Turn(spent.outcome)
                try:
                    yield turn
                finally:
                    # Also when something breaks after the work was done: done is done.
                    spent.outcome = turn.outcome
        finally:
            spent.waiting -= 1
            if spent.outcome is None and spent.waiting == 0:
                self._spent.pop(mark, None)
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        surplus = len(self._spent) - self._capacity
        settled = (mark for mark, spent in self._spent.items() if spent.waiting == 0)
        for mark in [mark for mark, _ in zip(settled, range(surplus), strict=False)]:
            del self._spent[mark]


def _mac(session_key: bytes, purpose: str, nonce: str) -> str:
    message = _LABEL + len(nonce).to_bytes() + nonce.encode("utf-8", "surrogatepass") + purpose.encode()
    return urlsafe_b64encode(hmac.digest(session_key, message, "sha256")).decode("ascii").rstrip("=")


def _compare(expected: str, untrusted: str | None) -> None:
    if untrusted is None:
        raise CsrfError("the form carries no token")
    if not hmac.compare_digest(expected.encode("utf-8", "surrogatepass"), untrusted.encode("utf-8", "surrogatepass")):
        raise CsrfError("the form's token is not of this session")
