"""Keep what a visitor has said between two pages, in memory alone and readable only with her cookie.

The store knows a SHA-256 of each token and a box sealed under a key derived from the token. So a copy
of our memory between two requests shows neither seeds nor answers, and no cookie can be made from it.
A store belongs to one event loop; nothing here waits, so each call is one step.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from itsdangerous import BadSignature, Signer
from nacl.secret import SecretBox

from hardening.clock import Clock
from hardening.errors import HardeningError

TOKEN_BYTES = 32
NOBODY = b""
"""The owner of a session before anybody has signed in; any number of these may live."""

_MAX_COOKIE_CHARACTERS = 128
_MAX_OWNER_BYTES = 255
# What one session costs beside its state, roughly; it stops empty sessions from being free.
_OVERHEAD_BYTES = 2048


class SessionError(HardeningError):
    """The session cannot be kept as asked."""


class SessionGoneError(SessionError):
    """The session ended while its request was still running."""


class SessionStaleError(SessionError):
    """Another request of the same session saved first; begin again from `latest`."""


class SessionTooLargeError(SessionError):
    """The state is larger than one session may be."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long and how large sessions may get."""

    per_owner: int
    idle_seconds: float = 30 * 60
    absolute_seconds: float = 120 * 60
    state_bytes: int = 1024 * 1024
    total_bytes: int = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Session:
    """An open session, to be forgotten at the end of its request.

    Attributes:
        state: What was kept, in the clear.
        key: Binds form tokens to this session; changes whenever the cookie does.
        owner: Whoever the session was begun for.
    """

    state: bytes = field(repr=False)
    key: bytes = field(repr=False)
    owner: bytes = field(repr=False)
    token_hash: bytes = field(repr=False)
    sealing_key: bytes = field(repr=False)
    version: int = 0


@dataclass(slots=True)
class _Kept:
    """What lies in memory between two requests."""

    owner_mark: bytes
    sealed: bytes
    version: int
    seen_at: float
    ends_at: float


