//! The schemas of objects and events are generated from the types of what is printed. The files in
//! `schemas/` are compared with them; `CRRCTL_UPDATE_SCHEMAS=1 cargo test --lib schema` writes them.

use crate::cli::objects::{
    ApplyObject, BackfillObject, CheckObject, CompareObject, CompletionsObject, DestroyObject,
    ExplainObject, ExportObject, GcObject, HelpObject, ImportObject, InitObject, ListObject,
    ManObject, NoCommandObject, Object, OperatorObject, PlanObject, ProbeObject, ProveObject,
    RehearseObject, RenderObject, SandboxObject, SchemaObject, SmokeObject, StatusObject,
    VersionObject, WaitObject, WatchObject,
};
use crate::report::Line;
use clap::CommandFactory;
use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().for_serialize().into_generator()
}

/// Returns a schema whose definitions are the alternatives `these`, with a name each, and what
/// they refer to.
fn whole(
    title: &str,
    description: &str,
    these: Vec<(String, Value)>,
    mut all: Map<String, Value>,
) -> Value {
    let refer = |(name, _): &(String, Value)| json!({"$ref": format!("#/$defs/{name}")});
    let one_of: Vec<Value> = these.iter().map(refer).collect();
    all.extend(these);
    all.values_mut().for_each(tidy);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": description,
        "oneOf": one_of,
        "$defs": all,
    })
}

/// Leaves out what is Rust's and not JSON's: the widths of numbers, the lines of comments.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(fields) => {
            if fields.get("format").is_some_and(|it| it != "date-time") {
                fields.remove("format");
                fields.remove("maximum");
            }
            if fields.contains_key("const") {
                fields.remove("type");
            }
            if let Some(Value::String(text)) = fields.shift_remove("description") {
                let text = text.replace('\n', " ").replace("`None`", "null");
                fields.shift_insert(0, "description".to_owned(), json!(text.trim_end_matches('.')));
            }
            if let Some(words) = words(fields) {
                fields.remove("oneOf");
                fields.insert("type".to_owned(), json!("string"));
                fields.insert("enum".to_owned(), json!(words));
            }
            fields.values_mut().for_each(tidy);
        }
        _ => {}
    }
}

/// Returns the words of a list of which each has a description of its own.
fn words(fields: &Map<String, Value>) -> Option<Vec<Value>> {
    fields.get("oneOf")?.as_array()?.iter().map(|it| it.get("const").cloned()).collect()
}

/// Compares the file of a schema with `generated`.
fn is_generated(name: &str, generated: &Value) {
    let path = format!("{}/schemas/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    let text = format!("{generated:#}\n");
    if std::env::var_os("CRRCTL_UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap();
    let differs = there.lines().zip(text.lines()).position(|(there, line)| there != line);
    assert!(
        there == text,
        "{path} is not what the types say, from line {:?} on: \
         `CRRCTL_UPDATE_SCHEMAS=1 cargo test --lib schema` writes it",
        differs.map(|line| line + 1)
    );
}

#[test]
fn events_are_generated() {
    let mut generator = generator();
    let lines = generator.root_schema_for::<Line<'_>>();
    let events = lines.get("oneOf").and_then(Value::as_array).unwrap();
    let name = |event: &Value| event["properties"]["event"]["const"].as_str().unwrap().to_owned();
    let events = events.iter().map(|event| (name(event), event.clone())).collect();
    let description = "One object a line as things happen, told apart by `event`. Fields and events may be added within a version.";
    let generated = whole(
        "What crrctl prints with `-o ndjson`",
        description,
        events,
        generator.take_definitions(true),
    );
    is_generated("events", &generated);
}

#[test]
fn recordings_are_generated() {
    let mut generator = generator();
    let lines = generator.root_schema_for::<crate::recording::Line>();
    let lines = lines.get("oneOf").and_then(Value::as_array).unwrap();
    let name = |line: &Value| line["properties"]["record"]["const"].as_str().unwrap().to_owned();
    let mut lines: Vec<_> = lines.iter().map(|line| (name(line), line.clone())).collect();
    lines[0].1["properties"]["schema"]["const"] = json!(crate::recording::SCHEMA);
    let description = "One object a line, told apart by `record`. Members have the names of the services' models. Fields and lines may be added within a version.";
    let generated = whole(
        "What crrctl writes with `--record`",
        description,
        lines,
        generator.take_definitions(true),
    );
    is_generated("recording", &generated);
}

/// Adds the definition of the object `T`: what its type says, the value of `schema`, and the forms
/// that the object has.
fn define<T: Object + JsonSchema>(generator: &mut SchemaGenerator, these: &mut Vec<String>) {
    let name = T::schema_name().into_owned();
    generator.subschema_for::<T>();
    let object = generator.definitions_mut()[&name].as_object_mut().unwrap();
    object["properties"]["schema"] = json!({"const": T::SCHEMA});
    for field in T::FORMS.iter().copied().flatten() {
        assert!(object["properties"].get(*field).is_some(), "{name}: {field}");
    }
    if !T::FORMS.is_empty() {
        let forms = T::FORMS.iter().map(|fields| json!({"required": fields}));
        let failed = std::iter::once(json!({"required": ["error"]}));
        object.insert("anyOf".to_owned(), failed.chain(forms).collect());
    }
    these.push(name);
}

#[test]
fn objects_are_generated() {
    let mut generator = generator();
    let mut these = Vec::new();
    macro_rules! define {
        ($($object:ty),* $(,)?) => { $(define::<$object>(&mut generator, &mut these);)* };
    }
    define![
        PlanObject,
        ApplyObject,
        ProbeObject,
        WaitObject,
        CheckObject,
        StatusObject,
        WatchObject,
        BackfillObject,
        DestroyObject,
        SmokeObject,
        ListObject,
        GcObject,
        RenderObject,
        ProveObject,
        OperatorObject,
        ExplainObject,
        InitObject,
        ImportObject,
        CompletionsObject,
        VersionObject,
        HelpObject,
        ManObject,
        ExportObject,
        RehearseObject,
        CompareObject,
        SandboxObject,
        SchemaObject,
        NoCommandObject,
    ];
    let mut all = generator.take_definitions(true);
    let these = these.into_iter().map(|name| {
        let definition = all.shift_remove(&name).unwrap();
        (name, definition)
    });
    let these = these.collect();
    let description = "One object on stdout, told apart by `schema`. Durations are in milliseconds, times in RFC 3339. Fields may be added within a version, never taken away or given another meaning. Where `error` is there, the object goes as far as the command got.";
    is_generated("objects", &whole("What crrctl prints with `-o json`", description, these, all));
}

/// Every command prints the object that its name says.
#[test]
fn schemas_are_named_after_commands() {
    let mut all = crate::cli::Cli::command();
    all.build();
    let mut names = Vec::new();
    for command in all.get_subcommands() {
        match command.get_name() {
            "policy" => names
                .extend(command.get_subcommands().map(|it| format!("policy-{}", it.get_name()))),
            name => names.push(name.to_owned()),
        }
    }
    let schema: Value = serde_json::from_str(super::SchemaOf::Objects.text()).unwrap();
    for name in names {
        let says = &schema["$defs"][format!("{name}-output")]["properties"]["schema"]["const"];
        assert_eq!(*says, format!("crrctl/{name}/v1"));
    }
}
