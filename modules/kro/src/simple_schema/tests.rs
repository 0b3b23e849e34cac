use guest_sdk::Failure;

use super::*;
use crate::reader;

fn definition(kind: &str, types: Value, spec: Value) -> Definition {
    let schema = json!({"apiVersion": "v1", "kind": "Thing", "types": types, "spec": spec});
    let object = json!({"apiVersion": "kro.run/v1alpha1", "kind": kind, "spec": {"schema": schema}});
    reader::read(&object, &mut Problems::default()).unwrap()
}

fn old(spec: Value) -> Definition {
    definition("ResourceGroup", json!({}), spec)
}

fn new(types: Value, spec: Value) -> Definition {
    definition("ResourceGraphDefinition", types, spec)
}

fn schema(definition: &Definition) -> Value {
    let mut problems = Problems::default();
    let schema = spec(definition, &mut problems);
    assert!(problems.into_result().unwrap_or_else(|failure| panic!("{failure:?}")).is_empty());
    schema
}

/// The schema of one field of v0.9.
fn field(line: &str) -> Value {
    schema(&new(json!({}), json!({ "f": line })))["properties"]["f"].clone()
}

fn problems(definition: &Definition) -> Vec<guest_sdk::Problem> {
    let mut problems = Problems::default();
    spec(definition, &mut problems);
    match problems.into_result() {
        Err(Failure::Invalid(found)) => found,
        other => panic!("it is accepted: {other:?}"),
    }
}

/// What is wrong with one field, in a dialect.
fn refusal(definition: &Definition) -> (String, String, Option<(u32, u32)>, String) {
    let mut found = problems(definition);
    assert_eq!(found.len(), 1, "{found:?}");
    let found = found.remove(0);
    (found.code, found.message, found.span, found.hint.unwrap())
}

fn old_refusal(line: &str) -> (String, String, Option<(u32, u32)>, String) {
    refusal(&old(json!({ "f": line })))
}

#[test]
fn every_type_becomes_its_openapi_form() {
    let spec =
        json!({"a": "string", "b": "[]integer", "c": "map[string][]boolean", "d": "float", "e": {"f": "string"}});
    let expected = json!({"type": "object", "properties": {
        "a": {"type": "string"},
        "b": {"type": "array", "items": {"type": "integer"}},
        "c": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "boolean"}}},
        "d": {"type": "number"},
        "e": {"type": "object", "properties": {"f": {"type": "string"}}},
    }});
    assert_eq!(schema(&old(spec.clone())), expected);
    assert_eq!(schema(&new(json!({}), spec)), expected);
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    assert_eq!(field("object"), open);
    assert_eq!(field("map[string][]object")["additionalProperties"]["items"], open);
    assert_eq!(
        schema(&new(json!({}), json!({"e": {}}))),
        json!({"type": "object", "properties": {"e": {"type": "object"}}})
    );
}

