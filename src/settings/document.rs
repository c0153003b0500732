//! What each document of a bucket says of itself, and how its change is told.
//! Not for: the list of the documents (see `settings`).

use super::wish::{BucketSettings, Wish};
use crate::events::{Kind, Verb};
use crate::hcl;
use crate::names::Arn;
use serde_json::Value;

/// A document of a bucket.
pub trait Document: Clone + PartialEq {
    /// Its kind in the output contract.
    const KIND: Kind;
    /// What `detail` in `-o json` calls it.
    const PART: &'static str;
    /// The permissions to read and to write it (Service Authorization Reference for S3).
    const ACTIONS: Actions;
    /// The name by which a bucket's tags record that the pair manages it. `None` for a document
    /// that every run reads.
    const RECORD: Option<&'static str> = None;

    /// Returns whether the pair manages the document of a bucket that it makes or adopts.
    fn is_managed(_: &BucketSettings, _adopted: bool) -> bool {
        true
    }

    /// Returns what is to be done with the document of a bucket, if the pair manages it. `None` where
    /// that is not for the loop over the documents to say.
    fn change(wish: &Wish<'_>, live: Option<&Self>) -> Option<Setting<Self>>;

    /// Returns labels for people: what differs between a live document and one that is written.
    fn differs(&self, to: &Self) -> Vec<&'static str>;

    /// Returns the value that `detail` shows.
    fn detail(&self) -> Value;

    /// Returns whether the document names a key that the run makes.
    fn is_known_later(&self) -> bool {
        false
    }

    /// Whether the document of an adopted bucket is put back as it was where the pair goes. What protects
    /// the bucket stays.
    const GOES_BACK: bool = false;

    /// Returns what this document becomes where it is put back as it `was`.
    #[must_use]
    fn back(&self, was: Self) -> Self {
        was
    }

    /// Why it stays where it does not go back, after the name of the document.
    const STAYS: &'static str = "stays";

    /// Returns the value of a tag that records the document before the pair changes it to `to`. `None` if it
    /// is not recorded.
    fn remembered(_was: Option<&Self>, _to: &Self) -> Option<String> {
        None
    }

    /// Returns the new value of a tag that records the document already, where the pair now changes it to
    /// `to`. `None` if the tag stays.
    fn remembered_still(_record: &str, _to: &Self) -> Option<String> {
        None
    }

    /// Returns whether a record says all that putting the document back takes.
    fn is_whole(_record: &str) -> bool {
        true
    }

    /// Returns what a bucket has where S3 returns no such document. `None` if that says nothing.
    fn absent() -> Option<Self> {
        None
    }

    /// Returns the document that [`Self::remembered`] recorded.
    fn recalled(_: &str) -> Option<Self> {
        None
    }

    /// Returns whether this is what crrctl writes, in place of what `was`. `key` is the ARN of the
    /// pair's key of the bucket, and `record` the value of the tag that records the document.
    fn is_ours(&self, _was: &Self, (_key, _record): (Option<&Arn>, &str)) -> bool {
        false
    }

    /// Returns what the document says, for people.
    fn told(&self) -> String {
        self.body().map_or_else(|| "there was none".to_owned(), |body| body.to_string())
    }

    /// Returns the body of the call that writes this document, as the AWS CLI takes it, or `None` if
    /// there is nothing to restore.
    fn body(&self) -> Option<Value>;

    /// Returns lines of an initial manifest, below `buckets`: a key at its default, with what else it
    /// can be.
    fn example() -> Option<&'static str> {
        None
    }

    /// Returns the key of the manifest's `buckets` that says what this document says, or `None` if
    /// the default does.
    ///
    /// # Errors
    /// No manifest can say it.
    fn imported(&self) -> Result<Option<String>, Inexpressible> {
        Ok(None)
    }

    /// Returns Terraform's resource. `arn` returns a reference to what has an ARN.
    fn terraform(&self, arn: &dyn Fn(&str) -> hcl::Value) -> Option<(&'static str, hcl::Body)>;

    /// Returns properties of CloudFormation's `AWS::S3::Bucket`. `arn` returns a reference to what
    /// has an ARN.
    fn cloudformation(&self, arn: &dyn Fn(&str) -> Value) -> Vec<(&'static str, Value)>;
}

/// What no manifest can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inexpressible {
    /// What it is.
    pub what: String,
    /// What to do about it.
    pub hint: &'static str,
}

/// The permissions on a bucket that a document requires.
#[derive(Debug, Clone, Copy)]
pub struct Actions {
    /// To read it.
    pub read: &'static str,
    /// To write it.
    pub write: &'static str,
}

/// The change of a setting that is never taken away by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting<T> {
    /// It is set.
    Create(T),
    /// It is set to another value.
    Update {
        /// The value that is found.
        from: T,
        /// The value that is written.
        to: T,
    },
    /// It is set to what it was before the pair.
    Restore {
        /// The value that is found.
        from: T,
        /// The value that is written.
        to: T,
    },
    /// It stands.
    Unchanged,
}

impl<T: PartialEq> Setting<T> {
    /// Compares the value that is found with the value that is wanted.
    pub fn of(found: Option<T>, wanted: T) -> Self {
        match found {
            None => Self::Create(wanted),
            Some(found) if found == wanted => Self::Unchanged,
            Some(from) => Self::Update { from, to: wanted },
        }
    }
}

impl<T> Setting<T> {
    /// Returns the value that is written, if it is.
    pub fn written(&self) -> Option<&T> {
        match self {
            Self::Create(value)
            | Self::Update { to: value, .. }
            | Self::Restore { to: value, .. } => Some(value),
            Self::Unchanged => None,
        }
    }

    /// Returns the value that is found and changed.
    pub fn replaced(&self) -> Option<&T> {
        match self {
            Self::Update { from, .. } | Self::Restore { from, .. } => Some(from),
            Self::Create(_) | Self::Unchanged => None,
        }
    }

    /// Returns the operation.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Create(_) => Verb::Create,
            Self::Update { .. } | Self::Restore { .. } => Verb::Update,
            Self::Unchanged => Verb::None,
        }
    }
}

/// What `detail` says of a change.
#[derive(Debug)]
pub struct Told {
    /// The part.
    pub part: &'static str,
    /// What is found, or null.
    pub from: Value,
    /// What is written.
    pub to: Value,
    /// Whether `to` names a key that the run makes.
    pub is_known_later: bool,
}

pub(super) fn told<D: Document>(change: &Setting<D>) -> Option<Told> {
    let written = change.written()?;
    Some(Told {
        part: D::PART,
        from: change.replaced().map_or(Value::Null, Document::detail),
        to: written.detail(),
        is_known_later: written.is_known_later(),
    })
}

pub(super) fn labels<D: Document>(change: &Setting<D>) -> Vec<&'static str> {
    match change {
        Setting::Update { from, to } | Setting::Restore { from, to } => from.differs(to),
        Setting::Create(_) | Setting::Unchanged => Vec::new(),
    }
}
