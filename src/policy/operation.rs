//! The command lines, each with the parts of the operator's permissions that it needs.
//! Not for: the documents of the parts (see `document`).

use super::Part;

/// What a command line does, as far as its permissions depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the command line that `as_str` returns")]
pub enum Operation {
    Plan,
    Import,
    Export,
    Check,
    Status,
    Apply,
    Probe,
    Watch,
    Backfill,
    Destroy,
    DestroyPurgingData,
    DestroyBypassingGovernance,
    List,
    Gc,
    ApplyRevivingKeys,
    ApplyPruning,
    Wait,
    Smoke,
    CheckWithBatch,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 19] = [
        Self::Plan,
        Self::Import,
        Self::Export,
        Self::Check,
        Self::Status,
        Self::Apply,
        Self::Probe,
        Self::Watch,
        Self::Backfill,
        Self::Destroy,
        Self::DestroyPurgingData,
        Self::DestroyBypassingGovernance,
        Self::List,
        Self::Gc,
        Self::ApplyRevivingKeys,
        Self::ApplyPruning,
        Self::Wait,
        Self::Smoke,
        Self::CheckWithBatch,
    ];

    /// Returns the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Import => "import",
            Self::Export => "export",
            Self::Check => "check",
            Self::Status => "status",
            Self::Apply => "apply",
            Self::Probe => "probe",
            Self::Watch => "watch",
            Self::Backfill => "backfill",
            Self::Destroy => "destroy",
            Self::DestroyPurgingData => "destroy --purge-data",
            Self::DestroyBypassingGovernance => "destroy --bypass-governance",
            Self::List => "list",
            Self::Gc => "gc",
            Self::ApplyRevivingKeys => "apply --revive-keys",
            Self::ApplyPruning => "apply --prune",
            Self::Wait => "wait",
            Self::Smoke => "smoke",
            Self::CheckWithBatch => "check --with-batch",
        }
    }

    /// Returns the parts that it needs.
    pub fn parts(self) -> &'static [Part] {
        match self {
            Self::Plan | Self::Import | Self::Export => &[Part::Plan],
            Self::Status | Self::Wait => &[Part::Plan, Part::Objects],
            Self::Check => &[Part::Plan, Part::Check, Part::Objects],
            Self::CheckWithBatch => {
                &[Part::Plan, Part::Check, Part::Objects, Part::Backfill, Part::Ask]
            }
            Self::Smoke => &[Part::Plan, Part::Apply, Part::Probe, Part::Destroy],
            Self::Apply => &[Part::Plan, Part::Apply, Part::Probe],
            Self::Probe | Self::Watch => &[Part::Plan, Part::Probe],
            Self::Backfill => &[Part::Plan, Part::Backfill],
            // Whether S3 has forgotten a rule of a bucket that stays, fresh objects show.
            Self::Destroy => &[Part::Plan, Part::Probe, Part::Destroy],
            Self::DestroyPurgingData => &[Part::Plan, Part::Probe, Part::Destroy, Part::Purge],
            Self::DestroyBypassingGovernance => {
                &[Part::Plan, Part::Probe, Part::Destroy, Part::Purge, Part::Bypass]
            }
            Self::List => &[Part::Fleet],
            Self::Gc => &[Part::Fleet, Part::Plan, Part::Probe, Part::Destroy],
            Self::ApplyRevivingKeys => &[Part::Plan, Part::Apply, Part::Probe, Part::Revive],
            Self::ApplyPruning => &[Part::Plan, Part::Apply, Part::Probe, Part::Prune],
        }
    }
}
