//! `TagResource`, `UntagResource` and `ListTagsForResource` for general purpose buckets.
//! Not for: `PutBucketTagging`, which replaces all tags of a bucket (see `s3`).

use crate::gate::AccessTarget;
use crate::s3control::call::{ControlCall, bucket_name, invalid, result};
use crate::wire::query::{element, wrapped};
use crate::wire::{Fault, XmlOutput};
use crate::world::Slow;
use crate::world::buckets::{Bucket, bucket_arn};
use crate::world::jobs::request::TagResource;
use crrctl_iam::Context;

impl ControlCall<'_> {
    /// Finds the bucket that the request names by its ARN and checks that the caller may perform
    /// `action` on it.
    fn bucket(&mut self, action: &str, context: Context) -> Result<&mut Bucket, Fault> {
        let arn = percent_encoding::percent_decode_str(self.rest).decode_utf8_lossy().into_owned();
        let name = bucket_name(&arn).ok_or_else(|| {
            Fault::not_implemented("tags of anything but general purpose buckets")
        })?;
        let absent = || Fault::new(404, "NoSuchResource", "The specified resource doesn't exist.");
        let bucket = self.state.found_bucket(name).ok_or_else(absent)?;
        if bucket.region != self.caller.region {
            let region = &bucket.region;
            return Err(invalid(format!("The bucket {name} is in {region}; ask there.")));
        }
        let arn = bucket_arn(self.caller.partition(), name);
        let target = AccessTarget { bucket, object: None, action, arn };
        target
            .authorize(self.state, &self.caller, || context)
            .map_err(|denied| Fault::new(403, "AccessDenied", denied.message()))?;
        self.state.buckets.0.get_mut(name).ok_or_else(absent)
    }
}

/// S3 API Reference, `TagResource`: adds tags to the existing tags.
pub(super) fn add(call: &mut ControlCall<'_>) -> XmlOutput {
    let request: TagResource = call.xml()?;
    let mut context = Context::new();
    for tag in &request.tags.tags {
        context.set(&format!("aws:RequestTag/{}", tag.key), &tag.value);
    }
    context.set_all("aws:TagKeys", request.tags.tags.iter().map(|tag| &tag.key));
    let added = request.tags.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    let times = (call.state.now(), call.state.done_at(Slow::BucketTags));
    call.bucket("s3:TagResource", context)?.add_tags(added, times)?;
    Ok(None)
}

/// S3 API Reference, `UntagResource`.
pub(super) fn remove(call: &mut ControlCall<'_>) -> XmlOutput {
    let keys: Vec<String> = call.parameters("tagKeys").collect();
    let mut context = Context::new();
    context.set_all("aws:TagKeys", keys.iter());
    let times = (call.state.now(), call.state.done_at(Slow::BucketTags));
    call.bucket("s3:UntagResource", context)?.remove_tags(&keys, times);
    Ok(None)
}

/// S3 API Reference, `ListTagsForResource`.
pub(super) fn list(call: &mut ControlCall<'_>) -> XmlOutput {
    let now = call.state.now();
    let bucket = call.bucket("s3:ListTagsForResource", Context::new())?;
    let tag = |(key, value): &(String, String)| {
        wrapped("Tag", &(element("Key", key) + &element("Value", value)))
    };
    let tags: String = bucket.tags(now).iter().map(tag).collect();
    Ok(Some(result("ListTagsForResourceResult", &wrapped("Tags", &tags))))
}
