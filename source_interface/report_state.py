"""What has been told of a report so far: kept in the session alone, and gone with it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self, cast

from hardening.canonical import JSON, Writable
from questionnaire.answers import Led, kept, replaced, unsure, walk
from questionnaire.model import WAY, Form, Page
from source_interface.progress import Progress, Way

GUIDED_WAYS = frozenset({"report", "help"})
"""The doors that lead to the questionnaire."""

MOST_NOTED = 200
"""So many files of a visit can be told about: with the report's own documents they stay below what a manifest lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFile:
    """A file that arrived whole in this visit.

    Attributes:
        part_id: What its notes refer to.
        name: As the source called it.
        notes: What she has said about it, to be sent with the report.
    """

    part_id: str
    name: str
    notes: Mapping[str, JSON] = field(default_factory=dict[str, JSON])


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportState:
    """One report on its way; it may be sent several times, and the last sending holds.

    Attributes:
        seq: The number of its next sending.
        answers: What was told, the way among it.
        reached: The names of the pages that were answered or passed over, in earlier visits as well.
        earlier: Of those, the ones of earlier visits: what was answered there is sealed.
        led: The pages that earlier visits led over, reached or not; none if these were asked in another form.
        sent: Something of it was sent in this visit.
        checked: The summary was reached, so an edited page leads back to it.
        slots: How many places of each repeat are shown.
        dropped: Which answers the last change has made moot, to be said once.
        once_only: The source wants it to be read once and deleted.
        files: What was sent beside it.
    """

    report_id: str
    seq: int = 1
    answers: Mapping[str, JSON] = field(default_factory=dict[str, JSON])
    reached: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    led: tuple[str, ...] = ()
    sent: bool = False
    checked: bool = False
    slots: Mapping[str, int] = field(default_factory=dict[str, int])
    dropped: tuple[str, ...] = ()
    once_only: bool = False
    files: tuple[SentFile, ...] = ()

    @classmethod
    def begun(cls, way: str) -> Self:
        """Begin a report through the door *way*."""
        return cls(report_id=secrets.token_hex(16), answers={WAY: way})

    @classmethod
    def resumed(cls, form: Form, way: str, progress: Progress) -> Self:
        """Go on with what was told in an earlier visit.

        What was answered then is sealed: sent once more without it, that report would lose it
        (docs/specs/report.md, 10). So this is another report beside it.
        """
        begun = cls.begun(way)
        led = (*progress.reached, *progress.ahead) if progress.is_of(form.sha256) else ()
        return replace(begun, seq=progress.seq + 1, reached=progress.reached, earlier=progress.reached, led=led)

    @property
    def way(self) -> Way:
        """The door that the source came through."""
        return "help" if self.answers[WAY] == "help" else "report"

    @property
    def led_over(self) -> Led:
        """The same, each with whether it was reached then."""
        return {name: name in self.earlier for name in self.led}

    def walk(self, form: Form) -> tuple[Page, ...]:
        """Give the pages that it leads over, in their order."""
        return walk(form, self.answers, self.led_over)

    def ahead(self, form: Form) -> tuple[str, ...]:
        """Name the pages that are still open: those of her way, and those that another door had led to before."""
        doors = [walk(form, {**self.answers, WAY: way}, self.led_over) for way in GUIDED_WAYS]
        met = {page.name for page in self.walk(form)}
        met |= {page.name for pages in doors for page in pages} & set(self.led)
        return tuple(page.name for page in form.flow if page.name in met and page.name not in self.reached)

    def unsure(self, form: Form, page: Page) -> frozenset[str]:
        """Name the questions of *page* that may not be meant for her."""
        return unsure(form, page, self.answers, self.led_over)

    def told(self, form: Form, page: Page, fresh: Mapping[str, JSON], *, passed: bool = True) -> Self:
        """Take what was answered on *page* in the place of what was answered there before; *passed* if she goes on."""
        answers, dropped = kept(form, replaced(self.answers, page, fresh), self.led_over)
        reached = self.reached if page.name in self.reached or not passed else (*self.reached, page.name)
        return replace(self, answers=answers, dropped=dropped, reached=reached)

    def decided(self, form: Form, permissions: Mapping[str, JSON], *, once_only: bool, seq: int) -> Self:
        """Take *permissions* in the place of all that was allowed before, and go on with the sending *seq* or later."""
        asked = {one.name for page in form.flow for one in page.questions if one.part == "consents"}
        others = {name: value for name, value in self.answers.items() if name not in asked}
        fresh = {name: value for name, value in permissions.items() if name in asked}
        answers, moot = kept(form, {**others, **fresh}, self.led_over)
        dropped = tuple(name for name in moot if name in others)
        return replace(self, answers=answers, dropped=dropped, once_only=once_only, seq=max(self.seq, seq))

    def going(self, form: Form, way: str) -> Self:
        """Go on through another door; what it does not ask for is dropped."""
        answers, dropped = kept(form, {**self.answers, WAY: way}, self.led_over)
        return replace(self, answers=answers, dropped=dropped, checked=self.checked and way == self.way)

    def packed(self) -> Writable:
        """Write the report for its session."""
        return {
            "id": self.report_id,
            "seq": self.seq,
            "answers": cast("Writable", self.answers),
            "reached": self.reached,
            "earlier": self.earlier,
            "led": self.led,
            "sent": self.sent,
            "checked": self.checked,
            "slots": self.slots,
            "dropped": self.dropped,
            "once": self.once_only,
            "files": [[one.part_id, one.name, cast("Writable", one.notes)] for one in self.files],
        }


def unpacked(packed: JSON) -> ReportState:
    """Read what `ReportState.packed` wrote."""
    told = cast("dict[str, JSON]", packed)
    files = cast("list[tuple[str, str, dict[str, JSON]]]", told["files"])
    return ReportState(
        report_id=cast("str", told["id"]),
        seq=cast("int", told["seq"]),
        answers=cast("dict[str, JSON]", told["answers"]),
        reached=tuple(cast("list[str]", told["reached"])),
        earlier=tuple(cast("list[str]", told["earlier"])),
        led=tuple(cast("list[str]", told["led"])),
        sent=cast("bool", told["sent"]),
        checked=cast("bool", told["checked"]),
        slots=cast("dict[str, int]", told["slots"]),
        dropped=tuple(cast("list[str]", told["dropped"])),
        once_only=cast("bool", told["once"]),
        files=tuple(SentFile(part_id=part_id, name=name, notes=notes) for part_id, name, notes in files),
    )
