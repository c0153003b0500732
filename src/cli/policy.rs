//! `crrctl policy`: prints the pair's policy documents, their proof, and the policies that the
//! principal that runs crrctl requires. Writes nothing to AWS.
//! Not for: the documents themselves (see `crate::policy`).

mod values;

use super::Global;
use super::objects::{OperatorObject, ProveObject, RenderObject};
use super::output::{Ended, Printer, filling};
use super::session;
use crate::bounded;
use crate::failure::{Failure, Kind};
use crate::manifest::{Manifest, Topology};
use crate::names::AccountId;
use crate::ops::Input;
use crate::policy::proof::{Organisation, prove};
use crate::policy::{self, Document, Documents, Operation, Part};
use crate::report;
use clap::Subcommand;
use crrctl_iam::{self as iam, DocumentKind, Finding};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use values::{Values, ValuesArgs};

#[derive(Debug, clap::Args)]
pub(super) struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Print the pair's policy documents
    Render {
        /// One document, such as `replication-role` or `key.us-east-1` [default: all but the operator's]
        #[arg(value_name = "DOC")]
        document: Option<String>,
        #[command(flatten)]
        values: ValuesArgs,
    },
    /// Evaluate every call that S3 will make, and those that must stay denied
    Prove {
        /// A service control policy of the organisation; give all that apply, `FullAWSAccess` included
        #[arg(long, value_name = "FILE")]
        scp: Vec<PathBuf>,
        /// A resource control policy of the organisation
        #[arg(long, value_name = "FILE")]
        rcp: Vec<PathBuf>,
        #[command(flatten)]
        values: ValuesArgs,
    },
    /// Print the least policies that the caller needs for this manifest, by command
    Operator {
        #[command(flatten)]
        values: ValuesArgs,
    },
}

impl PolicyArgs {
    pub(super) fn name(&self) -> &'static str {
        match self.command {
            PolicyCommand::Render { .. } => "policy-render",
            PolicyCommand::Prove { .. } => "policy-prove",
            PolicyCommand::Operator { .. } => "policy-operator",
        }
    }
}

pub(super) async fn run(global: &Global, args: &PolicyArgs, printer: &Printer) -> Ended {
    match &args.command {
        PolicyCommand::Render { document, values } => {
            let render = async |object: &mut RenderObject| {
                let input = session::read_one(global, global.sandbox)?;
                object.pair.set(input.manifest.name().to_string());
                let values = found(global, values, &input.manifest).await?;
                object.placeholders.set(values.are_placeholders);
                object.account.set(values.accounts.home.to_string());
                object.key_id.set(values.key_id.clone());
                render(&input, &values, document.as_deref(), printer, object)
            };
            filling(printer, render).await
        }
        PolicyCommand::Prove { scp, rcp, values } => {
            let prove = async |object: &mut ProveObject| {
                let input = session::read_one(global, global.sandbox)?;
                object.pair.set(input.manifest.name().to_string());
                let organisation = organisation(scp, rcp)?;
                let values = found(global, values, &input.manifest).await?;
                object.placeholders.set(values.are_placeholders);
                object.account.set(values.accounts.home.to_string());
                object.key_id.set(values.key_id.clone());
                proven(global, &input, &values, &organisation, printer, object)
            };
            filling(printer, prove).await
        }
        PolicyCommand::Operator { values } => {
            let operator = async |object: &mut OperatorObject| {
                let (input, smoke) =
                    session::read_with_suffixed(global, global.sandbox, SOME_SUFFIX)?;
                object.pair.set(input.manifest.name().to_string());
                let values = found(global, values, &input.manifest).await?;
                object.placeholders.set(values.are_placeholders);
                object.account.set(values.accounts.home.to_string());
                object.key_id.set(values.key_id.clone());
                let standing = async { Ok(values.standing(&input.manifest).await) };
                let standing = session::unless_ending(global, READING, standing).await?;
                operator(&input, (smoke.as_ref(), standing), &values, printer, object)
            };
            filling(printer, operator).await
        }
    }
}

/// What is read from AWS before the documents are made.
const READING: &str = "reading the accounts and the keys";

async fn found(global: &Global, args: &ValuesArgs, manifest: &Manifest) -> Result<Values, Failure> {
    session::unless_ending(global, READING, Values::find(global, args, manifest)).await
}

