import pytest

from journalist_interface.pages import Pages, counted, exact, grouped, sized


@pytest.mark.check("K7")
def test_numbers_are_told_in_classes() -> None:
    told = [counted(number) for number in (0, 1, 2, 3, 4, 7, 8, 100)]

    assert told == ["0", "1", "2–3", "2–3", "4–7", "4–7", "8–15", "64–127"]


@pytest.mark.check("K7")
def test_sizes_are_told_in_classes() -> None:
    told = [sized(size) for size in (1, 65_536, 65_537, 1 << 20, (1 << 20) + 1, 3 << 30)]

    assert told == ["≤ 64 KiB", "≤ 64 KiB", "≤ 128 KiB", "≤ 1 MiB", "≤ 2 MiB", "≤ 4 GiB"]


def test_what_is_compared_is_easy_to_compare() -> None:
    assert exact(1_234_567) == "1\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}567"
    assert grouped("ABCDEFGHIJ") == "ABCD EFGH IJ"


def test_a_real_drop_does_not_say_test() -> None:
    assert b"TEST" not in Pages("Desk", evaluation=False).refusal("missing")
    assert b"TEST" in Pages("Desk", evaluation=True).refusal("missing")


@pytest.mark.check("A11")
def test_what_is_shown_is_text() -> None:
    page = Pages("<img src=x>", evaluation=True).page("sign_in.html", ended=False, refused=False)

    assert b"<img" not in page.body
    assert b"&lt;img src=x&gt;" in page.body