class Sessions:
    """The living sessions of one interface; a restart ends them all."""

    def __init__(self, clock: Clock, limits: SessionLimits, kind: str) -> None:
        """Begin without any session.

        Args:
            clock: Ages the sessions.
            limits: See `SessionLimits`.
            kind: The neutral word that names the cookie, after `__Host-`.
        """
        self._clock = clock
        self.limits = limits
        self._cookie_name = f"__Host-{kind}"
        # The keys die with the process, as the sessions do.
        self._signer = Signer(
            secrets.token_bytes(32), salt=kind.encode(), key_derivation="hmac", digest_method=hashlib.sha256
        )
        self._owner_key = secrets.token_bytes(32)
        # In the order of their last sign of life, oldest first.
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        # For each owner the token hashes in the order of their beginning, oldest first.
        self._of_owner: dict[bytes, dict[bytes, None]] = {}
        self._total_bytes = 0

    @property
    def cookie_name(self) -> str:
        """The name under which a request brings the cookie."""
        return self._cookie_name

    def begin(self, state: bytes, owner: bytes = NOBODY) -> str:
        """Start a session and give its cookie value.

        The owner's oldest session beyond `per_owner` ends (C22; `alive` tells beforehand whether one
        will), then those idle for longest, if the store would grow too large.

        Raises:
            SessionTooLargeError: Nothing was started.
        """
        return self._keep(state, owner, self._clock.monotonic() + self.limits.absolute_seconds)

    def open(self, untrusted_cookie: str | None) -> Session | None:
        """Open the session of a request that starts now; `None` if there is none (any more).

        The absolute limit is judged here alone, so a request that started in time may finish (C6).
        """
        token = self._token(untrusted_cookie)
        if token is None:
            return None
        token_hash = hashlib.sha256(token).digest()
        now = self._clock.monotonic()
        if (kept := self._kept.get(token_hash)) is None:
            return None
        if now >= kept.ends_at or now - kept.seen_at >= self.limits.idle_seconds:
            self._drop(token_hash)
            return None
        self._seen(token_hash, kept, now)
        sealing_key = _derive(token, b"state")
        owner, state = _unpacked(SecretBox(sealing_key).decrypt(kept.sealed))
        return Session(state, _derive(token, b"forms"), owner, token_hash, sealing_key, kept.version)

    def latest(self, session: Session) -> Session:
        """Read the session again, after the request has waited for something.

        Raises:
            SessionGoneError: It ended meanwhile.
        """
        kept = self._living(session)
        owner, state = _unpacked(SecretBox(session.sealing_key).decrypt(kept.sealed))
        return replace(session, state=state, owner=owner, version=kept.version)

    def save(self, session: Session, state: bytes) -> Session:
        """Keep *state* from now on; with no waiting since `open` or `latest` it is never stale.

        Raises:
            SessionGoneError: The session ended meanwhile.
            SessionStaleError: Another request saved meanwhile; what it saved is kept.
            SessionTooLargeError: The state before is kept.
        """
        kept = self._living(session)
        if kept.version != session.version:
            raise SessionStaleError("another request of this session saved first")
        sealed = self._sealed(state, session.owner, session.sealing_key)
        self._total_bytes += len(sealed) - len(kept.sealed)
        kept.sealed = sealed
        kept.version += 1
        self._seen(session.token_hash, kept, self._clock.monotonic())
        self._make_room()
        return replace(session, state=state, version=kept.version)

    def renew(self, session: Session) -> str:
        """Give the same state a new cookie, at a change of rights; the old cookie is dead (C4).

        At a sign-in, where the owner changes, `end` the session and `begin` another.

        Raises:
            SessionGoneError: The session ended meanwhile.
        """
        kept = self._living(session)
        state = self.latest(session).state
        self._drop(session.token_hash)
        return self._keep(state, session.owner, kept.ends_at)

    def touch(self, session: Session) -> bool:
        """Note that a long request makes progress; `False` if its session has ended.

        Without it the session of a running request ends when idle, as any other. Progress also moves
        the absolute limit, so that the page after a long upload can still be read.
        """
        if (kept := self._kept.get(session.token_hash)) is None:
            return False
        now = self._clock.monotonic()
        kept.ends_at = max(kept.ends_at, now + self.limits.idle_seconds)
        self._seen(session.token_hash, kept, now)
        return True

    def end(self, session: Session) -> None:
        """Forget the session; its cookie opens nothing from now on."""
        if session.token_hash in self._kept:
            self._drop(session.token_hash)

    def end_owner(self, owner: bytes) -> int:
        """End every session of *owner*, and tell how many there were."""
        ended = list(self._of_owner.get(self._mark(owner), ()))
        for token_hash in ended:
            self._drop(token_hash)
        return len(ended)

    def alive(self, owner: bytes) -> int:
        """Count the owner's sessions that are not idle for too long."""
        self._drop_idle()
        return len(self._of_owner.get(self._mark(owner), ()))

    def set_cookie_header(self, value: str) -> str:
        """Write the `Set-Cookie` header that hands out *value* (C1)."""
        return f"{self._cookie_name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict"

    def clear_cookie_header(self) -> str:
        """Write the `Set-Cookie` header that empties the cookie.

        It has no Max-Age either: C1 holds for every cookie, and this one goes when the browser closes.
        """
        return self.set_cookie_header("")

    def _keep(self, state: bytes, owner: bytes, ends_at: float) -> str:
        token = secrets.token_bytes(TOKEN_BYTES)
        token_hash = hashlib.sha256(token).digest()
        sealed = self._sealed(state, owner, _derive(token, b"state"))
        mark = self._mark(owner)
        self._drop_idle()
        self._kept[token_hash] = _Kept(mark, sealed, 0, self._clock.monotonic(), ends_at)
        self._total_bytes += len(sealed) + _OVERHEAD_BYTES
        same = self._of_owner.setdefault(mark, {})
        same[token_hash] = None
        if owner != NOBODY and len(same) > self.limits.per_owner:
            self._drop(next(iter(same)))
        self._make_room()
        return self._signer.sign(urlsafe_b64encode(token)).decode("ascii")

    def _sealed(self, state: bytes, owner: bytes, sealing_key: bytes) -> bytes:
        if len(state) > self.limits.state_bytes:
            raise SessionTooLargeError(f"a session may keep {self.limits.state_bytes} bytes, not {len(state)}")
        if len(owner) > _MAX_OWNER_BYTES:
            raise SessionError(f"an owner's name may have {_MAX_OWNER_BYTES} bytes, not {len(owner)}")
        return bytes(SecretBox(sealing_key).encrypt(bytes([len(owner)]) + owner + state))

    def _token(self, untrusted_cookie: str | None) -> bytes | None:
        if untrusted_cookie is None or len(untrusted_cookie) > _MAX_COOKIE_CHARACTERS or not untrusted_cookie.isascii():
            return None
        try:
            return urlsafe_b64decode(self._signer.unsign(untrusted_cookie))
        except BadSignature:
            return None

    def _living(self, session: Session) -> _Kept:
        if (kept := self._kept.get(session.token_hash)) is None:
            raise SessionGoneError("the session ended while its request was running")
        return kept

    def _seen(self, token_hash: bytes, kept: _Kept, now: float) -> None:
        kept.seen_at = now
        self._kept.move_to_end(token_hash)

    def _drop_idle(self) -> None:
        horizon = self._clock.monotonic() - self.limits.idle_seconds
        while self._kept and next(iter(self._kept.values())).seen_at <= horizon:
            self._drop(next(iter(self._kept)))

    def _make_room(self) -> None:
        while self._total_bytes > self.limits.total_bytes and len(self._kept) > 1:
            self._drop(next(iter(self._kept)))

    def _drop(self, token_hash: bytes) -> None:
        kept = self._kept.pop(token_hash)
        self._total_bytes -= len(kept.sealed) + _OVERHEAD_BYTES
        same = self._of_owner[kept.owner_mark]
        del same[token_hash]
        if not same:
            del self._of_owner[kept.owner_mark]

    def _mark(self, owner: bytes) -> bytes:
        """Name the owner in a way that nobody can match with a database after we have ended."""
        return hmac.digest(self._owner_key, owner, "sha256")


def _derive(token: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=b"svidok session 1 " + purpose).derive(token)


def _unpacked(packed: bytes) -> tuple[bytes, bytes]:
    length = packed[0]
    return packed[1 : 1 + length], packed[1 + length :]
