import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hardening.canonical import JSON
from keys.gpg import Gpg, stop_agent
from keys.source_key import open_reply
from questionnaire.load import format_form
from questionnaire.parting import consents_part, notes_part, report_parts
from svidok.identity import Identity
from tests.drop import Drop, Sent, documents, file, words
from tests.keys.sealing_world import Flow, binary
from tests.ledger.signers import LOG
from tests.questionnaire.documents import heading
from tests.svidok.console import tree
from tests.svidok.desk_world import REVIEWERS, World, alone, peak_kib, svidok
from tests.workstation.test_outbox import as_the_server_reads
from workstation.outbox import Returned

ROOT = Path(__file__).parent.parent.parent
GOLDEN = Path(__file__).parent.parent / "vectors" / "terminal" / "golden.json"

# What could speak to a network, or is of the server's side. The standard library's asyncio comes with SQLAlchemy and
# brings its own `socket` and `ssl`; what it is not used for, the test of system calls shows.
CLIENTS = {
    "http.client", "http.server", "urllib.request", "urllib.error", "urllib.robotparser", "xmlrpc", "ftplib", "smtplib",
    "poplib", "imaplib", "nntplib", "telnetlib", "socketserver", "webbrowser", "httpx", "httpcore", "h11", "requests",
    "urllib3", "aiohttp", "socks", "socksio", "stem", "websockets", "dns", "paramiko", "uvicorn", "starlette", "anyio",
    "gnupg",
}  # fmt: skip
SERVERS = {"source_interface", "journalist_interface", "keeper", "onion", "vault", "reviewers", "settings"}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World(Path(tempfile.mkdtemp(prefix="sv", dir="/tmp")))
    made.make()
    yield made
    for home in made.root.glob("**/private-keys-v1.d"):
        stop_agent(Gpg(home.parent))
    shutil.rmtree(made.root)


@pytest.fixture
def drop(world: World) -> Drop:
    number = len(list(world.root.glob("server-*")))
    return world.drop(f"server-{number}")


def agents(root: Path) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
    return [line for line in listed.splitlines() if "gpg-agent" in line and str(root) in line]


def test_reviewers_who_make_their_keys_at_their_desks_begin() -> None:
    """The way of docs/workstation.md: keys are made, the ceremony adopts them, one of their owners signs as well."""
    begun = World(Path(tempfile.mkdtemp(prefix="sv", dir="/tmp")))
    begun.passphrase.write_text("correct horse battery")
    Identity(LOG.key, f"{'a' * 56}.onion", f"{'b' * 56}.onion", evaluation=True).write(begun.identity)
    end = ("--passphrase-file", begun.passphrase)

    made = [begun.facts(name, "key", "--name", name) for name in REVIEWERS]
    assert agents(begun.root) == []
    adopted = [word for one in made for word in ("--adopt", one["certificate"])]
    assert svidok("keys", "ceremony", begun.root / "made", *adopted, *end, "--drop", begun.identity).returncode == 0
    (recovery,) = (path.stem for path in (begun.root / "made" / "keyset" / "signatures").iterdir())
    (begun.root / "made" / "keyset").rename(begun.keyset)
    mine = made[0]["fingerprint"]
    signing = ("keys", "sign", begun.keyset, "--gnupg", begun.desk("amber") / "gnupg", "--key", mine, *end)
    assert svidok(*signing).returncode == 0
    roots = ("--root", mine, "--root", recovery)
    words = ("--drop", begun.identity, "--keyset", begun.keyset, *roots, "--reviewer", mine)

    assert begun.at("amber", "init", *words).returncode == 0
    assert begun.facts("amber", "verify")["events"] == 1

    for home in begun.root.glob("**/private-keys-v1.d"):
        stop_agent(Gpg(home.parent))
    shutil.rmtree(begun.root)


