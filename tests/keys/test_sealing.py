"""A part is sealed whole, to the right people and nobody else, or it is not sealed."""

import io
import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from keys.container import padme
from keys.errors import KeysError, NoRoomError, SealingError
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, frozen_on, run
from keys.message import read_header
from keys.opening import DamagedError, OpeningError, inspect, release
from keys.recipients import Recipients
from keys.sealing import seal
from keys.trailer import TrailerError
from tests.keyring import DAY, Reviewer, sealing_to
from tests.keys.sealing_world import Cut, Flow, Sealer, binary, label, make_sealer, stand_in
from tests.processes import name_of

END_OF_DAY = 1772668799
CANARY = b"canary-5e1f"


class BrokenSourceError(Exception):
    """What a source's connection raises."""


@pytest.fixture
def sealer(tmp_path: Path, recipients: Recipients, public_gpg: Gpg) -> Sealer:
    return make_sealer(tmp_path, recipients, public_gpg)


def opened(ciphertext: Path, reviewer: Reviewer) -> bytes:
    content = io.BytesIO()
    verdict = inspect(ciphertext, reviewer.gpg, reviewer.passphrase)
    release(ciphertext, verdict, content, reviewer.gpg, reviewer.passphrase)
    return content.getvalue()


def test_each_reviewer_opens_what_was_sealed(sealer: Sealer, reviewers: tuple[Reviewer, Reviewer]) -> None:
    ciphertext, sealed = sealer(b"hello" * 1000, "part")

    assert [opened(ciphertext, reviewer) for reviewer in reviewers] == [b"hello" * 1000] * 2
    assert (sealed.length, sealed.kind, sealed.part_id) == (5000, "file", label().part_id)


@pytest.mark.check("G1")
def test_what_is_reported_is_what_lies_on_disk(sealer: Sealer) -> None:
    ciphertext, sealed = sealer(os.urandom(3_000_000), "part")

    digest = subprocess.run(["sha256sum", ciphertext], capture_output=True, check=True, text=True).stdout.split()[0]
    assert sealed.sha256 == digest
    assert sealed.size_bytes == ciphertext.stat().st_size


@pytest.mark.check("G13")
def test_the_ciphertext_is_private_whatever_the_umask(sealer: Sealer) -> None:
    before = os.umask(0)
    try:
        ciphertext, _sealed = sealer(b"x", "part")
    finally:
        os.umask(before)

    assert ciphertext.stat().st_mode & 0o777 == 0o600


@pytest.mark.check("E13")
@pytest.mark.parametrize("content", [b"\r" + bytes(20 << 20), b"\n" + bytes(20 << 20), b"\r\n" * (10 << 20)])
def test_line_breaks_are_bytes_like_any_other(content: bytes, sealer: Sealer, reviewers: tuple[Reviewer, ...]) -> None:
    ciphertext, _sealed = sealer(content, "part")

    assert opened(ciphertext, reviewers[0]) == content


@pytest.mark.parametrize("content", [b"", b"x", b"\x00" * 65_536])
def test_nothing_is_too_small_to_seal(content: bytes, sealer: Sealer, reviewers: tuple[Reviewer, ...]) -> None:
    ciphertext, sealed = sealer(content, "part")

    assert opened(ciphertext, reviewers[0]) == content
    assert sealed.length == len(content)


@pytest.mark.check("G10", "G11")
def test_the_packets_tell_no_name_no_hour_and_no_recipient(sealer: Sealer, reviewers: tuple[Reviewer, ...]) -> None:
    ciphertext, _sealed = sealer(bytes(200_000), "part")
    outcome = run(reviewers[0].gpg, ("--list-packets", ciphertext), passphrase=reviewers[0].passphrase)
    listed = outcome.stdout.decode()

    assert listed.count("keyid 0000000000000000") == listed.count(":pubkey enc packet:") == 2
    assert "mdc_method: 2" in listed
    assert f'created {END_OF_DAY}, name=""' in listed
    assert "compressed" not in listed
    # <mdc method> <cipher: AES256> <no aead>
    assert outcome.said("DECRYPTION_INFO")[0].arguments == ("2", "9", "0")


