//! `CreateJob`: validates a request and stores the job. The error codes are those of the S3 API
//! Reference; it specifies no message texts, so they are the sandbox's own.
//! Not for: failures that are found only when the job runs (see `run`).

use crate::gate::may_pass;
use crate::s3control::call::{ControlCall, bucket_name, invalid, object_name, result};
use crate::wire::query::element;
use crate::wire::{Fault, XmlOutput};
use crate::world::jobs::request::{
    CreateJob, Encryption, Filter, JobManifest, JobReport, JobTag, KeyName, ManifestGenerator,
    Members,
};
use crate::world::jobs::{BatchJob, ObjectList, Status};
use crate::world::{Quirk, Slow};
use crrctl_iam::Context;
use crrctl_iam::names::{AccountId, Arn};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;

/// The operations of S3 Batch Operations (S3 API Reference, `JobOperation`).
const OPERATIONS: [&str; 11] = [
    "LambdaInvoke",
    "S3PutObjectCopy",
    "S3PutObjectAcl",
    "S3PutObjectTagging",
    "S3DeleteObjectTagging",
    "S3InitiateRestoreObject",
    "S3PutObjectLegalHold",
    "S3PutObjectRetention",
    "S3ReplicateObject",
    "S3ComputeObjectChecksum",
    "S3UpdateObjectEncryption",
];

/// S3 API Reference, `CreateJob`.
pub(super) fn create(call: &mut ControlCall<'_>) -> XmlOutput {
    let request: CreateJob = call.xml()?;
    let priority = request.priority.filter(|priority| *priority >= 0);
    let priority = priority.ok_or_else(|| invalid("Priority must be a number from 0 on."))?;
    let token = request.client_request_token.filter(|token| (1..=64).contains(&token.len()));
    let token = token.ok_or_else(|| invalid("ClientRequestToken must have 1 to 64 characters."))?;
    let operation = operation(request.operation.as_ref())?;
    let role = request.role_arn.unwrap_or_default();
    permit(call, &role, operation, priority, request.tags.as_ref().map_or(&[], |t| &t.member))?;
    if call.state.iam.recent.lasts(Quirk::FreshRole, || &*role) {
        // The text is the sandbox's own: none is recorded.
        return Err(Fault::bad("InvalidRequest", "The role can't be used by Amazon S3 yet."));
    }
    if operation != "S3ReplicateObject" {
        return Err(Fault::not_implemented(&format!("the batch operation {operation}")));
    }
    let what = what(request.manifest_generator, request.manifest)?;
    let report = checked_report(request.report)?;
    let digest = Sha256::digest(call.body).to_vec();
    if let Some(found) = earlier(call, &token, &digest) {
        return found.map(|id| Some(result("CreateJobResult", &element("JobId", id))));
    }
    let now = call.state.now();
    if !call.state.jobs.make_room(now) {
        let text = "As many jobs as the sandbox keeps are under way.";
        return Err(Fault::bad("TooManyRequestsException", text));
    }
    let job = BatchJob {
        account: call.caller.account.clone(),
        region: call.caller.region.clone(),
        role,
        priority,
        description: request.description.filter(|text| !text.is_empty()),
        // S3 treats a missing value as true, although its API model says otherwise
        // (aws/aws-sdk-go-v2#1814).
        confirmation: request.confirmation_required.unwrap_or(true),
        objects: what,
        report,
        tags: request.tags.map(|tags| tags.member).unwrap_or_default(),
        token: (token, digest),
        status: Status::New,
        due: call.state.done_at(Slow::Batch),
        created: now,
        ended: None,
        suspended: None,
        reason: None,
        failures: Vec::new(),
        waiting: VecDeque::new(),
        done: Vec::new(),
        failed: 0,
        listed: false,
        active: None,
    };
    let id = uuid::Uuid::new_v4().to_string();
    call.state.jobs.0.insert(id.clone(), job);
    Ok(Some(result("CreateJobResult", &element("JobId", id))))
}

