import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from ledger.entry import Received
from ledger.errors import CheckpointError, NoteSignatureError, PromiseError
from ledger.note import sign_note
from ledger.promise import Promise, open_promise, parse_promise, sign_promise
from tests.ledger.signers import LOG, OTHER_LOG, verify

VECTOR = json.loads((Path(__file__).parent.parent / "vectors" / "ledger" / "promise.json").read_bytes())
LEAF = Received("ab" * 32, 17, date(2026, 11, 23)).leaf_hash()
PROMISE = Promise(LOG.key.name, LEAF, date(2026, 11, 23))
ENCODED = PROMISE.text().split("\n")[2]


def test_a_signed_promise_is_opened_with_the_key_of_its_log() -> None:
    assert open_promise(sign_promise(PROMISE, LOG.key, LOG.sign), LOG.key, verify) == PROMISE


def test_the_worked_example_is_made_of_its_parts() -> None:
    entry = Received(VECTOR["ct_sha256"], VECTOR["size_class"], date.fromisoformat(VECTOR["day"]))
    promise = Promise(LOG.key.name, entry.leaf_hash(), entry.day)

    assert entry.format() == VECTOR["entry"].encode()
    assert entry.leaf_hash().hex() == VECTOR["leaf_hash"]
    assert str(LOG.key) == VECTOR["verifier_key"]
    assert sign_promise(promise, LOG.key, LOG.sign) == VECTOR["promise"].encode()


@settings(max_examples=50, deadline=None)
@given(st.dates(), st.binary(min_size=32, max_size=32))
def test_a_promise_read_back_is_the_one_written(day: date, leaf: bytes) -> None:
    promise = Promise("k7f2q9", leaf, day)

    assert parse_promise(promise.text()) == promise


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_what_can_be_read_is_written_the_same_way(text: str) -> None:
    for candidate in (text, PROMISE.text() + text, text + PROMISE.text()):
        try:
            promise = parse_promise(candidate)
        except PromiseError:
            continue
        assert promise.text() == candidate


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"k7f2q9\npromise v1\n{ENCODED}\n2026-11-23",
        f"k7f2q9\npromise v1\n{ENCODED}\n2026-11-23\n\n",
        f"k7f2q9\npromise v2\n{ENCODED}\n2026-11-23\n",
        f"k7f2q9\npromise v1\n{ENCODED}\n20261123\n",
        f"k7f2q9\npromise v1\n{ENCODED}\n2026-02-30\n",
        f"k7f2q9\npromise v1\n{ENCODED}\n2026-11-23T00\n",
        f"k7f2q9\npromise v1\n{ENCODED[:-1]}\n2026-11-23\n",
        "k7f2q9\npromise v1\nAAAA\n2026-11-23\n",
        f"\npromise v1\n{ENCODED}\n2026-11-23\n",
    ],
)
def test_a_malformed_promise_is_refused(text: str) -> None:
    with pytest.raises(PromiseError):
        parse_promise(text)


def test_a_leaf_hash_of_another_length_is_no_leaf_hash() -> None:
    with pytest.raises(PromiseError):
        Promise("k7f2q9", LEAF[:-1], PROMISE.day)


def test_a_log_speaks_only_for_itself() -> None:
    foreign = sign_note(PROMISE.text(), OTHER_LOG.key, OTHER_LOG.sign)

    with pytest.raises(PromiseError):
        open_promise(foreign, OTHER_LOG.key, verify)
    with pytest.raises(PromiseError):
        sign_promise(PROMISE, OTHER_LOG.key, OTHER_LOG.sign)
    with pytest.raises(NoteSignatureError):
        open_promise(foreign, LOG.key, verify)


def test_a_promise_is_never_taken_for_a_checkpoint_nor_the_reverse() -> None:
    """One key signs both."""
    checkpoint = sign_checkpoint(Checkpoint(LOG.key.name, 1, LEAF), LOG.key, LOG.sign)

    with pytest.raises(CheckpointError):
        open_checkpoint(sign_promise(PROMISE, LOG.key, LOG.sign), LOG.key, verify)
    with pytest.raises(PromiseError):
        open_promise(checkpoint, LOG.key, verify)
