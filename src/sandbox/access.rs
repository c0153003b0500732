//! The one door that is asked before each action: who may do what to which resource.
//! Not for: finding out who is asking (see `auth`). Policies are not evaluated yet: an account's root may do anything to what its
//! own account owns, and nothing to what others own.

use super::auth::Caller;
use crate::names::AccountId;

/// What an action is aimed at. S3's ARNs do not tell whose a bucket is, so the owner goes with it.
#[derive(Debug)]
pub(crate) struct Resource<'a> {
    pub(crate) arn: String,
    pub(crate) owner: &'a AccountId,
}

/// Condition keys of a request with their values, such as `("aws:RequestedRegion", "us-east-1")`.
pub(crate) type Context<'a> = [(&'a str, &'a str)];

/// Why an action was refused, worded as AWS words it.
#[derive(Debug)]
pub(crate) struct Denied {
    pub(crate) message: String,
}

/// Decides whether `caller` may perform `action` (such as `s3:GetObject`) on `resource`.
///
/// # Errors
/// [`Denied`], with AWS's text (IAM User Guide, "Troubleshoot access denied error messages").
pub(crate) fn authorize(
    caller: &Caller,
    action: &str,
    resource: &Resource<'_>,
    context: &Context<'_>,
) -> Result<(), Denied> {
    if caller.account == *resource.owner {
        return Ok(());
    }
    tracing::debug!(action, arn = resource.arn, ?context, "denied across accounts");
    let (principal, arn) = (caller.arn(), &resource.arn);
    Err(Denied {
        message: format!(
            "User: {principal} is not authorized to perform: {action} on resource: {arn} \
             because no resource-based policy allows the {action} action"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Region;

    #[test]
    fn root_rules_its_own_account_only() {
        let account = |a: &str| AccountId::new(a).unwrap();
        let caller =
            Caller { account: account("111122223333"), region: Region::new("us-east-1").unwrap() };
        let ask = |owner: &AccountId| {
            authorize(
                &caller,
                "s3:GetObject",
                &Resource { arn: "arn:aws:s3:::b/k".into(), owner },
                &[],
            )
        };
        assert!(ask(&account("111122223333")).is_ok());
        let denied = ask(&account("444455556666")).unwrap_err();
        assert!(
            denied.message.starts_with("User: arn:aws:iam::111122223333:root is not authorized")
        );
    }
}
