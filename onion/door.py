"""Let reviewers in and shut them out while the reviewer service runs, failing closed (M9 to M11)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from onion.client_auth import AuthorizedClients, ClientKey
from onion.daemon import Running
from onion.errors import NobodyAuthorizedError
from onion.service import OnionKeys


@dataclass(frozen=True, slots=True)
class ReviewerDoor:
    """The reviewer service of a running tor, and the list of who may reach it."""

    keys: OnionKeys
    clients: AuthorizedClients
    running: Running

    @classmethod
    def of(cls, service_folder: Path, running: Running) -> Self:
        """Take the door of the service in *service_folder*, which *running* holds."""
        return cls(OnionKeys.load(service_folder), AuthorizedClients.prepare(service_folder), running)

    def names(self) -> tuple[str, ...]:
        """Name the reviewers who may come in."""
        return self.clients.names()

    def authorize(self, name: str, public_key: ClientKey) -> None:
        """Let *name* in with this key; nobody else notices, and no connection breaks.

        To know when she can come in, wait with `Running.wait_published`.

        Raises:
            ReviewerNameError: *name* cannot be a reviewer's.
            ClientKeyError: A file beside hers is malformed: tor is not told to read them.
            ControlError: Tor went away.
        """
        if not self.clients.holds(name, public_key):
            self.clients.add(name, public_key)
            self.running.forget_published(self.keys.address)
        self.clients.verify()
        # The configuration holds the service even after the last reviewer was shut out: it comes up again.
        self.running.controller.reload()

    def revoke(self, name: str) -> None:
        """Shut *name* out at once, also where she holds the old descriptor or an open connection.

        Taking her key away is not enough: with the old descriptor she would reach the old introduction
        points on fresh circuits. So the service goes down with all its circuits and comes up with new
        introduction points; the others are cut off for some seconds. When nobody is left it stays down.

        Raises:
            ReviewerNameError: *name* cannot be a reviewer's.
            ClientKeyError: A file beside hers is malformed: the service stays down.
            ControlError: Tor went away.
        """
        self.clients.remove(name)
        self.shut()
        try:
            self.clients.verify()
        except NobodyAuthorizedError:
            return
        self.running.controller.set_service(self.running.torrc.service_block())

    def shut(self) -> None:
        """Take the service down and cut every connection to it, until somebody is authorised.

        Raises:
            ControlError: Tor went away.
        """
        self.running.forget_published(self.keys.address)
        self.running.controller.drop_service()
        self.running.controller.close_rendezvous_circuits()
