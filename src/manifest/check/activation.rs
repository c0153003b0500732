//! How a rule goes live.

use super::{Checked, Located, nearest};
use crate::manifest::topology::Activation;
use serde_saphyr::Spanned;

pub(super) fn activation(given: &Spanned<String>) -> Checked<Activation> {
    Ok(match given.value.as_str() {
        "auto" => Activation::Auto,
        "proven-first" => Activation::ProvenFirst,
        "direct" => Activation::Direct,
        other => {
            let message =
                format!("`{other}` is not known; `auto`, `proven-first` and `direct` are allowed");
            let found = Located::at(given.referenced, "replication.activation", message);
            let meant = nearest(other, ["auto", "proven-first", "direct"]);
            return Err(match meant {
                Some(meant) => found.hint(format!("did you mean `{meant}`?")),
                None => found,
            });
        }
    })
}
