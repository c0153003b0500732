//! Creating, finding, listing and deleting buckets. Not for: bucket settings (see `settings`).

use super::acl_requests::AclHeaders;
use super::answers::NewBucketTags;
use super::errors::{custom, not_implemented, redirect, with_headers};
use super::reads::whole_seconds;
use super::regions::is_region;
use super::tokens::{read_token, token_of};
use super::{acls, permit, public_access, settings};
use crate::gate::{AccessRequest, authorize};
use crate::s3::call::{ExtraXml, S3Call, nothing, owner};
use crate::s3::details::Details;
use crate::wire::paging::page;
use crate::wire::query::element;
use crate::world::buckets::{BlockedEncryption, Bucket, ObjectLock, Tags, Versioning, bucket_arn};
use crate::world::state::DeletedBucket;
use crate::world::{Quirk, Slow, Spreading};
use crrctl_iam::Context;
use crrctl_iam::names::{AccountId, BucketName, Region};
use s3s::dto::{
    BucketLocationConstraint, CreateBucketInput, CreateBucketOutput, DeleteBucketInput,
    DeleteBucketOutput, GetBucketLocationInput, GetBucketLocationOutput, HeadBucketInput,
    HeadBucketOutput, ListBucketsInput, ListBucketsOutput, ObjectOwnership,
};
use s3s::{S3Error, S3ErrorCode, S3Result, dto, s3_error};
use std::collections::BTreeMap;

/// S3 API Reference, `CreateBucket`.
pub(super) fn create(
    call: &mut S3Call<'_>,
    input: CreateBucketInput,
) -> S3Result<CreateBucketOutput> {
    let name = BucketName::new(&*input.bucket).map_err(|_| s3_error!(InvalidBucketName))?;
    let arn = name.arn(call.caller.partition()).to_string();
    let locked = input.object_lock_enabled_for_bucket == Some(true);
    let tags = call.extensions.remove::<NewBucketTags>().unwrap_or_default().0;
    permit_new(call, &input, &tags, &arn)?;
    check_location(call, &input)?;
    let constraint = location_constraint(&input).map(str::to_owned);
    refuse_unmodelled(&input)?;
    if !tags.is_empty() && call.state.quirks.is_on(Quirk::NoTagsOnCreate) {
        let text = "The request contained an unsupported argument.";
        return Err(custom(400, "UnsupportedArgument", text.into()));
    }
    check_namespace(call, name.as_str())?;
    let acl = acls::for_new_bucket(call, &input)?;
    let ownership = ownership_of(call, input.object_ownership)?;
    settings::check_new_tags(&tags)?;
    let created = CreateBucketOutput { location: Some(format!("/{name}")) };
    insert_arn(call, arn.clone());
    if let Some(existing) = call.state.buckets.0.get(name.as_str()) {
        return check_existing(call, existing, &tags).map(|()| created);
    }
    call.state.one_more_bucket(&call.caller).map_err(|_| {
        let text = "You have attempted to create more buckets than allowed";
        custom(400, "TooManyBuckets", text.into())
    })?;
    call.state.one_more_resource().map_err(|text| custom(507, "SandboxFull", text))?;
    if call.state.recent.lasts(Quirk::NameInUse, || &*arn) {
        return Err(s3_error!(
            OperationAborted,
            "A conflicting conditional operation is currently in progress against this resource. Please try again."
        ));
    }
    let (now, listed) = (call.state.now(), call.state.done_at(Slow::BucketTags));
    let mut shown = Spreading::new(Tags::new());
    shown.set(tags, now, listed);
    let bucket = Bucket {
        owner: call.caller.account.clone(),
        region: location_of(&call.caller.region, constraint.as_deref()),
        old_location: constraint.filter(|constraint| constraint == "EU"),
        created: now,
        tags: shown,
        // Object Lock enables versioning when the bucket is created.
        versioning: Spreading::new(if locked { Versioning::Enabled } else { Versioning::Never }),
        mfa_delete: false,
        encryption: Spreading::new(None),
        blocked_encryption: BlockedEncryption::default(),
        public_access_block: Some(public_access::all_blocked()),
        ownership: Some(ownership),
        acl,
        abac: false,
        accelerated: None,
        requester_pays: false,
        policy: None,
        lifecycle: None,
        notifications: None,
        logging: None,
        object_lock: locked.then(ObjectLock::default),
        replication: Spreading::new(None),
        objects: BTreeMap::new(),
        uploads: BTreeMap::new(),
        held: 0,
    };
    call.state.buckets.0.insert(name.to_string(), bucket);
    call.state.begin_on_bucket(Quirk::LateBucket, &arn);
    Ok(created)
}

