//! The templates of resources: that each is a Kubernetes object of a fixed kind,
//! and that its fields are those of the kind.

use guest_sdk::{Gvk, Scope};
use serde_json::{Map, Value};

use super::{Collector, Draft, Place, below, shape};
use crate::{
    model::{Body, Dialect, Resource},
    naming,
    problem::{Pointer, Problems, nearest},
    reader, template,
};

/// Prefixes of labels and annotations that are the runtime's.
const RESERVED_PREFIXES: [&str; 3] = ["kro.run/", "internal.kro.run/", "croft.run/"];

impl<'d, 's> Collector<'d, 's, '_> {
    pub(super) fn template(&mut self, resource: &'d Resource, template: &'d Map<String, Value>) -> Draft<'d> {
        let at = resource.at.field("template");
        self.object(resource, template, &at);
        let gvk = resource.gvk();
        let schema = gvk.as_ref().and_then(|gvk| self.known(gvk, resource, &at));
        let is_crd = gvk
            .as_ref()
            .is_some_and(|gvk| gvk.group == "apiextensions.k8s.io" && gvk.kind == "CustomResourceDefinition");
        let fields = template.iter().map(|(name, value)| {
            let below_at = at.field(name);
            let draft = match name.as_str() {
                "apiVersion" | "kind" => value.as_str().map_or(Draft::Literal(value), Draft::Text),
                _ if is_crd => self.of_crd(value, &below_at, resource, name),
                _ => match schema {
                    Some(schema) => self.field(schema, name, value, &below_at, resource, name),
                    None => self.open(value, &below_at, Place::Template(resource.index), name),
                },
            };
            (name.as_str(), draft)
        });
        Draft::Map(fields.collect())
    }

    /// The schema of a kind; if nobody knows it, that is noted.
    pub(super) fn known(&mut self, gvk: &Gvk, resource: &Resource, at: &Pointer) -> Option<&'s Value> {
        let schema = self.kinds.schema(gvk);
        // What is not a kind was told as an error.
        if schema.is_none() && guest_sdk::shape::is_kind(gvk) && self.dialect() == Dialect::V09 {
            let kind = format!("{}, Kind={}", gvk.api_version(), gvk.kind);
            let what = match resource.body {
                Body::Template(_) => "the template of",
                Body::External { .. } => "what is read of",
            };
            let message =
                format!("schema not found for GVK: {kind}; {what} resource `{}` is checked without it", resource.id);
            self.problems.warning("UnknownKind", &at.field("kind"), message).hint(
                match self.kinds.similar(gvk).and_then(|similar| similar.split_once(' ')) {
                    Some((api_version, kind)) if api_version == gvk.api_version() => format!("did you mean `{kind}`?"),
                    Some((api_version, kind)) => format!("did you mean `{kind}` of `{api_version}`?"),
                    None => "offline, give the kind's CRD with `--schemas FILE`".to_owned(),
                },
            );
        }
        schema
    }

    /// What every object must have.
    fn object(&mut self, resource: &Resource, template: &Map<String, Value>, at: &Pointer) {
        for name in ["apiVersion", "kind"] {
            let below = at.field(name);
            match template.get(name) {
                Some(Value::String(text)) if text.is_empty() => {
                    let message = self.invalid(resource, &format!("{name} is empty"));
                    self.problems.error("InvalidTemplate", &below, message);
                }
                Some(Value::String(text)) => self.fixed(name, text, &below, resource),
                Some(_) => {
                    let message = self.invalid(resource, &format!("{name} must be a string"));
                    self.problems.error("WrongType", &below, message);
                }
                None => {
                    let message = self.invalid(resource, &format!("{name} field not found"));
                    self.problems.error("InvalidTemplate", at, message).hint(format!("add `{name}`"));
                }
            }
        }
        match template.get("metadata") {
            Some(Value::Object(metadata)) => self.metadata(resource, metadata, &at.field("metadata")),
            // One expression for all of it cannot be seen through.
            Some(Value::String(_)) | Some(_) => {
                let message = self.invalid(resource, "metadata must be a map");
                self.problems.error("WrongType", &at.field("metadata"), message);
            }
            None => {
                let message = self.invalid(resource, "metadata field not found");
                self.problems.error("InvalidTemplate", at, message).hint("add `metadata` with a `name`");
            }
        }
    }

    fn invalid(&self, resource: &Resource, what: &str) -> String {
        let message = format!("resource {} is not a valid Kubernetes object: {what}", resource.id);
        self.says(&format!("failed to build resource \"{}\"", resource.id), &message)
    }

    fn metadata(&mut self, resource: &Resource, metadata: &Map<String, Value>, at: &Pointer) {
        let id = &resource.id;
        if !metadata.contains_key("name") {
            let message = self.invalid(resource, "metadata.name field not found");
            self.problems
                .error("InvalidTemplate", at, message)
                .hint("add `metadata.name`, such as `${schema.metadata.name}`");
        }
        for (field, what) in [("labels", "label"), ("annotations", "annotation")] {
            let names = metadata.get(field).and_then(Value::as_object).into_iter().flat_map(Map::keys);
            for name in names {
                let Some(prefix) = RESERVED_PREFIXES.iter().find(|prefix| name.starts_with(**prefix)) else { continue };
                let message = format!(
                    "invalid {what} for resource \"{id}\". {what}s with prefix \"{prefix}\" are reserved for internal use"
                );
                self.problems
                    .error("ReservedMetadata", &at.field(field).field(name), message)
                    .hint("use a prefix of your own");
            }
        }
        self.literal_metadata(resource, metadata, at);
        let scope = resource.gvk().and_then(|gvk| self.kinds.scope(&gvk));
        let has_namespace = metadata.contains_key("namespace");
        if scope == Some(Scope::Cluster) && has_namespace {
            let message = format!("resource \"{id}\" is cluster-scoped and must not set metadata.namespace");
            let message = self.says(&format!("failed to build resource \"{id}\""), &message);
            self.problems
                .error("UnexpectedNamespace", &at.field("namespace"), message)
                .hint("leave `metadata.namespace` out");
        }
        if scope == Some(Scope::Namespaced) && !has_namespace && self.definition.scope == Scope::Cluster {
            lacks_a_namespace(self.problems, id, at);
        }
    }

    /// An `apiVersion` or a `kind` must be known before the first instance:
    /// the claims that a consumer accepts are made of them.
    pub(super) fn fixed(&mut self, name: &str, text: &str, at: &Pointer, resource: &Resource) {
        let id = &resource.id;
        let has_expression = template::split(text).map_or(true, |parts| parts.expressions().next().is_some());
        if has_expression {
            let message = self.invalid(resource, &format!("{name} is an expression"));
            self.problems
                .error("DynamicKind", at, message)
                .hint("write it literally: which kinds a definition uses must be known beforehand");
        } else if name == "apiVersion" && !is_api_version(text) {
            let message = format!("failed to extract GVK from resource {id}: invalid apiVersion format \"{text}\"");
            let message = self.says(&format!("failed to build resource \"{id}\""), &message);
            self.problems
                .error("InvalidApiVersion", at, message)
                .hint("write `version` or `group/version`, such as `v1` or `apps/v1`");
        } else if name == "kind" && !is_kind(text) {
            let message = format!("failed to extract GVK from resource {id}: invalid kind \"{text}\"");
            let message = self.says(&format!("failed to build resource \"{id}\""), &message);
            let likely = Some(naming::upper_camel(text)).filter(|likely| is_kind(likely));
            let hint = likely.map_or_else(
                || "a kind is one word of letters and digits, such as `ConfigMap`".to_owned(),
                |likely| format!("did you mean `{likely}`?"),
            );
            self.problems.error("InvalidKind", at, message).hint(hint);
        }
    }

    fn wrong_shape(
        &mut self,
        resource: &Resource,
        code: &str,
        at: &Pointer,
        message: &str,
    ) -> crate::problem::Noted<'_> {
        let message = format!(
            "failed to build resource \"{0}\": failed to extract CEL expressions from schema for resource {0}: {message}",
            resource.id
        );
        self.problems.error(code, at, message)
    }

    /// A field of an object with a schema.
    fn field(
        &mut self,
        schema: &'s Value,
        name: &str,
        value: &'d Value,
        at: &Pointer,
        resource: &Resource,
        path: &str,
    ) -> Draft<'d> {
        let properties = schema.get("properties").and_then(Value::as_object);
        let known = properties.and_then(|properties| properties.get(name));
        let values = schema.get("additionalProperties").filter(|it| it.is_object());
        match known.or(values) {
            Some(schema) => self.value(schema, value, at, resource, path),
            None if shape::is_open(schema) => self.open(value, at, Place::Template(resource.index), path),
            None => {
                let names: Vec<&str> = properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
                let hint = match nearest(name, names.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the fields here are: {}", names.join(", ")),
                };
                let path = if path.contains('.') { path.to_owned() } else { format!(".{path}") };
                let message = format!("error getting field schema for path {path}: schema not found for field {name}");
                self.wrong_shape(resource, "UnknownField", at, &message).hint(hint);
                self.open(value, at, Place::Template(resource.index), name)
            }
        }
    }

    fn value(
        &mut self,
        schema: &'s Value,
        value: &'d Value,
        at: &Pointer,
        resource: &Resource,
        path: &str,
    ) -> Draft<'d> {
        let place = Place::Template(resource.index);
        if shape::is_open(schema) {
            return self.open(value, at, place, path);
        }
        let expected = shape::expected(schema);
        if let Value::String(text) = value {
            let draft = self.text(text, at, place, path, Some(schema));
            // An expression brings whatever it brings; that is checked by its type.
            if matches!(draft, Draft::Text(_)) && !expected.contains(&"string") {
                self.mismatch(&expected, value, at, resource, path);
            }
            return draft;
        }
        if !shape::fits(value, &expected) {
            self.mismatch(&expected, value, at, resource, path);
            return Draft::Literal(value);
        }
        match value {
            Value::Array(elements) => {
                let items = schema.get("items");
                let elements = elements.iter().enumerate().map(|(index, it)| {
                    let (at, path) = (at.index(index), format!("{path}[{index}]"));
                    match items {
                        Some(items) => self.value(items, it, &at, resource, &path),
                        None => self.open(it, &at, place, &path),
                    }
                });
                Draft::List(elements.collect())
            }
            Value::Object(fields) => {
                let fields = fields.iter().map(|(name, it)| {
                    let (at, path) = (at.field(name), below(path, name));
                    self.key(name, &at);
                    (name.as_str(), self.field(schema, name, it, &at, resource, &path))
                });
                Draft::Map(fields.collect())
            }
            literal => Draft::Literal(literal),
        }
    }

    fn mismatch(&mut self, expected: &[&str], value: &Value, at: &Pointer, resource: &Resource, path: &str) {
        let (wanted, got) = (expected.join(" or "), shape::type_of(value));
        let message = format!("expected {wanted} type for path {path}, got {got}");
        let hint = match value {
            Value::Number(_) | Value::Bool(_) if expected.contains(&"string") => "put it in quotes".to_owned(),
            value => reader::unquoted(value)
                .unwrap_or_else(|| format!("write a value of type {wanted}, or an expression that has it")),
        };
        self.wrong_shape(resource, "WrongType", at, &message).hint(hint);
    }

    /// A CRD is applied as it stands: its own `${…}` belong to somebody else.
    fn of_crd(&mut self, value: &'d Value, at: &Pointer, resource: &Resource, path: &str) -> Draft<'d> {
        if self.dialect() == Dialect::V09 && path == "metadata" {
            return self.open(value, at, Place::Template(resource.index), path);
        }
        self.no_expressions(value, at, resource, path);
        Draft::Literal(value)
    }

    fn no_expressions(&mut self, value: &Value, at: &Pointer, resource: &Resource, path: &str) {
        let id = &resource.id;
        match value {
            Value::String(text) if text.contains("${") => {
                let message = match self.dialect() {
                    Dialect::V01 => format!("CEL expressions in CRDs are not supported, resource {id}"),
                    Dialect::V09 => format!(
                        "failed to build resource \"{id}\": CEL expressions in CRDs are only supported for metadata \
                         fields, found in path \"{path}\", resource {id}"
                    ),
                };
                self.problems.error("ExpressionInCrd", at, message).hint("write this value literally");
            }
            Value::Array(elements) => {
                for (index, it) in elements.iter().enumerate() {
                    self.no_expressions(it, &at.index(index), resource, &format!("{path}[{index}]"));
                }
            }
            Value::Object(fields) => {
                for (name, it) in fields {
                    self.no_expressions(it, &at.field(name), resource, &below(path, name));
                }
            }
            _ => {}
        }
    }
}

/// Notes an object that has no namespace and gets none from its instance.
pub(super) fn lacks_a_namespace(problems: &mut Problems, id: &str, at: &Pointer) {
    let message = format!(
        "resource \"{id}\" is namespaced and must set metadata.namespace when the instance CRD is cluster-scoped"
    );
    problems.error("MissingNamespace", at, message).hint("set `metadata.namespace`: an instance has none to inherit");
}

fn is_api_version(text: &str) -> bool {
    let (group, version) = text.split_once('/').unwrap_or(("", text));
    // Kinds of other people may have any version that is a DNS label.
    let kind = Gvk { group: group.to_owned(), version: version.to_owned(), kind: "Any".to_owned() };
    guest_sdk::shape::is_kind(&kind) && text.contains('/') != group.is_empty()
}

fn is_kind(text: &str) -> bool {
    guest_sdk::shape::is_kind(&Gvk { group: String::new(), version: "v1".to_owned(), kind: text.to_owned() })
}
