"""Read what a drop says of itself; every process does it, so nothing is loaded here that is not everybody's."""

from pathlib import Path

from settings import Settings, SettingsError, load
from svidok.errors import CommandError
from svidok.identity import Identity
from svidok.place import Place

PEPPER_BYTES = 32


def open_drop(folder: Path) -> tuple[Place, Settings, Identity]:
    """Read what a drop says of itself.

    Raises:
        CommandError: The folder is not that of a drop, or not a whole one, or its settings cannot be meant.
    """
    place = Place(folder.resolve())
    if not place.identity.exists():
        if place.settings.exists():
            raise CommandError(f"{place.identity} is missing, which says who this drop is: restore it from a backup")
        raise CommandError(f"{folder} is not the folder of a drop; `svidok init {folder}` makes one")
    try:
        return place, load(place.settings), Identity.read(place.identity)
    except SettingsError as error:
        raise CommandError(f"{place.settings}: {error}") from error
