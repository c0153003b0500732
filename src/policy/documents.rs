//! A pair's documents, rendered and parsed: the input of a proof.
//! Not for: evaluating what they allow (see `proof`).

use super::{Document, RenderError, Templates, render};
use crate::manifest::{PairKeys, Topology};
use crrctl_iam as iam;
use serde_json::Value;
use std::collections::BTreeMap;

/// Policy documents, by [`Document`].
#[derive(Debug, Clone, Default)]
pub struct Documents {
    own: BTreeMap<Document, Entry>,
    /// Policies that a role has in addition to the pair's own.
    beside: Vec<(Document, Entry)>,
    /// The permissions boundary of the replication role.
    boundary: Option<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    name: String,
    value: Value,
    /// `None` for a bucket document without statements: the bucket needs no policy.
    read: Option<iam::Document>,
}

impl Documents {
    /// Renders `wanted` for `topology` and its `keys`.
    pub fn render(
        wanted: impl IntoIterator<Item = Document>,
        topology: &Topology,
        keys: &PairKeys,
        templates: &Templates,
    ) -> Result<Self, RenderError> {
        let mut documents = Self::default();
        for document in wanted {
            let value = render(&document, topology, keys, templates)?;
            let refused = |error: iam::DocumentError| {
                RenderError::Refused(document.template(), document.name(), error.to_string())
            };
            documents.put(&document, value).map_err(refused)?;
        }
        Ok(documents)
    }

    /// Sets a document to `value`. A value that can't be parsed changes nothing.
    pub fn put(&mut self, document: &Document, value: Value) -> Result<(), iam::DocumentError> {
        self.put_live(document, document.name(), value)
    }

    /// Sets a document to `value`, of which the statements at the indices `removed` apply to no call.
    pub fn put_without(
        &mut self,
        document: &Document,
        value: Value,
        removed: &[usize],
    ) -> Result<(), iam::DocumentError> {
        let mut entry = Entry::read(document.name(), value)?;
        let statements = entry.read.iter_mut().flat_map(|it| it.statements.iter_mut().enumerate());
        for (_, statement) in statements.filter(|(index, _)| removed.contains(index)) {
            let nothing = || Some(iam::document::Scope::Only(Vec::new()));
            (statement.action, statement.resource) = (nothing(), nothing());
        }
        self.own.insert(document.clone(), entry);
        Ok(())
    }

    /// Sets a document to a policy in force, under the name that reports show.
    pub fn put_live(
        &mut self,
        document: &Document,
        name: String,
        value: Value,
    ) -> Result<(), iam::DocumentError> {
        self.own.insert(document.clone(), Entry::read(name, value)?);
        Ok(())
    }

    /// Removes a document.
    pub fn remove(&mut self, document: &Document) {
        self.own.remove(document);
    }

    /// Adds a policy that a role has in addition to the pair's own `document`.
    pub fn put_beside(
        &mut self,
        document: &Document,
        name: String,
        value: Value,
    ) -> Result<(), iam::DocumentError> {
        self.beside.push((document.clone(), Entry::read(name, value)?));
        Ok(())
    }

    /// Sets the permissions boundary of the replication role.
    pub fn put_boundary(&mut self, name: String, value: Value) -> Result<(), iam::DocumentError> {
        self.boundary = Some(Entry::read(name, value)?);
        Ok(())
    }

    /// Returns a document as JSON.
    pub fn get(&self, document: &Document) -> Option<&Value> {
        self.own.get(document).map(|entry| &entry.value)
    }

    /// Returns every document with its name and its JSON.
    pub fn iter(&self) -> impl Iterator<Item = (&Document, &str, &Value)> {
        self.own.iter().map(|(document, entry)| (document, entry.name.as_str(), &entry.value))
    }

    /// Returns whether the documents include `document`.
    pub fn has(&self, document: &Document) -> bool {
        self.own.contains_key(document)
    }

    /// Returns a document with its name, for evaluation; `None` if the document has no statements.
    pub(super) fn named(&self, document: &Document) -> Option<iam::Named<'_>> {
        self.own.get(document)?.named()
    }

    /// Returns the policies that a role has in addition to `document`.
    pub(super) fn beside(&self, document: &Document) -> impl Iterator<Item = iam::Named<'_>> {
        let wanted = document.clone();
        let beside = self.beside.iter().filter(move |(document, _)| *document == wanted);
        beside.filter_map(|(_, entry)| entry.named())
    }

    /// Returns the permissions boundary of the replication role.
    pub(super) fn boundary(&self) -> Option<iam::Named<'_>> {
        self.boundary.as_ref()?.named()
    }

    /// Returns the document that has the name `name` in evaluations.
    pub(super) fn called(&self, name: &str) -> Option<&iam::Document> {
        self.entries().find(|entry| entry.name == name)?.read.as_ref()
    }

    /// Returns these documents with `change` applied to each parsed document. Their JSON stays the
    /// same.
    pub(super) fn each(&self, change: impl Fn(&iam::Document) -> iam::Document) -> Self {
        let mut changed = self.clone();
        let own = changed.own.values_mut().chain(changed.beside.iter_mut().map(|(_, it)| it));
        for entry in own.chain(&mut changed.boundary) {
            entry.read = entry.read.as_ref().map(&change);
        }
        changed
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.own.values().chain(self.beside.iter().map(|(_, entry)| entry)).chain(&self.boundary)
    }
}

impl Entry {
    fn read(name: String, value: Value) -> Result<Self, iam::DocumentError> {
        let is_empty = value["Statement"].as_array().is_some_and(Vec::is_empty);
        let read = if is_empty { None } else { Some(iam::Document::parse(&value)?) };
        Ok(Self { name, value, read })
    }

    fn named(&self) -> Option<iam::Named<'_>> {
        Some(iam::Named { name: &self.name, document: self.read.as_ref()? })
    }
}
