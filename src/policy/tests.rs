//! What the documents allow, for several shapes of manifest. Each subject has a file.
//! Not for: the evaluation of policies, which `crrctl-iam` tests.

mod bad;
mod mutation;
mod properties;
mod walkthrough;

use super::proof::{Organisation, Proof, prove};
use super::{Document, Documents, Templates};
use crate::manifest::{self, KeyKind, Origin, PairKeys, Topology};
use crate::names::{AccountId, KeyId};

/// The manifests that documents are tested with: each switch in both positions, each list empty and
/// not empty.
const SHAPES: [(&str, &str); 20] = [
    (
        "one Region",
        r#"
name: twins
source: {region: us-east-1}
destinations:
  - {region: us-west-2, bucket: twins-first, prefix: "logs/", delete_markers: true}
  - {region: us-west-2, bucket: twins-second, prefix: "data/"}
  - {region: us-east-1, bucket: twins-near}
buckets: {deny_other_keys: true}
"#,
    ),
    ("plain", "name: plain\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n"),
    (
        "alarms",
        r#"
name: alarms
source: {region: us-east-1}
destinations:
  - region: us-west-2
    back: {alarm: {sns: "arn:aws:sns:us-west-2:111122223333:alerts"}}
replication: {two_way: true, alarm: {sns: "arn:aws:sns:us-east-1:111122223333:alerts"}}
"#,
    ),
    (
        "full",
        r#"
name: full
source: {region: ap-southeast-1}
destinations: [{region: ap-southeast-2}, {region: ap-southeast-3}]
key:
  administrators: ["arn:aws:iam::111122223333:role/admins/key", "arn:aws:iam::222233334444:user/ann"]
  usable_by_accounts: ["333344445555", "444455556666"]
buckets: {deny_other_keys: true}
replication: {prefix: "data/", delete_markers: true, annotations: true}
"#,
    ),
    (
        "strict",
        r#"
name: strict
source: {region: us-gov-west-1}
destinations: [{region: us-gov-east-1}]
key: {rotation_days: false}
buckets: {bucket_key: false, tls_only: false, deny_other_keys: true}
replication: {prefix: "a*b?${c}/"}
policy: {profile: strict}
"#,
    ),
    (
        "china",
        "name: china\nsource: {region: cn-north-1}\ndestinations: [{region: cn-northwest-1}]\nbuckets: {tls_only: false}\n",
    ),
    (
        "europe",
        "name: europe\nsource: {region: eusc-de-east-1}\ndestinations: [{region: eusc-de-west-1}]\nreplication: {delete_markers: true}\n",
    ),
    (
        "other account",
        r#"
name: other
source: {region: us-east-1}
destinations:
  - {region: us-west-2, profile: archive, account: "444455556666", owner_override: true, prefix: "logs/", delete_markers: true}
  - {region: us-west-2, profile: archive, account: "444455556666", prefix: "data/"}
  - {region: eu-west-1}
key: {kind: per-region}
buckets: {deny_other_keys: true}
"#,
    ),
    (
        "rules",
        r#"
name: rules
source: {region: us-east-1}
destinations:
  - {region: us-west-2, prefix: "logs/", storage_class: STANDARD_IA}
  - {region: us-west-2, prefix: "data/", delete_markers: true, time_control: true}
  - {region: eu-west-1, tags: {tier: gold, team: a}, priority: 7}
"#,
    ),
    (
        "same region",
        "name: same\nsource: {region: us-east-1}\ndestinations: [{region: us-east-1}, {region: us-west-2}]\nkey: {algorithm: \"aws:kms:dsse\"}\n",
    ),
    (
        "per region",
        "name: per\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}, {region: us-east-1}]\nkey: {kind: per-region, administrators: [\"arn:aws:iam::111122223333:role/key\"]}\n",
    ),
    (
        "existing",
        r#"
name: given
source: {region: us-east-1}
destinations: [{region: us-west-2, key: "arn:aws:kms:us-west-2:111122223333:key/11111111-2222-3333-4444-555555555555"}, {region: eu-west-1}]
key: {kind: existing, arns: ["arn:aws:kms:us-east-1:111122223333:key/66666666-2222-3333-4444-555555555555", "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"]}
buckets: {deny_other_keys: true}
"#,
    ),
    (
        "two way",
        r"
name: two-way
source: {region: us-east-1}
destinations: [{region: us-west-2, prefix: a/}, {region: eu-west-1}]
replication: {two_way: true}
",
    ),
    (
        "two way across",
        r#"
name: across
source: {region: us-east-1}
destinations:
  - {region: us-west-2, profile: archive, account: "444455556666", owner_override: true, prefix: "logs/", delete_markers: true, back: {permissions_boundary: "arn:aws:iam::444455556666:policy/there"}}
  - {region: ap-south-1, profile: third, account: "777788889999", prefix: "data/"}
  - {region: eu-west-1}
key: {kind: per-region}
buckets: {tls_only: false}
role: {permissions_boundary: "arn:aws:iam::aws:policy/boundary"}
replication: {two_way: true, metrics: true}
"#,
    ),
    (
        "handed over",
        r#"
name: over
source: {region: us-east-1}
destinations: [{region: us-west-2, account: "444455556666", prefix: "logs/"}, {region: eu-west-1}]
key: {kind: per-region}
"#,
    ),
    (
        "given role",
        "name: lent\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\nkey: {kind: none}\nrole: {arn: \"arn:aws:iam::111122223333:role/teams/theirs\"}\n",
    ),
    (
        "given ways",
        r#"
name: ways
source: {region: us-east-1, adopt: true}
destinations: [{region: us-west-2, adopt: true, rule_id: there, back: {role: "arn:aws:iam::111122223333:role/back", rule_id: back}}]
key: {kind: none}
role: {arn: "arn:aws:iam::111122223333:role/theirs"}
replication: {two_way: true}
"#,
    ),
    (
        "locked",
        r#"
name: locked
source: {region: us-east-1}
destinations: [{region: us-west-2, prefix: a/}, {region: us-west-2, prefix: b/}]
buckets: {object_lock: {mode: governance, days: 1}, lifecycle: {noncurrent_days: 30}}
role: {path: /teams/storage/, permissions_boundary: "arn:aws:iam::111122223333:policy/boundary"}
"#,
    ),
    (
        "plain text",
        "name: bare\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\nkey: {kind: none}\n",
    ),
    (
        "alerts",
        r#"
name: alerts
source: {region: us-east-1, adopt: true}
destinations: [{region: us-west-2}]
replication: {alerts: {sqs: "arn:aws:sqs:us-east-1:111122223333:failures"}}
"#,
    ),
];

