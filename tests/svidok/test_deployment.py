"""What the guide for administrators tells to type works, in the order in which it tells it."""

import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from svidok.place import Place
from tests.svidok.console import PASSPHRASE, ROOT, Program, Said, stop_agents

BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def told(guide: str) -> list[list[str]]:
    """Every command in the blocks of *guide*, as words."""
    text = (ROOT / guide).read_text("utf-8")
    lines = [line for block in BLOCK.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("svidok ")]


class Guide:
    """Follows docs/deployment.md: fills in what it leaves open, and types the rest as it stands."""

    def __init__(self, svidok: Program, root: Path) -> None:
        self.svidok = svidok
        self.root = root
        self.steps = iter(told("docs/deployment.md"))
        (root / "passphrase").write_text(f"{PASSPHRASE}\n")

    def type(self, *expected: str, **filled: object) -> Said:
        """Type the next command, which must begin with *expected*."""
        words = next(self.steps)
        assert words[: len(expected)] == list(expected)
        typed: list[str] = []
        for word in words:
            value = {"/var/lib/svidok": self.root / "drop", **filled}.get(word, word)
            typed.append(str(next(value) if isinstance(value, Iterator) else value))
        offline = words[0] == "keys" and words[1] in ("ceremony", "rotate", "sign", "withdraw")
        offline = offline or words[:2] in (["form", "sign"], ["i18n", "approve"])
        if offline or words[0] == "workstation":
            typed += ["--passphrase-file", str(self.root / "passphrase")]
        return self.svidok(*typed)


@pytest.fixture
def guide(svidok: Program, short: Path) -> Iterator[Guide]:
    root = short / "guide"
    root.mkdir()
    yield Guide(svidok, root)
    stop_agents(root)


@pytest.mark.check("G7", "G9")
def test_the_guide_can_be_followed(guide: Guide) -> None:
    root, place = guide.root, Place(guide.root / "drop")
    public = {"drop.json": place.identity, "OUT": root / "OUT", "KEYSET": root / "OUT" / "keyset"}
    desk = root / "desk"

    # 2 and 3: the drop; then the second of the two ways to hold the ceremony, with a key that was made at a desk.
    _ = guide.type("init").done
    assert next(guide.steps)[:2] == ["keys", "ceremony"]
    made = guide.type("workstation", "key", DIR=desk).done.splitlines()
    one = made[0].strip()
    held = guide.type("keys", "ceremony", **public, **{"ONE.gpg": desk / f"{one}.gpg"})
    prints = {line.split()[0]: line.split()[1] for line in held.done.splitlines() if len(line.split()) == 3}

    # 4: fingerprints are those of who signed.
    typed = iter([prints["two"], prints["recovery"]])
    statement = root / "OUT" / "statement"
    assert "installed keyset 1" in guide.type("keys", "import", **public, STATEMENT=statement, FINGERPRINT=typed).done
    assert f"seals to {one}" in guide.type("keys", "status").done

    # The desk of docs/reviewers.md, which the form needs.
    roots = [word for who in ("two", "recovery") for word in ("--root", prints[who])]
    _ = guide.svidok(
        *("workstation", "init", desk, "--drop", place.identity, "--keyset", root / "OUT" / "keyset", *roots),
        *("--reviewer", one, "--passphrase-file", root / "passphrase"),
    ).done

    # 5: two people have read the Ukrainian questions and pages, and a signer says so.
    read = {"NAME": itertools.cycle(("Olena", "heron")), "HOME": desk / "gnupg", "FINGERPRINT": one}
    carried = {"SIGNED": root / "signed", "APPROVALS": root / "approved"}
    assert "is approved in uk" in guide.type("form", "sign", **read, **carried).done
    assert "take the folder to the server" in guide.type("i18n", "approve", **read, **carried).done
    assert "is asked in uk" in guide.type("form", "install", **carried).done
    assert "it had been read by Olena" in guide.type("form", "status").done
    assert "installed: uk" in guide.type("i18n", "install", **carried).done
    assert "Olena (native" in guide.type("i18n", "status").done
    assert "took up form" in guide.type("workstation", "form", DIR=desk).done

    # 6 and 7: a reviewer; the drop does not start while the ceremony's folder lies on its machine.
    client = guide.svidok("reviewers", "client-key", reviewer_address(place), root / "key").done.split()[0]
    assert "shown once" in guide.type("reviewers", "add", NAME="Olena", KEY=client).done
    assert "Olena" in guide.type("reviewers", "list").done
    assert "must never be on a server" in guide.type("run").refusal
    assert "running            no" in guide.type("status").out

    # A new version: nothing to do yet.
    assert guide.type("upgrade").done.count("nothing to do") == 3
    assert "must never be on a server" in guide.type("run").refusal

    # Keys change: two of those who were there before sign.
    two_home, one_home = root / "OUT" / "two" / "gnupg", desk / "gnupg"
    assert "signed by one" in guide.type("keys", "rotate", **public, HOME=two_home, FINGERPRINT=prints["two"]).done
    assert "2 signatures" in guide.type("keys", "sign", **public, HOME=one_home, FINGERPRINT=one).done
    assert "installed keyset 2" in guide.type("keys", "import", **public).done
    _ = guide.type("workstation", "keyset", **public, DIR=desk).done
    withdrawn = guide.type("keys", "withdraw", **public, HOME=one_home, FINGERPRINT=one)
    assert f"no longer seals to {one}" in withdrawn.done

    # A person who leaves: the only admin cannot, so another comes first.
    key = guide.svidok("reviewers", "client-key", reviewer_address(place), root / "key2").done.split()[0]
    _ = guide.svidok("reviewers", "add", place.root, "Petro", "--client-key", key).done
    assert "is shut out" in guide.type("reviewers", "disable", NAME="Petro").done
    assert next(guide.steps, None) is None


def reviewer_address(place: Place) -> str:
    return (place.onion / "reviewer" / "hostname").read_text("ascii").strip()
