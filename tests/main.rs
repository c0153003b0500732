//! The one integration binary: each module is a subject.
#![expect(clippy::unwrap_used, reason = "a test stops at what should not be")]
#![expect(clippy::print_stdout, reason = "loops over all points print their figures")]

mod accounts;
mod activation;
mod adoption;
mod architecture;
mod backfill;
mod check;
mod check_object;
mod command_line;
mod common;
mod confusion;
mod contract;
mod documents;
mod evidence;
mod examples;
mod exclusions;
mod exit_codes;
mod export;
mod fleet;
mod guide;
mod handover;
mod explain;
mod iam_peers;
mod import;
mod identity;
mod interruption;
mod keys;
mod life;
mod locks;
mod messages;
mod metrics;
mod others;
mod pairs;
mod policies;
mod promises;
mod prune;
mod refusals;
mod sandbox;
mod schemas;
mod secrets;
mod shapes;
mod survival;
mod teardown;
mod told;
mod two_way;
