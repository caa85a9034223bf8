import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardening.circuits import MAX_LINE_BYTES, ProxyLineError, circuit_id, take_proxy_line

LINE = b"PROXY TCP6 fc00:dead:beef:4dad::1:2a ::1 65535 42\r\n"


def test_tors_line_is_taken_off_and_names_the_circuit() -> None:
    taken = take_proxy_line(LINE + b"GET")

    assert taken == (("fc00:dead:beef:4dad::1:2a", 65535), b"GET")
    assert circuit_id({"client": taken[0]}) == 0x1002A


@pytest.mark.parametrize("length", range(len(LINE)))
def test_an_unfinished_line_is_waited_for(length: int) -> None:
    assert take_proxy_line(LINE[:length]) is None


@pytest.mark.check("M6")
@pytest.mark.parametrize(
    "untrusted",
    [
        b"GET / HTTP/1.1\r\n",
        b"G",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        b"PROXY UNKNOWN\r\n",
        b"PROXY TCP6 fc00:dead:beef:4dae::1 ::1 1 2\r\n",
        b"PROXY TCP6 ::1 ::1 1 2\r\n",
        b"PROXY TCP6 nonsense ::1 1 2\r\n",
        b"PROXY TCP6 fc00:dead:beef:4dad::1 ::1 1\r\n",
        b"PROXY TCP6 fc00:dead:beef:4dad::1 ::1 1 2 3\r\n",
        b"PROXY TCP6 fc00:dead:beef:4dad::1 ::1 1 2\n",
        b"PROXY TCP6 fc00:dead:beef:4dad::1  ::1 1 2\r\n",
        b"PROXY TCP6 " + b"a" * MAX_LINE_BYTES,
        b"\r\n\r\n\0\r\nQUIT\n",
    ],
)
def test_whoever_is_not_tor_is_refused(untrusted: bytes) -> None:
    with pytest.raises(ProxyLineError):
        take_proxy_line(untrusted)


@pytest.mark.parametrize("scope", [{}, {"client": None}, {"client": ("127.0.0.1", 1)}, {"client": ("", 0)}])
def test_another_client_has_no_circuit(scope: dict[str, object]) -> None:
    assert circuit_id(scope) is None


@given(st.binary(max_size=150))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_taken_awaited_or_refused(untrusted: bytes) -> None:
    try:
        taken = take_proxy_line(untrusted)
    except ProxyLineError:
        return
    assert taken is None
