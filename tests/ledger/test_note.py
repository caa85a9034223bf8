import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import NoteError, NoteSignatureError, VerifierKeyError
from ledger.note import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    NoteSignature,
    UntrustedNote,
    VerifierKey,
    open_note,
    parse_note,
    sign_note,
)
from tests.ledger.signers import LOG, OTHER_LOG, WITNESS, Signer, verify

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "ledger" / "notes.json").read_bytes()
)
TEXT = "one line\n\nanother after an empty one\n"


def names() -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="+"), min_size=1, max_size=20)


def texts() -> st.SearchStrategy[str]:
    characters = st.characters(codec="utf-8", exclude_characters="".join(chr(code) for code in range(32))) | st.just(
        "\n"
    )
    return st.text(characters, max_size=60).map(lambda text: text + "\n")


def signatures() -> st.SearchStrategy[NoteSignature]:
    return st.builds(NoteSignature, names(), st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["source"])
def test_notes_of_other_implementations_are_opened(vector: dict[str, Any]) -> None:
    key = VerifierKey.parse(vector["verifier_key"])

    text = open_note(vector["note"].encode(), [key], verify)

    assert text == vector["text"]
    assert str(key) == vector["verifier_key"]


def test_a_note_is_written_as_other_implementations_write_it() -> None:
    """Ed25519 is deterministic: the same key and text give the same bytes everywhere."""
    vector = next(each for each in VECTORS if "signer_key" in each)
    # The base64 may hold a plus sign itself: PRIVATE+KEY+name+id+key.
    seed = base64.b64decode(vector["signer_key"].split("+", 4)[4])[1:]
    signer = Signer(vector["verifier_key"].split("+")[0], seed)

    assert sign_note(vector["text"], signer.key, signer.sign) == vector["note"].encode()


@settings(max_examples=80, deadline=None)
@given(texts(), st.lists(signatures(), min_size=1, max_size=4))
def test_a_note_read_back_is_the_note_written(text: str, lines: list[NoteSignature]) -> None:
    note = UntrustedNote(text, tuple(lines))

    assert parse_note(note.format()) == note


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200))
def test_what_can_be_read_is_written_the_same_way(untrusted: bytes) -> None:
    for candidate in (untrusted, sign_note(TEXT, LOG.key, LOG.sign)[:-1] + untrusted):
        try:
            note = parse_note(candidate)
        except NoteError:
            continue
        assert note.format() == candidate


def test_one_byte_more_is_an_error() -> None:
    note = sign_note(TEXT, LOG.key, LOG.sign)

    for extra in (b"\n", b" ", b"\0", b"x", b"\r\n"):
        with pytest.raises(NoteError):
            parse_note(note + extra)


@pytest.mark.parametrize(
    "untrusted",
    [
        b"",
        b"\n",
        b"text\n",
        b"text\n\n",
        b"text\n\n\xe2\x80\x94 name AAAAAAA=",
        b"text\n\n- name AAAAAAA=\n",
        b"text\n\n\xe2\x80\x94 name AAAAAA==\n",
        b"text\n\n\xe2\x80\x94 name AAAAAAB=\n",
        b"text\n\n\xe2\x80\x94 name  AAAAAAA=\n",
        b"text\n\n\xe2\x80\x94 na+me AAAAAAA=\n",
        b"text\n\n\xe2\x80\x94 na\xc2\xa0me AAAAAAA=\n",
        b"text\n\n\xe2\x80\x94  AAAAAAA=\n",
        b"text\n\n\xe2\x80\x94 name AAAAAAA=\r\n",
        b"te\rxt\n\n\xe2\x80\x94 name AAAAAAA=\n",
        b"te\x00xt\n\n\xe2\x80\x94 name AAAAAAA=\n",
        b"te\xffxt\n\n\xe2\x80\x94 name AAAAAAA=\n",
        b"x" * (MAX_NOTE_BYTES + 1),
        b"text\n\n" + b"\xe2\x80\x94 name AAAAAAA=\n" * (MAX_SIGNATURES + 1),
    ],
)
def test_a_malformed_note_is_refused(untrusted: bytes) -> None:
    with pytest.raises(NoteError):
        parse_note(untrusted)


