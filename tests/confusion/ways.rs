//! Every way to break a pair, derived from its parts: each action and condition of its live
//! policies, each key, bucket and rule. Each way lists the checks that must name it, and a word
//! that the check must contain.
//! Not for: breaking and repairing the pair (see `pair`).

use super::pair::{Direction, How, Pair, Place};
use super::{EAST, HOME, OTHER};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) struct Way {
    pub(super) what: String,
    pub(super) how: How,
    pub(super) direction: Direction,
    /// The checks of which one must be the first to fail.
    pub(super) checks: &'static [&'static str],
    /// A word that the detail or the remedy must contain.
    pub(super) word: String,
    /// The Region that the finding must have, if any.
    pub(super) region: Option<&'static str>,
}

/// Returns the ways to break `pair`; for each direction, the deletion of the role comes last.
pub(super) fn all(pair: &Pair) -> Vec<Way> {
    let mut ways = Vec::new();
    for (at, direction) in pair.directions.iter().enumerate() {
        let mut list = List { pair, direction: *direction, ways: Vec::new() };
        list.role();
        list.trust();
        list.rules();
        list.settings();
        list.keys();
        list.bucket_policies();
        list.gone();
        let sign = if at > 0 { "back: " } else { "" };
        ways.extend(
            list.ways.into_iter().map(|way| Way { what: format!("{sign}{}", way.what), ..way }),
        );
    }
    ways
}

struct List<'a> {
    pair: &'a Pair,
    direction: Direction,
    ways: Vec<Way>,
}

