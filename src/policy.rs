//! Policy documents: rendered from the templates of `policies/`, and compared by meaning.
//! Not for: reading or writing them on AWS (see `steps`).

pub mod meaning;
mod render;
mod templates;

pub use render::{Document, RenderError, render, try_all};
pub use templates::Templates;
