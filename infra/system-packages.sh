#!/bin/sh
# Install what the tests start for real, Postgres and Chromium, and what checks page scripts and documented commands. Does nothing where they are there already.
set -eu

have() {
    command -v "$1" >/dev/null 2>&1
}

postgres() {
    have postgres || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1
}

if postgres && have chromium && have npm && have curl; then
    exit 0
fi
if ! have apt-get; then
    echo "Install PostgreSQL (15 or newer), Chromium, npm and curl, then run this again." >&2
    exit 1
fi
SUDO=""
[ "$(id -u)" = 0 ] || SUDO="sudo"
$SUDO apt-get update -qq
MISSING=""
postgres || MISSING="postgresql"
have chromium || MISSING="$MISSING chromium fonts-dejavu-core"
have npm || MISSING="$MISSING npm"
have curl || MISSING="$MISSING curl"
# shellcheck disable=SC2086
$SUDO apt-get install -y -qq --no-install-recommends $MISSING >/dev/null
