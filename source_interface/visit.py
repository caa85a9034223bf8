"""What is remembered of a source between two pages: sealed in the session, gone when it ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import cast

from hardening.canonical import JSON, canonical_json, strict_json
from keys.codename import Codename
from keys.source_key import SourceSecrets
from source_interface.report_state import ReportState, unpacked
from vault.records import Source

_LARGEST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What became of the last sending, in the words of its page.

    Attributes:
        report: Answers were kept: `whole`, or `part` of them; empty if there were none.
        encrypted: How many items the source had encrypted herself.
        empty_names: The files that held nothing and were left out.
    """

    messages: int = 0
    files: int = 0
    report: str = ""
    encrypted: int = 0
    codename_kept_out: bool = False
    empty_names: tuple[str, ...] = ()

    @property
    def items(self) -> int:
        """How much was kept."""
        return self.messages + self.files + bool(self.report)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One source's visit.

    Attributes:
        secrets: What the codename makes.
        day: On which the visit began.
        newcomer: The source as it will be recorded with its first submission; None for one who came back.
        keyset_hash: With the day: whom this visit seals to, whatever changes meanwhile (G6); None if it began closed.
        codename: Only until the source has written it down.
        sending: The outcome of the last sending.
        notice: What the next pages of the inbox say first.
        report: The guided report that is being told; None if there is none.
    """

    secrets: SourceSecrets
    day: date
    newcomer: Source | None = None
    keyset_hash: str | None = None
    codename: Codename | None = None
    sending: Sending | None = None
    notice: str = ""
    report: ReportState | None = None

    def pack(self) -> bytes:
        """Write the visit for its session."""
        newcomer, sending = self.newcomer, self.sending
        return canonical_json(
            {
                "lookup_id": self.secrets.lookup_id.hex(),
                "seed": self.secrets.seed.hex(),
                "day": self.day.isoformat(),
                "newcomer": [newcomer.collection_id, newcomer.designation] if newcomer else None,
                "keyset": self.keyset_hash,
                "codename": f"{self.codename.number:x}" if self.codename else None,
                "sending": [
                    sending.messages,
                    sending.files,
                    sending.report,
                    sending.encrypted,
                    sending.codename_kept_out,
                    list(sending.empty_names),
                ]
                if sending
                else None,
                "notice": self.notice,
                "report": self.report.packed() if self.report else None,
            }
        )


def unpack(packed: bytes) -> Visit:
    """Read what `Visit.pack` wrote; only this process writes it, so it is what it was."""
    told = cast("Mapping[str, JSON]", strict_json(packed, _LARGEST_BYTES))
    secrets = SourceSecrets(bytes.fromhex(cast("str", told["lookup_id"])), bytes.fromhex(cast("str", told["seed"])))
    newcomer, sending = cast("list[str] | None", told["newcomer"]), cast("list[JSON] | None", told["sending"])
    return Visit(
        secrets=secrets,
        day=date.fromisoformat(cast("str", told["day"])),
        newcomer=Source(newcomer[0], newcomer[1], secrets.lookup_id, secrets.public_key) if newcomer else None,
        keyset_hash=cast("str | None", told["keyset"]),
        codename=Codename(int(cast("str", told["codename"]), 16)) if told["codename"] else None,
        sending=_sending(sending) if sending else None,
        notice=cast("str", told["notice"]),
        report=unpacked(told["report"]) if told["report"] else None,
    )


def _sending(told: list[JSON]) -> Sending:
    messages, files, report, encrypted, codename_kept_out, names = told
    return Sending(
        messages=cast("int", messages),
        files=cast("int", files),
        report=cast("str", report),
        encrypted=cast("int", encrypted),
        codename_kept_out=cast("bool", codename_kept_out),
        empty_names=tuple(cast("list[str]", names)),
    )
