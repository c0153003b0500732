//! Where the statements of a policy stand in its text, as the policy simulator reports it (IAM API
//! Reference, `Statement` and `Position`).
//! Not for: parsing policies (see `crrctl_iam::document`).

/// A line and a column of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Returns the start and the end of each statement. The simulator was recorded to count lines and
/// columns from 1, and to report the column after a brace (recorded by `LocalStack`'s snapshot
/// `test_simulate_principle_policy`).
///
/// The text is a valid policy document, so that braces and quotation marks are balanced.
pub(super) fn statements(text: &str) -> Vec<(Position, Position)> {
    let mut scan = Scan::default();
    for c in text.chars() {
        scan.take(c);
    }
    scan.found
}

#[derive(Debug)]
struct Scan {
    at: Position,
    /// The brackets that are open.
    open: Vec<char>,
    /// The string that is being read, or that was read last.
    string: String,
    in_string: bool,
    escaped: bool,
    /// The key of the outermost object that is being read.
    key: String,
    start: Option<Position>,
    found: Vec<(Position, Position)>,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            at: Position { line: 1, column: 1 },
            open: Vec::new(),
            string: String::new(),
            in_string: false,
            escaped: false,
            key: String::new(),
            start: None,
            found: Vec::new(),
        }
    }
}

impl Scan {
    fn take(&mut self, c: char) {
        self.at = match c {
            '\n' => Position { line: self.at.line + 1, column: 1 },
            _ => Position { column: self.at.column + 1, ..self.at },
        };
        if self.in_string {
            self.in_text(c);
            return;
        }
        match c {
            '"' => {
                self.in_string = true;
                self.string.clear();
            }
            ':' if self.open == ['{'] => self.key = std::mem::take(&mut self.string),
            '{' | '[' => {
                self.open.push(c);
                if self.is_statement() {
                    self.start = Some(self.at);
                }
            }
            '}' | ']' => {
                if self.is_statement()
                    && let Some(start) = self.start.take()
                {
                    self.found.push((start, self.at));
                }
                self.open.pop();
            }
            _ => {}
        }
    }

    fn in_text(&mut self, c: char) {
        match c {
            _ if self.escaped => self.escaped = false,
            '\\' => self.escaped = true,
            '"' => self.in_string = false,
            _ => self.string.push(c),
        }
    }

    /// Returns whether the innermost open bracket is that of a statement: the value of `Statement`,
    /// or a member of that list.
    fn is_statement(&self) -> bool {
        self.key == "Statement" && matches!(self.open[..], ['{', '{'] | ['{', '[', '{'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: usize, column: usize) -> Position {
        Position { line, column }
    }

    #[test]
    fn positions_are_those_after_the_braces() {
        let one = r#"{"Version": "2012-10-17", "Statement": {"Sid": "a}\"{", "Condition": {"Bool": {}}}}"#;
        assert_eq!(statements(one), [(at(1, 41), at(1, one.len()))]);
        let two = "{\"Statement\": [\n  {\"Effect\": \"Allow\"},\n  {\n  }\n], \"Id\": \"{\"}";
        assert_eq!(statements(two), [(at(2, 4), at(2, 22)), (at(3, 4), at(4, 4))]);
        assert_eq!(statements(r#"{"Id": {"Statement": {}}, "Statement": []}"#), []);
    }
}
