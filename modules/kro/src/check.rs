//! Checks a definition before anything is rendered from it, and finds all that
//! is wrong with it at once.
//!
//! What it can only know at run time, such as the type of a child's field, it
//! lets pass. Shapes of templates are in `template`, expressions in
//! `expressions`.

mod expressions;
mod templates;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::{
    expression::Expression,
    graph::{self, Dependencies},
    model::{Definition, Resource},
    openapi, plural,
    problem::{Pointer, Problems, nearest},
    simple_schema,
};
use expressions::{Place, Sees};

/// What the checks found out about a definition.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// The schema of `spec`.
    pub(crate) spec: Value,
    /// The schema of `status`.
    pub(crate) status: Value,
    /// Every expression, by its text.
    pub(crate) expressions: BTreeMap<String, Expression>,
    /// The ids that each id depends on directly.
    pub(crate) dependencies: BTreeMap<String, BTreeSet<String>>,
    /// The ids in topological order.
    pub(crate) order: Vec<String>,
}

/// Checks a definition. The result is complete only if no error was noted.
pub(crate) fn check(definition: &Definition, problems: &mut Problems) -> Checked {
    let spec = simple_schema::object(&definition.spec, &definition.schema_at.field("spec"), problems);
    let mut checker = Checker {
        ids: definition.resources.iter().map(|resource| resource.id.as_str()).collect(),
        instance: openapi::instance(&spec),
        child: openapi::any_object(),
        checked: Checked { spec, ..Checked::default() },
        problems,
    };
    checker.names(definition);
    checker.ids(&definition.resources);
    for resource in &definition.resources {
        checker.resource(resource);
    }
    checker.checked.status = checker.status(&definition.status, &definition.schema_at.field("status"));
    checker.order(definition);
    checker.checked
}

struct Checker<'d, 'p> {
    ids: BTreeSet<&'d str>,
    /// The schema of what expressions see as `schema`.
    instance: Value,
    /// The schema of what they see of any child.
    child: Value,
    checked: Checked,
    problems: &'p mut Problems,
}

/// Words that mean something to kro and so name no resource.
const RESERVED: [&str; 28] = [
    "apiVersion",
    "context",
    "dependencies",
    "dependency",
    "externalRef",
    "externalRefs",
    "externalReference",
    "externalReferences",
    "graph",
    "instance",
    "kind",
    "kro",
    "metadata",
    "namespace",
    "object",
    "resource",
    "resourcegroup",
    "resources",
    "runtime",
    "schema",
    "serviceAccountName",
    "spec",
    "status",
    "variables",
    "vars",
    "version",
    // Not on kro's list, but the two namespaces of functions would shadow them.
    "lists",
    "strings",
];

/// CEL's own words: an id that is one could never be referred to.
const CEL_WORDS: [&str; 20] = [
    "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
    "null", "package", "return", "true", "var", "void", "while",
];