/// Checks the permissions to create a bucket with these settings.
fn permit_new(
    call: &mut S3Call<'_>,
    input: &CreateBucketInput,
    tags: &Tags,
    arn: &str,
) -> S3Result<()> {
    let locked = input.object_lock_enabled_for_bucket == Some(true);
    let acl = AclHeaders::of(&call.headers);
    // `private` needs no more than a request without an ACL (S3 API Reference, `CreateBucket`,
    // "Permissions").
    let granted = !acl.is_empty() && acl.canned.as_deref() != Some("private");
    ask_for(call, input, tags);
    for action in [
        Some("s3:CreateBucket"),
        (!tags.is_empty()).then_some("s3:TagResource"),
        locked.then_some("s3:PutBucketObjectLockConfiguration"),
        locked.then_some("s3:PutBucketVersioning"),
        input.object_ownership.is_some().then_some("s3:PutBucketOwnershipControls"),
        granted.then_some("s3:PutBucketAcl"),
    ]
    .into_iter()
    .flatten()
    {
        let request = AccessRequest::plain(action, arn, &call.caller.account);
        authorize(&call.state.iam, &call.caller, request, || call.context(action))
            .map_err(permit::refused)?;
    }
    Ok(())
}

/// Returns the object ownership of a new bucket. `s3s` drops an empty header, which S3 refuses.
fn ownership_of(call: &S3Call<'_>, given: Option<ObjectOwnership>) -> S3Result<ObjectOwnership> {
    let header = call.headers.get("x-amz-object-ownership");
    let empty = header.filter(|given| given.is_empty()).map(|_| ObjectOwnership::from_static(""));
    let ownership = empty
        .or(given)
        .unwrap_or_else(|| ObjectOwnership::from_static(ObjectOwnership::BUCKET_OWNER_ENFORCED));
    settings::check_ownership(&ownership).map_err(|_| {
        let text = format!("Invalid x-amz-object-ownership header: {}", ownership.as_str());
        let name = ("ArgumentName", "x-amz-object-ownership".to_owned());
        Details::on(s3_error!(InvalidArgument, "{text}"), [name])
    })?;
    Ok(ownership)
}

/// Refuses to create a bucket that exists. For compatibility, us-east-1 returns 200 where the
/// caller already owns the bucket in that Region; with tags, it was recorded to refuse it.
fn check_existing(call: &S3Call<'_>, existing: &Bucket, tags: &Tags) -> S3Result<()> {
    if existing.owner != call.caller.account {
        return Err(s3_error!(BucketAlreadyExists));
    }
    let legacy = call.caller.region.as_str() == "us-east-1"
        && existing.region == call.caller.region
        && tags.is_empty();
    if legacy { Ok(()) } else { Err(s3_error!(BucketAlreadyOwnedByYou)) }
}

/// Adds the condition keys of a new bucket (Service Authorization Reference, "Actions defined by
/// Amazon S3", `CreateBucket`).
fn ask_for(call: &mut S3Call<'_>, input: &CreateBucketInput, tags: &Tags) {
    if let Some(constraint) = location_constraint(input) {
        call.asked.set("s3:locationconstraint", constraint);
    }
    for (key, value) in tags {
        call.asked.set(&format!("aws:RequestTag/{key}"), value);
    }
    if !tags.is_empty() {
        call.asked.set_all("aws:TagKeys", tags.iter().map(|(key, _)| key));
    }
}

/// Returns the location constraint of a request, which is absent or empty for the endpoint's
/// Region.
fn location_constraint(input: &CreateBucketInput) -> Option<&str> {
    let configuration = input.create_bucket_configuration.as_ref()?;
    let constraint = configuration.location_constraint.as_ref()?;
    Some(constraint.as_str()).filter(|location| !location.is_empty())
}

/// Returns the Region of a new bucket; `EU` is the old name of eu-west-1.
fn location_of(endpoint: &Region, constraint: Option<&str>) -> Region {
    match constraint {
        None => endpoint.clone(),
        Some("EU") => Region::new("eu-west-1").unwrap_or_else(|_| endpoint.clone()),
        Some(other) => Region::new(other).unwrap_or_else(|_| endpoint.clone()),
    }
}

/// Adds the header `x-amz-bucket-arn` to the response; `s3s` does not have the member `BucketArn`.
fn insert_arn(call: &mut S3Call<'_>, arn: String) {
    if let Ok(value) = http::HeaderValue::from_str(&arn) {
        call.extra.headers.insert("x-amz-bucket-arn", value);
    }
}

