//! Plans the resources of batch jobs: their role and the bucket for their completion reports.
//! Not for: creating and following jobs (see `backfill`).

use super::{Builder, in_the_way};
use crate::events::{Kind, StepId};
use crate::failure::Failure;
use crate::plan::Work;
use crate::plan::work::{Adoption, BucketTagsWork, BucketWork};
use crate::policy::Document;

impl Builder<'_> {
    pub(super) fn batch_role(&mut self) -> Result<(), Failure> {
        let (topology, region) = (self.topology, &self.topology.source.region);
        let name = topology.batch_role();
        let live = self.world.batch.role.as_ref();
        if let Some(role) = live
            && (!self.is_ours(&role.tags) || role.arn != topology.batch_role_arn())
        {
            let message = format!("the role {} exists and is not this pair's", role.arn);
            return Err(in_the_way("role-not-ours", message, region)
                .hint("give the pair another `role.name`, from which the name of this one is made, or remove that role"));
        }
        let role = self.role_work(live, &Document::BatchReplicationRoleTrust)?;
        let wanted = self.render(&Document::BatchReplicationRole)?;
        let live = live.and_then(|role| role.policy.as_ref());
        let policy = Self::role_policy_work(live, &wanted, true);
        let arn = Some(topology.batch_role_arn());
        self.add(Work::Role(role), &name, region, &name, arn.clone(), &[]);
        let needs = [&StepId::new(Kind::Role, &name)];
        self.add(Work::RolePolicy(policy), &name, region, &name, arn, &needs);
        Ok(())
    }

    pub(super) fn report_bucket(&mut self) -> Result<(), Failure> {
        let Some(side) = self.topology.report_side()? else { return Ok(()) };
        let live = self.world.batch.reports.as_ref().map(|(_, bucket)| bucket);
        let work = self.bucket_work(&side, live)?;
        let (name, arn) = (side.bucket.as_str(), side.bucket.arn(self.topology.wanted.partition()));
        let is_cut_off = work == BucketWork::Adopt(Adoption::CutOffCreation);
        self.add(Work::Bucket(work), name, &side.region, name, Some(arn.clone()), &[]);
        if is_cut_off {
            let bucket = StepId::new(Kind::Bucket, name);
            let tags = BucketTagsWork::Adopt(self.topology.bucket_tags(&side.bucket));
            self.add(Work::BucketTags(tags), name, &side.region, name, Some(arn), &[&bucket]);
        }
        Ok(())
    }
}
