//! The documents of a bucket, one file each: what the manifest wants of it, how a live one differs,
//! what each report and export says of it, and the permissions that it takes. Pure.
//! A document here is one value, which a write replaces as a whole. Everything that has to do with
//! all of them loops over [`for_each_document`].
//! Not for: calling S3 (see `steps::settings`), or documents that hold parts of other owners: tags,
//! bucket policy, lifecycle and replication rules have their own change types in `plan::work`.

mod encryption;
mod lifecycle;
mod logging;
mod object_lock;
mod optional;
mod ownership;
mod public_access_block;
mod versioning;

pub use encryption::{DefaultKey, Encryption};
pub use lifecycle::{Expiry, Exported as ExportedLifecycle, Lifecycle};
pub use logging::{LogTarget, Logging, LoggingWish};
pub use object_lock::{DefaultRetention, Lock, ObjectLock, Retention, RetentionMode};
pub use optional::Optional;
pub use ownership::Ownership;
pub use public_access_block::PublicAccessBlock;
pub use versioning::Versioning;

use crate::events::{Kind, Verb};
use crate::hcl;
use serde_json::Value;

/// Settings that apply to all buckets of a pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BucketSettings {
    /// Object Lock, on both sides: S3 replicates from a bucket with Object Lock only to buckets
    /// with Object Lock (S3 User Guide, "Requirements and considerations for replication").
    pub lock: Option<ObjectLock>,
    /// Lifecycle of noncurrent versions and incomplete multipart uploads.
    pub lifecycle: Lifecycle,
    /// Whether bucket names are in the account regional namespace (S3 User Guide, "Namespaces for
    /// general purpose buckets").
    pub account_regional: bool,
    /// The encryption types of which S3 refuses uploads, as S3 names them: `SSE-C` or `NONE`. `None`
    /// keeps what a bucket has.
    pub blocked_encryption: Option<Vec<String>>,
    /// Server access logging.
    pub logging: LoggingWish,
    /// Whether the public access block is all on. `None`: of buckets that the pair makes.
    pub public_access_block: Option<bool>,
    /// Whether the bucket owner owns every object. `None`: of buckets that the pair makes.
    pub ownership: Option<bool>,
}

impl BucketSettings {
    /// Returns the default retention.
    pub fn retention(&self) -> Option<Retention> {
        self.lock.as_ref().and_then(|lock| lock.retention)
    }
}

/// What is wanted of the documents of one bucket.
#[derive(Debug)]
pub struct Wish<'a> {
    /// The manifest's settings.
    pub settings: &'a BucketSettings,
    /// The default encryption that follows from the side's key.
    pub encryption: Encryption,
    /// Whether the bucket exists.
    pub exists: bool,
    /// Whether somebody else made it.
    pub adopted: bool,
    /// The bucket's account.
    pub account: &'a str,
    /// The bucket's Region.
    pub region: &'a str,
}

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

    /// Returns what is to be done with the document of a bucket, or `None` where that is not for
    /// the loop over the documents to say.
    fn change(wish: &Wish<'_>, live: Option<&Self>) -> Option<Setting<Self>>;

    /// Returns labels for people: what differs between a live document and one that is written.
    fn differs(&self, to: &Self) -> Vec<&'static str>;

    /// Returns the value that `detail` shows.
    fn detail(&self) -> Value;

    /// Returns whether the document names a key that the run makes.
    fn is_known_later(&self) -> bool {
        false
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

/// Calls a macro with all documents: the type of each, and the module and the field of its name.
macro_rules! for_each_document {
    ($then:ident) => {
        $then! {
            Ownership: ownership,
            PublicAccessBlock: public_access_block,
            Versioning: versioning,
            Encryption: encryption,
            Lock: object_lock,
            Logging: logging,
        }
    };
}
pub(crate) use for_each_document;

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
            Self::Create(value) | Self::Update { to: value, .. } => Some(value),
            Self::Unchanged => None,
        }
    }

    /// Returns the value that is found and changed.
    pub fn replaced(&self) -> Option<&T> {
        match self {
            Self::Update { from, .. } => Some(from),
            Self::Create(_) | Self::Unchanged => None,
        }
    }

    /// Returns the operation.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Create(_) => Verb::Create,
            Self::Update { .. } => Verb::Update,
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

fn told<D: Document>(change: &Setting<D>) -> Option<Told> {
    let written = change.written()?;
    Some(Told {
        part: D::PART,
        from: change.replaced().map_or(Value::Null, Document::detail),
        to: written.detail(),
        is_known_later: written.is_known_later(),
    })
}

fn labels<D: Document>(change: &Setting<D>) -> Vec<&'static str> {
    match change {
        Setting::Update { from, to } => from.differs(to),
        Setting::Create(_) | Setting::Unchanged => Vec::new(),
    }
}

