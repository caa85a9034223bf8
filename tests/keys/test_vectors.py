"""The vectors of docs/specs/keyset.md hold."""

import base64
import json
from typing import Any

import pytest

from keys.errors import KeysError
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg
from keys.keyset import parse
from keys.keyset_trust import SignedKeyset, verify_change, verify_first
from tests.keys.make_vectors import VECTORS

READ: dict[str, Any] = json.loads(VECTORS.read_text())


def signed(vector: dict[str, Any]) -> SignedKeyset:
    signatures = {Fingerprint(name): base64.b64decode(written) for name, written in vector["signatures"].items()}
    return SignedKeyset(parse(vector["keyset"].encode()), signatures)


def test_the_good_keysets_are_believed_one_after_the_other(public_gpg: Gpg) -> None:
    first, second, third = (signed(vector) for vector in READ["good"])

    trusted = verify_first(first, [Fingerprint(root) for root in READ["roots"]], public_gpg)
    trusted = verify_change(trusted, second, public_gpg)
    trusted = verify_change(trusted, third, public_gpg)

    assert trusted == third.keyset
    assert [each.keyset.hash for each in (first, second, third)] == [vector["hash"] for vector in READ["good"]]


@pytest.mark.check("G7")
@pytest.mark.parametrize("name", READ["refused"])
def test_the_others_are_refused(name: str, public_gpg: Gpg) -> None:
    with pytest.raises(KeysError):
        verify_change(signed(READ["good"][0]).keyset, signed(READ["refused"][name]), public_gpg)
