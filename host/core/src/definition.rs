//! Reading a definition as the host sees it: of which kind it is and which
//! module runs it, and nothing of what the module makes of it.
//!
//! Of a `Composition` it knows the form too, since no module's language does.

use std::{fmt, path::PathBuf, str::FromStr};

use contract::{Gvk, Problem, Scope};
use serde_json::Value;

use crate::{
    admission,
    fault::{Blame, Fault},
    kinds::Kind,
    name::Digest,
    object,
    oci::{self, OciRef},
};

/// The annotation that names a module where the stored schema has no
/// `spec.module`.
pub const MODULE_ANNOTATION: &str = "croft.run/module";
/// The version of definitions, whatever their kind.
pub const VERSION: &str = "v1alpha1";

/// The kinds of definitions that the host watches. Which module reads one is
/// not a matter of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DefinitionKind {
    /// `ResourceGroup` of kro v0.1, namespaced.
    ResourceGroup,
    /// `ResourceGraphDefinition` of kro v0.9, cluster-scoped.
    ResourceGraphDefinition,
    /// `Composition` of croft, for modules written as code; cluster-scoped.
    Composition,
}

impl DefinitionKind {
    /// All of them.
    pub const ALL: [DefinitionKind; 3] =
        [DefinitionKind::ResourceGroup, DefinitionKind::ResourceGraphDefinition, DefinitionKind::Composition];

    /// The kind of definition that an object is, if it is one.
    pub fn of(object: &Value) -> Option<DefinitionKind> {
        DefinitionKind::named(&Gvk::of(object)?)
    }

    /// The kind of definition that goes by a group and a kind, in any version.
    pub fn named(kind: &Gvk) -> Option<DefinitionKind> {
        DefinitionKind::ALL.into_iter().find(|known| kind.group == known.group() && kind.kind == known.as_str())
    }

    /// The API group: `kro.run`, or `croft.run`.
    pub fn group(self) -> &'static str {
        match self {
            DefinitionKind::ResourceGroup | DefinitionKind::ResourceGraphDefinition => "kro.run",
            DefinitionKind::Composition => "croft.run",
        }
    }

    /// Such as `ResourceGroup`.
    pub fn as_str(self) -> &'static str {
        match self {
            DefinitionKind::ResourceGroup => "ResourceGroup",
            DefinitionKind::ResourceGraphDefinition => "ResourceGraphDefinition",
            DefinitionKind::Composition => "Composition",
        }
    }

    /// Its name with group and version.
    pub fn gvk(self) -> Gvk {
        Gvk { group: self.group().into(), version: VERSION.into(), kind: self.as_str().into() }
    }

    /// The resource name in URLs, such as `resourcegroups`.
    pub fn plural(self) -> &'static str {
        match self {
            DefinitionKind::ResourceGroup => "resourcegroups",
            DefinitionKind::ResourceGraphDefinition => "resourcegraphdefinitions",
            DefinitionKind::Composition => "compositions",
        }
    }

    /// Whether such definitions live in a namespace.
    pub fn scope(self) -> Scope {
        match self {
            DefinitionKind::ResourceGroup => Scope::Namespaced,
            DefinitionKind::ResourceGraphDefinition | DefinitionKind::Composition => Scope::Cluster,
        }
    }

    /// How it is addressed.
    pub fn address(self) -> Kind {
        Kind { plural: self.plural().into(), scope: self.scope() }
    }
}

/// Which module runs a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleRef {
    /// The kro language, embedded in the binary.
    Kro,
    /// A file, for development: `file:greeting.wasm`, with or without a digest.
    File {
        /// Its path as written.
        path: PathBuf,
        /// What it must hash to.
        digest: Option<Digest>,
    },
    /// In a registry, or in a folder of the OCI layout.
    Oci(OciRef),
}

/// A module reference that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{reference}` is not a module reference: {problem}")]
pub struct InvalidModuleRef {
    reference: String,
    problem: String,
    hint: &'static str,
}

const HINT: &str = "write `builtin:kro`, `oci://REGISTRY/REPOSITORY[:TAG][@sha256:DIGEST]`, `oci-layout:DIR` or \
                    `file:PATH`";

impl InvalidModuleRef {
    /// What would be right.
    pub fn hint(&self) -> &'static str {
        self.hint
    }
}

impl Fault for InvalidModuleRef {
    fn reason(&self) -> &'static str {
        "InvalidModuleReference"
    }

    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Why a definition has no module that could be used.
#[derive(Debug, thiserror::Error)]
pub enum NoModule {
    /// It names none, and is of a kind that has no default.
    #[error("a Composition names its module in `spec.module`, and this one names none")]
    Missing,
    /// What it names is not a text.
    #[error("`spec.module` is {found}, and the reference to a module is a text")]
    NotText {
        /// What it is.
        found: String,
    },
    /// The text is not a reference.
    #[error("{problem}")]
    Invalid {
        /// Where it stands.
        at: String,
        /// What is wrong with it.
        problem: InvalidModuleRef,
    },
}

