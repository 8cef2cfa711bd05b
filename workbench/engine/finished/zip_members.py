"""The members of a zip archive that nobody vouches for: read one at a time, within limits, never unpacked.

    with Archive(source) as archive:
        archive.names            ["header.json", "samples/1_epoch_1.json", …]
        archive.member("header.json")        a Source, as a file of its own would be

An archive that was cut short has lost its directory; what stands whole before the cut is found by
walking over the members themselves.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Self

from workbench.datasets.source import Source
from workbench.errors import InvalidFile

MOST_MEMBERS = 500_000
MOST_MEMBER_BYTES = 1 << 27
"""Of one member, unpacked."""
MOST_BYTES = 1 << 32
"""Of all members, unpacked."""

STORED, DEFLATED, ZSTANDARD = 0, 8, 93
ENCRYPTED, SIZES_FOLLOW = 0x1, 0x8
START = b"PK\x03\x04"
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_CHUNK_BYTES = 1 << 18
_UNSAFE = re.compile(r"[/\\]|[A-Za-z]:|(.*[/\\])?\.\.([/\\]|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Member:
    at: int
    """Where its own header begins."""
    method: int
    flags: int
    crc: int
    packed_bytes: int


class Archive:
    """An open archive. Raises InvalidFile where it is none, or is made to do harm.

    Attributes:
        cut_short: whether its end is missing, so that members may be.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._file = source.open()
        self._left_bytes, self._done_bytes = MOST_BYTES, 0
        self.cut_short = False
        try:
            self._members = self._directory()
            for name in self._members:
                if _UNSAFE.match(name):
                    raise source.problem(f"the archive has a member '{name[:80]}' outside of itself.")
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def names(self) -> list[str]:
        """Members in the archive's order; of two with one name the later counts."""
        return list(self._members)

    def done(self, name: str) -> None:
        """Tells whoever waits that this member has been read."""
        self._done_bytes += self._members[name].packed_bytes
        self._source.at(min(self._done_bytes, self._source.size_bytes))

    def member(self, name: str) -> Source:
        """A member, unpacked. Raises InvalidFile where it is damaged or too large."""
        content = bytearray()
        for chunk in self._chunks(name, self._members[name]):
            content += chunk
            self._left_bytes -= len(chunk)
            if len(content) > MOST_MEMBER_BYTES or self._left_bytes < 0:
                raise self._problem(
                    name, f"unpacks to more than {MOST_MEMBER_BYTES >> 20} MiB, or all of them to too much"
                )
        return Source(f"{self._source.name}, {name[:120]}", content=bytes(content))

    def _directory(self) -> dict[str, _Member]:
        try:
            with zipfile.ZipFile(self._file) as archive:
                found = archive.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, struct.error, EOFError, NotImplementedError):
            self.cut_short = True
            return dict(self._walk())
        if len(found) > MOST_MEMBERS:
            raise self._source.problem(f"the archive has more than {MOST_MEMBERS:,} members.")
        return {
            one.filename: _Member(
                one.header_offset, one.compress_type, one.flag_bits, one.CRC, one.compress_size
            )
            for one in found
        }

    def _walk(self) -> Iterator[tuple[str, _Member]]:
        """The members that stand whole in an archive without a directory."""
        at, total_bytes = 0, self._source.size_bytes
        for _ in range(MOST_MEMBERS):
            self._file.seek(at)
            header = self._file.read(_LOCAL_HEADER.size)
            if len(header) < _LOCAL_HEADER.size or not header.startswith(START):
                break
            _, _, flags, method, _, _, crc, packed_bytes, _, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(
                header
            )
            name = self._file.read(name_bytes)
            extra = self._file.read(extra_bytes)
            if packed_bytes == 0xFFFFFFFF:
                packed_bytes = _long_size(extra)
            end = at + _LOCAL_HEADER.size + name_bytes + extra_bytes + packed_bytes
            if flags & SIZES_FOLLOW or end > total_bytes:
                break
            yield name.decode("utf-8", "replace"), _Member(at, method, flags, crc, packed_bytes)
            at = end
        if at == 0:
            raise self._source.problem("this is not a zip archive, or its beginning is damaged.")

    def _chunks(self, name: str, member: _Member) -> Iterator[bytes]:
        """The member's unpacked bytes in pieces; their checksum is right when the last has been given."""
        if member.flags & ENCRYPTED:
            raise self._problem(name, "is encrypted")
        self._file.seek(member.at)
        header = self._file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or not header.startswith(START):
            raise self._problem(name, "is not where the archive's directory says")
        name_bytes, extra_bytes = _LOCAL_HEADER.unpack(header)[-2:]
        packed = _Packed(
            self._file, member.at + _LOCAL_HEADER.size + name_bytes + extra_bytes, member.packed_bytes
        )
        if member.method not in (STORED, DEFLATED, ZSTANDARD):
            raise self._problem(name, "is packed in a way that is not known here")
        checksum = 0
        try:
            for chunk in _unpacked(packed, member.method):
                checksum = zlib.crc32(chunk, checksum)
                yield chunk
        except (zlib.error, OSError, EOFError) as error:
            raise self._problem(name, f"is damaged ({error})") from None
        if checksum != member.crc:
            raise self._problem(name, "is damaged (its checksum is another)")

    def _problem(self, name: str, what: str) -> InvalidFile:
        return self._source.problem(f"member '{name[:80]}' {what}; save the file again from its source.")


class _Packed(io.RawIOBase):
    """The packed bytes of one member."""

    def __init__(self, file: BinaryIO, start: int, size_bytes: int) -> None:
        self._file, self._at, self._left_bytes = file, start, size_bytes

    def readable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """As a file's."""
        wanted = self._left_bytes if size < 0 else min(size, self._left_bytes)
        self._file.seek(self._at)
        found = self._file.read(wanted)
        self._at += len(found)
        self._left_bytes -= len(found)
        return found


def _unpacked(packed: _Packed, method: int) -> Iterator[bytes]:
    if method == DEFLATED:
        yield from _inflated(packed)
        return
    stream: io.RawIOBase = packed
    if method == ZSTANDARD:
        import pyarrow

        stream = pyarrow.CompressedInputStream(packed, "zstd")
    while chunk := stream.read(_CHUNK_BYTES):
        yield chunk


def _inflated(packed: _Packed) -> Iterator[bytes]:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    while not inflate.eof:
        taken = inflate.unconsumed_tail or packed.read(_CHUNK_BYTES)
        chunk = inflate.decompress(taken, _CHUNK_BYTES)
        if not taken and not chunk:
            raise EOFError("it ends early")
        if chunk:
            yield chunk


def _long_size(extra: bytes) -> int:
    """The packed size of a member beyond 4 GB, from the field that has it."""
    while len(extra) >= 4:
        kind, length = struct.unpack("<2H", extra[:4])
        if kind == 1 and length >= 16:
            return int(struct.unpack("<Q", extra[12:20])[0])
        extra = extra[4 + length :]
    return 0xFFFFFFFF
