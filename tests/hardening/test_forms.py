import hashlib
import random
import re
import time
from collections.abc import Iterator

import pytest

from hardening.forms import FormLimits, declared_type
from hardening.part_headers import part_head
from hardening.serving import ServingLimits
from tests.hardening.site import Answer, Client, Site, ask, folder, request, running

BOUNDARY = "----geckoformboundary0123456789abcdef"
MULTIPART = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"
URLENCODED = "Content-Type: application/x-www-form-urlencoded"
END = f"\r\n--{BOUNDARY}--\r\n".encode()


@pytest.fixture(scope="module")
def server() -> Iterator[Site]:
    with folder() as path, running(Site(path / "s"), ServingLimits(drain_seconds=0.2)) as site:
        yield site


@pytest.fixture
def site(server: Site) -> Site:
    server.kept.clear()
    server.limits = FormLimits()
    return server


def part(content: bytes = b"x", *headers: bytes) -> bytes:
    headers = headers or (b'Content-Disposition: form-data; name="message"',)
    return b"--" + BOUNDARY.encode() + b"\r\n" + b"\r\n".join(headers) + b"\r\n\r\n" + content + b"\r\n"


def file(content: bytes = b"x", name: bytes = b"a.pdf") -> bytes:
    disposition = b'Content-Disposition: form-data; name="file"; filename="' + name + b'"'
    return part(content, disposition, b"Content-Type: application/pdf")


def whole(*made: bytes) -> bytes:
    return b"".join(made) + END[2:]


def send(site: Site, body: bytes, content_type: str = MULTIPART, *more: str) -> Answer:
    return ask(site, request("POST", "/send", content_type, *more, body=body))


def refused(site: Site, body: bytes, status: int = 400, content_type: str = MULTIPART) -> bool:
    """Whether a form was refused with *status* and left nothing behind."""
    answer = send(site, body, content_type)
    return answer.status == status and site.kept == []


def test_a_form_arrives_as_it_was_sent(site: Site) -> None:
    answer = send(site, whole(part("Нехай щастить\r\n".encode()), file(b"one"), file(b"two", b"b.jpg")))

    assert answer.body == b"received"
    assert site.kept[0].texts == [("message", "Нехай щастить\r\n")]
    assert site.kept[0].files == [
        ("a.pdf", hashlib.sha256(b"one").hexdigest(), 3),
        ("b.jpg", hashlib.sha256(b"two").hexdigest(), 3),
    ]


@pytest.mark.check("E1")
@pytest.mark.parametrize("cut", range(1, len(END) - 1))
def test_a_form_without_its_closing_boundary_is_nothing(site: Site, cut: int) -> None:
    body = whole(part(), file(b"x" * 1000))

    assert refused(site, body[:-2][:-cut])


@pytest.mark.check("E1")
def test_a_closing_boundary_of_another_form_ends_nothing(site: Site) -> None:
    assert refused(site, part() + b"--other--\r\n")
    assert refused(site, part() + END[2:].upper())


@pytest.mark.check("E2")
@pytest.mark.parametrize(
    "value", ['boundary="' + "\\" * 6000, "boundary=" + '"' * 6000, "; " * 3000, "boundary=a" + " " * 6000 + "b"]
)
def test_a_long_content_type_costs_nothing(site: Site, value: str) -> None:
    began = time.process_time()

    assert refused(site, whole(part()), 400, f"Content-Type: multipart/form-data; {value}")
    assert time.process_time() - began < 0.05


@pytest.mark.check("E2")
def test_a_hundred_thousand_backslashes_are_refused_by_the_head_limit(site: Site) -> None:
    began = time.process_time()

    assert refused(site, b"", 431, 'Content-Type: multipart/form-data; boundary="' + "\\" * 100_000)
    assert time.process_time() - began < 0.05