@pytest.mark.check("G12")
def test_the_size_on_disk_tells_the_bucket_and_nothing_else(sealer: Sealer) -> None:
    source = random.Random(4)  # noqa: S311 - the same samples every time
    samples = [(length, source.randbytes(length)) for length in (0, 300, 60_000, 100_000, 100_001, 101_000)]
    overhead: set[int] = set()

    for number, (length, content) in enumerate(samples):
        sizes = {
            sealer(sample, f"{number}-{index}")[1].size_bytes for index, sample in enumerate((content, bytes(length)))
        }
        assert len(sizes) == 1
        overhead.add(sizes.pop() - max(padme(length + 600), 65_536))

    # What gpg adds grows by one byte for every chunk of its partial lengths, which depends on the bucket alone.
    assert max(overhead) - min(overhead) < 4096


@pytest.mark.check("G17")
def test_the_same_part_twice_shares_no_block(sealer: Sealer) -> None:
    first, second = (sealer(bytes(100_000), name)[0].read_bytes() for name in ("a", "b"))
    start = read_header(first).protected_at + 3

    blocks = [{message[at : at + 16] for at in range(start, len(message) - 16)} for message in (first, second)]

    assert not blocks[0] & blocks[1]


@pytest.mark.check("G16")
@pytest.mark.parametrize("options", [(), ("--armor",)])
def test_what_the_source_sealed_herself_is_kept_as_it_is_and_marked(
    options: tuple[str, ...],
    sealer: Sealer,
    recipients: Recipients,
    reviewers: tuple[Reviewer, ...],
    public_gpg: Gpg,
) -> None:
    arguments = (*frozen_on(DAY), *options, *sealing_to(recipients, "--recipient"), "--encrypt")
    inner = run(public_gpg, arguments, stdin=b"for your eyes").stdout

    ciphertext, sealed = sealer(inner, "part")

    assert sealed.preencrypted
    assert inspect(ciphertext, reviewers[0].gpg, reviewers[0].passphrase).trailer.preencrypted
    assert opened(ciphertext, reviewers[0]) == inner


@pytest.mark.check("F7", "G15")
def test_gpg_sees_the_content_in_its_pipe_alone(tmp_path: Path, recipients: Recipients, public_gpg: Gpg) -> None:
    seen = tmp_path / "seen"
    program = stand_in(
        tmp_path,
        f"open({str(seen)!r}, 'w').write(repr((arguments, dict(os.environ), os.listdir('/proc/self/fd'))))\n"
        "sys.exit(real(arguments))",
    )

    seal(
        io.BytesIO(CANARY * 1000),
        label(name=f"--output=/tmp/{CANARY.decode()}"),
        recipients,
        tmp_path / "part",
        Gpg(public_gpg.home, program),
    )

    assert CANARY.decode() not in seen.read_text()
    assert "--output" not in seen.read_text()
    assert CANARY not in (tmp_path / "part").read_bytes()
    assert not run(public_gpg, ("--list-secret-keys",)).stdout


# Each lies in another way about a sealing that did not happen as asked.
LIES = {
    "junk and success": "sys.stdin.buffer.read()\nos.write(1, b'x' * 70000)\nsay('END_ENCRYPTION')",
    "nothing and success": "sys.stdin.buffer.read()\nsay('END_ENCRYPTION')",
    "sound but 2": "real(arguments)\nsys.exit(2)",
    "sound but silent": (
        "arguments[arguments.index('--status-fd') + 1] = '2'\nsys.exit(real(arguments, stderr=subprocess.DEVNULL))"
    ),
    "sound but killed": "real(arguments)\nos.kill(os.getpid(), signal.SIGKILL)",
    "killed at once": "os.kill(os.getpid(), signal.SIGKILL)",
    "killed in the middle": "sys.stdin.buffer.read(300000)\nos.kill(os.getpid(), signal.SIGKILL)",
    "said twice": "code = real(arguments)\nsay('END_ENCRYPTION')\nsys.exit(code)",
    "one recipient less": (
        "at = arguments.index('--hidden-recipient')\ndel arguments[at:at + 2]\nsys.exit(real(arguments))"
    ),
    "recipients in the open": (
        "sys.exit(real(['--recipient' if a == '--hidden-recipient' else a for a in arguments]))"
    ),
    "a password as well": (
        "sys.exit(real([*arguments[:-1], '--pinentry-mode=loopback', '--passphrase=x', '--symmetric', '--encrypt']))"
    ),
    "no encryption": (
        "sys.stdout.buffer.write(sys.stdin.buffer.read())\nsys.stdout.buffer.flush()\nsay('END_ENCRYPTION')"
    ),
    "not on the pipe": "sys.stdin.buffer.read()\nprint('[GNUPG:] END_ENCRYPTION', file=sys.stderr)",
}


