# A list of cargo commands; cargo stays what decides. `just ci` is what CI runs.

# What a change needs while it is made.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# Every test, doc tests too.
test *args:
    bash tests/run {{ args }}

# The tests against a real tmux; name another one in TMUX_CC_TEST_TMUX.
live *args:
    cargo test -p tests --test live {{ args }}

# The live tests on every tmux of the matrix, or on those versions.
matrix *versions:
    bash tests/matrix/run {{ versions }}

# One fuzz target, for as many seconds: `just fuzz notification 60`.
fuzz target seconds="60":
    bash fuzz/run {{ seconds }} {{ target }}

bench *args:
    cargo bench -p benches {{ args }}

ci:
    bash .ci/run
