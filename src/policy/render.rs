//! Renders documents: the template's text, the topology's values, parsed at once.
//! Not for: whether AWS would accept or what a document allows.

use super::Templates;
use crate::failure::{Failure, Kind};
use crate::manifest::{Manifest, Side, Topology};
use crate::names::{AccountId, KeyId, Partition, Region};
use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Value, json};

/// One policy document of a pair.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Document {
    /// Who may assume the replication role.
    ReplicationRoleTrust,
    /// What the replication role may do.
    ReplicationRole,
    /// The policy of the key in a Region.
    Key(Region),
    /// The source bucket's policy.
    SourceBucket,
    /// The policy of the destination bucket in a Region.
    DestinationBucket(Region),
}

impl Document {
    /// Returns every document of `topology`.
    pub fn all(topology: &Topology) -> impl Iterator<Item = Self> {
        let keys = topology.sides().map(|side| Self::Key(side.region.clone()));
        let buckets =
            topology.destinations.iter().map(|side| Self::DestinationBucket(side.region.clone()));
        [Self::ReplicationRoleTrust, Self::ReplicationRole, Self::SourceBucket]
            .into_iter()
            .chain(keys)
            .chain(buckets)
    }

    /// Returns the name that users give it, such as `key.us-east-1`.
    pub fn name(&self) -> String {
        match self {
            Self::ReplicationRoleTrust => "replication-role-trust".to_owned(),
            Self::ReplicationRole => "replication-role".to_owned(),
            Self::Key(region) => format!("key.{region}"),
            Self::SourceBucket => "source-bucket".to_owned(),
            Self::DestinationBucket(region) => format!("destination-bucket.{region}"),
        }
    }

    fn template(&self) -> &'static str {
        match self {
            Self::ReplicationRoleTrust => "replication-role-trust.json.j2",
            Self::ReplicationRole => "replication-role.json.j2",
            Self::Key(_) => "key.json.j2",
            Self::SourceBucket => "source-bucket.json.j2",
            Self::DestinationBucket(_) => "destination-bucket.json.j2",
        }
    }

    /// Returns the policy document of the bucket of `side`.
    pub fn of_bucket(side: &Side, topology: &Topology) -> Self {
        if side == &topology.source {
            Self::SourceBucket
        } else {
            Self::DestinationBucket(side.region.clone())
        }
    }
}

/// Why a document can't be rendered. Each message names the template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A file can't be read.
    #[error("can't read `{0}`: {1}")]
    Unreadable(String, String),
    /// A file is named like a template and is none.
    #[error("`{0}` is not the name of a template; known are `{1}`")]
    UnknownTemplate(String, String),
    /// The template itself fails: syntax, an unknown variable.
    #[error("{0}:{1}: {2}")]
    Template(String, usize, String),
    /// What the template rendered is not a policy document.
    #[error("{0}: {1} does not render to a policy document: {2}")]
    NotADocument(String, String, String),
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Self {
        let hint =
            "`policies/README.md` says what each template is for and which variables it gets";
        Self::new(Kind::Manifest, "template-invalid", error.to_string()).hint(hint)
    }
}

/// Renders every document of `manifest` with an account and a key of the right shape, so that a bad template is found before
/// anything is called.
pub fn try_all(manifest: &Manifest, templates: &Templates) -> Result<(), Failure> {
    let account = AccountId::new("000000000000")?;
    let key = KeyId::new("mrk-00000000000000000000000000000000")?;
    let topology = manifest.topology(&account)?;
    for document in Document::all(&topology) {
        render(&document, &topology, &key, templates)?;
    }
    Ok(())
}

/// Renders `document` for `topology` and its `key`, and parses it.
pub fn render(
    document: &Document,
    topology: &Topology,
    key: &KeyId,
    templates: &Templates,
) -> Result<Value, RenderError> {
    let (path, text) = templates.get(document.template());
    let failed = |error: &minijinja::Error| {
        let detail = error
            .detail()
            .map_or_else(|| error.kind().to_string(), |it| format!("{}: {it}", error.kind()));
        RenderError::Template(path.to_owned(), error.line().unwrap_or(1), detail)
    };
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.add_filter("tojson", minijinja::filters::tojson);
    environment.add_template(path, text).map_err(|error| failed(&error))?;
    let template = environment.get_template(path).map_err(|error| failed(&error))?;
    let rendered =
        template.render(variables(document, topology, key)).map_err(|error| failed(&error))?;
    let not_a_document =
        |why: String| RenderError::NotADocument(path.to_owned(), document.name(), why);
    let parsed: Value =
        serde_json::from_str(&rendered).map_err(|error| not_a_document(error.to_string()))?;
    match parsed.get("Statement") {
        Some(Value::Array(_) | Value::Object(_)) => Ok(parsed),
        _ => Err(not_a_document("it is no JSON object with a `Statement`".to_owned())),
    }
}

fn variables(document: &Document, topology: &Topology, key: &KeyId) -> minijinja::Value {
    let partition = topology.partition();
    let side = |side: &Side| {
        let bucket_arn = side.bucket.arn(partition);
        json!({
            "region": side.region,
            "bucket": side.bucket,
            "objects_arn": format!("{bucket_arn}/{}*", literal(&topology.replication.prefix)),
            "bucket_arn": bucket_arn,
            "key_arn": topology.key_arn(key, &side.region),
            "via_services": via_services(&side.region),
        })
    };
    let mut variables = json!({
        "pair": topology.name,
        "account": topology.account,
        "partition": partition,
        "role_arn": topology.role_arn(),
        "source": side(&topology.source),
        "destinations": topology.destinations.iter().map(side).collect::<Vec<_>>(),
        "delete_markers": topology.replication.delete_markers,
        "bucket_key": topology.bucket_key,
        "tls_only": topology.tls_only,
        "administrators": topology.key.administrators,
        "usable_by_accounts": topology.key.usable_by_accounts,
    });
    let bucket_in = |region: &Region| topology.sides().find(|side| &side.region == region);
    match document {
        Document::Key(region) => {
            variables["region"] = json!(region);
            variables["primary"] = json!(region == &topology.source.region);
        }
        Document::SourceBucket => {
            variables["bucket_arn"] = json!(topology.source.bucket.arn(partition));
        }
        Document::DestinationBucket(region) => {
            variables["bucket_arn"] =
                json!(bucket_in(region).map(|side| side.bucket.arn(partition)));
        }
        Document::ReplicationRole | Document::ReplicationRoleTrust => {}
    }
    minijinja::Value::from(minijinja::value::Serde(variables))
}

/// Escapes what a policy would read as a wildcard or variable
/// (IAM User Guide, "IAM policy elements: Variables and tags", special characters).
fn literal(text: &str) -> String {
    text.replace('$', "${$}").replace('*', "${*}").replace('?', "${?}")
}

/// Returns the values that `kms:ViaService` may have for S3 in `region`. The form outside `aws` and `aws-us-gov` is not
/// documented, so both are allowed there.
fn via_services(region: &Region) -> Vec<String> {
    let partition = region.partition();
    let usual = format!("s3.{region}.amazonaws.com");
    match partition {
        Partition::Aws | Partition::AwsUsGov => vec![usual],
        other => vec![format!("s3.{region}.{}", other.dns_suffix()), usual],
    }
}
