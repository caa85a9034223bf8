"""Say what `svidok workstation` found and did: to a person in lines that nothing foreign acts in, or as JSON."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from casework.log import Verified
from casework.views import Cases
from svidok.report_lines import report_lines
from workstation.intake import Taken
from workstation.names import shown
from workstation.outbox import Returned
from workstation.reading import Opened
from workstation.telling import ToldReport, report_facts


@dataclass(frozen=True, slots=True)
class Said:
    """What a command says: facts for a program, or the same in lines; and what needs a person's eyes."""

    facts: object
    lines: Sequence[str]
    warnings: Sequence[str] = ()

    def tell(self) -> None:
        """Print the lines, and warnings to the standard error."""
        for line in self.lines:
            print(line)
        self._warn()

    def tell_json(self) -> None:
        """Print the facts as JSON, which escapes all but ASCII."""
        print(json.dumps(self.facts))
        self._warn()

    def _warn(self) -> None:
        for warning in self.warnings:
            print(shown(warning), file=sys.stderr)


def taken_said(taken: Taken) -> Said:
    """Say what an import has brought."""
    facts = {
        "new": taken.new,
        "known": taken.known,
        "conflicts": taken.conflicts,
        "problems": taken.problems,
    }
    conflicts = [
        f"CONFLICT: submission {one} differs from what is here; it was left out and nothing was overwritten"
        for one in taken.conflicts
    ]
    problems = [f"PROBLEM: {problem}" for problem in taken.problems]
    return Said(facts, [f"{len(taken.new)} new, {len(taken.known)} known already"], [*conflicts, *problems])


def list_said(cases: Cases) -> Said:
    """Say what is here, the newest first."""
    facts = collection_facts(cases)
    return Said(facts, [_listed(one) for one in facts])


def collection_facts(cases: Cases) -> list[dict[str, str | int]]:
    """Count what is here of each source."""
    replies: dict[str, int] = {}
    for reply in cases.replies.values():
        replies[reply.collection_id] = replies.get(reply.collection_id, 0) + 1
    facts: list[dict[str, str | int]] = []
    for collection in cases.collections.values():
        submissions = cases.of_collection(collection.collection_id)
        facts.append(
            {
                "id": collection.collection_id,
                "designation": shown(collection.designation),
                "submissions": len(submissions),
                "opened": sum(one.submission_id in cases.opened for one in submissions),
                "replies": replies.get(collection.collection_id, 0),
                "problems": sum(bool(one.problems) for one in submissions),
                "last_day": submissions[-1].day.isoformat() if submissions else "",
            }
        )
    return sorted(facts, key=lambda one: (one["last_day"], one["designation"]), reverse=True)


def opened_said(opened: Sequence[Opened], reports: Sequence[ToldReport], others: Sequence[str], folder: Path) -> Said:
    """Give the reports and the messages, and say where the files lie.

    Args:
        opened: What was let out.
        reports: What is in it of reports, joined.
        others: Submissions that may hold newer documents of them.
        folder: Where the files are.
    """
    facts = {
        "folder": str(folder),
        "reports": [report_facts(one) for one in reports],
        "others": others,
        "submissions": [_opened_facts(one) for one in opened],
    }
    lines = [line for one in reports for line in report_lines(one)]
    if others:
        lines.append(f"{len(others)} other sendings may have changed this: open the source's designation to join them")
    lines += [line for one in opened for line in _opened_lines(one)]
    return Said(facts, [*lines, f"the files are in {folder}; remove the folder when you have looked"])


def elsewhere(opened: Sequence[Opened], cases: Cases) -> tuple[str, ...]:
    """Name what was not opened now, and may hold newer documents of the reports that were."""
    here = {one.submission.submission_id for one in opened}
    collections = dict.fromkeys(one.submission.collection_id for one in opened if one.documents)
    return tuple(
        other.submission_id
        for collection in collections
        for other in cases.of_collection(collection)
        if other.submission_id not in here and any(part.kind == "report" for part in other.parts)
    )


def returned_said(returned: Returned) -> Said:
    """Say where a return bag lies."""
    facts = {
        "sequence": returned.sequence,
        "replies": returned.replies,
        "receipts": returned.receipts,
        "bag": str(returned.bag),
        "signature": str(returned.signature),
    }
    lines = [
        f"{returned.replies} replies and {returned.receipts} receipts in return bag {returned.sequence}:",
        f"  {returned.bag}",
        f"  {returned.signature}",
        "upload both together",
    ]
    return Said(facts, lines)


def verified_said(verified: Verified) -> Said:
    """Say what was found sound, with the hashes that show a later loss if they are kept elsewhere."""
    heads = {reviewer: head.hex() for reviewer, head in verified.heads.items()}
    lines = [f"{verified.events} events, every one in its place and signed"]
    lines += [f"  {reviewer} ends in {head}" for reviewer, head in heads.items()]
    return Said({"events": verified.events, "heads": heads}, lines)


def _listed(one: Mapping[str, str | int]) -> str:
    unread = "" if one["opened"] == one["submissions"] else "  NEW"
    problems = "  PROBLEMS" if one["problems"] else ""
    return f"{one['id']!s:.8}  {one['designation']:<28} {one['submissions']:>4} {one['last_day']}{unread}{problems}"


def _opened_facts(opened: Opened) -> dict[str, object]:
    return {
        "id": opened.submission.submission_id,
        "day": opened.submission.day.isoformat(),
        "problems": opened.problems,
        "messages": [
            {"part": trailer.part_id, "text": text, "preencrypted": trailer.preencrypted}
            for trailer, text in opened.messages
        ],
        "files": [
            {
                "part": file.trailer.part_id,
                "path": str(file.path),
                "name": file.trailer.name,
                "media_type": file.trailer.media_type,
                "size_bytes": file.trailer.length,
                "sha256": file.trailer.sha256,
                "preencrypted": file.trailer.preencrypted,
            }
            for file in opened.files
        ],
    }


def _opened_lines(opened: Opened) -> Iterable[str]:
    yield f"--- submission {opened.submission.submission_id}, kept since {opened.submission.day}: intact"
    for problem in opened.problems:
        yield f"PROBLEM: {shown(problem)}"
    for trailer, text in opened.messages:
        yield f"[message{_mark(preencrypted=trailer.preencrypted)}]"
        yield shown(text, lines=True)
    for file in opened.files:
        mark = _mark(preencrypted=file.trailer.preencrypted)
        yield f"[file] {file.path.name}  {file.trailer.length} bytes  {shown(file.trailer.media_type)}{mark}"


def _mark(*, preencrypted: bool) -> str:
    return ", sealed by the source herself" if preencrypted else ""
