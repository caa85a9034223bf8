"""A codename opens one source's replies and nobody else's."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.public import PrivateKey, PublicKey, SealedBox

from keys.argon import ArgonParameters
from keys.codename import Codename
from keys.source_key import (
    LONGEST_REPLY_BYTES,
    REPLY_STEP_BYTES,
    PepperError,
    ReplyError,
    SourceSecrets,
    derive,
    open_reply,
    seal_reply,
)

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "source-key" / "derivations.json").read_text("utf-8"))
CHEAP = ArgonParameters(1024, 1)
PEPPER = bytes(range(32))
SECRETS = derive(Codename(7), PEPPER, CHEAP)
BOX_BYTES = 48


@pytest.mark.parametrize("vector", VECTORS["derivations"])
def test_the_published_derivations_hold(vector: dict[str, str | int]) -> None:
    parameters = ArgonParameters(int(vector["memory_kib"]), int(vector["passes"]), int(vector["lanes"]))

    found = derive(Codename(int(vector["number"])), bytes.fromhex(str(vector["pepper"])), parameters)

    assert found.lookup_id.hex() == vector["lookup_id"]
    assert found.seed.hex() == vector["seed"]
    assert found.public_key.hex() == vector["public_key"]


def test_the_published_reply_opens() -> None:
    reply = VECTORS["reply"]

    assert open_reply(bytes.fromhex(reply["box"]), bytes.fromhex(reply["seed"])) == reply["text"]


@pytest.mark.check("C15")
def test_what_is_stored_says_nothing_about_what_is_secret() -> None:
    """One label a purpose: pepper, codename and cost each change everything."""
    others = [
        derive(Codename(8), PEPPER, CHEAP),
        derive(Codename(7), PEPPER[::-1], CHEAP),
        derive(Codename(7), PEPPER, ArgonParameters(1024, 2)),
        derive(Codename(7), PEPPER, ArgonParameters(2048, 1)),
    ]
    values = [value for found in [SECRETS, *others] for value in (found.lookup_id, found.seed, found.public_key)]

    assert len(set(values)) == len(values)
    assert all(len(value) == 32 for value in values)


@pytest.mark.check("C15")
@pytest.mark.parametrize("pepper", [b"", bytes(31), bytes(range(33)), bytes(32), b"\xff" * 32])
def test_a_pepper_that_is_none_is_refused(pepper: bytes) -> None:
    with pytest.raises(PepperError):
        derive(Codename(7), pepper, CHEAP)


def test_nothing_shows_secrets_by_accident() -> None:
    assert SECRETS.seed.hex() not in repr(SECRETS)
    assert repr(SECRETS.seed) not in repr(SECRETS)


@given(st.text(max_size=5000))
@settings(max_examples=30)
def test_the_source_reads_what_was_sealed_to_her(text: str) -> None:
    assert open_reply(seal_reply(text, SECRETS.public_key), SECRETS.seed) == text


@pytest.mark.check("G12")
@pytest.mark.parametrize(
    ("length", "steps"), [(0, 1), (1, 1), (4079, 1), (4080, 2), (4081, 2), (LONGEST_REPLY_BYTES, 17)]
)
def test_a_reply_shows_its_length_in_steps_only(length: int, steps: int) -> None:
    assert len(seal_reply("x" * length, SECRETS.public_key)) == BOX_BYTES + steps * REPLY_STEP_BYTES


@pytest.mark.check("F12")
def test_another_codename_does_not_open_a_reply() -> None:
    box = seal_reply("meet at noon", SECRETS.public_key)

    with pytest.raises(ReplyError):
        open_reply(box, derive(Codename(8), PEPPER, CHEAP).seed)


@pytest.mark.parametrize("at", [0, 31, 32, 47, 48, 4000, 4143])
def test_a_reply_that_was_altered_or_cut_does_not_open(at: int) -> None:
    box = bytearray(seal_reply("meet at noon", SECRETS.public_key))
    cut = bytes(box[:at])
    box[at] ^= 1

    for wrong in (bytes(box), cut):
        with pytest.raises(ReplyError):
            open_reply(wrong, SECRETS.seed)


@pytest.mark.parametrize("inside", [b"", b"svidok reply v1\nno padding", b"other" + b"\x80" + bytes(4090), bytes(4096)])
def test_a_box_with_something_else_in_it_is_no_reply(inside: bytes) -> None:
    box = SealedBox(PublicKey(SECRETS.public_key)).encrypt(inside)

    with pytest.raises(ReplyError):
        open_reply(box, SECRETS.seed)


def test_a_reply_beyond_bounds_is_neither_sealed_nor_opened() -> None:
    with pytest.raises(ReplyError):
        seal_reply("x" * (LONGEST_REPLY_BYTES + 1), SECRETS.public_key)
    with pytest.raises(ReplyError):
        open_reply(bytes(LONGEST_REPLY_BYTES * 2), SECRETS.seed)


@pytest.mark.parametrize("key", [b"", bytes(32), bytes(31), bytes(33)])
def test_a_public_key_that_is_none_is_refused(key: bytes) -> None:
    with pytest.raises(ReplyError):
        seal_reply("hello", key)


def test_the_seed_is_the_private_key_itself() -> None:
    """Any X25519 can rebuild it; libsodium's own seed function would hash it first."""
    found = SourceSecrets(lookup_id=bytes(32), seed=bytes(range(32)))

    assert found.public_key == bytes(PrivateKey(bytes(range(32))).public_key)
