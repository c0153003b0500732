//! The documents of a bucket, one file each: what the manifest wants of it, how a live one differs,
//! what each report and export says of it, and the permissions that it takes. Pure.
//! A document here is one value, which a write replaces as a whole. Everything that has to do with
//! all of them loops over `for_each_document`.
//! Not for: calling S3 (see `steps::settings`), or documents that hold parts of other owners: tags,
//! bucket policy, lifecycle, notifications and replication rules have their own change types in `plan::work`.

mod document;
mod encryption;
mod lifecycle;
mod logging;
mod notification;
mod object_lock;
mod optional;
mod ownership;
mod public_access_block;
mod versioning;
mod wish;

pub use document::{Document, Inexpressible, Setting, Told};
pub use lifecycle::{Expiry, Exported as ExportedLifecycle};
pub use logging::Logging;
pub use notification::{Notification, Notifications, TargetKind};
pub use object_lock::{DefaultRetention, Lock};
pub use optional::Optional;
pub use ownership::Ownership;
pub use public_access_block::PublicAccessBlock;
pub use versioning::Versioning;
pub use wish::{
    BucketSettings, DefaultKey, Encryption, Lifecycle, LogTarget, LoggingWish, ObjectLock,
    Retention, RetentionMode, Wish,
};

use document::{labels, told};

use crate::events::{Kind, Verb};
use crate::hcl;
use crate::names::Arn;
use serde_json::Value;
use std::collections::BTreeMap;

/// How the tags of a bucket begin that record a document as it was before the pair changed it.
const WAS: &str = "crrctl:was/";

/// A document of a bucket of others that stays otherwise than it was before the pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Stays {
    /// Its kind.
    pub kind: Kind,
    /// Why, if it is still as the pair wrote it. `None` if somebody changed it.
    pub why: Option<&'static str>,
    /// What it was, for people: the body of the call that would put it back, where there is one.
    pub was: String,
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
                    $name::is_managed(wish.settings, wish.adopted)
                        .then(|| $name::change(wish, live.and_then(|live| live.$field.as_ref())))
                        .flatten()
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

            /// Returns whether the document is set to what it was before the pair.
            pub fn is_restored(&self) -> bool {
                match self {
                    $(Self::$name(change) => matches!(change, Setting::Restore { .. }),)*
                }
            }

            /// Returns the tag that records the document as it `was`, if the change writes it. What
            /// `tags` record already stays recorded.
            pub fn remembered(
                &self,
                was: &Documents,
                tags: &BTreeMap<String, String>,
            ) -> Option<(String, String)> {
                let tag = format!("{WAS}{}", self.part());
                let value = match self {
                    $(Self::$name(change) => change.written().and_then(|to| match tags.get(&tag) {
                        Some(record) => $name::remembered_still(record, to),
                        None => $name::remembered(was.$field.as_ref(), to),
                    }),)*
                }?;
                Some((tag, value))
            }

            fn part(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => <$name as Document>::PART,)*
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
            /// Returns what is put back in a bucket of others with these `tags`, where the pair goes,
            /// and what stays otherwise than it was. `key` is the ARN of the pair's key of the bucket.
            pub fn put_back(
                &self,
                tags: &BTreeMap<String, String>,
                key: Option<&Arn>,
            ) -> (Vec<Change>, Vec<Stays>) {
                let (mut changes, mut stays) = (Vec::new(), Vec::new());
                $(
                    let record = tags.get(&format!("{WAS}{}", <$name as Document>::PART));
                    let was = record.and_then(|value| Some((value, $name::recalled(value)?)));
                    let live = self.$field.clone().or_else($name::absent);
                    if let (Some((record, was)), Some(live)) = (was, live) {
                        let kind = <$name as Document>::KIND;
                        let (was, is_ours) = (live.back(was.clone()), live.is_ours(&was, (key, record)));
                        let is_whole = $name::is_whole(record);
                        let is_otherwise = !is_whole || !live.differs(&was).is_empty();
                        if is_otherwise && <$name as Document>::GOES_BACK && is_whole && is_ours {
                            let (from, to) = (live, was);
                            changes.push(Change::$name(Setting::Restore { from, to }));
                        } else if is_otherwise {
                            let why = is_ours.then_some(<$name as Document>::STAYS);
                            stays.push(Stays { kind, why, was: was.told() });
                        }
                    }
                )*
                (changes, stays)
            }

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

        /// Returns the permissions that putting the documents of an adopted bucket back requires. What
        /// is put back follows from the bucket's tags, so they do not depend on the manifest.
        pub fn puts_back() -> Vec<&'static str> {
            let all = [$(
                <$name as Document>::GOES_BACK.then_some(<$name as Document>::ACTIONS.write),
            )*];
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