#[test]
fn in_v01_required_follows_its_value_and_a_nested_default_stays_where_it_is() {
    let found = schema(&old(json!({
        "b": "string | required=true", "a": "string | required=1", "c": "string | required=false",
        "d": {"e": r#"string | description="one | two" default=x"#},
    })));
    assert_eq!(found["required"], json!(["a", "b"]));
    let nested = json!({"type": "object", "properties": {
        "e": {"type": "string", "description": "one | two", "default": "x"},
    }});
    assert_eq!(found["properties"]["d"], nested);
    assert_eq!(found.get("default"), None);
}

#[test]
fn each_marker_of_v09_has_its_effect() {
    let rule = |rule: &str, message: &str| json!({"rule": rule, "message": message});
    let list = |more: Value| {
        let mut list = json!({"type": "array", "items": {"type": "string"}});
        list.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        list
    };
    for (line, expected) in [
        ("string | required=false", json!({"type": "string"})),
        (r#"string | description="a | b""#, json!({"type": "string", "description": "a | b"})),
        (r#"string | description="""#, json!({"type": "string"})),
        ("integer | minimum=0 maximum=1e2", json!({"type": "integer", "minimum": 0, "maximum": 100})),
        ("float | minimum=0.5", json!({"type": "number", "minimum": 0.5})),
        ("string | minimum=1", json!({"type": "string", "minimum": 1})),
        (r#"string | enum="a, b""#, json!({"type": "string", "enum": ["a", "b"]})),
        ("integer | enum=1,2", json!({"type": "integer", "enum": [1, 2]})),
        (r#"string | pattern="^[a-z]{2}\d$""#, json!({"type": "string", "pattern": r"^[a-z]{2}\d$"})),
        (r#"string | pattern="^[[a]+$""#, json!({"type": "string", "pattern": "^[[a]+$"})),
        ("string | minLength=0 maxLength=9", json!({"type": "string", "minLength": 0, "maxLength": 9})),
        ("[]string | minItems=1 maxItems=2", list(json!({"minItems": 1, "maxItems": 2}))),
        ("[]string | uniqueItems=true", list(json!({"x-kubernetes-list-type": "set"}))),
        ("[]string | uniqueItems=false", list(json!({}))),
        ("[]string | listType=atomic", list(json!({"x-kubernetes-list-type": "atomic"}))),
        (
            r#"string | validation="self != ''" immutable=true validation=self.size()<9"#,
            json!({"type": "string", "x-kubernetes-validations": [
                rule("self != ''", "validation failed"),
                rule("self == oldSelf", "field is immutable"),
                rule("self.size()<9", "validation failed"),
            ]}),
        ),
        ("string | immutable=false", json!({"type": "string"})),
        ("string | default=", json!({"type": "string", "default": ""})),
        (r#"string | default="say \"hi\"""#, json!({"type": "string", "default": "say \"hi\""})),
        ("string | default=a default=b", json!({"type": "string", "default": "b"})),
        ("boolean | default=T", json!({"type": "boolean", "default": true})),
        ("integer | default=0 minimum=0", json!({"type": "integer", "default": 0, "minimum": 0})),
        (
            r#"object | default={"k":{"n":1}}"#,
            json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "default": {"k": {"n": 1}}}),
        ),
    ] {
        assert_eq!(field(line), expected, "{line}");
    }
}

#[test]
fn a_keyed_list_needs_a_key_that_every_element_has() {
    let types = json!({"Port": {
        "name": "string | required=true", "port": "integer | default=1", "host": "string", "more": "object",
    }});
    let found = schema(&new(types.clone(), json!({"f": "[]Port | listMapKey=name listType=map listMapKey=port"})));
    assert_eq!(found["properties"]["f"]["x-kubernetes-list-map-keys"], json!(["name", "port"]));
    for (line, message) in [
        ("[]Port | listMapKey=name", "listMapKey marker requires listType=map"),
        ("[]Port | listType=map", "listType=map requires a listMapKey marker"),
        ("[]Port | listType=map listMapKey=host", "the listMapKey `host` must be required or have a default"),
        ("[]Port | listType=map listMapKey=more", "the listMapKey `more` must be a single value"),
        ("[]Port | listType=map listMapKey=x", "the listMapKey `x` is not a field of the elements"),
        ("[]string | listType=map listMapKey=x", "the listMapKey `x` is not a field of the elements"),
        ("[]Port | uniqueItems=true", "the elements of a set cannot be maps"),
    ] {
        let (code, found, span, _) = refusal(&new(types.clone(), json!({ "f": line })));
        let expected = format!("failed to build OpenAPI schema for instance: field f: {message}");
        assert_eq!((code.as_str(), found, span.is_some()), ("InvalidMarker", expected, true), "{line}");
    }
}

#[test]
fn an_element_of_a_list_has_no_former_self_unless_the_list_has_keys() {
    let types = json!({"Id": "string | required=true immutable=true", "Item": {"id": "Id", "n": "integer"}});
    for line in ["Id", "Item", "map[string]Item", "[]Item | listType=map listMapKey=id", "[]string | immutable=true"] {
        schema(&new(types.clone(), json!({ "f": line })));
    }
    for line in ["[]Id", "[]Item", "map[string][]Item", "[]map[string]Id"] {
        let (code, message, _, _) = refusal(&new(types.clone(), json!({ "f": line })));
        assert_eq!(code, "InvalidMarker");
        assert!(message.contains("an element of a list cannot be immutable"), "{line}: {message}");
    }
}

#[test]
fn an_object_has_a_default_if_a_child_has_one_and_none_is_required() {
    for (spec, expected) in [
        (json!({"a": "string | default=x"}), Some(json!({}))),
        (json!({"a": "string"}), None),
        (json!({"a": "string | default=x", "b": "string | required=true"}), None),
        (json!({"a": "string | default=x", "b": "string | required=false"}), Some(json!({}))),
        (json!({"p": {"q": {"s": "string | default=x"}}}), Some(json!({}))),
        (json!({"o": {"r": "string | required=true", "d": "integer | default=3"}}), None),
        (json!({"a": "Cfg"}), Some(json!({}))),
        (json!({"a": "Needy"}), None),
        (json!({"a": "[]Cfg"}), None),
        (json!({"a": "map[string]Cfg"}), None),
    ] {
        let types = json!({
            "Cfg": {"timeout": "integer | default=30"},
            "Needy": {"name": "string | required=true", "timeout": "integer | default=30"},
        });
        assert_eq!(schema(&new(types, spec.clone())).get("default"), expected.as_ref(), "{spec}");
    }
    let nested = schema(&new(json!({}), json!({"p": {"q": {"s": "string | default=x"}}})));
    assert_eq!(nested.pointer("/properties/p/properties/q/default"), Some(&json!({})));
    assert_eq!(nested.pointer("/properties/p/default"), Some(&json!({})));
}

#[test]
fn a_type_with_a_name_is_written_out_where_it_is_used() {
    let port = json!({"type": "integer", "default": 80, "minimum": 1, "maximum": 65535});
    let found = schema(&new(
        json!({"Port": "integer | required=true default=80 minimum=1 maximum=65535", "Also": "Port"}),
        json!({"a": "Port", "b": "[]Port", "c": "map[string]Port", "d": "Also"}),
    ));
    let expected = json!({"type": "object", "required": ["a", "d"], "properties": {
        "a": port,
        "b": {"type": "array", "items": port},
        "c": {"type": "object", "additionalProperties": port},
        "d": port,
    }});
    assert_eq!(found, expected);
}

#[test]
fn a_use_of_a_type_may_add_markers_and_require_it() {
    let types = json!({"Cfg": {"n": "integer | default=1", "s": "string"}, "Id": "string | required=true"});
    let spec = json!({"cfg": r#"Cfg | required=true description="x" default={"n":2}"#, "id": "Id | required=false"});
    let found = schema(&new(types, spec));
    assert_eq!(found["required"], json!(["cfg", "id"]));
    assert_eq!(
        (&found["properties"]["cfg"]["default"], &found["properties"]["cfg"]["description"]),
        (&json!({"n": 2}), &json!("x"))
    );
}

#[test]
fn an_error_stands_where_kro_would_report_it() {
    let prefix = "failed to build OpenAPI schema for instance: ";
    for (types, spec, at, message) in [
        (json!({}), json!({"port": "wrongtype"}), "spec/port", "field port: unknown type: wrongtype"),
        (json!({}), json!({"a": {"b": "[]X"}}), "spec/a/b", "field a: field b: unknown type: X"),
        (json!({}), json!({"a": "[]"}), "spec/a", "field a: empty slice element type"),
        (json!({}), json!({"a": ""}), "spec/a", "field a: empty type"),
        (json!({}), json!({"a": "map[integer]string"}), "spec/a", "field a: map key must be string"),
        (json!({}), json!({"a": [1]}), "spec/a", "field a: unexpected type: a field cannot be a list"),
        (json!({"T": "[]"}), json!({}), "types/T", "parsing type T: empty slice element type"),
        (
            json!({"T": {"a": 1}}),
            json!({}),
            "types/T/a",
            "parsing type T: field a: unexpected type: a field cannot be a number",
        ),
        (json!({"T": {"a": "X"}}), json!({"t": "T"}), "types/T/a", "node X does not exist"),
        (
            json!({"T": {"a": "string | minLength=x"}}),
            json!({"t": "T"}),
            "types/T/a",
            "building schema for T: field a: failed to parse minLength value: parsing \"x\": invalid syntax",
        ),
        (
            json!({"T": "T"}),
            json!({"t": "T"}),
            "types/T",
            "cyclic dependency in type T: self references are not allowed",
        ),
        (
            json!({"A": "B", "B": "A"}),
            json!({"a": "A | default=x minimum=1", "b": "[]B"}),
            "types/A",
            "cyclic dependency in type A: graph contains a cycle: A -> B -> A",
        ),
    ] {
        let found = problems(&new(types, spec));
        let found: Vec<(&str, &str)> = found.iter().map(|it| (it.at.as_str(), it.message.as_str())).collect();
        let at = format!("/spec/schema/{at}");
        assert_eq!(found, [(at.as_str(), format!("{prefix}{message}").as_str())]);
    }
}

#[test]
fn a_bad_marker_is_refused_in_kros_words() {
    for (line, message) in [
        ("string |", "marker key '' without a value"),
        ("string | required=true ", "marker key '' without a value"),
        ("string | required", "marker key 'required' without a value"),
        ("string | required=true optional", "marker key 'optional' without a value"),
        ("string | =x", "empty marker key"),
        ("string | requird=true", "invalid marker key \"requird\": unknown marker: requird"),
        ("string | default=x | required=true", "invalid marker key \"|required\": unknown marker: |required"),
        ("string | default=\"x", "unclosed quote"),
        ("string | default={", "unclosed bracket/brace"),
        ("string | default=}", "unmatched closing bracket/brace"),
        ("string | required=maybe", "failed to parse required marker value"),
        ("string | immutable=maybe", "failed to parse immutable marker value"),
        ("[]string | uniqueItems=maybe", "failed to parse uniqueItems marker value"),
        ("string | uniqueItems=true", "uniqueItems marker is only valid for array types, got type: string"),
        ("integer | minimum=x", "failed to parse minimum enum value"),
        ("integer | maximum=inf", "failed to parse maximum enum value"),
        ("string | minLength=x", "failed to parse minLength value"),
        ("integer | maxLength=1", "maxLength marker is only valid for string types, got type: integer"),
        ("[]string | maxItems=1.5", "failed to parse maxItems value"),
        ("string | minItems=1", "minItems marker is only valid for array types, got type: string"),
        ("string | enum=a,,b", "empty enum values are not allowed"),
        ("integer | enum=1,x", "failed to parse integer enum value"),
        ("[]string | enum=a", "enum values only supported for string and integer types, got type: array"),
        ("string | pattern=", "pattern marker value cannot be empty"),
        ("integer | pattern=a", "pattern marker is only valid for string types, got type: integer"),
        ("string | pattern=\"[a\"", "invalid pattern regex: error parsing regexp: missing closing ]"),
        ("string | pattern=(?=a)", "invalid pattern regex"),
        ("string | validation=\" \"", "validation failed"),
        ("[]string | listType=bag", "invalid listType value \"bag\""),
        ("string | listType=set", "listType marker is only valid for array types, got type: string"),
        ("[]string | listMapKey=", "listMapKey marker value cannot be empty"),
    ] {
        let (_, found, span, _) = refusal(&new(json!({}), json!({ "f": line })));
        let expected = format!("failed to build OpenAPI schema for instance: field f: {message}");
        assert!(found.starts_with(&expected), "{line}: {found}");
        assert!(span.is_some(), "{line}");
    }
}

#[test]
fn hints_name_what_was_probably_meant() {
    for (line, hint) in [
        ("strin", "did you mean `string`?"),
        ("int", "did you mean `integer`?"),
        ("[]Prot", "did you mean `Port`?"),
        ("any", "did you mean `object`?"),
        ("string | minlenght=1", "did you mean `minLength`?"),
        ("string | default=x | required=true", "only one `|` may stand in a field; separate markers by spaces"),
        ("[]string | listType=sett", "did you mean `set`?"),
    ] {
        assert_eq!(refusal(&new(json!({"Port": "integer"}), json!({ "f": line }))).3, hint, "{line}");
    }
}

#[test]
fn a_default_that_the_schema_forbids_is_refused() {
    for (line, wanted) in [
        ("integer | default=abc", "an integer"),
        ("integer | default=1.5", "an integer"),
        ("boolean | default=yes", "a boolean"),
        ("float | default=x", "a number"),
        ("[]string | default=[1]", "a list of its element type, written as JSON"),
        ("map[string]string | default=[]", "a map of its value type, written as JSON"),
        ("object | default=[]", "a map of its fields, written as JSON"),
        ("integer | default=0 minimum=1", "at least 1"),
        ("string | enum=a,b default=c", "one of `a`, `b`"),
        ("string | default=B pattern=^[a-z]+$", "a text that matches `^[a-z]+$`"),
        ("Cfg | default={\"x\":1}", "a map of `n`"),
        ("Port | minimum=100", "at least 100"),
    ] {
        let types = json!({"Cfg": {"n": "integer"}, "Port": "integer | default=80"});
        let (code, message, _, hint) = refusal(&new(types, json!({ "f": line })));
        assert_eq!(code, "InvalidDefault", "{line}");
        assert!(message.ends_with(&format!(" is not {wanted}")), "{line}: {message}");
        assert_eq!(hint, format!("give a default that is {wanted}"));
    }
}

#[test]
fn v01_keeps_its_words_and_its_few_markers() {
    let (code, message, span, hint) = old_refusal("strin");
    assert_eq!((code.as_str(), message.as_str(), span), ("UnknownType", "unknown type: strin", Some((0, 5))));
    assert_eq!(hint, "did you mean `string`?");
    assert_eq!(old_refusal("[]").1, "empty slice element type");
    assert_eq!(old_refusal("object").1, "unknown type: object");
    assert_eq!(old_refusal("map[integer]string").1, "map keys must be strings: map[integer]string");
    let (code, message, span, _) = old_refusal("string | minimum=3");
    assert_eq!((code.as_str(), span), ("UnknownMarker", Some((9, 9))));
    assert_eq!(message, "invalid marker key \"minimum\": unknown marker: minimum");
    assert_eq!(old_refusal("string | required").1, "marker key 'required' without a value");
    assert_eq!(old_refusal("string | required=maybe").1, "invalid value for required: `maybe` is not a boolean");
    assert_eq!(old_refusal("string | required=true | default=x").1, "marker key '|' without a value");
    assert_eq!(old_refusal("integer | default=abc").1, "default value `abc` is not an integer");
}

#[test]
fn a_schema_that_would_be_too_big_or_too_deep_is_refused() {
    let doubling: Map<String, Value> = (0..40)
        .map(|number| {
            (format!("T{number:02}"), json!({"a": format!("T{:02}", number + 1), "b": format!("T{:02}", number + 1)}))
        })
        .chain([("T40".to_owned(), json!("string"))])
        .collect();
    let found = problems(&new(json!(doubling), json!({"f": "T00"})));
    assert!(found.iter().all(|it| it.code == "SchemaTooBig"), "{:?}", found.first());
    let chain: Map<String, Value> = (0..400)
        .map(|number| (format!("T{number:03}"), json!({"a": format!("T{:03}", number + 1)})))
        .chain([("T400".to_owned(), json!("string"))])
        .collect();
    let found = problems(&new(json!(chain), json!({"f": "T000"})));
    assert!(found.iter().all(|it| it.code == "TooDeep"), "{:?}", found.first());
}
