//! ACLs of buckets and objects: what can't be set, what is returned, and who gets access by them.
//! The refusals are those that S3 was recorded to return (`LocalStack`'s snapshots
//! `test_s3_bucket_acl_exceptions` and `test_s3_object_acl_exceptions`); access follows the S3 User
//! Guide, "Access control list (ACL) overview".
//! Not for: which version and whose object access is about (see `object_owners`).

use super::{ACCOUNT, EAST, OTHER, Stand, WEST, refused, rule};
use aws_sdk_s3::types::{
    AccessControlPolicy, BucketCannedAcl, Grant, Grantee, ObjectCannedAcl, ObjectOwnership, Owner,
    OwnershipControls, OwnershipControlsRule, Permission, Type,
};
use crrctl_sandbox::SECRET;

const GROUPS: &str = "http://acs.amazonaws.com/groups";

/// Creates a bucket with ACLs and without a public access block.
async fn open_bucket(stand: &Stand, name: &str, ownership: ObjectOwnership) {
    let s3 = stand.s3(EAST);
    s3.create_bucket().bucket(name).object_ownership(ownership).send().await.unwrap();
    s3.delete_public_access_block().bucket(name).send().await.unwrap();
}

/// Returns the canonical user ID of an account.
async fn canonical_id(stand: &Stand, account: &str) -> String {
    let buckets = stand.s3_as(account, SECRET, EAST).list_buckets().send().await.unwrap();
    buckets.owner().unwrap().id().unwrap().to_owned()
}

async fn set_ownership(stand: &Stand, bucket: &str, ownership: ObjectOwnership) -> String {
    let rule = OwnershipControlsRule::builder().object_ownership(ownership).build().unwrap();
    let controls = OwnershipControls::builder().rules(rule).build().unwrap();
    let s3 = stand.s3(EAST);
    let put = s3.put_bucket_ownership_controls().bucket(bucket).ownership_controls(controls);
    super::refusal(put.send().await).0
}

fn grant(kind: Type, id: Option<&str>, uri: Option<&str>, permission: &str) -> Grant {
    let grantee = Grantee::builder()
        .r#type(kind)
        .set_id(id.map(String::from))
        .set_uri(uri.map(String::from))
        .build()
        .unwrap();
    Grant::builder().grantee(grantee).permission(Permission::from(permission)).build()
}

fn policy(owner: Option<&str>, grants: Option<Vec<Grant>>) -> AccessControlPolicy {
    let owner = owner.map(|id| Owner::builder().id(id).build());
    AccessControlPolicy::builder().set_owner(owner).set_grants(grants).build()
}

