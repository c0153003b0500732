//! `export cloudformation`: one template per Region, since a stack belongs to one Region, and for
//! each a list of the resources to import.
//! Sources of the properties and of the identifiers to import: the CloudFormation template
//! reference, one page per type.
//! Not for: the references within a template (see `named`).

mod named;

use super::File;
use super::pair::{BATCH, Pair, Placed, Way};
use crate::failure::Failure;
use crate::manifest::Topology;
use crate::names::Region;
use crate::settings::{ExportedLifecycle, Notifications};
use crate::world::{Alarm, Key, Replication, Rule, Tags, World};
use named::{Named, Reach};
use serde_json::{Map, Value, json};

/// Returns a template and a list of resources to import for each Region. Refuses rules with
/// settings that crrctl can't export.
pub fn cloudformation(topology: &Topology, world: &World) -> Result<Vec<File>, Failure> {
    let pair = Pair::of(topology, world);
    let mut files = Vec::new();
    for region in pair.regions() {
        let stem = format!("{}-{region}", topology.wanted.name);
        let mut stack = Stack { named: Named::of(&pair, region), ..Stack::default() };
        fill(&mut stack, &pair, region)?;
        let template = json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": format!("S3 replication of the pair {}: what stands in {region}, exported by crrctl", topology.wanted.name),
            "Metadata": {"crrctl": notes(&stem)},
            "Resources": stack.resources,
        });
        let import = Value::Array(stack.import);
        files.push(File { name: format!("{stem}.template.json"), text: format!("{template:#}\n") });
        files.push(File { name: format!("{stem}.import.json"), text: format!("{import:#}\n") });
    }
    Ok(files)
}

fn notes(stem: &str) -> Value {
    json!({
        "Import": format!(
            "aws cloudformation create-change-set --stack-name {stem} --change-set-name import --change-set-type IMPORT --capabilities \
             CAPABILITY_NAMED_IAM --template-body file://{stem}.template.json --resources-to-import file://{stem}.import.json"
        ),
        "NotExpressedHere": [
            "The proof: a rule that a stack writes may be live and not work. Run `crrctl probe` after each update.",
            "Activation: a stack puts a rule in force at once, on all new objects; an object that a rule fails stays FAILED.",
            "Teardown: a stack knows one Region, so it can't see that no bucket stands in the other before a key goes, nor does it \
             empty buckets. Everything is retained here; `crrctl destroy` removes it in AWS's order.",
            "Backfill: a batch job is no resource of CloudFormation. The role and the bucket of reports that jobs go by are here once \
             one was; `crrctl backfill` makes the job.",
            "Other Regions: what stands there is in another stack and bears its ARN here, except that of a multi-Region key, whose id is \
             the same. A key's policy and the buckets in a replication role's policy bear theirs too: a reference would be a circle.",
        ],
        "Tags": format!(
            "{} and {} make these things crrctl's: leave them, and both tools agree.",
            Topology::PAIR_TAG, Topology::ID_TAG
        ),
    })
}

/// A template under construction.
#[derive(Default)]
struct Stack {
    resources: Map<String, Value>,
    import: Vec<Value>,
    named: Named,
}

impl Stack {
    /// Adds an existing resource, which CloudFormation retains on deletion and on replacement.
    /// `identifier` is its identifier for the import.
    fn add(&mut self, id: &str, kind: &str, identifier: (&str, &str), properties: Value) {
        let (name, value) = identifier;
        self.import.push(json!({
            "ResourceType": kind,
            "LogicalResourceId": id,
            "ResourceIdentifier": {name: value},
        }));
        let mut resource = json!({
            "Type": kind,
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
        });
        resource["Properties"] = properties;
        self.resources.insert(id.to_owned(), resource);
    }
}

fn fill(stack: &mut Stack, pair: &Pair<'_>, region: &Region) -> Result<(), Failure> {
    if let Some(key) = pair.keys.iter().find(|key| &key.region == region) {
        add_key(stack, pair, key);
    }
    for (way, id) in roles(&pair.ways(), region) {
        add_role(stack, pair, way, &id);
    }
    for (placed, id) in buckets(pair, region) {
        add_bucket(stack, pair.topology, placed, &id)?;
    }
    for (index, alarm) in pair.alarms().filter(|alarm| &alarm.region == region).enumerate() {
        let id = if index == 0 { "Alarm".to_owned() } else { format!("Alarm{}", index + 1) };
        add_alarm(stack, alarm, &id);
    }
    Ok(())
}

