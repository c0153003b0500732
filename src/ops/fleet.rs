//! The pairs of an account, found by their tags, and the removal of those that have expired.
//! Not for: the reads themselves (see `observe`), or their text (see `report::fleet`).

use super::{Destroyed, Input, PlannedRemoval, RunContext, Session, destroy};
use crate::events::Event;
use crate::failure::{Failure, Kind};
use crate::names::{AccountId, Region};
use crate::observe::{self, Scope};
use crate::plan::expiry::{self, Expiry};
use crate::plan::fleet::{Pair, State, pairs};
use crate::plan::{self, Removal};
use crate::world::{Thing, Unread};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// The pairs of an account.
#[derive(Debug)]
pub struct Fleet {
    /// The account.
    pub account: AccountId,
    /// The Regions that were read.
    pub regions: BTreeSet<Region>,
    /// The pairs.
    pub pairs: Vec<Pair>,
    /// What could not be read, and resources whose tags name no pair.
    pub unread: Vec<Unread>,
    /// The time by which pairs have expired or not.
    pub now: Timestamp,
    /// The Regions that were asked for; empty for all.
    asked: BTreeSet<Region>,
}

/// Reads the account as far as `scope` says, and puts its pairs together.
///
/// # Errors
///
/// The account can't be read at all, or the run is to end.
pub async fn fleet(context: &RunContext, scope: Scope) -> Result<Fleet, Failure> {
    let report = |read, known| context.events.say(&Event::Search { read, known });
    let search = Box::pin(observe::fleet(&context.aws, &scope, &report));
    let found = context.unless_ending(search).await?;
    let (mut pairs, strays) = pairs(found.things);
    // Following one pair to its other Regions also finds pairs outside the requested Regions.
    pairs.retain(|pair| scope.only.is_empty() || pair.regions().any(|it| scope.only.contains(it)));
    let mut unread = found.unread;
    unread.extend(strays.iter().map(stray));
    let (account, regions, now) = (found.account, found.regions, Timestamp::now());
    Ok(Fleet { account, regions, pairs, unread, now, asked: scope.only })
}

impl Fleet {
    /// Returns the failure of an incomplete search: a requested Region can't be read, or no Region
    /// was requested and the list of buckets, which names the Regions, can't be read.
    pub fn failure(&self) -> Option<Failure> {
        let matters = |it: &&Unread| match &it.region {
            Some(region) => it.count == 0 && self.asked.contains(region),
            None => it.operation == "s3:ListBuckets" && self.asked.is_empty(),
        };
        let unread = self.unread.iter().find(matters)?;
        let hint = "give the Regions that can be read with `--regions`";
        Some(unread.cause.clone().hint(hint))
    }

    /// Returns the pairs of this account that have expired and whose names begin with `prefix`.
    pub fn expired(&self, prefix: &str) -> Vec<&Pair> {
        let is_meant = |pair: &&Pair| {
            let begins = pair.name.as_str().starts_with(prefix);
            begins && pair.account == self.account && pair.state(self.now) == State::Expired
        };
        self.pairs.iter().filter(is_meant).collect()
    }
}

/// Reports a resource whose tags name no pair, so that its owner is unknown.
fn stray(thing: &Thing) -> Unread {
    let message = "its tags `crrctl:pair` and `crrctl:id` name no pair".to_owned();
    Unread {
        region: thing.region.clone(),
        operation: "tags",
        code: "no-pair".to_owned(),
        cause: Failure::new(Kind::Unexpected, "no-pair", message.clone()),
        message,
        count: 1,
        names: vec![thing.arn.to_string()],
    }
}

/// What came of the removal of one expired pair.
#[derive(Debug)]
pub enum Swept {
    /// The removal ran.
    Ran(Destroyed),
    /// The pair was given more time in the meantime.
    Spared,
    /// The removal could not begin.
    Failed(Failure),
}

/// Removes what remains of an expired pair. Re-reads the pair first: a pair that was given more time in the meantime
/// stays.
pub async fn sweep(context: &RunContext, pair: &Pair) -> Swept {
    if context.stop.is_ending() {
        return Swept::Failed(context.stop.failure());
    }
    match remains(context, pair).await {
        Ok(Some((session, planned))) => Swept::Ran(destroy(&session, planned).await),
        Ok(None) => Swept::Spared,
        Err(failure) => Swept::Failed(failure),
    }
}

async fn remains(
    context: &RunContext,
    pair: &Pair,
) -> Result<Option<(Session, PlannedRemoval)>, Failure> {
    let (manifest, topology) = pair.remains()?;
    let world = context
        .unless_ending(Box::pin(observe::remains(&context.aws, &topology, &context.events)))
        .await?;
    if !Expiry::of(expiry::tags_of_ours(&topology, &world)).is_over(Timestamp::now()) {
        return Ok(None);
    }
    let wish = Removal::default();
    let (plan, kept) = plan::removal(&topology, &world, wish)?;
    let session = Session::part(context, Input::with_own_templates(manifest));
    Ok(Some((session, PlannedRemoval { topology, world, plan, kept, wish })))
}