impl List<'_> {
    fn add(
        &mut self,
        what: impl Into<String>,
        how: How,
        checks: &'static [&'static str],
        word: &str,
    ) {
        let (what, word, direction) = (what.into(), word.to_owned(), self.direction);
        self.ways.push(Way { what, how, direction, checks, word, region: None });
    }

    /// Sets the Region that the finding for the last added way must have.
    fn at(&mut self, place: Place) {
        self.ways.last_mut().unwrap().region = Some(place.region);
    }

    fn policy(&self) -> &Value {
        &self.pair.policies[self.direction.role]
    }

    fn role(&mut self) {
        let (role, whole) = (self.direction.role, self.policy().clone());
        let checks: &[&str] = &["role.policy"];
        for (at, statement) in statements(&whole).iter().enumerate() {
            let name = name_of(at, statement);
            for action in actions(statement) {
                let what = format!("the role's {name} lacks {action}");
                let how = How::Policy(role, without(&whole, at, &action));
                self.add(what, how, checks, &action);
            }
            for (what, policy, key) in conditions(&whole, at) {
                self.add(
                    format!("the role's {name} {what}"),
                    How::Policy(role, Some(policy)),
                    checks,
                    &key,
                );
            }
        }
        let asked: BTreeSet<String> = statements(&whole).iter().flat_map(actions).collect();
        for action in &asked {
            let deny = json!({"Effect": "Deny", "Action": action, "Resource": "*"});
            let how = How::Policy(role, Some(with(&whole, deny)));
            self.add(format!("the role is denied {action}"), how, checks, action);
        }
        if self.direction.is_locked {
            for action in ["s3:PutObjectRetention", "s3:PutObjectLegalHold"] {
                let on = format!("arn:aws:s3:::{}/*", self.direction.destination.bucket);
                let deny = json!({"Effect": "Deny", "Action": action, "Resource": on});
                let how = How::Policy(role, Some(with(&whole, deny)));
                self.add(
                    format!("the role is denied {action} at the destination"),
                    how,
                    checks,
                    action,
                );
            }
        }
        self.add(
            "the role has no policy",
            How::Policy(role, None),
            checks,
            "s3:GetReplicationConfiguration",
        );
        let bound: &[&str] = &["role.boundary"];
        if asked.iter().any(|it| it.starts_with("kms:")) {
            self.add("a boundary without KMS", How::Boundary(role, "s3:*"), bound, "kms:Decrypt");
        }
        self.add(
            "a boundary without S3",
            How::Boundary(role, "kms:*"),
            bound,
            "s3:GetReplicationConfiguration",
        );
    }

    fn trust(&mut self) {
        let role = self.direction.role;
        let whole = self.pair.trusts[role].clone();
        let edit = |edit: &dyn Fn(&mut Value)| {
            let mut trust = whole.clone();
            edit(&mut trust["Statement"][0]);
            How::Trust(role, trust)
        };
        let elsewhere = json!({"StringEquals": {"aws:SourceAccount": OTHER}});
        let batch = json!({"Service": "batchoperations.s3.amazonaws.com"});
        let ways: [(&str, How); 6] = [
            ("another service is trusted", edit(&|it| it["Principal"] = batch.clone())),
            ("the account is trusted, not S3", edit(&|it| it["Principal"] = json!({"AWS": HOME}))),
            ("S3 is denied", edit(&|it| it["Effect"] = json!("Deny"))),
            (
                "the trust wants another source account",
                edit(&|it| it["Condition"] = elsewhere.clone()),
            ),
            (
                "the trust wants somebody who is no service",
                edit(&|it| {
                    it["Condition"] = json!({"Bool": {"aws:PrincipalIsAWSService": "false"}});
                }),
            ),
            ("the trust allows another action", edit(&|it| it["Action"] = json!("sts:TagSession"))),
        ];
        for (what, how) in ways {
            self.add(what, how, &["role.trust"], "sts:AssumeRole");
        }
    }

    fn rules(&mut self) {
        use aws_sdk_s3::types as t;
        let (place, checks): (_, &[&str]) = (self.direction.source, &["replication.rules"]);
        let whole = self.pair.rules[&place].clone();
        let mut rule = |what: &str, word: &str, edit: &dyn Fn(&mut t::ReplicationRule)| {
            let mut rules = whole.clone();
            edit(&mut rules.rules[0]);
            self.add(what, How::Rules(place, Some(Box::new(rules))), checks, word);
            self.at(place);
        };
        rule("the rule is off", "Disabled", &|it| it.status = t::ReplicationRuleStatus::Disabled);
        rule("the rule has another prefix", "elsewhere/", &|it| {
            it.filter = Some(t::ReplicationRuleFilter::builder().prefix("elsewhere/").build());
        });
        rule("the rule has another id", "is missing", &|it| it.id = Some("somebodys".to_owned()));
        rule("the rule replicates no delete markers", "delete markers off", &|it| {
            let off = t::DeleteMarkerReplicationStatus::Disabled;
            it.delete_marker_replication =
                Some(t::DeleteMarkerReplication::builder().status(off).build());
        });
        if let Some((key, _)) = self.pair.keys.get(&self.direction.destination).cloned() {
            let under = |key: &str| {
                let key = key.to_owned();
                move |it: &mut t::ReplicationRule| {
                    let under =
                        t::EncryptionConfiguration::builder().replica_kms_key_id(&key).build();
                    it.destination.as_mut().unwrap().encryption_configuration = Some(under);
                }
            };
            let (region, there) = (place.region, self.direction.destination.region);
            let near = key.replace(&format!(":{there}:"), &format!(":{region}:"));
            let absent = format!("{}0000", &key[..key.len() - 4]);
            let mut rule = |what: &str, key: &str| {
                let mut rules = whole.clone();
                under(key)(&mut rules.rules[0]);
                self.add(what, How::Rules(place, Some(Box::new(rules))), checks, key);
                self.at(place);
            };
            rule("the rule names a key of the source's Region", &near);
            rule("the rule names a key that does not exist", &absent);
            rule("the rule names an alias that does not exist", "alias/absent");
            let mut rules = whole.clone();
            rules.rules[0].source_selection_criteria = None;
            rules.rules[0].destination.as_mut().unwrap().encryption_configuration = None;
            let how = How::Rules(place, Some(Box::new(rules)));
            self.add(
                "the rule does not select what is under KMS",
                how,
                checks,
                "SSE-KMS objects off",
            );
            self.at(place);
        }
        let mut rules = whole.clone();
        rules.role = format!("arn:aws:iam::{HOME}:role/somebody");
        self.add(
            "the configuration has another role",
            How::Rules(place, Some(Box::new(rules))),
            &["role.exists", "replication.rules"],
            "somebody",
        );
        self.add(
            "there are no rules",
            How::Rules(place, None),
            checks,
            "no replication configuration",
        );
        self.at(place);
    }

    fn settings(&mut self) {
        let Direction { source, destination, .. } = self.direction;
        let is_source_too = self.pair.rules.contains_key(&destination);
        // Versioning can't be suspended on a bucket with replication rules or with Object Lock.
        if !is_source_too && !self.direction.is_locked {
            self.add(
                "the destination's versioning is suspended",
                How::Suspended(destination),
                &["bucket.versioning"],
                "Suspended",
            );
            self.at(destination);
        }
        if self.pair.keys.contains_key(&source) {
            let another = self.pair.another_key(source);
            self.add(
                "the source is encrypted under another key",
                How::Encryption(source, Some(another.clone())),
                &["bucket.encryption"],
                &another,
            );
            self.at(source);
            self.add(
                "the source is not encrypted under KMS",
                How::Encryption(source, None),
                &["bucket.encryption"],
                "AES256",
            );
            self.at(source);
        }
    }

    fn keys(&mut self) {
        let Direction { source, destination, .. } = self.direction;
        for (side, place) in [("source", source), ("destination", destination)] {
            let Some((_, policy)) = self.pair.keys.get(&place).cloned() else { continue };
            // In a two-way pair, each key is also a source's key, and the permissions on a source's
            // key are reported first.
            let is_source = self.pair.rules.contains_key(&place);
            self.add(
                format!("the {side}'s key is disabled"),
                How::Disabled(place),
                &["key.state"],
                "Disabled",
            );
            self.at(place);
            // A primary key waits for the deletion of its replica keys.
            self.add(
                format!("the {side}'s key is pending deletion"),
                How::Pending(place),
                &["key.state"],
                "Pending",
            );
            self.at(place);
            let asked: &[&str] = if place == source {
                &["kms:Decrypt"]
            } else {
                &["kms:Encrypt", "kms:GenerateDataKey", "kms:Decrypt"]
            };
            let used: BTreeSet<String> = statements(self.policy())
                .iter()
                .filter(|it| concerns(it, &self.pair.keys[&place].0))
                .flat_map(actions)
                .collect();
            let arn = role_arn(self.direction.role);
            for action in asked.iter().filter(|it| used.contains(**it)) {
                let deny = json!({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*", "Condition": {"ArnEquals": {"aws:PrincipalArn": arn}}});
                self.add(
                    format!("the {side}'s key denies the role {action}"),
                    How::KeyPolicy(place, with(&policy, deny)),
                    &["key.policy"],
                    action,
                );
                self.at(place);
            }
            let owner = json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{}:root", place.account)}, "Action": "kms:*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalType": "Account"}}});
            let alone = json!({"Version": "2012-10-17", "Statement": [owner]});
            self.add(
                format!("the {side}'s key names nobody but the root user"),
                How::KeyPolicy(place, alone),
                &["key.policy"],
                if is_source { "kms:Decrypt" } else { "kms:Encrypt" },
            );
            self.at(place);
            if place.account == HOME {
                continue;
            }
            // The key policy of another account grants access to the role in statements of its own.
            for (at, statement) in statements(&policy).iter().enumerate().skip(1) {
                let name = name_of(at, statement);
                for action in actions(statement)
                    .into_iter()
                    .filter(|it| asked.contains(&it.trim_end_matches('*')))
                {
                    let policy = without(&policy, at, &action).unwrap();
                    self.add(
                        format!("the {side}'s key, {name}, lacks {action}"),
                        How::KeyPolicy(place, policy),
                        &["key.policy"],
                        action.trim_end_matches('*'),
                    );
                    self.at(place);
                }
                for (what, policy, key) in conditions(&policy, at) {
                    self.add(
                        format!("the {side}'s key, {name}, {what}"),
                        How::KeyPolicy(place, policy),
                        &["key.policy"],
                        &key,
                    );
                    self.at(place);
                }
            }
        }
    }

    fn bucket_policies(&mut self) {
        let Direction { source, destination, is_locked, .. } = self.direction;
        let checks: &[&str] = &["bucket.policy"];
        let empty = json!({"Version": "2012-10-17", "Statement": []});
        let asked: Vec<Value> = statements(self.policy()).to_vec();
        for place in [source, destination] {
            let whole = self.pair.buckets[&place].clone();
            let base = whole.clone().unwrap_or_else(|| empty.clone());
            let arn = format!("arn:aws:s3:::{}", place.bucket);
            let role = role_arn(self.direction.role);
            let deny = |action: &str| {
                json!({
                    "Effect": "Deny", "Principal": "*", "Action": action,
                    "Resource": [arn, format!("{arn}/*")],
                    "Condition": {"ArnEquals": {"aws:PrincipalArn": role}},
                })
            };
            let here: BTreeSet<String> =
                asked.iter().filter(|it| concerns(it, &arn)).flat_map(actions).collect();
            for action in here {
                let how = How::BucketPolicy(place, Some(with(&base, deny(&action))));
                self.add(
                    format!("{} denies the role {action}", place.bucket),
                    how,
                    checks,
                    &action,
                );
                self.at(place);
            }
            if !self.direction.is_foreign() || place == source {
                continue;
            }
            self.add(
                format!("{} has no policy", place.bucket),
                How::BucketPolicy(place, None),
                checks,
                "s3:ReplicateObject",
            );
            self.at(place);
            for (at, statement) in
                statements(&base).iter().enumerate().filter(|(_, it)| it["Effect"] == "Allow")
            {
                let name = name_of(at, statement);
                for action in actions(statement) {
                    let how = How::BucketPolicy(place, without(&base, at, &action));
                    self.add(
                        format!("{}, {name}, lacks {action}", place.bucket),
                        how,
                        checks,
                        &action,
                    );
                    self.at(place);
                }
                for (what, policy, key) in conditions(&base, at) {
                    self.add(
                        format!("{}, {name}, {what}", place.bucket),
                        How::BucketPolicy(place, Some(policy)),
                        checks,
                        &key,
                    );
                    self.at(place);
                }
            }
        }
        if is_locked {
            let base = self.pair.buckets[&destination].clone().unwrap_or(empty);
            let on = format!("arn:aws:s3:::{}/*", destination.bucket);
            for (what, action, key) in [
                (
                    "wants longer retention of replicas",
                    "s3:ReplicateObject",
                    "s3:object-lock-remaining-retention-days",
                ),
                (
                    "wants longer retention",
                    "s3:PutObjectRetention",
                    "s3:object-lock-remaining-retention-days",
                ),
            ] {
                let deny = json!({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": on, "Condition": {"NumericLessThan": {key: "10"}}});
                let how = How::BucketPolicy(destination, Some(with(&base, deny)));
                self.add(format!("{} {what}", destination.bucket), how, checks, key);
                self.at(destination);
            }
        }
    }

    fn gone(&mut self) {
        let Direction { destination, role, is_locked, .. } = self.direction;
        // Locked object versions can't be deleted, so the bucket can't be deleted either.
        if !is_locked && destination.account == HOME && destination.region != EAST {
            self.add(
                "the destination is gone",
                How::NoBucket(destination),
                &["bucket.exists"],
                destination.bucket,
            );
            self.at(destination);
        }
        self.add("the role does not exist", How::NoRole(role), &["role.exists"], role);
    }
}

fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{HOME}:role/crrctl/{name}")
}

fn statements(policy: &Value) -> &[Value] {
    policy["Statement"].as_array().unwrap()
}

fn name_of(at: usize, statement: &Value) -> String {
    statement["Sid"].as_str().map_or(format!("Statement[{at}]"), str::to_owned)
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().map(|it| it.as_str().unwrap().to_owned()).collect(),
        one => vec![one.as_str().unwrap().to_owned()],
    }
}

fn actions(statement: &Value) -> Vec<String> {
    texts(&statement["Action"])
}

/// Returns whether a statement applies to `arn` or to objects in it.
fn concerns(statement: &Value, arn: &str) -> bool {
    let is_it = |it: &String| it == arn || it.starts_with(&format!("{arn}/"));
    texts(&statement["Resource"]).iter().any(is_it)
}

fn with(policy: &Value, statement: Value) -> Value {
    let mut policy = policy.clone();
    policy["Statement"].as_array_mut().unwrap().push(statement);
    policy
}

/// Returns `policy` without one action of its statement `at`; `None` if no statement is left.
fn without(policy: &Value, at: usize, action: &str) -> Option<Value> {
    let mut policy = policy.clone();
    let all = policy["Statement"].as_array_mut().unwrap();
    let rest: Vec<String> = actions(&all[at]).into_iter().filter(|it| it != action).collect();
    if rest.is_empty() {
        all.remove(at);
    } else {
        all[at]["Action"] = json!(rest);
    }
    (!all.is_empty()).then_some(policy)
}

/// Returns copies of `policy`, each with another value in one condition of its statement `at`.
fn conditions(policy: &Value, at: usize) -> Vec<(String, Value, String)> {
    let statement = &policy["Statement"][at];
    let Some(block) = statement["Condition"].as_object() else { return Vec::new() };
    let mut ways = Vec::new();
    for (operator, keys) in block {
        for (key, value) in keys.as_object().unwrap() {
            let other = match key.as_str() {
                "kms:EncryptionContext:aws:s3:arn" => "arn:aws:s3:::elsewhere/*",
                "kms:ViaService" => "s3.eu-central-1.amazonaws.com",
                "kms:CallerAccount" | "s3:ResourceAccount" | "aws:PrincipalAccount" => {
                    "999988887777"
                }
                "s3:x-amz-server-side-encryption-aws-kms-key-id" => {
                    "arn:aws:kms:eu-west-1:111122223333:key/mrk-00000000000000000000000000000000"
                }
                "s3:x-amz-server-side-encryption"
                    if texts(value).contains(&"AES256".to_owned()) =>
                {
                    "aws:kms"
                }
                "s3:x-amz-server-side-encryption" => "AES256",
                "aws:PrincipalArn" => "arn:aws:iam::111122223333:role/somebody",
                "aws:SecureTransport" | "kms:GrantIsForAWSResource" => continue,
                key => panic!("what else could {key} be than {value}?"),
            };
            let mut policy = policy.clone();
            policy["Statement"][at]["Condition"][operator][key] = json!(other);
            ways.push((format!("wants {key} to be {other}"), policy, key.clone()));
        }
    }
    ways
}
