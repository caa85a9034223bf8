import pytest

from bags.errors import ManifestError, TooLargeError
from bags.profile import TRANSFER, parse_information, parse_manifest
from tests.bags.samples import BAG_ID, HOSTILE_NAMES


@pytest.mark.check("Q6", "Q7")
@pytest.mark.parametrize("name", [name for name in HOSTILE_NAMES if name != f"{BAG_ID}/data/index.json"])
def test_a_hostile_name_is_refused_in_the_manifest(name: str) -> None:
    line = f"{'0' * 64}  {name.removeprefix(BAG_ID + '/')}\n"

    with pytest.raises(ManifestError):
        parse_manifest(line.encode(), TRANSFER)


@pytest.mark.check("Q6")
@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"\n",
        b"0" * 64 + b"  data/index.json",
        b"0" * 63 + b"  data/index.json\n",
        b"0" * 64 + b" data/index.json\n",
        b"0" * 64 + b"   data/index.json\n",
        b"0" * 64 + b" *data/index.json\n",
        b"A" * 64 + b"  data/index.json\n",
        b"0" * 64 + b"  data/index.json\r\n",
        b"0" * 64 + b"  data/index.json\n\n",
        b"0" * 64 + b"  data/index.json\n" + b"0" * 64 + b"  data/index.json\n",
        b"0" * 64 + b"  data/keyset.json\n" + b"0" * 64 + b"  data/index.json\n",
        b"0" * 64 + b"  data/index%2Ejson\n",
        b"\xef\xbb\xbf" + b"0" * 64 + b"  data/index.json\n",
    ],
)
def test_a_manifest_in_any_other_form_is_refused(manifest: bytes) -> None:
    with pytest.raises(ManifestError):
        parse_manifest(manifest, TRANSFER)


INFORMATION = b"Bag-Kind: transfer 1\nExternal-Identifier: " + b"b" * 32 + b"\nPayload-Oxum: 5.2\n"


@pytest.mark.parametrize(
    "information",
    [
        b"",
        INFORMATION[:-1],
        INFORMATION + b"\n",
        INFORMATION + b"Payload-Oxum: 6.2\n",
        INFORMATION.replace(b"transfer 1", b"return 1"),
        INFORMATION.replace(b"transfer 1", b"transfer 2"),
        INFORMATION.replace(b"5.2", b"05.2"),
        INFORMATION.replace(b"5.2", b"5"),
        INFORMATION.replace(b"5.2", b"-5.2"),
        INFORMATION.replace(b"5.2", "٥.2".encode()),
        INFORMATION.replace(b"\n", b"\r\n"),
        INFORMATION.replace(b"b" * 32, b"B" * 32),
    ],
)
def test_bag_information_in_any_other_form_is_refused(information: bytes) -> None:
    parse_information(INFORMATION, TRANSFER)

    with pytest.raises(ManifestError):
        parse_information(information, TRANSFER)


@pytest.mark.parametrize("oxum", [b"5.100001", b"1099511627777.2", b"9999999999999999999.2"])
def test_a_payload_that_announces_too_much_is_refused_at_once(oxum: bytes) -> None:
    with pytest.raises(TooLargeError):
        parse_information(INFORMATION.replace(b"5.2", oxum), TRANSFER)
