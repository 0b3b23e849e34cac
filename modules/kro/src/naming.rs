//! Checks the names in a definition: group, version and kind of its API, the
//! ids of its resources and the iterators along which they are repeated.
//!
//! It does not look at what they name. Whether an expression's names exist is
//! for `check`.

use std::collections::BTreeSet;

use guest_sdk::plural;

use crate::{
    model::{Definition, Dialect, Resource},
    problem::{Pointer, Problems},
};

/// Names longer than this are refused, as by the API server.
const MAX_NAME: usize = 63;

/// As kro allows by default.
const MAX_DIMENSIONS: usize = 10;

/// As kro's own schema has it for short names and categories.
const MAX_OTHER_NAMES: usize = 32;

/// Words that mean something to kro v0.1 and so name no resource.
const RESERVED_V01: [&str; 28] = [
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

/// Words that mean something to kro v0.9.
const RESERVED_V09: [&str; 33] = [
    "apiVersion",
    "context",
    "dependencies",
    "dependency",
    "each",
    "externalRef",
    "externalRefs",
    "externalReference",
    "externalReferences",
    "graph",
    "instance",
    "item",
    "items",
    "kind",
    "kro",
    "metadata",
    "namespace",
    "object",
    "resource",
    "resourceGraphDefinition",
    "resourcegraphdefinition",
    "resources",
    "root",
    "runtime",
    "schema",
    "self",
    "serviceAccountName",
    "spec",
    "status",
    "this",
    "variables",
    "vars",
    "version",
];

/// CEL's own words: an id that is one could never be referred to.
const CEL_WORDS: [&str; 20] = [
    "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
    "null", "package", "return", "true", "var", "void", "while",
];

/// Notes every name that cannot be used.
pub(crate) fn check(definition: &Definition, problems: &mut Problems) {
    let mut names = Names { dialect: definition.dialect, problems };
    names.kind(definition);
    names.version(definition);
    if definition.dialect == Dialect::V09 {
        names.group(definition);
        names.others(&definition.short_names, &definition.schema_at.field("shortNames"));
        names.others(&definition.categories, &definition.schema_at.field("categories"));
    }
    names.ids(&definition.resources);
    let ids = definition.resources.iter().map(|resource| resource.id.as_str()).collect();
    for resource in &definition.resources {
        names.iterators(resource, &ids);
    }
}

struct Names<'p> {
    dialect: Dialect,
    problems: &'p mut Problems,
}

