"""A query to PostgreSQL in a connection of its own: protocol 3.0, trusted user, simple queries, text results.

https://www.postgresql.org/docs/current/protocol.html
"""

import socket
import struct
from urllib.parse import urlsplit


class Error(Exception):
    """What the server refused, in its words."""


def query(url: str, sql: str) -> list[tuple[str | None, ...]]:
    """The rows of the last statement of `sql`."""
    target = urlsplit(url)
    parameters = f"user\0{target.username}\0database\0{target.path.lstrip('/')}\0\0".encode()
    with socket.create_connection((target.hostname, target.port or 5432), timeout=2) as connection:
        stream = connection.makefile("rwb")
        stream.write(struct.pack("!ii", len(parameters) + 8, 196608) + parameters)
        stream.flush()
        _until_ready(stream)
        _send(stream, b"Q", sql.encode() + b"\0")
        rows = _until_ready(stream)
        _send(stream, b"X", b"")
        return rows


def _send(stream, kind: bytes, body: bytes) -> None:
    stream.write(kind + struct.pack("!i", len(body) + 4) + body)
    stream.flush()


def _until_ready(stream) -> list[tuple[str | None, ...]]:
    rows: list[tuple[str | None, ...]] = []
    while True:
        head = _read(stream, 5)
        body = _read(stream, struct.unpack("!i", head[1:])[0] - 4)
        match head[:1]:
            case b"Z":
                return rows
            case b"T":
                rows = []
            case b"D":
                rows.append(_row(body))
            case b"E":
                fields = {field[:1]: field[1:].decode() for field in body.split(b"\0") if field}
                raise Error(fields.get(b"M", "PostgreSQL refused"))


def _row(body: bytes) -> tuple[str | None, ...]:
    columns, at = [], 2
    for _ in range(struct.unpack("!h", body[:2])[0]):
        (length,) = struct.unpack("!i", body[at : at + 4])
        at += 4
        columns.append(None if length < 0 else body[at : at + length].decode())
        at += max(length, 0)
    return tuple(columns)


def _read(stream, length: int) -> bytes:
    read = stream.read(length)
    if len(read) < length:
        raise Error("PostgreSQL closed the connection")
    return read
