//! `cargo xtask schemas`: makes the table of the schemas of Kubernetes' own
//! kinds, `host/core/src/schemas/builtin.json`, from the OpenAPI documents of a
//! version of Kubernetes.
//!
//! The documents come out of Kubernetes' Go module, so that it takes Go. The same
//! version gives the same bytes. References stay: the host resolves them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use crate::{go, phase::say, root};

/// The minor version whose types `k8s-openapi` has too.
const KUBERNETES: &str = "v1.34.9";

/// Where references point.
const COMPONENTS: &str = "#/components/schemas/";

/// The extension by which schemas and requests say of which kind they are.
const KIND: &str = "x-kubernetes-group-version-kind";

/// What only people and `kubectl` read.
const LEFT_OUT: [&str; 9] = [
    KIND,
    "description",
    "title",
    "example",
    "examples",
    "externalDocs",
    "x-kubernetes-patch-merge-key",
    "x-kubernetes-patch-strategy",
    "x-kubernetes-unions",
];

/// By `apiVersion`, then kind.
type Kinds = BTreeMap<String, BTreeMap<String, Value>>;

/// Makes the file anew.
pub(crate) fn make() -> Result<()> {
    let folder = documents()?;
    let mut table = Table::default();
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .with_context(|| format!("cannot list `{}`", folder.display()))?
        .into_iter()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    for file in files {
        let Some(version) = Version::of(&file).filter(Version::is_served) else { continue };
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
        let document: Value =
            serde_json::from_str(&text).with_context(|| format!("`{}` is not JSON", file.display()))?;
        table.add(&version, &document)?;
    }
    let output = root().join("host/core/src/schemas/builtin.json");
    let text = table.print();
    say(format_args!("{} kinds of Kubernetes {KUBERNETES}, {} KB", table.len(), text.len() / 1000));
    fs::write(&output, text).with_context(|| format!("cannot write `{}`", output.display()))
}

/// The folder of the documents, in Go's module cache.
fn documents() -> Result<PathBuf> {
    Ok(go::module(&format!("k8s.io/kubernetes@{KUBERNETES}"))?.join("api/openapi-spec/v3"))
}

/// A group and version, and where it is in URLs.
struct Version {
    group: String,
    version: String,
    root: String,
}

impl Version {
    /// What a file's name says: `apis__apps__v1_openapi.json`, or
    /// `api__v1_openapi.json` of the core group. Others are of no version.
    fn of(file: &Path) -> Option<Version> {
        let name = file.file_name()?.to_str()?.strip_suffix("_openapi.json")?;
        let (group, version) = match name.split("__").collect::<Vec<_>>().as_slice() {
            ["api", version] => ("", *version),
            ["apis", group, version] => (*group, *version),
            _ => return None,
        };
        let root = format!("/{}/", name.replace("__", "/"));
        Some(Version { group: group.to_owned(), version: version.to_owned(), root })
    }

    /// Alpha versions are served by nobody who did not ask for them, and the
    /// internal group is between API servers.
    fn is_served(&self) -> bool {
        !self.version.contains("alpha") && self.group != "internal.apiserver.k8s.io"
    }

    fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The kind that an extension names, if it is of this version.
    fn kind<'a>(&self, named: &'a Value) -> Option<&'a str> {
        let is_own = named["group"] == self.group && named["version"] == self.version;
        named["kind"].as_str().filter(|_| is_own)
    }
}

/// What the file will hold.
#[derive(Default)]
struct Table {
    kinds: Kinds,
    definitions: BTreeMap<String, Value>,
}

impl Table {
    /// Adds the kinds of a document that have a resource, and all that their
    /// schemas refer to.
    fn add(&mut self, version: &Version, document: &Value) -> Result<()> {
        let addresses = addresses(version, document);
        let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
        let schemas = schemas.context("a document has no schemas")?;
        for (name, schema) in schemas {
            // Several kinds are named by what every group has, such as DeleteOptions.
            let Some([named]) = schema.get(KIND).and_then(Value::as_array).map(Vec::as_slice) else { continue };
            let Some((kind, (plural, scope))) = version.kind(named).and_then(|kind| addresses.get_key_value(kind))
            else {
                continue;
            };
            let entry = json!({"definition": name, "plural": plural, "scope": scope});
            self.kinds.entry(version.api_version()).or_default().insert(kind.clone(), entry);
            self.define(name, schemas)?;
        }
        Ok(())
    }

    fn define(&mut self, name: &str, schemas: &Map<String, Value>) -> Result<()> {
        let mut names = vec![name.to_owned()];
        while let Some(name) = names.pop() {
            let schema = schemas.get(&name).with_context(|| format!("there is no definition `{name}`"))?;
            let schema = pruned(schema);
            match self.definitions.get(&name) {
                Some(other) => ensure!(*other == schema, "two documents have different definitions of `{name}`"),
                None => {
                    references(&schema, &mut names);
                    self.definitions.insert(name, schema);
                }
            }
        }
        Ok(())
    }

    fn len(&self) -> usize {
        self.kinds.values().map(BTreeMap::len).sum()
    }

    /// JSON with a line for each version and definition, for readable changes.
    fn print(&self) -> String {
        let kinds = self.kinds.iter().map(|(version, kinds)| (version, json!(kinds)));
        let definitions = self.definitions.iter().map(|(name, schema)| (name, schema.clone()));
        format!(
            "{{\"kubernetes\":{},\n\"kinds\":{},\n\"definitions\":{}}}\n",
            json!(KUBERNETES),
            lines(kinds),
            lines(definitions)
        )
    }
}

