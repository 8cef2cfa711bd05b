"""Bytes to text, piece by piece, so that the first wrong byte is named by its line and offset.

rows.csv, line 3: not UTF-8 at byte 41 (0xE9); name the encoding it was saved in, …
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator

from workbench.datasets.source import Notes, Source
from workbench.errors import InvalidFile, UsageError

CHUNK_BYTES = 1 << 20
LONGEST_LINE = 1 << 26
"""Characters; a line (or quoted cell) beyond this is a file that is not what its name says."""

BYTE_ORDER_MARKS = (  # UTF-32 first: its little-endian mark begins like that of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def pieces(source: Source, notes: Notes) -> Iterator[str]:
    """The text in pieces of about a megabyte. Raises InvalidFile at the first wrong byte or NUL."""
    with source.open() as file:
        head = file.read(4)
        if head == b"PK\x03\x04":
            raise source.problem("this is a zip or Excel file; name it .xlsx if it is a workbook.")
        encoding, start = _encoding(source, head, notes)
        file.seek(start)
        decoder = codecs.getincrementaldecoder(encoding)("strict")
        done_bytes, lines = start, 0
        while True:
            chunk = file.read(CHUNK_BYTES)
            held = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeError as error:
                raise _undecodable(source, encoding, error, done_bytes - held, lines) from None
            if "\x00" in text:
                raise source.problem(
                    "a NUL byte, so this is not plain text; if it is UTF-16, say --encoding utf-16.",
                    lines + _breaks(text[: text.index("\x00")]) + 1,
                )
            lines += _breaks(text)
            done_bytes += len(chunk)
            source.at(done_bytes)
            yield text
            if not chunk:
                return


def lines(source: Source, notes: Notes) -> Iterator[str]:
    r"""The lines with their ends (\n, \r\n or \r) as they are, in bounded memory."""
    carry, number = "", 0
    for text in pieces(source, notes):
        # StringIO splits at line ends only; str.splitlines also at characters that belong to a value
        found = list(io.StringIO(carry + text, newline=""))
        carry = found.pop() if found and not found[-1].endswith("\n") else ""
        if len(carry) > LONGEST_LINE:
            raise source.problem(
                f"the line is longer than {LONGEST_LINE:,} characters; is this the right format?",
                number + len(found) + 1,
            )
        number += len(found)
        yield from found
    if carry:
        yield carry


def _encoding(source: Source, head: bytes, notes: Notes) -> tuple[str, int]:
    """The codec and how many bytes of byte order mark to skip."""
    if source.encoding is not None:
        try:
            "".encode(source.encoding)  # refuses unknown names and codecs that are not text encodings
        except (LookupError, UnicodeError):
            raise UsageError(
                f"'{source.encoding}' is not a text encoding; "
                "give one such as utf-8, utf-16, cp1252 or latin-1."
            ) from None
    for mark, encoding in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            if source.encoding is not None and not _same_family(source.encoding, encoding):
                notes.say(f"The file begins with the mark of {encoding.upper()} and was read as that.")
            return encoding, len(mark)
    return source.encoding or "utf-8", 0


def _same_family(given: str, found: str) -> bool:
    name = codecs.lookup(given).name.removesuffix("-sig")
    return name in (found, found.removesuffix("-le").removesuffix("-be"))


def _undecodable(source: Source, encoding: str, error: UnicodeError, base: int, lines: int) -> InvalidFile:
    if not isinstance(error, UnicodeDecodeError):
        return source.problem(f"not {encoding.upper()}: {error}.", lines + 1)
    before = error.object[: error.start].decode(encoding, "ignore")
    offset = base + error.start
    shown = f"0x{error.object[error.start]:02X}"
    remedy = (
        "name the encoding it was saved in, for example --encoding cp1252"
        if source.encoding is None
        else "try another --encoding"
    )
    return source.problem(
        f"not {encoding.upper()} at byte {offset} ({shown}); {remedy}, or save the file as UTF-8.",
        lines + _breaks(before) + 1,
    )


def _breaks(text: str) -> int:
    return text.count("\n") or text.count("\r")
