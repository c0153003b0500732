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
    while let Some(begin) = opener(text, at) {
        let inside = begin + 2;
        let closer = match text.as_bytes()[begin + 1] {
            // Comments may hold anything.
            b'#' => {
                at = text[inside..].find("#}").map_or(text.len(), |end| inside + end + 2);
                continue;
            }
            b'%' => "%}",
            _ => "}}",
        };
        let (tokens, end) = tokens(text, inside, closer);
        at = end;
        if closer == "%}" && tokens == [Token::Name("raw")] {
            at = after_raw(text, at);
            continue;
        }
        if let Err(why) = growth.takes(&tokens) {
            let line = text[..begin].matches('\n').count() + 1;
            return Some(Unbounded { line, why });
        }
    }
    None
}

/// Returns where the next tag or comment begins.
fn opener(text: &str, from: usize) -> Option<usize> {
    let mut pairs = text.as_bytes()[from..].windows(2);
    pairs.position(|two| matches!(two, b"{{" | b"{%" | b"{#")).map(|index| from + index)
}

/// Returns where the text ends that `{% raw %}` begins before `at`: what it holds is no tag, whatever
/// it looks like.
fn after_raw(text: &str, mut at: usize) -> usize {
    while let Some(begin) = text[at..].find("{%") {
        at += begin + 2;
        let name = without_sign(&text[at..]).trim_ascii_start();
        let Some(rest) = name.strip_prefix("endraw") else { continue };
        if let Some(after) = without_sign(rest.trim_ascii_start()).strip_prefix("%}") {
            return text.len() - after.len();
        }
    }
    text.len()
}

/// Returns `text` without the sign that tells what becomes of the white space around a tag.
fn without_sign(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

/// A part of a tag. Other operators don't matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Name(&'t str),
    Assign,
    Times,
}

/// Returns the tokens of the tag whose inside begins at `at`, and where the tag ends: at its own
/// closer, outside of all brackets, as minijinja reads it.
fn tokens<'t>(text: &'t str, mut at: usize, closer: &str) -> (Vec<Token<'t>>, usize) {
    let (mut tokens, mut depth) = (Vec::new(), 0_i32);
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if depth == 0 && rest.starts_with(closer) {
            return (tokens, at + closer.len());
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
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
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
        // minijinja takes `1recursive` for two tokens.
        let is_recursive = |name: &&str| {
            *name == "recursive"
                || name.starts_with(|c: char| c.is_ascii_digit()) && name.ends_with("recursive")
        };
        if names.iter().any(is_recursive) || names.first() == Some(&"filter") {
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
                "a value may grow to more than {GROWTH} times its length: use each variable once \
                 in a `set`, and `tojson` once"
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
            "{% set a = [{'a':{'a':1}}, a, a] %}",
        ] {
            assert!(line(&doubling(step)).is_some_and(|line| line > 2), "{step}");
        }
        assert_eq!(line("a\n{{ 'x' * 100000 }}"), Some(2));
        assert_eq!(line("{% set a %}x{% endset %}"), Some(1));
        assert_eq!(line("{% for a in b recursive %}{{ loop(b) }}{% endfor %}"), Some(1));
        assert_eq!(line("{% for a in b if 1recursive %}{{ loop(b) }}{% endfor %}"), Some(1));
        assert_eq!(line("{% filter tojson %}x{% endfilter %}"), Some(1));
        assert_eq!(line(&format!("{{{{ pair {} }}}}", "| tojson ".repeat(30))), Some(1));
    }

    /// A tag, a comment and a raw text end where minijinja ends them, so that nothing hides behind them.
    #[test]
    fn what_only_looks_like_an_end_hides_nothing() {
        for text in [
            "{% set raw='x' %}{{ raw }}\n{{ 'x' * 1000000000 }}",
            "{% set raw='x' %}{{ raw }}{% set b = [raw, raw] %}\n{{ b * 1000000000 }}",
            "\n{{ {'a':{'b':1}} ~ 'x'*1000000000 }}",
            "\n{% set a = {'a':{'b':1}}['a'] ~ 'x' * 1000000000 %}",
            "\n{% if '%}' ~ '}}' ~ 'x' * 1000000000 %}{% endif %}",
            "{#} {{ '#}\n{{ 'x' * 1000000000 }}",
            "{% raw %} endraw {# {%- endraw -%}\n{{ 'x' * 1000000000 }}",
        ] {
            assert_eq!(line(text), Some(2), "{text}");
        }
    }

    #[test]
    fn what_does_not_grow_is_left_alone() {
        for text in [
            "{# {{ 'x' * 9 }} #}{{ (bucket_arn ~ '/*') | tojson }}",
            "{% set arn = bucket_arn ~ \"/*\" %}{{ arn }}{{ arn | tojson }}",
            "{% raw %}{{ 2 * 3 }}{% endraw %}",
            "{%- raw -%}endraw {{ 2 * 3 }}{%+ endraw +%}{{ pair }}",
            "{{ {'a': {'b': pair}} }}*{% set a = [{'a': {'b': 1}}] %}*{{ a }}",
            "{% for it in destinations if it.a == 1 %}{% set b = it.bucket_arn %}{{ b }}{% endfor %}",
            "{% set a = pair %}{% set b = a ~ '-b' %}{% set c = b ~ '-c' %}{{ c }}",
            "no tag, and one that does not end {{ a",
        ] {
            assert_eq!(unbounded(text), None, "{text}");
        }
    }
}