/// Returns the directions of a Region, each with the logical id of its role.
fn roles<'a>(ways: &'a [Way<'a>], region: &Region) -> Vec<(&'a Way<'a>, String)> {
    let here = ways.iter().filter(|way| way.region == region).enumerate();
    let named = here.map(|(index, way)| match (way.label, index) {
        (BATCH, _) => (way, "BatchRole".to_owned()),
        (_, 0) => (way, "Role".to_owned()),
        _ => (way, format!("Role{}", index + 1)),
    });
    named.collect()
}

/// Returns the buckets of a Region, each with its logical id.
fn buckets<'a>(pair: &'a Pair<'a>, region: &Region) -> Vec<(&'a Placed<'a>, String)> {
    let here = pair.buckets.iter().filter(|placed| placed.region == region).enumerate();
    let named = here.map(|(index, placed)| match (placed.label.as_str(), index) {
        ("source", _) => (placed, "SourceBucket".to_owned()),
        ("reports", _) => (placed, "ReportBucket".to_owned()),
        (_, 0) => (placed, "Bucket".to_owned()),
        _ => (placed, format!("Bucket{}", index + 1)),
    });
    named.collect()
}

fn tags(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

fn add_key(stack: &mut Stack, pair: &Pair<'_>, key: &Key) {
    let mut properties = json!({
        "Description": pair.topology.wanted.key_description(),
        "KeyPolicy": key.policy,
        "PendingWindowInDays": pair.topology.wanted.key.deletion_window_days,
        "Tags": tags(&key.tags),
    });
    let primary = pair.world.keys.primary.as_ref().filter(|primary| primary.region != key.region);
    let kind = if let Some(primary) = primary {
        properties["PrimaryKeyArn"] = json!(primary.arn);
        "AWS::KMS::ReplicaKey"
    } else {
        properties["MultiRegion"] = json!(key.multi_region.is_some());
        properties["EnableKeyRotation"] = json!(key.rotation_days.is_some());
        if let Some(days) = key.rotation_days {
            properties["RotationPeriodInDays"] = json!(days);
        }
        "AWS::KMS::Key"
    };
    stack.add("Key", kind, ("KeyId", key.id.as_str()), properties);
    if pair.world.keys.aliases.get(&key.region) == Some(&key.id) {
        let name = pair.topology.wanted.key.alias.as_str();
        let properties = json!({"AliasName": name, "TargetKeyId": {"Ref": "Key"}});
        stack.add("Alias", "AWS::KMS::Alias", ("AliasName", name), properties);
    }
}

fn add_role(stack: &mut Stack, pair: &Pair<'_>, way: &Way<'_>, id: &str) {
    let Some(role) = way.role else { return };
    let name = way.role_name;
    // A bucket depends on the role of its replication configuration, and on no other role.
    let reach = if way.label == BATCH { Reach::All } else { Reach::Keys };
    let policies: Vec<Value> = role
        .policy
        .iter()
        .map(|policy| {
            let policy = stack.named.document(policy, reach);
            json!({"PolicyName": "replication", "PolicyDocument": policy})
        })
        .collect();
    let mut lasting = role.tags.clone();
    // Each backfill that is followed to its end updates this tag.
    lasting.remove(Topology::JOB_TAG);
    let mut properties = json!({
        "RoleName": name,
        "Path": way.role_path(),
        "Description": pair.topology.wanted.role_description(),
        "AssumeRolePolicyDocument": role.trust,
        "Policies": policies,
        "Tags": tags(&lasting),
    });
    if let Some(boundary) = &role.boundary {
        properties["PermissionsBoundary"] = json!(boundary);
    }
    stack.add(id, "AWS::IAM::Role", ("RoleName", name), properties);
}

fn add_bucket(
    stack: &mut Stack,
    topology: &Topology,
    placed: &Placed<'_>,
    id: &str,
) -> Result<(), Failure> {
    let (name, live) = (placed.name.as_str(), placed.live);
    let mut properties = json!({"BucketName": name, "Tags": tags(&live.tags)});
    let arn = |text: &str| stack.named.text(text, Reach::Keys);
    let documents = live.documents.cloudformation(&arn).into_iter();
    let lifecycle = placed.lifecycle().map(ExportedLifecycle::cloudformation);
    let notifications = placed.notifications(topology).map(Notifications::cloudformation);
    for (name, value) in documents.chain(lifecycle).chain(notifications) {
        properties[name] = value;
    }
    if let Some(replication) = &live.replication {
        properties["ReplicationConfiguration"] = self::replication(stack, replication)?;
    }
    stack.add(id, "AWS::S3::Bucket", ("BucketName", name), properties);
    if let Some(policy) = &live.policy {
        let policy = stack.named.document(policy, Reach::All);
        let properties = json!({"Bucket": {"Ref": id}, "PolicyDocument": policy});
        stack.add(&format!("{id}Policy"), "AWS::S3::BucketPolicy", ("Bucket", name), properties);
    }
    Ok(())
}

fn add_alarm(stack: &mut Stack, Alarm { name, says, tags, .. }: &Alarm, id: &str) {
    let dimension = |(name, value): (&String, &String)| json!({"Name": name, "Value": value});
    let properties = json!({
        "AlarmName": name,
        "AlarmDescription": says.description,
        "Namespace": says.namespace,
        "MetricName": says.metric,
        "Dimensions": says.dimensions.iter().map(dimension).collect::<Vec<_>>(),
        "Statistic": says.statistic,
        "Period": says.period,
        "EvaluationPeriods": says.evaluation_periods,
        "DatapointsToAlarm": says.datapoints_to_alarm,
        "Threshold": says.threshold,
        "ComparisonOperator": says.comparison,
        "TreatMissingData": says.missing_data,
        "ActionsEnabled": says.actions_enabled,
        "AlarmActions": says.alarm_actions,
        "OKActions": says.ok_actions,
        "InsufficientDataActions": says.insufficient_data_actions,
        "Tags": self::tags(tags),
    });
    stack.add(id, "AWS::CloudWatch::Alarm", ("AlarmName", name), properties);
}

fn replication(stack: &Stack, live: &Replication) -> Result<Value, Failure> {
    let role = stack.named.text(&live.role, Reach::Roles);
    let rules = live.rules.iter().map(|it| rule(stack, it)).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({"Role": role, "Rules": rules}))
}