impl NoModule {
    /// Its place in the definition, as a JSON pointer.
    pub fn at(&self) -> &str {
        match self {
            NoModule::Missing => "/spec",
            NoModule::NotText { .. } => IN_SPEC,
            NoModule::Invalid { at, .. } => at,
        }
    }

    /// What would be right.
    pub fn hint(&self) -> &str {
        match self {
            NoModule::Missing | NoModule::NotText { .. } => {
                "write the reference to the module, such as `module: file:greetings.wasm` or `module: oci://registry.example.org/greetings:v1`"
            }
            NoModule::Invalid { problem, .. } => problem.hint(),
        }
    }
}

impl Fault for NoModule {
    fn reason(&self) -> &'static str {
        match self {
            NoModule::Missing => "MissingModule",
            NoModule::NotText { .. } => "InvalidModuleReference",
            NoModule::Invalid { problem, .. } => problem.reason(),
        }
    }

    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Where a definition names its module.
const IN_SPEC: &str = "/spec/module";

impl ModuleRef {
    /// The module that a definition names in `spec.module` or in its
    /// annotation. One that names none is read by `builtin:kro`, unless it is a
    /// `Composition`.
    ///
    /// # Errors
    /// It names none, or what it names is not a reference.
    pub fn of(definition: &Value) -> Result<ModuleRef, NoModule> {
        let parsed = |text: &str, at: String| text.parse().map_err(|problem| NoModule::Invalid { at, problem });
        match definition.pointer(IN_SPEC) {
            Some(Value::String(text)) => return parsed(text, IN_SPEC.to_owned()),
            None | Some(Value::Null) => {}
            Some(other) => return Err(NoModule::NotText { found: other.to_string() }),
        }
        match object::annotation(definition, MODULE_ANNOTATION) {
            Some(text) => parsed(text, format!("/metadata/annotations/{}", MODULE_ANNOTATION.replace('/', "~1"))),
            None if DefinitionKind::of(definition) == Some(DefinitionKind::Composition) => Err(NoModule::Missing),
            None => Ok(ModuleRef::Kro),
        }
    }
}

/// What is wrong with the form of a `Composition`. Of other kinds the module that
/// reads them says it.
pub fn check(definition: &Value) -> Vec<Problem> {
    let kind = Gvk::of(definition).filter(|kind| DefinitionKind::named(kind) == Some(DefinitionKind::Composition));
    let Some(kind) = kind else { return Vec::new() };
    let mut problems = Vec::new();
    let mut add = |code: &str, at: &str, message: String, hint: &str| {
        problems.push(admission::problem(code, at, message, Some(hint.to_owned())));
    };
    if kind.version != VERSION {
        let message = format!("a Composition has no version `{}`", kind.version);
        add("UnsupportedVersion", "/apiVersion", message, "write `apiVersion: croft.run/v1alpha1`");
    }
    let spec = definition.get("spec").and_then(Value::as_object);
    for name in
        spec.into_iter().flat_map(|spec| spec.keys()).filter(|name| !["module", "config"].contains(&name.as_str()))
    {
        let at = format!("/spec/{}", name.replace('~', "~0").replace('/', "~1"));
        let hint = "it takes `module`, and `config` with what the module documents";
        add("UnknownField", &at, format!("the spec of a Composition has no field `{name}`"), hint);
    }
    let config = spec.and_then(|spec| spec.get("config")).filter(|config| !config.is_null() && !config.is_object());
    if let Some(config) = config {
        let message = format!("`config` is {config}, and has to be a map");
        add("InvalidValue", "/spec/config", message, "write it as fields, each on a line of its own below `config:`");
    }
    problems
}

impl FromStr for ModuleRef {
    type Err = InvalidModuleRef;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid =
            |problem: &str| InvalidModuleRef { reference: text.to_owned(), problem: problem.to_owned(), hint: HINT };
        if OciRef::is_meant(text) {
            let malformed =
                |error: oci::Invalid| InvalidModuleRef { hint: error.hint(), ..invalid(&error.to_string()) };
            return text.parse().map(ModuleRef::Oci).map_err(malformed);
        }
        let (scheme, rest) = text.split_once(':').ok_or_else(|| invalid("it has no scheme"))?;
        match (scheme, rest) {
            ("builtin", "kro") => Ok(ModuleRef::Kro),
            ("builtin", _) => Err(invalid("the only built-in module is `kro`")),
            ("file", "") => Err(invalid("it has no path")),
            ("file", rest) => {
                let (path, digest) = match rest.split_once("@sha256:") {
                    None => (rest, None),
                    Some((path, hex)) => {
                        let digest = format!("sha256:{hex}").parse().map_err(|_| invalid("its digest is malformed"))?;
                        (path, Some(digest))
                    }
                };
                Ok(ModuleRef::File { path: path.into(), digest })
            }
            _ => Err(invalid("its scheme is not supported")),
        }
    }
}