impl Names<'_> {
    /// A message as kro of this dialect would put it.
    fn says(&self, message: &str) -> String {
        match self.dialect {
            Dialect::V01 => message.to_owned(),
            Dialect::V09 => format!("failed to validate resourcegraphdefinition: {message}"),
        }
    }

    fn violates(&self, message: &str) -> String {
        self.says(&format!("naming convention violation: {message}"))
    }

    fn kind(&mut self, definition: &Definition) {
        let (kind, at) = (&definition.kind, definition.schema_at.field("kind"));
        if kind.is_empty() {
            return;
        }
        if !is_upper_camel(kind) {
            let message = self.violates(&format!("kind '{kind}' is not a valid KRO kind name: must be UpperCamelCase"));
            let suggestion = upper_camel(kind);
            let hint = is_upper_camel(&suggestion).then(|| format!("did you mean `{suggestion}`?"));
            self.problems.error("InvalidKind", &at, message).maybe_hint(hint);
        } else if !is_resource_name(&plural::of(kind)) {
            let message =
                format!("the plural of '{kind}' would be `{}`, which is not a resource name", plural::of(kind));
            self.problems.error("InvalidKind", &at, message).hint("choose another kind, such as one of two words");
        }
    }

    fn version(&mut self, definition: &Definition) {
        let version = &definition.version;
        if !version.is_empty() && !is_version(version, self.dialect) {
            let message = self.violates(&format!("apiVersion '{version}' is not a valid version"));
            self.problems
                .error("InvalidApiVersion", &definition.schema_at.field("apiVersion"), message)
                .hint("write a version such as `v1`, `v1alpha1` or `v2beta3`, without a group");
        }
    }

    /// kro takes any group; a CRD of one that is not a domain cannot be made.
    fn group(&mut self, definition: &Definition) {
        let group = &definition.group;
        if !is_domain(group) {
            let message = self.violates(&format!("group '{group}' is not a domain with at least one dot"));
            self.problems
                .error("InvalidGroup", &definition.schema_at.field("group"), message)
                .hint("write a domain that is yours, such as `example.com`, in lower case");
        }
    }

    fn others(&mut self, names: &[String], at: &Pointer) {
        if names.len() > MAX_OTHER_NAMES {
            let message = format!("must have at most {MAX_OTHER_NAMES} items, got {}", names.len());
            self.problems.error("TooManyNames", at, message).hint("leave some out");
        }
        let mut seen = BTreeSet::new();
        for (index, name) in names.iter().enumerate() {
            // One of another type was noted when it was read.
            if !is_label(name) && !self.problems.error_at(&at.index(index)) {
                self.problems
                    .error("InvalidName", &at.index(index), format!("'{name}' is not a valid name"))
                    .hint("use lower-case letters, digits and `-`, and start with a letter");
            } else if !seen.insert(name) {
                self.problems
                    .error("DuplicateName", &at.index(index), format!("duplicate value: \"{name}\""))
                    .hint("list each name once");
            }
        }
    }

    fn ids(&mut self, resources: &[Resource]) {
        let mut seen = BTreeSet::new();
        for resource in resources.iter().filter(|resource| !resource.id.is_empty()) {
            let (id, at) = (&resource.id, resource.at.field("id"));
            if !is_lower_camel(id) {
                let message =
                    self.violates(&format!("id {id} is not a valid KRO resource id: must be lower camelCase"));
                let likely = Some(lower_camel(id)).filter(|likely| is_lower_camel(likely));
                let hint = likely.map_or_else(
                    || "start with a lower-case letter and use at most 63 letters and digits".to_owned(),
                    |likely| format!("did you mean `{likely}`?"),
                );
                self.problems.error("InvalidId", &at, message).hint(hint);
            } else if is_reserved(id, self.dialect) {
                let message = self.violates(&format!("id {id} is a reserved keyword in KRO"));
                self.problems
                    .error("ReservedId", &at, message)
                    .hint(format!("choose another id, such as `{id}Object`"));
            }
            if id == "graphengine" && self.dialect == Dialect::V09 {
                self.problems
                    .warning("ReservedLater", &at, format!("the id {id} is a reserved keyword from kro 0.10 on"))
                    .hint(format!("choose another id, such as `{id}Object`"));
            }
            if !seen.insert(id) {
                let message = format!("found duplicate resource IDs {id}");
                let message = match self.dialect {
                    Dialect::V01 => message,
                    Dialect::V09 => self.violates(&message),
                };
                self.problems.error("DuplicateId", &at, message).hint("give each resource an id of its own");
            }
        }
    }

    fn iterators(&mut self, resource: &Resource, ids: &BTreeSet<&str>) {
        let (id, count) = (&resource.id, resource.for_each.len());
        let says = |names: &Self, what: &str| names.says(&format!("resource \"{id}\": {what}"));
        if count > MAX_DIMENSIONS {
            let message =
                says(self, &format!("forEach cannot have more than {MAX_DIMENSIONS} dimensions, got {count}"));
            self.problems
                .error("TooManyDimensions", &resource.at.field("forEach"), message)
                .hint("combine some of them into one list of maps");
        }
        let mut seen = BTreeSet::new();
        for (index, (name, _)) in resource.for_each.iter().enumerate().filter(|(_, (name, _))| !name.is_empty()) {
            let (code, what, hint) = if !is_lower_camel(name) {
                (
                    "InvalidIterator",
                    format!("forEach iterator name \"{name}\" is not valid: must be lowerCamelCase"),
                    "start with a lower-case letter and use at most 63 letters and digits".to_owned(),
                )
            } else if is_reserved(name, self.dialect) {
                (
                    "ReservedIterator",
                    format!("forEach iterator name \"{name}\" is a reserved keyword"),
                    format!("choose another name, such as `{name}Value`"),
                )
            } else if ids.contains(name.as_str()) {
                (
                    "IteratorConflict",
                    format!("forEach iterator name \"{name}\" conflicts with resource ID"),
                    format!("choose another name, such as `{name}Value`"),
                )
            } else if !seen.insert(name) {
                (
                    "DuplicateIterator",
                    format!("duplicate forEach iterator name \"{name}\""),
                    "give each dimension an iterator of its own".to_owned(),
                )
            } else {
                continue;
            };
            let message = says(self, &what);
            self.problems.error(code, &resource.for_each_at(index), message).hint(hint);
        }
    }
}

/// Whether a word can name no resource and no iterator.
pub(crate) fn is_reserved(word: &str, dialect: Dialect) -> bool {
    let reserved: &[&str] = match dialect {
        Dialect::V01 => &RESERVED_V01,
        Dialect::V09 => &RESERVED_V09,
    };
    reserved.contains(&word) || CEL_WORDS.contains(&word)
}