/// Checks that `LocationConstraint` names the Region of the endpoint, and is omitted in us-east-1
/// (S3 API Reference, `CreateBucket`).
fn check_location(call: &S3Call<'_>, input: &CreateBucketInput) -> S3Result<()> {
    let given = location_constraint(input);
    let region = call.caller.region.as_str();
    match given {
        None if region == "us-east-1" => Ok(()),
        None => Err(s3_error!(
            IllegalLocationConstraintException,
            "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to."
        )),
        Some(other @ "us-east-1") if region == "us-east-1" => Err(invalid_location(other)),
        Some(other) if Region::new(other).is_err() && other != "EU" => Err(invalid_location(other)),
        Some(other) if other == region || (other == "EU" && region == "eu-west-1") => Ok(()),
        // us-east-1 is the Region of the global endpoint, which creates buckets in any Region.
        Some(_) if region == "us-east-1" => Ok(()),
        Some(other) => Err(s3_error!(
            IllegalLocationConstraintException,
            "The {other} location constraint is incompatible for the region specific endpoint this request was sent to."
        )),
    }
}

fn invalid_location(given: &str) -> S3Error {
    let text = "The specified location-constraint is not valid";
    let error = s3_error!(InvalidLocationConstraint, "{text}");
    Details::on(error, [("LocationConstraint", given.to_owned())])
}

fn refuse_unmodelled(input: &CreateBucketInput) -> S3Result<()> {
    let configuration = input.create_bucket_configuration.as_ref();
    if configuration.is_some_and(|c| c.bucket.is_some() || c.location.is_some()) {
        return Err(not_implemented("directory buckets"));
    }
    Ok(())
}

/// Checks the account-regional namespace. A name that ends with the suffix of an account and a
/// Region belongs to them, and requires the header `x-amz-bucket-namespace`. The codes and messages
/// are as observed (S3 User Guide, "Namespaces for general purpose buckets"; getmoto/moto#9871,
/// ansible-collections/amazon.aws#2935).
fn check_namespace(call: &S3Call<'_>, name: &str) -> S3Result<()> {
    let suffix = format!("-{}-{}-an", call.caller.account, call.caller.region);
    let namespace = call.headers.get("x-amz-bucket-namespace").map(http::HeaderValue::as_bytes);
    let fits = name.strip_suffix(&suffix).is_some_and(|prefix| !prefix.is_empty());
    match namespace {
        Some(b"account-regional") if fits => Ok(()),
        Some(b"account-regional") => Err(custom(
            400,
            "InvalidNamespaceHeader",
            format!(
                "The requested bucket name did not include the account-regional namespace suffix, but the provided \
                 x-amz-bucket-namespace header value is account-regional. Specify {suffix} as the bucket name suffix to create a \
                 bucket in your account-regional namespace, or remove the header."
            ),
        )),
        None if is_account_regional(name) => Err(custom(
            400,
            "MissingNamespaceHeader",
            "The requested bucket is an account-regional namespace bucket, but your request is missing the required \
             x-amz-bucket-namespace header."
                .into(),
        )),
        Some(b"global") if is_account_regional(name) => Err(custom(
            400,
            "InvalidNamespaceHeader",
            "The requested bucket is an account-regional namespace bucket, but the provided x-amz-bucket-namespace header value is \
             global."
                .into(),
        )),
        None | Some(b"global") => Ok(()),
        Some(_) => Err(s3_error!(InvalidArgument, "Invalid x-amz-bucket-namespace header value")),
    }
}

