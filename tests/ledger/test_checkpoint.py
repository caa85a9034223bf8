import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, sign_checkpoint
from ledger.errors import CheckpointError, NoteSignatureError
from ledger.merkle import leaf_hash, tree_root
from ledger.note import sign_note
from tests.ledger.signers import LOG, OTHER_LOG, verify

ROOT = tree_root([leaf_hash(b"1"), leaf_hash(b"2")])
CHECKPOINT = Checkpoint(LOG.key.name, 2, ROOT)


def test_a_signed_checkpoint_is_opened_with_the_key_of_its_log() -> None:
    assert open_checkpoint(sign_checkpoint(CHECKPOINT, LOG.key, LOG.sign), LOG.key, verify) == CHECKPOINT


def test_the_worked_example_of_the_specification_is_read() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

    checkpoint = parse_checkpoint(text)

    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.text() == text


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_read_back_is_the_one_written(size: int, root: bytes) -> None:
    checkpoint = Checkpoint("k7f2q9", size, root)

    assert parse_checkpoint(checkpoint.text()) == checkpoint


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_what_can_be_read_is_written_the_same_way(text: str) -> None:
    for candidate in (text, CHECKPOINT.text() + text, text + CHECKPOINT.text()):
        try:
            checkpoint = parse_checkpoint(candidate)
        except CheckpointError:
            continue
        assert checkpoint.text() == candidate


ENCODED = CHECKPOINT.text().split("\n")[2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "k7f2q9\n2\n",
        f"k7f2q9\n2\n{ENCODED}",
        f"k7f2q9\n2\n{ENCODED}\nan extension\n",
        f"k7f2q9\n02\n{ENCODED}\n",
        f"k7f2q9\n+2\n{ENCODED}\n",
        f"k7f2q9\n-2\n{ENCODED}\n",
        f"k7f2q9\n2 \n{ENCODED}\n",
        f"k7f2q9\n٢\n{ENCODED}\n",
        f"k7f2q9\n{2**63}\n{ENCODED}\n",
        f"k7f2q9\n2\n{ENCODED[:-1]}\n",
        "k7f2q9\n2\nAAAA\n",
        f"\n2\n{ENCODED}\n",
        f"k7 f2q9\n2\n{ENCODED}\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError):
        parse_checkpoint(text)


def test_a_log_speaks_only_for_itself() -> None:
    foreign = sign_note(CHECKPOINT.text(), OTHER_LOG.key, OTHER_LOG.sign)

    with pytest.raises(CheckpointError):
        open_checkpoint(foreign, OTHER_LOG.key, verify)
    with pytest.raises(CheckpointError):
        sign_checkpoint(CHECKPOINT, OTHER_LOG.key, OTHER_LOG.sign)
    with pytest.raises(NoteSignatureError):
        open_checkpoint(foreign, LOG.key, verify)
