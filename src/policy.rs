//! Policy documents: rendered from the templates in `policies/`, checked, proven, and compared by
//! meaning.
//! Not for: reading or writing policies on AWS (see `steps`).

mod bounds;
mod document;
mod documents;
pub mod meaning;
mod operation;
pub mod proof;
mod render;
mod templates;
mod variables;
mod widened;

pub use document::{Document, Part};
pub use documents::Documents;
pub use operation::Operation;
pub use render::{RenderError, names_key, render, some_account, try_all};
pub use templates::Templates;
pub use widened::widened;

#[cfg(test)]
mod tests;
