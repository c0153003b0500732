//! The random seed of property tests. It is fixed, so that every run tests the same cases; the
//! thorough mode uses a new seed for each run.
//! Not for: code outside tests.

use proptest::test_runner::{Config, RngSeed};

/// Returns the configuration of a property test with `cases` cases.
pub(crate) fn cases(cases: u32) -> Config {
    let is_thorough =
        std::env::var_os("CRRCTL_THOROUGH").is_some_and(|value| !value.is_empty() && value != "0");
    let rng_seed = if is_thorough { RngSeed::Random } else { RngSeed::Fixed(1) };
    Config { cases, rng_seed, ..Config::default() }
}
