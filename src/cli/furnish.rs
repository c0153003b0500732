//! What a rehearsal makes in the sandbox first, because the manifest says that it exists: adopted
//! buckets, keys and their administrators, roles, boundaries, the targets of access logs, and the topics and queues
//! of alerts and alarms.
//! Not for: the rehearsal itself (see `rehearse`).

use crate::aws::{At, Error};
use crate::failure::{Failure, Kind};
use crate::manifest::{KeyRef, KeyWish, PairKeys, Side, Topology};
use crate::names::{AccountId, Arn, BucketName, Region};
use crate::ops::Session;
use crate::policy::proof::targets::Target;
use crate::policy::{self, Document};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use crrctl_sandbox::Sandbox;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Makes what exists by the manifest. Returns the names of the adopted buckets.
pub(super) async fn furnish(
    session: &Session,
    sandbox: &Sandbox,
    topology: &Topology,
) -> Result<Vec<BucketName>, Failure> {
    let mut made = Vec::new();
    for side in topology.sides().filter(|side| topology.wanted.adopts(&side.bucket)) {
        create_bucket(session, side.bucket.as_str(), &side.region).await?;
        made.push(side.bucket.clone());
    }
    let accounts: Vec<AccountId> = topology.accounts().into_iter().cloned().collect();
    for side in topology.sides() {
        if let KeyWish::Existing(given) = &side.key {
            key(session, sandbox, side, given, &accounts).await?;
        }
    }
    for direction in topology.directions() {
        role(session, sandbox, &direction).await?;
    }
    for administrator in &topology.wanted.key.administrators {
        sandbox.add_principal(administrator);
    }
    log_targets(session, topology).await?;
    channels(session, sandbox, topology)?;
    Ok(made)
}

async fn create_bucket(session: &Session, name: &str, region: &Region) -> Result<(), Error> {
    let place =
        (region.as_str() != "us-east-1").then(|| BucketLocationConstraint::from(region.as_str()));
    let place = CreateBucketConfiguration::builder().set_location_constraint(place).build();
    let create = session.aws.s3(region).create_bucket().bucket(name);
    let create = create.create_bucket_configuration(place).send().await;
    create.at("s3:CreateBucket", region).map(drop)
}

/// Makes an existing key under its own ARN, or a key with the alias that names it. The key that AWS
/// manages comes by itself.
async fn key(
    session: &Session,
    sandbox: &Sandbox,
    side: &Side,
    given: &KeyRef,
    accounts: &[AccountId],
) -> Result<(), Failure> {
    let region = &side.region;
    if given.is_managed_by_aws() {
        return Ok(());
    }
    if let Some(arn) = given.key_arn() {
        sandbox.add_key(&arn, accounts);
        return Ok(());
    }
    let kms = session.aws.kms(region);
    let of_arn = Arn::new(given.as_str()).ok().map(|arn| arn.resource().to_owned());
    let alias = of_arn.unwrap_or_else(|| given.as_str().to_owned());
    let known = kms.describe_key().key_id(&alias).send().await.at("kms:DescribeKey", region);
    match known {
        Ok(_) => return Ok(()),
        Err(error) if error.is_absent() => {}
        Err(error) => return Err(error.into()),
    }
    let made = kms.create_key().send().await.at("kms:CreateKey", region)?;
    let unreadable = || Error::unreadable("kms:CreateKey", region, "key id");
    let made = made.key_metadata.ok_or_else(unreadable)?;
    let create = kms.create_alias().alias_name(&alias).target_key_id(made.key_id);
    create.send().await.at("kms:CreateAlias", region)?;
    Ok(())
}

/// Makes the role that the manifest gives, with what replication may need of a role, and the
/// permissions boundary of a role that crrctl makes.
async fn role(session: &Session, sandbox: &Sandbox, direction: &Topology) -> Result<(), Failure> {
    let settings = &direction.role_settings;
    let region = direction.role_region();
    let iam = session.aws.iam(region);
    if let Some(arn) = &settings.boundary {
        sandbox.add_policy(arn);
    }
    let Some(arn) = &settings.given else { return Ok(()) };
    let (path, name) = named(arn, "role");
    let trust = json!({"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"});
    let create = iam.create_role().role_name(&name).path(path);
    let create = create.assume_role_policy_document(document(&trust)).send().await;
    unless_there(create.at("iam:CreateRole", region))?;
    let may = json!({"Effect": "Allow", "Resource": "*", "Action": [
        "s3:GetReplicationConfiguration", "s3:ListBucket", "s3:GetBucketVersioning", "s3:GetObjectVersion*",
        "s3:GetObjectRetention", "s3:GetObjectLegalHold", "s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags",
        "s3:ObjectOwnerOverrideToBucketOwner", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]});
    let put = iam.put_role_policy().role_name(&name).policy_name("existing");
    put.policy_document(document(&may)).send().await.at("iam:PutRolePolicy", region)?;
    Ok(())
}

fn document(statement: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

/// Returns the path and the name of an IAM resource.
fn named(arn: &Arn, kind: &str) -> (String, String) {
    let rest = arn.resource().strip_prefix(kind).unwrap_or(arn.resource());
    let at = rest.rfind('/').map_or(0, |at| at + 1);
    (rest[..at].to_owned(), rest[at..].to_owned())
}

/// Two directions may have one role.
fn unless_there<T>(made: Result<T, Error>) -> Result<(), Error> {
    match made {
        Err(error) if !error.is("EntityAlreadyExists") => Err(error),
        _ => Ok(()),
    }
}

/// Makes the buckets that access logs go to, with the policy that lets S3 write them.
async fn log_targets(session: &Session, topology: &Topology) -> Result<(), Failure> {
    let mut made = BTreeSet::new();
    for side in topology.sides() {
        let Some(target) = topology.wanted.log_target(side) else { continue };
        if !made.insert(target.bucket.clone()) {
            continue;
        }
        create_bucket(session, &target.bucket, &side.region).await?;
        let document = Document::LogTarget(target.bucket.clone());
        let policy = policy::render(&document, topology, &PairKeys::default(), &session.templates)?;
        let put = session.aws.s3(&side.region).put_bucket_policy().bucket(&target.bucket);
        let put = put.policy(policy.to_string()).send().await;
        put.at("s3:PutBucketPolicy", &side.region)?;
    }
    Ok(())
}

/// Makes the topic or queue that alerts go to and the topics that alarms notify, with the statements
/// that let S3 and CloudWatch publish. One topic may be both.
fn channels(session: &Session, sandbox: &Sandbox, topology: &Topology) -> Result<(), Failure> {
    let directions = topology.directions();
    let mut statements: BTreeMap<&Arn, Vec<Value>> = BTreeMap::new();
    for target in Target::all(topology, &directions) {
        let (document, keys) = (target.documents().0, PairKeys::default());
        let policy = policy::render(&document, target.topology, &keys, &session.templates)?;
        let all = policy["Statement"].as_array().cloned().unwrap_or_default();
        statements.entry(target.arn).or_default().extend(all);
    }
    for (arn, statements) in statements {
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let put = sandbox.put_channel(arn, &[("Policy", &policy)]);
        put.map_err(|why| Failure::new(Kind::Unexpected, "template-invalid", why))?;
    }
    Ok(())
}