/// The manifests in `examples/manifests/`, by file name.
fn examples() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/manifests");
    let read = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    let mut examples: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| read(entry.unwrap().path())).collect();
    examples.sort();
    examples
}

fn topology(text: &str) -> Topology {
    topology_in("111122223333", text)
}

fn topology_in(account: &str, text: &str) -> Topology {
    let manifest = manifest::parse(text, &Origin::Stdin, None).unwrap();
    manifest.topology(&AccountId::new(account).unwrap()).unwrap()
}

/// The keys of the pair. Keys that crrctl creates have ids of the right kind; the others are those
/// of the manifest.
fn keys(topology: &Topology) -> PairKeys {
    let id = KeyId::new("mrk-1234abcd12ab34cd56ef1234567890ab").unwrap();
    let known = PairKeys::multi_region(id);
    if topology.wanted.key.kind == KeyKind::MultiRegion { known } else { topology.other_keys() }
}

fn documents(topology: &Topology) -> Documents {
    Documents::render(Document::all(topology), topology, &keys(topology), &Templates::default())
        .unwrap()
}

fn proof(topology: &Topology, documents: &Documents) -> Proof {
    prove(topology, &keys(topology), documents, &Organisation::default())
}

#[test]
fn our_own_documents_are_proven() {
    let shapes = SHAPES.map(|(name, text)| (name.to_owned(), text.to_owned()));
    for (name, text) in shapes.into_iter().chain(examples()) {
        let topology = topology(&text);
        let proof = proof(&topology, &documents(&topology));
        let refused: Vec<_> = proof.refused().collect();
        assert!(refused.is_empty(), "{name}: {refused:#?}");
        assert!(proof.rows.len() > 200, "{name}: only {} calls", proof.rows.len());
    }
}
