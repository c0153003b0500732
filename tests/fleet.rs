//! Ephemeral pairs, and the commands that look at all pairs of an account: `list`, `gc`, `smoke`.

mod ephemeral;