impl fmt::Display for ModuleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModuleRef::Kro => f.write_str("builtin:kro"),
            ModuleRef::File { path, digest: None } => write!(f, "file:{}", path.display()),
            ModuleRef::File { path, digest: Some(digest) } => write!(f, "file:{}@{digest}", path.display()),
            ModuleRef::Oci(reference) => write!(f, "{reference}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_definition_is_known_by_group_and_kind() {
        let of = |api_version: &str, kind: &str| DefinitionKind::of(&json!({"apiVersion": api_version, "kind": kind}));
        for kind in DefinitionKind::ALL {
            assert_eq!(of(&kind.gvk().api_version(), kind.as_str()), Some(kind));
            assert_eq!(DefinitionKind::named(&kind.gvk()), Some(kind));
        }
        assert_eq!(of("example.org/v1", "ResourceGroup"), None);
        assert_eq!(of("kro.run/v1alpha1", "Greeting"), None);
        // Crossplane has a kind of this name, and kro has not.
        assert_eq!(of("apiextensions.crossplane.io/v1", "Composition"), None);
        assert_eq!(of("kro.run/v1alpha1", "Composition"), None);
    }

    #[test]
    fn a_reference_reads_back_as_it_was_written() {
        let pinned = format!("file:a/b.wasm@{}", Digest::of(b""));
        for text in ["builtin:kro", "file:a/b.wasm", &pinned, "oci://registry.example.org/a:v1", "oci-layout:a"] {
            assert_eq!(text.parse::<ModuleRef>().unwrap().to_string(), text);
        }
        for bad in ["kro", "builtin:x", "file:", "file:a@sha256:12", "https://example.org/a.wasm", "oci://a", "oci:a/b"]
        {
            assert!(bad.parse::<ModuleRef>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_spec_wins_over_the_annotation_and_kro_is_the_default() {
        let of = |definition: Value| ModuleRef::of(&definition).unwrap().to_string();
        assert_eq!(of(json!({"spec": {}})), "builtin:kro");
        let annotated = json!({"metadata": {"annotations": {MODULE_ANNOTATION: "file:a"}}, "spec": {}});
        assert_eq!(of(annotated.clone()), "file:a");
        let mut both = annotated;
        both["spec"]["module"] = "file:b".into();
        assert_eq!(of(both), "file:b");
    }
    fn composition(spec: Value) -> Value {
        json!({"apiVersion": "croft.run/v1alpha1", "kind": "Composition", "spec": spec})
    }

    #[test]
    fn a_composition_names_its_module_and_others_need_not() {
        let refused = |spec: Value| {
            let error = ModuleRef::of(&composition(spec)).unwrap_err();
            assert!(error.hint().contains("file:"), "{error}");
            (error.reason(), error.at().to_owned())
        };
        assert_eq!(refused(json!({})), ("MissingModule", "/spec".to_owned()));
        assert_eq!(refused(json!({"module": null})), ("MissingModule", "/spec".to_owned()));
        assert_eq!(refused(json!({"module": 3})), ("InvalidModuleReference", "/spec/module".to_owned()));
        assert_eq!(refused(json!({"module": "x"})), ("InvalidModuleReference", "/spec/module".to_owned()));
        // What is not a text is a mistake in a definition of any kind.
        let group = json!({"apiVersion": "kro.run/v1alpha1", "kind": "ResourceGroup", "spec": {"module": ["file:a"]}});
        assert_eq!(ModuleRef::of(&group).unwrap_err().at(), "/spec/module");
        let annotated = json!({"metadata": {"annotations": {MODULE_ANNOTATION: "nonsense"}}});
        assert_eq!(ModuleRef::of(&annotated).unwrap_err().at(), "/metadata/annotations/croft.run~1module");
    }

    #[test]
    fn a_composition_has_a_module_and_a_configuration_and_nothing_else() {
        let places = |spec: Value| check(&composition(spec)).into_iter().map(|it| it.at).collect::<Vec<_>>();
        assert!(places(json!({"module": "file:a", "config": {"anything": [1]}})).is_empty());
        assert_eq!(places(json!({"modul": "file:a", "config": 3})), ["/spec/modul", "/spec/config"]);
        let mut old = composition(json!({"schema": {}}));
        old["apiVersion"] = json!("croft.run/v1");
        assert_eq!(check(&old).into_iter().map(|it| it.at).collect::<Vec<_>>(), ["/apiVersion", "/spec/schema"]);
        assert!(
            check(&json!({"apiVersion": "kro.run/v1alpha1", "kind": "ResourceGroup", "spec": {"a": 1}})).is_empty()
        );
    }
}
