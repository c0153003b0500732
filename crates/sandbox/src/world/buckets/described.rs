//! The attributes and tags that an upload specifies. Not for: the attributes that S3 computes (see
//! `bucket`).

use s3s::dto::Timestamp;
use std::collections::HashMap;

/// Tags in the order in which they were specified.
pub(crate) type Tags = Vec<(String, String)>;

/// The attributes that an upload specifies in its headers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Described {
    pub(crate) content_type: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) metadata: HashMap<String, String>,
    pub(crate) storage_class: Option<String>,
}

impl Described {
    /// Returns whether the object must be restored before it can be read.
    pub(crate) fn is_archived(&self) -> bool {
        matches!(self.storage_class.as_deref(), Some("GLACIER" | "DEEP_ARCHIVE"))
    }
}
