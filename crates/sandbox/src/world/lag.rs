//! How long changes take to propagate: no time, or about as long as on AWS. The delays are drawn
//! from a seeded generator, so that a run can be repeated. Not for: the changes themselves (see the
//! services).

use super::Quirk;
use std::ops::Deref;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

/// Whether changes take time to propagate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lag {
    /// Every change takes effect immediately.
    #[default]
    None,
    /// Changes take about as long as on AWS, measured by the sandbox's own clock.
    Aws,
}

impl FromStr for Lag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "aws" => Ok(Self::Aws),
            _ => Err(format!("`{text}` is not a lag: it is `none` or `aws`")),
        }
    }
}

/// A change or process that takes time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Slow {
    /// From the creation of a role until it can be assumed (IAM User Guide, "Changes that I make
    /// are not always immediately visible").
    Role,
    /// From the creation of a replica key until its state is no longer `Creating`: seconds
    /// according to the KMS Developer Guide, minutes in the worst observed case
    /// (hashicorp/terraform-provider-aws#49915).
    ReplicaKey,
    /// From the creation of a key, alias or tag until lists include it (KMS Developer Guide,
    /// "Eventual consistency").
    List,
    /// From the creation of an alarm until `DescribeAlarms` includes it. CloudWatch documents no
    /// duration.
    Alarm,
    /// From a change to a bucket's tags until reads show it.
    BucketTags,
    /// From a change to a bucket's default encryption until it applies to uploads.
    Setting,
    /// From a change to a bucket's versioning until it applies to uploads. S3 recommends waiting
    /// for 15 minutes (S3 API Reference, `PutBucketVersioning`).
    Versioning,
    /// From the creation or deletion of a replication configuration until S3 applies the change (S3
    /// API Reference, `DeleteBucketReplication`).
    Rule,
    /// From one status of a batch job to the next. S3 documents no duration.
    Batch,
    /// From a change to an inline policy until it takes effect (IAM User Guide, as above).
    Policy,
    /// From a write to a bucket's settings until its response.
    Write,
    /// The replication of one object. Most objects take less than 15 minutes (S3 User Guide,
    /// "Troubleshooting replication").
    Replication,
}

impl Slow {
    /// Returns the shortest and the longest delay, in milliseconds. The sources give only bounds;
    /// the values within these bounds are the sandbox's own.
    fn bounds(self) -> (u64, u64) {
        match self {
            Self::Role => (4_000, 15_000),
            Self::ReplicaKey => (3_000, 60_000),
            Self::List | Self::BucketTags | Self::Alarm => (500, 5_000),
            Self::Setting | Self::Versioning => (500, 10_000),
            Self::Rule => (1_000, 20_000),
            Self::Batch => (2_000, 30_000),
            Self::Policy => (1_000, 10_000),
            Self::Write => (10, 80),
            Self::Replication => (2_000, 60_000),
        }
    }

    /// Returns the quirk whose time replaces the delay.
    pub(super) fn quirk(self) -> Option<Quirk> {
        match self {
            Self::Role => Some(Quirk::LateRole),
            Self::ReplicaKey => Some(Quirk::SlowReplicaKey),
            Self::List => Some(Quirk::LateKeyLists),
            Self::BucketTags => Some(Quirk::LateBucketTags),
            Self::Versioning => Some(Quirk::LateVersioning),
            Self::Rule => Some(Quirk::LateRules),
            Self::Policy => Some(Quirk::LatePolicy),
            Self::Replication => Some(Quirk::SlowReplication),
            Self::Alarm | Self::Setting | Self::Batch | Self::Write => None,
        }
    }
}