/// Returns the id of the job that was created with the same `ClientRequestToken`. A different
/// request with the same token is an `IdempotencyException`.
fn earlier(call: &ControlCall<'_>, token: &str, digest: &[u8]) -> Option<Result<String, Fault>> {
    let caller = &call.caller;
    let same = |job: &BatchJob| {
        (&job.account, &job.region, &*job.token.0) == (&caller.account, &caller.region, token)
    };
    let (id, job) = call.state.jobs.0.iter().find(|(_, job)| same(job))?;
    if job.token.1 == digest {
        return Some(Ok(id.clone()));
    }
    let text = "The ClientRequestToken was used with another request.";
    Some(Err(Fault::bad("IdempotencyException", text)))
}

fn operation<T>(given: Option<&std::collections::BTreeMap<String, T>>) -> Result<&str, Fault> {
    let one = || invalid("Operation must name one operation.");
    let given = given.filter(|given| given.len() == 1).ok_or_else(one)?;
    let name = given.keys().next().map(String::as_str).ok_or_else(one)?;
    if OPERATIONS.contains(&name) { Ok(name) } else { Err(one()) }
}

/// Checks that the caller has `s3:CreateJob`, `s3:PutJobTagging` for a job with tags, and
/// `iam:PassRole` for the role (Service Authorization Reference, "Actions defined by Amazon S3").
fn permit(
    call: &ControlCall<'_>,
    role: &str,
    operation: &str,
    priority: i32,
    tags: &[JobTag],
) -> Result<(), Fault> {
    let mut context = Context::new()
        .with("s3:RequestJobOperation", operation)
        .with("s3:RequestJobPriority", priority.to_string());
    for tag in tags {
        context.set(&format!("aws:RequestTag/{}", tag.key), &tag.value);
    }
    context.set_all("aws:TagKeys", tags.iter().map(|tag| &tag.key));
    let actions =
        ["s3:CreateJob"].into_iter().chain((!tags.is_empty()).then_some("s3:PutJobTagging"));
    for action in actions {
        call.permit(action, "*".to_owned(), context.clone())?;
    }
    let arn = Arn::new(role).ok();
    let owner = arn
        .filter(|arn| arn.service() == "iam" && arn.resource().starts_with("role/"))
        .and_then(|arn| AccountId::new(arn.account()).ok())
        .ok_or_else(|| invalid("RoleArn must be the ARN of a role."))?;
    may_pass(call.state, &call.caller, (role, &owner), "batchoperations.s3.amazonaws.com")
        .map_err(|denied| Fault::new(403, "AccessDenied", denied.message()))
}

fn what(
    generator: Option<ManifestGenerator>,
    manifest: Option<JobManifest>,
) -> Result<ObjectList, Fault> {
    match (generator, manifest) {
        (Some(generator), None) => {
            check_generator(&generator)?;
            Ok(ObjectList::Generated(generator))
        }
        (None, Some(manifest)) => {
            check_manifest(&manifest)?;
            Ok(ObjectList::Listed(manifest))
        }
        _ => Err(invalid("A job has either a Manifest or a ManifestGenerator.")),
    }
}

fn check_generator(generator: &ManifestGenerator) -> Result<(), Fault> {
    let generator = &generator.s3;
    if bucket_name(&generator.source_bucket).is_none() {
        return Err(invalid("SourceBucket must be the ARN of a bucket."));
    }
    if generator.enable_manifest_output || generator.manifest_output_location.is_some() {
        return Err(Fault::not_implemented("the output of generated manifests"));
    }
    generator.filter.as_ref().map_or(Ok(()), check_filter)
}

