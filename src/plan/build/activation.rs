//! Decides how rules go live: at once, or only after they are proven on probes. FAILED is final for
//! an object that a rule selects before its role or key can serve it.
//! Not for: which rules exist (see `rules`).

use super::{Builder, in_the_way};
use crate::failure::Failure;
use crate::manifest::Activation;
use crate::plan::rules;
use crate::world::{Replication, Rule};

impl Builder<'_> {
    /// Returns whether changed rules must be proven on probes before they apply to other objects.
    /// Fails if they can't be: a configuration has one role, so a new role can't be tried while
    /// live rules use the old one.
    pub(super) fn proven_first(
        &self,
        live: Option<&Replication>,
        role_differs: bool,
    ) -> Result<bool, Failure> {
        let source = &self.topology.source;
        let bucket = self.world.buckets.get(&source.bucket);
        let foreign = bucket.and_then(|bucket| bucket.objects.as_ref()).map(|it| &it.foreign);
        let wanted = match self.topology.wanted.activation {
            Activation::Direct => false,
            Activation::ProvenFirst => true,
            Activation::Auto => bucket.is_some_and(|bucket| {
                let is_new =
                    bucket.is_cut_off_creation() && !self.topology.wanted.adopts(&source.bucket);
                let is_ours = is_new || self.is_ours(&bucket.tags);
                !is_ours || foreign.is_some_and(|foreign| !foreign.is_empty())
            }),
        };
        let is_live = |rule: &Rule| {
            rules::is_ours(self.topology, &rule.id)
                && rule.enabled
                && !rules::is_proof(&rule.id)
                && !rules::is_narrow(self.topology, rule)
        };
        let lives = live.is_some_and(|live| live.rules.iter().any(is_live));
        if !(wanted && role_differs && lives) {
            return Ok(wanted);
        }
        let message = format!(
            "live rules of `{}` have the role {}, and another can't be proven before they have it: a configuration has one role",
            source.bucket,
            live.map(|live| live.role.as_str()).unwrap_or_default()
        );
        Err(in_the_way("activation-unproven", message, &source.region)
            .hint("keep that role by `role.name`")
            .hint("to give them the other role at once, and risk objects that end FAILED: `replication.activation: direct`"))
    }
}
