//! STS: sessions of roles with session tags and a source identity, through role chains; sessions
//! of users. Sources: STS API Reference; IAM User Guide, "Pass session tags in AWS STS" and
//! "Monitor and control actions taken with assumed roles"; the texts that localstack's public
//! snapshots recorded of AWS (2024 to 2026, read 2026-11).
//! Not for: trust policies and durations (see `access`).

use super::{ACCOUNT, EAST, SECRET, Stand, client, refused};
use aws_credential_types::Credentials as Signer;
use aws_sdk_sts::types::{Credentials, Tag};

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
}

fn signer(credentials: Option<&Credentials>) -> Signer {
    let it = credentials.unwrap();
    let token = Some(it.session_token().to_owned());
    Signer::new(it.access_key_id(), it.secret_access_key(), token, None, "test")
}

/// Creates a role that the account may assume with `actions`, and that may do everything where
/// `condition` holds.
async fn role(stand: &Stand, name: &str, actions: &str, condition: &str) -> String {
    let iam = stand.iam();
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":[{actions}]}}]}}"#
    );
    let create = iam.create_role().role_name(name).assume_role_policy_document(trust);
    let arn = create.send().await.unwrap().role().unwrap().arn().to_owned();
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:*","Resource":"*"}},{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}]}}"#
    );
    let put = iam.put_role_policy().role_name(name).policy_name("own").policy_document(document);
    put.send().await.unwrap();
    arn
}

const ALL: &str = r#""sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity""#;
const STS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:*","Resource":"*"}]}"#;

