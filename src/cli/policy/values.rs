//! The account and the key that documents name: given, read from AWS, or placeholders that are marked as such.

use crate::cli::Global;
use crate::cli::output::{self, Printer};
use crate::cli::session::{connect, start_sandbox};
use crate::failure::{Failure, Kind};
use crate::manifest::{Manifest, PairKeys};
use crate::names::{AccountId, KeyId};
use crate::{observe, policy};

#[derive(Debug, clap::Args)]
pub(super) struct ValuesArgs {
    /// The account that the documents are for; with `--key-id` no credentials are needed
    #[arg(long, value_name = "ID")]
    account: Option<AccountId>,
    /// The pair's multi-Region key
    #[arg(long, value_name = "mrk-…")]
    key_id: Option<KeyId>,
}

/// What documents name.
pub(super) struct Values {
    pub(super) account: AccountId,
    pub(super) keys: PairKeys,
}

impl Values {
    /// Takes what was given; what was not is read from AWS, if that can be asked, else a placeholder stands for it. Says so.
    pub(super) async fn find(
        global: &Global,
        args: &ValuesArgs,
        manifest: &Manifest,
        printer: &Printer,
    ) -> Result<Self, Failure> {
        let mut account = args.account.clone();
        let mut keys = args.key_id.clone().map(PairKeys::multi_region).unwrap_or_default();
        let mut why = "the pair's alias names no key yet".to_owned();
        if account.is_none() || !manifest.topology(&policy::some_account()?)?.knows_keys(&keys) {
            match live(global, manifest).await {
                Ok((live_account, live_keys)) => {
                    // A key of another account would not be the one that is asked about.
                    let is_same = account.as_ref().is_none_or(|given| given == &live_account);
                    if is_same && args.key_id.is_none() {
                        keys = live_keys;
                    }
                    account.get_or_insert(live_account);
                }
                Err(failure) => why = failure.message,
            }
        }
        let known = account.is_some();
        let account = account.map_or_else(policy::some_account, Ok)?;
        let topology = manifest.topology(&account)?;
        let missing: Vec<&str> = [("account", !known), ("key", !topology.knows_keys(&keys))]
            .into_iter()
            .filter_map(|(what, is_missing)| is_missing.then_some(what))
            .collect();
        printer.put("placeholders", !missing.is_empty());
        if !missing.is_empty() {
            let what = missing.join(" and ");
            output::say(&format!(
                "placeholders stand for the {what} ({why}); give `--account` and `--key-id`"
            ));
        }
        let keys = topology.or_some_keys(&keys);
        printer.put("account", &account);
        printer.put("key_id", keys.id(&topology.source.region));
        Ok(Self { account, keys })
    }
}

/// Asks the stand-in or AWS.
async fn live(global: &Global, manifest: &Manifest) -> Result<(AccountId, PairKeys), Failure> {
    let sandbox = if global.sandbox { Some(start_sandbox().await?) } else { None };
    let aws = connect(global, manifest.source_region(), sandbox.as_ref()).await;
    match observe::names(&aws, manifest).await {
        Err(failure) if failure.kind == Kind::Credentials => {
            Err(Failure { message: "there are no usable credentials".to_owned(), ..failure })
        }
        other => other,
    }
}
