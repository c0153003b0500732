//! Looks at an object that the user names. The answer to a failed HEAD has no body, so where its
//! status has several causes, a GET of the first byte is asked for the reason.
//! Not for: crrctl's own objects, whose requests are well formed (see `poll`).

use crate::aws::{At, Aws, Error};
use crate::failure::{Failure, Kind};
use crate::names::{BucketName, Region};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;

/// An object, or one of its versions.
#[derive(Debug, Clone, Copy)]
pub struct NamedObject<'a> {
    /// Name of its bucket.
    pub bucket: &'a BucketName,
    /// Its key.
    pub key: &'a str,
    /// The version, or `None` for the current one.
    pub version_id: Option<&'a str>,
}

/// Why nothing is known of an object.
#[derive(Debug)]
pub enum NotSeen {
    /// The cause is known: there is no such object or version, or it can't be read as it is stored.
    Known(Failure),
    /// The call failed for another reason.
    Call(Error),
}

impl From<NotSeen> for Failure {
    fn from(why: NotSeen) -> Self {
        match why {
            NotSeen::Known(failure) => failure,
            NotSeen::Call(error) => error.into(),
        }
    }
}

impl NamedObject<'_> {
    fn named(&self) -> String {
        let version = self.version_id.map_or_else(String::new, |id| format!(" ({id})"));
        format!("s3://{}/{}{version}", self.bucket, self.key)
    }
}

/// Returns what S3 says of the object.
///
/// # Errors
/// There is no such object or version, or the version is a delete marker (`object-missing`); the
/// object can't be looked at (`object-unreadable`); the call fails.
pub async fn look_at(
    aws: &Aws,
    region: &Region,
    object: NamedObject<'_>,
) -> Result<HeadObjectOutput, NotSeen> {
    let head = aws.s3(region).head_object().bucket(object.bucket.as_str()).key(object.key);
    let head = head.set_version_id(object.version_id.map(str::to_owned));
    match head.send().await.at("s3:HeadObject", region) {
        Ok(output) => Ok(output),
        Err(error) if error.is_absent() => Err(NotSeen::Known(missing(object, &error))),
        Err(error) if error.may_be_the_objects() => Err(reason(aws, region, object, error).await),
        Err(error) => Err(NotSeen::Call(error)),
    }
}

/// Returns why `HeadObject` failed, from the answer to a GET of the first byte, which needs the same
/// permission (S3 API Reference, "Error responses" and `GetObject`).
async fn reason(aws: &Aws, region: &Region, object: NamedObject<'_>, of_head: Error) -> NotSeen {
    let get = aws.s3(region).get_object().bucket(object.bucket.as_str()).key(object.key);
    let get = get.set_version_id(object.version_id.map(str::to_owned)).range("bytes=0-0");
    let Err(error) = get.send().await.at("s3:GetObject", region) else {
        return NotSeen::Call(of_head);
    };
    if error.is("MethodNotAllowed") {
        return NotSeen::Known(delete_marker(object, region));
    }
    let is_of_version = object.version_id.is_some() && error.is("InvalidArgument");
    if error.is_absent() || is_of_version {
        return NotSeen::Known(missing(object, &error));
    }
    if error.may_be_the_objects() {
        return NotSeen::Known(unreadable(object, error));
    }
    NotSeen::Call(error)
}

fn missing(object: NamedObject<'_>, error: &Error) -> Failure {
    let message = format!("{} does not exist: {error}", object.named());
    no_such_object(message, &error.region)
}

fn delete_marker(object: NamedObject<'_>, region: &Region) -> Failure {
    let message = format!(
        "{} is a delete marker: it says that the object was deleted, and holds none",
        object.named()
    );
    no_such_object(message, region).hint("name the version of an object")
}

fn no_such_object(message: String, region: &Region) -> Failure {
    Failure::new(Kind::Manifest, "object-missing", message)
        .in_region(region)
        .hint("`aws s3api list-object-versions` shows what is there")
}

fn unreadable(object: NamedObject<'_>, error: Error) -> Failure {
    let message = format!("{} can't be looked at: {error}", object.named());
    let mut failure =
        Failure::new(Kind::Unexpected, "object-unreadable", message).in_region(&error.region);
    failure.request_id = error.request_id;
    failure.hint("an object under a key of its owner's (SSE-C) tells nothing without it")
}
