//! Rows and tables that fit the terminal. A name is never split, since people copy names; text that
//! is no name is broken between words. Without a terminal nothing is broken.
//! Not for: what the rows say.

use anstyle::Style;
use console::{Term, measure_text_width};
use std::fmt::Write;

/// A line of a list: cells that are never split, and text that may be broken between words.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    /// May have styles in them.
    pub(super) cells: Vec<String>,
    pub(super) text: String,
    pub(super) style: Style,
}

impl Row {
    pub(super) fn new(
        cells: impl Into<Vec<String>>,
        text: impl Into<String>,
        style: Style,
    ) -> Self {
        Self { cells: cells.into(), text: text.into(), style }
    }
}

/// The space between two cells.
const GAP: &str = "  ";
/// The indent of what does not fit on the line of its row.
const INDENT: &str = "    ";
/// The least width in which text stands beside its row.
const LEAST: usize = 32;

/// Returns the width of the terminal that stdout is, if it is one and knows its width.
fn terminal() -> Option<usize> {
    let size = Term::stdout().size_checked();
    size.map(|(_, columns)| usize::from(columns)).filter(|columns| *columns > 0)
}

/// Returns the rows, whose cells stand in columns where the terminal is wide enough.
pub(super) fn rows(rows: &[Row]) -> String {
    rows_within(rows, terminal())
}

/// Returns one row.
pub(super) fn row(cells: impl Into<Vec<String>>, text: impl Into<String>, style: Style) -> String {
    rows(&[Row::new(cells, text, style)])
}

/// Returns a table: in columns or, where the terminal is too narrow, a block for each row.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    table_within(header, rows, terminal())
}

/// Returns the text of each of the rows, for more between them.
pub(super) fn each(rows: &[Row]) -> Vec<String> {
    each_within(rows, terminal())
}

fn rows_within(rows: &[Row], width: Option<usize>) -> String {
    each_within(rows, width).concat()
}

fn each_within(rows: &[Row], width: Option<usize>) -> Vec<String> {
    let widths = widths(rows.iter().map(|row| row.cells.as_slice()));
    let line = |row: &Row| {
        let padded = padded(&row.cells, &widths);
        let used = measure_text_width(&padded);
        let is_whole = |width| used + GAP.len() + measure_text_width(&row.text) <= width;
        match width {
            _ if row.text.is_empty() && width.is_none_or(|width| used <= width) => {
                format!("{}\n", padded.trim_end())
            }
            Some(width) if !is_whole(width) => broken(row, &padded, width),
            _ => format!("{padded}{GAP}{}\n", styled(row.style, &row.text)),
        }
    };
    rows.iter().map(line).collect()
}

/// Returns a row that is wider than the terminal.
fn broken(row: &Row, padded: &str, width: usize) -> String {
    let used = measure_text_width(padded);
    let beside = width.saturating_sub(used + GAP.len());
    if beside >= LEAST {
        let indent = " ".repeat(used + GAP.len());
        let lines = words(&row.text, beside);
        let lines: Vec<String> = lines.iter().map(|line| styled(row.style, line)).collect();
        return format!("{padded}{GAP}{}\n", lines.join(&format!("\n{indent}")));
    }
    let mut text = String::new();
    let mut at = 0;
    for cell in &row.cells {
        let cell = cell.trim_end();
        let more = measure_text_width(cell);
        if at > 0 && at + GAP.len() + more > width {
            let _ = write!(text, "\n{INDENT}{cell}");
            at = INDENT.len() + more;
        } else {
            let gap = if at > 0 { GAP } else { "" };
            let _ = write!(text, "{gap}{cell}");
            at += gap.len() + more;
        }
    }
    for line in words(&row.text, width.saturating_sub(INDENT.len())) {
        let _ = write!(text, "\n{INDENT}{}", styled(row.style, &line));
    }
    text.push('\n');
    text
}

