import re
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onion.errors import AddressError, OnionKeysError
from onion.service import HOSTNAME_FILE, PUBLIC_FILE, SECRET_FILE, OnionAddress, OnionKeys

# RFC 8032, 7.1, test 1.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
ADDRESS = "25njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkenl5sid.onion"


def test_a_known_seed_has_its_known_address(tmp_path: Path) -> None:
    keys = OnionKeys.create(tmp_path / "onion", lambda length: SEED[:length])

    assert str(keys.address) == ADDRESS
    assert str(OnionAddress.of(PUBLIC)) == ADDRESS
    assert (keys.folder / PUBLIC_FILE).read_bytes().endswith(PUBLIC)


@pytest.mark.check("M2")
def test_two_services_have_different_addresses_of_version_3(tmp_path: Path) -> None:
    first, second = (OnionKeys.create(tmp_path / name) for name in ("source", "reviewer"))

    assert re.fullmatch(r"[a-z2-7]{55}d\.onion", str(first.address))
    assert first.address != second.address
    assert (first.folder / SECRET_FILE).read_bytes() != (second.folder / SECRET_FILE).read_bytes()


@pytest.mark.check("M13")
def test_key_files_are_private(tmp_path: Path) -> None:
    folder = OnionKeys.create(tmp_path / "onion").folder

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


@pytest.mark.check("M13")
@pytest.mark.parametrize("name", [SECRET_FILE, PUBLIC_FILE, ""])
def test_keys_open_to_others_are_refused(tmp_path: Path, name: str) -> None:
    folder = OnionKeys.create(tmp_path / "onion").folder
    (folder / name).chmod(0o750 if name == "" else 0o640)

    with pytest.raises(OnionKeysError):
        OnionKeys.load(folder)


def test_keys_are_found_again(tmp_path: Path) -> None:
    made = OnionKeys.create(tmp_path / "onion")

    assert OnionKeys.load(made.folder) == made


def test_an_address_is_never_overwritten(tmp_path: Path) -> None:
    made = OnionKeys.create(tmp_path / "onion")

    with pytest.raises(OnionKeysError):
        OnionKeys.create(made.folder)
    assert OnionKeys.load(made.folder) == made


@pytest.mark.parametrize("name", [SECRET_FILE, PUBLIC_FILE, HOSTNAME_FILE])
def test_damaged_keys_are_refused(tmp_path: Path, name: str) -> None:
    folder = OnionKeys.create(tmp_path / "onion").folder
    content = bytearray((folder / name).read_bytes())
    content[40] ^= 1
    (folder / name).write_bytes(content)

    with pytest.raises(OnionKeysError):
        OnionKeys.load(folder)


@pytest.mark.parametrize("name", [SECRET_FILE, PUBLIC_FILE, HOSTNAME_FILE])
def test_missing_keys_are_refused(tmp_path: Path, name: str) -> None:
    folder = OnionKeys.create(tmp_path / "onion").folder
    (folder / name).unlink()

    with pytest.raises(OnionKeysError):
        OnionKeys.load(folder)


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_every_address_is_read_back(public_key: bytes) -> None:
    address = OnionAddress.of(public_key)

    assert OnionAddress.parse(str(address)) == OnionAddress.parse(address.label) == address


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=70) | st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=56, max_size=56))
def test_nothing_else_is_an_address(text: str) -> None:
    with pytest.raises(AddressError):
        OnionAddress.parse(text)


def test_an_address_in_capitals_is_refused() -> None:
    with pytest.raises(AddressError):
        OnionAddress.parse(ADDRESS.removesuffix(".onion").upper())