impl<'d> Checker<'d, '_> {
    fn names(&mut self, definition: &Definition) {
        let (kind, kind_at) = (&definition.kind, definition.schema_at.field("kind"));
        if !kind.is_empty() && !is_upper_camel(kind) {
            let message = format!(
                "naming convention violation: kind '{kind}' is not a valid KRO kind name: must be UpperCamelCase"
            );
            let suggestion = upper_camel(kind);
            let hint = is_upper_camel(&suggestion).then(|| format!("did you mean `{suggestion}`?"));
            self.problems.error("InvalidKind", &kind_at, message).maybe_hint(hint);
        } else if !kind.is_empty() && !is_resource_name(&plural::of(kind)) {
            let message = format!("the plural of '{kind}' would be `{}`, which is no resource name", plural::of(kind));
            self.problems.error("InvalidKind", &kind_at, message).hint("choose another kind, such as one of two words");
        }
        let version = &definition.version;
        if !version.is_empty() && !is_version(version) {
            let message = format!("naming convention violation: apiVersion '{version}' is not a valid version");
            self.problems
                .error("InvalidApiVersion", &definition.schema_at.field("apiVersion"), message)
                .hint("write a version such as `v1`, `v1alpha1` or `v2beta3`, without a group");
        }
    }

    fn ids(&mut self, resources: &[Resource]) {
        let mut seen = BTreeSet::new();
        for resource in resources.iter().filter(|resource| !resource.id.is_empty()) {
            let (id, at) = (&resource.id, resource.at.field("id"));
            if !is_lower_camel(id) {
                let message = format!(
                    "naming convention violation: id {id} is not a valid KRO resource id: must be lower camelCase"
                );
                self.problems
                    .error("InvalidId", &at, message)
                    .hint("start with a lower-case letter and use at most 63 letters and digits");
            } else if RESERVED.contains(&id.as_str()) || CEL_WORDS.contains(&id.as_str()) {
                let message = format!("naming convention violation: id {id} is a reserved keyword in KRO");
                self.problems
                    .error("ReservedId", &at, message)
                    .hint(format!("choose another id, such as `{id}Object`"));
            }
            if !seen.insert(id) {
                let message = format!("found duplicate resource IDs {id}");
                self.problems.error("DuplicateId", &at, message).hint("give each resource an id of its own");
            }
        }
    }

    fn resource(&mut self, resource: &'d Resource) {
        let mut dependencies = BTreeSet::new();
        self.template(resource, &mut dependencies);
        for (index, text) in resource.ready_when.iter().enumerate() {
            let at = resource.at.field("readyWhen").index(index);
            self.standalone(text, Place { at: &at, sees: Sees::Own(&resource.id) });
        }
        for (index, text) in resource.include_when.iter().enumerate() {
            let at = resource.at.field("includeWhen").index(index);
            self.standalone(text, Place { at: &at, sees: Sees::Schema });
        }
        self.checked.dependencies.insert(resource.id.clone(), dependencies);
    }

    /// The schema of the status fields.
    fn status(&mut self, fields: &'d Map<String, Value>, at: &Pointer) -> Value {
        if fields.contains_key("croft") {
            self.problems
                .error("ReservedStatusField", &at.field("croft"), "the status field `croft` is reserved for the host")
                .hint("choose another name");
        }
        self.status_map(fields, at, "status")
    }

    fn status_map(&mut self, fields: &'d Map<String, Value>, at: &Pointer, path: &str) -> Value {
        let mut properties = Map::new();
        for (name, value) in fields {
            let schema = self.status_value(value, &at.field(name), &format!("{path}.{name}"));
            properties.insert(name.clone(), schema);
        }
        if properties.is_empty() {
            json!({"type": "object"})
        } else {
            json!({"type": "object", "properties": properties})
        }
    }

    fn status_value(&mut self, value: &'d Value, at: &Pointer, path: &str) -> Value {
        match value {
            Value::Object(fields) => self.status_map(fields, at, path),
            Value::Array(elements) => {
                let mut schemas = Vec::new();
                for (index, element) in elements.iter().enumerate() {
                    schemas.push(self.status_value(element, &at.index(index), &format!("{path}[{index}]")));
                }
                schemas.dedup();
                let open = json!({"x-kubernetes-preserve-unknown-fields": true});
                let items = if schemas.len() == 1 { schemas.remove(0) } else { open };
                json!({"type": "array", "items": items})
            }
            Value::String(text) => self.status_text(text, at, path),
            _ => {
                self.no_expression(at, path);
                Value::Null
            }
        }
    }

    fn status_text(&mut self, text: &'d str, at: &Pointer, path: &str) -> Value {
        let before = self.problems.count();
        let Some(found) = self.text(text, Place { at, sees: Sees::Everything }) else { return Value::Null };
        // What is misspelt refers to nothing; saying so twice helps nobody.
        let faultless = self.problems.count() == before;
        if !found.any {
            self.no_expression(at, path);
        } else if found.resources.is_empty() && faultless {
            self.problems
                .error("StatusWithoutResource", at, format!("instance status field must refer to a resource: {path}"))
                .hint("a status tells of resources: use an expression such as `${deployment.status.readyReplicas}`");
        }
        let Some(source) = found.standalone else { return json!({"type": "string"}) };
        let Some(expression) = self.checked.expressions.get(source) else { return Value::Null };
        expression.schema(&|name| match name {
            "schema" => Some(&self.instance),
            name => self.ids.contains(name).then_some(&self.child),
        })
    }

    fn no_expression(&mut self, at: &Pointer, path: &str) {
        self.problems
            .error(
                "StatusWithoutExpression",
                at,
                format!("status fields without expressions are not supported: {path}"),
            )
            .hint("use an expression that refers to a resource, such as `${deployment.status.readyReplicas}`");
    }

    fn order(&mut self, definition: &Definition) {
        let dependencies: Dependencies = self
            .checked
            .dependencies
            .iter()
            .map(|(id, on)| (id.as_str(), on.iter().map(String::as_str).collect()))
            .collect();
        match graph::order(&dependencies) {
            Ok(order) => self.checked.order = order.into_iter().map(str::to_owned).collect(),
            Err(cycle) => {
                let first = cycle.path.first();
                let resource = definition.resources.iter().find(|resource| Some(&resource.id) == first);
                let at = resource.map_or_else(Pointer::root, |resource| resource.at.field("template"));
                self.problems
                    .error("Cycle", &at, cycle.to_string())
                    .hint("remove one of the references along it, so that one resource can be created first");
            }
        }
    }

    /// The visible name that was probably meant.
    fn nearest_name(&self, name: &str, sees: Sees) -> Option<String> {
        let candidates: Vec<&str> = match sees {
            Sees::Schema => vec!["schema"],
            Sees::Own(id) => vec![id],
            Sees::Others(own) => self.ids.iter().copied().filter(|id| *id != own).chain(["schema"]).collect(),
            Sees::Everything => self.ids.iter().copied().chain(["schema"]).collect(),
        };
        nearest(name, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
    }
}