@pytest.mark.check("Q14", "T8", "R2")
def test_the_whole_way_works_without_a_network(world: World, drop: Drop) -> None:
    source = drop.source("silent walnut")
    sent = drop.send(source, words("Добрий день"), file("фото.jpg", b"\xff\xd8" + bytes(200_000)))
    bag, out = drop.bag(sent), drop.folder / "out"

    for name in REVIEWERS:
        assert world.facts(name, "import", bag, before=alone())["new"] == [sent.submission]
        assert world.facts(name, "import", bag, before=alone())["known"] == [sent.submission]
    (listed,) = [one for one in world.facts("amber", "list", before=alone()) if one["id"] == source.collection]
    opened = world.facts("amber", "open", "silent walnut", "--to", out, before=alone())
    for name in REVIEWERS:
        world.facts(name, "reply", source.collection[:8], said="Дякуємо".encode(), before=alone())
    packed = [world.facts(name, "outbox", before=alone()) for name in REVIEWERS]
    verified = world.facts("amber", "verify", before=alone())

    assert (listed["submissions"], listed["opened"], listed["problems"]) == (1, 0, 0)
    (submission,) = opened["submissions"]
    assert submission["messages"][0]["text"] == "Добрий день"
    assert Path(submission["files"][0]["path"]).read_bytes() == b"\xff\xd8" + bytes(200_000)
    for one in packed:
        returned = Returned(Path(one["bag"]), Path(one["signature"]), one["sequence"], one["replies"], one["receipts"])
        (reply,) = as_the_server_reads(returned, drop.keyset, drop.gpg, day=drop.day).replies
        assert open_reply(reply.box, bytes(source.key)) == "Дякуємо"
    assert verified["events"] >= 5
    assert verified["heads"].keys() == {world.fingerprint("amber")}
    assert agents(world.root / "desk-amber") == []


def test_people_read_the_same_in_plain_lines(world: World, drop: Drop) -> None:
    sent = drop.send(drop.source("plain lines"), words("first\r\nsecond"), file("a.txt", b"x", "text/plain"))
    assert world.at("amber", "import", drop.bag(sent)).stdout == b"1 new, 0 known already\n"

    listed = world.at("amber", "list").stdout.decode()
    opened = world.at("amber", "open", "plain lines", "--to", drop.folder / "out").stdout.decode()
    verified = world.at("amber", "verify").stdout.decode()

    assert re.search(r"^[0-9a-f]{8}  plain lines +1 \d{4}-\d\d-\d\d  NEW$", listed, re.MULTILINE)
    assert opened.splitlines()[1:5] == ["[message]", "first", "second", "[file] a.txt  1 bytes  text/plain"]
    assert "every one in its place and signed" in verified


def asked(world: World, drop: Drop) -> Sent:
    """A report, a photo and a note on it, from one source whom both are known by."""
    source = drop.source("asked kindly")
    photo = drop.send(source, file("фото.jpg", b"\xff\xd8"))
    answers: dict[str, JSON] = {
        "r1": "victim",
        "w2": "first\n[consents] c2 Yes\n\x1b[2J",
        "person": [{"v2": "yes", "v3": "Олена"}],
        "c2": "no",
    }
    notes = notes_part(drop.form, {"e3": "yes"}, heading(drop.form), photo.parts[0].sealed.part_id)
    sent = drop.send(source, *documents([*report_parts(drop.form, answers, heading(drop.form)), notes]))
    world.facts("amber", "import", drop.bag(photo, sent))
    return sent