fn lines<'a>(entries: impl Iterator<Item = (&'a String, Value)>) -> String {
    let lines: Vec<String> = entries.map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}

/// Resource name and scope by kind. A kind is namespaced if one of its requests
/// is; it can be listed across namespaces too.
fn addresses(version: &Version, document: &Value) -> BTreeMap<String, (String, &'static str)> {
    let mut addresses = BTreeMap::new();
    for (path, requests) in document["paths"].as_object().into_iter().flatten() {
        let Some(path) = path.strip_prefix(&version.root) else { continue };
        let (plural, scope) = match path.trim_end_matches('/').split('/').collect::<Vec<_>>().as_slice() {
            [plural] => (*plural, "Cluster"),
            ["namespaces", "{namespace}", plural] => (*plural, "Namespaced"),
            _ => continue,
        };
        let named = requests.as_object().into_iter().flat_map(Map::values).filter_map(|request| request.get(KIND));
        for kind in named.filter_map(|named| version.kind(named)) {
            if scope == "Namespaced" || !addresses.contains_key(kind) {
                addresses.insert(kind.to_owned(), (plural.to_owned(), scope));
            }
        }
    }
    addresses
}

/// A schema without what only people read, and with short references.
fn pruned(schema: &Value) -> Value {
    let Some(fields) = schema.as_object() else { return schema.clone() };
    let mut kept = Map::new();
    for (name, value) in fields {
        let value: Value = match (name.as_str(), value) {
            (name, _) if LEFT_OUT.contains(&name) => continue,
            ("$ref", Value::String(reference)) => short(reference).into(),
            ("properties", Value::Object(properties)) => {
                properties.iter().map(|(name, schema)| (name.clone(), pruned(schema))).collect()
            }
            ("items" | "additionalProperties" | "not", value) => pruned(value),
            ("allOf", Value::Array(parts)) => match only_reference(parts) {
                Some(reference) => {
                    kept.insert("$ref".to_owned(), short(reference).into());
                    continue;
                }
                None => parts.iter().map(pruned).collect(),
            },
            ("oneOf" | "anyOf", Value::Array(members)) => members.iter().map(pruned).collect(),
            (_, value) => value.clone(),
        };
        kept.insert(name.clone(), value);
    }
    Value::Object(kept)
}

/// The reference in an `allOf` that is there to give a reference siblings.
fn only_reference(parts: &[Value]) -> Option<&str> {
    match parts {
        [part] if part.as_object().is_some_and(|part| part.len() == 1) => part["$ref"].as_str(),
        _ => None,
    }
}

fn short(reference: &str) -> &str {
    reference.strip_prefix(COMPONENTS).unwrap_or(reference)
}

/// Adds all names that a schema refers to. A property may have the name `$ref`,
/// but its value is not text.
fn references(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| match (name.as_str(), value) {
            ("$ref", Value::String(reference)) => names.push(reference.clone()),
            (_, value) => references(value, names),
        }),
        Value::Array(values) => values.iter().for_each(|value| references(value, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(name: &str) -> Option<Version> {
        Version::of(Path::new(name))
    }

    #[test]
    fn a_file_is_of_the_version_that_its_name_says() {
        let apps = version("/x/apis__apps__v1_openapi.json").unwrap();
        assert_eq!((apps.api_version().as_str(), apps.root.as_str()), ("apps/v1", "/apis/apps/v1/"));
        assert_eq!(version("api__v1_openapi.json").unwrap().api_version(), "v1");
        assert!(version("apis__apps_openapi.json").is_none());
        assert!(!version("apis__batch__v2alpha1_openapi.json").unwrap().is_served());
    }

    #[test]
    fn a_table_has_kinds_with_a_resource_and_what_they_refer_to() {
        let (name, kind) = ("io.k8s.Job", json!({"group": "batch", "version": "v1", "kind": "Job"}));
        let spec = json!({"allOf": [{"$ref": "#/components/schemas/io.k8s.JobSpec"}], "default": {}});
        let document = json!({
            "paths": {
                "/apis/batch/v1/jobs": {"get": {KIND: kind}},
                "/apis/batch/v1/namespaces/{namespace}/jobs": {"parameters": [], "post": {KIND: kind}},
            },
            "components": {"schemas": {
                name: {KIND: [kind], "type": "object", "description": "Runs.", "properties": {"description": spec}},
                "io.k8s.JobSpec": {"type": "object"},
                "io.k8s.Unrelated": {"type": "object"},
            }},
        });
        let mut table = Table::default();
        table.add(&version("apis__batch__v1_openapi.json").unwrap(), &document).unwrap();
        let entry = json!({"definition": name, "plural": "jobs", "scope": "Namespaced"});
        assert_eq!(json!(table.kinds), json!({"batch/v1": {"Job": entry}}));
        let job = json!({"type": "object", "properties": {"description": {"$ref": "io.k8s.JobSpec", "default": {}}}});
        assert_eq!(json!(table.definitions), json!({name: job, "io.k8s.JobSpec": {"type": "object"}}));
        assert!(serde_json::from_str::<Value>(&table.print()).is_ok());
    }
}
