//! The input of one pair: the checked manifest and the policy templates.
//! Not for: where the manifest comes from (see `cli`), or the resources that exist (see `observe`).

use crate::failure::Failure;
use crate::manifest::Manifest;
use crate::names::AccountId;
use crate::policy::{self, Templates};
use std::sync::{Arc, OnceLock};

/// The checked input of one pair.
#[derive(Debug, Clone)]
pub struct Input {
    /// The manifest.
    pub manifest: Manifest,
    /// The templates of the policy documents.
    pub templates: Templates,
    /// The source's account, once it is known. Clones share it.
    pub account: Arc<OnceLock<AccountId>>,
}

impl Input {
    /// Returns the input with crrctl's own templates, without rendering a document.
    pub fn with_own_templates(manifest: Manifest) -> Self {
        Self { manifest, templates: Templates::default(), account: Arc::default() }
    }

    /// Reads the template folder that `manifest` names, if any, and renders every document of the pair once.
    ///
    /// # Errors
    ///
    /// A template can't be read, or a document can't be rendered.
    pub fn of(manifest: Manifest) -> Result<Self, Failure> {
        let templates = match manifest.templates() {
            Some(folder) => Templates::overridden_by(folder)?,
            None => Templates::default(),
        };
        policy::try_all(&manifest, &templates)?;
        Ok(Self { manifest, templates, account: Arc::default() })
    }
}
