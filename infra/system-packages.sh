#!/bin/sh
# Install what the tests start for real, Postgres, Chromium and nginx, and what checks page scripts and documented commands. Does nothing where they are there already.
set -eu

# What asks for a command is called otherwise than the command: `command -v` finds functions too.
have() {
    command -v "$1" >/dev/null 2>&1
}

has_postgres() {
    have postgres || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1
}

has_nginx() {
    have nginx || [ -x /usr/sbin/nginx ] # which is on nobody's path but root's
}

if has_postgres && has_nginx && have chromium && have npm && have curl; then
    exit 0
fi
if ! have apt-get; then
    echo "Install PostgreSQL (15 or newer), Chromium, nginx, npm and curl, then run this again." >&2
    exit 1
fi
SUDO=""
[ "$(id -u)" = 0 ] || SUDO="sudo"
$SUDO apt-get update -qq
MISSING=""
has_postgres || MISSING="postgresql"
has_nginx || MISSING="$MISSING nginx-light"
have chromium || MISSING="$MISSING chromium fonts-dejavu-core"
have npm || MISSING="$MISSING npm"
have curl || MISSING="$MISSING curl"
# Tests start these by themselves, on ports of their own: nothing that is new here starts to serve by being installed.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' | $SUDO tee /usr/sbin/policy-rc.d >/dev/null
    $SUDO chmod +x /usr/sbin/policy-rc.d
    trap '$SUDO rm -f /usr/sbin/policy-rc.d' EXIT
fi
# shellcheck disable=SC2086
$SUDO apt-get install -y -qq --no-install-recommends $MISSING >/dev/null
