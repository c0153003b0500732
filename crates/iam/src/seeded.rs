//! The seed of property tests, so that a run finds what the run before it found. The thorough mode draws another each time.
//! Not for: anything but tests.

use proptest::test_runner::{Config, RngSeed};

/// Returns the settings of a property test of so many cases.
pub(crate) fn cases(cases: u32) -> Config {
    let is_thorough =
        std::env::var_os("CRRCTL_THOROUGH").is_some_and(|value| !value.is_empty() && value != "0");
    let rng_seed = if is_thorough { RngSeed::Random } else { RngSeed::Fixed(1) };
    Config { cases, rng_seed, ..Config::default() }
}
