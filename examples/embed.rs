//! Applies, probes and destroys a pair from a program, without the command line: here in a sandbox, and on AWS with the
//! credentials and Regions of the SDK.
//! Not for: what each operation does (see `crrctl::ops`).

#![expect(clippy::print_stdout, reason = "an example tells what it does")]

use crrctl::aws::{Aws, Connection, Credentials, QuotaFactor};
use crrctl::events::{Event, Events, Sink};
use crrctl::manifest::{self, Origin};
use crrctl::ops::{self, Input, Probing, RunContext, Session};
use crrctl::plan::Removal;
use crrctl::stop::Stop;
use crrctl_sandbox::{DEFAULT_ACCOUNT, Options, SECRET, Sandbox};
use std::error::Error;
use std::sync::Arc;

const MANIFEST: &str = "\
name: orders
source: {region: us-east-1}
destinations: [{region: eu-west-1}]
";

/// Prints each step that is done.
struct Printed;

impl Sink for Printed {
    fn take(&self, event: &Event) {
        if let Event::StepDone { step, action, .. } = event {
            println!("{action} {step}");
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(Options::default()).await?;
    let connection = Connection {
        usual: Credentials::of_stand_in(DEFAULT_ACCOUNT, SECRET),
        endpoint_url: Some(sandbox.endpoint()),
        quota_factor: QuotaFactor::Unlimited,
        ..Connection::default()
    };
    let manifest = manifest::parse(MANIFEST, &Origin::Stdin, None)?;
    let aws = Arc::new(Aws::new(manifest.source_region(), connection).await);
    let context = RunContext::new(aws, Events::to(Arc::new(Printed)), Stop::default());
    let session = Session::alone(context, Input::of(manifest)?);

    let planned = ops::plan(&session).await?;
    let applied = ops::apply(&session, planned, Probing::On).await;
    if let Some(failure) = applied.failure() {
        return Err(failure.clone().into());
    }
    for probe in &applied.evidence.probes {
        println!("{} is {}", probe.source.key, probe.status.as_str());
    }

    let wish = Removal { purge_keys: true, ..Removal::default() };
    let planned = ops::removal(&session, wish, None).await?;
    let destroyed = ops::destroy(&session, planned).await;
    if let Some(failure) = destroyed.verdict() {
        return Err(failure.clone().into());
    }
    println!("left: {:?}", sandbox.leftovers());
    sandbox.stop().await;
    Ok(())
}
