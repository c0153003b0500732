//! The one integration binary: each module is a subject.

mod iam_peers;
mod sandbox;
