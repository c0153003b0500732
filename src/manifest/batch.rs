//! The role of a pair's batch jobs, and where their completion reports are stored.
//! Not for: making a batch job (see `backfill`).

use super::keys::KeyWish;
use super::rules::RuleWish;
use super::side::{BucketPlace, Side};
use super::topology::Topology;
use crate::names::{AccountId, Arn, BucketName, PairName, Region};

/// How the names of lists of objects begin.
const LIST: &str = "objects-";

/// Location of the completion reports of batch jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reports {
    /// Bucket name.
    pub bucket: String,
    /// Key prefix, ending in a slash.
    pub prefix: String,
    /// Whether the bucket is the source bucket, so that reports are encrypted under the pair's key.
    pub with_data: bool,
}

/// Returns the name of the separate bucket for the reports of a pair.
pub fn report_bucket(pair: &PairName, account: &AccountId, region: &Region) -> String {
    let rest = format!("-reports-{account}-{region}");
    // A bucket name has at most 63 characters, all of them ASCII.
    let room = 63_usize.saturating_sub(rest.len());
    let stem: String = pair.as_str().chars().take(room).collect();
    format!("{stem}{rest}")
}

impl Topology {
    /// Returns the name of the role that S3 Batch Operations assumes for this pair. It is derived
    /// from the replication role's name.
    pub fn batch_role(&self) -> String {
        // A role name has at most 64 characters (see `RoleName`), all of them ASCII.
        let stem: String = self.role.as_str().chars().take(58).collect();
        format!("{stem}-batch")
    }

    /// Returns the ARN of [`Self::batch_role`].
    pub fn batch_role_arn(&self) -> Arn {
        self.role_arn_of(&self.batch_role())
    }

    /// Returns the location of the completion reports and manifests of batch jobs. A report inside
    /// a rule's prefix would be replicated, so reports are stored in the source bucket only if no
    /// rule selects their prefix. Otherwise they have a separate bucket.
    pub fn reports(&self) -> Reports {
        let prefix = format!("_crrctl-batch/{}/", self.wanted.name);
        let source = &self.source;
        let replicates = |rule: &RuleWish| prefix.starts_with(&rule.settings.prefix);
        // Reports also need a separate bucket if the source bucket has a default retention.
        let is_held = self.wanted.buckets.retention().is_some();
        if is_held || self.rules.iter().any(replicates) {
            let bucket = report_bucket(&self.wanted.name, &source.account, &source.region);
            Reports { bucket, prefix, with_data: false }
        } else {
            Reports { bucket: source.bucket.to_string(), prefix, with_data: true }
        }
    }

    /// Returns the separate bucket for reports, if the pair has one.
    pub fn report_side(&self) -> Result<Option<Side>, crate::names::InvalidName> {
        let reports = self.reports();
        if reports.with_data {
            return Ok(None);
        }
        let region = self.source.region.clone();
        let place = BucketPlace { region, bucket: BucketName::new(reports.bucket)? };
        Ok(Some(Side { key: KeyWish::Nothing, ..self.wanted.side(place) }))
    }

    /// Returns the key of a list of objects for a batch job, in the place of the reports.
    pub fn job_list(&self, id: &str) -> String {
        format!("{}{LIST}{id}.csv", self.reports().prefix)
    }

    /// Returns whether the object `key` of `side` is a completion report of this pair's batch jobs,
    /// according to the key names that S3 uses for reports (S3 User Guide, "Examples: S3 Batch
    /// Operations completion reports"), or a list of objects for such a job.
    pub fn is_report(&self, side: &BucketPlace, key: &str) -> bool {
        let reports = self.reports();
        let job = || key.strip_prefix(&reports.prefix)?.strip_prefix("job-")?.split_once('/');
        let list = || key.strip_prefix(&reports.prefix)?.strip_prefix(LIST)?.strip_suffix(".csv");
        let is_id =
            |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        let is_part = |part: &str| {
            let name =
                |part: &'_ str| part.strip_prefix("results/")?.strip_suffix(".csv").map(str::len);
            ["manifest.json", "manifest.json.md5"].contains(&part) || name(part).is_some()
        };
        side.bucket.as_str() == reports.bucket
            && (job().is_some_and(|(id, part)| is_id(id) && is_part(part))
                || list().is_some_and(is_id))
    }
}
