//! Nothing is lost and nothing is orphaned, whatever happens: crashes, faults, lag, drift and runs side by side, each at every
//! point there is. Runs happen inside this process (see `machines`), since thousands of them are wanted.
//! The thorough mode, `CRRCTL_THOROUGH=1`, tries what the usual one leaves out for the sake of time; each test says what.

mod again;
mod crashes;
mod faults;
mod hands;
mod machines;
mod model;
mod races;
mod rights;

pub(crate) use machines::{is_thorough, machine, on_a_machine, stride};
