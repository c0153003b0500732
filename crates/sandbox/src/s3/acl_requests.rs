//! Reads the ACL that a request asks for: a canned ACL, grants in headers, or a body. The errors
//! are those that S3 was recorded to return (`LocalStack`'s snapshots
//! `test_s3_bucket_acl_exceptions` and `test_s3_object_acl_exceptions`, read 2026-11).
//! Not for: storing ACLs (see `acls`).

use super::details::{Details, invalid_argument};
use super::errors::{custom, not_implemented};
use crate::world::buckets::acl::{
    Acl, AclGrant, AclGrantee, AclGroup, AclPermission, canonical_id,
};
use crrctl_iam::names::AccountId;
use http::HeaderMap;
use s3s::dto::{AccessControlPolicy, Grant, Grantee, Type};
use s3s::{S3Error, S3Result, s3_error};

/// The names of the canned ACLs of objects (S3 User Guide, "Canned ACL").
const OF_OBJECTS: [&str; 7] = [
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
];

/// The names of the canned ACLs of buckets; S3 ignores the two that name the bucket owner.
const OF_BUCKETS: [&str; 8] = [
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "log-delivery-write",
    "bucket-owner-read",
    "bucket-owner-full-control",
];

/// The headers that grant a permission (S3 API Reference, `PutObjectAcl`).
const GRANT_HEADERS: [(&str, AclPermission); 5] = [
    ("x-amz-grant-full-control", AclPermission::FullControl),
    ("x-amz-grant-read", AclPermission::Read),
    ("x-amz-grant-read-acp", AclPermission::ReadAcp),
    ("x-amz-grant-write", AclPermission::Write),
    ("x-amz-grant-write-acp", AclPermission::WriteAcp),
];

/// The maximum number of grants in an ACL (S3 User Guide, "Access control list (ACL) overview").
const MAX_GRANTS: usize = 100;

/// The owners of what an ACL is for.
#[derive(Clone, Copy)]
pub(super) struct Owners<'a> {
    /// The owner of the bucket or object.
    pub(super) own: &'a AccountId,
    pub(super) bucket: &'a AccountId,
    /// Whether the ACL is one of an object.
    pub(super) object: bool,
}

/// The ACL headers of a request.
pub(super) struct AclHeaders {
    pub(super) canned: Option<String>,
    grants: Vec<(&'static str, AclPermission, String)>,
}

impl AclHeaders {
    /// Reads the ACL headers of a request.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| {
            let value = headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let given =
            GRANT_HEADERS.into_iter().filter_map(|(name, what)| Some((name, what, text(name)?)));
        Self { canned: text("x-amz-acl"), grants: given.collect() }
    }

    /// Returns whether the request has no ACL header.
    pub(super) fn is_empty(&self) -> bool {
        self.canned.is_none() && self.grants.is_empty()
    }

    /// Returns whether the headers name the bucket owner: `bucket-owner-full-control`, or grants to
    /// one account. `private` names the owner of the object.
    pub(super) fn names_bucket_owner(&self) -> bool {
        self.canned.as_deref().is_none_or(|name| name == "bucket-owner-full-control")
    }

    /// Returns the ACL that the headers ask for; `None` without ACL headers.
    pub(super) fn read(&self, owners: Owners<'_>) -> S3Result<Option<Acl>> {
        match &self.canned {
            Some(_) if !self.grants.is_empty() => Err(s3_error!(
                InvalidRequest,
                "Specifying both Canned ACLs and Header Grants is not allowed"
            )),
            Some(name) => canned(name, owners).map(Some),
            None if self.grants.is_empty() => Ok(None),
            None => {
                let mut grants = Vec::new();
                for (header, permission, text) in &self.grants {
                    grants.extend(header_grants(header, *permission, text)?);
                }
                check_number(grants.len())?;
                Ok(Some(Acl { owner: owners.own.clone(), grants }))
            }
        }
    }
}

fn canned(name: &str, owners: Owners<'_>) -> S3Result<Acl> {
    let known: &[&str] = if owners.object { &OF_OBJECTS } else { &OF_BUCKETS };
    if !known.contains(&name) {
        let error = s3_error!(InvalidArgument);
        let pair = ("ArgumentName", "x-amz-acl".to_owned());
        return Err(Details::on(error, [pair, ("ArgumentValue", name.to_owned())]));
    }
    Acl::canned(name, owners.own, owners.bucket)
        .ok_or_else(|| not_implemented(&format!("the canned ACL {name}")))
}