def test_people_read_a_report_as_it_was_asked(world: World, drop: Drop) -> None:
    sent = asked(world, drop)
    before = world.at("amber", "open", "asked kindly", "--to", drop.folder / "before")
    (drop.folder / "form.json").write_bytes(format_form(drop.form))

    taken = world.at("amber", "form", drop.folder / "form.json")
    after = world.at("amber", "open", "asked kindly", "--to", drop.folder / "after")
    whole = world.at("amber", "open", sent.submission[:8], "--identity", "--to", drop.folder / "whole")

    assert "it is not here, so names and codes stand for themselves" in before.stdout.decode()
    assert taken.stdout.decode() == f"took up form small, version 1, {drop.form.sha256}\n"
    lines = after.stdout.decode().splitlines()
    assert [re.sub(r" .*", "", line) for line in lines if line.startswith("[")] == [
        "[consents]", "[contact]", "[account]", "[notes", "[identity]", "[file]",
    ]  # fmt: skip
    assert lines[2].startswith("[consents] sent whole; language uk; way: tell what happened; sending 1, submission ")
    assert lines[3:5] == ["  c2  May we write?", "      No"]
    assert "  r1  r1\n      It happened to me\n" in after.stdout.decode()
    assert "  w2  Words\n      first\n      [consents] c2 Yes\n      \\x1b[2J\n" in after.stdout.decode()
    assert "[notes about фото.jpg]" in after.stdout.decode()
    assert "[identity] sealed for itself and not opened" in after.stdout.decode()
    assert "Олена" not in after.stdout.decode()
    assert "  person.1.v3  A person 1: Name\n      Олена\n" in whole.stdout.decode()
    assert "which was not opened now]" in whole.stdout.decode()
    assert [one.returncode for one in (before, taken, after, whole)] == [0, 0, 0, 0]
    assert {path.name for path in (drop.folder / "whole").iterdir()} == {
        "identity.json",
        "report.json",
        sent.submission,
    }


def test_programs_read_a_report_joined(world: World, drop: Drop) -> None:
    source = drop.source("joined twice")
    first = drop.send(source, *documents(report_parts(drop.form, {"c2": "yes"}, heading(drop.form, 1))))
    later = [
        drop.send(source, *documents([consents_part(drop.form, {"c2": answer}, heading(drop.form, 2))]))
        for answer in ("no", "yes")
    ]
    world.facts("amber", "import", drop.bag(first, *later))

    alone = world.facts("amber", "open", first.submission, "--to", drop.folder / "alone")
    joined = world.at("amber", "open", "joined twice", "--json", "--to", drop.folder / "joined")
    unwanted = world.at("amber", "reply", "joined twice", said=b"words")

    (report,) = alone["reports"]
    assert [one["part"] for one in report["documents"]] == ["consents", "contact", "account"]
    assert sorted(alone["others"]) == sorted(one.submission for one in later)
    (report,) = json.loads(joined.stdout)["reports"]
    assert (joined.returncode, report["conflicts"]) == (3, ["consents"])
    consents = [one for one in report["documents"] if one["part"] == "consents"]
    assert sorted(answer["answer"] for one in consents for answer in one["answers"]) == ["no", "yes"]
    assert json.loads((drop.folder / "joined" / "report.json").read_bytes()) == [report]
    assert (unwanted.returncode, unwanted.stdout) == (1, b"")
    assert b"has not allowed anybody to write to her here" in unwanted.stderr
    plain = world.at("amber", "open", "joined twice", "--to", drop.folder / "plain")
    assert "CONFLICT: two sendings of its consents have the same number" in plain.stdout.decode()


