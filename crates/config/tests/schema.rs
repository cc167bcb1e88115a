//! The shipped JSON schema is the one that the types declare, and the fixtures are what it describes.

use std::path::{Path, PathBuf};

use serde_json::Value;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_shipped_schema_is_up_to_date() {
    let path = repository().join("schema/processes.schema.json");
    let declared = forge_config::schema::schema();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, &declared).expect("the schema");
    }
    let shipped = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        shipped == declared,
        "schema/processes.schema.json is out of date: run this test with UPDATE_SCHEMA=1"
    );
}

#[test]
fn every_key_is_described() {
    let schema: Value = serde_json::from_str(&forge_config::schema::schema()).expect("JSON");
    let definitions = schema["definitions"].as_object().expect("definitions");
    for (name, definition) in definitions {
        for (key, property) in definition["properties"].as_object().into_iter().flatten() {
            assert!(
                property["description"].is_string(),
                "{name}.{key} says nothing to the one who asks in an editor"
            );
        }
    }
}

/// As much of JSON schema as ours uses.
fn matches(root: &Value, schema: &Value, value: &Value) -> bool {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.trim_start_matches("#/definitions/");
        return matches(root, &root["definitions"][name], value);
    }
    let alternatives = schema["anyOf"].as_array().or(schema["oneOf"].as_array());
    if alternatives.is_some_and(|list| !list.iter().any(|schema| matches(root, schema, value))) {
        return false;
    }
    if schema["allOf"].as_array().is_some_and(|list| !list.iter().all(|schema| matches(root, schema, value)))
    {
        return false;
    }
    if schema["enum"].as_array().is_some_and(|list| !list.contains(value)) {
        return false;
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => return true,
    };
    types.iter().any(|one| match *one {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        "array" => value
            .as_array()
            .is_some_and(|items| items.iter().all(|item| matches(root, &schema["items"], item))),
        "object" => value.as_object().is_some_and(|object| object_matches(root, schema, object)),
        other => panic!("the schema uses the type {other}"),
    })
}

fn object_matches(root: &Value, schema: &Value, object: &serde_json::Map<String, Value>) -> bool {
    let required = schema["required"].as_array();
    let complete =
        required.into_iter().flatten().all(|key| object.contains_key(key.as_str().unwrap_or_default()));
    complete
        && object.iter().all(|(key, value)| match &schema["properties"][key] {
            Value::Null if key.starts_with("x-") => true,
            Value::Null => match &schema["additionalProperties"] {
                Value::Bool(false) => false,
                Value::Object(_) => matches(root, &schema["additionalProperties"], value),
                _ => true,
            },
            declared => matches(root, declared, value),
        })
}

#[test]
fn every_valid_fixture_is_what_the_schema_describes() {
    let schema: Value = serde_json::from_str(&forge_config::schema::schema()).expect("JSON");
    for entry in std::fs::read_dir(repository().join("tests/fixtures/valid")).expect("fixtures") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a fixture");
        let value: Value = serde_yaml::from_str(&text).expect("YAML");
        assert!(matches(&schema, &schema, &value), "{} does not match the schema", path.display());
    }
}

#[test]
fn the_schema_knows_wrong_keys_and_types() {
    let schema: Value = serde_json::from_str(&forge_config::schema::schema()).expect("JSON");
    for text in [
        "dev: [{ name: a, command: x, prot: 1 }]",
        "dev: [{ command: x }]",
        "dev: { process: [] }",
        "dev: [{ name: a, command: { a: b } }]",
        "dev: [{ name: a, command: x, tty: 1 }]",
        "dev: [{ name: a, command: x, port: true }]",
    ] {
        let value: Value = serde_yaml::from_str(text).expect("YAML");
        assert!(!matches(&schema, &schema, &value), "{text} matches the schema");
    }
}
