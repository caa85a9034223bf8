"""Look at what a drop holds: its processes and alarms, keys, stores, files, and who helps."""

from collections.abc import Iterable
from contextlib import closing
from datetime import timedelta

from hardening.database import open_to_read
from hardening.files import room_left
from hardening.schema import Schema
from keeper.alarm_file import read
from keeper.alarms import Thresholds, of_disk, of_keys
from keys.errors import KeysError
from keys.keyset import Keyset
from keys.keyset_store import load
from reviewers.tables import REVIEWERS
from source_interface.help_entries import Helper, owned, shipped
from svidok import ownership
from svidok.approvals import installed
from svidok.approved_form import beliefs, is_installed, read_installed
from svidok.checkup.finding import Complaints, Examined, Level
from svidok.condition import look, not_up
from svidok.isolation import find
from svidok.running import is_running
from svidok.safety import refuse_keys_here
from svidok.signed_approval import signers_here
from vault.tables import INBOX, OUTBOX

_SOON_HIDDEN = timedelta(days=30)
# What the keeper tells as well, and is looked at here without it: it may have ended long ago.
_LOOKED_AT = frozenset({"keyset", "quorum", "expiry", "disk"})
_WITHOUT_FORM = "sources can send words and files alone; svidok form install"
_CAN_WAIT = frozenset({"expiry", "unfetched"})


def processes(drop: Examined) -> Complaints:
    """Whether it runs, and reaches the network."""
    found = look(drop.place, drop.settings, drop.identity)
    if not found.running:
        yield Level.SOON, "the drop does not run"
    elif found.network == "none":
        yield Level.SOON, "no tor runs: nobody outside this machine can reach the drop"
    elif found.network == "private" and not found.evaluation:
        yield Level.SOON, "its network is private: nobody outside this machine can reach it; svidok run --tor public"
    for service, state in not_up(found.services).items():
        yield Level.SOON, f"the tor of the {service} service is {state}"


def alarms(drop: Examined) -> Complaints:
    """What the keeper has to say, or had when it last ran."""
    running = is_running(drop.place)
    for alarm in read(drop.place.alarms):
        if alarm.kind in _LOOKED_AT:
            continue
        if running:
            yield Level.SOON if alarm.kind in _CAN_WAIT else Level.WRONG, alarm.text
        else:
            yield Level.SOON, f"when the drop last ran: {alarm.text}"


def keyset(drop: Examined) -> Complaints:
    """Whether reports can be sealed, and for how long."""
    for alarm in of_keys(_keyset(drop), drop.day):
        yield Level.SOON if alarm.kind in _CAN_WAIT else Level.WRONG, alarm.text


def keys_here(drop: Examined) -> Complaints:
    """Whether what opens reports lies beside them; in a drop for trying out it is meant to."""
    if not drop.identity.evaluation and _keyset(drop) is not None:
        refuse_keys_here(drop.place)
    yield from ()


def stores(drop: Examined) -> Complaints:
    """Whether every store is there and of this program's version."""
    urls = drop.settings.stores
    wanted: tuple[tuple[str, str, Schema], ...] = (
        ("inbox", urls.inbox, INBOX),
        ("outbox", urls.outbox, OUTBOX),
        ("reviewers", urls.reviewers, REVIEWERS),
    )
    for name, url, schema in wanted:
        with closing(open_to_read(drop.place.database(name, url), schema)):
            pass
    yield from ()


def owners(drop: Examined) -> Complaints:
    """Whether folders and secrets still belong to whom they were given, and to nobody else."""
    isolation = find(drop.place.root)
    if isolation.missing:
        yield (Level.WELL if drop.identity.evaluation else Level.SOON), isolation.missing
    for one in (*ownership.owned(drop.place), *ownership.secrets(drop.place)):
        if not one.path.exists():
            yield Level.WRONG, f"{one.path} is missing"
        elif not isolation.has(one.path, one.owner, one.group, one.mode):
            yield Level.WRONG, f"{one.path} has another owner, group or mode than it was given"


def disk(drop: Examined) -> Complaints:
    """Whether there is room."""
    room = room_left(drop.place.inbox)
    if room.free_fraction * 100 <= drop.settings.limits.disk_floor_percent:
        yield Level.WRONG, "the disk's reserve is touched: no report is taken in"
        return
    thresholds = Thresholds(drop.settings.alarms.unfetched_days, drop.settings.alarms.disk_percent)
    for alarm in of_disk(room, thresholds):
        yield Level.SOON, alarm.text


def helplines(drop: Examined) -> Complaints:
    """Whether sources see who helps, and for how long."""
    own = owned(drop.place.helplines)
    for country, helpers in own.items():
        yield from ((Level.SOON, f"help/{country}.toml: {text}") for text in _of_country(helpers, drop))
    alone = sorted(set(shipped()) - set(own))
    if alone and not drop.identity.evaluation:
        yield (
            Level.SOON,
            f"{len(alone)} countries have only numbers that nobody has verified, which sources do not see: "
            + " ".join(alone),
        )


def languages(drop: Examined) -> Complaints:
    """Whether what lies in the drop as approved is what this program says, signed by somebody who may."""
    for one in installed(drop.place.approvals, signers_here(drop.place)):
        if one.belief.fault:
            # After an update words change; nothing but a mistake, or somebody's hand, takes a signature away.
            level = Level.SOON if one.belief.stale else Level.WRONG
            yield level, f"the approval of the pages in {one.language.code} does not hold: {one.belief.fault}"


def questionnaire(drop: Examined) -> Complaints:
    """Whether a form is installed, and what was approved of it is asked; in a drop for trying out a draft is."""
    if drop.identity.evaluation:
        return
    if not is_installed(drop.place.forms):
        yield Level.SOON, f"no form is installed: {_WITHOUT_FORM} {drop.place.root} FOLDER"
        return
    form = read_installed(drop.place.forms)
    named = f"{form.form_id} {form.version}"
    found = beliefs(drop.place.forms, form, signers_here(drop.place))
    for language, belief in found.items():
        if belief.fault:
            yield Level.WRONG, f"{named} is not asked in {language}: {belief.fault}"
    if not any(belief.holds or belief.fault for belief in found.values()):
        yield Level.SOON, f"nobody has approved {named}: {_WITHOUT_FORM} {drop.place.root} FOLDER"


def _of_country(helpers: Iterable[Helper], drop: Examined) -> Iterable[str]:
    for number, helper in enumerate(helpers, 1):
        if not helper.verified_by:
            yield f"entry {number} is verified by nobody"
        elif helper.stale(drop.day):
            yield f"entry {number} was to be hidden after {helper.hide_after}: verify it again"
        elif helper.hide_after is not None and helper.hide_after - drop.day <= _SOON_HIDDEN:
            yield f"entry {number} will be hidden after {helper.hide_after}: verify it again"


def _keyset(drop: Examined) -> Keyset | None:
    try:
        return load(drop.place.keyset).keyset
    except KeysError:
        return None