/// Reads the grantees of one header, such as `id="…", uri="…"`.
fn header_grants(header: &str, permission: AclPermission, text: &str) -> S3Result<Vec<AclGrant>> {
    let mut grants = Vec::new();
    for given in text.split(',').map(str::trim) {
        let unknown = || invalid_argument(header, given, "Argument format not recognized");
        let (kind, value) = given.split_once('=').ok_or_else(unknown)?;
        let value = value.trim().trim_matches('"');
        let grantee = match kind.trim() {
            "id" => account("id", value)?,
            "uri" => group("uri", value)?,
            "emailAddress" => return Err(by_email()),
            _ => return Err(unknown()),
        };
        grants.push(AclGrant { grantee, permission });
    }
    Ok(grants)
}

fn account(argument: &str, id: &str) -> S3Result<AclGrantee> {
    if id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(AclGrantee::Account(id.to_owned()));
    }
    Err(invalid_argument(argument, id, "Invalid id"))
}

fn group(argument: &str, uri: &str) -> S3Result<AclGrantee> {
    let group = AclGroup::with_uri(uri);
    group.map(AclGrantee::Group).ok_or_else(|| invalid_argument(argument, uri, "Invalid group uri"))
}

/// The error for a grantee by email address, which S3 has refused since October 2025 (S3 API
/// Reference, `PutBucketAcl`, end of support notice, read 2026-11).
pub(super) fn by_email() -> S3Error {
    s3_error!(MethodNotAllowed)
}

fn malformed_acl() -> S3Error {
    let text =
        "The XML you provided was not well-formed or did not validate against our published schema";
    custom(400, "MalformedACLError", text.into())
}

/// Refuses too many grants with the error that S3 was seen to return (Ceph's commit
/// `a1b05dd2f651`).
fn check_number(grants: usize) -> S3Result<()> {
    if grants > MAX_GRANTS { Err(malformed_acl()) } else { Ok(()) }
}

/// Returns the ACL that a `PutBucketAcl` or `PutObjectAcl` request asks for.
pub(super) fn requested(
    headers: &AclHeaders,
    body: Option<AccessControlPolicy>,
    owners: Owners<'_>,
) -> S3Result<Acl> {
    if headers.canned.is_some() && !headers.grants.is_empty() {
        // Refused whether or not there is a body.
        headers.read(owners)?;
    }
    match body {
        Some(_) if !headers.is_empty() => {
            Err(s3_error!(UnexpectedContent, "This request does not support content"))
        }
        Some(policy) => in_body(policy, owners),
        None => headers.read(owners)?.ok_or_else(|| {
            let text = "Your request was missing a required header".to_owned();
            let error = custom(400, "MissingSecurityHeader", text);
            Details::on(error, [("MissingHeaderName", "x-amz-acl".to_owned())])
        }),
    }
}

fn in_body(policy: AccessControlPolicy, owners: Owners<'_>) -> S3Result<Acl> {
    let owner = policy.owner.and_then(|owner| owner.id).ok_or_else(malformed_acl)?;
    let given = policy.grants.ok_or_else(malformed_acl)?;
    check_number(given.len())?;
    account("CanonicalUser/ID", &owner)?;
    let grants = given.into_iter().map(body_grant).collect::<S3Result<Vec<_>>>()?;
    if owner != canonical_id(owners.own) {
        // An ACL can't change the owner (S3 API Reference, `PutObjectAcl`).
        return Err(s3_error!(AccessDenied, "Access Denied"));
    }
    Ok(Acl { owner: owners.own.clone(), grants })
}

fn body_grant(given: Grant) -> S3Result<AclGrant> {
    let permission = given.permission.and_then(|name| AclPermission::named(name.as_str()));
    let permission = permission.ok_or_else(malformed_acl)?;
    let grantee = given.grantee.ok_or_else(malformed_acl)?;
    let grantee = match grantee.type_.as_str() {
        Type::CANONICAL_USER => {
            account("CanonicalUser/ID", grantee.id.as_deref().unwrap_or_default())?
        }
        Type::GROUP => group("Group/URI", grantee.uri.as_deref().unwrap_or_default())?,
        Type::AMAZON_CUSTOMER_BY_EMAIL => return Err(by_email()),
        _ => return Err(malformed_acl()),
    };
    Ok(AclGrant { grantee, permission })
}

/// Returns the grants of an ACL as a response shows them.
pub(super) fn rendered(acl: &Acl) -> Vec<Grant> {
    let grant = |grant: &AclGrant| {
        let (kind, id, uri) = match &grant.grantee {
            AclGrantee::Account(id) => (Type::CANONICAL_USER, Some(id.clone()), None),
            AclGrantee::Group(group) => (Type::GROUP, None, Some(group.uri().to_owned())),
        };
        let type_ = Type::from_static(kind);
        let grantee = Grantee { display_name: None, email_address: None, id, type_, uri };
        let permission = Some(s3s::dto::Permission::from_static(grant.permission.name()));
        Grant { grantee: Some(grantee), permission }
    };
    acl.grants.iter().map(grant).collect()
}
