"""A command to Redis in a connection of its own: RESP, the answers that a command of one value has.

https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

import socket
from urllib.parse import urlsplit


class Error(Exception):
    """What the server refused, in its words."""


def command(url: str, *words: str) -> str | int | None:
    target = urlsplit(url)
    parts = [word.encode() for word in words]
    request = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
    with socket.create_connection((target.hostname, target.port or 6379), timeout=2) as connection:
        connection.sendall(request)
        return _answer(connection.makefile("rb"))


def _answer(stream) -> str | int | None:
    line = stream.readline().rstrip(b"\r\n")
    kind, rest = line[:1], line[1:]
    match kind:
        case b"+":
            return rest.decode()
        case b":":
            return int(rest)
        case b"$" if int(rest) < 0:
            return None
        case b"$":
            return stream.read(int(rest) + 2)[:-2].decode()
        case b"-":
            raise Error(rest.decode())
    raise Error("Redis closed the connection" if not line else f"an answer that is not understood: {line!r}")
