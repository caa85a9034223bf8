"""Nothing of a part is believed before all of it has been judged."""

import hashlib
import io
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from keys.ceremony import export
from keys.gpg import Gpg, frozen_on, run, stop_agent
from keys.opening import DamagedError, NoKeyError, NotSealedError, OpeningError, inspect, release
from keys.recipients import Recipients
from keys.sealing import seal
from tests.keyring import DAY, Reviewer, make_reviewer, sealing_to
from tests.keys.sealing_world import PART_ID, Flow, Sealer, binary, label, make_sealer, stand_in

MEBIBYTE = 1024 * 1024
CONTENT = b"what happened, and where, and when. " * 3000
_OPENING_FLAGS = (
    "--no-options", "--batch", "--no-tty", "--no-verbose", "--no-auto-key-locate", "--no-auto-key-import",
    "--no-auto-key-retrieve", "--disable-dirmngr", "--pinentry-mode=loopback", "--exit-on-status-write-error",
)  # fmt: skip


@pytest.fixture(scope="module")
def opener(reviewers: tuple[Reviewer, Reviewer]) -> Iterator[Reviewer]:
    """The second reviewer, whose agent remembers her passphrase meanwhile: hundreds of openings are quick then."""
    reviewer = reviewers[1]
    configuration = reviewer.gpg.home / "gpg-agent.conf"
    before = configuration.read_text()
    configuration.write_text("default-cache-ttl 600\nmax-cache-ttl 600\npinentry-program /bin/false\n")
    stop_agent(reviewer.gpg)
    yield reviewer
    configuration.write_text(before)
    stop_agent(reviewer.gpg)


@pytest.fixture
def sealer(tmp_path: Path, recipients: Recipients, public_gpg: Gpg) -> Sealer:
    return make_sealer(tmp_path, recipients, public_gpg)


def test_the_verdict_knows_everything_before_a_byte_is_out(sealer: Sealer, opener: Reviewer) -> None:
    ciphertext, sealed = sealer(CONTENT, "part")

    verdict = inspect(ciphertext, opener.gpg, opener.passphrase)

    assert (verdict.trailer.part_id, verdict.trailer.kind, verdict.trailer.name) == (PART_ID, "file", "нотатка.txt")
    assert (verdict.trailer.length, verdict.trailer.sha256) == (len(CONTENT), sealed.plain_sha256)
    assert verdict.algorithms == (18, 18)


def test_release_gives_the_item_and_nothing_else(sealer: Sealer, opener: Reviewer) -> None:
    ciphertext, _sealed = sealer(CONTENT, "part")
    verdict = inspect(ciphertext, opener.gpg, opener.passphrase)
    sink = io.BytesIO()

    trailer = release(ciphertext, verdict, sink, opener.gpg, opener.passphrase)

    assert trailer == verdict.trailer
    assert sink.getvalue() == CONTENT


def altered(message: bytes, source: random.Random, *, cut: bool) -> bytes:
    at = source.randrange(len(message))
    if cut:
        return message[:at]
    return message[:at] + bytes([message[at] ^ 1 << source.randrange(8)]) + message[at + 1 :]


def _accepted(wrong: Path, folder: Path, opener: Reviewer) -> bool:
    """Open as the workstation does: what comes out gets its name only when `release` has returned."""
    unfinished, finished = folder / "unfinished", folder / "finished"
    try:
        verdict = inspect(wrong, opener.gpg, opener.passphrase)
        with unfinished.open("wb") as sink:
            release(wrong, verdict, sink, opener.gpg, opener.passphrase)
        unfinished.rename(finished)
    except OpeningError:
        unfinished.unlink(missing_ok=True)
    return finished.exists()


@pytest.mark.timeout(1800)
@pytest.mark.check("Q2")
@pytest.mark.parametrize(("flips", "cuts"), [(10, 6), pytest.param(200, 50, marks=pytest.mark.full)])
def test_no_flipped_bit_and_no_cut_is_ever_accepted(
    flips: int, cuts: int, sealer: Sealer, opener: Reviewer, tmp_path: Path
) -> None:
    message = sealer(CONTENT, "part")[0].read_bytes()
    source = random.Random(20260304)  # noqa: S311 - the same samples every time
    wrong = tmp_path / "wrong"
    # One recipient packet is another reviewer's: what is flipped there does not concern us, and changes nothing.
    concerns_us = message[96:]

    for number in range(flips + cuts):
        wrong.write_bytes(message[:96] + altered(concerns_us, source, cut=number >= flips))

        assert not _accepted(wrong, tmp_path, opener)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["part", "wrong"]