fn is_upper_camel(kind: &str) -> bool {
    kind.len() <= 63
        && kind.starts_with(|first: char| first.is_ascii_uppercase())
        && kind.chars().all(|letter| letter.is_ascii_alphanumeric())
}

fn upper_camel(kind: &str) -> String {
    let words = kind.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.map(|word| word[..word.len().min(1)].to_uppercase() + word.get(1..).unwrap_or_default()).collect()
}

fn is_lower_camel(id: &str) -> bool {
    id.len() <= 63
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.chars().all(|letter| letter.is_ascii_alphanumeric())
}

fn is_resource_name(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
}

/// `v1`, `v1alpha1`, `v1beta2`, and `v1alpha`, which kro v0.1 takes too.
fn is_version(version: &str) -> bool {
    let Some(rest) = version.strip_prefix('v') else { return false };
    let stage = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
    if stage.len() == rest.len() || version.len() > 63 {
        return false;
    }
    let digits = stage.strip_prefix("alpha").or_else(|| stage.strip_prefix("beta")).unwrap_or(stage);
    digits.len() < stage.len() && digits.chars().all(|digit| digit.is_ascii_digit()) || stage.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_kubernetes() {
        for version in ["v1", "v10", "v1alpha1", "v2beta3", "v1alpha"] {
            assert!(is_version(version), "{version}");
        }
        for version in ["", "1", "v", "valpha1", "v1gamma1", "kro.run/v1", "v1alpha1x", "V1"] {
            assert!(!is_version(version), "{version}");
        }
    }

    #[test]
    fn names_are_camel_case() {
        assert!(is_upper_camel("WebApp2") && !is_upper_camel("webApp") && !is_upper_camel("Web-App"));
        assert!(is_lower_camel("webApp2") && !is_lower_camel("WebApp") && !is_lower_camel("web-app"));
        assert_eq!(upper_camel("web-app"), "WebApp");
    }
}
