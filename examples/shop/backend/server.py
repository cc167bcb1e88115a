"""The shop's API: products in PostgreSQL, a counter of visits in Redis.

Standard library only, so that there is nothing to install; `postgres.py` and `redis.py` speak just enough of the
two protocols. A real project would take psycopg and redis-py.
"""

import json
import os
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import postgres
import redis

PORT = int(os.environ.get("PORT", "8080"))
DATABASE_URL = os.environ.get("DATABASE_URL", "postgres://shop@127.0.0.1:5432/shop")
REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")

SCHEMA = """
create table if not exists product (id integer primary key, name text not null, cents integer not null);
insert into product values (1, 'A box of nails', 450), (2, 'Hammer', 1990), (3, 'Anvil', 24900)
    on conflict do nothing;
"""


def products() -> list[dict]:
    rows = postgres.query(DATABASE_URL, "select id, name, cents from product order by id")
    return [{"id": int(id), "name": name, "cents": int(cents)} for id, name, cents in rows]


def health() -> dict:
    """Healthy only if both answer."""
    return {
        "postgres": postgres.query(DATABASE_URL, "select 1")[0][0] == "1",
        "redis": redis.command(REDIS_URL, "PING") == "PONG",
    }


def cart_total(cart: dict) -> int:
    """The bug that POST /crash finds: nobody thought of an empty cart."""
    return sum(item["cents"] for item in cart["items"])


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.route({
            "/health": health,
            "/api/products": products,
            "/api/visits": lambda: {"visits": redis.command(REDIS_URL, "INCR", "visits")},
        })

    def do_POST(self) -> None:
        self.route({"/crash": lambda: cart_total({})})

    def route(self, routes: dict) -> None:
        begun = time.monotonic()
        handler = routes.get(self.path)
        try:
            status, answer = (200, handler()) if handler else (404, {"error": f"no {self.path} here"})
        except (OSError, postgres.Error, redis.Error) as error:
            status, answer = 503, {"error": str(error)}
        except Exception:
            # An API in a compiled language would die of such a bug; so does this one.
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.path != "/health" or status != 200:
            level = "ERROR " if status >= 500 else ""
            print(f"{level}{self.command} {self.path} - {status} ({(time.monotonic() - begun) * 1000:.0f}ms)")

    def log_message(self, *_: object) -> None:
        """Lines are written in `route`, where the time is known."""


def main() -> None:
    postgres.query(DATABASE_URL, SCHEMA)
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    print(f"listening on {PORT}, with {len(products())} products")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
