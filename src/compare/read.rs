//! Reads a recording, and says where it is broken and what is allowed there.
//! Not for: writing one (see `recording`).

use crate::recording::{Exchange, Header, SCHEMA};
use serde_json::Value;

/// An exchange, and its line in the file.
#[derive(Debug, Clone)]
pub struct Numbered {
    /// The line, from 1.
    pub line: usize,
    /// The exchange.
    pub exchange: Exchange,
}

/// One run of a recording.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its first line.
    pub header: Header,
    /// Its exchanges, in the order of their answers.
    pub exchanges: Vec<Numbered>,
}

/// A recording.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The runs, in their order.
    pub runs: Vec<Run>,
    /// Whether a line was cut off: its run was killed, or is still going on.
    pub cut_off: bool,
}

/// Why a file can't be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there, and what is allowed.
    pub why: String,
}

/// Reads `text`. A line that was cut off, at the end or before another run, is passed over.
///
/// # Errors
/// The text is no recording, is broken, or is of a later version.
pub fn read(text: &str) -> Result<Recording, Broken> {
    let broken = |line: usize, why: String| Broken { line: line + 1, why };
    let lines: Vec<&str> = text.lines().collect();
    let is_header =
        |line: &str| serde_json::from_str::<Value>(line).is_ok_and(|it| it["record"] == "header");
    let (mut runs, mut cut_off) = (Vec::<Run>::new(), false);
    for (number, line) in lines.iter().enumerate() {
        let is_last = lines.get(number + 1).is_none_or(|next| is_header(next));
        let value: Value = match serde_json::from_str(line) {
            Ok(value) => value,
            Err(_) if is_last && !runs.is_empty() => {
                cut_off = true;
                continue;
            }
            Err(error) => {
                let why = format!(
                    "this is no JSON ({error}): each line of a recording is one JSON object"
                );
                return Err(broken(number, why));
            }
        };
        match (value["record"].as_str(), runs.last_mut()) {
            (Some("header"), _) => {
                let header = header(value).map_err(|why| broken(number, why))?;
                runs.push(Run { header, exchanges: Vec::new() });
            }
            (_, None) => {
                let why = format!(
                    "this is not a recording: the first line of a recording is {{\"record\": \"header\", \"schema\": \"{SCHEMA}\", …}}"
                );
                return Err(broken(number, why));
            }
            (Some("exchange"), Some(run)) => match serde_json::from_value(value) {
                Ok(exchange) => run.exchanges.push(Numbered { line: number + 1, exchange }),
                Err(error) => {
                    let why = format!(
                        "this exchange can't be read ({error}): `crrctl schema recording` says what is allowed"
                    );
                    return Err(broken(number, why));
                }
            },
            // Lines of other kinds may be added within a version.
            (Some(_), Some(_)) => {}
            (None, Some(_)) => {
                let why = "`record` is missing: it is `header`, `exchange` or `event`".to_owned();
                return Err(broken(number, why));
            }
        }
    }
    if runs.is_empty() {
        return Err(broken(
            0,
            "the file is empty: `--record FILE` of a command writes a recording".to_owned(),
        ));
    }
    Ok(Recording { runs, cut_off })
}

fn header(value: Value) -> Result<Header, String> {
    let schema = value["schema"].as_str().unwrap_or_default().to_owned();
    let version = |text: &str| text.strip_prefix("crrctl/recording/v")?.parse::<u32>().ok();
    match (version(&schema), version(SCHEMA)) {
        (Some(its), Some(ours)) if its > ours => Err(format!(
            "`{schema}` is of a newer crrctl: this one reads up to `{SCHEMA}`. Use a crrctl that is as new as the recording"
        )),
        (Some(_), _) => serde_json::from_value(value).map_err(|error| {
            format!(
                "the header can't be read ({error}): `crrctl schema recording` says what is allowed"
            )
        }),
        (None, _) => Err(format!("`schema` is `{schema}`: of a recording it is `{SCHEMA}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"record":"header","schema":"crrctl/recording/v1","version":"0.1.0","command":"plan","names":"replaced","at":"2026-01-01T00:00:00Z"}"#;
    const EXCHANGE: &str = r#"{"record":"exchange","at":"2026-01-01T00:00:00Z","service":"kms","operation":"ListKeys","region":"us-east-1","caller":0,"attempt":1,"request":{},"status":200,"code":null,"message":null,"answer":{},"request_id":null,"duration_ms":1}"#;

    #[test]
    fn runs_are_read_and_cut_off_lines_passed_over() {
        let text = format!(
            "{HEADER}\n{EXCHANGE}\n{{\"record\":\"later\"}}\n{{\"rec\n{HEADER}\n{EXCHANGE}\n{{\"re"
        );
        let recording = read(&text).unwrap();
        let counts: Vec<usize> = recording.runs.iter().map(|run| run.exchanges.len()).collect();
        assert_eq!((counts, recording.cut_off), (vec![1, 1], true));
        assert_eq!(recording.runs[1].exchanges[0].line, 6);
    }

    #[test]
    fn what_is_broken_is_told_with_its_line() {
        let newer = HEADER.replace("/v1", "/v2");
        for (text, line, why) in [
            (String::new(), 1, "is empty"),
            ("mine".to_owned(), 1, "is no JSON"),
            ("{}".to_owned(), 1, "this is not a recording"),
            (newer, 1, "of a newer crrctl"),
            (HEADER.replace("recording", "plan"), 1, "of a recording it is `crrctl/recording/v1`"),
            (format!("{HEADER}\nmine\n{EXCHANGE}"), 2, "is no JSON"),
            (format!("{HEADER}\n{}", EXCHANGE.replace("kms", "ec2")), 2, "can't be read"),
            (format!("{HEADER}\n{{}}"), 2, "`record` is missing"),
        ] {
            let broken = read(&text).unwrap_err();
            assert!(broken.line == line && broken.why.contains(why), "{text}: {broken:?}");
        }
    }
}
