#!/bin/sh
# postgres.sh FOLDER PORT: a PostgreSQL of this workspace's own. The first start makes its data folder.
set -eu

mkdir -p "$1"
data=$(cd "$1" && pwd)/data
port=$2

# Debian and Homebrew keep the server's programs out of PATH.
for bin in /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin; do
    if [ -x "$bin/postgres" ]; then PATH=$PATH:$bin; fi
done

# PostgreSQL refuses to run as root (in a container one often is). The capability lets its user reach a folder of
# root's; the data itself is that user's alone.
as_owner=
if [ "$(id -u)" = 0 ]; then
    owner=$(id -un postgres 2>/dev/null || echo nobody)
    chown "$owner" "$1"
    as_owner="setpriv --reuid $owner --regid $(id -g "$owner") --clear-groups"
    as_owner="$as_owner --inh-caps +dac_override --ambient-caps +dac_override"
fi

if [ ! -d "$data" ]; then
    # Under another name until it is whole: a start that was interrupted here is simply done again.
    rm -rf "$data.new"
    $as_owner initdb --pgdata "$data.new" --username shop --auth trust --encoding UTF8 --locale C --no-sync >&2
    echo 'create database shop' | $as_owner postgres --single -D "$data.new" postgres >/dev/null
    mv "$data.new" "$data"
fi

# No Unix socket: its usual folder belongs to the system's own PostgreSQL. Losing data to a power cut is fine here.
exec $as_owner postgres -D "$data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c fsync=off -c full_page_writes=off
