//! The source bucket's replication configuration: our rules, beside those of others.
//! Not for: which rules a pair wants (see `plan::rules`).

use super::{Steps, built};
use crate::aws::settle::{Look, Wait, retry, until};
use crate::aws::{At, Aws, Error};
use crate::events::Progress;
use crate::failure::Failure;
use crate::manifest::Side;
use crate::names::{Arn, BucketName, Region};
use crate::plan::{Action, rules};
use crate::world::{Replication, Rule};
use aws_sdk_s3::types::{
    DeleteMarkerReplication, DeleteMarkerReplicationStatus, Destination, EncryptionConfiguration,
    ReplicationConfiguration, ReplicationRule, ReplicationRuleFilter, ReplicationRuleStatus,
    SourceSelectionCriteria, SseKmsEncryptedObjects, SseKmsEncryptedObjectsStatus,
};
use std::time::Duration;

pub(crate) async fn find(
    aws: &Aws,
    bucket: &BucketName,
    region: &Region,
) -> Result<Option<Replication>, Error> {
    Ok(read(aws, bucket, region).await?.map(|live| described(&live)))
}

async fn read(
    aws: &Aws,
    bucket: &BucketName,
    region: &Region,
) -> Result<Option<ReplicationConfiguration>, Error> {
    let request = aws.s3(region).get_bucket_replication().bucket(bucket.as_str());
    match request.send().await.at("s3:GetBucketReplication", region) {
        Ok(output) => Ok(output.replication_configuration().cloned()),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}

fn described(live: &ReplicationConfiguration) -> Replication {
    Replication { role: live.role().to_owned(), rules: live.rules().iter().map(rule).collect() }
}

/// Reduces a rule to what a pair uses, and names what else it has.
fn rule(live: &ReplicationRule) -> Rule {
    let destination = live.destination();
    let filter = live.filter();
    let has_tags = filter.is_some_and(|filter| filter.tag().is_some() || filter.and().is_some());
    let criteria = live.source_selection_criteria();
    let kms = criteria
        .and_then(SourceSelectionCriteria::sse_kms_encrypted_objects)
        .map(SseKmsEncryptedObjects::status);
    let metrics =
        destination.and_then(Destination::metrics).map(|metrics| metrics.status().as_str());
    let time =
        destination.and_then(Destination::replication_time).map(|time| time.status().as_str());
    let modifications =
        criteria.and_then(|it| it.replica_modifications()).map(|it| it.status().as_str());
    let others = [
        ("tag filter", has_tags),
        ("storage class", destination.is_some_and(|it| it.storage_class().is_some())),
        ("account", destination.is_some_and(|it| it.account().is_some())),
        ("owner override", destination.is_some_and(|it| it.access_control_translation().is_some())),
        ("metrics", metrics == Some("Enabled")),
        ("time control", time == Some("Enabled")),
        ("replica modifications", modifications == Some("Enabled")),
    ];
    Rule {
        id: live.id().unwrap_or_default().to_owned(),
        priority: live.priority().unwrap_or_default(),
        enabled: live.status() == &ReplicationRuleStatus::Enabled,
        // An empty filter means all objects, as does an empty prefix.
        prefix: filter
            .filter(|_| !has_tags)
            .map(|filter| filter.prefix().unwrap_or_default().to_owned()),
        delete_markers: live.delete_marker_replication().and_then(DeleteMarkerReplication::status)
            == Some(&DeleteMarkerReplicationStatus::Enabled),
        destination: destination.map(|it| it.bucket().to_owned()).unwrap_or_default(),
        replica_key: destination
            .and_then(Destination::encryption_configuration)
            .and_then(|it| it.replica_kms_key_id())
            .map(str::to_owned),
        kms_objects: kms == Some(&SseKmsEncryptedObjectsStatus::Enabled),
        others: others.iter().filter(|(_, has)| *has).map(|(name, _)| (*name).to_owned()).collect(),
    }
}

/// Writes a rule as S3 takes it: schema V2, so Filter, Priority and `DeleteMarkerReplication` are always there
/// (S3 API Reference, `ReplicationRule`).
fn sdk_rule(rule: &Rule) -> Result<ReplicationRule, Failure> {
    let key =
        EncryptionConfiguration::builder().set_replica_kms_key_id(rule.replica_key.clone()).build();
    let destination =
        Destination::builder().bucket(&rule.destination).encryption_configuration(key);
    let kms = if rule.kms_objects {
        SseKmsEncryptedObjectsStatus::Enabled
    } else {
        SseKmsEncryptedObjectsStatus::Disabled
    };
    let kms = built(SseKmsEncryptedObjects::builder().status(kms).build())?;
    let markers = if rule.delete_markers {
        DeleteMarkerReplicationStatus::Enabled
    } else {
        DeleteMarkerReplicationStatus::Disabled
    };
    let status =
        if rule.enabled { ReplicationRuleStatus::Enabled } else { ReplicationRuleStatus::Disabled };
    built(
        ReplicationRule::builder()
            .id(&rule.id)
            .priority(rule.priority)
            .status(status)
            .filter(
                ReplicationRuleFilter::builder()
                    .prefix(rule.prefix.as_deref().unwrap_or_default())
                    .build(),
            )
            .delete_marker_replication(DeleteMarkerReplication::builder().status(markers).build())
            .source_selection_criteria(
                SourceSelectionCriteria::builder().sse_kms_encrypted_objects(kms).build(),
            )
            .destination(built(destination.build())?)
            .build(),
    )
}

/// Says that a proof that fails harms nobody.
fn unproven(failure: Failure) -> Failure {
    failure
        .hint("the rules cover probes alone as yet: no object of yours met what is not proven")
        .hint("`crrctl apply` again goes on with the proof")
}

impl Steps {
    /// Writes the rules as they are wanted; those that are to be proven first cover the place of the probes alone before.
    pub(super) async fn apply_replication(
        &self,
        action: &Action,
        progress: &Progress,
    ) -> Result<Arn, Failure> {
        let side = self.side(&action.name)?;
        let key = self.committed_key()?;
        if let Some(prover) = &self.prover {
            let narrow = |live: Option<&Replication>| {
                let wanted = rules::wanted(&self.topology, key, live);
                rules::proving(&self.topology, &wanted, live)
            };
            let written = self.write_rules(side, narrow, |_| false, progress).await?;
            if !written.is_empty() {
                progress.note("the rules cover probes alone until they are proven");
                prover.prove(key, progress).await.map_err(unproven)?;
                progress.note("proven: the rules go live");
            }
        }
        let wanted = |live: Option<&Replication>| rules::wanted(&self.topology, key, live);
        self.write_rules(side, wanted, rules::is_proof, progress).await?;
        self.activated_at.get_or_init(jiff::Timestamp::now);
        Ok(self.bucket_arn(&side.bucket))
    }

    /// Puts `ours` in place, of which each takes the place of what has its id; other rules stay as they are, but for those of
    /// ours that `goes` names. The configuration is shared, so it is read again before it is written over.
    async fn write_rules(
        &self,
        side: &Side,
        ours: impl Fn(Option<&Replication>) -> Vec<Rule>,
        goes: impl Fn(&str) -> bool,
        progress: &Progress,
    ) -> Result<Vec<Rule>, Failure> {
        let live = read(&self.aws, &side.bucket, &side.region).await?;
        let ours = ours(live.as_ref().map(described).as_ref());
        if ours.is_empty() {
            return Ok(ours);
        }
        let goes = |id: &str| rules::region_of(&self.topology, id).is_some() && goes(id);
        let is_replaced = |id: &str| goes(id) || ours.iter().any(|rule| rule.id == id);
        let others = live
            .iter()
            .flat_map(ReplicationConfiguration::rules)
            .filter(|rule| !is_replaced(rule.id().unwrap_or_default()))
            .cloned();
        let rules =
            others.map(Ok).chain(ours.iter().map(sdk_rule)).collect::<Result<Vec<_>, Failure>>()?;
        let role = self.topology.role_arn();
        self.put_rules(side.bucket.as_str(), &side.region, role.as_str(), rules, progress).await?;
        self.confirm(&side.bucket, &side.region, progress, |live| {
            live.is_some_and(|live| {
                ours.iter().all(|rule| live.rules.contains(rule))
                    && !live.rules.iter().any(|rule| goes(&rule.id))
            })
        })
        .await?;
        Ok(ours)
    }

    async fn put_rules(
        &self,
        bucket: &str,
        region: &Region,
        role: &str,
        rules: Vec<ReplicationRule>,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let configuration =
            built(ReplicationConfiguration::builder().role(role).set_rules(Some(rules)).build())?;
        let put = self
            .aws
            .s3(region)
            .put_bucket_replication()
            .bucket(bucket)
            .replication_configuration(configuration);
        retry(&self.stop, progress, || async {
            put.clone().send().await.at("s3:PutBucketReplication", region)
        })
        .await?;
        Ok(())
    }

    /// A read soon after a write "can return a wrong result" (S3 API Reference, `GetBucketReplication`).
    async fn confirm(
        &self,
        bucket: &BucketName,
        region: &Region,
        progress: &Progress,
        is_right: impl Fn(Option<&Replication>) -> bool,
    ) -> Result<(), Failure> {
        let wait = Wait {
            what: format!(
                "the replication configuration of `{bucket}` to read back as it was written"
            ),
            every: Duration::from_millis(200),
            at_most_every: Duration::from_secs(5),
            at_most: Duration::from_mins(2),
            in_a_row: 1,
            hint: "somebody else may be changing it: run `crrctl plan` to see what differs"
                .to_owned(),
        };
        let look = || async {
            let live = find(&self.aws, bucket, region).await?;
            Ok(if is_right(live.as_ref()) {
                Look::There(())
            } else {
                Look::NotYet("it differs".to_owned())
            })
        };
        until(&self.stop, progress, &wait, look).await
    }

    /// Takes our rules away, by id; the configuration goes when no rule is left.
    pub(super) async fn remove_replication(&self, progress: &Progress) -> Result<(), Failure> {
        let (bucket, region) = (&self.topology.source.bucket, &self.topology.source.region);
        let Some(live) = read(&self.aws, bucket, region).await? else { return Ok(()) };
        let is_ours = |rule: &ReplicationRule| {
            rules::region_of(&self.topology, rule.id().unwrap_or_default()).is_some()
        };
        let others: Vec<ReplicationRule> =
            live.rules().iter().filter(|rule| !is_ours(rule)).cloned().collect();
        if others.is_empty() {
            let delete = self.aws.s3(region).delete_bucket_replication().bucket(bucket.as_str());
            retry(&self.stop, progress, || async {
                delete.clone().send().await.at("s3:DeleteBucketReplication", region)
            })
            .await?;
        } else {
            self.put_rules(bucket.as_str(), region, live.role(), others, progress).await?;
        }
        let topology = &self.topology;
        self.confirm(bucket, region, progress, |live| {
            live.is_none_or(|live| {
                live.rules.iter().all(|rule| rules::region_of(topology, &rule.id).is_none())
            })
        })
        .await
    }
}
