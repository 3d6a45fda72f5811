#!/bin/sh
# Install what the tests start for real: Postgres and Chromium. Does nothing where they are there already.
set -eu

have() {
    command -v "$1" >/dev/null 2>&1
}

postgres() {
    have postgres || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1
}

if postgres && have chromium; then
    exit 0
fi
if ! have apt-get; then
    echo "Install PostgreSQL (15 or newer) and Chromium, then run this again: the tests start both." >&2
    exit 1
fi
SUDO=""
[ "$(id -u)" = 0 ] || SUDO="sudo"
$SUDO apt-get update -qq
$SUDO apt-get install -y -qq --no-install-recommends postgresql chromium fonts-dejavu-core >/dev/null