fn rule(stack: &Stack, rule: &Rule) -> Result<Value, Failure> {
    super::known(rule)?;
    let status = |is_on: bool| if is_on { "Enabled" } else { "Disabled" };
    let mut destination = json!({"Bucket": rule.destination});
    if let Some(key) = &rule.replica_key {
        destination["EncryptionConfiguration"] =
            json!({"ReplicaKmsKeyID": stack.named.text(key, Reach::Keys)});
    }
    if let Some(class) = &rule.storage_class {
        destination["StorageClass"] = json!(class);
    }
    if let Some(owner) = &rule.new_owner {
        destination["Account"] = json!(owner);
        destination["AccessControlTranslation"] = json!({"Owner": "Destination"});
    }
    if rule.metrics {
        destination["Metrics"] = json!({"Status": status(true)});
    }
    if rule.time_control {
        destination["Metrics"]["EventThreshold"] = json!({"Minutes": 15});
        destination["ReplicationTime"] = json!({"Status": status(true), "Time": {"Minutes": 15}});
    }
    let prefix = rule.prefix.as_deref().unwrap_or_default();
    let mut filter = json!({"Prefix": prefix});
    if !rule.tags.is_empty() {
        filter = json!({"And": {"TagFilters": tags(&rule.tags)}});
        if !prefix.is_empty() {
            filter["And"]["Prefix"] = json!(prefix);
        }
    }
    let mut value = json!({
        "Id": rule.id,
        "Priority": rule.priority,
        "Status": status(rule.enabled),
        "Filter": filter,
        "DeleteMarkerReplication": {"Status": status(rule.delete_markers)},
        "Destination": destination,
    });
    if rule.kms_objects || rule.replica_modifications {
        value["SourceSelectionCriteria"] =
            json!({"SseKmsEncryptedObjects": {"Status": status(rule.kms_objects)}});
    }
    if rule.replica_modifications {
        value["SourceSelectionCriteria"]["ReplicaModifications"] = json!({"Status": status(true)});
    }
    Ok(value)
}
