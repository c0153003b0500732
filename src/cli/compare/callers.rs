//! The clients that a replay calls the sandbox with: one for each account of the recording.
//! Not for: which requests are made (see `replay`).

use crate::aws::{Answered, Aws, Connection, Credentials, QuotaFactor};
use crate::compare::Run;
use crate::names::{AccountId, Region};
use crate::recording::{Exchange, Members, Said, Service, encode, wire};
use crrctl_sandbox::{self as sandbox, Sandbox};
use serde_json::Value;
use std::collections::BTreeMap;

/// The clients of each account, for one sandbox.
pub(super) struct Callers {
    endpoint: String,
    pub(super) accounts: BTreeMap<u32, String>,
    clients: BTreeMap<String, Aws>,
    /// What the sandbox encrypted last: the recording has its length alone.
    ciphertext: Option<String>,
}

impl Callers {
    /// Finds whose credentials the run's were, as far as it says.
    pub(super) fn of(run: &Run, sandbox: &Sandbox) -> Self {
        let mut accounts = BTreeMap::new();
        let is_account = |text: &&str| AccountId::new(*text).is_ok();
        for exchange in run.exchanges.iter().map(|it| &it.exchange) {
            let account = exchange.answer.get("Account").and_then(Value::as_str).filter(is_account);
            if let (Service::Sts, Some(account)) = (exchange.service, account) {
                accounts.entry(exchange.caller).or_insert_with(|| account.to_owned());
            }
        }
        for exchange in run.exchanges.iter().map(|it| &it.exchange) {
            let owner = exchange.request.get("ExpectedBucketOwner").and_then(Value::as_str);
            if let Some(owner) = owner.filter(is_account) {
                accounts.entry(exchange.caller).or_insert_with(|| owner.to_owned());
            }
        }
        Self { endpoint: sandbox.endpoint(), accounts, clients: BTreeMap::new(), ciphertext: None }
    }

    /// Returns the clients of the same accounts for a copy of the sandbox.
    pub(super) fn of_copy(&self, copy: &Sandbox) -> Self {
        let (endpoint, accounts) = (copy.endpoint(), self.accounts.clone());
        let ciphertext = self.ciphertext.clone();
        Self { endpoint, accounts, clients: BTreeMap::new(), ciphertext }
    }

    /// Makes the request of `exchange` with these members, and returns what the sandbox says, or why
    /// the request can't be made.
    pub(super) async fn ask(
        &mut self,
        exchange: &Exchange,
        members: &Members,
    ) -> Result<Said, String> {
        let (service, operation) = (exchange.service, exchange.operation.as_str());
        let account = self.accounts.get(&exchange.caller);
        let account = account.map_or(sandbox::DEFAULT_ACCOUNT, String::as_str).to_owned();
        self.send(&account, &exchange.region, service, operation, members).await
    }

    /// Makes a request with the credentials of `account`.
    pub(super) async fn send(
        &mut self,
        account: &str,
        region: &str,
        service: Service,
        operation: &str,
        members: &Members,
    ) -> Result<Said, String> {
        let region = Region::new(region).map_err(|error| error.to_string())?;
        let mut members = members.clone();
        if let (Some(known), Some(blob)) = (&self.ciphertext, members.get_mut("CiphertextBlob")) {
            *blob = Value::String(known.clone());
        }
        let Some(request) = encode::written(service, operation, &members) else {
            return Err(format!("`{}:{operation}` can't be replayed", service.name()));
        };
        if !self.clients.contains_key(account) {
            let connection = Connection {
                usual: Credentials::of_stand_in(account, sandbox::SECRET),
                endpoint_url: Some(self.endpoint.clone()),
                quota_factor: QuotaFactor::Unlimited,
                ..Connection::default()
            };
            self.clients.insert(account.to_owned(), Aws::new(&region, connection).await);
        }
        let Some(aws) = self.clients.get(account) else { return Ok(Said::default()) };
        let answered = aws.replayed(&region, service, request).await;
        let Answered { status, headers, body } = answered.map_err(|why| {
            let name = service.name();
            if why.starts_with("ConstructionFailure") {
                format!("`{name}:{operation}` has a member that no HTTP request can hold")
            } else {
                format!("the sandbox does not answer `{name}:{operation}`: {why}")
            }
        })?;
        let sealed = serde_json::from_slice::<Value>(&body).ok();
        let sealed = sealed.and_then(|it| Some(it.get("CiphertextBlob")?.as_str()?.to_owned()));
        self.ciphertext = sealed.or(self.ciphertext.take());
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let message = wire::Message { uri: "", headers, body: Some(&body) };
        Ok(wire::answer(service, operation, status, &message))
    }
}
