//! Reads a `ResourceGraphDefinition` as kro v0.9 has it.
//!
//! It says what is not shaped like one, in kro's words where kro has any.
//! Whether names, types and expressions make sense is for `naming`,
//! `simple_schema` and `check`.

mod selector;

use guest_sdk::Scope;
use serde_json::{Map, Value, json};

use crate::{
    model::{Body, Definition, Dialect, Resource, Select},
    problem::{Pointer, Problems, nearest},
    reader::{GROUP, Presence, Reader},
};

/// The definition, as far as it can be read. `None` if nothing of it can;
/// everything wrong with its shape is noted.
pub(crate) fn read(object: &Value, problems: &mut Problems) -> Option<Definition> {
    const KNOWN: [&str; 11] = [
        "apiVersion",
        "kind",
        "group",
        "scope",
        "spec",
        "types",
        "status",
        "additionalPrinterColumns",
        "shortNames",
        "categories",
        "metadata",
    ];
    let mut reader = Reader { problems };
    let spec_at = Pointer::root().field("spec");
    let spec = reader.map(object.get("spec"), &spec_at, Presence::Required)?;
    let misplaced =
        spec.get("schema").is_some_and(|schema| schema.get("types").is_none()) && spec.contains_key("types");
    let known: &[&str] = if misplaced { &["schema", "resources", "types"] } else { &["schema", "resources"] };
    reader.unknown_fields(spec, known, &spec_at);
    let (resources, unreadable) = reader.resources(spec, &spec_at, resource);
    let schema_at = spec_at.field("schema");
    let schema = reader.map(spec.get("schema"), &schema_at, Presence::Required)?;
    reader.unknown_fields(schema, &KNOWN, &schema_at);
    let metadata = reader.optional_map(schema, "metadata", &schema_at);
    let metadata_at = schema_at.field("metadata");
    reader.unknown_fields(&metadata, &["labels", "annotations"], &metadata_at);
    let mut status = reader.optional_map(schema, "status", &schema_at);
    let conditions = take_conditions(&mut reader, &mut status, &schema_at.fields(["status", "conditions"]));
    Some(Definition {
        dialect: Dialect::V09,
        version: reader.text(schema, "apiVersion", &schema_at),
        kind: reader.text(schema, "kind", &schema_at),
        group: reader.optional_text(schema, "group", &schema_at).unwrap_or_else(|| GROUP.to_owned()),
        scope: scope(&mut reader, schema, &schema_at),
        short_names: reader.texts(schema, "shortNames", &schema_at),
        categories: reader.texts(schema, "categories", &schema_at),
        crd_labels: reader.text_map(&metadata, "labels", &metadata_at),
        crd_annotations: reader.text_map(&metadata, "annotations", &metadata_at),
        printer_columns: printer_columns(&mut reader, schema, &schema_at),
        spec: reader.optional_map(schema, "spec", &schema_at),
        types: types(&mut reader, spec, schema, &schema_at),
        status,
        conditions,
        schema_at,
        resources,
        unreadable,
    })
}

/// The types that fields may name. Where they stand beside `schema`, they are
/// ignored, and what is said is where they belong.
fn types(
    reader: &mut Reader,
    spec: &Map<String, Value>,
    schema: &Map<String, Value>,
    schema_at: &Pointer,
) -> Map<String, Value> {
    let own = reader.optional_map(schema, "types", schema_at);
    let Some(Value::Object(misplaced)) = spec.get("types").filter(|_| own.is_empty()) else { return own };
    let fields = schema.get("spec").map(Value::to_string).unwrap_or_default();
    let used = misplaced.keys().find(|name| fields.contains(name.as_str()));
    if let Some(used) = used {
        let at = Pointer::root().fields(["spec", "types"]);
        reader
            .problems
            .error("MisplacedField", &at, format!("there is no type `{used}`: `types` has no effect here"))
            .hint("it belongs into `schema`: `spec.schema.types`");
        return misplaced.clone();
    }
    own
}

