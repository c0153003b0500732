//! Writes a draft as the text of a manifest.
//! Not for: the content of the draft (see `keys` and `rules`).

use super::alerts::AlarmTopics;
use super::keys::Kind;
use super::{Draft, Roles};
use crate::manifest::Login;
use crate::names::{Arn, Region};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Lines of YAML. Names are always quoted, since YAML reads `no` and `1e3` as other types.
#[derive(Default)]
struct Lines(String);

impl Lines {
    /// Writes one line.
    fn line(&mut self, text: &str) {
        // Writing to a string can't fail.
        let _ = writeln!(self.0, "{text}");
    }

    /// Writes `key` with a value that needs no quotes, if there is one.
    fn plain<T: std::fmt::Display>(&mut self, indent: &str, key: &str, value: Option<T>) {
        if let Some(value) = value {
            self.line(&format!("{indent}{key}: {value}"));
        }
    }

    fn quoted(&mut self, indent: &str, key: &str, value: Option<&str>) {
        self.plain(indent, key, value.map(|text| Value::from(text).to_string()));
    }

    fn flag(&mut self, indent: &str, key: &str, is_on: bool) {
        self.plain(indent, key, is_on.then_some(true));
    }
}

impl Draft {
    /// Writes the manifest, with its notes as comments.
    pub fn text(&self) -> String {
        let mut lines = Lines::default();
        lines.line("# yaml-language-server: $schema=crrctl.schema.json");
        lines.line(&format!(
            "# What is live of `{}`, written by `crrctl import`. `crrctl plan` says what `apply` would change.",
            self.source.bucket
        ));
        if !self.notes.is_empty() {
            lines.line("#\n# What this manifest does not say, or says otherwise than it is:");
        }
        for note in &self.notes {
            // A line break would end the comment.
            lines.line(&format!("# - {}", note.replace(['\n', '\r'], " ")));
        }
        lines.quoted("\n", "name", Some(self.name.as_str()));
        lines.line("source:");
        lines.plain("  ", "region", Some(&self.source.region));
        lines.quoted("  ", "bucket", Some(&self.source.bucket));
        lines.flag("  ", "adopt", self.source.adopt);
        self.destinations(&mut lines);
        self.key(&mut lines);
        self.buckets(&mut lines);
        self.role(&mut lines);
        let modifies =
            (self.replica_modifications != self.two_way).then_some(self.replica_modifications);
        if self.two_way || modifies.is_some() || self.alerts.is_some() || self.alarm.is_some() {
            lines.line("replication:");
            lines.flag("  ", "two_way", self.two_way);
            lines.plain("  ", "replica_modifications", modifies);
            if let Some(target) = &self.alerts {
                lines.line("  alerts:");
                let service = target.split(':').nth(2).unwrap_or_default();
                lines.quoted("    ", service, Some(target));
            }
            if let Some(AlarmTopics { topic, .. }) = &self.alarm {
                lines.line("  alarm:");
                lines.quoted("    ", "sns", Some(topic));
            }
        }
        if self.strict {
            lines.line("policy:\n  profile: strict");
        }
        lines.0
    }

    /// Returns the keys that the manifest gives by Region: the source's, and of each other Region
    /// that of its first destination.
    fn arns(&self) -> BTreeMap<Region, String> {
        let Kind::Existing(source) = &self.keys.kind else { return BTreeMap::new() };
        let mut arns = BTreeMap::new();
        for entry in &self.entries {
            if let Some(key) = &entry.key {
                arns.entry(entry.place.region.clone()).or_insert_with(|| key.clone());
            }
        }
        arns.extend(source.clone().map(|arn| (self.source.region.clone(), arn)));
        arns
    }

