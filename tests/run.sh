#!/usr/bin/env bash
# Everything that must hold before a change is merged: format, lints, generated docs, tests, kill tests,
# examples. Stops at the first failure. One cargo profile (dev) for all of it.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/seatun/target}"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-auto}"

step() {
    printf '\n== %s (after %d s)\n' "$1" "$SECONDS"
}

step "what the tests need"
tests/setup.sh

step "format"
cargo fmt --all --check

step "lints"
cargo clippy --locked --workspace --all-targets -- -D warnings

step "generated docs are those of the code"
cargo xtask gen --check

# The kill tests and the examples are tests of the root package (tests/it).
step "tests"
cargo test --locked --workspace
