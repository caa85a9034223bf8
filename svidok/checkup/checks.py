"""Everything that `svidok doctor` looks at, in its order; whoever knows one thing more adds a line here."""

from collections.abc import Iterator

from hardening.errors import HardeningError
from keys.errors import KeysError
from onion.errors import OnionError
from source_interface.errors import HelpError
from svidok.checkup import of_the_drop, of_the_machine
from svidok.checkup.finding import Check, Examined, Finding, Level
from svidok.errors import CommandError, plain

CHECKS = (
    Check("running", "it runs, and its services are up", of_the_drop.processes),
    Check("keyset", "the quorum is met, and no key ends soon", of_the_drop.keyset),
    Check("alarms", "the keeper left no other alarm", of_the_drop.alarms),
    Check("stores", "every store is of this program's version", of_the_drop.stores),
    Check("owners", "folders and secrets belong to whom they were given", of_the_drop.owners),
    Check("secret keys", "what opens reports was found nowhere on this machine", of_the_drop.keys_here),
    Check("disk", "there is room", of_the_drop.disk),
    Check("help", "who helps is verified, and stays so for a month", of_the_drop.helplines),
    Check("languages", "no approval of the pages' words is stale, or signed by nobody who may", of_the_drop.languages),
    Check("form", "there is one, and no approval of it is spoilt or by nobody who may", of_the_drop.questionnaire),
    Check("swap", "no swap is in use", of_the_machine.swap),
    Check("landlock", "this kernel has Landlock", of_the_machine.landlock),
    Check("versions", "gpg and the libraries have no hole that we know of", of_the_machine.versions),
    Check("tor", "tor has no hole that we know of", of_the_machine.tor),
)

_TOLD = (CommandError, HardeningError, HelpError, KeysError, OnionError)


def examine(drop: Examined) -> tuple[Finding, ...]:
    """Look at everything; what one check meets keeps no other from looking."""
    return tuple(finding for check in CHECKS for finding in _examine(check, drop))


def _examine(check: Check, drop: Examined) -> Iterator[Finding]:
    complaints: list[tuple[Level, str]] = []
    try:
        complaints.extend(check.look(drop))
    except _TOLD as error:
        complaints.append((Level.WRONG, str(error)))
    except OSError as error:
        complaints.append((Level.WRONG, plain(error)))
    for level, text in complaints or [(Level.WELL, check.well)]:
        yield Finding(level, check.name, text)