@pytest.mark.check("Q2")
@pytest.mark.parametrize("extra", ["itself again", "a byte", "a literal"])
def test_exactly_one_message_is_accepted(extra: str, sealer: Sealer, opener: Reviewer, tmp_path: Path) -> None:
    ciphertext, _sealed = sealer(CONTENT, "part")
    message = ciphertext.read_bytes()
    more = {"itself again": message, "a byte": b"\0", "a literal": b"\xcb\x0bb\0\0\0\0\0hello"}
    (tmp_path / "more").write_bytes(message + more[extra])

    with pytest.raises(OpeningError):
        inspect(tmp_path / "more", opener.gpg, opener.passphrase)


@pytest.mark.check("Q2")
def test_a_part_exchanged_between_the_two_readings_is_noticed(sealer: Sealer, opener: Reviewer, tmp_path: Path) -> None:
    first, _sealed = sealer(b"a" * 1000, "first")
    second, _sealed = sealer(b"b" * 1000, "second")
    verdict = inspect(first, opener.gpg, opener.passphrase)
    second.rename(first)

    with pytest.raises(OpeningError):
        release(first, verdict, io.BytesIO(), opener.gpg, opener.passphrase)


@pytest.mark.check("G2", "Q2")
def test_an_item_that_is_not_what_its_trailer_says_is_refused(
    sealer: Sealer, opener: Reviewer, recipients: Recipients, public_gpg: Gpg, tmp_path: Path
) -> None:
    """Sealed by somebody who lies: gpg finds no fault with it, the hash does."""
    ciphertext, _sealed = sealer(CONTENT, "part")
    container = run(opener.gpg, ("--decrypt", ciphertext), passphrase=opener.passphrase).stdout
    (tmp_path / "lie").write_bytes(_sealed_raw(container.replace(b"where", b"there", 1), recipients, public_gpg))
    verdict = inspect(tmp_path / "lie", opener.gpg, opener.passphrase)

    with pytest.raises(DamagedError):
        release(tmp_path / "lie", verdict, io.BytesIO(), opener.gpg, opener.passphrase)


@pytest.mark.check("Q9")
def test_what_would_grow_without_end_is_stopped(
    opener: Reviewer, recipients: Recipients, public_gpg: Gpg, tmp_path: Path
) -> None:
    """A gigabyte of zeros in a kilobyte: parts are never compressed, so more than the file's size is not theirs."""
    bomb = _sealed_raw(bytes(64 * MEBIBYTE), recipients, public_gpg, "--compress-algo=zip")
    (tmp_path / "bomb").write_bytes(bomb)

    assert len(bomb) < MEBIBYTE
    with pytest.raises(OpeningError):
        inspect(tmp_path / "bomb", opener.gpg, opener.passphrase)


def _sealed_raw(content: bytes, recipients: Recipients, gpg: Gpg, *options: str) -> bytes:
    compression = options or ("--compress-algo=none",)
    arguments = (*frozen_on(DAY), *compression, *sealing_to(recipients), "--encrypt")
    return run(gpg, arguments, stdin=content).stdout


