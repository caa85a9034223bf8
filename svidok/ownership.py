"""Who owns what in a drop: given away when it is made, and looked at again by `svidok doctor`."""

from dataclasses import dataclass
from pathlib import Path

from svidok.isolation import KEEPER, REVIEWER, SOURCE, Isolation
from svidok.place import Place


@dataclass(frozen=True, slots=True)
class Owned:
    """A folder of a drop.

    Attributes:
        file_mode: Of what is made in it; None: it alone is given, and what lies in it is somebody else's.
    """

    path: Path
    owner: str
    group: str
    mode: int
    file_mode: int | None = None


def owned(place: Place) -> tuple[Owned, ...]:
    """List the folders that belong to a process."""
    return (
        Owned(place.run, "root", "svidok", 0o750),
        Owned(place.public, KEEPER, KEEPER, 0o755),
        Owned(place.source, SOURCE, SOURCE, 0o700, 0o600),
        Owned(place.inbox, SOURCE, "svidok-inbox", 0o2750, 0o640),
        Owned(place.outbox, REVIEWER, "svidok-outbox", 0o2750, 0o640),
        Owned(place.reviewers, REVIEWER, REVIEWER, 0o700, 0o600),
        Owned(place.keeper, KEEPER, KEEPER, 0o700, 0o600),
    )


def secrets(place: Place) -> tuple[Owned, ...]:
    """List the files that nobody but one process may ever read."""
    services = (place.onion / service / "hs_ed25519_secret_key" for service in ("source", "reviewer"))
    return (
        Owned(place.pepper, SOURCE, SOURCE, 0o600),
        *(Owned(path, KEEPER, KEEPER, 0o600) for path in (place.log_key, *services)),
    )


def give_away(place: Place, isolation: Isolation) -> None:
    """Give each part of the drop to the user whose process works with it."""
    for one in owned(place):
        for path in (one.path, *(one.path.rglob("*") if one.file_mode is not None else ())):
            if not path.is_symlink():
                mode = one.mode if path.is_dir() or one.file_mode is None else one.file_mode
                isolation.give(path, one.owner, one.group, mode)
    # Anybody on the machine may read the settings; they hold no secret, and the processes run as other users.
    for readable in (place.settings, place.identity):
        readable.chmod(0o644)
