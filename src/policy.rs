//! Policy documents: rendered from the templates of `policies/`, checked, proven, and compared by meaning.
//! Not for: reading or writing them on AWS (see `steps`).

mod document;
pub mod meaning;
mod render;
mod templates;
mod variables;

pub use document::{Document, Part};
pub use render::{RenderError, names_key, render, some_account, some_key, try_all};
pub use templates::Templates;
