//! Reading a definition as the host sees it: which module runs it, and nothing
//! of what the module makes of it.

use std::{fmt, path::PathBuf, str::FromStr};

use serde_json::Value;

use crate::{
    fault::{Blame, Fault},
    name::Digest,
    object,
};

/// The annotation that names a module where the stored schema has no
/// `spec.module`.
pub const MODULE_ANNOTATION: &str = "croft.run/module";
/// The API group and kind of definitions.
pub const GROUP: &str = "kro.run";
/// The version of definitions.
pub const VERSION: &str = "v1alpha1";
/// The resource name of definitions in URLs.
pub const PLURAL: &str = "resourcegroups";
/// The kind of definitions.
pub const KIND: &str = "ResourceGroup";

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
#[error("`{reference}` is no module reference: {problem}")]
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