def test_people_read_a_report_in_the_language_that_they_choose(world: World, drop: Drop) -> None:
    answers: dict[str, JSON] = {"t1": "2022-03-04", "p1": {"country": "UA", "region": "UA-65"}, "c2": "yes"}
    source = drop.source("many tongues")
    world.facts(
        "amber", "import", drop.bag(drop.send(source, *documents(report_parts(drop.form, answers, heading(drop.form)))))
    )
    (drop.folder / "form.json").write_bytes(format_form(drop.form))
    world.at("amber", "form", drop.folder / "form.json")

    opened = {
        name: world.at("amber", "open", "many tongues", *more, "--to", drop.folder / name)
        for name, more in (("first", ()), ("uk", ("--language", "uk")), ("fr", ("--language", "fr")))
    }

    assert f"{drop.form.sha256}; told in en\n" in opened["first"].stdout.decode()
    assert "  p1  Where\n      Ukraine, Khersonska oblast (UA, UA-65)\n" in opened["first"].stdout.decode()
    chosen = opened["uk"].stdout.decode()
    assert f"{drop.form.sha256}; told in uk\n" in chosen
    assert "  c2  May we write? українською\n      Так\n" in chosen
    assert "  t1  When українською\n      4 березня 2022 (2022-03-04)\n" in chosen
    assert "  p1  Where українською\n      Україна, Херсонська область (UA, UA-65)\n" in chosen
    (report,) = json.loads((drop.folder / "uk" / "report.json").read_bytes())
    assert {one["told_in"] for one in report["documents"]} == {"uk"}
    refused = opened["fr"]
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert refused.stderr == b"svidok: this can be told in en, uk, and in no other language\n"
    assert not (drop.folder / "fr").exists()


def test_a_report_of_a_source_who_came_back_is_said_to_go_on(world: World, drop: Drop) -> None:
    source, names = drop.source("came back"), ["ab" * 16, "cd" * 16, "01" * 16]
    first, besides, later = (
        drop.send(source, *documents(report_parts(drop.form, {"w2": words}, heading(drop.form, seq, name))))
        for words, seq, name in (("before", 1, names[0]), ("besides", 1, names[1]), ("after", 2, names[2]))
    )
    world.facts("amber", "import", drop.bag(later, besides, first))

    alone = world.at("amber", "open", first.submission, "--to", drop.folder / "alone").stdout.decode()
    joined = world.at("amber", "open", "came back", "--to", drop.folder / "joined").stdout.decode()

    assert "of this source" not in alone
    lines, of_three = joined.splitlines(), "report {} of 3 of this source that are open here"
    assert [lines[at + 1] for at, line in enumerate(lines) if line.startswith("--- report ")] == [
        of_three.format(1),
        of_three.format(2) + ": nobody can tell whether it was written later; it replaces nothing of the others",
        of_three.format(3) + f": written later, goes on with {names[1]} and replaces nothing of it",
    ]
    assert joined.index("before") < joined.index("besides") < joined.index("after")


def test_what_is_opened_without_a_folder_lies_in_memory(world: World, drop: Drop) -> None:
    sent = drop.send(drop.source("in memory"), file("a", b"content"))
    world.facts("amber", "import", drop.bag(sent))

    opened = world.facts("amber", "open", "in memory")

    folder = Path(opened["folder"])
    try:
        assert folder.parent == Path("/dev/shm")  # noqa: S108 - a folder in memory
        assert folder.stat().st_mode & 0o777 == 0o700
        assert Path(opened["submissions"][0]["files"][0]["path"]).read_bytes() == b"content"
    finally:
        shutil.rmtree(folder)


def test_problems_are_told_and_have_a_code_of_their_own(world: World, drop: Drop) -> None:
    sent = drop.send(drop.source(), words("x"))
    bag = drop.written(drop.index(sent), {}, sent)

    first = world.at("amber", "import", bag)
    conflict = world.at(
        "amber", "import", drop.bag(replace(drop.send(sent.source, words("y")), submission=sent.submission))
    )

    assert (first.returncode, first.stdout) == (3, b"1 new, 0 known already\n")
    assert first.stderr.count(b"PROBLEM: submission ") == 2
    assert (conflict.returncode, conflict.stdout) == (3, b"0 new, 0 known already\n")
    assert b"CONFLICT: submission " + sent.submission.encode() in conflict.stderr


