import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onion.circuits import circuit_id, pseudo_address
from onion.errors import CircuitError


def test_the_number_is_in_the_last_32_bits() -> None:
    assert circuit_id("fc00:dead:beef:4dad::0:29") == 41


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_number_is_read_back(number: int) -> None:
    assert circuit_id(pseudo_address(number)) == number


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=50) | st.ip_addresses(v=6).map(str) | st.ip_addresses(v=4).map(str))
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(CircuitError):
        circuit_id(text)


@pytest.mark.parametrize("text", ["fc00:dead:beef:4dad:0:1::", "fc00:dead:beef:4dac::1", "fc00:dead:beef:4dad::1%lo"])
def test_near_misses_are_refused(text: str) -> None:
    with pytest.raises(CircuitError):
        circuit_id(text)


@pytest.mark.parametrize("number", [-1, 2**32])
def test_numbers_beyond_32_bits_are_refused(number: int) -> None:
    with pytest.raises(CircuitError):
        pseudo_address(number)
