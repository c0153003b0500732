//! Makes text harmless before it is shown: names, tags and messages come from elsewhere, and a
//! terminal or a CI runner acts on some of what they may hold. Also takes out the secrets of URLs.
//! Not for: JSON, HTML and `JUnit`, which have an escaping of their own.

use std::borrow::Cow;

/// Returns `text` with control characters, characters that change the direction of text, commands of
/// a CI runner, and the secrets of URLs made visible or taken out. Colors stay.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let in_ci = std::env::var("GITHUB_ACTIONS").is_ok_and(|it| it == "true");
    if !text.chars().any(acts) && !text.contains("://") && !in_ci {
        return Cow::Borrowed(text);
    }
    let text = shown(text);
    Cow::Owned(if in_ci { without_commands(&text) } else { text })
}

/// Returns what may come from elsewhere as a part of one line: its line breaks and colors are made
/// visible too, since those of the program's own text stay (see [`harmless`]).
pub fn inline(text: &str) -> Cow<'_, str> {
    if !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Returns `text` with everything made visible or taken out that a terminal acts on, or that is
/// secret.
pub(super) fn shown(text: &str) -> String {
    without_secrets(&visible(text))
}

/// Returns whether a terminal acts on a character. Line breaks and tabs are the program's own.
fn acts(c: char) -> bool {
    let is_control = c.is_control() && c != '\n' && c != '\t';
    let is_direction = matches!(c,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    is_control || is_direction
}

fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(color) = color(rest) {
            shown.push_str(color);
            rest = &rest[color.len()..];
            continue;
        }
        if acts(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    shown
}

/// Returns the escape sequence for a color at the beginning of `text`, if there is one.
fn color(text: &str) -> Option<&str> {
    let codes = text.strip_prefix("\u{1b}[")?;
    let end = codes.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    codes[end..].starts_with('m').then(|| &text[..end + 3])
}

/// A line that begins with `::` is a command to GitHub's runner (GitHub Docs, "Workflow commands for
/// GitHub Actions"). The program's own annotations do not pass here.
fn without_commands(text: &str) -> String {
    let line = |line: &str| {
        let start = line.trim_start();
        // The older form is found anywhere in a line.
        let line = line.replace("##[", "##\u{b7}[");
        if start.starts_with("::") { line.replacen("::", "\u{b7}::", 1) } else { line }
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// What stands in place of a secret.
const HIDDEN: &str = "***";
/// Query parameters that let others act: those of a presigned URL, and the usual names of others.
const SECRETS: [&str; 7] = [
    "X-Amz-Signature=",
    "X-Amz-Security-Token=",
    "X-Amz-Credential=",
    "token=",
    "password=",
    "secret=",
    "api_key=",
];
/// What stands before a query parameter.
const BEFORE: [char; 2] = ['?', '&'];

fn without_secrets(text: &str) -> String {
    let mut text = text.to_owned();
    let mut from = 0;
    while let Some(at) = text[from..].find("://").map(|at| from + at + 3) {
        let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '`' | '\'');
        let end = text[at..].find(ends).map_or(text.len(), |end| at + end);
        if let Some(host) = text[at..end].rfind('@') {
            text.replace_range(at..at + host, HIDDEN);
        }
        from = at;
    }
    for name in SECRETS {
        let mut from = 0;
        while let Some(at) = text[from..].find(name).map(|at| from + at + name.len()) {
            from = at;
            if !text[..at - name.len()].ends_with(BEFORE) {
                continue;
            }
            let ends = |c: char| c.is_whitespace() || matches!(c, '&' | '"' | '`' | '\'');
            let end = text[at..].find(ends).map_or(text.len(), |end| at + end);
            text.replace_range(at..end, HIDDEN);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_elsewhere_stays_in_its_line() {
        assert_eq!(inline("a\n::error::b\u{1b}[31m\tc"), "a\\u{a}::error::b\\u{1b}[31m\\u{9}c");
        assert!(matches!(inline("日本/ b"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_a_terminal_acts_on_is_made_visible_and_colors_stay() {
        let text = "\u{1b}[1;31merror\u{1b}[0m: `a\u{1b}]0;x\u{7}b\u{9b}2J\u{202e}c\rd`\n\tnext";
        let shown =
            "\u{1b}[1;31merror\u{1b}[0m: `a\\u{1b}]0;x\\u{7}b\\u{9b}2J\\u{202e}c\\u{d}d`\n\tnext";
        assert_eq!(harmless(text), shown);
        assert_eq!(harmless("plain — text"), "plain — text");
    }

    #[test]
    fn secrets_of_urls_are_taken_out() {
        let text = "by `http://ann:se@cret@proxy:3128/x` and https://b.s3/k?X-Amz-Signature=abc&a=b&token=t s3://b/k@1 token=1";
        let shown = "by `http://***@proxy:3128/x` and https://b.s3/k?X-Amz-Signature=***&a=b&token=*** s3://b/k@1 token=1";
        assert_eq!(harmless(text), shown);
    }

    #[test]
    fn a_runner_gets_no_command() {
        assert_eq!(
            without_commands("a\n::error::x\n  ::set"),
            "a\n\u{b7}::error::x\n  \u{b7}::set"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_acts(text in "\\PC{0,40}|[\\x00-\\x1f\\u{80}-\\u{9f}\\u{202a}-\\u{202e}a:@/]{0,40}") {
            let shown = visible(&text);
            let mut rest = shown.as_str();
            while let Some(c) = rest.chars().next() {
                let skipped = color(rest).map_or(c.len_utf8(), str::len);
                proptest::prop_assert!(skipped > c.len_utf8() || !acts(c), "{shown:?}");
                rest = &rest[skipped..];
            }
        }
    }
}