@pytest.mark.check("G1")
@pytest.mark.parametrize("lie", LIES)
def test_a_gpg_that_lies_fails_or_dies_seals_nothing(
    lie: str, tmp_path: Path, recipients: Recipients, public_gpg: Gpg
) -> None:
    liar = Gpg(public_gpg.home, stand_in(tmp_path, LIES[lie]))

    with pytest.raises(SealingError):
        seal(binary(Flow(3_000_000)), label(), recipients, tmp_path / "part", liar)


@pytest.mark.check("G1")
def test_the_stand_in_itself_is_no_reason_to_fail(tmp_path: Path, recipients: Recipients, public_gpg: Gpg) -> None:
    honest = Gpg(public_gpg.home, stand_in(tmp_path, "sys.exit(real(arguments))"))

    assert seal(binary(Flow(3_000_000)), label(), recipients, tmp_path / "part", honest).length == 3_000_000


@pytest.mark.check("G1")
def test_without_gpg_nothing_is_sealed(tmp_path: Path, recipients: Recipients, public_gpg: Gpg) -> None:
    missing = Gpg(public_gpg.home, str(tmp_path / "nothing"))

    with pytest.raises(SealingError):
        seal(io.BytesIO(b"x"), label(), recipients, tmp_path / "part", missing)


