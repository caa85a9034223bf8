"""The head of a message is read as gpg reads it, or not at all."""

import contextlib
import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import PacketError
from keys.gpg import Gpg, frozen_on, run
from keys.message import MOST_HEADER_BYTES, addressed, looks_encrypted, read_header
from keys.packets import packet_header
from keys.recipients import Recipients
from tests.keyring import DAY, sealing_to, without_last

PLAIN = b"hello" * 100


def sealed_to(recipients: Recipients, gpg: Gpg, *options: str) -> bytes:
    return run(gpg, (*frozen_on(DAY), *options, *sealing_to(recipients), "--encrypt"), stdin=PLAIN).stdout


@pytest.mark.check("G1", "G10")
@pytest.mark.parametrize("count", [1, 2])
def test_recipients_are_counted_as_gpg_counts_them(count: int, recipients: Recipients, public_gpg: Gpg) -> None:
    message = sealed_to(recipients if count == 2 else without_last(recipients), public_gpg)
    listed = run(public_gpg, ("--list-packets",), stdin=message).stdout.decode()

    header = read_header(message)

    assert header.algorithms == (18,) * count == recipients.algorithms[:count]
    assert (header.hidden, header.passwords) == (True, 0)
    assert listed.count(":pubkey enc packet: version 3, algo 18, keyid 0000000000000000") == count
    assert f"# off={header.protected_at} ctb=d2 tag=18" in listed
    # What gpg tries a key on is a packet of its own: since 2.4 it refuses one that ends before its length says.
    tag, start, length = packet_header(memoryview(header.sample))
    assert (tag, start + length) == (18, len(header.sample))
    assert message[header.protected_at :].find(header.sample[start:]) in {2, 3, 6}


def test_rsa_recipients_are_counted_too(gpg_homes: Path, public_gpg: Gpg) -> None:
    home = gpg_homes / "rsa"
    home.mkdir(mode=0o700)
    gpg = Gpg(home, agent=True)
    command = ("--passphrase", "", "--quick-generate-key", "--", "oak", "rsa3072", "encr", "1y")
    assert run(gpg, (*frozen_on(DAY), "--pinentry-mode=loopback", *command)).returncode == 0
    certificate = gpg_homes / "oak.gpg"
    certificate.write_bytes(run(gpg, ("--export",)).stdout)

    hidden = ("--hidden-recipient-file", certificate) * 2

    message = run(public_gpg, (*frozen_on(DAY), "--no-keyring", *hidden, "--encrypt"), stdin=PLAIN).stdout

    assert set(read_header(message).algorithms) == {1}
    assert b"".join(read_header(message).recipients) == message[: read_header(message).protected_at]


def test_a_named_recipient_is_seen(recipients: Recipients, public_gpg: Gpg) -> None:
    arguments = (*frozen_on(DAY), *sealing_to(recipients, "--recipient"), "--encrypt")

    assert not read_header(run(public_gpg, arguments, stdin=PLAIN).stdout).hidden


def test_an_id_can_be_written_where_it_was_hidden(recipients: Recipients, public_gpg: Gpg) -> None:
    packet = read_header(sealed_to(recipients, public_gpg)).recipients[0]

    named = addressed(packet, b"\x11" * 8)

    assert named == packet[:3] + b"\x11" * 8 + packet[11:]


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"\x00" * 20,
        b"hello, this is no message at all",
        b"\xd2\x10\x02" + bytes(30),
        b"\xc9\x10\x01" + bytes(30),
        b"\x84\x05\x03abcd",
        b"\x84\x0a\x02" + bytes(9) + b"\xd2\x10\x01" + bytes(30),
        b"\x84\x0a\x03" + bytes(9),
        b"\x84\x0a\x03" + bytes(9) + b"\xcb\x10b" + bytes(30),
        b"\x85\xff\xff\x03" + bytes(MOST_HEADER_BYTES),
        (b"\x84\x0a\x03" + bytes(9)) * (MOST_HEADER_BYTES // 12 + 1) + b"\xd2\x10\x01" + bytes(30),
    ],
)
def test_anything_else_has_no_head(wrong: bytes) -> None:
    with pytest.raises(PacketError):
        read_header(wrong)


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_but_be_read_or_refused(untrusted: bytes) -> None:
    looks_encrypted(untrusted)
    with contextlib.suppress(PacketError):
        assert read_header(untrusted).protected_at < len(untrusted)


@pytest.mark.check("G16")
@pytest.mark.parametrize("options", [(), ("--armor",)])
def test_what_a_source_sealed_herself_is_recognised(
    options: tuple[str, ...], recipients: Recipients, public_gpg: Gpg
) -> None:
    message = sealed_to(recipients, public_gpg, *options)

    assert looks_encrypted(message)
    assert looks_encrypted(message[:100])
    assert not looks_encrypted(PLAIN)
    if options:
        assert looks_encrypted(b"Dear reviewers,\r\n\r\n" + message)
        assert looks_encrypted(b"\xef\xbb\xbf" + message)


@pytest.mark.check("G16")
def test_a_message_under_a_password_is_recognised(gpg_homes: Path) -> None:
    home = gpg_homes / "password"
    home.mkdir(mode=0o700)
    command = ("gpg", "--homedir", str(home), "--batch", "--pinentry-mode=loopback", "--passphrase=x")
    message = subprocess.run([*command, "--symmetric"], input=PLAIN, stdout=subprocess.PIPE, check=True).stdout

    assert looks_encrypted(message)


def test_everyday_files_are_not_taken_for_messages() -> None:
    source = random.Random(20260304)  # noqa: S311 - the same samples every time
    heads = [
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        b"\x89PNG\r\n\x1a\n",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"\x00\x00\x00\x18ftypmp42",
        b"\x1f\x8b\x08",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"",
    ]

    assert not any(looks_encrypted(head + source.randbytes(100)) for head in heads if head)
    assert sum(looks_encrypted(source.randbytes(100)) for _ in range(20_000)) < 20