@pytest.mark.check("Q4")
def test_the_name_in_the_message_is_never_a_path(
    opener: Reviewer, recipients: Recipients, public_gpg: Gpg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither gpg's own name for the file nor the source's; the latter is handed on as text."""
    home = tmp_path / "deep" / "home"
    home.mkdir(parents=True)
    monkeypatch.chdir(home)
    seal(io.BytesIO(b"x"), label(name="../../evil"), recipients, tmp_path / "part", public_gpg)
    container = run(opener.gpg, ("--decrypt", tmp_path / "part"), passphrase=opener.passphrase).stdout
    named = _sealed_raw(container, recipients, public_gpg, "--compress-algo=none", "--set-filename=../../evil")
    (tmp_path / "named").write_bytes(named)

    verdict = inspect(tmp_path / "named", opener.gpg, opener.passphrase)
    release(tmp_path / "named", verdict, io.BytesIO(), opener.gpg, opener.passphrase)

    assert verdict.trailer.name == "../../evil"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["deep", "home", "named", "part"]


@pytest.mark.check("Q3")
def test_every_gpg_of_an_opening_runs_as_we_say_and_with_nothing_of_the_message(
    opener: Reviewer, sealer: Sealer, tmp_path: Path
) -> None:
    """As the kernel saw it, its agent left out: fixed flags, its own home, a bound, no file, no name in its words."""
    log, program = tmp_path / "calls", tmp_path / "traced-gpg"
    program.write_text(f'#!/bin/sh\nexec strace -s 4096 -e trace=execve,connect -o {log} -A gpg "$@"\n')
    program.chmod(0o700)
    gpg = replace(opener.gpg, program=str(program))
    ciphertext, _sealed = sealer(CONTENT, "part")

    verdict = inspect(ciphertext, gpg, opener.passphrase)
    release(ciphertext, verdict, io.BytesIO(), gpg, opener.passphrase)

    started = [line for line in log.read_text().splitlines() if "execve(" in line and "/gpg" in line.partition(",")[0]]
    readings = [line for line in started if "--max-output" in line]
    assert len(readings) == 2
    for line in started:
        assert [flag for flag in _OPENING_FLAGS if f'"{flag}"' not in line] == []
        assert f'"--homedir", "{opener.gpg.home}"' in line
        assert '"--status-fd", "' in line
        assert str(ciphertext) not in line
        assert opener.passphrase not in line
        assert "embedded-filename" not in line
        assert line.rstrip().partition("]")[0].endswith('"--decrypt"')
    assert all(f'"--max-output", "{ciphertext.stat().st_size}"' in line for line in readings)
    assert "AF_INET" not in log.read_text()


@pytest.fixture(scope="module")
def stranger(gpg_homes: Path) -> Iterator[tuple[Reviewer, Path]]:
    """Somebody whose agent leaves a note when it would draw its passphrase window."""
    reviewer = make_reviewer("passer-by", gpg_homes)
    note, pinentry = gpg_homes / "asked", gpg_homes / "pinentry"
    pinentry.write_text(f"#!/bin/sh\ntouch {note}\nexit 1\n")
    pinentry.chmod(0o755)
    (reviewer.gpg.home / "gpg-agent.conf").write_text(f"default-cache-ttl 0\npinentry-program {pinentry}\n")
    stop_agent(reviewer.gpg)
    yield reviewer, note
    stop_agent(reviewer.gpg)


@pytest.fixture
def asking(stranger: tuple[Reviewer, Path]) -> tuple[Reviewer, Path]:
    """The stranger, whom nobody has asked yet."""
    stranger[1].unlink(missing_ok=True)
    return stranger


@pytest.mark.check("Q5")
@pytest.mark.parametrize("kind", ["password", "signed", "clear text", "nothing", "named recipient", "armoured", "key"])
def test_what_is_no_sealed_part_is_refused_without_asking_for_a_passphrase(
    kind: str, asking: tuple[Reviewer, Path], tmp_path: Path
) -> None:
    reviewer, note = asking
    loopback = ("--pinentry-mode=loopback", "--passphrase=other")
    certificate = tmp_path / "certificate"
    certificate.write_bytes(reviewer.certificate)
    addressed = ("--no-keyring", "--recipient-file", certificate, "--encrypt")
    messages: dict[str, Callable[[], bytes]] = {
        "password": lambda: run(reviewer.gpg, (*loopback, "--symmetric"), stdin=CONTENT).stdout,
        "signed": lambda: (
            run(reviewer.gpg, (*frozen_on(DAY), "--sign"), stdin=CONTENT, passphrase=reviewer.passphrase).stdout
        ),
        "clear text": lambda: CONTENT,
        "nothing": lambda: b"",
        "named recipient": lambda: run(reviewer.gpg, (*frozen_on(DAY), *addressed), stdin=CONTENT).stdout,
        "armoured": lambda: run(reviewer.gpg, (*frozen_on(DAY), "--armor", *addressed), stdin=CONTENT).stdout,
        "key": lambda: export(reviewer.fingerprint, reviewer.gpg),
    }
    (tmp_path / "message").write_bytes(messages[kind]())

    with pytest.raises(NotSealedError):
        inspect(tmp_path / "message", reviewer.gpg)

    assert not note.exists()
    assert (kind in ("clear text", "nothing")) or (tmp_path / "message").stat().st_size > 100


@pytest.mark.check("Q5")
def test_a_part_for_others_is_refused_clearly(sealer: Sealer, asking: tuple[Reviewer, Path], public_gpg: Gpg) -> None:
    ciphertext, _sealed = sealer(CONTENT, "part")
    stranger, note = asking

    with pytest.raises(NoKeyError):
        inspect(ciphertext, stranger.gpg, stranger.passphrase)
    with pytest.raises(NoKeyError):
        inspect(ciphertext, public_gpg)

    assert not note.exists()


def test_a_wrong_passphrase_opens_nothing(sealer: Sealer, reviewers: tuple[Reviewer, Reviewer]) -> None:
    ciphertext, _sealed = sealer(CONTENT, "part")

    with pytest.raises(NoKeyError):
        inspect(ciphertext, reviewers[0].gpg, "wrong")


@pytest.mark.check("G9")
def test_a_reviewer_with_several_keys_opens_what_any_of_them_can(
    sealer: Sealer, opener: Reviewer, gpg_homes: Path
) -> None:
    """Gpg tries all keys on all hidden recipients and ends with 2 for every miss; the verdict must not forgive that."""
    ciphertext, _sealed = sealer(CONTENT, "part")
    other = make_reviewer("several", gpg_homes)
    exported = run(opener.gpg, ("--export-secret-keys",), passphrase=opener.passphrase).stdout
    assert run(other.gpg, ("--import",), stdin=exported, passphrase=opener.passphrase).returncode == 0

    verdict = inspect(ciphertext, other.gpg, opener.passphrase)
    sink = io.BytesIO()
    release(ciphertext, verdict, sink, other.gpg, opener.passphrase)

    assert sink.getvalue() == CONTENT


def test_a_part_that_is_not_there_is_an_error_and_no_hang(tmp_path: Path, opener: Reviewer) -> None:
    with pytest.raises(FileNotFoundError):
        inspect(tmp_path / "nothing", opener.gpg, opener.passphrase)


def test_a_sink_that_breaks_is_passed_on(sealer: Sealer, opener: Reviewer) -> None:
    ciphertext, _sealed = sealer(CONTENT, "part")
    verdict = inspect(ciphertext, opener.gpg, opener.passphrase)

    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(OSError, match="No space left"):
        release(ciphertext, verdict, full, opener.gpg, opener.passphrase)


def _peak_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024


class _Hashing(io.RawIOBase):
    def __init__(self) -> None:
        super().__init__()
        self.hash = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, chunk: object, /) -> int:
        content = memoryview(chunk)  # type: ignore[arg-type]
        self.hash.update(content)
        return len(content)


@pytest.mark.timeout(1800)
@pytest.mark.check("Q2")
@pytest.mark.parametrize("mebibytes", [300, pytest.param(2300, marks=pytest.mark.full)])
def test_size_costs_no_memory_on_the_way_in_or_out(
    mebibytes: int, tmp_path: Path, recipients: Recipients, public_gpg: Gpg, opener: Reviewer
) -> None:
    block = os.urandom(MEBIBYTE)
    small = tmp_path / "small"
    seal(binary(Flow(1, block)), label(), recipients, small, public_gpg)
    inspect(small, opener.gpg, opener.passphrase)
    # Writing 5 here makes the present size the peak (proc(5)).
    Path("/proc/self/clear_refs").write_text("5")
    before = _peak_bytes()
    ciphertext = tmp_path / "part"

    sealed = seal(binary(Flow(mebibytes * MEBIBYTE, block)), label(), recipients, ciphertext, public_gpg)
    verdict = inspect(ciphertext, opener.gpg, opener.passphrase)
    sink = _Hashing()
    release(ciphertext, verdict, binary(sink), opener.gpg, opener.passphrase)

    assert sealed.length == mebibytes * MEBIBYTE
    assert sink.hash.hexdigest() == sealed.plain_sha256
    assert _peak_bytes() - before < 16 * MEBIBYTE
    ciphertext.unlink()


# Runs the real gpg and passes on what it says, less what is left out.
LEAVING_OUT = """
ours, gpgs = os.pipe()
arguments[arguments.index('--status-fd') + 1] = str(gpgs)
os.set_inheritable(gpgs, True)
running = subprocess.Popen(['gpg', *arguments], close_fds=False)
os.close(gpgs)
for line in open(ours):
    if {left_out!r} not in line:
        os.write(status, line.encode())
sys.exit(running.wait() or {code})
"""


@pytest.mark.check("Q2")
@pytest.mark.parametrize(
    ("left_out", "code"),
    [("DECRYPTION_OKAY", 0), ("GOODMDC", 0), ("PLAINTEXT", 0), ("END_DECRYPTION", 0), ("DECRYPTION_INFO", 0), ("-", 2)],
)
def test_right_plaintext_without_the_whole_verdict_is_not_believed(
    left_out: str, code: int, sealer: Sealer, opener: Reviewer, tmp_path: Path
) -> None:
    ciphertext, _sealed = sealer(CONTENT, "part")
    program = stand_in(tmp_path, LEAVING_OUT.format(left_out=left_out, code=code))

    with pytest.raises(DamagedError):
        inspect(ciphertext, Gpg(opener.gpg.home, program, agent=True), opener.passphrase)


def test_the_stand_in_itself_is_no_reason_to_refuse(sealer: Sealer, opener: Reviewer, tmp_path: Path) -> None:
    ciphertext, _sealed = sealer(CONTENT, "part")
    program = stand_in(tmp_path, LEAVING_OUT.format(left_out="-", code=0))

    verdict = inspect(ciphertext, Gpg(opener.gpg.home, program, agent=True), opener.passphrase)

    assert verdict.trailer.length == len(CONTENT)
