"""Look at how a drop is doing, from what its processes leave in the public folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hardening.clock import SystemClock, today
from keeper.alarm_file import Alarm, read
from keys.errors import KeysError
from keys.keyset import quorum_met
from keys.keyset_store import load
from questionnaire.errors import FormFileError
from questionnaire.served import draft
from settings import Settings
from source_interface.languages import SOURCE_CODE
from svidok.approvals import Installed, installed
from svidok.approved_form import beliefs, is_installed, read_installed
from svidok.errors import CommandError, plain
from svidok.identity import Identity
from svidok.place import Place
from svidok.running import is_running
from svidok.signed_approval import Signers, signers_here

Network = Literal["public", "private", "none"]

_UP = frozenset({"ready"})
# Without any reviewer their service is down, as it should be.
_UP_FOR_REVIEWERS = frozenset({"ready", "down"})
_OF_THE_QUORUM = frozenset({"keyset", "quorum"})


@dataclass(frozen=True, slots=True)
class Status:
    """How a drop is doing; nothing of it is about sources.

    Attributes:
        open_for_reports: It runs, and enough keys can be used: whoever reaches it can begin a report.
        network: Where its tors are; "none" also while it does not run.
        services: How far each tor is; none of them while it does not run.
        form: Which questionnaire lies in the drop, and the languages in which the next start asks it.
        alarms: What the keeper has to say now; nothing while it does not run.
    """

    name: str
    evaluation: bool
    running: bool
    open_for_reports: bool
    network: Network
    source_address: str
    reviewer_address: str
    services: dict[str, str]
    languages: dict[str, str]
    form: str
    alarms: tuple[Alarm, ...]

    @property
    def can_be_reached(self) -> bool:
        """Whether everything is up that visitors come through, in the network that they are in."""
        in_their_network = self.network == ("private" if self.evaluation else "public")
        return in_their_network and bool(self.services) and not not_up(self.services)


def look(place: Place, settings: Settings, identity: Identity) -> Status:
    """Gather it.

    Raises:
        CommandError: Whoever asks may not know whether it runs.
    """
    running = is_running(place)
    quorum = _quorum(place)
    signers = _signers(place)
    # A run that was killed leaves what it last said of its tors.
    services = _services(place) if running else {}
    return Status(
        name=settings.drop.name,
        evaluation=identity.evaluation,
        running=running,
        open_for_reports=running and quorum,
        network=_network(place) if services else "none",
        source_address=identity.source_address,
        reviewer_address=identity.reviewer_address,
        services=services,
        languages={
            one.language.code: _language(one, evaluation=identity.evaluation)
            for one in installed(place.approvals, signers)
        },
        form=_form(place, signers, evaluation=identity.evaluation),
        alarms=_alarms(place, quorum=quorum) if running else (),
    )


def not_up(services: Mapping[str, str]) -> dict[str, str]:
    """Give of *services*, and how far they are, those that are not as they should be."""
    return {
        service: state
        for service, state in services.items()
        if state not in (_UP_FOR_REVIEWERS if service == "reviewer" else _UP)
    }


def _network(place: Place) -> Network:
    # The keeper says how to join a private network before it starts any tor in it.
    return "private" if place.network.exists() else "public"


def _services(place: Place) -> dict[str, str]:
    try:
        told = json.loads(place.services.read_bytes())
    except FileNotFoundError:
        return {}
    return {str(service): str(state) for service, state in told["services"].items()}


def _language(found: Installed, *, evaluation: bool) -> str:
    if found.belief.holds:
        return "served"
    why = f": {found.belief.fault}" if found.belief.fault else ""
    if evaluation:
        return f"served as a draft{why}"
    # A drop must have one language, so this one is never refused.
    if found.language.code == SOURCE_CODE:
        return f"served, but its words are not approved{why}"
    return f"not served{why or ': not approved'}"


def _form(place: Place, signers: Signers | None, *, evaluation: bool) -> str:
    try:
        return _draft(place) if evaluation else _asked(place, signers)
    except (CommandError, FormFileError) as error:
        return f"none: {error}"
    except OSError as error:
        return f"none: {plain(error)}"


def _draft(place: Place) -> str:
    shown = draft(place.forms)
    if shown is None:
        return "none"
    return f"{shown.form.form_id} {shown.form.version} in {', '.join(sorted(shown.approved))}, as a draft"


def _asked(place: Place, signers: Signers | None) -> str:
    if not is_installed(place.forms):
        return "none: sources can send words and files alone"
    form = read_installed(place.forms)
    approved = sorted(code for code, belief in beliefs(place.forms, form, signers).items() if belief.holds)
    if not approved:
        return f"none: {form.form_id} {form.version} is approved in no language"
    return f"{form.form_id} {form.version} in {', '.join(approved)}"


def _alarms(place: Place, *, quorum: bool) -> tuple[Alarm, ...]:
    """Give what the keeper said, but for what a keyset that was installed since has mended: it looks each minute."""
    return tuple(one for one in read(place.alarms) if not (quorum and one.kind in _OF_THE_QUORUM))


def _signers(place: Place) -> Signers | None:
    try:
        return signers_here(place)
    except (KeysError, OSError):
        # That the keyset cannot be read, or nothing written, is told elsewhere; nobody has approved anything then.
        return None


def _quorum(place: Place) -> bool:
    try:
        return quorum_met(load(place.keyset).keyset, today(SystemClock()))
    except KeysError:
        return False
