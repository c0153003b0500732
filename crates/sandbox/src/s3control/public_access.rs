//! The public access block of an account, which applies to all its buckets (S3 User Guide,
//! "Blocking public access to your Amazon S3 storage"). Not for: the public access block of a
//! bucket (see `s3`).

use crate::s3control::call::{ControlCall, result};
use crate::wire::query::element;
use crate::wire::{Fault, XmlOutput};
use crate::world::buckets::{NO_PUBLIC_ACCESS_BLOCK, with_all_settings};
use crrctl_iam::Context;
use s3s::dto::PublicAccessBlockConfiguration;
use serde::Deserialize;

/// The body of `PutPublicAccessBlock`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    block_public_acls: Option<bool>,
    ignore_public_acls: Option<bool>,
    block_public_policy: Option<bool>,
    restrict_public_buckets: Option<bool>,
}

/// S3 API Reference, `GetPublicAccessBlock` of S3 Control.
pub(super) fn get(call: &mut ControlCall<'_>) -> XmlOutput {
    permit(call, "s3:GetAccountPublicAccessBlock")?;
    let block = call.state.public_access_blocks.get(&call.caller.account).ok_or_else(|| {
        let (code, text) = NO_PUBLIC_ACCESS_BLOCK;
        Fault::new(404, code, text)
    })?;
    let settings = [
        ("BlockPublicAcls", block.block_public_acls),
        ("IgnorePublicAcls", block.ignore_public_acls),
        ("BlockPublicPolicy", block.block_public_policy),
        ("RestrictPublicBuckets", block.restrict_public_buckets),
    ];
    let xml = |(name, on): (&str, Option<bool>)| element(name, (on == Some(true)).to_string());
    let inner: String = settings.into_iter().map(xml).collect();
    Ok(Some(result("PublicAccessBlockConfiguration", &inner)))
}

/// S3 API Reference, `PutPublicAccessBlock` of S3 Control.
pub(super) fn put(call: &mut ControlCall<'_>) -> XmlOutput {
    permit(call, "s3:PutAccountPublicAccessBlock")?;
    let given: Configuration = call.xml()?;
    let block = with_all_settings(&PublicAccessBlockConfiguration {
        block_public_acls: given.block_public_acls,
        block_public_policy: given.block_public_policy,
        ignore_public_acls: given.ignore_public_acls,
        restrict_public_buckets: given.restrict_public_buckets,
    });
    call.state.public_access_blocks.insert(call.caller.account.clone(), block);
    Ok(Some(String::new()))
}

/// S3 API Reference, `DeletePublicAccessBlock` of S3 Control, which needs the permission to put.
pub(super) fn delete(call: &mut ControlCall<'_>) -> XmlOutput {
    permit(call, "s3:PutAccountPublicAccessBlock")?;
    call.state.public_access_blocks.remove(&call.caller.account);
    Ok(None)
}

/// Checks a permission on the account, which has no ARN of its own (Service Authorization
/// Reference, "Actions defined by Amazon S3").
fn permit(call: &ControlCall<'_>, action: &str) -> Result<(), Fault> {
    call.permit(action, "*".to_owned(), Context::new())
}
