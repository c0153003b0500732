//! The completion report of a batch job: why objects were not replicated, by reason.
//! Source: S3 User Guide, "Examples: S3 Batch Operations completion reports".
//! Not for: following the job (see `job`).

use crate::aws::{At, Aws, Error};
use crate::failure::Failure;
use crate::manifest::Topology;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The number of keys to name per reason.
const NAMED: usize = 5;

/// Why objects were not replicated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub struct Reason {
    /// The error code, such as `DstPutObjectNotPermitted`.
    pub code: String,
    /// The number of objects.
    pub count: u64,
    /// Keys of some of these objects.
    pub keys: Vec<String>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(rename = "Results", default)]
    results: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(rename = "TaskExecutionStatus")]
    status: String,
    #[serde(rename = "Key")]
    key: String,
}

/// Reads the report of the job `id`. Returns the reasons, the most frequent first.
pub async fn reasons(aws: &Aws, topology: &Topology, id: &str) -> Result<Vec<Reason>, Failure> {
    let reports = topology.reports();
    let manifest =
        read(aws, topology, &format!("{}job-{id}/manifest.json", reports.prefix)).await?;
    let manifest: Manifest = serde_json::from_slice(&manifest).map_err(|_| {
        Error::unreadable("s3:GetObject", &topology.source.region, "manifest of the report")
    })?;
    let mut found: BTreeMap<String, Reason> = BTreeMap::new();
    for part in manifest.results.iter().filter(|part| part.status == "failed") {
        let text = read(aws, topology, &part.key).await?;
        for (key, code) in String::from_utf8_lossy(&text).lines().filter_map(failed) {
            let none = || Reason { code: code.clone(), count: 0, keys: Vec::new() };
            let reason = found.entry(code.clone()).or_insert_with(none);
            reason.count += 1;
            if reason.keys.len() < NAMED {
                reason.keys.push(key);
            }
        }
    }
    let mut reasons: Vec<Reason> = found.into_values().collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.count));
    Ok(reasons)
}

/// How much of a part of a report is read, in bytes.
const LARGEST: usize = 512 << 20;

async fn read(aws: &Aws, topology: &Topology, key: &str) -> Result<Vec<u8>, Failure> {
    let region = &topology.source.region;
    let get = aws.s3(region).get_object().bucket(topology.reports().bucket).key(key);
    let mut output = get.send().await.at("s3:GetObject", region)?;
    let mut body = Vec::new();
    while let Some(piece) = output.body.next().await {
        let piece = piece.map_err(|_| Error::unreadable("s3:GetObject", region, "body"))?;
        body.extend_from_slice(&piece);
        if body.len() > LARGEST {
            return Err(
                Error::unreadable("s3:GetObject", region, "body of more than 512 MiB").into()
            );
        }
    }
    Ok(body)
}

/// Returns the key and the reason of a line. The fields are bucket, key, version, status, then the
/// error code and the HTTP status, for which AWS's examples and its schema give opposite orders.
fn failed(line: &str) -> Option<(String, String)> {
    let fields = split(line);
    let key =
        percent_decode_str(&fields.get(1)?.replace('+', "%20")).decode_utf8_lossy().into_owned();
    let is_code = |field: &&String| !field.is_empty() && !field.bytes().all(|b| b.is_ascii_digit());
    let code = fields.get(4..)?.iter().find(is_code).map_or("Unknown", String::as_str);
    Some((key, code.to_owned()))
}

/// Splits a line of CSV (RFC 4180).
fn split(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let (mut quoted, mut chars) = (false, line.chars().peekable());
    while let Some(c) = chars.next() {
        let Some(field) = fields.last_mut() else { break };
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => field.push(c),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_in_both_orders() {
        let said = |line: &str| failed(line).unwrap();
        let wanted = ("a/b c,\"d".to_owned(), "SrcObjectNotFound".to_owned());
        assert_eq!(said("b,\"a%2Fb+c,%22d\",v,failed,SrcObjectNotFound,404,text"), wanted);
        assert_eq!(said("b,\"a/b c,\"\"d\",v,failed,404,SrcObjectNotFound,\"te,xt\""), wanted);
        assert_eq!(said("b,k,v,failed,500,,").1, "Unknown");
        assert_eq!(failed("b,k"), None);
    }
}
