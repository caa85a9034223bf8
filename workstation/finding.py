"""Find what a reviewer means by a designation or the start of an id."""

from collections.abc import Sequence

from casework.views import Cases, KnownCollection, KnownSubmission
from workstation.errors import UnknownIdError

_SHORTEST_PREFIX = 4


def find(cases: Cases, untrusted: str) -> list[KnownSubmission]:
    """Find the submissions that a designation, or the start of an id, means.

    Raises:
        UnknownIdError: Nothing answers to it, or more than one collection or submission does.
    """
    submissions = [one for one in cases.submissions.values() if _is_prefix(untrusted, one.submission_id)]
    collections = _collections(cases, untrusted)
    _refuse_all_but_one([*submissions, *collections])
    return submissions or cases.of_collection(collections[0].collection_id)


def find_collection(cases: Cases, untrusted: str) -> KnownCollection:
    """Find the one collection that a designation or the start of an id means; errors as for `find`."""
    collections = _collections(cases, untrusted)
    _refuse_all_but_one(collections)
    return collections[0]


def _collections(cases: Cases, untrusted: str) -> list[KnownCollection]:
    wanted = " ".join(untrusted.casefold().replace("-", " ").split())
    return [
        one
        for one in cases.collections.values()
        if one.designation.casefold().replace("-", " ") == wanted or _is_prefix(untrusted, one.collection_id)
    ]


def _refuse_all_but_one(found: Sequence[KnownSubmission | KnownCollection]) -> None:
    if not found:
        raise UnknownIdError("nothing answers to this name; `list` shows what is here")
    if len(found) > 1:
        raise UnknownIdError("more than one answers to this name; take a longer piece of the id that `list` shows")


def _is_prefix(untrusted: str, identifier: str) -> bool:
    return len(untrusted) >= _SHORTEST_PREFIX and identifier.startswith(untrusted.casefold())