/// The conditions are not a field of the status: kro makes conditions of them. Of
/// another form they would never be written.
fn take_conditions(reader: &mut Reader, status: &mut Map<String, Value>, at: &Pointer) -> Vec<String> {
    const PREFIX: &str = "failed to build instance status schema: failed to extract conditions block: ";
    const HINT: &str = "write a list of texts such as `${runtime.newCondition({type: …, status: …})}`; a child's \
                        conditions go into a field of another name";
    let entries = match status.remove("conditions") {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(entries)) => entries,
        Some(other) => {
            let message = format!("{PREFIX}status.conditions must be a list, got {}", type_in_go(&other));
            let hint = match other.is_object() {
                true => {
                    "a map by type is the form of kro 0.10; write a list of texts such as \
                         `${runtime.newCondition({type: …, status: …})}`"
                }
                false => HINT,
            };
            reader.problems.error("InvalidConditions", at, message).hint(hint);
            return Vec::new();
        }
    };
    let mut texts = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        match entry {
            Value::String(text) => texts.push(text),
            other => {
                let message =
                    format!("{PREFIX}status.conditions[{index}] must be a string, got {}", type_in_go(&other));
                reader.problems.error("InvalidConditions", &at.index(index), message).hint(HINT);
                texts.push(String::new());
            }
        }
    }
    texts
}