/// Each permission with its grantee: a group's name, or an id.
fn shown(grants: &[Grant]) -> Vec<(String, String)> {
    let one = |grant: &Grant| {
        let grantee = grant.grantee().unwrap();
        let uri = grantee.uri().map(|uri| uri.rsplit('/').next().unwrap());
        let who = uri.or(grantee.id()).unwrap().to_owned();
        (who, grant.permission().unwrap().as_str().to_owned())
    };
    grants.iter().map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acl_is_checked_before_the_ownership_of_the_bucket() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.bucket("enforced", EAST, false).await;
    stand.put("enforced", "k").await;
    open_bucket(&stand, "writers", ObjectOwnership::ObjectWriter).await;
    stand.put("writers", "k").await;
    let own = canonical_id(&stand, ACCOUNT).await;
    let log = format!("{GROUPS}/s3/LogDelivery");
    let fake = format!("{GROUPS}/s3/FakeGroup");
    let group = |uri: &str, permission| vec![grant(Type::Group, None, Some(uri), permission)];
    let one = |kind, id: &str| grant(kind, Some(id), None, "FULL_CONTROL");
    let account = |kind, id: &str| vec![one(kind, id)];
    for name in ["enforced", "writers"] {
        let bucket = || s3.put_bucket_acl().bucket(name);
        let object = || s3.put_object_acl().bucket(name).key("k");
        let bodies = [
            ("MalformedACLError", "did not validate", policy(None, Some(group(&log, "WRITE")))),
            ("MalformedACLError", "did not validate", policy(Some(&own), Some(group(&log, "ALL")))),
            ("InvalidArgument", "Invalid id", policy(Some("x"), Some(group(&log, "READ")))),
            (
                "InvalidArgument",
                "Invalid group uri",
                policy(Some(&own), Some(group(&fake, "READ"))),
            ),
            (
                "InvalidArgument",
                "Invalid id",
                policy(Some(&own), Some(account(Type::CanonicalUser, "x"))),
            ),
            (
                "MalformedACLError",
                "did not validate",
                policy(Some(&own), Some(account("Odd".into(), "x"))),
            ),
            ("MalformedACLError", "did not validate", policy(None, None)),
            (
                "MalformedACLError",
                "did not validate",
                policy(Some(&own), Some(vec![one(Type::CanonicalUser, &own); 101])),
            ),
            (
                "MethodNotAllowed",
                "",
                policy(Some(&own), Some(vec![one(Type::AmazonCustomerByEmail, &own)])),
            ),
        ];
        for (code, part, body) in bodies {
            let put = bucket().access_control_policy(body.clone());
            let (got, _, message) = super::refusal(put.send().await);
            assert!(got == code && message.contains(part), "{got} {message}: {body:?}");
            let put = object().access_control_policy(body.clone());
            let (got, _, message) = super::refusal(put.send().await);
            assert!(got == code && message.contains(part), "{got} {message}: {body:?}");
        }
        let whole = policy(Some(&own), Some(account(Type::CanonicalUser, &own)));
        refused! {
            "InvalidArgument" 400 "" bucket().acl("odd".into());
            "InvalidArgument" 400 "" object().acl("odd".into());
            "InvalidArgument" 400 "" s3.put_object().bucket(name).key("n").acl("odd".into());
            "InvalidArgument" 400 "Invalid group uri" bucket().grant_write(format!("uri=\"{fake}\""));
            "InvalidArgument" 400 "Argument format not recognized" object().grant_write("odd=\"1\"");
            "InvalidArgument" 400 "Invalid id" bucket().grant_write("id=\"x\"");
            "MissingSecurityHeader" 400 "missing a required header" bucket();
            "MissingSecurityHeader" 400 "missing a required header" object();
            "InvalidRequest" 400 "both Canned ACLs and Header Grants" bucket().acl(BucketCannedAcl::Private).grant_read(format!("uri=\"{log}\""));
            "UnexpectedContent" 400 "does not support content" object().acl(ObjectCannedAcl::Private).access_control_policy(whole.clone());
            "MethodNotAllowed" 405 "" bucket().grant_read("emailAddress=\"a@example.org\"");
        }
    }
    let far = canonical_id(&stand, OTHER).await;
    let foreign = policy(Some(&far), Some(account(Type::CanonicalUser, &far)));
    refused! {
        "AccessControlListNotSupported" 400 "does not allow ACLs" s3.put_bucket_acl().bucket("enforced").acl(BucketCannedAcl::Private);
        "AccessControlListNotSupported" 400 "does not allow ACLs" s3.put_object().bucket("enforced").key("n").acl(ObjectCannedAcl::Private);
        "AccessControlListNotSupported" 400 "does not allow ACLs" s3.copy_object().bucket("enforced").key("n").copy_source("enforced/k").acl(ObjectCannedAcl::PublicRead);
        "AccessControlListNotSupported" 400 "does not allow ACLs" s3.create_multipart_upload().bucket("enforced").key("n").grant_read(format!("id={far}"));
        "AccessDenied" 403 "" s3.put_bucket_acl().bucket("writers").access_control_policy(foreign);
    }
    let put = || s3.put_object().bucket("enforced").key("n");
    put().acl(ObjectCannedAcl::BucketOwnerFullControl).send().await.unwrap();
    put().grant_full_control(format!("id={own}")).send().await.unwrap();
    // An ACL has up to 100 grants.
    for (grants, accepted) in [(100, true), (101, false)] {
        let many = vec![one(Type::CanonicalUser, &own); grants];
        let put = s3.put_bucket_acl().bucket("writers");
        let put = put.access_control_policy(policy(Some(&own), Some(many))).send().await;
        assert_eq!(put.is_ok(), accepted, "{grants}");
        let many = vec![format!("id={own}"); grants].join(",");
        let put = s3.put_object_acl().bucket("writers").key("k").grant_read(many).send().await;
        assert_eq!(put.is_ok(), accepted, "{grants}");
    }
}

