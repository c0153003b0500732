//! What a fresh sandbox needs before a recording is replayed: the things that the run did not make,
//! as its first reads showed them.
//! Not for: making them (see `cli::compare`).

mod alarms;
mod buckets;
mod channels;
mod keys;

use super::read::Numbered;
use crate::recording::{Exchange, Members, Service};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Something to make before the replay.
#[derive(Debug, Clone, PartialEq)]
pub enum Furnished {
    /// A key with this ARN.
    Key(String),
    /// A topic or a queue that S3 may publish to.
    Channel(String),
    /// What a request makes.
    Call {
        /// Whose credentials sign it.
        caller: u32,
        /// The Region.
        region: String,
        /// The service.
        service: Service,
        /// The operation.
        operation: &'static str,
        /// The members of the request.
        members: Members,
    },
}

/// Reads of S3 that show a document of a bucket, with the write that makes it: the member of the
/// answer, and the member of the request (empty: the members themselves).
const DOCUMENTS: [(&str, &str, &str, &str); 11] = [
    ("GetBucketVersioning", "PutBucketVersioning", "", "VersioningConfiguration"),
    (
        "GetBucketEncryption",
        "PutBucketEncryption",
        "ServerSideEncryptionConfiguration",
        "ServerSideEncryptionConfiguration",
    ),
    (
        "GetBucketOwnershipControls",
        "PutBucketOwnershipControls",
        "OwnershipControls",
        "OwnershipControls",
    ),
    (
        "GetPublicAccessBlock",
        "PutPublicAccessBlock",
        "PublicAccessBlockConfiguration",
        "PublicAccessBlockConfiguration",
    ),
    ("GetBucketTagging", "PutBucketTagging", "", "Tagging"),
    ("GetBucketPolicy", "PutBucketPolicy", "Policy", "Policy"),
    (
        "GetBucketLifecycleConfiguration",
        "PutBucketLifecycleConfiguration",
        "",
        "LifecycleConfiguration",
    ),
    (
        "GetObjectLockConfiguration",
        "PutObjectLockConfiguration",
        "ObjectLockConfiguration",
        "ObjectLockConfiguration",
    ),
    ("GetBucketLogging", "PutBucketLogging", "", "BucketLoggingStatus"),
    (
        "GetBucketNotificationConfiguration",
        "PutBucketNotificationConfiguration",
        "",
        "NotificationConfiguration",
    ),
    (
        "GetBucketReplication",
        "PutBucketReplication",
        "ReplicationConfiguration",
        "ReplicationConfiguration",
    ),
];

/// The order in which things are made: what others need comes first.
const ORDER: [&str; 28] = [
    "UpdateKeyDescription",
    "CreateAlias",
    "PutKeyPolicy",
    "TagResource",
    "EnableKeyRotation",
    "DisableKey",
    "CreatePolicy",
    "CreateRole",
    "TagRole",
    "AttachRolePolicy",
    "PutRolePolicy",
    "CreateBucket",
    "PutBucketVersioning",
    "PutBucketOwnershipControls",
    "PutPublicAccessBlock",
    "DeletePublicAccessBlock",
    "PutBucketTagging",
    "PutBucketEncryption",
    "PutObjectLockConfiguration",
    "PutBucketPolicy",
    "PutBucketLifecycleConfiguration",
    "PutBucketLogging",
    "PutBucketNotificationConfiguration",
    "PutBucketReplication",
    "PutMetricAlarm",
    "PutObject",
    "DeleteObject",
    "ScheduleKeyDeletion",
];

/// Returns what to make, in its order.
pub fn furnished(exchanges: &[Numbered]) -> Vec<Furnished> {
    let mut scene = Scene::default();
    // An alias that a change does not find was deleted before, whatever a read before it showed.
    for it in exchanges.iter().map(|it| &it.exchange).filter(|it| it.is_of_no_alias()) {
        scene.is_new("alias", &format!("{} {}", it.region, text(&it.request, "AliasName")));
    }
    for numbered in exchanges {
        scene.take(&numbered.exchange);
    }
    scene.allow_unread();
    scene.listed_buckets();
    scene.unseen_destinations();
    let Scene { mut made, primaries, .. } = scene;
    let rank = |it: &Furnished| match it {
        // The primary of a multi-Region key is the first that is made of it.
        Furnished::Key(arn) if primaries.contains(arn) => 0,
        Furnished::Key(_) | Furnished::Channel(_) => 1,
        Furnished::Call { operation, .. } => {
            2 + ORDER.iter().position(|it| it == operation).unwrap_or(ORDER.len())
        }
    };
    // A bucket that gets logs or replicas is made before those that name it, which the ranks say.
    made.sort_by_key(rank);
    made
}

