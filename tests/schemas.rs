//! The published schemas of what crrctl prints: every object and event of every test is held against them (see `common`), and
//! here each schema refuses what is broken.

use crate::common::{SOURCE, Stand, alone, signal};
use aws_sdk_s3::primitives::ByteStream;
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::sync::LazyLock;

/// Parts whose fields are not crrctl's to name: policies, condition keys, files by name, values of
/// settings.
const OPEN: [&str; 9] = [
    "documents",
    "context",
    "document",
    "files",
    "json_schema",
    "commands",
    "errors",
    "from",
    "to",
];

/// The validators by the name of an object's command or an event.
static VALIDATORS: LazyLock<BTreeMap<String, Validator>> = LazyLock::new(|| {
    let mut validators = BTreeMap::new();
    for (text, by) in [
        (include_str!("../schemas/objects.schema.json"), "schema"),
        (include_str!("../schemas/events.schema.json"), "event"),
    ] {
        let mut schema: Value = serde_json::from_str(text).unwrap();
        let definitions = schema["$defs"].as_object_mut().unwrap();
        definitions.values_mut().for_each(close);
        let definitions = schema["$defs"].clone();
        for (name, definition) in definitions.as_object().unwrap() {
            let Some(key) = definition["properties"][by]["const"].as_str() else { continue };
            let one = json!({"$ref": format!("#/$defs/{name}"), "$defs": definitions});
            validators.insert(key.to_owned(), jsonschema::validator_for(&one).unwrap());
        }
    }
    validators
});

/// Lets no field in that is not told of: whoever adds one has to say so in the schema. Published, a schema stays open.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(close);
            if fields.contains_key("properties") {
                fields.entry("additionalProperties").or_insert(json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// Returns what is wrong with a command's stdout, if it is JSON.
pub(crate) fn faults(stdout: &str) -> Result<(), String> {
    if let Ok(object) = serde_json::from_str::<Value>(stdout) {
        return judge(&object);
    }
    stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).try_for_each(|it| judge(&it))
}

fn judge(object: &Value) -> Result<(), String> {
    let Some(name) = object["schema"].as_str().or_else(|| object["event"].as_str()) else {
        return Ok(());
    };
    judge_as(name, object)
}

fn judge_as(name: &str, object: &Value) -> Result<(), String> {
    let validator = VALIDATORS.get(name).ok_or_else(|| format!("no schema tells of `{name}`"))?;
    let faults: Vec<String> = validator
        .iter_errors(object)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(format!("{name}: {}", faults.join("; "))) }
}

/// Returns a value of another type.
fn other(value: &Value) -> Value {
    if value.is_boolean() { json!([]) } else { json!(true) }
}

/// Calls `with` on each copy of `object` in which one value has another type.
fn broken(object: &Value, with: &mut impl FnMut(&str, &Value)) {
    let mut paths = Vec::new();
    walk(object, &mut String::new(), &mut paths);
    for path in paths {
        let mut copy = object.clone();
        let place = copy.pointer_mut(&path).unwrap();
        *place = other(place);
        with(&path, &copy);
    }
}

fn walk(value: &Value, path: &mut String, paths: &mut Vec<String>) {
    let mut inside = |key: &str, value: &Value| {
        let length = path.len();
        path.push('/');
        path.push_str(&key.replace('~', "~0").replace('/', "~1"));
        paths.push(path.clone());
        if !OPEN.contains(&key) {
            walk(value, path, paths);
        }
        path.truncate(length);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| inside(key, value)),
        // Items are alike: the first stands for all.
        Value::Array(items) => {
            if let Some(item) = items.first() {
                inside("0", item);
            }
        }
        _ => {}
    }
}

