//! The bounds of a template: its length, the steps that it may take, the length of what it renders,
//! and how much its values may grow. A template that only doubles a value forty times would
//! otherwise take all memory.
//! Not for: what a template renders (see `render`).

use std::collections::BTreeSet;
use std::io::{Error, Write};

/// The longest template, in bytes. Ours have less than 8 KiB.
pub(super) const LONGEST: u64 = 256 << 10;

/// The most steps that rendering may take.
pub(super) const STEPS: u64 = 10_000_000;

/// The longest document, in bytes. AWS takes 32 KiB at most (KMS API Reference, `PutKeyPolicy`).
const LONGEST_RENDERED: usize = 1 << 20;

/// How many times as long as the template and its variables a value may become.
const GROWTH: u64 = 256;

/// What `tojson` may make of a character: it escapes, and what is escaped is escaped again.
const GROWTH_OF_TOJSON: u64 = 6;

/// A document that is being rendered.
#[derive(Debug, Default)]
pub(super) struct Rendered(Vec<u8>);

impl Rendered {
    /// Returns the text.
    pub(super) fn text(self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl Write for Rendered {
    fn write(&mut self, more: &[u8]) -> Result<usize, Error> {
        if self.0.len() + more.len() > LONGEST_RENDERED {
            return Err(Error::other(format!("it renders more than {LONGEST_RENDERED} bytes")));
        }
        self.0.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// A part of a template that is not allowed, with its line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unbounded {
    pub(super) line: usize,
    pub(super) why: String,
}

/// Returns why the values of a template may grow without bound, if so. Ours use none of what is
/// refused.
pub(super) fn unbounded(text: &str) -> Option<Unbounded> {
    let mut growth = Growth::default();
    let mut at = 0;
    while let Some(begin) = text[at..].find("{{").into_iter().chain(text[at..].find("{%")).min() {
        let begin = at + begin;
        // Comments may hold anything.
        if let Some(comment) = text[at..begin].find("{#") {
            let after = at + comment;
            at = text[after..].find("#}").map_or(text.len(), |end| after + end + 2);
            continue;
        }
        let (tokens, end) = tokens(text, begin + 2);
        at = end;
        if tokens.first() == Some(&Token::Name("raw")) {
            at = text[at..].find("endraw").map_or(text.len(), |end| at + end);
            continue;
        }
        if let Err(why) = growth.takes(&tokens) {
            let line = text[..begin].matches('\n').count() + 1;
            return Some(Unbounded { line, why });
        }
    }
    None
}

/// A part of a tag. Other operators don't matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Name(&'t str),
    Assign,
    Times,
}

/// Returns the tokens of the tag that begins at `at`, and where it ends.
fn tokens(text: &str, mut at: usize) -> (Vec<Token<'_>>, usize) {
    let mut tokens = Vec::new();
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if rest.starts_with("}}") || rest.starts_with("%}") {
            return (tokens, at + 2);
        }
        if c == '"' || c == '\'' {
            at += length_of_string(rest, c);
        } else if is_name(c) {
            let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            tokens.push(Token::Name(&rest[..length]));
            at += length;
        } else if ["==", "!=", "<=", ">="].iter().any(|it| rest.starts_with(it)) {
            at += 2;
        } else {
            match c {
                '=' => tokens.push(Token::Assign),
                '*' => tokens.push(Token::Times),
                _ => {}
            }
            at += c.len_utf8();
        }
    }
    (tokens, at)
}

fn length_of_string(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return index + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// How much the values of a template may have grown.
struct Growth<'t> {
    factor: u64,
    /// The names that the template gives to values.
    named: BTreeSet<&'t str>,
}

impl Default for Growth<'_> {
    fn default() -> Self {
        Self { factor: 1, named: BTreeSet::new() }
    }
}

