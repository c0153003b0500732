//! The expiry of a pair: combines `--ephemeral` with the dates in the resources' tags, and finds
//! out whether a pair has expired.
//! Not for: reading tags (see `observe`) or removing resources.

use crate::failure::{Failure, Kind};
use crate::manifest::Topology;
use crate::world::{Tags, World};
use jiff::{SignedDuration, Timestamp, ToSpan, Unit};
use std::time::Duration;

/// The expiry of a pair, from the tags of its resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Permanent: at least one resource has no date or an unreadable date.
    Stays,
    /// Every resource has a date. This is the latest one.
    At(Timestamp),
}

impl Expiry {
    /// Computes the expiry from the tags of all resources. A resource without a readable date makes
    /// the whole pair permanent; so does an empty list.
    pub fn of<'a>(tags: impl IntoIterator<Item = &'a Tags>) -> Self {
        let mut latest = None;
        for tags in tags {
            let date = tags.get(Topology::EXPIRES_TAG).and_then(|date| date.parse().ok());
            let Some(date) = date else { return Self::Stays };
            latest = latest.max(Some(date));
        }
        latest.map_or(Self::Stays, Self::At)
    }

    /// Returns whether the date has passed. `gc` removes resources only under this condition.
    pub fn is_over(self, now: Timestamp) -> bool {
        matches!(self, Self::At(date) if date < now)
    }

    /// Returns the date, if any.
    pub fn date(self) -> Option<Timestamp> {
        match self {
            Self::Stays => None,
            Self::At(date) => Some(date),
        }
    }
}

/// Returns the tags of every resource in `world` that belongs to this pair, except keys that are
/// pending deletion.
pub fn tags_of_ours<'a>(topology: &Topology, world: &'a World) -> Vec<&'a Tags> {
    let keys = world.keys.primary.iter().chain(world.keys.replicas.values());
    let keys = keys.chain(&world.keys.spares).filter(|key| !key.is_pending_deletion());
    let tags = keys
        .map(|key| &key.tags)
        .chain(world.buckets.values().map(|bucket| &bucket.tags))
        .chain(world.role.iter().map(|role| &role.tags))
        .chain(world.alarms.iter().map(|alarm| &alarm.tags));
    tags.filter(|tags| topology.wanted.owns(tags)).collect()
}

/// Returns the expiry date that `apply` sets: `ttl` after `now`, or `None` (permanent) without
/// `ttl`. A live date that differs from it by at most a tenth of `ttl` is kept, so that a second
/// `apply` writes nothing.
///
/// A permanent pair can't become ephemeral, because `gc` would then remove it.
pub fn expires(
    topology: &Topology,
    world: &World,
    ttl: Option<Duration>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Failure> {
    let Some(ttl) = ttl else { return Ok(None) };
    let ours = tags_of_ours(topology, world);
    let live = Expiry::of(ours.iter().copied());
    if live == Expiry::Stays && !ours.is_empty() {
        let message = format!(
            "the pair `{}` stands without a date, and `--ephemeral` would let `crrctl gc` remove it",
            topology.wanted.name
        );
        return Err(Failure::new(Kind::InTheWay, "pair-stays", message)
            .hint("leave out `--ephemeral`, or use another name for a pair that may go"));
    }
    let wanted = after(now, ttl)?;
    let slack = SignedDuration::try_from(ttl / 10).unwrap_or_default();
    let is_close = |date: &Timestamp| date.duration_until(wanted).abs() <= slack;
    Ok(Some(live.date().filter(is_close).unwrap_or(wanted)))
}

/// Returns `now` plus `ttl`, rounded up to a whole second.
fn after(now: Timestamp, ttl: Duration) -> Result<Timestamp, Failure> {
    let end = now.checked_add(ttl).and_then(|end| end.checked_add(999.milliseconds()));
    end.and_then(|end| {
        end.round(jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Trunc))
    })
    .map_err(|_| {
        Failure::new(Kind::Manifest, "usage", "the end of `--ephemeral` lies beyond all calendars")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tags(date: &str) -> Tags {
        Tags::from([(Topology::EXPIRES_TAG.to_owned(), date.to_owned())])
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn one_resource_without_a_date_keeps_all() {
        let (past, none) = (tags("2020-01-01T00:00:00Z"), Tags::new());
        assert!(Expiry::of([&past]).is_over(Timestamp::now()));
        for others in [vec![], vec![&past, &none], vec![&none], vec![&past, &tags("soon")]] {
            assert_eq!(Expiry::of(others.clone()), Expiry::Stays, "{others:?}");
            assert!(!Expiry::of(others).is_over(Timestamp::MAX));
        }
    }

    #[test]
    fn the_end_is_a_whole_second_and_never_too_early() {
        let now: Timestamp = "2026-01-01T00:00:00.25Z".parse().unwrap();
        let end = after(now, Duration::from_secs(2)).unwrap();
        assert_eq!(end.to_string(), "2026-01-01T00:00:03Z");
        assert!(after(now, Duration::MAX).is_err());
    }

    proptest! {
        #![proptest_config(crate::seeded::cases(256))]

        /// A pair is not expired while any of its dates is in the future or any resource has no
        /// date.
        #[test]
        fn what_lives_is_never_over(
            dates in proptest::collection::vec(proptest::option::of(0_i64..2000), 0..6),
            now in 0_i64..2000,
        ) {
            let all: Vec<Tags> = dates
                .iter()
                .map(|date| date.map_or_else(Tags::new, |date| tags(&at(date).to_string())))
                .collect();
            let over = Expiry::of(&all).is_over(at(now));
            let dead = !dates.is_empty() && dates.iter().all(|date| date.is_some_and(|it| it < now));
            prop_assert_eq!(over, dead);
        }
    }
}
