"""Say to how many keys of which kinds a part may be sealed: hidden recipients must not hide an added one."""

from datetime import date, timedelta

from keys.keyset import Keyset, usable

# The keys are chosen when a part begins, its day is that on which the last byte of its submission was durable: over a
# poor connection these can be days apart.
_SLOWEST_UPLOAD = timedelta(days=7)


def possible(keyset: Keyset, day: date) -> frozenset[tuple[int, ...]]:
    """Give the sets of algorithms, each in order, that recipients of a part of a submission of *day* can have."""
    earliest = max(day - _SLOWEST_UPLOAD, min(keyset.created, day))
    days = (earliest + timedelta(days=count) for count in range((day - earliest).days + 1))
    return frozenset(tuple(sorted(key.packet_algorithm for key in usable(keyset, each))) for each in days)
