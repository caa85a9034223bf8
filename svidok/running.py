"""Tell whether a drop runs, by knocking at a socket that `svidok run` holds from its start to its end."""

import socket

from svidok.errors import CommandError
from svidok.place import Place


def is_running(place: Place) -> bool:
    """Tell whether somebody runs the drop at *place*; a socket that a killed one left does not count.

    Raises:
        CommandError: Whoever asks may not know.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knocking:
        try:
            knocking.connect(str(place.reviewer_broker))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except PermissionError as error:
            raise CommandError(f"only root and the drop's own users may look into {place.run}") from error
        except BlockingIOError:
            # So many wait already that the next would have to wait, too: somebody listens.
            return True
    return True
