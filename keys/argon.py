"""How hard it is made to guess: the cost of one Argon2id, and the least we accept."""

from dataclasses import dataclass

from keys.errors import KeysError


class WeakParametersError(KeysError):
    """Argon2id would be too cheap to hold a guesser back."""


@dataclass(frozen=True, slots=True)
class ArgonParameters:
    """The cost of one Argon2id (RFC 9106).

    Attributes:
        memory_kib: Memory that each run fills.
        passes: How often it is filled.
        lanes: Always 1: more would only let one guess use more cores.
    """

    memory_kib: int
    passes: int
    lanes: int = 1


# 0.25 to 1.0 seconds on one core of 2026 (C14).
FLOOR = ArgonParameters(memory_kib=128 * 1024, passes=3)


def enforce_floor(parameters: ArgonParameters) -> None:
    """Refuse parameters below `FLOOR`; whoever reads settings calls this before anything is derived (C14).

    Raises:
        WeakParametersError: Less memory or fewer passes than `FLOOR`, or more than one lane.
    """
    if parameters.memory_kib < FLOOR.memory_kib:
        raise WeakParametersError(f"Argon2id needs {FLOOR.memory_kib} KiB or more, not {parameters.memory_kib}")
    if parameters.passes < FLOOR.passes:
        raise WeakParametersError(f"Argon2id needs {FLOOR.passes} passes or more, not {parameters.passes}")
    if parameters.lanes != FLOOR.lanes:
        raise WeakParametersError(f"Argon2id runs in {FLOOR.lanes} lane, not {parameters.lanes}")
