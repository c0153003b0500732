//! Writes completion reports (S3 User Guide, "Examples: S3 Batch Operations completion reports").
//! Not for: deciding when to write a report (see `run`).

use super::role::{Failure, assume_role};
use crate::s3::deliver;
use crate::s3control::call::bucket_name;
use crate::s3control::csv;
use crate::world::State;
use crate::world::clock::rfc3339;
use crate::world::jobs::{BatchJob, FinishedTask};
use crate::world::replication::description;
use bytes::Bytes;
use md5::{Digest, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

/// The characters that are percent-encoded in the keys of a report: all except letters, digits and
/// `/-_.`.
const KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.');

/// Writes a job's completion report with the permissions of the job's role: one file of the
/// succeeded tasks, one file of the failed tasks, and a `manifest.json` that lists these files.
pub(super) fn write(state: &mut State, id: &str, job: &BatchJob) -> Result<(), Failure> {
    let report = &job.report;
    let bucket = report.bucket.as_deref().and_then(bucket_name).unwrap_or_default();
    let prefix = report.prefix.as_deref().map(|p| p.trim_end_matches('/').to_owned() + "/");
    let folder = format!("{}job-{id}", prefix.unwrap_or_default());
    let everything = report.report_scope.as_deref() == Some("AllTasks");
    let mut files = Vec::new();
    let mut results = Vec::new();
    for (name, succeeded) in [("succeeded", true), ("failed", false)] {
        let of_kind = job.done.iter().filter(|done| done.outcome.is_ok() == succeeded);
        let rows: String = of_kind.map(row).collect();
        if rows.is_empty() || (succeeded && !everything) {
            continue;
        }
        let digest = hex::encode(Md5::digest(&rows));
        let key = format!("{folder}/results/{}.csv", uuid::Uuid::new_v4().simple());
        results.push(json!({"TaskExecutionStatus": name, "Bucket": bucket, "MD5Checksum": digest, "Key": key}));
        files.push((key, Bytes::from(rows)));
    }
    let manifest = json!({
        "Format": "Report_CSV_20180820",
        "ReportCreationDate": rfc3339(state.now()),
        "Results": results,
        "ReportSchema": "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage",
    });
    files.push((format!("{folder}/manifest.json"), Bytes::from(manifest.to_string())));
    let refused = || {
        let text = "The job report could not be written to your report bucket. Please check your permissions.";
        ("ReportNotWritten", text.to_owned())
    };
    for (key, data) in files {
        let owner = report.expected_bucket_owner.as_deref();
        assume_role(state, job)?.report(bucket, &key, owner).ok_or_else(refused)?;
        deliver(state, bucket, &key, data).map_err(|fault| ("ReportNotWritten", fault.message))?;
    }
    Ok(())
}

/// Returns one line of a report. AWS's examples have the HTTP status before the error code; the
/// documented schema has them in the other order.
fn row(done: &FinishedTask) -> String {
    let key = utf8_percent_encode(&done.task.key, &KEPT).to_string();
    let (status, http, code, text) = match done.outcome {
        Ok(()) => ("succeeded", "200", "", "Successful"),
        Err(reason) => {
            ("failed", http_status(reason), reason, description(reason).unwrap_or(reason))
        }
    };
    csv::join(&[&done.task.bucket, &key, &done.task.version, status, http, code, text]) + "\n"
}

/// Returns the HTTP status for a `failureReason`. AWS documents none for replication.
fn http_status(reason: &str) -> &'static str {
    match reason {
        reason if reason.ends_with("NotPermitted") => "403",
        reason if reason.ends_with("NotFound") => "404",
        _ => "400",
    }
}
