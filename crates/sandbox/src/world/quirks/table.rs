//! The table of all quirks: name, time, meaning and source. Not for: switching them on (see
//! `spec`).

use std::fmt::Write;
use std::time::Duration;

/// Defines the enum and its table from one list. The time is how many seconds the quirk lasts after
/// a change, `none` for a quirk without a time; `drawn` is the shortest and the longest time that
/// `Lag::Aws` draws, in milliseconds, for the quirks that it draws.
macro_rules! quirks {
    ($($variant:ident = $name:literal $time:tt $([drawn $least:literal..$most:literal])?,
        $meaning:literal, $source:literal;)*) => {
        /// One behaviour of AWS that a client rarely meets and must survive.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Quirk {
            $(#[doc = concat!("The quirk `", $name, "`.")] $variant,)*
        }

        impl Quirk {
            /// All quirks, in the order of `--help`.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            fn row(self) -> Row {
                match self {
                    $(Self::$variant => Row {
                        name: $name,
                        seconds: quirks!(@time $time),
                        drawn: quirks!(@drawn $($least, $most)?),
                        meaning: $meaning,
                        source: $source,
                    },)*
                }
            }
        }
    };
    (@time none) => { None };
    (@time $seconds:literal) => { Some($seconds) };
    (@drawn) => { None };
    (@drawn $least:literal, $most:literal) => { Some(($least, $most)) };
}

struct Row {
    name: &'static str,
    seconds: Option<u64>,
    drawn: Option<(u64, u64)>,
    meaning: &'static str,
    source: &'static str,
}