macro_rules! table {
    ($($name:ident: $field:ident,)*) => {
        /// The documents of a bucket that exists. One is `None` if S3 has none, or if it was not
        /// read.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Documents {
            $(
                #[doc = concat!("See [`", stringify!($name), "`].")]
                pub $field: Option<$name>,
            )*
        }

        /// The change of one document.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Change {
            $(
                #[doc = concat!("Of [`", stringify!($name), "`].")]
                $name(Setting<$name>),
            )*
        }

        $(
            impl From<Setting<$name>> for Change {
                fn from(change: Setting<$name>) -> Self {
                    Self::$name(change)
                }
            }
        )*

        impl Change {
            /// Returns what is to be done with the documents of a bucket.
            pub fn all(wish: &Wish<'_>, live: Option<&Documents>) -> Vec<Self> {
                let changes = [$(
                    $name::change(wish, live.and_then(|live| live.$field.as_ref()))
                        .map(Self::$name),
                )*];
                changes.into_iter().flatten().collect()
            }

            /// Returns the kind of the document.
            pub fn kind(&self) -> Kind {
                match self {
                    $(Self::$name(_) => <$name as Document>::KIND,)*
                }
            }

            /// Returns the operation.
            pub fn verb(&self) -> Verb {
                match self {
                    $(Self::$name(change) => change.verb(),)*
                }
            }

            /// Returns labels for people: what differs in a document that is changed.
            pub fn labels(&self) -> Vec<&'static str> {
                match self {
                    $(Self::$name(change) => labels(change),)*
                }
            }

            /// Returns what `detail` says of a document that is written.
            pub fn told(&self) -> Option<Told> {
                match self {
                    $(Self::$name(change) => told(change),)*
                }
            }

            /// Returns the body of the call that restores the document as it `was`.
            pub fn restored(&self, was: &Documents) -> Option<Value> {
                match self {
                    $(Self::$name(_) => was.$field.as_ref().and_then(Document::body),)*
                }
            }
        }

        impl Documents {
            /// Returns Terraform's resources.
            pub fn terraform(
                &self,
                arn: &dyn Fn(&str) -> hcl::Value,
            ) -> Vec<(&'static str, hcl::Body)> {
                let all = [$(self.$field.as_ref().and_then(|it| it.terraform(arn)),)*];
                all.into_iter().flatten().collect()
            }

            /// Returns the keys of the manifest's `buckets` that say what the documents of a source
            /// say.
            ///
            /// # Errors
            /// No manifest can say it.
            pub fn imported(&self) -> Result<Vec<String>, Inexpressible> {
                let all = [$(self.$field.as_ref().map_or(Ok(None), Document::imported)?,)*];
                Ok(all.into_iter().flatten().collect())
            }

            /// Returns the properties of CloudFormation's bucket.
            pub fn cloudformation(
                &self,
                arn: &dyn Fn(&str) -> Value,
            ) -> Vec<(&'static str, Value)> {
                let all = [$(self.$field.as_ref().map(|it| it.cloudformation(arn)),)*];
                all.into_iter().flatten().flatten().collect()
            }
        }

        /// Returns the permissions that reading the documents requires.
        pub fn reads() -> Vec<&'static str> {
            vec![$(<$name as Document>::ACTIONS.read,)*]
        }

        /// Returns the permissions that writing the documents requires which the pair manages.
        /// `buckets` says of each bucket whether the pair adopts it.
        pub fn writes(settings: &BucketSettings, buckets: &[bool]) -> Vec<&'static str> {
            let all = [$({
                let is_managed = buckets.iter().any(|it| $name::is_managed(settings, *it));
                is_managed.then_some(<$name as Document>::ACTIONS.write)
            },)*];
            all.into_iter().flatten().collect()
        }

        /// Returns what `detail` calls each document.
        pub fn parts() -> Vec<&'static str> {
            vec![$(<$name as Document>::PART,)*]
        }

        /// Returns lines of an initial manifest, below `buckets`.
        pub fn examples() -> Vec<&'static str> {
            [$(<$name as Document>::example(),)*].into_iter().flatten().collect()
        }

        /// Returns the documents that a run reads only where the pair manages them: the kind of
        /// each, the name in the bucket's tags, and whether the manifest wants it managed.
        fn recorded(settings: &BucketSettings) -> Vec<(Kind, &'static str, bool)> {
            let all = [$(<$name as Document>::RECORD.map(|record| {
                (<$name as Document>::KIND, record, $name::is_managed(settings, false))
            }),)*];
            all.into_iter().flatten().collect()
        }
    };
}
for_each_document!(table);
