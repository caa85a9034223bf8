"""Only this session's own form changes something, and only once."""

import asyncio

import pytest

from hardening.csrf import CsrfError, FormTokens, check, token

KEY = bytes(range(32))
OTHER_KEY = bytes(32)


def test_a_sessions_own_token_is_accepted() -> None:
    check(KEY, "close", token(KEY, "close"))


@pytest.mark.check("C8")
def test_a_token_has_at_least_128_bits() -> None:
    assert len(token(KEY, "close")) == 43  # 256 bits in base64


@pytest.mark.check("C8")
@pytest.mark.parametrize(
    "untrusted",
    [
        pytest.param(None, id="missing"),
        pytest.param("", id="empty"),
        pytest.param(token(OTHER_KEY, "close"), id="other session"),
        pytest.param(token(KEY, "logout"), id="other purpose"),
        pytest.param(token(KEY, "close")[:-1], id="truncated"),
        pytest.param(token(KEY, "close") * 2, id="doubled"),
        pytest.param(token(KEY, "close").swapcase(), id="wrong case"),
        pytest.param(token(KEY, "close") + "=", id="padded"),
        pytest.param(" " + token(KEY, "close"), id="spaced"),
        pytest.param("\u0430" * 43, id="cyrillic"),
        pytest.param("\ud800", id="surrogate"),
    ],
)
def test_any_other_token_is_refused(untrusted: str | None) -> None:
    with pytest.raises(CsrfError):
        check(KEY, "close", untrusted)


async def post(tokens: FormTokens, form: str | None, stored: list[str], key: bytes = KEY) -> str:
    """Store something and answer where it can be seen; answer a repetition the same."""
    async with tokens.turn(key, "report", form) as turn:
        if turn.outcome is None:
            await asyncio.sleep(0)
            stored.append("submission")
            turn.settle(f"/sent/{len(stored)}")
        assert turn.outcome is not None
        return turn.outcome


@pytest.mark.check("T8")
def test_the_same_form_twice_stores_once_and_answers_the_same() -> None:
    tokens, stored = FormTokens(), list[str]()
    form = tokens.issue(KEY, "report")

    async def twice() -> list[str]:
        return [await post(tokens, form, stored), await post(tokens, form, stored)]

    assert asyncio.run(twice()) == ["/sent/1", "/sent/1"]
    assert stored == ["submission"]


@pytest.mark.check("T8")
def test_the_same_form_many_times_at_once_stores_once() -> None:
    tokens, stored = FormTokens(), list[str]()
    form = tokens.issue(KEY, "report")

    async def at_once() -> list[str]:
        return await asyncio.gather(*(post(tokens, form, stored) for _ in range(20)))

    assert asyncio.run(at_once()) == ["/sent/1"] * 20
    assert stored == ["submission"]


@pytest.mark.check("T8")
def test_two_forms_are_two_submissions() -> None:
    tokens, stored = FormTokens(), list[str]()

    async def both() -> list[str]:
        forms = [tokens.issue(KEY, "report"), tokens.issue(KEY, "report")]
        return [await post(tokens, form, stored) for form in forms]

    assert asyncio.run(both()) == ["/sent/1", "/sent/2"]


@pytest.mark.check("T8")
def test_an_upload_that_broke_off_can_be_sent_again_from_the_same_page() -> None:
    """Nothing was kept, so the token is not spent; and nothing is remembered of the attempt."""
    tokens, stored = FormTokens(), list[str]()
    form = tokens.issue(KEY, "report")

    async def broken() -> None:
        async with tokens.turn(KEY, "report", form):
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        asyncio.run(broken())
    assert not tokens._spent

    assert asyncio.run(post(tokens, form, stored)) == "/sent/1"


@pytest.mark.check("T8")
def test_the_second_press_waits_and_goes_on_if_the_first_breaks_off() -> None:
    """A browser that is told to send again cuts the first attempt, often before we notice."""
    tokens, stored = FormTokens(), list[str]()
    form = tokens.issue(KEY, "report")

    async def first(begun: asyncio.Event) -> None:
        async with tokens.turn(KEY, "report", form):
            begun.set()
            await asyncio.Event().wait()

    async def both() -> str:
        begun = asyncio.Event()
        stuck = asyncio.create_task(first(begun))
        await begun.wait()
        second = asyncio.create_task(post(tokens, form, stored))
        await asyncio.sleep(0)
        assert not second.done()
        stuck.cancel()
        return await second

    assert asyncio.run(both()) == "/sent/1"
    assert stored == ["submission"]


@pytest.mark.check("T8")
def test_what_breaks_after_the_work_was_done_does_not_undo_it() -> None:
    tokens, stored = FormTokens(), list[str]()
    form = tokens.issue(KEY, "report")

    async def gone() -> None:
        async with tokens.turn(KEY, "report", form) as turn:
            turn.settle("/sent/first")
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        asyncio.run(gone())

    assert asyncio.run(post(tokens, form, stored)) == "/sent/first"
    assert stored == []


@pytest.mark.check("C8")
@pytest.mark.parametrize("change", ["missing", "other session", "other purpose", "truncated", "doubled", "wrong case"])
def test_a_form_token_that_was_not_issued_here_is_refused(change: str) -> None:
    tokens, stored = FormTokens(), list[str]()
    form = tokens.issue(KEY, "report")
    untrusted = {
        "missing": None,
        "other session": tokens.issue(OTHER_KEY, "report"),
        "other purpose": tokens.issue(KEY, "close"),
        "truncated": form[:-1],
        "doubled": form * 2,
        "wrong case": form.swapcase(),
    }[change]

    with pytest.raises(CsrfError):
        asyncio.run(post(tokens, untrusted, stored))

    assert stored == []


def test_only_so_many_outcomes_are_remembered() -> None:
    tokens, stored = FormTokens(capacity=3), list[str]()

    async def many() -> None:
        for _ in range(10):
            await post(tokens, tokens.issue(KEY, "report"), stored)

    asyncio.run(many())

    assert len(tokens._spent) == 3
