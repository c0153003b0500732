//! `export terraform`: a configuration with an `import` block for each resource.
//! Sources of the arguments and of the ids to import: the AWS provider's documentation, one page
//! per resource.
//! Not for: the syntax of HCL (see `hcl`).

mod references;

use super::File;

use super::pair::{BATCH, Pair, Placed, Way};
use crate::failure::Failure;
use crate::hcl::{Body, Value};
use crate::manifest::{Endpoints, Login, Service, Topology};
use crate::names::{EndpointUrl, Region};
use crate::settings::{ExportedLifecycle, Notifications};
use crate::world::{Alarm, Key, Replication, Rule, Tags, World};
use references::References;

/// Returns the configuration. Refuses rules with settings that crrctl can't export.
pub fn terraform(topology: &Topology, world: &World) -> Result<File, Failure> {
    let pair = Pair::of(topology, world);
    let mut file =
        Body::default().comment(&notes(topology)).block("terraform", &[], requirements());
    for region in pair.regions() {
        let provider = Body::default()
            .set("alias", Value::text(&label(region.as_str())))
            .set("region", Value::text(region))
            .and(credentials(topology.wanted.login_of(region)))
            .and(endpoints(topology.endpoints(region)));
        file = file.block("provider", &["aws"], provider);
    }
    let references = References::of(&pair);
    for resource in resources(&pair, &references)? {
        file = file.and(resource);
    }
    Ok(File { name: format!("{}.tf", topology.wanted.name), text: file.render(0) })
}

fn notes(topology: &Topology) -> String {
    format!(
        "The pair `{pair}` as it stands, exported by crrctl {version}. The blocks `import` make Terraform take it over; they may go
after the first `terraform apply`.

What Terraform can't express, and what to do instead:
- The proof. A rule that Terraform writes may be live and not work: `crrctl probe` after each apply.
- Activation. Terraform puts a rule in force at once, on all new objects; an object that a rule fails stays FAILED.
- Teardown. Buckets depend on the keys here, so that no key is scheduled for deletion while a bucket stands; Terraform does
  not empty buckets, nor wait until the rule is gone before it takes the role away. `crrctl destroy` does both.
- Backfill. A batch job is no resource: `crrctl backfill`. The role and the bucket of reports that its jobs go by are here once one was.
- Deletion windows can't be imported: where `deletion_window_in_days` is not set (and not ignored), a key goes after 30 days, not {days}.
- Blocked encryption types (SSE-C). The provider knows them from 6.22 on; between 6.22 and 6.40 it takes away what is blocked, unless
  `blocked_encryption_types` is set.

The tags `{pair_tag}` and `{id_tag}` make these things crrctl's: leave them, and both tools agree.",
        pair = topology.wanted.name,
        version = env!("CARGO_PKG_VERSION"),
        days = topology.wanted.key.deletion_window_days,
        pair_tag = Topology::PAIR_TAG,
        id_tag = Topology::ID_TAG,
    )
}

/// A Region with credentials in the manifest has the same credentials in its provider block.
fn credentials(login: &Login) -> Body {
    let mut body = Body::default();
    if let Some(profile) = &login.profile {
        body = body.set("profile", Value::text(profile));
    }
    if let Some(role) = &login.assume_role {
        let role = Body::default().set("role_arn", Value::text(role));
        body = body.block("assume_role", &[], role);
    }
    body
}

/// A Region with endpoints in the manifest has the same endpoints in its provider block.
fn endpoints(endpoints: Option<&Endpoints>) -> Body {
    let Some(endpoints) = endpoints else { return Body::default() };
    let set = |body: Body, (service, url): (Service, &EndpointUrl)| {
        body.set(&service.key().replace('_', ""), Value::text(url))
    };
    Body::default().block("endpoints", &[], endpoints.all().fold(Body::default(), set))
}

/// `import` blocks require Terraform 1.5; rotation periods require version 5.50 of the provider.
fn requirements() -> Body {
    let aws = vec![
        ("source".to_owned(), Value::text("hashicorp/aws")),
        ("version".to_owned(), Value::text(">= 5.50")),
    ];
    Body::default().set("required_version", Value::text(">= 1.5")).block(
        "required_providers",
        &[],
        Body::default().set("aws", Value::Map(aws)),
    )
}