fn table_within(header: &[&str], rows: &[Vec<String>], width: Option<usize>) -> String {
    let heading: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    let all = || std::iter::once(&heading).chain(rows);
    let widths = widths(all().map(Vec::as_slice));
    let total = 1 + widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1);
    let mut text = String::new();
    if width.is_none_or(|width| total <= width) {
        for cells in all() {
            let height = cells.iter().map(|cell| cell.lines().count()).max().unwrap_or_default();
            for line in 0..height {
                let part = |cell: &String| cell.lines().nth(line).unwrap_or_default().to_owned();
                let parts: Vec<String> = cells.iter().map(part).collect();
                let _ = writeln!(text, " {}", padded(&parts, &widths).trim_end());
            }
        }
        return text;
    }
    let label = header.iter().skip(1).map(|name| name.len()).max().unwrap_or_default();
    for cells in rows {
        let _ = writeln!(text, "{}", cells.first().map_or("", |cell| cell.as_str()));
        for (name, cell) in header.iter().zip(cells).skip(1) {
            for (number, line) in cell.lines().enumerate() {
                let name = if number == 0 { name.to_lowercase() } else { String::new() };
                let _ = writeln!(text, "{INDENT}{name:<label$}{GAP}{line}");
            }
        }
    }
    text
}

/// Returns the width of each column.
fn widths<'a>(rows: impl Iterator<Item = &'a [String]>) -> Vec<usize> {
    let mut widths: Vec<usize> = Vec::new();
    for cells in rows {
        widths.resize(widths.len().max(cells.len()), 0);
        for (width, cell) in widths.iter_mut().zip(cells) {
            let own = cell.lines().map(measure_text_width).max().unwrap_or_default();
            *width = own.max(*width);
        }
    }
    widths
}

fn padded(cells: &[String], widths: &[usize]) -> String {
    let cells = cells.iter().zip(widths).map(|(cell, width)| {
        format!("{cell}{}", " ".repeat(width.saturating_sub(measure_text_width(cell))))
    });
    cells.collect::<Vec<_>>().join(GAP)
}

fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Breaks text between words into lines of at most `width` columns. A longer word has a line of its
/// own, and is whole.
fn words(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if measure_text_width(line) + 1 + measure_text_width(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = [
        "demo-111122223333-us-east-1",
        "arn:aws:iam::111122223333:role/crrctl-demo-us-east-1",
        "a",
    ];

    fn lists() -> (Vec<Row>, Vec<Vec<String>>) {
        let cells =
            |name: &&str| vec!["+ create".to_owned(), (*name).to_owned(), "us-east-1".to_owned()];
        let prose = "the manifest wants it, and nothing of the kind is there yet";
        let rows = NAMES.iter().map(|name| Row::new(cells(name), prose, Style::new().dimmed()));
        (rows.collect(), NAMES.iter().map(cells).collect())
    }

    #[test]
    fn no_line_is_too_wide_and_no_name_is_split_at_any_width() {
        let (rows, cells) = lists();
        let header = ["VERB", "NAME", "REGION"];
        for width in 24..200 {
            for text in
                [rows_within(&rows, Some(width)), table_within(&header, &cells, Some(width))]
            {
                let longest = NAMES.iter().map(|name| name.len()).max().unwrap();
                for line in text.lines() {
                    let own = measure_text_width(line);
                    let may = width.max(longest + INDENT.len() + header[2].len() + GAP.len());
                    assert!(own <= may, "{own} of {width}: {line}");
                    let is_name = NAMES.iter().any(|name| line.trim().ends_with(name));
                    assert!(own <= width || is_name, "{own} of {width}: {line}");
                }
                for name in NAMES {
                    assert!(text.split_whitespace().any(|word| word == name), "{width}: {text}");
                }
            }
        }
    }

    #[test]
    fn without_a_terminal_each_row_is_a_line() {
        let (rows, cells) = lists();
        assert_eq!(rows_within(&rows, None).lines().count(), rows.len());
        assert_eq!(table_within(&["VERB", "NAME", "REGION"], &cells, None).lines().count(), 4);
    }

    #[test]
    fn the_words_are_the_same_at_any_width() {
        let (rows, _) = lists();
        let said = |width| {
            let text = anstream::adapter::strip_str(&rows_within(&rows, width)).to_string();
            text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        for width in 24..200 {
            assert_eq!(said(Some(width)), said(None), "{width}");
        }
    }
}
