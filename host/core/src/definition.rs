//! Reading a definition as the host sees it: of which kind it is and which
//! module runs it, and nothing of what the module makes of it.

use std::{fmt, path::PathBuf, str::FromStr};

use contract::{Gvk, Scope};
use serde_json::Value;

use crate::{
    fault::{Blame, Fault},
    kinds::Kind,
    name::Digest,
    object,
};

/// The annotation that names a module where the stored schema has no
/// `spec.module`.
pub const MODULE_ANNOTATION: &str = "croft.run/module";
/// The API group of definitions.
pub const GROUP: &str = "kro.run";
/// The version of definitions.
pub const VERSION: &str = "v1alpha1";

/// The kinds of definitions that the host watches. Which module reads one is
/// not a matter of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DefinitionKind {
    /// `ResourceGroup` of kro v0.1, namespaced.
    ResourceGroup,
    /// `ResourceGraphDefinition` of kro v0.9, cluster-scoped.
    ResourceGraphDefinition,
}

impl DefinitionKind {
    /// All of them.
    pub const ALL: [DefinitionKind; 2] = [DefinitionKind::ResourceGroup, DefinitionKind::ResourceGraphDefinition];

    /// The kind of definition that an object is, if it is one.
    pub fn of(object: &Value) -> Option<DefinitionKind> {
        DefinitionKind::named(&Gvk::of(object)?)
    }

    /// The kind of definition that goes by a group and a kind, in any version.
    pub fn named(kind: &Gvk) -> Option<DefinitionKind> {
        DefinitionKind::ALL.into_iter().find(|known| kind.group == GROUP && kind.kind == known.as_str())
    }

    /// Such as `ResourceGroup`.
    pub fn as_str(self) -> &'static str {
        match self {
            DefinitionKind::ResourceGroup => "ResourceGroup",
            DefinitionKind::ResourceGraphDefinition => "ResourceGraphDefinition",
        }
    }

    /// Its name with group and version.
    pub fn gvk(self) -> Gvk {
        Gvk { group: GROUP.into(), version: VERSION.into(), kind: self.as_str().into() }
    }

    /// The resource name in URLs, such as `resourcegroups`.
    pub fn plural(self) -> &'static str {
        match self {
            DefinitionKind::ResourceGroup => "resourcegroups",
            DefinitionKind::ResourceGraphDefinition => "resourcegraphdefinitions",
        }
    }

    /// Whether such definitions live in a namespace.
    pub fn scope(self) -> Scope {
        match self {
            DefinitionKind::ResourceGroup => Scope::Namespaced,
            DefinitionKind::ResourceGraphDefinition => Scope::Cluster,
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
}

/// A module reference that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{reference}` is not a module reference: {problem}")]
pub struct InvalidModuleRef {
    reference: String,
    problem: String,
}

impl InvalidModuleRef {
    /// What would be right.
    pub fn hint(&self) -> &'static str {
        "write `builtin:kro`, or `file:PATH` with an optional `@sha256:DIGEST`"
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

impl ModuleRef {
    /// The module that a definition names in `spec.module` or in its
    /// annotation; `builtin:kro` if it names none.
    ///
    /// # Errors
    /// The reference is none of those.
    pub fn of(definition: &Value) -> Result<ModuleRef, InvalidModuleRef> {
        let named = definition.pointer("/spec/module").and_then(Value::as_str);
        named.or_else(|| object::annotation(definition, MODULE_ANNOTATION)).map_or(Ok(ModuleRef::Kro), str::parse)
    }
}

impl FromStr for ModuleRef {
    type Err = InvalidModuleRef;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |problem: &str| InvalidModuleRef { reference: text.to_owned(), problem: problem.to_owned() };
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
            assert_eq!(of("kro.run/v1alpha1", kind.as_str()), Some(kind));
            assert_eq!(DefinitionKind::named(&kind.gvk()), Some(kind));
        }
        assert_eq!(of("example.org/v1", "ResourceGroup"), None);
        assert_eq!(of("kro.run/v1alpha1", "Greeting"), None);
    }

    #[test]
    fn a_reference_reads_back_as_it_was_written() {
        let pinned = format!("file:a/b.wasm@{}", Digest::of(b""));
        for text in ["builtin:kro", "file:a/b.wasm", &pinned] {
            assert_eq!(text.parse::<ModuleRef>().unwrap().to_string(), text);
        }
        for bad in ["kro", "builtin:x", "file:", "file:a@sha256:12", "https://example.org/a.wasm"] {
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
}
