# What each recipe is for, and when to run it, is in CONTRIBUTING.md. Without `just`, run a recipe's commands by hand.

# Lists the recipes
default:
    @just --list --unsorted

# Checks format, lints, unit tests and the fast end-to-end tests
check:
    .ci/check

# Runs every test
test:
    cargo test --locked

# Runs the programs of others against the debug build
peers:
    cargo test --locked --test integration --no-run
    export CRRCTL="${CARGO_TARGET_DIR:-$PWD/target}/debug/crrctl"; for peer in tests/peers/*/run; do if [ -x "$peer" ]; then "$peer" </dev/null || exit 1; fi; done

# Runs all that must hold before a change goes in
all:
    .ci/run