fn documents(
    input: &Input,
    values: &Values,
    wanted: impl Iterator<Item = Document>,
) -> Result<(Topology, Documents), Failure> {
    let topology = input.manifest.topology_in(&values.accounts)?;
    let documents = Documents::render(wanted, &topology, &values.keys, &input.templates)?;
    Ok((topology, documents))
}

fn render(
    input: &Input,
    values: &Values,
    name: Option<&str>,
    printer: &Printer,
    object: &mut RenderObject,
) -> Ended {
    let topology = input.manifest.topology_in(&values.accounts)?;
    let (_, documents) = if let Some(name) = name {
        let one = Document::all(&topology).find(|document| document.name() == name);
        let one = one.ok_or_else(|| unknown(name, &topology))?;
        documents(input, values, std::iter::once(one))?
    } else {
        documents(
            input,
            values,
            Document::written(&topology)
                .chain(Document::log_targets(&topology))
                .chain(Document::alerts(&topology))
                .chain(Document::alarms(&topology))
                .chain(Document::batch()),
        )?
    };
    object.documents.set(by_name(&documents));
    match name.and_then(|_| documents.iter().next()) {
        // A single document is printed without a heading, so that it can be piped.
        Some((_, _, value)) => printer.text(&format!("{value:#}\n")),
        None => printer.text(&texts(&documents)),
    }
    Ok(0)
}

fn unknown(name: &str, topology: &Topology) -> Failure {
    let known: Vec<String> = Document::all(topology).map(|document| document.name()).collect();
    let message = format!("there is no document `{name}`; there are `{}`", known.join("`, `"));
    Failure::new(Kind::Manifest, "usage", message)
}

fn by_name(documents: &Documents) -> Map<String, Value> {
    documents.iter().map(|(_, name, value)| (name.to_owned(), value.clone())).collect()
}

fn texts(documents: &Documents) -> String {
    let text = |(_, name, value): (_, &str, &Value)| format!("# {name}\n{value:#}\n");
    documents.iter().map(text).collect::<Vec<_>>().join("\n")
}

fn proven(
    global: &Global,
    input: &Input,
    values: &Values,
    organisation: &Organisation,
    printer: &Printer,
    object: &mut ProveObject,
) -> Ended {
    let topology = input.manifest.topology_in(&values.accounts)?;
    let (topology, documents) = documents(input, values, Document::all(&topology))?;
    let proof = prove(&topology, &values.keys, &documents, organisation);
    object.calls.set(proof.rows.clone());
    object.refused.set(proof.refused().cloned().collect());
    object.organisation_policies.set(organisation.is_known());
    printer.text(&report::proof(&proof, organisation.is_known(), global.verbose > 0));
    proof.failure().map_or(Ok(0), Err)
}

/// In place of the random letters that `smoke` adds to the pair's name, which stand for any.
const SOME_SUFFIX: &str = "zzqxzz";

/// Returns the documents of `smoke`, for a pair with any letters at the end of its name.
fn of_smoke(input: &Input, values: &Values) -> Result<Map<String, Value>, Failure> {
    let topology = input.manifest.topology_in(&values.accounts)?;
    let accounts = topology.accounts().into_iter();
    let parts = Operation::Smoke.parts();
    let wanted: Vec<Document> =
        accounts.flat_map(|account| Document::operator_in(&topology, account, parts)).collect();
    let (_, documents) = documents(input, values, wanted.into_iter())?;
    let named = |(_, name, value): (_, &str, &Value)| {
        (of_smoke_name(name), policy::widened(value, SOME_SUFFIX))
    };
    Ok(documents.iter().map(named).collect())
}

fn of_smoke_name(name: &str) -> String {
    name.replacen("operator-", "smoke-", 1)
}

