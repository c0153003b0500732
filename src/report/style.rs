//! The colours of all that people read, and the marks that they repeat. Not for: words.

use crate::events::Verb;
use anstyle::{AnsiColor, Style};

/// Headings and what went well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What changes, waits or is worth a look.
pub(crate) const NOTABLE: Style = AnsiColor::Yellow.on_default();
/// What went wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What may be skipped.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Returns the mark of a verb in lists, which colour only repeats.
pub(crate) fn mark(verb: Verb) -> (char, Style) {
    match verb {
        Verb::Create => ('+', GOOD),
        Verb::Update | Verb::Adopt => ('~', NOTABLE),
        Verb::Delete => ('-', BAD),
        Verb::Orphan => ('?', NOTABLE),
        Verb::None => ('=', FAINT),
    }
}