#[derive(Debug, Default)]
struct Scene {
    made: Vec<Furnished>,
    /// What is there already, or was decided about: a kind, and a name.
    seen: BTreeSet<(String, String)>,
    /// Roles, and policies of roles, of which no document was read.
    unread: Vec<Unread>,
    /// The ARNs of the primaries of multi-Region keys.
    primaries: BTreeSet<String>,
    /// Buckets of a list, each with the list that named it first.
    listed: Vec<(Members, Exchange)>,
    /// Buckets that replication rules name, each with the read that showed them.
    destinations: Vec<(String, Exchange)>,
}

/// A role that the run did not make, or one of its policies.
#[derive(Debug)]
struct Unread {
    caller: u32,
    region: String,
    role: String,
    /// The policy; `None` for all that the role has.
    policy: Option<String>,
}

/// What stands for a policy that no call read: what the run shows happened by it.
const ALLOWED: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","kms:*"],"Resource":"*"}]}"#;

fn text<'a>(members: &'a Members, name: &str) -> &'a str {
    members.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn items<'a>(members: &'a Members, name: &str) -> impl Iterator<Item = &'a Members> {
    members.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

impl Scene {
    /// Returns whether this is the first that is heard of a thing.
    fn is_new(&mut self, kind: &str, name: &str) -> bool {
        !name.is_empty() && self.seen.insert((kind.to_owned(), name.to_owned()))
    }

    fn call(&mut self, of: &Exchange, operation: &'static str, members: Value) {
        let Value::Object(mut members) = members else { return };
        members.retain(|_, value| !value.is_null());
        let (caller, region, service) = (of.caller, of.region.clone(), of.service);
        self.made.push(Furnished::Call { caller, region, service, operation, members });
    }

    fn take(&mut self, exchange: &Exchange) {
        match exchange.service {
            Service::S3 => self.s3(exchange),
            Service::Kms => self.kms(exchange),
            Service::Iam => self.iam(exchange),
            Service::CloudWatch => self.alarms(exchange),
            Service::S3Control | Service::Sts | Service::CloudTrail => {}
        }
    }

    fn s3(&mut self, exchange: &Exchange) {
        let (request, answer) = (&exchange.request, &exchange.answer);
        let bucket = text(request, "Bucket").to_owned();
        let code = exchange.code.as_deref().unwrap_or_default();
        if exchange.operation == "ListBuckets" {
            self.list_buckets(exchange);
        }
        if bucket.is_empty() || exchange.status.is_none() {
            return;
        }
        if exchange.operation == "CreateBucket" {
            if exchange.succeeded() && self.is_new("bucket", &bucket) {
                for (_, put, ..) in DOCUMENTS {
                    self.is_new(put, &bucket);
                }
            }
            return;
        }
        let is_missing = ["NoSuchBucket", "404", "403", "AccessDenied", "301", "400"]
            .contains(&code)
            && (code != "404" || text(request, "Key").is_empty());
        if !is_missing && self.is_new("bucket", &bucket) {
            let namespace = bucket.ends_with("-an").then_some("account-regional");
            let members =
                json!({"BucketNamespace": namespace, "ObjectOwnership": "BucketOwnerEnforced"});
            self.create_bucket(exchange, &bucket, members);
        }
        self.channels(exchange);
        if !exchange.reads() {
            self.is_new(&exchange.operation.replace("Delete", "Put"), &bucket);
            if let Some(key) = request.get("Key").and_then(Value::as_str) {
                self.is_new("object", &format!("{bucket}/{key}"));
            }
            return;
        }
        self.document(exchange, &bucket);
        if !exchange.succeeded() {
            return;
        }
        match exchange.operation.as_str() {
            "HeadObject" => self.object(exchange, &bucket, text(request, "Key"), answer),
            "ListObjectVersions" => {
                for version in items(answer, "Versions") {
                    self.object(exchange, &bucket, text(version, "Key"), version);
                }
            }
            _ => {}
        }
    }

    /// Makes a document of a bucket that the first read of it showed.
    fn document(&mut self, exchange: &Exchange, bucket: &str) {
        let found = DOCUMENTS.iter().find(|(get, ..)| *get == exchange.operation);
        let Some((_, put, from, to)) = found else { return };
        if !self.is_new(put, bucket) {
            return;
        }
        // A new bucket has one (S3 User Guide, "Blocking public access to your Amazon S3 storage").
        if exchange.code.as_deref() == Some("NoSuchPublicAccessBlockConfiguration") {
            return self.call(exchange, "DeletePublicAccessBlock", json!({"Bucket": bucket}));
        }
        if !exchange.succeeded() {
            return;
        }
        let value = match *from {
            "" => Some(Value::Object(exchange.answer.clone())),
            from => exchange.answer.get(from).cloned(),
        };
        let Some(value) = value.filter(|it| it.as_object().is_none_or(|it| !it.is_empty())) else {
            return;
        };
        match *put {
            "PutBucketLogging" => self.log_target(exchange, &value),
            "PutBucketReplication" => self.destinations(exchange, &value),
            _ => {}
        }
        if *put == "PutObjectLockConfiguration" {
            self.with_lock(bucket);
            if value.get("Rule").is_none() {
                return;
            }
        }
        let mut members = json!({"Bucket": bucket});
        members[*to] = value;
        self.call(exchange, put, members);
    }