/// Returns whether a name ends with an account id, a Region and `an`.
fn is_account_regional(name: &str) -> bool {
    let Some(rest) = name.strip_suffix("-an") else { return false };
    rest.match_indices('-').any(|(at, _)| {
        let mut parts = rest[at + 1..].splitn(2, '-');
        let (account, region) =
            (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        AccountId::new(account).is_ok() && Region::new(region).is_ok()
    })
}

/// S3 API Reference, `HeadBucket`. A caller without permission learns the Region too: SDKs and
/// clients find it by an anonymous request.
pub(super) fn head(call: &mut S3Call<'_>, input: HeadBucketInput) -> S3Result<HeadBucketOutput> {
    let region = match call.state.deleted_bucket(&input.bucket).cloned() {
        Some(deleted) => head_deleted(call, &input.bucket, &deleted)?,
        None => match call.bucket(&input.bucket, "s3:ListBucket") {
            Ok(bucket) => bucket.region.to_string(),
            Err(error) if *error.code() == S3ErrorCode::AccessDenied => {
                let bucket = call.visit(&input.bucket)?;
                let region = [("x-amz-bucket-region", bucket.region.as_str())];
                return Err(with_headers(error, &region));
            }
            Err(error) => return Err(error),
        },
    };
    insert_arn(call, bucket_arn(call.caller.partition(), &input.bucket));
    Ok(HeadBucketOutput {
        access_point_alias: Some(false),
        bucket_region: Some(region),
        ..nothing()
    })
}

/// Returns the Region of a deleted bucket that this call still finds.
fn head_deleted(call: &S3Call<'_>, name: &str, deleted: &DeletedBucket) -> S3Result<String> {
    if deleted.region != call.caller.region {
        return Err(redirect(&deleted.region));
    }
    let arn = bucket_arn(call.caller.partition(), name);
    let request = AccessRequest::plain("s3:ListBucket", arn, &deleted.owner);
    authorize(&call.state.iam, &call.caller, request, Context::new).map_err(permit::refused)?;
    Ok(deleted.region.to_string())
}

/// S3 API Reference, `DeleteBucket`: all versions and delete markers must be deleted first.
/// Multipart uploads in progress are deleted with the bucket.
pub(super) fn delete(
    call: &mut S3Call<'_>,
    input: DeleteBucketInput,
) -> S3Result<DeleteBucketOutput> {
    if !call.bucket(&input.bucket, "s3:DeleteBucket")?.objects.is_empty() {
        return Err(s3_error!(
            BucketNotEmpty,
            "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
        ));
    }
    call.state.delete_bucket(&input.bucket);
    Ok(nothing())
}

/// S3 API Reference, `GetBucketLocation`: the location constraint of us-east-1 is empty. Any Region
/// answers for a bucket that is named in the path (recorded from S3).
pub(super) fn location(
    call: &mut S3Call<'_>,
    input: GetBucketLocationInput,
) -> S3Result<GetBucketLocationOutput> {
    let bucket = call.bucket_anywhere(&input.bucket, "s3:GetBucketLocation")?;
    let region = bucket.old_location.as_deref().unwrap_or(bucket.region.as_str()).to_owned();
    let constraint = (region != "us-east-1").then(|| BucketLocationConstraint::from(region));
    Ok(GetBucketLocationOutput { location_constraint: constraint })
}

/// S3 API Reference, `ListBuckets`: lists the buckets of all Regions in the account's partition.
/// `BucketRegion` and `BucketArn` are returned only to a request with a parameter (documented for
/// `BucketRegion`; `BucketArn` is recorded from S3 by `LocalStack`'s snapshots
/// `TestS3ListBuckets::test_list_buckets_…`).
pub(super) fn list(call: &mut S3Call<'_>, input: ListBucketsInput) -> S3Result<ListBucketsOutput> {
    let caller = &call.caller;
    let request = AccessRequest::plain("s3:ListAllMyBuckets", "*", &caller.account);
    authorize(&call.state.iam, caller, request, Context::new).map_err(permit::refused)?;
    let limit = match input.max_buckets {
        None => 10_000,
        Some(n) => {
            usize::try_from(n).ok().filter(|n| (1..=10_000).contains(n)).ok_or_else(|| {
                s3_error!(InvalidArgument, "Argument max-buckets must be between 1 and 10000")
            })?
        }
    };
    if let Some(region) = input.bucket_region.as_deref().filter(|region| !is_region(region)) {
        let text = format!("Argument value {region} is not a valid AWS Region");
        let argument = ("ArgumentName", "bucket-region".to_owned());
        return Err(Details::on(s3_error!(InvalidArgument, "{text}"), [argument]));
    }
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let wanted = |name: &str, bucket: &Bucket| {
        bucket.owner == caller.account
            && bucket.region.partition() == caller.partition()
            && name.starts_with(prefix)
            && input.bucket_region.as_deref().is_none_or(|region| region == bucket.region.as_str())
    };
    let found: Vec<(&String, &Bucket)> =
        call.state.buckets.0.iter().filter(|(name, bucket)| wanted(name, bucket)).collect();
    // An empty token counts as none.
    let token = input.continuation_token.as_deref().filter(|token| !token.is_empty());
    let after = token.map(read_token).transpose()?;
    let page = page(found, after.as_deref(), limit, |(name, _)| (*name).clone());
    let has_parameter = input.max_buckets.is_some()
        || input.prefix.is_some()
        || input.bucket_region.is_some()
        || input.continuation_token.is_some();
    let buckets = page.items.iter().map(|(name, bucket)| dto::Bucket {
        bucket_region: has_parameter.then(|| bucket.region.to_string()),
        creation_date: Some(whole_seconds(bucket.created)),
        name: Some((*name).clone()),
    });
    if has_parameter {
        let arns = page.items.iter().map(|(name, bucket)| listed_arn(name, bucket));
        call.extra.extensions.insert(arns.collect::<Vec<_>>());
    }
    Ok(ListBucketsOutput {
        buckets: Some(buckets.collect()),
        continuation_token: page.next.as_deref().map(token_of),
        owner: Some(owner(&caller.account)),
        prefix: input.prefix,
    })
}

/// Returns the `BucketArn` of a listed bucket, which `s3s` does not know.
fn listed_arn(name: &str, bucket: &Bucket) -> ExtraXml {
    let arn = bucket_arn(bucket.region.partition(), name);
    ExtraXml { before: element("Name", name), xml: element("BucketArn", arn) }
}
