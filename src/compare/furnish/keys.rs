//! The keys that a run did not make, with their aliases, policies, tags and rotation.
//! Not for: buckets and roles (see `furnish`).

use super::{Furnished, Scene, items, text};
use crate::recording::{Exchange, Members};
use serde_json::{Value, json};

impl Scene {
    pub(super) fn kms(&mut self, exchange: &Exchange) {
        let (request, answer) = (&exchange.request, &exchange.answer);
        if !exchange.succeeded() {
            return;
        }
        let metadata = |name: &str| answer.get(name).and_then(Value::as_object);
        match exchange.operation.as_str() {
            "CreateKey" | "ReplicateKey" => {
                for name in ["KeyMetadata", "ReplicaKeyMetadata"] {
                    let arn = metadata(name).map(|it| text(it, "Arn").to_owned());
                    let arn = arn.unwrap_or_default();
                    self.is_new("key", &arn);
                    self.is_new("key state", &arn);
                }
            }
            "CreateAlias" | "UpdateAlias" => {
                self.is_new(
                    "alias",
                    &format!("{} {}", exchange.region, text(request, "AliasName")),
                );
            }
            "DescribeKey" => {
                if let Some(metadata) = metadata("KeyMetadata") {
                    self.key(exchange, metadata);
                }
            }
            "ListKeys" => {
                let arns: Vec<String> =
                    items(answer, "Keys").map(|it| text(it, "KeyArn").to_owned()).collect();
                for arn in arns {
                    if self.is_new("key", &arn) {
                        self.made.push(Furnished::Key(arn));
                    }
                }
            }
            "ListAliases" => {
                for alias in items(answer, "Aliases") {
                    self.alias(exchange, text(alias, "AliasName"), text(alias, "TargetKeyId"));
                }
            }
            "GetKeyPolicy" => self.of_key(
                exchange,
                "PutKeyPolicy",
                json!({"Policy": answer.get("Policy"), "PolicyName": "default"}),
            ),
            "ListResourceTags" => {
                let tags = items(answer, "Tags").next().map(|_| answer.get("Tags").cloned());
                if let Some(tags) = tags {
                    self.of_key(exchange, "TagResource", json!({"Tags": tags}));
                }
            }
            "GetKeyRotationStatus"
                if answer.get("KeyRotationEnabled") == Some(&Value::Bool(true)) =>
            {
                let days = answer.get("RotationPeriodInDays").cloned();
                self.of_key(exchange, "EnableKeyRotation", json!({"RotationPeriodInDays": days}));
            }
            operation => {
                let put = operation
                    .replace("Untag", "Tag")
                    .replace("DisableKeyRotation", "EnableKeyRotation");
                self.is_new(&put, &format!("{} {}", exchange.region, text(request, "KeyId")));
            }
        }
    }

    fn of_key(&mut self, exchange: &Exchange, operation: &'static str, members: Value) {
        let key = text(&exchange.request, "KeyId").to_owned();
        if self.is_new(operation, &format!("{} {key}", exchange.region)) {
            let mut members = members;
            members["KeyId"] = json!(key);
            self.call(exchange, operation, members);
        }
    }

    fn alias(&mut self, exchange: &Exchange, name: &str, key: &str) {
        let is_own = !name.starts_with("alias/aws/") && !key.is_empty();
        if is_own && self.is_new("alias", &format!("{} {name}", exchange.region)) {
            self.call(exchange, "CreateAlias", json!({"AliasName": name, "TargetKeyId": key}));
        }
    }

    fn key(&mut self, exchange: &Exchange, metadata: &Members) {
        let arn = text(metadata, "Arn").to_owned();
        if text(metadata, "KeyManager") == "AWS" {
            return;
        }
        let family = metadata.get("MultiRegionConfiguration");
        let of = |it: &Value| it["Arn"].as_str().unwrap_or_default().to_owned();
        let primary = family.map(|it| of(&it["PrimaryKey"]));
        self.primaries.extend(primary.clone());
        let replicas = family.and_then(|it| it["ReplicaKeys"].as_array()).into_iter().flatten();
        let arns: Vec<String> =
            primary.into_iter().chain([arn.clone()]).chain(replicas.map(of)).collect();
        for other in arns {
            let is_it = other == arn;
            if self.is_new("key", &other) {
                self.made.push(Furnished::Key(other));
            }
            if is_it && self.is_new("key state", &arn) {
                self.state(exchange, metadata);
            }
        }
        let named = text(&exchange.request, "KeyId");
        let alias = named.rsplit_once(":alias/").map(|(_, name)| format!("alias/{name}"));
        let alias = alias.unwrap_or_else(|| named.to_owned());
        if alias.starts_with("alias/") {
            self.alias(exchange, &alias, text(metadata, "KeyId"));
        }
    }

    fn state(&mut self, exchange: &Exchange, metadata: &Members) {
        let key = text(metadata, "KeyId");
        let description = text(metadata, "Description");
        if !description.is_empty() {
            let members = json!({"KeyId": key, "Description": description});
            self.call(exchange, "UpdateKeyDescription", members);
        }
        match text(metadata, "KeyState") {
            "PendingDeletion" | "PendingReplicaDeletion" => {
                let days = metadata.get("PendingDeletionWindowInDays").cloned();
                let members = json!({"KeyId": key, "PendingWindowInDays": days});
                self.call(exchange, "ScheduleKeyDeletion", members);
            }
            "Disabled" => self.call(exchange, "DisableKey", json!({"KeyId": key})),
            _ => {}
        }
    }
}
