//! The replication configuration: what is to be done about it, and whether a rule may go live.

use super::{Builder, Found, in_the_way};
use crate::events::{Kind, StepId, Verb};
use crate::failure::Failure;
use crate::manifest::{Activation, Side};
use crate::plan::{Action, rules};

impl Builder<'_> {
    pub(super) fn replication(&mut self) -> Result<(), Failure> {
        let (topology, source) = (self.topology, &self.topology.source);
        let live =
            self.world.buckets.get(&source.bucket).and_then(|bucket| bucket.replication.as_ref());
        let found = match live {
            None => Found::Missing,
            Some(live) => {
                let strangers = rules::foreign(topology, live).count();
                let role_differs = live.role != topology.role_arn().as_str();
                if strangers > 0 && role_differs {
                    let message = format!(
                        "the replication configuration of `{}` has {strangers} rules of others and their role {}",
                        source.bucket, live.role
                    );
                    return Err(in_the_way("replication-not-ours", message, &source.region)
                        .hint("a configuration has one role for all its rules: move those rules, or use another source bucket"));
                }
                let mut fields = if role_differs { vec!["role"] } else { vec![] };
                if !self.rules_stand(live) {
                    fields.push("rules");
                }
                Found::Differs(fields)
            }
        };
        if !matches!(&found, Found::Differs(fields) if fields.is_empty()) {
            self.may_go_live()?;
        }
        let versioning = |side: &Side| StepId::new(Kind::Versioning, side.bucket.as_str());
        let mut needs: Vec<StepId> = topology.sides().map(versioning).collect();
        needs.push(StepId::new(Kind::RolePolicy, topology.role.as_str()));
        let step = StepId::new(Kind::Replication, source.bucket.as_str());
        let arn = Some(source.bucket.arn(topology.partition()));
        let needs: Vec<&StepId> = needs.iter().collect();
        self.add(
            Kind::Replication,
            &step,
            &source.region,
            source.bucket.as_str(),
            arn,
            found,
            &needs,
        );
        self.orphaned_rules();
        Ok(())
    }

    /// A rule that is not proven must not meet objects that others write: FAILED is final for a version.
    fn may_go_live(&self) -> Result<(), Failure> {
        let source = &self.topology.source;
        let objects =
            self.world.buckets.get(&source.bucket).and_then(|bucket| bucket.objects.as_ref());
        let Some(foreign) = objects.and_then(|objects| objects.foreign.first()) else {
            return Ok(());
        };
        if self.topology.replication.activation == Activation::Direct {
            return Ok(());
        }
        let message = format!(
            "others write to `{}` (such as `{foreign}`), and its rule is not proven yet; this version of crrctl can't prove a rule \
             before it goes live",
            source.bucket
        );
        Err(in_the_way("activation-unproven", message, &source.region)
            .hint("to let it go live at once, and risk objects that end FAILED: `replication.activation: direct`"))
    }

    fn rules_stand(&self, live: &crate::world::Replication) -> bool {
        let Some(key) = &self.world.keys.primary else { return false };
        let wanted = rules::wanted(self.topology, &key.id, Some(live));
        wanted.iter().all(|rule| live.rules.contains(rule))
    }

    /// Buckets that only our live rules name: left as they are, and said.
    fn orphaned_rules(&mut self) {
        for (name, bucket) in &self.world.buckets {
            if self.topology.sides().any(|side| &side.bucket == name) {
                continue;
            }
            let Some(region) = &bucket.region else { continue };
            self.plan.actions.push(Action {
                id: StepId::new(Kind::Bucket, name.as_str()),
                kind: Kind::Bucket,
                region: region.clone(),
                name: name.to_string(),
                arn: Some(name.arn(self.topology.partition())),
                verb: Verb::Orphan,
                reason: "a live rule of this pair names it, the manifest does not: left as it is"
                    .to_owned(),
                fields: Vec::new(),
                needs: Vec::new(),
            });
        }
    }
}
