"""Refuse a machine on which a real drop could not keep its promises."""

from collections.abc import Sequence
from pathlib import Path

from hardening.files import private_folder
from hardening.process import swap_in_use
from keys.gpg import Gpg
from settings import Settings
from svidok.errors import CommandError
from svidok.place import Place
from svidok.secrets_here import likely_homes, refuse_secret_keys

SWAPS = Path("/proc/swaps")


def refuse_unsafe(place: Place, settings: Settings, swaps: Path = SWAPS, homes: Sequence[Path] | None = None) -> None:
    """Return only if the drop at *place* may go to the public Tor network.

    Args:
        place: The drop.
        settings: Of the drop.
        swaps: Where the kernel lists what it swaps to.
        homes: Where secret keys could lie; None looks wherever on this machine people leave them.

    Raises:
        CommandError: The message says what must change.
    """
    if settings.drop.evaluation:
        raise CommandError("an evaluation drop never goes to the public Tor network; make a real one: svidok init")
    refuse_keys_here(place, homes)
    refuse_swap(swaps)


def refuse_keys_here(place: Place, homes: Sequence[Path] | None = None) -> None:
    """Return only if no secret key of the keyset lies in *homes*; None looks wherever people leave them.

    Raises:
        CommandError: The message says where one lies, or that there is no keyset.
    """
    judge = Gpg(private_folder(place.judge))
    refuse_secret_keys(place.keyset, (*likely_homes(), place.root) if homes is None else homes, judge)


def refuse_swap(swaps: Path = SWAPS) -> None:
    """Return only if nothing of our memory can be written to a disk.

    Raises:
        CommandError: It can.
    """
    if swap_in_use(swaps):
        raise CommandError("swap is in use: what sources write could reach the disk; run swapoff -a first")
