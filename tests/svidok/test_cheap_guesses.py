"""A drop whose codenames and passwords would be cheap to guess does not run (C14)."""

import pytest

from svidok.place import Place
from tests.svidok.console import Console


@pytest.mark.check("C14")
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("memory_kib = 131071", "argon.memory_kib is at least 131072, not 131071"),
        ("passes = 2", "argon.passes is at least 3, not 2"),
        ("lanes = 2", "unknown name in [argon]: lanes"),
    ],
)
def test_a_drop_with_a_cheap_argon2_is_refused_at_its_start(
    bare_drop: Place, console: Console, line: str, says: str
) -> None:
    before, _, _ = bare_drop.settings.read_text("utf-8").partition("[argon]")
    bare_drop.settings.write_text(f"{before}[argon]\n{line}\n", "utf-8")

    said = console("run", bare_drop.root, "--tor", "off")

    assert says in said.refusal
    assert list(bare_drop.run.iterdir()) == []