/// `v1`, `v1alpha1`, `v1beta2`, and `v1alpha`, which kro v0.1 takes too.
pub(crate) fn is_version(version: &str, dialect: Dialect) -> bool {
    let Some(rest) = version.strip_prefix('v') else { return false };
    let stage = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
    if stage.len() == rest.len() || version.len() > MAX_NAME {
        return false;
    }
    let Some(digits) = stage.strip_prefix("alpha").or_else(|| stage.strip_prefix("beta")) else {
        return stage.is_empty();
    };
    let numbered = dialect == Dialect::V01 || !digits.is_empty();
    numbered && digits.chars().all(|digit| digit.is_ascii_digit())
}

fn is_upper_camel(kind: &str) -> bool {
    kind.len() <= MAX_NAME
        && kind.starts_with(|first: char| first.is_ascii_uppercase())
        && kind.chars().all(|letter| letter.is_ascii_alphanumeric())
}

/// The words of a text, all but the first with a capital: `web-app` is `webApp`.
pub(crate) fn lower_camel(id: &str) -> String {
    let words = upper_camel(id);
    let first = words.chars().take_while(char::is_ascii_uppercase).count();
    // `DBInstance` is `dbInstance`, and `WebApp` is `webApp`.
    let lower = if first > 1 && first < words.len() { first - 1 } else { first };
    words[..lower].to_ascii_lowercase() + &words[lower..]
}

/// The words of a text, each with a capital: `web-app` is `WebApp`.
pub(crate) fn upper_camel(kind: &str) -> String {
    let words = kind.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.map(|word| word[..word.len().min(1)].to_uppercase() + word.get(1..).unwrap_or_default()).collect()
}

fn is_lower_camel(id: &str) -> bool {
    id.len() <= MAX_NAME
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.chars().all(|letter| letter.is_ascii_alphanumeric())
}

fn is_resource_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
}

/// A DNS label that starts with a letter.
fn is_label(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
}

