//! Buckets, objects and their versions as plain data. Not for: decoding or checking requests.

pub(crate) mod acl;
mod arn;
mod bucket;
pub(crate) mod checksum;
mod default_encryption;
mod described;
pub(crate) mod lifecycle;
pub(crate) mod lock;
pub(crate) mod room;
pub(crate) mod notifications;
mod public_access;
mod sse;
mod upload;

pub(crate) use acl::Acl;
pub(crate) use arn::{bucket_arn, object_arn};
pub(crate) use bucket::{
    Bucket, Buckets, Content, NULL, Object, ObjectPart, Outcome, Replicated, Version, Versioning,
    is_version_id, new_upload_id, random_etag, random_text,
};
pub(crate) use checksum::{Algorithm, Checksum};
pub(crate) use default_encryption::{BlockedEncryption, default_of};
pub(crate) use described::{Described, Tags};
pub(crate) use lock::{DefaultLock, Lock, Mode, ObjectLock, Period, Retention};
pub(crate) use public_access::{NO_PUBLIC_ACCESS_BLOCK, with_all_settings};
pub(crate) use room::{Full, weight_of};
pub(crate) use sse::Sse;
pub(crate) use upload::{Upload, UploadedPart};
