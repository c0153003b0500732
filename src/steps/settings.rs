//! Reads and writes the documents of a bucket, one file each.
//! Not for: what is wanted of them, or what differs (see `settings` and `plan`).

mod encryption;
pub(super) mod lifecycle;
mod logging;
pub(super) mod notification;
mod object_lock;
mod ownership;
pub(super) mod policy;
mod public_access_block;
pub(super) mod tags;
mod versioning;

pub(crate) use lifecycle::find as find_lifecycle;
pub(crate) use notification::find as find_notifications;
pub(crate) use policy::find as find_policy;
pub(crate) use tags::find as find_tags;

use super::{Run, Steps, known_arn, nothing_to_do};
use crate::aws::{Aws, Error};
use crate::failure::Failure;
use crate::joined;
use crate::manifest::{BucketPlace, Side};
use crate::names::{Arn, BucketName, Region};
use crate::plan::Action;
use crate::settings::{
    Change, Document, Documents, Encryption, Lock, Logging, Optional, Ownership, PublicAccessBlock,
    Setting, Versioning, for_each_document,
};

/// The code with which S3 refuses a target of access logs (S3 API Reference, "List of error codes").
const TARGET_IS_GONE: &str = "InvalidTargetBucketForLogging";

/// A document that S3 stores.
pub(crate) trait Stored: Document + Send + Sync {
    /// Whether `CreateBucket` may have set it, so that it is read before it is written.
    const MAY_STAND: bool = false;

    /// Reads the document. `None` if the bucket has none.
    async fn find(aws: &Aws, bucket: &BucketName, region: &Region) -> Result<Option<Self>, Error>;

    /// Writes the document.
    async fn put(&self, aws: &Aws, bucket: &BucketName, region: &Region) -> Result<(), Error>;

    /// Returns the document with what only the run knows, such as the key that it made.
    fn resolved(&self, _: &Steps, _: &Side) -> Result<Self, Failure> {
        Ok(self.clone())
    }
}

async fn run_change<D: Stored>(
    run: Run<'_>,
    action: &Action,
    change: &Setting<D>,
) -> Result<Arn, Failure> {
    let wanted = change.written().ok_or_else(|| nothing_to_do(action))?;
    if matches!(change, Setting::Restore { .. }) {
        let (bucket, region) = (BucketName::new(&action.name)?, &action.region);
        match run.retry(|| wanted.put(&run.aws, &bucket, region)).await {
            Err(failure) if failure.aws_code.as_deref() == Some(TARGET_IS_GONE) => {
                run.progress.note("the bucket that its logs went to before the pair takes none any more: logging stays as it is");
            }
            put => put?,
        }
        return known_arn(action);
    }
    let side = run.scope.side(&action.name)?;
    let (bucket, region) = (&side.bucket, &side.region);
    let wanted = wanted.resolved(&run, side)?;
    if D::MAY_STAND && D::find(&run.aws, bucket, region).await?.as_ref() == Some(&wanted) {
        return Ok(run.scope.bucket_arn(bucket));
    }
    run.retry(|| wanted.put(&run.aws, bucket, region)).await?;
    Ok(run.scope.bucket_arn(bucket))
}

/// Returns what a read returned, and adds its error to those of the reads before it.
fn kept<T>(read: Result<T, Error>, failed: &mut Result<(), Error>) -> Option<T> {
    let before = std::mem::replace(failed, Ok(()));
    let (read, error) = match read {
        Ok(read) => (Some(read), Ok(())),
        Err(error) => (None, Err(error)),
    };
    *failed = joined::pair(before, error).map(drop);
    read
}

macro_rules! table {
    ($($name:ident: $field:ident,)*) => {
        /// What the read of each document returned. A document that was not asked for is `None`.
        pub(super) struct Reads {
            $(pub(super) $field: Result<Option<$name>, Error>,)*
        }

        impl Reads {
            /// Returns the documents, or the first failure.
            pub(super) fn all(self) -> Result<Documents, Error> {
                let mut failed = Ok(());
                $(let $field = kept(self.$field, &mut failed);)*
                failed?;
                Ok(Documents { $($field: $field.flatten(),)* })
            }
        }

        /// Reads the documents that every run reads, and of the others those that `matter`, all at
        /// once.
        pub(super) async fn read(aws: &Aws, side: &BucketPlace, matter: &Optional) -> Reads {
            let (bucket, region) = (&side.bucket, &side.region);
            let ($($field,)*) = tokio::join!($(async {
                if <$name as Document>::RECORD.is_some() && !matter.has(<$name as Document>::KIND) {
                    return Ok(None);
                }
                <$name as Stored>::find(aws, bucket, region).await
            },)*);
            Reads { $($field,)* }
        }

        /// Reads those documents that `more` adds.
        pub(super) async fn read_more(
            aws: &Aws,
            side: &BucketPlace,
            more: &Optional,
            documents: &mut Documents,
        ) -> Result<(), Error> {
            let (bucket, region) = (&side.bucket, &side.region);
            let ($($field,)*) = tokio::join!($(async {
                if <$name as Document>::RECORD.is_none() || !more.has(<$name as Document>::KIND) {
                    return Ok(None);
                }
                <$name as Stored>::find(aws, bucket, region).await.map(Some)
            },)*);
            let mut failed = Ok(());
            $(if let Some(Some(found)) = kept($field, &mut failed) {
                documents.$field = found;
            })*
            failed
        }

        /// Writes the document that `action` changes.
        pub(super) async fn run(
            run: Run<'_>,
            action: &Action,
            change: &Change,
        ) -> Result<Arn, Failure> {
            match change {
                $(Change::$name(change) => run_change(run, action, change).await,)*
            }
        }
    };
}
for_each_document!(table);