@pytest.mark.check("E3")
@pytest.mark.parametrize("around", [b"x", b"\r\n", b"x" * 1025 + b"\r\n", b"\r\n" * 600, b"x" * 10_000_000])
def test_nothing_stands_around_the_parts(site: Site, around: bytes) -> None:
    began = time.process_time()

    assert refused(site, around + whole(part()))
    assert refused(site, whole(part()) + around)
    assert time.process_time() - began < 1


@pytest.mark.check("E3")
def test_a_second_form_behind_the_first_is_not_overlooked(site: Site) -> None:
    assert refused(site, whole(part()) + whole(file()))
    assert refused(site, whole(part()) + END)
    assert send(site, whole(part())[:-2]).status == 200


def test_endless_padding_behind_a_boundary_is_refused(site: Site) -> None:
    padded = part().rstrip(b"\r\n") + b"\r\n--" + BOUNDARY.encode() + b" " * 2_000_000 + END

    assert refused(site, padded)


@pytest.mark.check("E4")
@pytest.mark.parametrize(
    "value",
    ["multipart/form-data", "multipart/form-data; boundary=", 'multipart/form-data; boundary=""',
     "multipart/form-data; boundary=" + "x" * 71, f'multipart/form-data; boundary="{"x" * 71}"',
     "multipart/form-data; boundary=a; boundary=b", "multipart/form-data; boundary=é",
     "multipart/form-data; boundary=a b",
     'multipart/form-data; boundary="a', "multipart/form-data; boundary=a;", 'multipart/form-data; boundary="a "',
     "multipart/form-data, boundary=a", "multipart/form-data; charset=utf-8; boundary=a",
     "multipart/form-data; boundary*=a"],
)  # fmt: skip
def test_a_boundary_is_written_as_rfc_2046_says(site: Site, value: str) -> None:
    answer = send(site, b"--a\r\n\r\n--a--", f"Content-Type: {value}")

    assert answer.status in {400, 415}
    assert site.kept == []


@pytest.mark.check("E4")
@pytest.mark.parametrize("end", ["\r\nboundary=a", "\nboundary=a", "\rboundary=a", "\0"])
def test_a_boundary_holds_no_line_end(site: Site, end: str) -> None:
    assert refused(site, b"", 400, f"Content-Type: multipart/form-data; boundary=a{end}")


@pytest.mark.check("E4")
@pytest.mark.parametrize("boundary", ["a", "x" * 70, "==_+'().,:/?-=="])
def test_boundaries_that_are_allowed_work(site: Site, boundary: str) -> None:
    body = whole(part(), file()).replace(BOUNDARY.encode(), boundary.encode())

    assert send(site, body, f'Content-Type: multipart/form-data; boundary="{boundary}"').status == 200


@pytest.mark.check("E5")
def test_the_eleventh_file_is_too_many(site: Site) -> None:
    assert send(site, whole(*[file()] * 10)).status == 200
    site.kept.clear()
    assert refused(site, whole(*[file()] * 11))


@pytest.mark.check("E5")
def test_the_twenty_first_field_is_too_many(site: Site) -> None:
    site.limits = FormLimits(fields=20)
    box = part(b"x", b'Content-Disposition: form-data; name="box"')

    assert send(site, whole(*[box] * 20)).status == 200
    site.kept.clear()
    assert refused(site, whole(*[box] * 21))


@pytest.mark.check("E5")
def test_ten_thousand_parts_cost_little_and_the_error_can_be_read(site: Site) -> None:
    site.limits = FormLimits(fields=20)
    began = time.process_time()

    answer = send(site, whole(*[part(b"x", b'Content-Disposition: form-data; name="box"')] * 10_000))

    assert answer.status == 400
    assert answer.body == b"TooManyPartsError"
    assert time.process_time() - began < 0.2
    assert site.kept == []


@pytest.mark.check("E5")
def test_lines_like_a_boundary_are_counted_as_parts(site: Site) -> None:
    """They are a hundred times as dear to parse, and RFC 2046 forbids them."""
    began = time.process_time()

    assert refused(site, whole(file((b"\r\n--" + BOUNDARY.encode() + b"x") * 200_000)))
    assert time.process_time() - began < 0.2