fn check_filter(filter: &Filter) -> Result<(), Fault> {
    let statuses = ["COMPLETED", "FAILED", "REPLICA", "NONE"];
    check_values(filter.object_replication_statuses.as_ref(), "replication status", &statuses)?;
    let classes = [
        "STANDARD",
        "STANDARD_IA",
        "ONEZONE_IA",
        "GLACIER",
        "INTELLIGENT_TIERING",
        "DEEP_ARCHIVE",
        "GLACIER_IR",
    ];
    check_values(filter.match_any_storage_class.as_ref(), "storage class", &classes)?;
    if let (Some(after), Some(before)) = (filter.created_after, filter.created_before)
        && after >= before
    {
        return Err(invalid("CreatedAfter must be earlier than CreatedBefore."));
    }
    let (more, less) = (filter.object_size_greater_than_bytes, filter.object_size_less_than_bytes);
    if more.is_some_and(i64::is_negative) || less.is_some_and(|size| size < 1) {
        return Err(invalid("Sizes must not be negative."));
    }
    if let Some(encryptions) = &filter.match_any_object_encryption {
        let kinds = |e: &Encryption| {
            [
                e.s3.is_some(),
                e.kms.is_some(),
                e.dsse.is_some(),
                e.customer.is_some(),
                e.none.is_some(),
            ]
        };
        let one = |e: &Encryption| kinds(e).iter().filter(|given| **given).count() == 1;
        if encryptions.any.len() != 1 || !encryptions.any.iter().all(one) {
            return Err(invalid("MatchAnyObjectEncryption must name one kind of encryption."));
        }
    }
    filter.key_name_constraint.as_ref().map_or(Ok(()), check_names)
}

fn check_values(list: Option<&Members<String>>, what: &str, allowed: &[&str]) -> Result<(), Fault> {
    let strange = list.and_then(|list| list.member.iter().find(|m| !allowed.contains(&m.as_str())));
    match strange {
        Some(value) => Err(invalid(format!("'{value}' is no {what}."))),
        None => Ok(()),
    }
}

/// Checks that each list has one member (S3 API Reference, `KeyNameConstraint`).
fn check_names(constraint: &KeyName) -> Result<(), Fault> {
    let lists = [
        &constraint.match_any_prefix,
        &constraint.match_any_suffix,
        &constraint.match_any_substring,
    ];
    let fits = |list: &&Members<String>| matches!(&list.member[..], [text] if (1..=1024).contains(&text.len()));
    if lists.into_iter().flatten().all(|list| fits(&list)) {
        return Ok(());
    }
    Err(invalid("Each KeyNameConstraint has one string of 1 to 1024 characters."))
}

/// Checks the format and fields of a manifest. Replication requires version ids (S3 User Guide,
/// "Specifying a manifest").
fn check_manifest(manifest: &JobManifest) -> Result<(), Fault> {
    match manifest.spec.format.as_str() {
        "S3BatchOperations_CSV_20180820" => {}
        "S3InventoryReport_CSV_20161130" => {
            return Err(Fault::not_implemented("manifests that are S3 Inventory reports"));
        }
        _ => return Err(invalid("The Format of the manifest is not known.")),
    }
    let fields = manifest.spec.fields.as_ref().map_or(&[][..], |fields| &fields.member);
    let known = ["Ignore", "Bucket", "Key", "VersionId"];
    if fields.iter().any(|field| !known.contains(&field.as_str())) {
        return Err(invalid("Fields are Ignore, Bucket, Key and VersionId."));
    }
    if ["Bucket", "Key", "VersionId"].iter().any(|wanted| !fields.iter().any(|f| f == wanted)) {
        return Err(invalid("The manifest of S3ReplicateObject needs Bucket, Key and VersionId."));
    }
    if object_name(&manifest.location.object_arn).is_none() {
        return Err(invalid("ObjectArn must be the ARN of an object."));
    }
    Ok(())
}

fn checked_report(report: Option<JobReport>) -> Result<JobReport, Fault> {
    let report = report.ok_or_else(|| invalid("Report is required."))?;
    if !report.enabled {
        return Ok(report);
    }
    if report.bucket.as_deref().and_then(bucket_name).is_none() {
        return Err(invalid("The Bucket of a report must be the ARN of a bucket."));
    }
    if report.format.as_deref() != Some("Report_CSV_20180820") {
        return Err(invalid("The Format of a report is Report_CSV_20180820."));
    }
    if !matches!(report.report_scope.as_deref(), Some("AllTasks" | "FailedTasksOnly")) {
        return Err(invalid("The ReportScope is AllTasks or FailedTasksOnly."));
    }
    Ok(report)
}