#[tokio::test]
async fn session_tags_are_principal_tags_and_transitive_ones_pass_on() {
    let stand = Stand::start().await;
    let (id, secret) = stand.user("caller", STS).await;
    let sts = stand.sts(&id, &secret, EAST);
    let red = r#"{"StringEquals":{"aws:PrincipalTag/team":"red"}}"#;
    let first = role(&stand, "first", ALL, red).await;
    let second = role(&stand, "second", ALL, red).await;
    let assume = |arn: &str| sts.assume_role().role_arn(arn).role_session_name("tests");
    let plain = assume(&first).send().await.unwrap();
    let tagged = assume(&first).tags(tag("team", "red")).send().await.unwrap();
    let passed =
        assume(&first).tags(tag("Team", "red")).transitive_tag_keys("team").send().await.unwrap();
    let s3 = |it: Option<&Credentials>| client!(aws_sdk_s3, stand, signer(it), EAST);
    refused! { "AccessDenied" 403 "" s3(plain.credentials()).list_buckets(); }
    s3(tagged.credentials()).list_buckets().send().await.unwrap();
    s3(passed.credentials()).list_buckets().send().await.unwrap();

    let chain = |it: Option<&Credentials>| {
        let sts = client!(aws_sdk_sts, stand, signer(it), EAST);
        sts.assume_role().role_arn(&second).role_session_name("chained")
    };
    let (lost, kept) =
        (chain(tagged.credentials()).send().await, chain(passed.credentials()).send().await);
    refused! { "AccessDenied" 403 "" s3(lost.unwrap().credentials()).list_buckets(); }
    s3(kept.unwrap().credentials()).list_buckets().send().await.unwrap();
    let untagged = role(&stand, "untagged", r#""sts:AssumeRole""#, red).await;
    let long = "k".repeat(129);
    refused! {
        "InvalidParameterValue" 400 "The specified transitive tag key must be included in the requested tags." assume(&first).tags(tag("a", "1")).transitive_tag_keys("b");
        "InvalidParameterValue" 400 "reserved" assume(&first).tags(tag("aws:a", "1"));
        "ValidationError" 400 "'tags.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern" assume(&first).tags(tag("a,b", "1"));
        "InvalidParameterValue" 400 "Duplicate tag keys found. Please note that Tag keys are case insensitive." assume(&first).tags(tag("a", "1")).tags(tag("A", "2"));
        "InvalidParameterValue" 400 "it conflicts with a transitive tag key from the calling session." chain(passed.credentials()).tags(tag("TEAM", "blue"));
        "ValidationError" 400 "'tags.1.member.key'" assume(&first).tags(tag(&long, "1"));
        "AccessDenied" 403 "is not authorized to perform: sts:TagSession on resource" assume(&untagged).tags(tag("a", "1"));
        "ValidationError" 400 "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining" chain(tagged.credentials()).duration_seconds(7200);
    };
    assume(&untagged).send().await.unwrap();
}

#[tokio::test]
async fn a_role_chain_keeps_to_the_tags_that_a_session_can_have() {
    let stand = Stand::start().await;
    let (id, secret) = stand.user("caller", STS).await;
    let arn = role(&stand, "role", ALL, "{}").await;
    let tags = |name: &str, count: usize| {
        Some((0..count).map(|n| tag(&format!("{name}{n}"), "x")).collect::<Vec<_>>())
    };
    let keys = (0..30).map(|n| format!("first{n}")).collect();
    let assume = stand.sts(&id, &secret, EAST).assume_role().role_arn(&arn);
    let assume = assume.role_session_name("tests").set_transitive_tag_keys(Some(keys));
    let first = assume.set_tags(tags("first", 40)).send().await.unwrap();
    let sts = client!(aws_sdk_sts, stand, signer(first.credentials()), EAST);
    let chain = |count: usize| {
        let assume = sts.assume_role().role_arn(&arn).role_session_name("chained");
        assume.set_tags(tags("second", count))
    };
    chain(20).send().await.unwrap();
    refused! { "PackedPolicyTooLarge" 400 "50 session tags" chain(21); };
}

#[tokio::test]
async fn the_tags_of_a_request_are_condition_keys_of_the_trust_policy() {
    let stand = Stand::start().await;
    let (id, secret) = stand.user("caller", STS).await;
    let sts = stand.sts(&id, &secret, EAST);
    for (number, (condition, good, bad)) in [
        (r#"{"StringEquals":{"aws:RequestTag/team":"red"}}"#, ("team", "red"), ("team", "blue")),
        (r#"{"ForAllValues:StringEquals":{"aws:TagKeys":"team"}}"#, ("team", "x"), ("other", "x")),
        (
            r#"{"ForAnyValue:StringEquals":{"sts:TransitiveTagKeys":"team"}}"#,
            ("team", "x"),
            ("other", "x"),
        ),
        (r#"{"StringEquals":{"sts:SourceIdentity":"team"}}"#, ("team", "x"), ("other", "x")),
    ]
    .into_iter()
    .enumerate()
    {
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sts:*","Condition":{condition}}}]}}"#
        );
        let (iam, name) = (stand.iam(), format!("role-{number}"));
        let create = iam.create_role().role_name(&name).assume_role_policy_document(trust);
        let arn = create.send().await.unwrap().role().unwrap().arn().to_owned();
        let assume = |(key, value): (&str, &str)| {
            let assume = sts.assume_role().role_arn(&arn).role_session_name("tests");
            assume.tags(tag(key, value)).transitive_tag_keys(key).source_identity(key)
        };
        assume(good).send().await.unwrap_or_else(|error| panic!("{condition}: {error:?}"));
        refused! { "AccessDenied" 403 "sts:" assume(bad); }
    }
}

#[tokio::test]
async fn a_source_identity_stays_through_a_role_chain() {
    let stand = Stand::start().await;
    let (id, secret) = stand.user("caller", STS).await;
    let sts = stand.sts(&id, &secret, EAST);
    let anna = r#"{"StringEquals":{"aws:SourceIdentity":"anna"}}"#;
    let first = role(&stand, "first", ALL, anna).await;
    let second = role(&stand, "second", ALL, anna).await;
    let closed = role(&stand, "closed", r#""sts:AssumeRole""#, anna).await;
    let assume = |arn: &str| sts.assume_role().role_arn(arn).role_session_name("tests");
    let session = assume(&first).source_identity("anna").send().await.unwrap();
    assert_eq!(session.source_identity(), Some("anna"));
    let own = client!(aws_sdk_sts, stand, signer(session.credentials()), EAST);
    let chain = |arn: &str| own.assume_role().role_arn(arn).role_session_name("chained");
    let chained = chain(&second).send().await.unwrap();
    assert_eq!(chained.source_identity(), Some("anna"));
    let s3 = client!(aws_sdk_s3, stand, signer(chained.credentials()), EAST);
    s3.list_buckets().send().await.unwrap();
    refused! {
        "AccessDenied" 403 "" chain(&second).source_identity("berta");
        "AccessDenied" 403 "sts:SetSourceIdentity" chain(&closed);
        "ValidationError" 400 "'sourceIdentity'" assume(&first).source_identity("a b");
    };
}

#[tokio::test]
async fn malformed_role_arns_are_validation_errors() {
    let stand = Stand::start().await;
    let (id, secret) = stand.user("caller", STS).await;
    let sts = stand.sts(&id, &secret, EAST);
    for (arn, text) in [
        (
            "too-short",
            "at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20",
        ),
        ("arn:aws:iam:role/without-account", "arn:aws:iam:role/without-account is invalid"),
        (
            "arn:aws:iam::111122223333:user/no-role",
            "arn:aws:iam::111122223333:user/no-role is invalid",
        ),
        ("arn:aws:iam::1111:role/short-account", "arn:aws:iam::1111:role/short-account is invalid"),
    ] {
        let assume = sts.assume_role().role_arn(arn).role_session_name("tests");
        let (code, status, message) = super::refusal(assume.send().await);
        assert_eq!((code.as_str(), status), ("ValidationError", 400), "{arn}");
        assert!(message.contains(text), "{message}");
    }
}

/// The device is checked first, then the trust policy: of a session, no policy can ask for a device.
#[tokio::test]
async fn a_role_may_want_an_mfa_device() {
    const DEVICE: &str = "arn:aws:iam::111122223333:mfa/caller";
    let stand = Stand::start().await;
    let (id, secret) = stand.user("caller", STS).await;
    let sts = stand.sts(&id, &secret, EAST);
    let iam = stand.iam();
    let trust = |condition: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sts:AssumeRole","Condition":{condition}}}]}}"#
        )
    };
    let with = trust(
        r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThan":{"aws:MultiFactorAuthAge":"60"}}"#,
    );
    let create = iam.create_role().role_name("guarded").assume_role_policy_document(with);
    let arn = create.send().await.unwrap().role().unwrap().arn().to_owned();
    let may = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListAllMyBuckets","sts:*"],"Resource":"*"},{"Effect":"Deny","Action":"s3:ListAllMyBuckets","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}"#;
    let put = iam.put_role_policy().role_name("guarded").policy_name("own").policy_document(may);
    put.send().await.unwrap();
    let plain = || sts.assume_role().role_arn(&arn).role_session_name("tests");
    let by = |serial: &str, code: &str| plain().serial_number(serial).token_code(code);
    let long = "9".repeat(257);
    refused! {
        "AccessDenied" 403 "is not authorized to perform: sts:AssumeRole" plain();
        "AccessDenied" 403 "must provide both MFA serial number and one time pass code" plain().serial_number(DEVICE);
        "AccessDenied" 403 "must provide both MFA serial number and one time pass code" plain().token_code("123456");
        "ValidationError" 400 "'tokenCode' failed to satisfy constraint: Member must have length greater than or equal to 6" by(DEVICE, "12345");
        "ValidationError" 400 "'tokenCode' failed to satisfy constraint: Member must have length less than or equal to 6" by(DEVICE, "1234567");
        "ValidationError" 400 "'tokenCode' failed to satisfy constraint: Member must satisfy" by(DEVICE, "12345a");
        "ValidationError" 400 "'serialNumber'" by("short", "123456");
        "ValidationError" 400 "'serialNumber'" by(&long, "123456");
        "AccessDenied" 403 "unable to validate MFA code" by("arn:aws:iam::444455556666:mfa/caller", "123456");
        "AccessDenied" 403 "unable to validate MFA code" by("arn:aws:iam::111122223333:user/caller", "123456");
    };
    let session = by(DEVICE, "123456").send().await.unwrap();
    by("GAHT12345678", "123456").send().await.unwrap();
    let session = signer(session.credentials());
    let inner = client!(aws_sdk_sts, stand, session.clone(), EAST);
    let inner = inner.assume_role().role_arn(&arn).role_session_name("again");
    refused! {
        "AccessDenied" 403 "invalid MFA one time pass code" by(DEVICE, "123456");
        "AccessDenied" 403 "unable to validate MFA code" inner.clone().serial_number(DEVICE).token_code("654321");
        "AccessDenied" 403 "is not authorized to perform: sts:AssumeRole" inner;
    };
    client!(aws_sdk_s3, stand, session, EAST).list_buckets().send().await.unwrap();
}

#[tokio::test]
async fn a_session_of_a_user_has_its_permissions_but_neither_iam_nor_most_of_sts() {
    let stand = Stand::start().await;
    let everything = STS.replace("sts:*", "*");
    let (id, secret) = stand.user("caller", &everything).await;
    let arn = role(&stand, "target", ALL, "{}").await;
    let session = stand.sts(&id, &secret, EAST).get_session_token().send().await.unwrap();
    let credentials = session.credentials().unwrap();
    assert!(credentials.access_key_id().starts_with("ASIA"));
    let sts = client!(aws_sdk_sts, stand, signer(Some(credentials)), EAST);
    let who = sts.get_caller_identity().send().await.unwrap();
    assert_eq!(who.arn(), Some(format!("arn:aws:iam::{ACCOUNT}:user/caller").as_str()));
    let s3 = client!(aws_sdk_s3, stand, signer(Some(credentials)), EAST);
    s3.list_buckets().send().await.unwrap();
    sts.assume_role().role_arn(&arn).role_session_name("tests").send().await.unwrap();
    let iam = client!(aws_sdk_iam, stand, signer(Some(credentials)), EAST);
    let plain = stand.sts(&id, &secret, EAST);
    refused! {
        "InvalidClientTokenId" 403 "The security token included in the request is invalid" iam.list_users();
        "AccessDenied" 403 "Cannot call GetSessionToken with session credentials" sts.get_session_token();
        "ValidationError" 400 "Member must have value greater than or equal to 900" plain.get_session_token().duration_seconds(899);
        "ValidationError" 400 "Member must have value less than or equal to 129600" plain.get_session_token().duration_seconds(129_601);
        "NotImplemented" 501 "SerialNumber" plain.get_session_token().serial_number("arn:aws:iam::111122223333:mfa/caller");
    };
    let root = stand.sts(ACCOUNT, SECRET, EAST).get_session_token().send().await.unwrap();
    let root = client!(aws_sdk_sts, stand, signer(root.credentials()), EAST);
    assert!(root.get_caller_identity().send().await.unwrap().arn().unwrap().ends_with(":root"));
    stand.control("POST", "clock", r#"{"advance": "13h"}"#).await;
    refused! { "ExpiredToken" 403 "" sts.get_caller_identity(); }
}