def test_refusals_are_plain_sentences(world: World, drop: Drop, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("wrong\n")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "latin").write_bytes(b"\xe9\n")
    bag = drop.bag(drop.send(drop.source("for refusals"), words("x")))
    world.facts("amber", "import", bag)
    os.truncate(bag, 5000)

    refused = {
        "is not a bag": world.at("amber", "import", tmp_path),
        "no bag": world.at("amber", "import", "/etc/passwd"),
        "no bag there": world.at("amber", "import", tmp_path / "none.tar"),
        "was cut": world.at("amber", "import", bag),
        "is unknown": world.at("amber", "open", "nobody"),
        "a reply without words": world.at("amber", "reply", "for refusals", said=b" \n"),
        "a reply that is no text": world.at("amber", "reply", "for refusals", said=b"\xff\xfe"),
        "a reply from no file": world.at("amber", "reply", "for refusals", "--file", tmp_path / "none"),
        "a folder that is there": world.at("amber", "open", "for refusals", "--to", tmp_path),
        "never made": world.at("amber", "outbox", "--again", "77"),
        "no form": world.at("amber", "form", tmp_path / "wrong"),
        "a form that is nowhere": world.at("amber", "form", tmp_path / "nowhere"),
        "a second desk": world.init("amber"),
        "no desk": world.at("nobody", "list"),
    }
    for name in ("wrong", "empty", "latin"):
        command = [sys.executable, "-m", "svidok", "workstation", "list", str(world.desk("amber"))]
        refused[f"passphrase: {name}"] = subprocess.run(
            [*command, "--passphrase-file", str(tmp_path / name)], check=False, capture_output=True
        )

    for what, done in refused.items():
        assert done.returncode == 1, what
        assert done.stdout == b"", what
        assert re.fullmatch(r"svidok: [^\n]+\n", done.stderr.decode()), (what, done.stderr)
    told = {what: done.stderr.decode().removeprefix("svidok: ").rstrip() for what, done in refused.items()}
    assert told["is not a bag"] == f"{tmp_path} is no file"
    assert told["no bag"] == "/etc/passwd is no transfer bag"
    assert told["no bag there"] == f"there is no {tmp_path}/none.tar"
    assert told["no desk"] == (
        f"{world.desk('nobody')} is not the folder of a workstation: there is no workstation.json in it"
    )
    assert b"the passphrase does not open the case log" in refused["passphrase: wrong"].stderr
    assert agents(world.root / "desk-amber") == []


def test_a_key_whose_agent_could_not_be_reached_leaves_no_folder(world: World) -> None:
    folder = world.root / ("long" * 20)

    done = svidok("workstation", "key", folder, "--name", "heron", "--passphrase-file", world.passphrase)

    assert (done.returncode, b"gpg's agent cannot be reached" in done.stderr) == (1, True)
    assert not folder.exists()


def test_a_desk_that_could_not_be_made_leaves_no_copy_of_a_key(world: World, tmp_path: Path) -> None:
    """Whatever was there before stays as it was: also another key, made here before the ceremony."""
    (tmp_path / "wrong").write_text("not this one\n")
    roots = [word for one in REVIEWERS for word in ("--root", world.fingerprint(one))]
    words = ("--drop", world.identity, "--keyset", world.keyset, *roots, "--reviewer", world.fingerprint("amber"))
    begin = (*words, "--gnupg", world.root / "amber", "--passphrase-file", tmp_path / "wrong")
    empty, used = world.root / "empty", world.root / "used"
    empty.mkdir()
    end = ("--passphrase-file", world.passphrase)
    assert svidok("workstation", "key", used, "--name", "heron", *end).returncode == 0
    before = tree(used)

    refused = [svidok("workstation", "init", folder, *begin) for folder in (world.root / "new", empty, used)]

    assert [(done.returncode, done.stdout) for done in refused] == [(1, b"")] * 3
    assert not (world.root / "new").exists()
    assert list(empty.iterdir()) == []
    assert tree(used) == before
    assert agents(used) == agents(empty) == []


