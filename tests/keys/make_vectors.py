"""Make the vectors of docs/specs/keyset.md anew: ``python -m tests.keys.make_vectors``.

Keys are random, so each run gives other bytes; the test reads what lies there and checks what must hold of it.
"""

import base64
import json
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from keys.gpg import Gpg, stop_agent
from keys.keyset_trust import SignedKeyset
from tests.keyring import DAY, make_keyset, make_reviewer, signed_by

VECTORS = Path(__file__).parent.parent / "vectors" / "keyset" / "keysets.json"


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="sv", dir="/tmp"))
    reviewers = [make_reviewer(name, folder) for name in ("amber", "birch")]
    amber = reviewers[0]
    (folder / "public").mkdir(mode=0o700)
    first = make_keyset(reviewers, Gpg(folder / "public"))
    second = first.succeeded(DAY + timedelta(days=30), first.recipients, first.signers)
    third = second.without(amber.fingerprint, DAY + timedelta(days=31))
    vectors = {
        "what": "a first keyset, its successor, and amber's withdrawal; then what must be refused after the first",
        "roots": [str(reviewer.fingerprint) for reviewer in reviewers],
        "good": [
            _written(signed_by(first, reviewers)),
            _written(signed_by(second, reviewers)),
            _written(signed_by(third, [amber])),
        ],
        "refused": {
            "signed by one": _written(signed_by(second, [amber])),
            "signed over another keyset": _written(SignedKeyset(second, signed_by(first, reviewers).signatures)),
            "a serial left out": _written(signed_by(third, reviewers)),
            "another's withdrawal": _written(
                signed_by(first.without(reviewers[1].fingerprint, second.created), [amber])
            ),
        },
    }
    VECTORS.parent.mkdir(parents=True, exist_ok=True)
    VECTORS.write_text(json.dumps(vectors, indent=1) + "\n")
    for reviewer in reviewers:
        stop_agent(reviewer.gpg)
    shutil.rmtree(folder)


def _written(signed: SignedKeyset) -> dict[str, object]:
    return {
        "keyset": signed.keyset.canonical.decode(),
        "hash": signed.keyset.hash,
        "signatures": {
            str(fingerprint): base64.b64encode(signature).decode()
            for fingerprint, signature in signed.signatures.items()
        },
    }


if __name__ == "__main__":
    main()
