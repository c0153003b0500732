//! What the commands print with `-o json` that call nothing, or whose result is a text.
//! Not for: commands about a pair or an account (see `pair`, `account`).

use super::object;
use crate::check::catalogue::{About, Entry};
use crate::policy::proof::Row;
use serde_json::{Map, Value};

object! {
    /// What `crrctl policy render` prints.
    RenderObject, "policy-render", "policy-render-output", [[pair, placeholders, account, key_id, documents]]
    {
        /// The pair's name
        pair: String,
        /// Whether account and key are stand-ins
        placeholders: bool,
        account: String,
        key_id: Option<String>,
        /// The policy documents by name, as AWS takes them
        #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, Map<String, Value>>"))]
        documents: Map<String, Value>,
    }
}

object! {
    /// What `crrctl policy prove` prints.
    ProveObject, "policy-prove", "policy-prove-output",
    [[pair, placeholders, account, key_id, calls, refused, organisation_policies]]
    {
        /// The pair's name
        pair: String,
        /// Whether account and key are stand-ins
        placeholders: bool,
        account: String,
        key_id: Option<String>,
        calls: Vec<Row>,
        /// The calls whose decision is not the expected one
        refused: Vec<Row>,
        /// Whether organisation policies were given
        organisation_policies: bool,
    }
}

object! {
    /// What `crrctl policy operator` prints.
    OperatorObject, "policy-operator", "policy-operator-output",
    [[pair, placeholders, account, key_id, documents, commands]]
    {
        /// The pair's name
        pair: String,
        /// Whether account and key are stand-ins
        placeholders: bool,
        account: String,
        key_id: Option<String>,
        /// The policy documents by name, as AWS takes them
        #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, Map<String, Value>>"))]
        documents: Map<String, Value>,
        /// Which documents a command needs
        #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, Vec<String>>"))]
        commands: Map<String, Value>,
    }
}

object! {
    /// What `crrctl explain` prints: one code, or all of them.
    ExplainObject, "explain", "explain-output", [[codes], [code, about, means, causes, mends]]
    {
        codes: Vec<Entry>,
        code: &'static str,
        about: About,
        means: &'static str,
        causes: &'static [&'static str],
        mends: &'static [&'static str],
    }
}

object! {
    /// What `crrctl init` prints.
    InitObject, "init", "init-output", [[file, manifest]]
    {
        file: String,
        /// The text that was written
        manifest: String,
    }
}

object! {
    /// What `crrctl completions` prints.
    CompletionsObject, "completions", "completions-output", [[script], [offered]]
    {
        script: String,
        /// What completion scripts ask for: a word a line
        offered: String,
    }
}

object! {
    /// What a command line prints that names no command.
    NoCommandObject, "usage", "usage-output", []
    {}
}

object! {
    /// What `crrctl version` prints.
    VersionObject, "version", "version-output", []
    {
        version: &'static str,
    }
}

object! {
    /// What `crrctl help` prints.
    HelpObject, "help", "help-output", []
    {
        text: String,
    }
}

object! {
    /// What `crrctl man` prints.
    ManObject, "man", "man-output", []
    {
        page: String,
    }
}

object! {
    /// What `crrctl sandbox` prints, where it fails.
    SandboxObject, "sandbox", "sandbox-output", [] {}
}

object! {
    /// What `crrctl schema` prints.
    SchemaObject, "schema", "schema-output", [[json_schema]]
    {
        json_schema: Map<String, Value>,
    }
}
