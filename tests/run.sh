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

# The kill tests and the examples are tests of the root package (tests/it); that generated docs are those of
# the code is a test of xtask. Always the whole workspace: a part of it would be another feature set, and
# DataFusion would be compiled once more.
step "tests"
cargo test --locked --workspace
