//! The colors and marks of human-readable output.
//! Not for: the text.

use crate::events::Verb;
use anstyle::{AnsiColor, Style};

/// Headings and successes.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Changes, waits, and other notable output.
pub(crate) const NOTABLE: Style = AnsiColor::Yellow.on_default();
/// Failures.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Details of less importance.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Returns the mark of a verb in lists. The color only repeats the mark.
pub(crate) fn mark(verb: Verb) -> (char, Style) {
    match verb {
        Verb::Create => ('+', GOOD),
        Verb::Update | Verb::Adopt => ('~', NOTABLE),
        Verb::Delete => ('-', BAD),
        Verb::Orphan => ('?', NOTABLE),
        Verb::None => ('=', FAINT),
    }
}