/// The type of a value as Go's `%T` prints it.
fn type_in_go(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

fn scope(reader: &mut Reader, schema: &Map<String, Value>, schema_at: &Pointer) -> Scope {
    match reader.optional_text(schema, "scope", schema_at).as_deref() {
        None | Some("Namespaced") => Scope::Namespaced,
        Some("Cluster") => Scope::Cluster,
        Some(other) => {
            let message = format!("unsupported value: \"{other}\": supported values: \"Namespaced\", \"Cluster\"");
            let hint = nearest(other, ["Namespaced", "Cluster"]).map(|known| format!("did you mean `{known}`?"));
            reader.problems.error("InvalidScope", &schema_at.field("scope"), message).maybe_hint(hint);
            Scope::Namespaced
        }
    }
}

/// The columns as the CRD has them: without unknown fields, and without those
/// that say nothing. None at all are as good as not stated.
fn printer_columns(reader: &mut Reader, schema: &Map<String, Value>, schema_at: &Pointer) -> Option<Vec<Value>> {
    let at = schema_at.field("additionalPrinterColumns");
    let mut columns = Vec::new();
    for (index, column) in reader.list(schema.get("additionalPrinterColumns"), &at).iter().enumerate() {
        let at = at.index(index);
        if let Some(fields) = reader.map(Some(column), &at, Presence::Required) {
            columns.push(printer_column(reader, fields, &at));
        }
    }
    (!columns.is_empty()).then_some(columns)
}

fn printer_column(reader: &mut Reader, fields: &Map<String, Value>, at: &Pointer) -> Value {
    reader.unknown_fields(fields, &["name", "type", "jsonPath", "description", "format", "priority"], at);
    let mut column = Map::new();
    for name in ["name", "type", "jsonPath"] {
        let text = reader.text(fields, name, at);
        column_field(reader, name, &text, &at.field(name));
        column.insert(name.to_owned(), json!(text));
    }
    for name in ["description", "format"] {
        if let Some(text) = reader.optional_text(fields, name, at).filter(|text| !text.is_empty()) {
            column_field(reader, name, &text, &at.field(name));
            column.insert(name.to_owned(), json!(text));
        }
    }
    match fields.get("priority") {
        None | Some(Value::Null) => {}
        Some(priority) if priority.as_i64() == Some(0) => {}
        Some(priority) if priority.as_i64().is_some_and(|it| i32::try_from(it).is_err()) => {
            let message = format!("the priority of a column is a number of 32 bits, and {priority} is not");
            let hint = "0 shows a column always, anything above only with `-o wide`";
            reader.problems.error("InvalidColumn", &at.field("priority"), message).hint(hint);
        }
        Some(priority) if priority.is_i64() => drop(column.insert("priority".to_owned(), priority.clone())),
        Some(other) => reader.wrong_type(&at.field("priority"), "an integer", other),
    }
    Value::Object(column)
}

/// Refuses what the CRD of the API could not have: kro would take it, and the
/// server refuse the CRD.
fn column_field(reader: &mut Reader, name: &str, text: &str, at: &Pointer) {
    const TYPES: [&str; 5] = ["integer", "number", "string", "boolean", "date"];
    const FORMATS: [&str; 8] = ["int32", "int64", "float", "double", "byte", "date", "date-time", "password"];
    let one_of = |known: &[&'static str], what: &str| {
        nearest(text, known.iter().copied()).map_or_else(
            || format!("the {what} are {}", known.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")),
            |known| format!("did you mean `{known}`?"),
        )
    };
    match name {
        _ if text.is_empty() => {}
        "type" if !TYPES.contains(&text) => {
            let message = format!("a column cannot be of the type `{text}`");
            reader.problems.error("InvalidColumn", at, message).hint(one_of(&TYPES, "types"));
        }
        "format" if !FORMATS.contains(&text) => {
            let message = format!("a column cannot have the format `{text}`");
            reader.problems.error("InvalidColumn", at, message).hint(one_of(&FORMATS, "formats"));
        }
        "jsonPath" if !text.starts_with('.') || text.contains("${") => {
            let message = format!("`{text}` is not a path from the instance on");
            reader.problems.error("InvalidColumn", at, message).hint("write a JSON path, such as `.status.state`");
        }
        _ => {}
    }
}

fn resource(reader: &mut Reader, fields: &Map<String, Value>, at: Pointer, index: usize) -> Option<Resource> {
    let known = ["id", "template", "externalRef", "readyWhen", "includeWhen", "forEach"];
    reader.unknown_fields(fields, &known, &at);
    let id = reader.text(fields, "id", &at);
    let ready_when = reader.texts(fields, "readyWhen", &at);
    let include_when = reader.texts(fields, "includeWhen", &at);
    let for_each = for_each(reader, fields, &id, &at);
    let body = body(reader, fields, &id, &at)?;
    Some(Resource { id, at, index, body, ready_when, include_when, for_each })
}

/// The dimensions. A wrong one is noted and stands as empty texts, so that the
/// others keep their index.
fn for_each(reader: &mut Reader, fields: &Map<String, Value>, id: &str, at: &Pointer) -> Vec<(String, String)> {
    let at = at.field("forEach");
    let mut dimensions = Vec::new();
    if fields.get("forEach").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        let message = format!("resource \"{id}\": forEach must have at least one dimension");
        let hint = "leave it out for a single object, or write `- item: ${schema.spec.items}`";
        reader.problems.error("InvalidForEach", &at, message).hint(hint);
    }
    if let Some(Value::Object(iterators)) = fields.get("forEach") {
        let first = iterators.keys().next().map_or("item", String::as_str);
        reader
            .problems
            .error("WrongType", &at, "must be a list, got a map")
            .hint(format!("write each iterator as an element of a list: `- {first}: ${{…}}`"));
        // Its iterators are there, so that what uses them is not said to be wrong.
        return iterators.keys().map(|name| (name.clone(), String::new())).collect();
    }
    for (index, element) in reader.list(fields.get("forEach"), &at).iter().enumerate() {
        let at = at.index(index);
        let dimension = reader.map(Some(element), &at, Presence::Required);
        dimensions.push(dimension.map(|dimension| iterator(reader, dimension, id, &at)).unwrap_or_default());
    }
    dimensions
}

fn iterator(reader: &mut Reader, dimension: &Map<String, Value>, id: &str, at: &Pointer) -> (String, String) {
    let mut iterators = dimension.iter();
    let (Some((name, expression)), None) = (iterators.next(), iterators.next()) else {
        let count = dimension.len();
        let message = format!("resource \"{id}\": a forEach dimension must have exactly one iterator, got {count}");
        reader
            .problems
            .error("InvalidForEach", at, message)
            .hint("write each iterator as an element of the list of its own, such as `- item: ${schema.spec.items}`");
        return (String::new(), String::new());
    };
    let Some(expression) = expression.as_str() else {
        reader.wrong_type(&at.field(name), "a string", expression);
        return (name.clone(), String::new());
    };
    (name.clone(), expression.to_owned())
}

/// What the resource is: exactly one of a template and an external reference.
fn body(reader: &mut Reader, fields: &Map<String, Value>, id: &str, at: &Pointer) -> Option<Body> {
    let is_there = |name: &str| !matches!(fields.get(name), None | Some(Value::Null));
    let repeated = fields.get("forEach").and_then(Value::as_array).is_some_and(|dimensions| !dimensions.is_empty());
    let mut refuse = |at: &Pointer, what: &str, hint: &str| {
        let message = format!(
            "failed to build resource \"{id}\": invalid combination of resource fields: resource \"{id}\": {what}"
        );
        reader.problems.error("InvalidCombination", at, message).hint(hint);
    };
    let reference_at = at.field("externalRef");
    match (is_there("template"), is_there("externalRef")) {
        (false, false) => {
            let hint = "add the `template` of an object to create, or the `externalRef` of one that is there";
            refuse(at, "exactly one of template or externalRef must be provided", hint);
            return None;
        }
        (true, true) => {
            let hint = "leave out `template` to read the object, or `externalRef` to create it";
            refuse(&reference_at, "cannot use externalRef with template", hint);
        }
        (false, true) if repeated => {
            let hint = "refer to many objects at once with `metadata.selector`";
            refuse(&reference_at, "cannot use externalRef with forEach", hint);
        }
        _ => {}
    }
    if is_there("template") {
        let template = reader.map(fields.get("template"), &at.field("template"), Presence::Required)?;
        return Some(Body::Template(template.clone()));
    }
    let reference = reader.map(fields.get("externalRef"), &reference_at, Presence::Required)?;
    external(reader, reference, id, reference_at)
}

fn external(reader: &mut Reader, reference: &Map<String, Value>, id: &str, at: Pointer) -> Option<Body> {
    const OF_METADATA: [&str; 4] = ["name", "namespace", "selector", "labels"];
    let misplaced: Vec<&str> = OF_METADATA
        .into_iter()
        .filter(|name| reference.contains_key(*name) && !reference.contains_key("metadata"))
        .collect();
    let known: Vec<&str> = ["apiVersion", "kind", "metadata"].into_iter().chain(misplaced.iter().copied()).collect();
    reader.unknown_fields(reference, &known, &at);
    let api_version = reader.text(reference, "apiVersion", &at);
    let kind = reader.text(reference, "kind", &at);
    let metadata_at = at.field("metadata");
    if let Some(name) = misplaced.first() {
        let message = format!("failed to build resource \"{id}\": metadata is required");
        let hint = format!("`{name}` belongs below `metadata`");
        reader.problems.error("MissingField", &at.field(name), message).hint(hint);
        return None;
    }
    let metadata = reader.map(reference.get("metadata"), &metadata_at, Presence::Required)?;
    reader.unknown_fields(metadata, &["name", "namespace", "selector"], &metadata_at);
    let namespace = reader.optional_text(metadata, "namespace", &metadata_at).filter(|text| !text.is_empty());
    let select = select(reader, metadata, id, &metadata_at)?;
    Some(Body::External { at, api_version, kind, namespace, select })
}

fn select(reader: &mut Reader, metadata: &Map<String, Value>, id: &str, at: &Pointer) -> Option<Select> {
    let before = reader.problems.count();
    let name = reader.optional_text(metadata, "name", at).filter(|name| !name.is_empty());
    let selector_at = at.field("selector");
    // One expression for all of it, as kro 0.10 takes it.
    let whole = metadata.get("selector").filter(|selector| selector::is_expression(selector));
    let selector = match whole {
        Some(_) => None,
        None => reader.map(metadata.get("selector"), &selector_at, Presence::Optional),
    };
    // One of another type is there, though it cannot be used.
    let faultless = reader.problems.count() == before;
    match (name, selector) {
        (None, None) if whole.is_some() => whole.cloned().map(Select::Labels),
        (Some(name), None) if faultless && whole.is_none() => Some(Select::Name(name)),
        (None, Some(selector)) if faultless => {
            selector::check(reader, selector, &selector_at);
            Some(Select::Labels(Value::Object(selector.clone())))
        }
        _ if !faultless => None,
        _ => {
            let message =
                format!("failed to build resource \"{id}\": exactly one of name or selector must be provided");
            let hint = "give the `name` of one object, or a label `selector` for many";
            reader.problems.error("InvalidReference", at, message).hint(hint);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use guest_sdk::Failure;

    use super::*;

    /// What is wrong with a definition that has this resource.
    fn complaints(resource: Value) -> Vec<String> {
        let mut problems = Problems::default();
        read(&definition(json!({}), json!([resource])), &mut problems);
        match problems.into_result() {
            Ok(found) => found.into_iter().map(|it| format!("{}: {}", it.at, it.message)).collect(),
            Err(Failure::Invalid(found)) => found.into_iter().map(|it| format!("{}: {}", it.at, it.message)).collect(),
            Err(other) => panic!("{other:?}"),
        }
    }

    fn definition(more: Value, resources: Value) -> Value {
        let mut schema = json!({"apiVersion": "v1", "kind": "Thing"});
        schema.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({
            "apiVersion": "kro.run/v1alpha1",
            "kind": "ResourceGraphDefinition",
            "spec": {"schema": schema, "resources": resources},
        })
    }

    fn read_well(more: Value, resources: Value) -> Definition {
        let mut problems = Problems::default();
        let read = read(&definition(more, resources), &mut problems).unwrap();
        assert!(matches!(problems.into_result(), Ok(warnings) if warnings.is_empty()));
        read
    }

    #[test]
    fn what_is_not_written_has_kros_defaults() {
        let read = read_well(json!({}), json!([]));
        assert_eq!((read.group.as_str(), read.scope), ("kro.run", Scope::Namespaced));
        assert_eq!(read.printer_columns, None);
        assert!(read.resources.is_empty() && read.conditions.is_empty());
        assert_eq!(read_well(json!({"additionalPrinterColumns": []}), json!([])).printer_columns, None);
    }

    #[test]
    fn everything_about_the_api_is_read() {
        let read = read_well(
            json!({
                "group": "example.com", "scope": "Cluster", "shortNames": ["th"], "categories": ["all"],
                "metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}},
                "types": {"T": "string"},
                "additionalPrinterColumns": [
                    {"name": "A", "type": "string", "jsonPath": ".spec.a", "description": "", "priority": 0},
                    {"name": "B", "type": "date", "jsonPath": ".spec.b", "description": "x", "priority": 1},
                ],
            }),
            json!([]),
        );
        assert_eq!((read.group.as_str(), read.scope), ("example.com", Scope::Cluster));
        assert_eq!((read.short_names, read.categories), (vec!["th".to_owned()], vec!["all".to_owned()]));
        assert_eq!((json!(read.crd_labels), json!(read.crd_annotations)), (json!({"a": "b"}), json!({"c": "d"})));
        assert_eq!(json!(read.types), json!({"T": "string"}));
        assert_eq!(
            json!(read.printer_columns),
            json!([
                {"name": "A", "type": "string", "jsonPath": ".spec.a"},
                {"name": "B", "type": "date", "jsonPath": ".spec.b", "description": "x", "priority": 1},
            ])
        );
    }

    #[test]
    fn conditions_are_taken_out_of_the_status_if_they_are_texts() {
        let read = read_well(json!({"status": {"a": "${b.c}", "conditions": ["${x}", "${y}"]}}), json!([]));
        assert_eq!(read.conditions, ["${x}", "${y}"]);
        assert_eq!(json!(read.status), json!({"a": "${b.c}"}));
        for (other, at, got) in [
            (json!("${x}"), "", " must be a list, got string"),
            (json!({"Ready": "${x}"}), "", " must be a list, got map[string]interface {}"),
            (json!([1]), "/0", "[0] must be a string, got int64"),
            (json!(["${x}", {"a": "${x}"}]), "/1", "[1] must be a string, got map[string]interface {}"),
        ] {
            let mut problems = Problems::default();
            super::read(&definition(json!({"status": {"conditions": other}}), json!([])), &mut problems);
            let Err(Failure::Invalid(found)) = problems.into_result() else { panic!("{other} is accepted") };
            assert_eq!(found[0].at, format!("/spec/schema/status/conditions{at}"));
            let prefix = "failed to build instance status schema: failed to extract conditions block: ";
            assert_eq!(found[0].message, format!("{prefix}status.conditions{got}"));
        }
    }

    #[test]
    fn a_resource_is_a_template_or_a_reference_by_name_or_by_labels() {
        let read = read_well(
            json!({}),
            json!([
                {"id": "a", "template": {"apiVersion": "apps/v1", "kind": "Deployment"},
                 "forEach": [{"x": "${schema.spec.xs}"}, {"y": "${schema.spec.ys}"}]},
                {"id": "b", "externalRef": {"apiVersion": "v1", "kind": "Secret",
                 "metadata": {"name": "n", "namespace": "ns"}}},
                {"id": "c", "externalRef": {"apiVersion": "v1", "kind": "Secret",
                 "metadata": {"selector": {"matchLabels": {"app": "${schema.spec.a}"}}}}},
            ]),
        );
        let [a, b, c] = &read.resources[..] else { panic!("{:?}", read.resources) };
        assert_eq!(a.gvk().unwrap().to_string(), "Deployment.apps");
        assert_eq!(a.for_each[1], ("y".to_owned(), "${schema.spec.ys}".to_owned()));
        assert_eq!(a.for_each_at(1), Pointer::root().fields(["spec", "resources", "0", "forEach", "1", "y"]));
        assert_eq!(b.gvk().unwrap().to_string(), "Secret");
        assert!(matches!(&b.body, Body::External { namespace: Some(namespace), select: Select::Name(name), .. }
            if namespace == "ns" && name == "n"));
        assert!(matches!(&c.body, Body::External { namespace: None, select: Select::Labels(labels), .. }
            if *labels == json!({"matchLabels": {"app": "${schema.spec.a}"}})));
    }

    #[test]
    fn a_resource_of_another_shape_is_refused_in_kros_words() {
        let external = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "n"}});
        let template = json!({"apiVersion": "v1", "kind": "Secret"});
        let reference = |metadata: Value| {
            let reference = json!({"apiVersion": "v1", "kind": "X", "metadata": metadata});
            json!({"id": "r", "externalRef": reference})
        };
        let combination = "failed to build resource \"r\": invalid combination of resource fields: resource \"r\": ";
        let selection = "failed to build resource \"r\": exactly one of name or selector must be provided";
        let cases = [
            (json!({"id": "r"}), "", format!("{combination}exactly one of template or externalRef must be provided")),
            (
                json!({"id": "r", "template": template, "externalRef": external}),
                "/externalRef",
                format!("{combination}cannot use externalRef with template"),
            ),
            (
                json!({"id": "r", "externalRef": external, "forEach": [{"x": "${y}"}]}),
                "/externalRef",
                format!("{combination}cannot use externalRef with forEach"),
            ),
            (reference(json!({})), "/externalRef/metadata", selection.to_owned()),
            (reference(json!({"name": "n", "selector": {}})), "/externalRef/metadata", selection.to_owned()),
            (
                reference(json!({"selector": "app"})),
                "/externalRef/metadata/selector",
                "must be a map, got a string".to_owned(),
            ),
            (
                reference(json!({"selector": {"matchExpressions": [{"key": "a", "operator": "In"}]}})),
                "/externalRef/metadata/selector/matchExpressions/0/values",
                "must be specified when `operator` is 'In' or 'NotIn'".to_owned(),
            ),
            (
                reference(json!({"selector": {"matchExpressions": [{"key": "a", "operator": "in", "values": ["b"]}]}})),
                "/externalRef/metadata/selector/matchExpressions/0/operator",
                "\"in\" is not a valid label selector operator".to_owned(),
            ),
            (
                json!({"id": "r", "template": template, "forEach": [{"x": "${y}", "z": "${y}"}]}),
                "/forEach/0",
                "resource \"r\": a forEach dimension must have exactly one iterator, got 2".to_owned(),
            ),
            (
                json!({"id": "r", "template": template, "forEach": [{"x": ["a"]}]}),
                "/forEach/0/x",
                "must be a string, got a list".to_owned(),
            ),
        ];
        for (resource, at, message) in cases {
            assert_eq!(complaints(resource), [format!("/spec/resources/0{at}: {message}")]);
        }
    }

    #[test]
    fn an_unknown_scope_is_refused() {
        let mut problems = Problems::default();
        read(&definition(json!({"scope": "cluster"}), json!([])), &mut problems);
        let Err(Failure::Invalid(found)) = problems.into_result() else { panic!("it is accepted") };
        assert_eq!(
            (found[0].at.as_str(), found[0].hint.as_deref()),
            ("/spec/schema/scope", Some("did you mean `Cluster`?"))
        );
    }
}
