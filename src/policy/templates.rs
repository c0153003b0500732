//! The templates: the compiled-in ones, and the overrides in the user's folder.
//! Not for: rendering (see `render`).

use super::RenderError;
use super::bounds::LONGEST;
use crate::bounded;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Builds the table of templates from their names.
macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../policies/", $name)))),+]
    };
}

/// Every compiled-in template with its text.
const OURS: [(&str, &str); 25] = templates![
    "alarm-key.json.j2",
    "alarm-topic.json.j2",
    "alert-key.json.j2",
    "alert-target.json.j2",
    "batch-replication-role-trust.json.j2",
    "batch-replication-role.json.j2",
    "destination-bucket.json.j2",
    "key.json.j2",
    "log-target.json.j2",
    "operator-apply.json.j2",
    "operator-ask.json.j2",
    "operator-backfill.json.j2",
    "operator-bypass.json.j2",
    "operator-check.json.j2",
    "operator-destroy.json.j2",
    "operator-fleet.json.j2",
    "operator-objects.json.j2",
    "operator-plan.json.j2",
    "operator-probe.json.j2",
    "operator-prune.json.j2",
    "operator-purge.json.j2",
    "operator-revive.json.j2",
    "replication-role-trust.json.j2",
    "replication-role.json.j2",
    "source-bucket.json.j2",
];

/// The texts that documents are rendered from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Templates {
    overrides: Arc<BTreeMap<String, (String, String)>>,
}

impl Templates {
    /// Reads the overrides in `folder`. A file that has the extension of a template but no
    /// template's name is refused, so that a misspelled name is not ignored.
    pub fn overridden_by(folder: &Path) -> Result<Self, RenderError> {
        let unreadable = |path: &Path, error: &std::io::Error| {
            RenderError::Unreadable(path.display().to_string(), error.to_string())
        };
        let mut overrides = BTreeMap::new();
        for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
            let path = entry.map_err(|error| unreadable(folder, &error))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.extension() != Some("j2".as_ref()) {
                continue;
            }
            if !OURS.iter().any(|(ours, _)| *ours == name) {
                let known = OURS.map(|(ours, _)| ours).join("`, `");
                return Err(RenderError::UnknownTemplate(path.display().to_string(), known));
            }
            let text = bounded::text(&path, LONGEST).map_err(|error| unreadable(&path, &error))?;
            overrides.insert(name, (path.display().to_string(), text));
        }
        Ok(Self { overrides: Arc::new(overrides) })
    }

    /// Returns the path of the template `name`, for messages, and its text.
    pub(super) fn get(&self, name: &str) -> (&str, &str) {
        if let Some((path, text)) = self.overrides.get(name) {
            return (path, text);
        }
        OURS.iter().find(|(ours, _)| *ours == name).map_or(("", ""), |(ours, text)| (ours, text))
    }
}
