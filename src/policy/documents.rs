//! A pair's documents, rendered and read: what a proof is about.
//! Not for: finding out what they allow (see `proof`).

use super::{Document, RenderError, Templates, render};
use crate::iam;
use crate::manifest::Topology;
use crate::names::KeyId;
use serde_json::Value;
use std::collections::BTreeMap;

/// Documents by what they are for.
#[derive(Debug, Clone, Default)]
pub struct Documents(BTreeMap<Document, Entry>);

#[derive(Debug, Clone)]
struct Entry {
    name: String,
    value: Value,
    /// None for a bucket's document without statements: no policy is wanted there.
    read: Option<iam::Document>,
}

impl Documents {
    /// Renders `wanted` for `topology` and its `key`.
    pub fn render(
        wanted: impl IntoIterator<Item = Document>,
        topology: &Topology,
        key: &KeyId,
        templates: &Templates,
    ) -> Result<Self, RenderError> {
        let mut documents = Self::default();
        for document in wanted {
            let value = render(&document, topology, key, templates)?;
            let refused = |error: iam::DocumentError| {
                RenderError::Refused(document.template(), document.name(), error.to_string())
            };
            documents.put(&document, value).map_err(refused)?;
        }
        Ok(documents)
    }

    /// Puts `value` in the place of a document; what can't be read changes nothing.
    pub fn put(&mut self, document: &Document, value: Value) -> Result<(), iam::DocumentError> {
        let is_empty = value["Statement"].as_array().is_some_and(Vec::is_empty);
        let read = if is_empty { None } else { Some(iam::Document::parse(&value)?) };
        self.0.insert(document.clone(), Entry { name: document.name(), value, read });
        Ok(())
    }

    /// Returns a document as JSON.
    pub fn get(&self, document: &Document) -> Option<&Value> {
        self.0.get(document).map(|entry| &entry.value)
    }

    /// Returns every document with its name and its JSON.
    pub fn iter(&self) -> impl Iterator<Item = (&Document, &str, &Value)> {
        self.0.iter().map(|(document, entry)| (document, entry.name.as_str(), &entry.value))
    }

    /// Returns whether `document` is here.
    pub fn has(&self, document: &Document) -> bool {
        self.0.contains_key(document)
    }

    /// Returns a document as evaluations call it; none where it has no statements.
    pub(super) fn named(&self, document: &Document) -> Option<iam::Named<'_>> {
        let entry = self.0.get(document)?;
        Some(iam::Named { name: &entry.name, document: entry.read.as_ref()? })
    }

    /// Returns the document that evaluations call `name`.
    pub(super) fn called(&self, name: &str) -> Option<&iam::Document> {
        self.0.values().find(|entry| entry.name == name)?.read.as_ref()
    }
}