impl<'t> Growth<'t> {
    /// Takes the tokens of the next tag.
    fn takes(&mut self, tokens: &[Token<'t>]) -> Result<(), String> {
        let names: Vec<&'t str> = tokens
            .iter()
            .filter_map(|token| if let Token::Name(name) = token { Some(*name) } else { None })
            .collect();
        if tokens.contains(&Token::Times) {
            return Err("`*` is not allowed: it repeats a value without bound".to_owned());
        }
        if names.contains(&"recursive") || names.first() == Some(&"filter") {
            return Err("recursive loops and `filter` blocks are not allowed".to_owned());
        }
        let escapes = names.iter().filter(|name| **name == "tojson").count();
        let escapes = u32::try_from(escapes).unwrap_or(u32::MAX);
        match names.first() {
            Some(&"set" | &"with") => {
                let assigned: BTreeSet<&str> = tokens
                    .windows(2)
                    .filter_map(|two| match two {
                        [Token::Name(name), Token::Assign] => Some(*name),
                        _ => None,
                    })
                    .collect();
                if assigned.is_empty() && names[0] == "set" {
                    return Err("`set` without `=` is not allowed".to_owned());
                }
                let uses = names.iter().skip(1).filter(|name| self.named.contains(**name)).count();
                // The names that are assigned are among them.
                let again = assigned.iter().filter(|name| self.named.contains(**name)).count();
                let uses = u64::try_from((uses - again).max(1)).unwrap_or(u64::MAX);
                self.named.extend(assigned);
                let factor = uses.saturating_mul(GROWTH_OF_TOJSON.saturating_pow(escapes));
                self.factor = self.factor.saturating_mul(factor);
            }
            Some(&"for") => {
                let bound = names.iter().skip(1).take_while(|name| **name != "in");
                self.named.extend(bound);
            }
            _ => {}
        }
        let here = GROWTH_OF_TOJSON.saturating_pow(escapes.saturating_sub(1));
        if self.factor.saturating_mul(here) > GROWTH {
            return Err(format!(
                "a value may become more than {GROWTH} times as long as what it is made of: name \
                 each value once where another one is made of it, and use `tojson` once"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Option<usize> {
        unbounded(text).map(|found| found.line)
    }

    #[test]
    fn what_grows_without_bound_is_refused_at_its_line() {
        let doubling = |step: &str| {
            let start = "{% set a = 'x' %}\n".to_owned();
            start + &format!("{step}\n").repeat(40)
        };
        for step in [
            "{% set a = a ~ a %}",
            "{%- set a = a + a -%}",
            "{% set a = [a, a] %}",
            "{% with a = a ~ a %}",
            "{% for b in [a] %}{% set a = b ~ b %}",
            "{% set a = a | tojson %}",
        ] {
            assert!(line(&doubling(step)).is_some_and(|line| line > 2), "{step}");
        }
        assert_eq!(line("a\n{{ 'x' * 100000 }}"), Some(2));
        assert_eq!(line("{% set a %}x{% endset %}"), Some(1));
        assert_eq!(line("{% for a in b recursive %}{{ loop(b) }}{% endfor %}"), Some(1));
        assert_eq!(line("{% filter tojson %}x{% endfilter %}"), Some(1));
        assert_eq!(line(&format!("{{{{ pair {} }}}}", "| tojson ".repeat(30))), Some(1));
    }

    #[test]
    fn what_does_not_grow_is_left_alone() {
        for text in [
            "{# {{ 'x' * 9 }} #}{{ (bucket_arn ~ '/*') | tojson }}",
            "{% set arn = bucket_arn ~ \"/*\" %}{{ arn }}{{ arn | tojson }}",
            "{% raw %}{{ 2 * 3 }}{% endraw %}",
            "{% for it in destinations if it.a == 1 %}{% set b = it.bucket_arn %}{{ b }}{% endfor %}",
            "{% set a = pair %}{% set b = a ~ '-b' %}{% set c = b ~ '-c' %}{{ c }}",
            "no tag, and one that does not end {{ a",
        ] {
            assert_eq!(unbounded(text), None, "{text}");
        }
    }
}