/// Converts a name to a label, which must be a Terraform identifier.
fn label(name: &str) -> String {
    name.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

/// Returns the label of a direction's role.
fn way_label(way: &Way<'_>) -> String {
    match way.label {
        "source" => "replication".to_owned(),
        BATCH => BATCH.to_owned(),
        back => format!("replication_{}", label(back)),
    }
}

fn tags(tags: &Tags) -> Value {
    Value::Map(tags.iter().map(|(key, value)| (key.clone(), Value::text(value))).collect())
}

/// Returns a resource and the block that imports it.
fn resource(kind: &str, name: &str, region: &Region, import: &str, body: Body) -> Body {
    let provider = Value::bare(&format!("aws.{}", label(region.as_str())));
    let address = Value::bare(&format!("{kind}.{name}"));
    Body::default()
        .block("import", &[], Body::default().set("to", address).set("id", Value::text(&import)))
        .block("resource", &[kind, name], Body::default().set("provider", provider).and(body))
}

fn is_primary(key: &Key) -> bool {
    key.multi_region.as_ref().is_none_or(|place| place.primary)
}

fn address(key: &Key) -> String {
    let kind = if is_primary(key) { "aws_kms_key" } else { "aws_kms_replica_key" };
    format!("{kind}.{}", label(key.region.as_str()))
}

fn resources(pair: &Pair<'_>, references: &References) -> Result<Vec<Body>, Failure> {
    let mut all = Vec::new();
    for key in &pair.keys {
        all.push(self::key(pair, key, references));
        if pair.world.keys.aliases.get(&key.region) == Some(&key.id) {
            all.push(alias(pair, key));
        }
    }
    for bucket in &pair.buckets {
        all.extend(self::bucket(pair, bucket, references));
    }
    for way in pair.ways() {
        all.extend(role(pair, &way, references));
        if let Some(replication) = way.replication {
            all.push(self::replication(pair, &way, replication, references)?);
        }
    }
    all.extend(pair.alarms().map(alarm));
    Ok(all)
}

fn key(pair: &Pair<'_>, key: &Key, references: &References) -> Body {
    let mut body =
        Body::default().set("description", Value::text(&pair.topology.wanted.key_description()));
    if is_primary(key) {
        body = body
            .set("multi_region", Value::bare(&key.multi_region.is_some()))
            .set("enable_key_rotation", Value::bare(&key.rotation_days.is_some()));
        if let Some(days) = key.rotation_days {
            body = body.set("rotation_period_in_days", Value::bare(&days));
        }
    } else if let Some(primary) = &pair.world.keys.primary {
        body = body.set("primary_key_arn", references.arn(primary.arn.as_str()));
    }
    let policy = Value::document(&key.policy, &|text| references.in_key_policy(text));
    let mut body = body.set("policy", policy).set("tags", tags(&key.tags));
    if !is_primary(key) {
        // The provider's import leaves these arguments unset, so the provider's defaults would be a
        // change.
        let unset = ["bypass_policy_lockout_safety_check", "deletion_window_in_days"];
        let unset = Value::List(unset.into_iter().map(Value::bare).collect());
        body = body.block("lifecycle", &[], Body::default().set("ignore_changes", unset));
    }
    let kind = if is_primary(key) { "aws_kms_key" } else { "aws_kms_replica_key" };
    resource(kind, &label(key.region.as_str()), &key.region, key.id.as_str(), body)
}

fn alias(pair: &Pair<'_>, key: &Key) -> Body {
    let name = pair.topology.wanted.key.alias.as_str();
    let target = Value::bare(&format!("{}.key_id", address(key)));
    let body = Body::default().set("name", Value::text(name)).set("target_key_id", target);
    resource("aws_kms_alias", &label(key.region.as_str()), &key.region, name, body)
}

fn bucket(pair: &Pair<'_>, placed: &Placed<'_>, references: &References) -> Vec<Body> {
    let Placed { region, live, .. } = placed;
    let (name, label) = (placed.name.as_str(), label(&placed.label));
    let keys = pair.keys.iter().map(|key| Value::bare(&address(key))).collect();
    let of_bucket =
        || Body::default().set("bucket", Value::bare(&format!("aws_s3_bucket.{label}.id")));
    let setting =
        |kind: &str, body: Body| resource(kind, &label, region, name, of_bucket().and(body));
    let bucket = Body::default().set("bucket", Value::text(name)).set("tags", tags(&live.tags));
    let bucket = match live.lock() {
        Some(_) => bucket.set("object_lock_enabled", Value::bare(&true)),
        None => bucket,
    };
    let bucket = bucket.set("depends_on", Value::List(keys));
    let mut all = vec![resource("aws_s3_bucket", &label, region, name, bucket)];
    let arn = |text: &str| references.arn(text);
    let documents = live.documents.terraform(&arn).into_iter();
    let lifecycle = placed.lifecycle().map(ExportedLifecycle::terraform);
    let notifications = placed.notifications(pair.topology).map(Notifications::terraform);
    let others = lifecycle.into_iter().chain(notifications);
    all.extend(documents.chain(others).map(|(kind, body)| setting(kind, body)));
    if let Some(policy) = &live.policy {
        let policy = Value::document(policy, &|text| references.arn(text));
        all.push(setting("aws_s3_bucket_policy", Body::default().set("policy", policy)));
    }
    all
}

/// Bucket names and rule ids are dimensions, not ARNs, so that nothing here is a reference.
fn alarm(alarm: &Alarm) -> Body {
    let Alarm { region, name, says, .. } = alarm;
    let texts = |list: &[String]| Value::List(list.iter().map(Value::text).collect());
    let body = Body::default()
        .set("alarm_name", Value::text(name))
        .set("alarm_description", Value::text(&says.description))
        .set("namespace", Value::text(&says.namespace))
        .set("metric_name", Value::text(&says.metric))
        .set("dimensions", tags(&says.dimensions))
        .set("statistic", Value::text(&says.statistic))
        .set("period", Value::bare(&says.period))
        .set("evaluation_periods", Value::bare(&says.evaluation_periods))
        .set("datapoints_to_alarm", Value::bare(&says.datapoints_to_alarm))
        .set("threshold", Value::bare(&says.threshold))
        .set("comparison_operator", Value::text(&says.comparison))
        .set("treat_missing_data", Value::text(&says.missing_data))
        .set("actions_enabled", Value::bare(&says.actions_enabled))
        .set("alarm_actions", texts(&says.alarm_actions))
        .set("ok_actions", texts(&says.ok_actions))
        .set("insufficient_data_actions", texts(&says.insufficient_data_actions))
        .set("tags", tags(&alarm.tags));
    let id = label(&format!("{name}_{region}"));
    resource("aws_cloudwatch_metric_alarm", &id, region, name, body)
}

fn role(pair: &Pair<'_>, way: &Way<'_>, references: &References) -> Vec<Body> {
    let Some(role) = way.role else { return Vec::new() };
    let (name, label) = (way.role_name, way_label(way));
    // The provider of the other account creates a role of that account.
    let is_home = role.arn.account() == pair.topology.source.account.as_str();
    let region = if is_home { &pair.topology.wanted.home().region } else { way.region };
    let body = Body::default()
        .set("name", Value::text(&name))
        .set("path", Value::text(&way.role_path()))
        .set("description", Value::text(&pair.topology.wanted.role_description()));
    let body = match &role.boundary {
        Some(boundary) => body.set("permissions_boundary", Value::text(boundary)),
        None => body,
    };
    let mut lasting = role.tags.clone();
    lasting.remove(Topology::JOB_TAG);
    let trust = Value::document(&role.trust, &|text| Value::text(text));
    let mut body = body.set("assume_role_policy", trust).set("tags", tags(&lasting));
    if way.label == BATCH {
        // Each backfill that is followed to its end updates this tag.
        let told = ["tags", "tags_all"];
        let told = told.map(|it| Value::bare(&format!("{it}[\"{}\"]", Topology::JOB_TAG)));
        let unset = Value::List(told.to_vec());
        body = body.block("lifecycle", &[], Body::default().set("ignore_changes", unset));
    }
    let mut all = vec![resource("aws_iam_role", &label, region, name, body)];
    if let Some(policy) = &role.policy {
        let body = Body::default()
            .set("name", Value::text("replication"))
            .set("role", Value::bare(&format!("aws_iam_role.{label}.name")))
            .set("policy", Value::document(policy, &|text| references.arn(text)));
        let import = format!("{name}:replication");
        all.push(resource("aws_iam_role_policy", &label, region, &import, body));
    }
    all
}

fn replication(
    pair: &Pair<'_>,
    way: &Way<'_>,
    live: &Replication,
    references: &References,
) -> Result<Body, Failure> {
    let versioned = |placed: &&Placed<'_>| placed.live.versioning().is_some();
    let versioning = pair.buckets.iter().filter(versioned);
    let versioning =
        versioning.map(|it| Value::bare(&format!("aws_s3_bucket_versioning.{}", label(&it.label))));
    let policy = way.role.and_then(|role| role.policy.as_ref());
    let policy = policy.map(|_| Value::bare(&format!("aws_iam_role_policy.{}", way_label(way))));
    let bucket = label(way.label);
    let mut body = Body::default()
        .set("bucket", Value::bare(&format!("aws_s3_bucket.{bucket}.id")))
        .set("role", references.arn(&live.role))
        .set("depends_on", Value::List(versioning.chain(policy).collect()));
    for rule in &live.rules {
        body = body.block("rule", &[], self::rule(rule, references)?);
    }
    Ok(resource(
        "aws_s3_bucket_replication_configuration",
        &bucket,
        way.region,
        way.bucket.as_str(),
        body,
    ))
}

fn rule(rule: &Rule, references: &References) -> Result<Body, Failure> {
    super::known(rule)?;
    let status = |is_on: bool| Value::text(&if is_on { "Enabled" } else { "Disabled" });
    let prefix = rule.prefix.as_deref().unwrap_or_default();
    let mut destination = Body::default().set("bucket", references.arn(&rule.destination));
    if let Some(key) = &rule.replica_key {
        let key = Body::default().set("replica_kms_key_id", references.arn(key));
        destination = destination.block("encryption_configuration", &[], key);
    }
    if let Some(class) = &rule.storage_class {
        destination = destination.set("storage_class", Value::text(class));
    }
    if let Some(owner) = &rule.new_owner {
        let translation = Body::default().set("owner", Value::text("Destination"));
        destination = destination.set("account", Value::text(owner));
        destination = destination.block("access_control_translation", &[], translation);
    }
    let minutes = || Body::default().set("minutes", Value::bare(&15));
    if rule.metrics {
        let mut metrics = Body::default().set("status", status(true));
        if rule.time_control {
            metrics = metrics.block("event_threshold", &[], minutes());
        }
        destination = destination.block("metrics", &[], metrics);
    }
    if rule.time_control {
        let time = Body::default().set("status", status(true)).block("time", &[], minutes());
        destination = destination.block("replication_time", &[], time);
    }
    let filter = if rule.tags.is_empty() {
        Body::default().set("prefix", Value::text(prefix))
    } else {
        let mut and = Body::default();
        if !prefix.is_empty() {
            and = and.set("prefix", Value::text(prefix));
        }
        Body::default().block("and", &[], and.set("tags", tags(&rule.tags)))
    };
    let mut body = Body::default()
        .set("id", Value::text(&rule.id))
        .set("priority", Value::bare(&rule.priority))
        .set("status", status(rule.enabled))
        .block("filter", &[], filter)
        .block(
            "delete_marker_replication",
            &[],
            Body::default().set("status", status(rule.delete_markers)),
        );
    if rule.kms_objects || rule.replica_modifications {
        let objects = Body::default().set("status", status(rule.kms_objects));
        let mut criteria = Body::default().block("sse_kms_encrypted_objects", &[], objects);
        if rule.replica_modifications {
            let on = Body::default().set("status", status(true));
            criteria = criteria.block("replica_modifications", &[], on);
        }
        body = body.block("source_selection_criteria", &[], criteria);
    }
    Ok(body.block("destination", &[], destination))
}
