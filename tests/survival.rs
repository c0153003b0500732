//! Tests that no data is lost and no resource is orphaned under crashes, faults, propagation lag,
//! drift and concurrent runs, each at every possible point. Runs happen inside this process (see
//! `machines`), since the tests make thousands of them.
//! The thorough mode, `CRRCTL_THOROUGH=1`, adds the cases that the usual mode leaves out to save
//! time; each test names them.
//! Not for: the signals and deadlines of single commands (see `interruption`).

mod again;
mod crashes;
mod dead_ends;
mod denials;
mod faults;
mod hands;
mod late_crashes;
mod machines;
mod meetings;
mod model;
mod options;
mod quirks;
mod races;
mod rights;

pub(crate) use machines::{each, is_thorough, machine, on_a_machine, stride};