fn operator(
    input: &Input,
    (smoke, standing): (Option<&Input>, Option<Topology>),
    values: &Values,
    printer: &Printer,
    object: &mut OperatorObject,
) -> Ended {
    let wanted = input.manifest.topology_in(&values.accounts)?;
    let topology = standing.as_ref().unwrap_or(&wanted);
    let documents = operator_documents(input, values, &wanted, topology)?;
    let of_smoke = smoke.map(|smoke| of_smoke(smoke, values)).transpose()?.unwrap_or_default();
    let mut all: Map<String, Value> = documents.iter().cloned().collect();
    all.extend(of_smoke.clone());
    object.documents.set(all);
    let parts = |operation: Operation| -> Vec<String> {
        let accounts = topology.accounts().into_iter();
        let parts = operation.parts();
        let all = accounts.flat_map(|account| Document::operator_in(topology, account, parts));
        let names = all.map(|document| document.name());
        match operation {
            Operation::Smoke => names.map(|name| of_smoke_name(&name)).collect(),
            _ => names.collect(),
        }
    };
    let is_possible = |it: &Operation| {
        let has_documents = *it != Operation::Smoke || smoke.is_some();
        has_documents && it.parts().iter().all(|part| part.concerns(topology))
    };
    let possible = Operation::ALL.into_iter().filter(is_possible);
    let commands: Map<String, Value> =
        possible.clone().map(|it| (it.as_str().to_owned(), Value::from(parts(it)))).collect();
    object.commands.set(commands);
    for it in possible {
        let (command, documents) = (it.as_str(), parts(it).join(", "));
        printer.text(&format!("# crrctl {command}: {documents}\n"));
    }
    if let Some((name, _)) = documents.first() {
        printer.text(&how_to_use(name, &topology.source.account));
    }
    let texts = documents.iter().map(|(name, value)| (name, value)).chain(&of_smoke);
    for (name, value) in texts {
        printer.text(&format!("\n# {name}\n{value:#}\n"));
    }
    Ok(0)
}

/// Renders the operator's documents: for the pair that the manifest names, and, of the parts that reach
/// more, for all that stands of it.
fn operator_documents(
    input: &Input,
    values: &Values,
    named: &Topology,
    standing: &Topology,
) -> Result<Vec<(String, Value)>, Failure> {
    let render = |document: Document| {
        let reaches = document.part().is_some_and(Part::reaches_unnamed);
        let topology = if reaches { standing } else { named };
        let rendered = policy::render(&document, topology, &values.keys, &input.templates)?;
        Ok((document.name(), rendered))
    };
    Document::operator(standing).map(render).collect()
}

/// Returns how the caller gets the permissions of a document. A managed policy holds more than an
/// inline one (IAM User Guide, "IAM and AWS STS quotas").
fn how_to_use(document: &str, account: &AccountId) -> String {
    format!(
        "#\n# To use a document, make a managed policy of it and attach that to the caller's role:\n\
         #   crrctl policy operator -o json | jq '.documents[\"{document}\"]' > {document}.json\n\
         #   aws iam create-policy --policy-name crrctl-{document} --policy-document file://{document}.json\n\
         #   aws iam attach-role-policy --role-name ROLE --policy-arn arn:aws:iam::{account}:policy/crrctl-{document}\n"
    )
}

/// Reads the organization's policies that the flags name.
pub(super) fn organisation(scp: &[PathBuf], rcp: &[PathBuf]) -> Result<Organisation, Failure> {
    Ok(Organisation { scps: read(scp, DocumentKind::Scp)?, rcps: read(rcp, DocumentKind::Rcp)? })
}

/// Reads policies of the organization; a file that AWS would not accept as a policy of `kind` is
/// refused.
fn read(files: &[PathBuf], kind: DocumentKind) -> Result<Vec<(String, iam::Document)>, Failure> {
    files.iter().map(|file| read_one(file, kind)).collect()
}

fn read_one(file: &Path, kind: DocumentKind) -> Result<(String, iam::Document), Failure> {
    let name = file.display().to_string();
    let refused =
        |why: &str| Failure::new(Kind::Manifest, "policy-invalid", format!("{name}: {why}"));
    let unreadable = |error: std::io::Error| refused(&format!("the file can't be read: {error}"));
    let text = bounded::text(file, 1 << 20).map_err(unreadable)?;
    let findings: Vec<String> = iam::check(kind, &text).iter().map(Finding::to_string).collect();
    if !findings.is_empty() {
        return Err(refused(&findings.join("; ")));
    }
    let document = iam::Document::parse(&text).map_err(|error| refused(&error.to_string()))?;
    Ok((name.clone(), document))
}
