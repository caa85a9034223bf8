"""Nothing starts with a guess made cheap."""

import time

import pytest

from keys.argon import FLOOR, ArgonParameters, WeakParametersError, enforce_floor
from keys.codename import Codename
from keys.source_key import derive


@pytest.mark.check("C14")
@pytest.mark.parametrize(
    "weak",
    [
        ArgonParameters(131071, 3),
        ArgonParameters(131072, 2),
        ArgonParameters(131072, 3, 2),
        ArgonParameters(131072, 3, 0),
    ],
)
def test_parameters_below_the_floor_are_refused(weak: ArgonParameters) -> None:
    with pytest.raises(WeakParametersError):
        enforce_floor(weak)


@pytest.mark.check("C14")
@pytest.mark.parametrize("good", [FLOOR, ArgonParameters(262144, 3), ArgonParameters(131072, 4)])
def test_the_floor_and_more_are_accepted(good: ArgonParameters) -> None:
    enforce_floor(good)


@pytest.mark.check("C14")
def test_the_floor_costs_a_guesser_a_quarter_of_a_second() -> None:
    began = time.thread_time()

    derive(Codename(1), bytes(range(32)), FLOOR)

    assert ArgonParameters(128 * 1024, 3, 1) == FLOOR
    # Half the catalogue's figure: the bound is against a mistake in units, not against a faster processor.
    assert time.thread_time() - began > 0.125