def test_signatures_of_strangers_are_ignored() -> None:
    note = parse_note(sign_note(TEXT, LOG.key, LOG.sign))
    witness = parse_note(sign_note(TEXT, WITNESS.key, WITNESS.sign))
    both = UntrustedNote(TEXT, witness.signatures + note.signatures).format()

    assert open_note(both, [LOG.key], verify) == TEXT


def test_a_note_that_no_known_key_signed_is_refused() -> None:
    note = sign_note(TEXT, OTHER_LOG.key, OTHER_LOG.sign)

    with pytest.raises(NoteSignatureError):
        open_note(note, [LOG.key], verify)


def test_the_name_alone_makes_no_key_known() -> None:
    impostor = Signer(LOG.key.name, b"\x09" * 32)

    with pytest.raises(NoteSignatureError):
        open_note(sign_note(TEXT, impostor.key, impostor.sign), [LOG.key], verify)


def test_one_wrong_signature_of_a_known_key_spoils_the_note() -> None:
    right = parse_note(sign_note(TEXT, LOG.key, LOG.sign))
    wrong = NoteSignature(WITNESS.key.name, WITNESS.key.key_id, bytes(64))
    note = UntrustedNote(TEXT, (*right.signatures, wrong)).format()

    with pytest.raises(NoteSignatureError):
        open_note(note, [LOG.key, WITNESS.key], verify)


@pytest.mark.parametrize("length", [1, 63, 65])
def test_a_signature_of_another_length_never_reaches_the_verifier(length: int) -> None:
    def trusting(_key: bytes, _signature: bytes, _message: bytes) -> bool:
        return True

    note = UntrustedNote(TEXT, (NoteSignature(LOG.key.name, LOG.key.key_id, bytes(length)),)).format()

    with pytest.raises(NoteSignatureError):
        open_note(note, [LOG.key], trusting)


def test_each_bit_of_a_signed_note_counts() -> None:
    note = sign_note("short\n", LOG.key, LOG.sign)

    for bit in range(len(note) * 8):
        turned = bytearray(note)
        turned[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(NoteError):
            open_note(bytes(turned), [LOG.key], verify)


def test_a_text_that_cannot_be_written_is_not_signed() -> None:
    for text in ("", "no newline", "a\tb\n", "\ud800\n"):
        with pytest.raises(NoteError):
            sign_note(text, LOG.key, LOG.sign)


def test_a_signature_that_is_none_is_not_written() -> None:
    with pytest.raises(NoteError):
        sign_note(TEXT, LOG.key, lambda _message: b"short")


@settings(max_examples=50, deadline=None)
@given(names(), st.binary(min_size=32, max_size=32))
def test_a_verifier_key_read_back_is_the_key_written(name: str, public_key: bytes) -> None:
    key = VerifierKey(name, public_key)

    assert VerifierKey.parse(str(key)) == key


def test_every_change_to_a_verifier_key_is_noticed() -> None:
    """The cases of the Go implementation: every part of the text, every character raised by one."""
    text = str(LOG.key)

    for start in range(len(text)):
        for end in range(start + 1, len(text) + 1):
            if (start, end) != (0, len(text)):
                with pytest.raises(VerifierKeyError):
                    VerifierKey.parse(text[start:end])
    for at, character in enumerate(text):
        with pytest.raises(VerifierKeyError):
            VerifierKey.parse(text[:at] + chr(ord(character) + 1) + text[at + 1 :])


@pytest.mark.parametrize(
    "untrusted",
    [
        # The wrong length and an unknown algorithm, each with the id that would fit.
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "",
    ],
)
def test_a_malformed_verifier_key_is_refused(untrusted: str) -> None:
    with pytest.raises(VerifierKeyError):
        VerifierKey.parse(untrusted)
