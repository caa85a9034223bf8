"""Decide how long a connection may keep us waiting: never for a head, almost for ever for an upload.

Slow is not abusive: a telephone behind a Snowflake bridge sends 5 KiB a second and stands still for minutes. So an
upload is cut by the strict figures only while many connections are open, and never by them once the app trusts it.
"""

import math
from dataclasses import dataclass, field
from enum import Enum

from hardening.framing import HeadLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingLimits:
    """How much, how many and how long."""

    head: HeadLimits = field(default_factory=HeadLimits)
    head_seconds: float = 9.5
    """From the accepted connection, or the first byte of a later request, to its last header (D4)."""
    idle_seconds: float = 14.5
    unread_seconds: float = 55.0
    """Without the client taking a byte of its response (D7)."""
    requests: int = 100
    """On one connection."""
    connections: int = 2048
    crowd: int = 256
    """Open connections from which on the strict figures hold for uploads."""
    patient_seconds: float = 600.0
    """Without a byte of an upload, while there is room or when the app trusts it."""
    strict_stall_seconds: float = 120.0
    strict_pace_bytes: int = 1024
    """A second, on average, after `strict_pace_seconds` (D5)."""
    strict_pace_seconds: float = 300.0
    strict_upload_seconds: float = 3 * 3600.0
    drain_bytes: int = 64 * 1024
    """Read and thrown away after an answer that came before the end of its request (E5)."""
    drain_seconds: float = 2.0
    look_seconds: float = 5.0
    """How often a connection is looked at; a deadline that is nearer is met exactly."""
    stop_seconds: int = 30
    """For running requests, after SIGTERM."""


class Phase(Enum):
    """What a connection is doing."""

    HEAD = "sends a head"
    BODY = "sends a body"
    ANSWER = "waits for its answer"
    DRAIN = "sends what is not read any more"
    IDLE = "sends nothing"


@dataclass(frozen=True, slots=True)
class Wire:
    """What a look at the connection shows."""

    paused: bool
    """We ourselves do not read."""
    unsent_bytes: int
    """Written by us and not yet taken by the client."""
    crowded: bool


class Deadlines:
    """The patience with one connection. Times are seconds of the caller's monotonic clock."""

    def __init__(self, limits: ServingLimits, now: float) -> None:
        self._limits = limits
        self.phase = Phase.HEAD
        self.trusted = False
        self._began = now
        self._last_byte = now
        self._last_look = now
        self._excused = 0.0
        self._received = 0
        self._unsent = 0
        self._last_taken = now

    def enter(self, phase: Phase, now: float) -> None:
        """Begin *phase*; the phase it is in goes on."""
        if phase is self.phase:
            return
        self.phase = phase
        self._began = self._last_byte = self._last_look = now
        self._excused = 0.0
        self._received = 0
        self.trusted = self.trusted and phase is Phase.BODY

    def came(self, size_bytes: int, now: float) -> None:
        """Note that bytes arrived."""
        self._last_byte = now
        self._received += size_bytes

    def taken(self, now: float) -> None:
        """Note that the client took bytes of its response."""
        self._last_taken = now

    def look(self, now: float, wire: Wire) -> float | None:
        """Judge the connection.

        Returns:
            The seconds until the next look; None when the connection is to be cut.
        """
        if wire.paused:
            # Whoever waits for us is not late.
            self._last_byte = now
            self._excused += now - self._last_look
        self._last_look = now
        if wire.unsent_bytes == 0 or wire.unsent_bytes < self._unsent:
            self._last_taken = now
        self._unsent = wire.unsent_bytes
        unread = self._last_taken + self._limits.unread_seconds if wire.unsent_bytes else math.inf
        due = min(unread, self._phase_due(wire))
        return None if now >= due else min(due - now, self._limits.look_seconds)

    def _phase_due(self, wire: Wire) -> float:
        limits = self._limits
        if self.phase is Phase.BODY:
            patient = self.trusted or not wire.crowded
            return self._last_byte + limits.patient_seconds if patient else self._strict_due()
        # Our own work has no deadline here, and a client that still takes the response before is not idle.
        if self.phase is Phase.ANSWER or (wire.unsent_bytes and self.phase is not Phase.HEAD):
            return math.inf
        seconds = {Phase.HEAD: limits.head_seconds, Phase.IDLE: limits.idle_seconds, Phase.DRAIN: limits.drain_seconds}
        return self._began + seconds[self.phase]

    def _strict_due(self) -> float:
        limits = self._limits
        began = self._began + self._excused
        return min(
            self._last_byte + limits.strict_stall_seconds,
            began + limits.strict_upload_seconds,
            began + max(limits.strict_pace_seconds, self._received / limits.strict_pace_bytes),
        )
