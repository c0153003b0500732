//! What would fail and what is wrong: named checks of a live pair, each with its remedy, and what each code means.
//! Not for: changing anything.

pub mod catalogue;
