//! Interceptor of the listings of a bucket: asks for keys in URL encoding, and decodes them. XML 1.0
//! can't hold every character of a key, such as U+001B, and no parser reads a listing that has one.
//! Source: S3 API Reference, `ListObjectVersions` and `ListMultipartUploads`, `encoding-type`.
//! Not for: what is listed (see the callers).

use aws_sdk_s3::operation::list_multipart_uploads::{
    ListMultipartUploadsInput, ListMultipartUploadsOutput,
};
use aws_sdk_s3::operation::list_object_versions::{
    ListObjectVersionsInput, ListObjectVersionsOutput,
};
use aws_sdk_s3::types::EncodingType;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextMut, FinalizerInterceptorContextMut,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use percent_encoding::percent_decode_str;

/// The interceptor. A caller that asks for an encoding itself gets the keys as S3 sends them.
#[derive(Debug)]
pub(super) struct Listings;

impl Intercept for Listings {
    fn name(&self) -> &'static str {
        "crrctl listings"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input_mut();
        if let Some(input) = input.downcast_mut::<ListObjectVersionsInput>() {
            input.encoding_type = Some(EncodingType::Url);
        } else if let Some(input) = input.downcast_mut::<ListMultipartUploadsInput>() {
            input.encoding_type = Some(EncodingType::Url);
        }
        Ok(())
    }

    fn modify_before_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Ok(output)) = context.output_or_error_mut() else { return Ok(()) };
        // A stand-in for S3 that ignores the parameter says so by leaving it out of its answer.
        if let Some(output) = output.downcast_mut::<ListObjectVersionsOutput>() {
            if output.encoding_type.take() == Some(EncodingType::Url) {
                let versions = output.versions.iter_mut().flatten().map(|it| &mut it.key);
                let markers = output.delete_markers.iter_mut().flatten().map(|it| &mut it.key);
                decode(versions.chain(markers).chain([&mut output.next_key_marker]))?;
            }
        } else if let Some(output) = output.downcast_mut::<ListMultipartUploadsOutput>()
            && output.encoding_type.take() == Some(EncodingType::Url)
        {
            let uploads = output.uploads.iter_mut().flatten().map(|it| &mut it.key);
            decode(uploads.chain([&mut output.next_key_marker]))?;
        }
        Ok(())
    }
}

fn decode<'a>(keys: impl Iterator<Item = &'a mut Option<String>>) -> Result<(), BoxError> {
    for key in keys.flatten() {
        // A plus sign stands for a space, as in a form.
        *key = percent_decode_str(&key.replace('+', " ")).decode_utf8()?.into_owned();
    }
    Ok(())
}

/// Returns whether the SDK refuses to name `key` in the path of a request: a key of white space alone
/// counts as missing there.
pub fn is_unnamable(key: &str) -> bool {
    key.trim().is_empty()
}

/// Returns whether the body of `DeleteObjects` can name `key`: every character is one of XML 1.0
/// (section 2.2), and none is one that parsers change or cut off.
pub fn is_xml_text(key: &str) -> bool {
    let is_held = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    // The SDK can't name a key of white space alone in any other call.
    is_unnamable(key) || key.chars().all(is_held) && key.trim() == key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded_as_a_form_is() {
        let mut keys =
            ["a%1B%0A%EF%BF%BE", "plus%2B+and%20space/%25"].map(|it| Some(it.to_owned()));
        decode(keys.iter_mut()).unwrap();
        assert_eq!(keys.map(Option::unwrap), ["a\u{1b}\n\u{fffe}", "plus+ and space/%"]);
    }

    #[test]
    fn what_xml_cannot_hold_is_known() {
        for key in ["a\u{1b}", "a\u{0}", "a\rb", "\u{fffe}", "a "] {
            assert!(!is_xml_text(key), "{key:?}");
        }
        assert!(is_xml_text(" "));
        assert!(is_xml_text("logs/2026 \u{e9}\u{1f600}&<>\"'.txt"));
    }
}
