//! Until when a pair stands: what `apply` makes of `--ephemeral` and of the dates that its resources bear, and which pairs
//! are past their date.
//! Not for: reading tags (see `observe`) or removing anything.

use crate::failure::{Failure, Kind};
use crate::manifest::Topology;
use crate::world::{Tags, World};
use jiff::{SignedDuration, Timestamp, ToSpan, Unit};
use std::time::Duration;

/// Until when something stands, by what its resources say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// A resource bears no date, or none that can be read: it stays.
    Stays,
    /// Every resource bears a date; this is the latest.
    At(Timestamp),
}

impl Expiry {
    /// Judges things by their tags. One that bears no readable date keeps all of them, and so does there being none.
    pub fn of<'a>(tags: impl IntoIterator<Item = &'a Tags>) -> Self {
        let mut latest = None;
        for tags in tags {
            let date = tags.get(Topology::EXPIRES_TAG).and_then(|date| date.parse().ok());
            let Some(date) = date else { return Self::Stays };
            latest = latest.max(Some(date));
        }
        latest.map_or(Self::Stays, Self::At)
    }

    /// Returns whether the time is over: the one condition under which `gc` may take something away.
    pub fn is_over(self, now: Timestamp) -> bool {
        matches!(self, Self::At(date) if date < now)
    }

    /// Returns the date, if there is one.
    pub fn date(self) -> Option<Timestamp> {
        match self {
            Self::Stays => None,
            Self::At(date) => Some(date),
        }
    }
}

/// Returns the tags of everything in `world` that is this pair's and not on its way out.
pub fn tags_of_ours<'a>(topology: &Topology, world: &'a World) -> Vec<&'a Tags> {
    let keys = world.keys.primary.iter().chain(world.keys.replicas.values());
    let keys = keys.chain(&world.keys.spares).filter(|key| !key.is_pending_deletion());
    let tags = keys
        .map(|key| &key.tags)
        .chain(world.buckets.values().map(|bucket| &bucket.tags))
        .chain(world.role.iter().map(|role| &role.tags));
    tags.filter(|tags| topology.owns(tags)).collect()
}

/// Returns until when `apply` makes the pair stand: for `ttl` from `now`, or, without it, for good. A date that differs from
/// the one asked for by no more than a tenth of `ttl` is kept, so that a second `apply` writes nothing.
///
/// A pair that stays never becomes ephemeral: `gc` would take it.
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
            "the pair `{}` stands without a date, and `--ephemeral` would let `crrctl gc` take it away",
            topology.name
        );
        return Err(Failure::new(Kind::InTheWay, "pair-stays", message)
            .hint("leave out `--ephemeral`, or use another name for a pair that may go"));
    }
    let wanted = after(now, ttl)?;
    let slack = SignedDuration::try_from(ttl / 10).unwrap_or_default();
    let is_close = |date: &Timestamp| date.duration_until(wanted).abs() <= slack;
    Ok(Some(live.date().filter(is_close).unwrap_or(wanted)))
}

/// Returns the whole second that ends `ttl`.
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

        /// Nothing is over while any of its dates lies ahead, or while any resource bears none.
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
