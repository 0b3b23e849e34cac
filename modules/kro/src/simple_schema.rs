//! SimpleSchema: the short form in which a definition states the fields of its
//! API, turned into an OpenAPI v3 schema.
//!
//! One parser reads both dialects; v0.9 has more types and markers, types with
//! names, and defaults of objects. It differs from kro on purpose where kro
//! emits a CRD that no API server takes: a default is always valid JSON that its
//! field's schema allows, and what makes no CRD is refused where it stands.
//! Against v0.1 also: `float` becomes `number`, `required=false` leaves a field
//! optional, and a marker that is unknown or has no `=` is not dropped.

mod declared;
mod defaults;
mod markers;
mod pattern;
mod rules;
mod types;

use serde_json::{Map, Value, json};

use crate::{
    model::{Definition, Dialect},
    problem::{Pointer, Problems},
};
use declared::Declared;
use defaults::Misfit;
use markers::Marker;
use rules::{Field, Refusal};
use types::Type;

/// A schema of more JSON levels than this is refused: everything that reads it
/// recurses once a level, and the CRD around it must stay below 128.
const MAX_LEVELS: usize = 100;

/// The OpenAPI schema of `spec`, exactly as in the CRD. What is wrong is noted;
/// a wrong field may be anything.
pub(crate) fn spec(definition: &Definition, problems: &mut Problems) -> Value {
    let mut builder = Builder { dialect: definition.dialect, declared: Declared::default(), problems };
    builder.declare(&definition.types, &definition.types_at());
    let site = Site { at: definition.spec_at(), dialect: definition.dialect, ty: None, path: String::new() };
    let schema = builder.object(&definition.spec, &site);
    builder.shallow(schema, &site)
}

/// How a field is stated that is written as in OpenAPI; none of a map of fields.
fn of_openapi(fields: &Map<String, Value>) -> Option<String> {
    let ty = fields.get("type")?.as_str()?;
    let scalar = |ty: &'_ str| matches!(ty, "string" | "integer" | "boolean" | "number" | "array" | "object");
    let is_no_field = |(name, value): (&String, &Value)| match name.as_str() {
        "default" | "minimum" | "maximum" | "minLength" | "maxLength" | "required" | "enum" | "nullable" => {
            !value.is_object() && value.as_str().is_none_or(|text| types::parse(text, Dialect::V09).is_err())
        }
        _ => false,
    };
    let is_one = fields.iter().any(is_no_field) || (ty == "object" && fields.contains_key("properties"));
    if !scalar(ty) || !is_one {
        return None;
    }
    let default = fields.get("default").map(|value| format!(" | default={value}")).unwrap_or_default();
    Some(match ty {
        "object" => "write the fields themselves, such as `name: string`".to_owned(),
        "array" => "a list is written `[]string`, with the type of its elements".to_owned(),
        "number" => format!("write `float{default}`"),
        ty => format!("write `{ty}{default}`"),
    })
}

/// What a JSON value is, in words.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// Where a field is stated, and what kro would say before what is wrong with it.
#[derive(Clone)]
struct Site<'d> {
    at: Pointer,
    dialect: Dialect,
    /// The declared type that it is part of.
    ty: Option<&'d str>,
    /// The fields on the way to it, as kro's errors have them.
    path: String,
}

/// When kro would find something out.
#[derive(Clone, Copy)]
enum Stage {
    /// When it looks up which types there are.
    Resolving,
    /// When it reads the declared types.
    Parsing,
    /// When it makes a schema of what was read.
    Building,
}

impl Site<'_> {
    fn field(&self, name: &str) -> Self {
        Site { at: self.at.field(name), path: format!("{}field {name}: ", self.path), ..self.clone() }
    }

    /// The message as kro of this dialect would put it.
    fn says(&self, stage: Stage, message: &str) -> String {
        const INSTANCE: &str = "failed to build OpenAPI schema for instance: ";
        let path = &self.path;
        match (self.dialect, self.ty, stage) {
            (Dialect::V01, _, _) => message.to_owned(),
            (Dialect::V09, None, _) => format!("{INSTANCE}{path}{message}"),
            (Dialect::V09, Some(_), Stage::Resolving) => format!("{INSTANCE}{message}"),
            (Dialect::V09, Some(ty), Stage::Parsing) => format!("{INSTANCE}parsing type {ty}: {path}{message}"),
            (Dialect::V09, Some(ty), Stage::Building) => format!("{INSTANCE}building schema for {ty}: {path}{message}"),
        }
    }
}

/// A field's line, taken apart.
struct Line<'t> {
    type_text: &'t str,
    /// Where the markers begin, and they.
    markers: Option<(usize, &'t str)>,
}

