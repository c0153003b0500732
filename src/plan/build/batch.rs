//! Plans the resources of batch jobs: their role and the bucket for their completion reports.
//! Not for: creating and following jobs (see `backfill`).

use super::{Builder, Found, in_the_way};
use crate::events::{Kind, StepId};
use crate::failure::Failure;
use crate::policy::{Document, meaning};
use crate::world::Role;

impl Builder<'_> {
    pub(super) fn batch_role(&mut self) -> Result<(), Failure> {
        let (topology, region) = (self.topology, &self.topology.source.region);
        let name = topology.batch_role();
        let (role_step, step) =
            (StepId::new(Kind::Role, &name), StepId::new(Kind::RolePolicy, &name));
        let (found, policy) = match &self.world.batch.role {
            None => (Found::Missing, Found::Missing),
            Some(role) if !self.is_ours(&role.tags) || role.arn != topology.batch_role_arn() => {
                let message = format!("the role {} exists and is not this pair's", role.arn);
                return Err(in_the_way("role-not-ours", message, region)
                    .hint("give the pair another `role.name`, from which the name of this one is made, or remove that role"));
            }
            Some(role) => self.batch_role_found(role)?,
        };
        let arn = Some(topology.batch_role_arn());
        self.add(Kind::Role, &role_step, region, &name, arn.clone(), found, &[]);
        self.add(Kind::RolePolicy, &step, region, &name, arn, policy, &[&role_step]);
        Ok(())
    }

    fn batch_role_found(&self, role: &Role) -> Result<(Found, Found), Failure> {
        let mut fields = Vec::new();
        if !meaning::same(&role.trust, &self.render(&Document::BatchReplicationRoleTrust)?) {
            fields.push("trust policy");
        }
        fields.extend(self.boundary_found(role));
        fields.extend(self.tags_found(&role.tags, &self.topology.all_tags()));
        let wanted = self.render(&Document::BatchReplicationRole)?;
        let policy = match &role.policy {
            None => Found::Missing,
            Some(live) if meaning::same(live, &wanted) => Found::Differs(vec![]),
            Some(_) => Found::Differs(vec!["statements"]),
        };
        Ok((Found::Differs(fields), policy))
    }

    pub(super) fn report_bucket(&mut self) -> Result<(), Failure> {
        let Some(side) = self.topology.report_side()? else { return Ok(()) };
        let live = self.world.batch.reports.as_ref().map(|(_, bucket)| bucket);
        let found = self.bucket_found(&side, live)?;
        let (name, arn) = (side.bucket.as_str(), side.bucket.arn(self.topology.partition()));
        let step = StepId::new(Kind::Bucket, name);
        let unowned = matches!(found, Found::Unowned);
        self.add(Kind::Bucket, &step, &side.region, name, Some(arn.clone()), found, &[]);
        if unowned {
            let tags = StepId::new(Kind::BucketTags, name);
            self.add(
                Kind::BucketTags,
                &tags,
                &side.region,
                name,
                Some(arn),
                Found::Unowned,
                &[&step],
            );
        }
        Ok(())
    }
}