    fn destinations(&self, lines: &mut Lines) {
        let arns = self.arns();
        lines.line("destinations:");
        for entry in &self.entries {
            lines.plain("  - ", "region", Some(&entry.place.region));
            let indent = "    ";
            lines.quoted(indent, "bucket", Some(&entry.place.bucket));
            lines.flag(indent, "adopt", entry.place.adopt);
            if let Some(Login { profile, assume_role }) = &entry.login {
                lines.quoted(indent, "profile", profile.as_deref());
                lines.quoted(indent, "assume_role", assume_role.as_ref().map(Arn::as_str));
            }
            lines.quoted(indent, "rule_id", entry.rule_id.as_deref());
            lines.plain(indent, "priority", entry.priority);
            let prefix = Some(entry.prefix.as_str()).filter(|it| !it.is_empty());
            lines.quoted(indent, "prefix", prefix);
            if !entry.tags.is_empty() {
                let tags: Map<String, Value> =
                    entry.tags.iter().map(|(k, v)| (k.clone(), Value::from(v.clone()))).collect();
                lines.plain(indent, "tags", Some(Value::Object(tags)));
            }
            lines.quoted(indent, "storage_class", entry.storage_class.as_deref());
            lines.flag(indent, "delete_markers", entry.delete_markers);
            lines.flag(indent, "metrics", entry.metrics);
            lines.flag(indent, "time_control", entry.time_control);
            lines.flag(indent, "owner_override", entry.owner_override);
            let beside = entry.place.region == self.source.region;
            let is_given = arns.get(&entry.place.region) == entry.key.as_ref();
            lines.quoted(indent, "key", entry.key.as_deref().filter(|_| beside || !is_given));
            let topic = self.alarm.as_ref().and_then(|it| it.back.get(&entry.place.region));
            if entry.back_role.is_some() || entry.back_id.is_some() || topic.is_some() {
                lines.line("    back:");
                if let Some(topic) = topic {
                    lines.line("      alarm:");
                    lines.quoted("        ", "sns", Some(topic));
                }
                lines.quoted("      ", "role", entry.back_role.as_deref());
                lines.quoted("      ", "rule_id", entry.back_id.as_deref());
            }
        }
    }

    fn key(&self, lines: &mut Lines) {
        lines.line("key:");
        match &self.keys.kind {
            Kind::None => lines.line("  kind: none"),
            Kind::Existing(_) => {
                lines.line("  kind: existing");
                lines.line("  arns:");
                for (region, arn) in &self.arns() {
                    lines.quoted("    ", region.as_str(), Some(arn));
                }
            }
            Kind::OwnSettings {
                multi_region,
                alias,
                rotation_days,
                administrators,
                usable_by_accounts,
            } => {
                lines.plain(
                    "  ",
                    "kind",
                    Some(if *multi_region { "multi-region" } else { "per-region" }),
                );
                lines.quoted("  ", "alias", alias.as_deref());
                match rotation_days {
                    Some(days) => lines.plain("  ", "rotation_days", Some(days)),
                    None => lines.plain("  ", "rotation_days", Some(false)),
                }
                let lists = [
                    ("administrators", administrators),
                    ("usable_by_accounts", usable_by_accounts),
                ];
                for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
                    lines.plain("  ", name, Some(Value::from(list.clone())));
                }
            }
        }
        lines.plain("  ", "algorithm", self.keys.dsse.then_some("\"aws:kms:dsse\""));
    }

    fn buckets(&self, lines: &mut Lines) {
        let settings = &self.settings;
        lines.line("buckets:");
        if !matches!(self.keys.kind, Kind::None) && !self.keys.dsse {
            lines.plain("  ", "bucket_key", Some(self.keys.bucket_key));
        }
        lines.plain("  ", "tls_only", Some(settings.tls_only));
        lines.flag("  ", "deny_other_keys", settings.deny_other_keys);
        let namespace = settings.account_regional.then_some("account-regional");
        lines.plain("  ", "namespace", namespace);
        for key in &settings.documents {
            lines.line(&format!("  {key}"));
        }
        if settings.noncurrent_days.is_some() || settings.incomplete_upload_days.is_some() {
            lines.line("  lifecycle:");
            lines.plain("    ", "noncurrent_days", settings.noncurrent_days);
            lines.plain("    ", "incomplete_upload_days", settings.incomplete_upload_days);
        }
    }

    fn role(&self, lines: &mut Lines) {
        match &self.roles {
            Roles::Given(arn) => {
                lines.line("role:");
                lines.quoted("  ", "arn", Some(arn));
            }
            Roles::OwnSettings { name: None, path: None, boundary: None } => {}
            Roles::OwnSettings { name, path, boundary } => {
                lines.line("role:");
                lines.quoted("  ", "name", name.as_deref());
                lines.quoted("  ", "path", path.as_deref());
                lines.quoted("  ", "permissions_boundary", boundary.as_deref());
            }
        }
    }
}