impl Lag {
    /// Returns the delays of [`Lag::Aws`]: the name, the shortest and the longest of each.
    pub fn delays() -> [(&'static str, Duration, Duration); 12] {
        let all = [
            ("role", Slow::Role),
            ("replica-key", Slow::ReplicaKey),
            ("list", Slow::List),
            ("alarm", Slow::Alarm),
            ("bucket-tags", Slow::BucketTags),
            ("setting", Slow::Setting),
            ("versioning", Slow::Versioning),
            ("rules", Slow::Rule),
            ("batch", Slow::Batch),
            ("policy", Slow::Policy),
            ("write", Slow::Write),
            ("replication", Slow::Replication),
        ];
        all.map(|(name, slow)| {
            let (least, most) = slow.bounds();
            (name, Duration::from_millis(least), Duration::from_millis(most))
        })
    }
}

/// The generator of delays.
#[derive(Debug, Clone)]
pub(crate) struct Delays {
    lag: Lag,
    /// The divisor of all delays.
    hurry: u32,
    random: fastrand::Rng,
}

impl Default for Delays {
    fn default() -> Self {
        Self::new(Lag::None, 1, None)
    }
}

impl Delays {
    /// Creates a generator with `seed`, or with a random seed.
    pub(crate) fn new(lag: Lag, hurry: u32, seed: Option<u64>) -> Self {
        Self {
            lag,
            hurry: hurry.max(1),
            random: seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed),
        }
    }

    /// Returns a random boolean; always `false` with [`Lag::None`].
    pub(crate) fn toss(&mut self) -> bool {
        self.lag == Lag::Aws && self.random.bool()
    }

    /// Returns a random delay for `what`; zero with [`Lag::None`].
    pub(crate) fn draw(&mut self, what: Slow) -> Duration {
        let (least, most) = what.bounds();
        match self.lag {
            Lag::None => Duration::ZERO,
            Lag::Aws => Duration::from_millis(self.random.u64(least..=most)) / self.hurry,
        }
    }
}

/// A value that is visible immediately and takes effect later.
#[derive(Debug, Clone)]
pub(crate) struct Spreading<T> {
    value: T,
    /// The previous value in effect, and the time until which it stays in effect.
    before: Option<(T, SystemTime)>,
    /// When the value takes effect; `None` for a value that never changed.
    since: Option<SystemTime>,
}

impl<T> Spreading<T> {
    /// Creates a value that is already in effect.
    pub(crate) fn new(value: T) -> Self {
        Self { value, before: None, since: None }
    }

    /// Sets a new value, which takes effect at `from`.
    pub(crate) fn set(&mut self, value: T, now: SystemTime, from: SystemTime) {
        let last = std::mem::replace(&mut self.value, value);
        let before = match self.before.take() {
            // A value that is replaced before it takes effect never takes effect.
            Some((before, until)) if now < until => before,
            _ => last,
        };
        self.before = (now < from).then_some((before, from));
        self.since = Some(from);
    }

    /// Returns the value in effect at `now`.
    pub(crate) fn at(&self, now: SystemTime) -> &T {
        match &self.before {
            Some((before, until)) if now < *until => before,
            _ => &self.value,
        }
    }

    /// Returns when the value takes effect, which may be in the past; `None` for a value that never
    /// changed.
    pub(crate) fn since(&self) -> Option<SystemTime> {
        self.since
    }
}

impl<T: Default> Default for Spreading<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Deref for Spreading<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_spreads_from_what_was_in_effect() {
        let now = SystemTime::UNIX_EPOCH;
        let at = |seconds| now + Duration::from_secs(seconds);
        let mut value = Spreading::new(1);
        value.set(2, now, at(10));
        assert_eq!((*value, *value.at(at(9)), *value.at(at(10))), (2, 1, 2));
        value.set(3, at(5), at(20));
        assert_eq!((*value, *value.at(at(15)), *value.at(at(20))), (3, 1, 3));
        value.set(4, at(30), at(30));
        assert_eq!(*value.at(at(30)), 4);
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        let draws = |lag, seed| {
            let mut delays = Delays::new(lag, 1, Some(seed));
            (0..5).map(|_| delays.draw(Slow::Replication)).collect::<Vec<_>>()
        };
        assert_eq!(draws(Lag::Aws, 7), draws(Lag::Aws, 7));
        assert_ne!(draws(Lag::Aws, 7), draws(Lag::Aws, 8));
        assert!(draws(Lag::None, 7).iter().all(Duration::is_zero));
        assert!("some".parse::<Lag>().is_err());
    }
}