/// S3 API Reference, `CreateBucket`, "Permissions".
#[tokio::test(flavor = "multi_thread")]
async fn a_private_bucket_needs_no_permission_for_acls() {
    let stand = Stand::start().await;
    let create_only = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:CreateBucket","s3:PutBucketOwnershipControls"],"Resource":"*"}]}"#;
    let (id, secret) = stand.user("creator", create_only).await;
    let s3 = stand.s3_as(&id, &secret, EAST);
    s3.create_bucket().bucket("closed").acl(BucketCannedAcl::Private).send().await.unwrap();
    let own = canonical_id(&stand, ACCOUNT).await;
    let create =
        || s3.create_bucket().bucket("new").object_ownership(ObjectOwnership::ObjectWriter);
    refused! {
        "AccessDenied" 403 "s3:PutBucketAcl" create().grant_read(format!("id={own}"));
        "AccessDenied" 403 "s3:PutBucketAcl" create().acl(BucketCannedAcl::AuthenticatedRead);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_are_kept_and_returned() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    open_bucket(&stand, "kept", ObjectOwnership::ObjectWriter).await;
    let own = canonical_id(&stand, ACCOUNT).await;
    let far = canonical_id(&stand, OTHER).await;
    let full = (own.clone(), "FULL_CONTROL".to_owned());
    let pair = |who: &str, what: &str| (who.to_owned(), what.to_owned());
    for (canned, more) in [
        ("private", vec![]),
        ("public-read", vec![pair("AllUsers", "READ")]),
        ("public-read-write", vec![pair("AllUsers", "READ"), pair("AllUsers", "WRITE")]),
        ("authenticated-read", vec![pair("AuthenticatedUsers", "READ")]),
    ] {
        let expected: Vec<_> = [full.clone()].into_iter().chain(more).collect();
        s3.put_bucket_acl().bucket("kept").acl(canned.into()).send().await.unwrap();
        let got = s3.get_bucket_acl().bucket("kept").send().await.unwrap();
        assert_eq!(shown(got.grants()), expected, "{canned}");
        let put = s3.put_object().bucket("kept").key("k").acl(canned.into());
        put.send().await.unwrap();
        let got = s3.get_object_acl().bucket("kept").key("k").send().await.unwrap();
        assert_eq!(shown(got.grants()), expected, "{canned}");
        // A copy has the ACL of its own request.
        let copy = s3.copy_object().bucket("kept").key("copy").copy_source("kept/k");
        copy.send().await.unwrap();
        let got = s3.get_object_acl().bucket("kept").key("copy").send().await.unwrap();
        assert_eq!(shown(got.grants()), std::slice::from_ref(&full));
    }
    let upload = s3.create_multipart_upload().bucket("kept").key("parts");
    let upload = upload.grant_read(format!("id=\"{far}\"")).grant_full_control(format!("id={own}"));
    let upload = upload.send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let part = s3.upload_part().bucket("kept").key("parts").upload_id(id).part_number(1);
    let part = part.body(b"part".to_vec().into()).send().await.unwrap();
    let part = aws_sdk_s3::types::CompletedPart::builder()
        .part_number(1)
        .e_tag(part.e_tag().unwrap())
        .build();
    let parts = aws_sdk_s3::types::CompletedMultipartUpload::builder().parts(part).build();
    let complete = s3.complete_multipart_upload().bucket("kept").key("parts").upload_id(id);
    complete.multipart_upload(parts).send().await.unwrap();
    let got = s3.get_object_acl().bucket("kept").key("parts").send().await.unwrap();
    assert_eq!(shown(got.grants()), [full.clone(), pair(&far, "READ")]);

    // ACLs are disabled only where none grants anything to others.
    let codes = |code: &str| code == "InvalidBucketAclWithObjectOwnership";
    assert!(codes(&set_ownership(&stand, "kept", ObjectOwnership::BucketOwnerEnforced).await));
    s3.put_bucket_acl().bucket("kept").acl(BucketCannedAcl::Private).send().await.unwrap();
    assert!(!codes(&set_ownership(&stand, "kept", ObjectOwnership::BucketOwnerEnforced).await));
    let got = s3.get_object_acl().bucket("kept").key("parts").send().await.unwrap();
    assert_eq!(shown(got.grants()), [full]);
    refused! {
        "InvalidBucketAclWithObjectOwnership" 400 "BucketOwnerEnforced" s3.create_bucket().bucket("new").acl(BucketCannedAcl::PublicRead);
        "InvalidBucketAclWithBlockPublicAccessError" 400 "BlockPublicAccess" s3.create_bucket().bucket("new").object_ownership(ObjectOwnership::ObjectWriter).acl(BucketCannedAcl::PublicRead);
    }
    let create = s3.create_bucket().bucket("new").object_ownership(ObjectOwnership::ObjectWriter);
    create.grant_read(format!("id={far}")).send().await.unwrap();
    let got = s3.get_bucket_acl().bucket("new").send().await.unwrap();
    assert_eq!(shown(got.grants()), [pair(&far, "READ")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_give_other_accounts_access() {
    let stand = Stand::start().await;
    let (s3, other) = (stand.s3(EAST), stand.s3_as(OTHER, SECRET, EAST));
    open_bucket(&stand, "shared", ObjectOwnership::ObjectWriter).await;
    stand.put("shared", "k").await;
    let far = canonical_id(&stand, OTHER).await;
    let get = || other.get_object().bucket("shared").key("k").send();
    let list = || other.list_objects_v2().bucket("shared").send();
    let put = || other.put_object().bucket("shared").key("theirs").send();
    let read_acl = || other.get_object_acl().bucket("shared").key("k").send();
    let write_acl =
        || other.put_object_acl().bucket("shared").key("k").acl("private".into()).send();
    let grantees = [
        format!("id=\"{far}\""),
        format!("uri=\"{GROUPS}/global/AllUsers\""),
        format!("uri=\"{GROUPS}/global/AuthenticatedUsers\""),
    ];
    for grantee in &grantees {
        for (permission, expected) in [
            ("none", [false, false, false]),
            ("read", [true, false, false]),
            ("read-acp", [false, true, false]),
            ("write-acp", [false, false, true]),
            ("full-control", [true, true, true]),
        ] {
            let acl = s3.put_object_acl().bucket("shared").key("k");
            let acl = match permission {
                "read" => acl.grant_read(grantee),
                "read-acp" => acl.grant_read_acp(grantee),
                "write-acp" => acl.grant_write_acp(grantee),
                "full-control" => acl.grant_full_control(grantee),
                _ => acl.acl(ObjectCannedAcl::Private),
            };
            acl.send().await.unwrap();
            let got = [get().await.is_ok(), read_acl().await.is_ok(), write_acl().await.is_ok()];
            assert_eq!(got, expected, "{permission} {grantee}");
        }
        for (permission, expected) in
            [("none", [false, false]), ("read", [true, false]), ("write", [false, true])]
        {
            let acl = s3.put_bucket_acl().bucket("shared");
            let acl = match permission {
                "read" => acl.grant_read(grantee),
                "write" => acl.grant_write(grantee),
                _ => acl.acl(BucketCannedAcl::Private),
            };
            acl.send().await.unwrap();
            let got = [list().await.is_ok(), put().await.is_ok()];
            assert_eq!(got, expected, "{permission} {grantee}");
        }
    }
    // The writer owns the object that it wrote: the bucket owner can delete it, but not read it.
    s3.put_bucket_acl().bucket("shared").grant_write(&grantees[0]).send().await.unwrap();
    put().await.unwrap();
    let own = || s3.get_object().bucket("shared").key("theirs").send();
    assert!(own().await.is_err());
    let give = other.put_object().bucket("shared").key("theirs");
    give.acl(ObjectCannedAcl::BucketOwnerFullControl).send().await.unwrap();
    own().await.unwrap();
    assert!(s3.put_object().bucket("shared").key("ours").send().await.is_ok());
    assert!(other.put_object().bucket("shared").key("ours").send().await.is_err());
    s3.delete_object().bucket("shared").key("theirs").send().await.unwrap();
    // The bucket owner owns what was written with its full control.
    set_ownership(&stand, "shared", ObjectOwnership::BucketOwnerPreferred).await;
    let give = other.put_object().bucket("shared").key("given");
    give.acl(ObjectCannedAcl::BucketOwnerFullControl).send().await.unwrap();
    assert!(other.get_object().bucket("shared").key("given").send().await.is_err());
    // Disabled ACLs give no access.
    let full = s3.put_object_acl().bucket("shared").key("k").acl(ObjectCannedAcl::PublicRead);
    full.send().await.unwrap();
    get().await.unwrap();
    s3.put_bucket_acl().bucket("shared").acl(BucketCannedAcl::Private).send().await.unwrap();
    set_ownership(&stand, "shared", ObjectOwnership::BucketOwnerEnforced).await;
    assert!(get().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn public_acls_are_blocked_or_ignored() {
    let stand = Stand::start().await;
    let (s3, other) = (stand.s3(EAST), stand.s3_as(OTHER, SECRET, EAST));
    open_bucket(&stand, "public", ObjectOwnership::ObjectWriter).await;
    let put = || s3.put_object().bucket("public").key("k").acl(ObjectCannedAcl::PublicRead);
    put().send().await.unwrap();
    let get = || other.get_object().bucket("public").key("k").send();
    get().await.unwrap();
    let block = |ignore, block| {
        let configuration = aws_sdk_s3::types::PublicAccessBlockConfiguration::builder()
            .ignore_public_acls(ignore)
            .block_public_acls(block)
            .build();
        let put = s3.put_public_access_block().bucket("public");
        put.public_access_block_configuration(configuration).send()
    };
    block(true, false).await.unwrap();
    assert!(get().await.is_err());
    put().send().await.unwrap();
    block(false, true).await.unwrap();
    get().await.unwrap();
    refused! {
        "AccessDenied" 403 "BlockPublicAcls" put();
        "AccessDenied" 403 "BlockPublicAcls" s3.put_object_acl().bucket("public").key("k").acl(ObjectCannedAcl::AuthenticatedRead);
        "AccessDenied" 403 "BlockPublicAcls" s3.put_bucket_acl().bucket("public").acl(BucketCannedAcl::PublicReadWrite);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acl_replicates_with_its_object() {
    let stand = Stand::start().await;
    stand.role().await;
    let (s3, west) = (stand.s3(EAST), stand.s3(WEST));
    stand.bucket("near", EAST, true).await;
    stand.bucket("far", WEST, true).await;
    set_ownership(&stand, "near", ObjectOwnership::ObjectWriter).await;
    let writer = OwnershipControlsRule::builder()
        .object_ownership(ObjectOwnership::ObjectWriter)
        .build()
        .unwrap();
    let controls = OwnershipControls::builder().rules(writer).build().unwrap();
    let put = west.put_bucket_ownership_controls().bucket("far").ownership_controls(controls);
    put.send().await.unwrap();
    stand.replicate("near", [rule("all", 1, "far", None).build().unwrap()]).await;
    let far = canonical_id(&stand, OTHER).await;
    let put = s3.put_object().bucket("near").key("k").grant_read(format!("id={far}"));
    let put = put.send().await.unwrap();
    let version = put.version_id().unwrap();
    let acl = || async {
        let got = west.get_object_acl().bucket("far").key("k").send().await.unwrap();
        shown(got.grants())
    };
    assert_eq!(stand.settled("near", "k", version).await.as_deref(), Some("COMPLETED"));
    assert_eq!(acl().await, [(far.clone(), "READ".to_owned())]);
    let change = s3.put_object_acl().bucket("near").key("k").grant_read_acp(format!("id={far}"));
    change.send().await.unwrap();
    assert_eq!(stand.settled("near", "k", version).await.as_deref(), Some("COMPLETED"));
    assert_eq!(acl().await, [(far, "READ_ACP".to_owned())]);
}

/// S3 User Guide, "Changing the replica owner".
#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_the_source_owns_the_replica_unless_the_rule_changes_it() {
    use aws_sdk_s3::types::{AccessControlTranslation, Destination, OwnerOverride};
    let stand = Stand::start().await;
    stand.role().await;
    stand.bucket("near", EAST, true).await;
    let theirs = stand.s3_as(OTHER, SECRET, WEST);
    let west = aws_sdk_s3::types::CreateBucketConfiguration::builder()
        .location_constraint(aws_sdk_s3::types::BucketLocationConstraint::UsWest2)
        .build();
    let create = theirs.create_bucket().bucket("theirs").create_bucket_configuration(west);
    create.object_ownership(ObjectOwnership::ObjectWriter).send().await.unwrap();
    let enabled = aws_sdk_s3::types::VersioningConfiguration::builder()
        .status(aws_sdk_s3::types::BucketVersioningStatus::Enabled)
        .build();
    let versioning = theirs.put_bucket_versioning().bucket("theirs");
    versioning.versioning_configuration(enabled).send().await.unwrap();
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{}"}},"Action":"s3:*","Resource":["arn:aws:s3:::theirs","arn:aws:s3:::theirs/*"]}}]}}"#,
        super::ROLE
    );
    theirs.put_bucket_policy().bucket("theirs").policy(policy).send().await.unwrap();
    for (changes, readable) in [(false, false), (true, true)] {
        let mut destination = Destination::builder().bucket("arn:aws:s3:::theirs").account(OTHER);
        if changes {
            let owner = AccessControlTranslation::builder().owner(OwnerOverride::Destination);
            destination = destination.access_control_translation(owner.build().unwrap());
        }
        let all = rule("all", 1, "theirs", None).destination(destination.build().unwrap());
        stand.replicate("near", [all.build().unwrap()]).await;
        let version = stand.put("near", "k").await;
        assert_eq!(stand.settled("near", "k", &version).await.as_deref(), Some("COMPLETED"));
        let got = theirs.get_object().bucket("theirs").key("k").version_id(&version).send().await;
        assert_eq!(got.is_ok(), readable, "{got:?}");
    }
}