@pytest.mark.check("Q5")
def test_what_cannot_be_opened_here_is_refused_and_nobody_is_asked(world: World, drop: Drop) -> None:
    sent = drop.send(drop.source("not for us"), words("x"))
    world.facts("amber", "import", drop.bag(sent))
    shelf = world.desk("amber") / "sealed" / sent.submission
    symmetric = bytes.fromhex("c30d04090308") + bytes(9) + b"\xd2\xff" + os.urandom(70_000)
    for content in (symmetric, b"-----BEGIN PGP SIGNED MESSAGE-----\n", os.urandom(70_000), b""):
        for path in shelf.iterdir():
            path.write_bytes(content)

        done = world.at("amber", "open", "not for us", "--to", drop.folder / "out")

        assert (done.returncode, done.stdout) == (1, b"")
        assert b"sealed" in done.stderr
        assert not (drop.folder / "out").exists()


@pytest.mark.check("Q2", "G2")
def test_a_damaged_part_leaves_no_file_behind(world: World, drop: Drop) -> None:
    sent = drop.send(drop.source("damaged part"), file("a", bytes(100_000)))
    world.facts("amber", "import", drop.bag(sent))
    path = world.desk("amber") / "sealed" / sent.submission / f"{sent.parts[0].sealed.part_id}.gpg"
    whole = path.read_bytes()
    out = drop.folder / "out"
    for spoiled in (whole[:-1], whole[: len(whole) // 2], whole[:50_000] + b"!" + whole[50_001:]):
        path.write_bytes(spoiled)

        done = world.at("amber", "open", "damaged part", "--to", out)

        assert (done.returncode, done.stdout) == (1, b"")
        assert [each.name for each in out.parent.iterdir() if "out" in each.name] == []


@pytest.mark.check("Q13")
def test_what_a_source_wrote_does_nothing_to_the_terminal(world: World, drop: Drop) -> None:
    golden = [case for case in json.loads(GOLDEN.read_text()) if "surrogate" not in case["what"]]
    message = words("\n".join(case["raw"] for case in golden))
    names = "".join(case["raw"] for case in golden)
    sent = drop.send(drop.source("golden file"), message, file(names, b"x", "text/plain"))
    world.facts("amber", "import", drop.bag(sent))

    done = world.at("amber", "open", "golden file", "--to", drop.folder / "out")

    shown = done.stdout.decode()
    assert done.returncode == 0
    assert "[message]\n" + "\n".join(case["lines"] for case in golden) + "\n[file] " in shown
    assert not [byte for byte in done.stdout if byte < 0x20 and byte not in b"\n\t"]
    assert not re.search("[\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", shown)


@pytest.mark.check("Q14")
def test_a_running_command_has_loaded_nothing_that_speaks_to_a_network(world: World) -> None:
    program = (
        "import json, sys; from svidok.cli import main; code = main(sys.argv[1:]);"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    command = [sys.executable, "-c", program, "workstation", "list", str(world.desk("amber"))]
    done = subprocess.run(
        [*command, "--passphrase-file", str(world.passphrase)], check=True, capture_output=True, text=True
    )
    loaded = set(json.loads(done.stderr.splitlines()[-1]))

    assert loaded & CLIENTS == set()
    assert {name.partition(".")[0] for name in loaded} & (SERVERS | CLIENTS) == set()
    assert {"workstation", "casework", "keys.opening"} <= {name for name in loaded if "." not in name} | loaded


@pytest.mark.check("Q14")
def test_no_module_of_the_workstation_imports_what_speaks_to_a_network() -> None:
    """What is imported, followed through all of our own packages."""
    found: dict[str, set[str]] = {}
    waiting = ["svidok.commands.workstation"]
    while waiting:
        name = waiting.pop()
        path = ROOT / Path(*name.split("."))
        source = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
        if name in found or not source.exists():
            continue
        found[name] = _imports(source)
        waiting += sorted(found[name])

    everything = set().union(*found.values())
    assert len(found) > 40
    assert everything & CLIENTS == set()
    assert {name for name in everything if name.split(".")[0] in SERVERS} == set()
    # hardening.process holds a filter for system calls that is written in terms of `socket`; it makes none.
    assert {name for name, imports in found.items() if imports & {"socket", "ssl", "asyncio"}} <= {"hardening.process"}


def _imports(source: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.check("Q3", "Q14", "G5")
def test_neither_the_command_nor_gpg_makes_a_socket_to_a_network(world: World, drop: Drop, tmp_path: Path) -> None:
    sent = drop.send(drop.source("under watch"), words("x"), file("a", b"x"))
    bag, trace = drop.bag(sent), tmp_path / "trace"
    watched = ["strace", "-f", "-qq", "-s", "4096", "-e", "trace=socket,execve", "-o", str(trace)]
    calls = ""
    for action, *more in (
        ("import", bag),
        ("open", "under watch", "--to", drop.folder / "out"),
        ("reply", "under watch"),
        ("outbox",),
    ):
        done = world.at("amber", action, *more, said=b"words", before=watched)
        assert done.returncode == 0, done.stderr
        calls += trace.read_text()

    families = set(re.findall(r"socket\((AF_\w+)", calls))
    assert families <= {"AF_UNIX"}
    gpgs = [line for line in calls.splitlines() if re.search(r'execve\("[^"]*/gpg", .* = 0$', line)]
    assert len(gpgs) > 10
    for line in gpgs:
        for flag in (
            "--batch", "--no-tty", "--no-options", "--no-verbose", "--status-fd", "--homedir", "--disable-dirmngr",
            "--no-auto-key-locate", "--no-auto-key-retrieve", "--no-auto-key-import",
        ):  # fmt: skip
            assert f'"{flag}"' in line
        assert "--pinentry-mode" in line or "--no-autostart" in line
    streams = [line for line in gpgs if '"--decrypt"' in line and '"--max-output"' in line]
    assert len(streams) >= 6
    assert not re.search(r'execve\("[^"]*/(dirmngr|keyserver|curl|wget)"', calls)


def test_a_closed_terminal_destroys_what_was_half_let_out(world: World, drop: Drop) -> None:
    part = drop.seal_stream(binary(Flow(64 * 1024 * 1024)), file("large", b""))
    world.facts("amber", "import", drop.bag(drop.sent(drop.source("closed terminal"), [part])))
    out = drop.folder / "out"
    command = [sys.executable, "-m", "svidok", "workstation", "open", str(world.desk("amber")), "closed terminal"]
    process = subprocess.Popen(
        [*command, "--to", str(out), "--passphrase-file", str(world.passphrase)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 120
    while not (out.parent / ".out.part").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGHUP)
    said = process.communicate(timeout=60)

    assert (process.returncode, said) == (130, (b"", b""))
    assert not out.exists()
    assert not (out.parent / ".out.part").exists()
    assert agents(world.root / "desk-amber") == []


@pytest.mark.parametrize("mebibytes", [300, pytest.param(2048, marks=[pytest.mark.full, pytest.mark.timeout(1800)])])
def test_memory_does_not_grow_with_the_file(world: World, drop: Drop, mebibytes: int) -> None:
    def measured(name: str, size_bytes: int) -> tuple[int, int]:
        part = drop.seal_stream(binary(Flow(size_bytes)), file(name, b""))
        sent = drop.sent(drop.source(), [part])
        bag = drop.bag(sent)
        part.path.unlink()
        end = ("--passphrase-file", world.passphrase)
        taken = peak_kib(["workstation", "import", world.desk("amber"), bag, *end])
        bag.unlink()
        out = drop.folder / f"out-{part.sealed.part_id}"
        opened = peak_kib(["workstation", "open", world.desk("amber"), sent.submission, "--to", out, *end])
        assert sum(path.stat().st_size for path in out.rglob("large")) in (0, size_bytes)
        shutil.rmtree(out)
        return taken, opened

    small = measured("small", 1000)
    large = measured("large", mebibytes * 1024 * 1024)

    assert large[0] - small[0] < 32 * 1024
    assert large[1] - small[1] < 32 * 1024
