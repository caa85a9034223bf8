import threading

import pytest

from onion.errors import BootstrapError, NotPublishedError, TorStoppedError
from onion.service import OnionAddress
from onion.watch import Bootstrap, Watch

ADDRESS = OnionAddress.of(bytes(32))
OTHER = OnionAddress.of(bytes([1]) * 32)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_published_means_that_every_upload_was_answered_and_one_accepted(watch: Watch) -> None:
    heard = []
    for action in ("UPLOAD", "UPLOAD", "FAILED", "UPLOADED"):
        watch.hear_descriptor(action, ADDRESS.label)
        heard.append(watch.published(ADDRESS))

    assert heard == [False, False, False, True]


def test_another_service_does_not_count(watch: Watch) -> None:
    watch.hear_descriptor("UPLOAD", OTHER.label)
    watch.hear_descriptor("UPLOADED", OTHER.label)

    with pytest.raises(NotPublishedError):
        watch.wait_published(ADDRESS, 0)


@pytest.mark.check("D1")
def test_what_a_client_fetches_is_not_remembered(watch: Watch) -> None:
    for action in ("REQUESTED", "RECEIVED", "FAILED", "UPLOADED"):
        watch.hear_descriptor(action, ADDRESS.label)

    assert watch._uploads == {}


def test_a_publication_can_be_awaited_anew(watch: Watch) -> None:
    watch.hear_descriptor("UPLOAD", ADDRESS.label)
    watch.hear_descriptor("UPLOADED", ADDRESS.label)
    watch.wait_published(ADDRESS, 0)

    watch.forget_published(ADDRESS)

    assert not watch.published(ADDRESS)


def test_the_steps_into_the_network_are_told(watch: Watch) -> None:
    steps: list[Bootstrap] = []
    arrived = Bootstrap(100, "done")

    def tell(step: Bootstrap) -> None:
        steps.append(step)
        watch.hear_bootstrap(arrived)

    watch.wait_bootstrapped(5, tell)

    assert steps == [Bootstrap(0, "starting"), arrived]


def test_a_way_that_takes_too_long_is_an_error(watch: Watch) -> None:
    watch.hear_bootstrap(Bootstrap(40, "half"))

    with pytest.raises(BootstrapError, match="40 %"):
        watch.wait_bootstrapped(0, lambda _: None)


def test_those_who_wait_learn_of_the_end(watch: Watch) -> None:
    threading.Timer(0.05, watch.hear_end).start()

    with pytest.raises(TorStoppedError):
        watch.wait_published(ADDRESS, 30)
    with pytest.raises(TorStoppedError):
        watch.wait_bootstrapped(30, lambda _: None)