impl<'t> Line<'t> {
    fn of(text: &'t str) -> Line<'t> {
        match text.split_once('|') {
            Some((before, after)) => Line { type_text: before, markers: Some((before.len() + 1, after)) },
            None => Line { type_text: text, markers: None },
        }
    }
}

struct Builder<'p> {
    dialect: Dialect,
    declared: Declared,
    problems: &'p mut Problems,
}

impl Builder<'_> {
    /// Builds the types that have names, each after those that it uses.
    fn declare(&mut self, types: &Map<String, Value>, at: &Pointer) {
        let (order, cycles) = declared::order(types, self.dialect);
        for (name, cycle) in &cycles {
            let site = Site { at: at.field(name), dialect: self.dialect, ty: None, path: String::new() };
            let what = match cycle.as_slice() {
                [_, _] => "self references are not allowed".to_owned(),
                _ => format!("graph contains a cycle: {}", cycle.join(" -> ")),
            };
            let message = site.says(Stage::Resolving, &format!("cyclic dependency in type {name}: {what}"));
            self.problems
                .error("CyclicType", &site.at, message)
                .hint("types are written out wherever they are used, so none can contain itself; use `object` inside");
        }
        for name in order {
            let site = Site { at: at.field(name), dialect: self.dialect, ty: Some(name), path: String::new() };
            let built = types.get(name).and_then(|stated| self.field(stated, &site));
            if let Some(Field { schema, required }) = built {
                let schema = self.shallow(schema, &site);
                self.declared.add(name, schema, required);
            } else {
                self.declared.add_open(name);
            }
        }
        types.keys().for_each(|name| self.declared.add_open(name));
    }

    /// The schema, unless it is too deep to be used.
    fn shallow(&mut self, schema: Value, site: &Site) -> Value {
        if declared::levels(&schema) <= MAX_LEVELS {
            return schema;
        }
        let message = site.says(Stage::Building, &format!("the fields are nested more than {MAX_LEVELS} levels deep"));
        self.problems.error("TooDeep", &site.at, message).hint("flatten them; an `object` takes any depth");
        json!({"type": "object"})
    }

    fn object(&mut self, fields: &Map<String, Value>, site: &Site) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (name, stated) in fields {
            // What is wrong is said where it is declared, and not where it is read.
            let Some(field) = self.field(stated, &site.field(name)) else {
                properties.insert(name.clone(), json!({"x-kubernetes-preserve-unknown-fields": true}));
                continue;
            };
            if field.required {
                required.push(name.as_str());
            }
            properties.insert(name.clone(), field.schema);
        }
        required.sort_unstable();
        // Without it, defaults below would not apply when the object is missing.
        // With a required field, an empty object is none.
        let has_default = self.dialect == Dialect::V09
            && required.is_empty()
            && properties.values().any(|property| property.get("default").is_some());
        let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
        if has_default {
            schema.insert("default".to_owned(), json!({}));
        }
        if !properties.is_empty() {
            schema.insert("properties".to_owned(), Value::Object(properties));
        }
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
        Value::Object(schema)
    }

    fn field(&mut self, stated: &Value, site: &Site) -> Option<Field> {
        if let Some(hint) = stated.as_object().and_then(of_openapi) {
            let message = "unexpected type: a field is stated in one line, not as in OpenAPI";
            self.problems.error("UnexpectedType", &site.at, site.says(Stage::Parsing, message)).hint(hint);
            return None;
        }
        match stated {
            Value::Object(fields) => Some(Field { schema: self.object(fields, site), required: false }),
            Value::String(text) => self.line(text, site),
            other => {
                let message = format!("unexpected type: a field cannot be {}", kind_of(other));
                let hint = match other {
                    Value::Array(elements) => match elements.as_slice() {
                        [Value::String(ty)] => format!("a list is written `[]{}`", ty.trim()),
                        _ => "a list is written with what its elements are, such as `[]string`".to_owned(),
                    },
                    Value::Bool(value) => format!("if it is a value, write `boolean | default={value}`"),
                    Value::Number(value) if value.is_f64() => {
                        format!("if it is a value, write `float | default={value}`")
                    }
                    Value::Number(value) => format!("if it is a value, write `integer | default={value}`"),
                    _ => "write a type such as `string | default=\"x\"`, or a map of fields".to_owned(),
                };
                self.problems.error("UnexpectedType", &site.at, site.says(Stage::Parsing, &message)).hint(hint);
                None
            }
        }
    }

    /// A field in one line: a type, and after a `|` its markers.
    fn line(&mut self, text: &str, site: &Site) -> Option<Field> {
        let line = Line::of(text);
        let ty = types::parse(line.type_text, self.dialect);
        let built = ty.as_ref().map_err(Clone::clone).and_then(|ty| self.schema_of(ty, site));
        let found = match &built {
            Ok(_) => true,
            Err(error) => {
                self.refuse_type(error, line.type_text, site);
                false
            }
        };
        let inherited = matches!(&ty, Ok(Type::Named(name)) if self.declared.is_required(name));
        let mut field = Field { schema: built.unwrap_or_default(), required: inherited };
        let (offset, markers) = self.markers(&line, site);
        for marker in &markers {
            if let Err(refusal) = rules::apply(marker, self.dialect, &mut field) {
                self.refuse_marker(refusal, Some(marker), offset, site);
            }
        }
        if let (true, Ok(ty)) = (found, &ty) {
            self.finish(ty, &markers, offset, &mut field, site);
        }
        found.then_some(field)
    }

    /// The markers of a line, and where the text begins in which they stand.
    fn markers(&mut self, line: &Line, site: &Site) -> (usize, Vec<Marker>) {
        let Some((offset, text)) = line.markers else { return (0, Vec::new()) };
        let error = match markers::parse(text, self.dialect) {
            Ok(markers) => return (offset, markers),
            Err(error) => error,
        };
        let (message, span) = (site.says(Stage::Building, &error.to_string()), error.span());
        self.problems
            .error("InvalidMarker", &site.at, message)
            .span(offset + span.start, span.len())
            .hint(error.hint());
        (offset, Vec::new())
    }

    /// What can be said only once all markers are there.
    fn finish(&mut self, ty: &Type, markers: &[Marker], offset: usize, field: &mut Field, site: &Site) {
        // What uses a type that is wrong need not be wrong itself.
        if field.schema.get("type").is_none() {
            return;
        }
        if self.dialect == Dialect::V09
            && let Some(refusal) = rules::contradiction(ty, markers, &field.schema)
        {
            let marker = markers.iter().find(|marker| rules::is_about_lists(marker));
            self.refuse_marker(refusal, marker, offset, site);
        }
        let stated = markers.iter().rev().find(|marker| marker.key == "default");
        let value = match (stated, field.schema.get("default")) {
            (Some(marker), _) => defaults::parse(&field.schema, &marker.value, self.dialect),
            // An inherited one may break the rules that were added here.
            (None, Some(inherited)) if !markers.is_empty() => Some(inherited.clone()),
            (None, _) => return,
        };
        let misfit = match &value {
            Some(value) => defaults::misfit(&field.schema, value),
            None => Some(Misfit::Type),
        };
        if let Some(misfit) = misfit {
            self.refuse_default(&misfit, &field.schema, stated, offset, site);
        } else if let (Some(value), Value::Object(schema)) = (value, &mut field.schema) {
            schema.insert("default".to_owned(), value);
        }
    }

    fn schema_of(&mut self, ty: &Type, site: &Site) -> Result<Value, types::Error> {
        Ok(match ty {
            Type::Scalar(kind) => json!({ "type": kind }),
            Type::Open => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
            Type::List(element) => json!({"type": "array", "items": self.schema_of(element, site)?}),
            Type::Map(value) => json!({"type": "object", "additionalProperties": self.schema_of(value, site)?}),
            Type::Named(name) => match self.declared.take(name) {
                None if site.ty.is_some() => return Err(types::Error::Undeclared((*name).to_owned())),
                None => return Err(types::Error::Unknown((*name).to_owned())),
                Some(None) => return Err(types::Error::TooBig((*name).to_owned())),
                Some(Some(schema)) => schema,
            },
        })
    }

    fn refuse_type(&mut self, error: &types::Error, text: &str, site: &Site) {
        let stage = match error {
            types::Error::Undeclared(_) => Stage::Resolving,
            error if error.is_grammar() => Stage::Parsing,
            _ => Stage::Building,
        };
        let start = text.len() - text.trim_start().len();
        let hint = error.hint(self.dialect, self.declared.names());
        self.problems
            .error(error.code(), &site.at, site.says(stage, &error.to_string()))
            .span(start, text.trim().len())
            .hint(hint);
    }

    fn refuse_marker(&mut self, refusal: Refusal, marker: Option<&Marker>, offset: usize, site: &Site) {
        let message = site.says(Stage::Building, &refusal.message);
        let noted = self.problems.error(refusal.code, &site.at, message).hint(refusal.hint);
        if let Some(marker) = marker {
            noted.span(offset + marker.span.start, marker.span.len());
        }
    }

    fn refuse_default(&mut self, misfit: &Misfit, schema: &Value, stated: Option<&Marker>, offset: usize, site: &Site) {
        let wanted = match misfit {
            Misfit::Type => defaults::describe(schema),
            Misfit::Rule(wanted) => wanted.as_str(),
        };
        let value = stated.map_or_else(|| defaults::plain(&schema["default"]), |marker| marker.value.clone());
        let refusal = Refusal {
            code: "InvalidDefault",
            message: format!("default value `{value}` is not {wanted}"),
            hint: format!("give a default that is {wanted}"),
        };
        self.refuse_marker(refusal, stated, offset, site);
    }
}

#[cfg(test)]
mod tests;