@contextmanager
def room_for(size_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond *size_bytes*: the kernel's own full disk for one process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _gpgs() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if name_of(child) == "gpg"]


@pytest.mark.check("G1", "J4")
@pytest.mark.parametrize("size_bytes", [0, 1000, 2_000_000])
def test_a_full_disk_is_named_and_ends_gpg(
    size_bytes: int, tmp_path: Path, recipients: Recipients, public_gpg: Gpg
) -> None:
    with room_for(size_bytes), pytest.raises(NoRoomError):
        seal(binary(Flow(8_000_000)), label(), recipients, tmp_path / "part", public_gpg)

    assert _gpgs() == []


@pytest.mark.check("J3", "G2")
@pytest.mark.parametrize("after_bytes", [0, 1, 70_000, 5_000_000])
def test_a_source_that_breaks_off_leaves_nothing_that_opens(
    after_bytes: int, tmp_path: Path, recipients: Recipients, public_gpg: Gpg, reviewers: tuple[Reviewer, ...]
) -> None:
    """gpg must die before its input closes, or it would finish a valid message of half the bytes."""
    error = BrokenSourceError()

    with pytest.raises(BrokenSourceError) as raised:
        seal(binary(Cut(after_bytes, error)), label(), recipients, tmp_path / "part", public_gpg)

    assert raised.value is error
    assert _gpgs() == []
    with pytest.raises(OpeningError):
        inspect(tmp_path / "part", reviewers[0].gpg, reviewers[0].passphrase)


@pytest.mark.check("J1")
@pytest.mark.parametrize("after_bytes", [0, 70_000, 5_000_000])
def test_a_process_killed_in_the_middle_leaves_nothing_that_opens(
    after_bytes: int, tmp_path: Path, recipients: Recipients, public_gpg: Gpg, reviewers: tuple[Reviewer, ...]
) -> None:
    """Nobody kills gpg then, and its input ends; but what would make the message whole, nobody writes down."""
    program = (
        "import io, os, sys\n"
        "from pathlib import Path\n"
        "from datetime import date\n"
        "from keys.fingerprint import Fingerprint\n"
        "from keys.gpg import Gpg\n"
        "from keys.recipients import Recipients\n"
        "from keys.sealing import PartLabel, seal\n"
        "class Deadly(io.RawIOBase):\n"
        f"    left = {after_bytes}\n"
        "    def read(self, size):\n"
        "        if not self.left:\n"
        "            os.kill(os.getpid(), 9)\n"
        "        chunk = b'd' * min(size, self.left)\n"
        "        self.left -= len(chunk)\n"
        "        return chunk\n"
        "home, output, *files = map(Path, sys.argv[1:])\n"
        "subkeys = tuple(Fingerprint(file.stem) for file in files)\n"
        f"label = PartLabel('0' * 32, 'file', '', '', date.fromisoformat('{DAY}'))\n"
        "seal(Deadly(), label, Recipients(tuple(files), subkeys, (18,) * len(files), ''), output, Gpg(home))\n"
    )
    output = tmp_path / "part"
    arguments = [sys.executable, "-c", program, public_gpg.home, output, *recipients.files]

    ended = subprocess.run([str(argument) for argument in arguments], check=False, timeout=60)

    assert ended.returncode == -signal.SIGKILL
    with pytest.raises(OpeningError):
        inspect(output, reviewers[0].gpg, reviewers[0].passphrase)


def test_an_interrupt_is_passed_on_and_ends_gpg(tmp_path: Path, recipients: Recipients, public_gpg: Gpg) -> None:
    with pytest.raises(KeyboardInterrupt):
        seal(binary(Cut(2_000_000, KeyboardInterrupt())), label(), recipients, tmp_path / "part", public_gpg)

    assert _gpgs() == []


def test_what_is_there_already_is_never_written_over(sealer: Sealer, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(b"precious")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")

    for name in ("part", "link"):
        with pytest.raises(SealingError):
            sealer(b"x", name)

    assert (tmp_path / "part").read_bytes() == b"precious"
    assert not (tmp_path / "elsewhere").exists()


def test_sealing_to_nobody_is_refused(tmp_path: Path, public_gpg: Gpg) -> None:
    with pytest.raises(SealingError):
        seal(io.BytesIO(b"x"), label(), Recipients((), (), (), "0" * 64), tmp_path / "part", public_gpg)

    assert not (tmp_path / "part").exists()


def test_a_name_that_no_trailer_holds_is_refused_at_once(
    tmp_path: Path, recipients: Recipients, public_gpg: Gpg
) -> None:
    with pytest.raises(TrailerError):
        seal(io.BytesIO(b"x"), label(name="n" * 5000), recipients, tmp_path / "part", public_gpg)

    assert not (tmp_path / "part").exists()


@pytest.mark.check("G1", "G7")
def test_one_recipient_more_than_the_keyset_knows_is_noticed(
    tmp_path: Path, recipients: Recipients, public_gpg: Gpg
) -> None:
    one = replace(recipients, algorithms=recipients.algorithms[:1])

    with pytest.raises(SealingError):
        seal(io.BytesIO(b"x"), label(), one, tmp_path / "part", public_gpg)


@pytest.mark.check("G6")
def test_one_unusable_recipient_fails_the_whole_sealing(
    tmp_path: Path, recipients: Recipients, public_gpg: Gpg
) -> None:
    """Never silently to the rest: whom to leave out is for the keyset to say."""
    missing = Fingerprint("A" * 40)
    three = replace(recipients, subkeys=(*recipients.subkeys, missing), algorithms=(*recipients.algorithms, 18))

    with pytest.raises(SealingError):
        seal(io.BytesIO(b"x"), label(), three, tmp_path / "part", public_gpg)


@pytest.mark.check("G2")
def test_a_valid_message_of_half_a_container_is_refused(
    sealer: Sealer, recipients: Recipients, reviewers: tuple[Reviewer, ...], public_gpg: Gpg, tmp_path: Path
) -> None:
    """What gpg makes of an input that merely ends: every check of gpg's passes, only the trailer is missing."""
    ciphertext, _sealed = sealer(bytes(300_000), "part")
    key = reviewers[0]
    container = run(key.gpg, ("--decrypt", ciphertext), passphrase=key.passphrase).stdout
    arguments = (*frozen_on(DAY), "--compress-algo=none", *sealing_to(recipients), "--encrypt")
    half = run(public_gpg, arguments, stdin=container[: len(container) // 2])
    (tmp_path / "half").write_bytes(half.stdout)

    assert half.returncode == 0
    with pytest.raises(DamagedError):
        inspect(tmp_path / "half", key.gpg, key.passphrase)


def test_every_refusal_is_a_keys_error() -> None:
    assert issubclass(SealingError, KeysError)
    assert issubclass(OpeningError, KeysError)
