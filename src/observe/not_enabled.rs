//! Names the failure of a Region that is not enabled for the account.
//! Not for: Regions that crrctl does not know (see `manifest::regions`).

use crate::aws::Aws;
use crate::failure::{Failure, Kind};

/// The codes with which AWS rejects credentials that it does not know in a Region.
const NOT_KNOWN: [&str; 4] =
    ["InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken", "UnrecognizedClientException"];

/// In a Region that is not enabled, AWS rejects credentials that are valid elsewhere. STS accepted
/// these credentials before, in the Region in which it was called.
pub(super) fn not_enabled(aws: &Aws, failure: Failure) -> Failure {
    let is_not_known = NOT_KNOWN.contains(&failure.code.as_str());
    let Some(region) = failure.region.clone().filter(|_| is_not_known) else { return failure };
    if aws.callers().contains(&&region) {
        return failure;
    }
    let message = format!(
        "the account's credentials are good, and are not taken in {region}: it may not be enabled ({})",
        failure.message
    );
    let mut named = Failure::new(Kind::Credentials, "region-not-enabled", message);
    (named.region, named.aws_code, named.request_id) =
        (failure.region, failure.aws_code, failure.request_id);
    named.hint(format!("enable {region} for the account (AWS Account Management, \"Enable or disable AWS Regions\"), or use another Region"))
}