quirks! {
    StaleHead = "stale-head" 10 [drawn 100..3_000],
        "HeadBucket of a bucket that was just deleted answers 200",
        "go-to-k/cdkd#2227, aws/aws-sdk-java#2169, aws/aws-sdk-go#2970";
    NameInUse = "name-in-use" 60,
        "CreateBucket with the name of a bucket that was just deleted fails with OperationAborted",
        "ansible/ansible#67811, hashicorp/terraform-provider-aws#26805";
    LateBucket = "late-bucket" 10,
        "a new bucket is NoSuchBucket to every call",
        "hashicorp/terraform-provider-aws#10068, #33717, #49960";
    NoTagsOnCreate = "no-tags-on-create" none,
        "CreateBucket with tags fails with UnsupportedArgument, as in non-commercial Regions",
        "hashicorp/terraform-provider-aws#45566, #45684, #45784, #46122";
    LateBucketTags = "late-bucket-tags" 20,
        "a change to a bucket's tags shows late",
        "inferred from hashicorp/terraform-provider-aws#15572";
    LateVersioning = "late-versioning" 900,
        "a change to a bucket's versioning takes effect late",
        "S3 API Reference, PutBucketVersioning: wait for 15 minutes";
    LateRules = "late-rules" 300,
        "a change to a replication configuration takes effect late",
        "S3 API Reference, DeleteBucketReplication; no bound is documented";
    SlowReplication = "slow-replication" 900,
        "the replication of an object takes long",
        "S3 User Guide, Troubleshooting replication: most objects within 15 minutes";
    FreshRole = "fresh-role" 15,
        "PutBucketReplication and CreateJob refuse a new role with InvalidRequest",
        "inferred from IAM User Guide, Changes that I make are not always immediately visible";
    LateTarget = "late-target" 20,
        "S3 can't publish to a new topic or queue, or by its new policy",
        "aws/aws-cdk#18090; SQS Developer Guide: changes can take up to 60 seconds";
    LateKey = "late-key" 10,
        "a new key is NotFoundException to every call",
        "KMS Developer Guide, Eventual consistency";
    LateAlias = "late-alias" 10,
        "a new alias is NotFoundException where it names a key",
        "KMS Developer Guide, Eventual consistency";
    StaleAlias = "stale-alias" 20 [drawn 100..3_000],
        "a deleted alias still names its key, and CreateAlias fails with AlreadyExistsException",
        "inferred from KMS Developer Guide, Eventual consistency";
    LateKeyLists = "late-key-lists" 20,
        "ListKeys, ListAliases and ListResourceTags show a change late",
        "KMS Developer Guide, Eventual consistency";
    CreatingKey = "creating-key" 10,
        "the state of a new key is Creating",
        "KMS Developer Guide, Key states of AWS KMS keys";
    SlowReplicaKey = "slow-replica-key" 600,
        "the state of a new replica key is Creating for long",
        "hashicorp/terraform-provider-aws#49915";
    LateKeyPolicy = "late-key-policy" 10,
        "S3 is denied what a new key policy or a new grant allows",
        "KMS Developer Guide, Eventual consistency, and Grant token";
    DependencyTimeout = "dependency-timeout" 40,
        "CreateKey fails with DependencyTimeoutException, from the first call on in each Region",
        "KMS API Reference, CreateKey, Errors";
    LateEntity = "late-entity" 10,
        "a new role, user or managed policy is NoSuchEntity to every call",
        "IAM User Guide, Changes that I make are not always immediately visible";
    LatePrincipal = "late-principal" 15 [drawn 500..4_000],
        "a policy that names a new role or user as principal is malformed",
        "hashicorp/terraform-provider-aws#245, #22947, #24696";
    LateRole = "late-role" 15,
        "a new role can't be assumed",
        "IAM User Guide, Changes that I make are not always immediately visible";
    LatePolicy = "late-policy" 15,
        "a change to an inline policy takes effect late",
        "IAM User Guide, Changes that I make are not always immediately visible";
    DeleteConflict = "delete-conflict" 30,
        "DeleteRole fails with DeleteConflict after the role's last policy was removed",
        "hashicorp/terraform-provider-aws, which retries DeleteRole for 2 minutes";
    RemovalNotFound = "removal-not-found" 30,
        "KMS and IAM answer 404 to the removal of what was just created, which stays",
        "KMS Developer Guide, Eventual consistency; IAM User Guide, as above";
    StrictTags = "strict-tags" none,
        "an object whose tags the replication role may not replicate is FAILED",
        "S3 User Guide, Replication failure reasons: SrcGetTaggingNotPermitted";
    PartsNeedDecrypt = "parts-need-decrypt" none,
        "the replica of an object in parts needs kms:Decrypt on the destination's key",
        "S3 User Guide, Replication failure reasons: DstMultipartCompleteNotPermitted";
}

impl Quirk {
    /// Returns the name, as `--quirk` takes it.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Returns how long the quirk lasts by default; `None` for a quirk without a time.
    pub fn lasts(self) -> Option<Duration> {
        self.row().seconds.map(Duration::from_secs)
    }

    /// Returns what AWS does.
    pub fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// Returns where the behaviour is documented or was observed.
    pub fn source(self) -> &'static str {
        self.row().source
    }

    /// Returns the shortest and the longest time that `Lag::Aws` draws, in milliseconds; `None` for
    /// a quirk that it does not draw.
    pub(crate) fn drawn(self) -> Option<(u64, u64)> {
        self.row().drawn
    }

    /// Returns the table of all quirks as text: name, default time, meaning and source.
    pub fn list() -> String {
        let mut text = String::new();
        for quirk in Self::ALL {
            let Row { name, seconds, meaning, source, .. } = quirk.row();
            let time = seconds.map(|seconds| format!("={seconds}")).unwrap_or_default();
            let _ = writeln!(text, "  {name}{time}: {meaning} ({source})");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quirk_has_its_own_name_a_meaning_and_a_source() {
        let mut names: Vec<&str> = Quirk::ALL.iter().map(|quirk| quirk.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Quirk::ALL.len());
        for quirk in Quirk::ALL {
            assert!(!quirk.meaning().is_empty() && !quirk.source().is_empty(), "{quirk:?}");
            assert!(Quirk::list().contains(quirk.name()));
        }
    }
}
