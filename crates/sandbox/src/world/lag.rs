//! How long things take to be true everywhere: nothing at all, or about as long as on AWS. Drawn from a seed, so that a run can be
//! had again. Not for: what is not true yet (see the services).

use std::ops::Deref;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

/// Whether the sandbox takes its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lag {
    /// Everything is true at once.
    #[default]
    None,
    /// Things spread as on AWS, by the sandbox's own clock.
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

/// What takes time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Slow {
    /// A new role until it can be assumed (IAM User Guide, "Changes that I make are not always immediately visible").
    Role,
    /// A new replica key until it is no longer `Creating`: seconds by the KMS Developer Guide, minutes at worst in the field
    /// (hashicorp/terraform-provider-aws#49915).
    ReplicaKey,
    /// A new key, alias or tag until lists show it (KMS Developer Guide, "Eventual consistency").
    List,
    /// A bucket's settings until they hold for uploads; for versioning S3 recommends waiting for 15 minutes
    /// (S3 API Reference, `PutBucketVersioning`).
    Setting,
    /// A replication configuration, new or deleted, until S3 goes by it (S3 API Reference, `DeleteBucketReplication`).
    Rule,
    /// A batch job until it goes on to its next status, which S3 gives no time for.
    Batch,
    /// A changed inline policy until it counts (IAM User Guide, as above).
    Policy,
    /// A write to a bucket's settings until it is answered.
    Write,
    /// One object until it is replicated; most take less than 15 minutes (S3 User Guide, "Troubleshooting replication").
    Replication,
}

impl Slow {
    /// Returns the shortest and the longest, in milliseconds. Within the bounds of the sources these are our own choice.
    fn bounds(self) -> (u64, u64) {
        match self {
            Self::Role => (4_000, 15_000),
            Self::ReplicaKey => (3_000, 60_000),
            Self::List => (500, 5_000),
            Self::Setting => (500, 10_000),
            Self::Rule => (1_000, 20_000),
            Self::Batch => (2_000, 30_000),
            Self::Policy => (1_000, 10_000),
            Self::Write => (10, 80),
            Self::Replication => (2_000, 60_000),
        }
    }
}

/// Draws how long things take.
#[derive(Debug, Clone)]
pub(crate) struct Delays {
    lag: Lag,
    /// How many times faster than on AWS.
    hurry: u32,
    random: fastrand::Rng,
}

impl Default for Delays {
    fn default() -> Self {
        Self::new(Lag::None, 1, None)
    }
}

impl Delays {
    /// Draws from `seed`, or from one of its own.
    pub(crate) fn new(lag: Lag, hurry: u32, seed: Option<u64>) -> Self {
        Self {
            lag,
            hurry: hurry.max(1),
            random: seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed),
        }
    }

    /// Returns one of two sides of a coin; always the same where nothing takes time.
    pub(crate) fn toss(&mut self) -> bool {
        self.lag == Lag::Aws && self.random.bool()
    }

    /// Returns how long it takes this time.
    pub(crate) fn draw(&mut self, what: Slow) -> Duration {
        let (least, most) = what.bounds();
        match self.lag {
            Lag::None => Duration::ZERO,
            Lag::Aws => Duration::from_millis(self.random.u64(least..=most)) / self.hurry,
        }
    }
}

/// A value that readers see at once and that takes effect later.
#[derive(Debug, Clone)]
pub(crate) struct Spreading<T> {
    value: T,
    /// What was in effect before, and until when.
    before: Option<(T, SystemTime)>,
}

impl<T> Spreading<T> {
    /// A value in effect.
    pub(crate) fn new(value: T) -> Self {
        Self { value, before: None }
    }

    /// Sets another value, which takes effect at `from`.
    pub(crate) fn set(&mut self, value: T, now: SystemTime, from: SystemTime) {
        let last = std::mem::replace(&mut self.value, value);
        let before = match self.before.take() {
            // What was not yet in effect never will be.
            Some((before, until)) if now < until => before,
            _ => last,
        };
        self.before = (now < from).then_some((before, from));
    }

    /// Returns the value that is in effect.
    pub(crate) fn at(&self, now: SystemTime) -> &T {
        match &self.before {
            Some((before, until)) if now < *until => before,
            _ => &self.value,
        }
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
