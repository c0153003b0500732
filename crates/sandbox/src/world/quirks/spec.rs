//! The syntax of `--quirk`: `NAME[=SECONDS]`. Not for: the names and their meanings (see `table`).

use super::Quirk;
use std::str::FromStr;
use std::time::Duration;

/// A quirk to switch on, in the syntax of `--quirk`: `NAME[=SECONDS]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuirkSpec {
    quirk: Quirk,
    lasts: Duration,
}

impl QuirkSpec {
    /// Returns the quirk.
    pub fn quirk(self) -> Quirk {
        self.quirk
    }

    /// Returns how long the quirk lasts after a change; zero for a quirk without a time.
    pub fn lasts(self) -> Duration {
        self.lasts
    }

    /// Returns the same quirk with another time. A quirk without a time stays without.
    #[must_use]
    pub fn lasting(self, time: Duration) -> Self {
        let lasts = if self.quirk.lasts().is_some() { time } else { Duration::ZERO };
        Self { lasts, ..self }
    }
}

/// A quirk with its default time.
impl From<Quirk> for QuirkSpec {
    fn from(quirk: Quirk) -> Self {
        Self { quirk, lasts: quirk.lasts().unwrap_or_default() }
    }
}

impl FromStr for QuirkSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, seconds) = match text.split_once('=') {
            Some((name, seconds)) => (name, Some(seconds)),
            None => (text, None),
        };
        let quirk = Quirk::ALL.iter().copied().find(|quirk| quirk.name() == name);
        let quirk = quirk.ok_or_else(|| {
            let names: Vec<&str> = Quirk::ALL.iter().map(|quirk| quirk.name()).collect();
            format!("`{name}` is not a quirk; the quirks are {}", names.join(", "))
        })?;
        let Some(seconds) = seconds else { return Ok(quirk.into()) };
        if quirk.lasts().is_none() {
            return Err(format!("the quirk `{name}` has no time: write `{name}`"));
        }
        let time = seconds.parse::<u32>().ok().filter(|seconds| *seconds > 0);
        let time = time.ok_or_else(|| {
            format!("`{seconds}` is not a number of seconds from 1 on, as in `{name}=30`")
        })?;
        Ok(Self { quirk, lasts: Duration::from_secs(time.into()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quirk_has_a_name_and_may_have_seconds() {
        for quirk in Quirk::ALL.iter().copied() {
            let (name, usual) = (quirk.name(), quirk.lasts());
            assert_eq!(name.parse(), Ok(QuirkSpec::from(quirk)));
            let timed = format!("{name}=7").parse::<QuirkSpec>();
            match usual {
                Some(usual) => {
                    assert!(usual > Duration::ZERO, "{name}");
                    assert_eq!(timed.map(QuirkSpec::lasts), Ok(Duration::from_secs(7)));
                }
                None => assert!(timed.unwrap_err().contains("has no time"), "{name}"),
            }
        }
        let refused = "nothing".parse::<QuirkSpec>().unwrap_err();
        assert!(Quirk::ALL.iter().all(|quirk| refused.contains(quirk.name())), "{refused}");
        for wrong in ["stale-head=", "stale-head=0", "stale-head=1s", "stale-head=-1"] {
            assert!(wrong.parse::<QuirkSpec>().unwrap_err().contains("seconds"), "{wrong}");
        }
    }
}