fn is_domain(name: &str) -> bool {
    let inner = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let is_part = |part: &str| {
        part.starts_with(inner) && part.ends_with(inner) && part.chars().all(|letter| inner(letter) || letter == '-')
    };
    // 253 is what DNS allows.
    name.contains('.') && name.len() <= 253 && name.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use guest_sdk::Failure;
    use serde_json::{Value, json};

    use super::*;
    use crate::reader;

    /// What is wrong with the names of a definition.
    fn complaints(kind: &str, schema: Value, resources: Value) -> Vec<(String, String)> {
        let definition = json!({
            "apiVersion": "kro.run/v1alpha1",
            "kind": kind,
            "spec": {"schema": schema, "resources": resources},
        });
        let mut problems = Problems::default();
        let definition = reader::read(&definition, &mut problems).unwrap();
        check(&definition, &mut problems);
        match problems.into_result() {
            Ok(_) => Vec::new(),
            Err(Failure::Invalid(found)) => found.into_iter().map(|it| (it.code, it.message)).collect(),
            Err(other) => panic!("{other:?}"),
        }
    }

    fn graph(schema: Value, resources: Value) -> Vec<(String, String)> {
        complaints("ResourceGraphDefinition", schema, resources)
    }

    fn thing() -> Value {
        json!({"apiVersion": "v1", "kind": "Thing"})
    }

    fn with_schema(name: &str, value: Value) -> Vec<(String, String)> {
        let mut schema = thing();
        schema[name] = value;
        graph(schema, json!([]))
    }

    fn with_id(id: &str) -> Vec<(String, String)> {
        graph(thing(), json!([{"id": id, "template": {}}]))
    }

    fn with_iterators(iterators: &[&str]) -> Vec<(String, String)> {
        let dimensions: Vec<Value> = iterators.iter().map(|name| json!({*name: "${schema.spec.xs}"})).collect();
        graph(thing(), json!([{"id": "r", "template": {}, "forEach": dimensions}, {"id": "q", "template": {}}]))
    }

    #[test]
    fn a_name_is_refused_in_kros_words() {
        let prefix = "failed to validate resourcegraphdefinition: ";
        let violation = "naming convention violation: ";
        let eleven: Vec<String> = (0..11).map(|number| format!("i{number}")).collect();
        let eleven: Vec<&str> = eleven.iter().map(String::as_str).collect();
        let cases = [
            (
                with_schema("kind", json!("webApp")),
                "InvalidKind",
                format!("{violation}kind 'webApp' is not a valid KRO kind name: must be UpperCamelCase"),
            ),
            (
                with_schema("apiVersion", json!("v1alpha")),
                "InvalidApiVersion",
                format!("{violation}apiVersion 'v1alpha' is not a valid version"),
            ),
            (
                with_schema("group", json!("Example.com")),
                "InvalidGroup",
                format!("{violation}group 'Example.com' is not a domain with at least one dot"),
            ),
            (
                with_id("vpc-1"),
                "InvalidId",
                format!("{violation}id vpc-1 is not a valid KRO resource id: must be lower camelCase"),
            ),
            (with_id("status"), "ReservedId", format!("{violation}id status is a reserved keyword in KRO")),
            (with_id("each"), "ReservedId", format!("{violation}id each is a reserved keyword in KRO")),
            (
                graph(thing(), json!([{"id": "x", "template": {}}, {"id": "x", "template": {}}])),
                "DuplicateId",
                format!("{violation}found duplicate resource IDs x"),
            ),
            (
                with_iterators(&eleven),
                "TooManyDimensions",
                "resource \"r\": forEach cannot have more than 10 dimensions, got 11".to_owned(),
            ),
            (
                with_iterators(&["X"]),
                "InvalidIterator",
                "resource \"r\": forEach iterator name \"X\" is not valid: must be lowerCamelCase".to_owned(),
            ),
            (
                with_iterators(&["each"]),
                "ReservedIterator",
                "resource \"r\": forEach iterator name \"each\" is a reserved keyword".to_owned(),
            ),
            (
                with_iterators(&["q"]),
                "IteratorConflict",
                "resource \"r\": forEach iterator name \"q\" conflicts with resource ID".to_owned(),
            ),
            (
                with_iterators(&["x", "x"]),
                "DuplicateIterator",
                "resource \"r\": duplicate forEach iterator name \"x\"".to_owned(),
            ),
        ];
        for (found, code, message) in cases {
            assert_eq!(found, [(code.to_owned(), format!("{prefix}{message}"))]);
        }
    }

    #[test]
    fn what_no_crd_could_hold_is_refused() {
        for (name, value, code) in [
            ("kind", json!("DNS"), "InvalidKind"),
            ("group", json!("kro"), "InvalidGroup"),
            ("group", json!(""), "InvalidGroup"),
            ("shortNames", json!(["Ab"]), "InvalidName"),
            ("categories", json!(["all", "all"]), "DuplicateName"),
            ("shortNames", json!((0..33).map(|number| format!("n{number}")).collect::<Vec<_>>()), "TooManyNames"),
        ] {
            let found = with_schema(name, value);
            assert_eq!(found.iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>(), [code]);
        }
    }

    #[test]
    fn the_dialects_reserve_different_words_and_say_it_differently() {
        let old = |id: &str| complaints("ResourceGroup", thing(), json!([{"id": id, "template": {}}]));
        assert!(old("item").is_empty());
        assert!(with_id("resourcegroup").is_empty());
        let message = "naming convention violation: id status is a reserved keyword in KRO".to_owned();
        assert_eq!(old("status"), [("ReservedId".to_owned(), message)]);
    }

    #[test]
    fn versions_are_those_of_kubernetes() {
        for version in ["v1", "v10", "v1alpha1", "v2beta3"] {
            assert!(is_version(version, Dialect::V01) && is_version(version, Dialect::V09), "{version}");
        }
        assert!(is_version("v1alpha", Dialect::V01) && !is_version("v1alpha", Dialect::V09));
        for version in ["", "1", "v", "valpha1", "v1gamma1", "kro.run/v1", "v1alpha1x", "V1"] {
            assert!(!is_version(version, Dialect::V01) && !is_version(version, Dialect::V09), "{version}");
        }
    }

    #[test]
    fn names_are_camel_case() {
        assert!(is_upper_camel("WebApp2") && !is_upper_camel("webApp") && !is_upper_camel("Web-App"));
        assert!(is_lower_camel("webApp2") && !is_lower_camel("WebApp") && !is_lower_camel("web-app"));
        assert_eq!(upper_camel("web-app"), "WebApp");
        for (id, likely) in
            [("web-app", "webApp"), ("my_db", "myDb"), ("WebApp", "webApp"), ("DBInstance", "dbInstance")]
        {
            assert_eq!(lower_camel(id), likely);
        }
    }

    #[test]
    fn a_group_is_a_domain() {
        assert!(is_domain("kro.run") && is_domain("a-b.example.com"));
        for group in ["", "kro", "kro.", ".run", "a..b", "-a.b", "a_b.c", "A.b"] {
            assert!(!is_domain(group), "{group}");
        }
    }
}