@pytest.mark.check("E5")
def test_file_controls_left_alone_are_no_files(site: Site) -> None:
    empty = file(b"", b"")

    assert send(site, whole(part(), *[empty] * 10, file())).status == 200
    assert [name for name, _, _ in site.kept[0].files] == ["a.pdf"]


def chunked(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        piece = body[start : start + size]
        yield b"%x\r\n" % len(piece) + piece + b"\r\n"


@pytest.mark.check("E6")
def test_the_body_is_counted_and_not_believed(site: Site) -> None:
    site.limits = FormLimits(body_bytes=3_000_000)
    head = request("POST", "/send", MULTIPART, "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
    sent = 0

    with Client(site) as client:
        client.send(head + b"".join(chunked(file(), 1000)))
        for _ in range(64):
            before = len(client.buffer)
            client.send(b"".join(chunked(bytes(1 << 20), 1 << 16)))
            sent += 1 << 20
            client.socket.setblocking(False)
            try:
                client.buffer += client.socket.recv(65536)
            except BlockingIOError:
                pass
            except ConnectionResetError:
                break
            finally:
                client.socket.settimeout(20)
            if len(client.buffer) > before:
                break
        answer = client.answer()

    assert answer.status == 413
    # The limit, a mebibyte read beyond it, and what the sockets hold on the way.
    assert sent <= 3_000_000 + 3 * (1 << 20)
    assert site.kept == []


@pytest.mark.check("E6")
def test_a_body_announced_too_large_is_refused_unread(site: Site) -> None:
    head = request("POST", "/send", MULTIPART).replace(b"Length: 0", b"Length: 524288001")

    with Client(site) as client:
        assert client.send(head).answer().status == 413
    assert FormLimits().body_bytes == 524_288_000


@pytest.mark.check("E6")
@pytest.mark.full
def test_five_gigabytes_flow_when_the_limit_is_raised(site: Site) -> None:
    site.limits = FormLimits(body_bytes=5 << 30)
    before, after = whole(file()).split(b"\r\n\r\nx", 1)
    size = 5 * 10**9
    total = len(before) + 4 + size + len(after)
    block = random.Random(1).randbytes(1 << 20)  # noqa: S311
    digest = hashlib.sha256()

    with Client(site, 250) as client:
        client.send(request("POST", "/send", MULTIPART).replace(b"Length: 0", b"Length: %d" % total))
        client.send(before + b"\r\n\r\n")
        for start in range(0, size, len(block)):
            piece = block[: size - start]
            digest.update(piece)
            client.send(piece)
        assert client.send(after).answer().body == b"received"

    assert site.kept[0].files == [("a.pdf", digest.hexdigest(), size)]


def small(site: Site, body: bytes) -> Answer:
    return ask(site, request("POST", "/small", URLENCODED, body=body))


@pytest.mark.check("E7")
@pytest.mark.parametrize(
    "body",
    [b"&".join(b"box=x" for _ in range(51)), b"message=" + b"x" * 131_072, b"a;" * 500_000, b"message=1&&box=2",
     b"message", b"&", b"message=%zz", b"message=%2", b"=x", b"message=1&message=2", b"other=1"],
)  # fmt: skip
def test_a_small_form_is_small_and_plain(site: Site, body: bytes) -> None:
    began = time.process_time()

    answer = small(site, body)

    assert answer.status == 400
    assert time.process_time() - began < 0.1
    assert site.kept == []


@pytest.mark.check("E7")
def test_a_semicolon_separates_nothing(site: Site) -> None:
    assert small(site, b"message=a;box=b&box=%C3%A4+%26&box=%FF").status == 200
    assert site.kept[0].texts == [("message", "a;box=b"), ("box", "ä &"), ("box", "\ufffd")]


@pytest.mark.check("E8")
@pytest.mark.parametrize("letter", ["x", "ж", "😀", "\r\n"])
def test_a_hundred_thousand_characters_are_kept_exactly(site: Site, letter: str) -> None:
    text = letter * 100_000

    assert send(site, whole(part(text.encode()))).status == 200
    assert site.kept[0].texts == [("message", text)]


@pytest.mark.check("E8")
def test_one_character_more_is_refused_and_given_back(site: Site) -> None:
    text = "ж" * 100_001
    body = whole(part(text.encode()))

    answer = send(site, body)
    answer_of_fields = ask(site, request("POST", "/small", MULTIPART, body=body))

    assert answer.status == answer_of_fields.status == 400
    assert answer.body.decode() == answer_of_fields.body.decode() == "too long\n" + text
    assert site.kept == []


@pytest.mark.check("E8")
def test_all_text_together_is_bounded(site: Site) -> None:
    box = part(b"x" * 99_999, b'Content-Disposition: form-data; name="box"')

    assert refused(site, whole(*[box] * 11), 413)


DISPOSITION = b'Content-Disposition: form-data; name="message"'


@pytest.mark.check("E9")
@pytest.mark.parametrize(
    "headers",
    [
        [DISPOSITION, *[b"X-%d: x" % number for number in range(8)]],
        [DISPOSITION, b"X: " + b"x" * 4100],
        [DISPOSITION, b"x" * 4100 + b": x"],
        [DISPOSITION, b"no colon"],
        [DISPOSITION, b": no name"],
        [DISPOSITION, b" folded: x"],
        [DISPOSITION, b"X: a\0b"],
        [DISPOSITION, b"X\0: a"],
        [DISPOSITION, b"X: a\nb"],
        [DISPOSITION, b"X: a\rb"],
        [b"X: y"],
        [],
    ],
)
def test_odd_headers_of_a_part_are_refused(site: Site, headers: list[bytes]) -> None:
    began = time.process_time()
    body = part(b"x", *headers) if headers else b"--" + BOUNDARY.encode() + b"\r\n\r\nx\r\n"

    assert refused(site, whole(body))
    assert time.process_time() - began < 0.05


@pytest.mark.check("E9")
def test_headers_that_never_end_are_refused(site: Site) -> None:
    assert refused(site, b"--" + BOUNDARY.encode() + b"\r\n" + DISPOSITION)
    assert refused(site, b"--" + BOUNDARY.encode() + b"\r\n" + DISPOSITION + b"x" * 1_000_000)


@pytest.mark.check("E10")
@pytest.mark.parametrize(
    ("sent", "kept"),
    [(b"../../x", "../../x"), (b"..\\x", "..\\x"), (b"/etc/x", "/etc/x"), (b"C:\\x", "C:\\x"), (b"n" * 300, "n" * 300),
     (b".", "."), (b"..", ".."), (b"", ""), (b"a\x1b[31m", "a\x1b[31m"), ("\u202egnp.exe".encode(), "\u202egnp.exe"),
     (b"\xff\xfe.txt", "\ufffd\ufffd.txt"), ("😀.jpg".encode(), "😀.jpg"), (b"a%22b%0D%0A", "a%22b%0D%0A"),
     (b"a;b=c", "a;b=c"),     (b"\\", "\\"), (b"%2e%2e%2fx", "%2e%2e%2fx")],
)  # fmt: skip
def test_a_file_name_is_kept_as_it_is_and_means_nothing(site: Site, sent: bytes, kept: str) -> None:
    """Invalid UTF-8 alone is replaced, by U+FFFD."""
    assert send(site, whole(file(b"x", sent))).status == 200
    assert site.kept[0].files[0][0] == kept


@pytest.mark.check("E10")
@pytest.mark.parametrize("sent", [b"a\0b", b"a\r\nb", b"a\nb", b"a\rb", b'a"b', b'a\\"b'])
def test_a_file_name_that_no_browser_sends_is_refused(site: Site, sent: bytes) -> None:
    assert refused(site, whole(file(b"x", sent)))


@pytest.mark.check("E11")
@pytest.mark.parametrize("extended", [b"filename*=UTF-8''..%2f..%2fx", b"filename*0=a", b"filename*=x; filename*=y"])
@pytest.mark.parametrize("plain", [b"", b'; filename="a.pdf"'])
def test_an_extended_file_name_is_never_decoded(site: Site, extended: bytes, plain: bytes) -> None:
    head = b'Content-Disposition: form-data; name="file"'

    assert refused(site, whole(part(b"x", head + plain + b"; " + extended)))
    assert refused(site, whole(part(b"x", head + b"; " + extended + plain)))


@pytest.mark.check("E12")
@pytest.mark.parametrize(
    "headers",
    [
        [DISPOSITION, DISPOSITION],
        [DISPOSITION, b"content-disposition: attachment"],
        [DISPOSITION + b'; name="box"'],
        [b'Content-Disposition: form-data; name="file"; filename="a"; filename="b"'],
        [b'Content-Disposition: form-data; filename="a"; name="file"'],
        [b'Content-Disposition: attachment; name="message"'],
        [b"Content-Disposition: form-data; name=message"],
        [b'Content-Disposition: form-data; name=""'],
        [b'Content-Disposition: form-data; name="%s"' % (b"x" * 257)],
        [b'Content-Disposition: form-data; name="message'],
        [b"Content-Disposition: form-data"],
        [b'Content-Disposition: form-data; name="unknown"'],
        [b'Content-Disposition: form-data; name="file"'],
        [b'Content-Disposition: form-data; name="message"; filename="a"'],
        [DISPOSITION, b"Content-Type: a/b", b"Content-Type: a/b"],
    ],
)
def test_a_part_has_one_meaning(site: Site, headers: list[bytes]) -> None:
    assert refused(site, whole(part(b"x", *headers)))


@pytest.mark.check("E12")
def test_a_single_field_comes_once(site: Site) -> None:
    assert refused(site, whole(part(), part()))
    assert refused(site, whole(part(), file(), part()))


@pytest.mark.check("E13")
@pytest.mark.parametrize("pattern", [b"\r", b"\n", b"\r\n", b"\r\n--", b"-", b"\r\n--" + BOUNDARY[:-1].encode()])
def test_line_ends_in_a_file_are_kept_and_cost_no_more(site: Site, pattern: bytes) -> None:
    site.limits = FormLimits(body_bytes=1 << 30)
    size = 20 << 20
    noise = random.Random(13).randbytes(size)  # noqa: S311
    content = (pattern * (size // len(pattern) + 1))[:size]

    def seconds(content: bytes) -> float:
        began = time.process_time()
        assert send(site, whole(file(content))).status == 200
        return time.process_time() - began

    usual = min(seconds(noise) for _ in range(3))
    odd = min(seconds(content) for _ in range(3))

    assert site.kept[-1].files[0][1] == hashlib.sha256(content).hexdigest()
    assert odd <= 3 * usual


@pytest.mark.check("E14")
def test_nothing_sent_is_nothing_kept(site: Site) -> None:
    assert send(site, b"").body == b"EmptyFormError"
    assert small(site, b"").body == b"EmptyFormError"
    assert ask(site, request("POST", "/send")).status == 415
    assert site.kept == []


@pytest.mark.check("E14")
def test_a_form_without_parts_arrives_empty(site: Site) -> None:
    assert send(site, END[2:]).status == 200
    assert site.kept[0].texts == []
    assert site.kept[0].files == []


@pytest.mark.check("E15")
@pytest.mark.parametrize("name", [b"a.pdf", b""])
def test_a_form_closed_for_files_takes_none(site: Site, name: bytes) -> None:
    site.limits = FormLimits(files=0)

    assert refused(site, whole(part(), file(b"x", name)), 403)
    assert send(site, whole(part(), file(b"", b""))).status == 200


def test_a_form_of_text_alone_takes_no_file(site: Site) -> None:
    answer = ask(site, request("POST", "/small", MULTIPART, body=whole(part(), file())))

    assert answer.status == 400
    assert site.kept == []


@pytest.mark.check("E16")
@pytest.mark.parametrize("length", [b"-1", b"+5", b"5,5", b"5, 5", b"9" * 20, b"0x5", b"5 5", b"", b"05", "٥".encode()])
def test_a_length_that_is_no_number_closes_the_connection(site: Site, length: bytes) -> None:
    head = request("POST", "/send", MULTIPART).replace(b"Length: 0", b"Length: " + length)

    with Client(site) as client:
        assert client.send(head).answer().status == 400
        assert client.closed() < 2
    assert site.kept == []


@pytest.mark.check("E16")
@pytest.mark.parametrize("more", ["Content-Length: 6", "Content-Length: 5", "Transfer-Encoding: chunked"])
def test_two_lengths_close_the_connection(site: Site, more: str) -> None:
    with Client(site) as client:
        assert client.send(request("POST", "/send", MULTIPART, more, body=b"12345")).answer().status == 400
        assert client.closed() < 2


@pytest.mark.check("E17")
@pytest.mark.parametrize(
    "header",
    [b"Content-Type: multipart/mixed; boundary=x", b"Content-Type: multipart/form-data; boundary=x",
     b"Content-Type: message/rfc822", b"Content-Type: nonsense", b"Content-Type: a/b; \x07",
     b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: quoted-printable", b"Content-Encoding: gzip"],
)  # fmt: skip
def test_nothing_inside_a_part_is_decoded(site: Site, header: bytes) -> None:
    assert refused(site, whole(part(b"aGVsbG8=", b'Content-Disposition: form-data; name="file"; filename="a"', header)))


@pytest.mark.check("E17")
def test_a_part_in_plain_encoding_is_kept_byte_for_byte(site: Site) -> None:
    assert send(site, whole(part(b"aGVsbG8=", DISPOSITION, b"Content-Transfer-Encoding: 8bit"))).status == 200
    assert site.kept[0].texts == [("message", "aGVsbG8=")]


@pytest.mark.check("E18")
@pytest.mark.parametrize("encoding", ["gzip", "br", "identity", "x", "deflate, gzip"])
def test_a_form_in_any_encoding_is_refused(site: Site, encoding: str) -> None:
    began = time.process_time()

    assert send(site, whole(part()), MULTIPART, f"Content-Encoding: {encoding}").status == 415
    assert time.process_time() - began < 0.02
    assert site.kept == []


@pytest.mark.check("E18")
@pytest.mark.parametrize(
    "media_type",
    ["application/json", "application/xml", "text/plain", "text/plain; boundary=x", "multipart/mixed; boundary=x"],
)
@pytest.mark.parametrize("path", ["/send", "/small"])
def test_what_is_no_form_is_refused(site: Site, media_type: str, path: str) -> None:
    began = time.process_time()

    assert ask(site, request("POST", path, f"Content-Type: {media_type}", body=b"{}")).status == 415
    assert time.process_time() - began < 0.02
    assert site.kept == []


def test_the_form_routes_want_one_content_type(site: Site) -> None:
    assert ask(site, request("POST", "/send", MULTIPART, MULTIPART, body=whole(part()))).status == 400


def test_a_part_without_a_type_is_text() -> None:
    assert part_head([(b"Content-Disposition", b'form-data; name="a"')]).media_type == "text/plain"
    assert part_head(
        [(b"content-disposition", b'form-data;name="a"'), (b"Content-Type", b"Image/PNG; x=y")]
    ).media_type == ("image/png")


def test_a_content_type_is_found_whatever_its_case() -> None:
    assert declared_type([(b"Content-Type", b"x"), (b"Content-Length", b"1")], FormLimits()) == "x"


def test_no_message_of_an_error_quotes_what_was_sent() -> None:
    """They are logged."""
    with pytest.raises(Exception, match="disposition") as caught:
        part_head([(b"Content-Disposition", b'form-data; name="codename-of-a-source')])

    assert not re.search("codename", str(caught.value))