    fn object(&mut self, exchange: &Exchange, bucket: &str, key: &str, shown: &Members) {
        // What S3 replicated comes by itself.
        if text(shown, "ReplicationStatus") == "REPLICA"
            || !self.is_new("object", &format!("{bucket}/{key}"))
        {
            return;
        }
        let size = shown.get("ContentLength").or_else(|| shown.get("Size"));
        let length = size.and_then(|it| it.as_str().map_or(it.as_u64(), |it| it.parse().ok()));
        let of = |name: &str| shown.get(name).cloned();
        // Its value is that of the body that is made up.
        let has_sha256 =
            of("ChecksumAlgorithm").is_some_and(|it| it.to_string().contains("SHA256"));
        self.call(
            exchange,
            "PutObject",
            json!({"Bucket": bucket, "Key": key, "Body": {"length": length},
                "ServerSideEncryption": of("ServerSideEncryption"), "SSEKMSKeyId": of("SSEKMSKeyId"), "ChecksumSHA256": has_sha256.then_some("")}),
        );
    }

    fn iam(&mut self, exchange: &Exchange) {
        let (request, answer) = (&exchange.request, &exchange.answer);
        let role = text(request, "RoleName").to_owned();
        if !exchange.succeeded() {
            return;
        }
        match exchange.operation.as_str() {
            "CreateRole" => {
                self.is_new("role", &role);
            }
            "GetRole" => {
                if let Some(shown) = answer.get("Role").and_then(Value::as_object) {
                    self.role(exchange, shown);
                }
            }
            "ListRoles" => {
                for shown in items(answer, "Roles") {
                    self.role(exchange, shown);
                }
            }
            "GetRolePolicy" => {
                let name = text(request, "PolicyName");
                if self.is_new("policy", &format!("{role} {name}")) {
                    self.call(exchange, "PutRolePolicy", json!({"RoleName": role, "PolicyName": name, "PolicyDocument": answer.get("PolicyDocument")}));
                }
            }
            "ListRolePolicies" if self.is_new("policies", &role) => {
                for name in
                    answer.get("PolicyNames").and_then(Value::as_array).into_iter().flatten()
                {
                    let policy = name.as_str().map(str::to_owned);
                    self.leave_unread(exchange, &role, policy);
                }
            }
            "PutRolePolicy" | "DeleteRolePolicy" => {
                self.is_new("policy", &format!("{role} {}", text(request, "PolicyName")));
            }
            "ListRoleTags"
                if self.is_new("tags", &role) && items(answer, "Tags").next().is_some() =>
            {
                let members = json!({"RoleName": role, "Tags": answer.get("Tags")});
                self.call(exchange, "TagRole", members);
            }
            _ => {}
        }
    }

    fn leave_unread(&mut self, exchange: &Exchange, role: &str, policy: Option<String>) {
        let (caller, region) = (exchange.caller, exchange.region.clone());
        self.unread.push(Unread { caller, region, role: role.to_owned(), policy });
    }

    /// Gives roles what their policies must have allowed, where no call read them.
    fn allow_unread(&mut self) {
        for Unread { caller, region, role, policy } in std::mem::take(&mut self.unread) {
            let start = format!("{role} ");
            let knows = |kind: &str, name: &str| {
                self.seen.iter().any(|(it, of)| it == kind && of.starts_with(name))
            };
            let is_known = match &policy {
                Some(policy) => knows("policy", &format!("{role} {policy}")),
                None => knows("policies", &role) || knows("policy", &start),
            };
            if !is_known {
                let name = policy.unwrap_or_else(|| "unread".to_owned());
                let members =
                    json!({"RoleName": role, "PolicyName": name, "PolicyDocument": ALLOWED});
                let Value::Object(members) = members else { continue };
                let (service, operation) = (Service::Iam, "PutRolePolicy");
                self.made.push(Furnished::Call { caller, region, service, operation, members });
            }
        }
    }

    fn role(&mut self, exchange: &Exchange, shown: &Members) {
        let name = text(shown, "RoleName").to_owned();
        let is_linked = text(shown, "Path").contains("aws-service-role");
        if is_linked || !self.is_new("role", &name) {
            return;
        }
        self.leave_unread(exchange, &name, None);
        let boundary =
            shown.get("PermissionsBoundary").map(|it| it["PermissionsBoundaryArn"].clone());
        let of = |member: &str| shown.get(member).cloned();
        self.call(
            exchange,
            "CreateRole",
            json!({"RoleName": name, "Path": of("Path"), "AssumeRolePolicyDocument": of("AssumeRolePolicyDocument"),
                "Description": of("Description"), "MaxSessionDuration": of("MaxSessionDuration"), "PermissionsBoundary": boundary, "Tags": of("Tags")}),
        );
    }
}
