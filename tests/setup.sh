#!/usr/bin/env bash
# Makes what the tests need beside Rust: a Python environment with DuckDB, the independent reader of what
# the kill tests have committed. Does nothing if it is there; `--print` says where its Python is.
set -euo pipefail

cache="${XDG_CACHE_HOME:-$HOME/.cache}/seatun"
venv="$cache/venv"
python="$venv/bin/python"
needs=(duckdb)

have() {
    [ -x "$python" ] && "$python" -c 'import duckdb' 2>/dev/null
}

# Installs Debian packages, for a machine that has no Python or one without `venv`.
apt_install() {
    local run=()
    [ "$(id -u)" = 0 ] || run=(sudo -n)
    "${run[@]}" apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq --no-install-recommends "$@" >&2
}

make_venv() {
    command -v python3 >/dev/null || apt_install python3 python3-venv
    rm -rf "$venv"
    if ! python3 -m venv "$venv" >&2; then
        apt_install python3-venv
        rm -rf "$venv"
        python3 -m venv "$venv" >&2
    fi
    "$python" -m pip install --quiet --disable-pip-version-check "${needs[@]}" >&2
}

mkdir -p "$cache"
# Several test processes may come here at once: the first one works, the others wait for it.
exec 9>"$cache/setup.lock"
command -v flock >/dev/null && flock 9
have || make_venv
have || { echo "tests/setup.sh: $python cannot import duckdb" >&2; exit 1; }
command -v cc >/dev/null || apt_install build-essential
[ "${1:-}" != --print ] || echo "$python"
