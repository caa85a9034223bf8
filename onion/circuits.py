"""Tell circuits apart by the numbers that tor gives them, for as long as they live and no longer (D1)."""

from ipaddress import AddressValueError, IPv6Address, IPv6Network

from onion.errors import CircuitError

# HiddenServiceExportCircuitID haproxy: the last 32 bits are the circuit's global identifier.
PSEUDO_NETWORK = IPv6Network("fc00:dead:beef:4dad::/64")
_LARGEST = 0xFFFF_FFFF


def circuit_id(address: str) -> int:
    """Read the circuit's number from the pseudo-address that tor announces for it.

    Raises:
        CircuitError: The address is not one that tor makes for a circuit.
    """
    try:
        parsed = IPv6Address(address)
    except AddressValueError as error:
        raise CircuitError("the address of a circuit is an IPv6 address") from error
    number = int(parsed) - int(PSEUDO_NETWORK.network_address)
    if parsed.scope_id is not None or not 0 <= number <= _LARGEST:
        raise CircuitError("the address is not in the range that tor uses for circuits")
    return number


def pseudo_address(circuit: int) -> str:
    """Write the address under which tor announces the circuit with this number.

    Raises:
        CircuitError: A circuit's number has 32 bits.
    """
    return str(PSEUDO_NETWORK.network_address + checked(circuit))


def checked(circuit: int) -> int:
    """Return *circuit* if it can be a circuit's number.

    Raises:
        CircuitError: A circuit's number has 32 bits.
    """
    if not 0 <= circuit <= _LARGEST:
        raise CircuitError("the number of a circuit has 32 bits")
    return circuit
