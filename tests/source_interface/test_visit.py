"""What is remembered between two pages comes back as it was."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from keys.codename import LIMIT, Codename
from keys.source_key import SourceSecrets
from source_interface.visit import Sending, Visit, unpack
from vault.records import Source

_KEY = st.binary(min_size=32, max_size=32)
_NAMES = st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=3).map(tuple)
_SENDINGS = st.builds(
    Sending,
    messages=st.integers(0, 1),
    files=st.integers(0, 10),
    encrypted=st.integers(0, 11),
    codename_kept_out=st.booleans(),
    empty_names=_NAMES,
)


@settings(max_examples=50, deadline=None)
@given(_KEY, _KEY, st.none() | st.integers(0, LIMIT - 1), st.none() | _SENDINGS, st.booleans())
def test_a_visit_is_unpacked_as_it_was_packed(
    lookup_id: bytes, seed: bytes, number: int | None, sending: Sending | None, newcomer: bool
) -> None:
    known = SourceSecrets(lookup_id, seed)
    visit = Visit(
        secrets=known,
        day=date(2026, 3, 4),
        newcomer=Source("ab" * 16, "quiet amber", lookup_id, known.public_key) if newcomer else None,
        keyset_hash="cd" * 32,
        codename=None if number is None else Codename(number),
        sending=sending,
        notice="noted",
    )

    assert unpack(visit.pack()) == visit
