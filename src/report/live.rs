//! The live lines at the bottom of the terminal, around which everything else is printed.
//! Not for: what the live lines say (see `screen`).

use console::Term;
use indicatif::{MultiProgress, ProgressDrawTarget, TermLike};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The live lines of this process. There is one terminal, so there is one set of them.
static LIVE: Mutex<Option<MultiProgress>> = Mutex::new(None);

/// How often a second the live lines are drawn at most.
const HERTZ: u8 = 20;

/// Begins a set of live lines on stderr.
pub(super) fn open() -> MultiProgress {
    let lines = MultiProgress::with_draw_target(target());
    *LIVE.lock().unwrap_or_else(PoisonError::into_inner) = Some(lines.clone());
    lines
}

fn target() -> ProgressDrawTarget {
    let terminal =
        LeftEdge { terminal: Term::buffered_stderr(), has_drawn: AtomicBool::new(false) };
    ProgressDrawTarget::term_like_with_hz(Box::new(terminal), HERTZ)
}

/// Returns the live lines of this process.
fn lines() -> Option<MultiProgress> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// No live line is drawn until this is dropped.
#[derive(Debug)]
pub(crate) struct Paused(Option<MultiProgress>);

/// Takes the live lines away while somebody is asked: they would be drawn over the question.
pub(crate) fn paused() -> Paused {
    let lines = lines();
    if let Some(lines) = &lines {
        // A terminal that can't be written to shows no line anyway.
        let _ = lines.clear();
        lines.set_draw_target(ProgressDrawTarget::hidden());
        // A line may have been drawn between the two.
        let _ = Term::stderr().clear_line();
    }
    Paused(lines)
}

impl Drop for Paused {
    fn drop(&mut self) {
        if let Some(lines) = &self.0 {
            lines.set_draw_target(target());
        }
    }
}

/// Calls `print`, which writes whole lines to stdout or stderr, while no live line is drawn: text
/// that is written below them would be erased with them, and they would stay above it.
pub(crate) fn around<T>(print: impl FnOnce() -> T) -> T {
    // A panic may hold the lock of the live lines.
    if std::thread::panicking() {
        return print();
    }
    match lines() {
        Some(lines) => lines.suspend(print),
        None => print(),
    }
}

/// Writes to stderr, around the live lines.
#[derive(Debug, Default)]
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        around(|| io::stderr().lock().write_all(bytes)).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

/// A terminal whose cursor waits at the left edge of the last live line. The terminal echoes Ctrl-C
/// as `^C` where the cursor is; at the right edge that would begin another line, and the first live
/// line would stay when they are erased.
#[derive(Debug)]
struct LeftEdge {
    terminal: Term,
    /// Whether a line was drawn since the cursor was last moved there. What others write, such as a question, keeps the
    /// cursor at its end.
    has_drawn: AtomicBool,
}

impl TermLike for LeftEdge {
    fn width(&self) -> u16 {
        match self.terminal.size().1 {
            // Some terminals report a width of 0, which says nothing.
            0 => 80,
            width => width,
        }
    }

    fn height(&self) -> u16 {
        match self.terminal.size().0 {
            0 => 24,
            height => height,
        }
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.terminal.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.terminal.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.terminal.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.terminal.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.has_drawn.store(true, Ordering::Relaxed);
        self.terminal.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.has_drawn.fetch_or(!text.is_empty(), Ordering::Relaxed);
        self.terminal.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.terminal.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        if self.has_drawn.swap(false, Ordering::Relaxed) {
            self.terminal.write_str("\r")?;
        }
        self.terminal.flush()
    }
}
