//! Replicates existing and FAILED objects through S3 Batch Replication: one job, followed to its
//! end, and its report.
//! Not for: the role and the bucket that a job requires (see `plan`), or asking the user.

mod job;
mod objects;
mod report;
mod sample;

pub use job::{Job, Jobs, Wish, verdict};
pub use objects::{ObjectList, delete_files, write_list};
pub use report::{Reason, reasons};
pub use sample::{Sample, check_report_place, sample};