/// Returns an object of each command and each event of a run.
fn real() -> Vec<Value> {
    let stand = Stand::new();
    let mut objects = Vec::new();
    let mut keep = |args: &[&str]| {
        let output = stand.pair(args);
        objects.push(output.json());
    };
    keep(&["plan"]);
    keep(&["apply", "--yes"]);
    keep(&["probe", "--delete-marker"]);
    stand.s3("us-east-1", async |s3| {
        let put = s3.put_object().bucket(SOURCE).key("k").body(ByteStream::from_static(b"x"));
        put.send().await.unwrap();
    });
    keep(&["check"]);
    keep(&["status"]);
    keep(&["help"]);
    keep(&["version"]);
    keep(&["nonsense"]);
    keep(&["export", "cloudformation"]);
    keep(&["policy", "render"]);
    keep(&["policy", "prove"]);
    keep(&["policy", "operator"]);
    keep(&["rehearse"]);
    keep(&["smoke"]);
    keep(&["backfill", "--yes"]);
    for args in [
        &["list", "--regions", "us-east-1,us-west-2"][..],
        &["gc", "--regions", "us-east-1,us-west-2", "--yes"],
        &["wait", &format!("s3://{SOURCE}/k")],
        &["import", SOURCE],
        &["import", SOURCE, "--out", "imported.yaml"],
        &["compare", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings/rehearse.ndjson")],
        &["explain"],
        &["explain", "DstPutObjectNotPermitted"],
        &["schema", "events"],
        &["completions", "bash"],
        &["man"],
    ] {
        objects.push(stand.run(&[args, &["-o", "json"]].concat()).json());
    }
    let destroy = stand.pair(&["destroy", "--yes", "--purge-data"]).json();
    objects.push(destroy);
    let lines =
        stand.run(&[&["apply", "--yes", "-o", "ndjson"], &crate::common::PAIR[..]].concat());
    let mut told = BTreeSet::new();
    for line in lines.stdout.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        if told.insert(event["event"].to_string()) {
            objects.push(event);
        }
    }
    // Of many pairs too.
    let many = "source: {region: us-east-1}\ndestinations: [{region: us-west-2}]\npairs: [{name: a}, {name: b}]\n";
    objects.push(stand.manifest(&["plan", "-o", "json"], many).json());
    let lines = stand.manifest(&["plan", "-o", "ndjson"], many);
    objects.extend(lines.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
    let init = ["init", "--name", "a", "--source", "us-east-1", "--destination", "us-west-2"];
    objects.push(stand.run(&[&init[..], &["-o", "json"]].concat()).json());
    objects.push(watched(&stand));
    // A failure too, and of a command that has nothing else to say.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    objects.push(alone(&["sandbox", "--listen", &at, "-o", "json"]).exits(3).json());
    objects.push(alone(&["apply", "--yes", "-o", "json"]).exits(3).json());
    objects
}

/// Returns the object of a watch, which ends by a signal alone.
fn watched(stand: &Stand) -> Value {
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    let mut watch = stand.command(&[&["watch", "-o", "json"], &crate::common::PAIR[..]].concat());
    watch.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = watch.spawn().unwrap();
    let puts = || stand.control("GET", "calls", "")["by_operation"]["s3:PutObject"].as_u64();
    let before = puts();
    Stand::wait_until("it probes", || puts() > before);
    signal(&child, "TERM");
    crate::common::output_of(&child.wait_with_output().unwrap()).json()
}

#[test]
fn each_schema_takes_what_is_printed_and_refuses_it_broken() {
    let objects = real();
    let (mut seen, mut refused) = (BTreeSet::new(), 0);
    let mut taken = Vec::new();
    for object in &objects {
        judge(object).unwrap();
        let name = object["schema"].as_str().or_else(|| object["event"].as_str()).unwrap();
        seen.insert(name.to_owned());
        broken(object, &mut |path, copy| {
            if judge_as(name, copy).is_ok() {
                taken.push(format!("{name} {path}"));
            } else {
                refused += 1;
            }
        });
    }
    println!(
        "schemas: {} objects and events of {} kinds; {refused} broken ones refused",
        objects.len(),
        seen.len()
    );
    assert_eq!(taken, [""; 0], "taken although broken");
    let objects: Vec<&String> = VALIDATORS
        .keys()
        .filter(|key| key.starts_with("crrctl/") && !seen.contains(*key))
        .collect();
    assert!(objects.is_empty(), "no real object was held against these: {objects:?}");
}
