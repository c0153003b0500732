//! The policy documents that a destination's account must have, for that account's administrator where its
//! credentials are not available.
//! Not for: the templates of the documents (see `policy`), or printing them (see `cli`).

use super::Session;
use crate::failure::{Failure, Kind};
use crate::manifest::{PairKeys, Side, Topology};
use crate::observe;
use crate::policy::{Document, Documents};

/// Renders the policies of every bucket, key and role in another account, whose credentials do not work. A placeholder
/// stands for an account id that only the account's credentials reveal.
///
/// # Errors
///
/// The caller's account can't be read, or a document can't be rendered.
pub async fn documents_of_others(session: &Session) -> Result<Documents, Failure> {
    let home = session.unless_ending(observe::account(&session.aws)).await?;
    let accounts = session.manifest.some_accounts(&home);
    rendered(session, &session.manifest.topology_in(&accounts)?)
}

/// Renders the documents of the sides that are handed over to another account; `None` if there are no such sides.
///
/// # Errors
///
/// A document can't be rendered.
pub fn documents_handed_over(
    session: &Session,
    topology: &Topology,
) -> Result<Option<Documents>, Failure> {
    if topology.handed_over().next().is_none() {
        return Ok(None);
    }
    rendered(session, topology).map(Some)
}

/// Returns the failure of a pair whose source side is complete and whose rules wait for the other
/// account's key; `None` for any other pair.
pub(super) fn waiting(topology: &Topology) -> Option<Failure> {
    let side = topology.waits_for_key()?;
    let account = &side.account;
    let message = format!(
        "the source's half stands, and replicates nothing yet: no rule can name the key in {} before account {account} has it",
        side.region
    );
    let failure = Failure::new(Kind::TooLate, "other-side-missing", message);
    Some(failure.in_region(&side.region).hint(format!(
        "the owner of account {account} makes `{}`, versioned and encrypted under a key of its own, with the documents printed here; then give the ARN of its key as `key` of that destination, and `crrctl apply` goes on",
        side.bucket
    )))
}

fn rendered(session: &Session, topology: &Topology) -> Result<Documents, Failure> {
    let topology = &topology.of_others();
    let keys = topology.or_some_keys(&PairKeys::default());
    let away = topology.destinations.iter().filter(|side| topology.is_foreign(side));
    let of_side = |side: &Side| {
        let bucket = Document::of_bucket(side, topology);
        let key = side.has_own_key().then(|| Document::of_key(side));
        std::iter::once(bucket).chain(key).collect::<Vec<_>>()
    };
    let back = topology.backward().filter(|back| back.source.account != topology.source.account);
    let of_role = |back: Topology| {
        let (trust, role) = (Document::of_role_trust(&back), Document::of_role(&back));
        back.role_settings.is_ours().then_some([trust, role]).into_iter().flatten()
    };
    let wanted: Vec<Document> = away.flat_map(of_side).chain(back.flat_map(of_role)).collect();
    Ok(Documents::render(wanted, topology, &keys, &session.templates)?)
}
