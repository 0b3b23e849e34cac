//! An older version of a module, whose instances are there already when the new
//! one comes.

use std::path::Path;

use contract::Problem;
use host_core::{admission, compat, definition::ModuleRef, schemas};
use serde_json::Value;

use super::{Breach, Subject, said, settle, stored};
use crate::{
    cli::{
        definition::{self, Chosen, Definition, Loaded},
        module::test::shrink::Example,
    },
    report::Failure,
    yaml::Document,
};

/// The module that `--against` names.
pub(in crate::cli::module::test) struct Older {
    loaded: Loaded,
}

impl Older {
    /// Loads what a reference names: `oci://…`, `file:PATH`, or a path alone.
    ///
    /// # Errors
    /// It cannot be had.
    pub(in crate::cli::module::test) fn load(text: &str, chosen: &Chosen) -> Result<Older, Failure> {
        let loaded = definition::load_reference(reference(text)?, chosen)?;
        Ok(Older { loaded })
    }

    /// The definition as the older version takes it; `None` where it refuses it, and
    /// so has no instances of it.
    pub(super) fn prepare(&self, document: &Document, known: &schemas::Schemas) -> Option<Definition> {
        Definition::new(document.clone(), self.loaded.clone(), known).ok()
    }
}

fn reference(text: &str) -> Result<ModuleRef, Failure> {
    if Path::new(text).is_file() || !text.contains(':') {
        return Ok(ModuleRef::File { path: text.into(), digest: None });
    }
    match text.parse::<ModuleRef>().map_err(|error| {
        let hint = error.hint().to_owned();
        Failure::fault(error).hint(hint)
    })? {
        ModuleRef::Kro => Err(Failure::input(format!("`{text}` has no older version to compare with"))
            .hint("name the version that is published: its file, or its reference in a registry")),
        reference => Ok(reference),
    }
}

/// What the older version stored and rendered, given to the new one.
pub(super) fn compatible(subject: &Subject<'_>, example: &Example) -> Option<Breach> {
    let (older, newer) = (subject.older.as_ref()?, subject.definition);
    let (before, after) = (&older.prepared.blueprint.api.crd["spec"], &newer.prepared.blueprint.api.crd["spec"]);
    if let Some(change) = compat::compare_crds(before, after).into_iter().find(|change| change.breaking) {
        return Some(Breach::new(format!("the API is not what consumers have: {change}")));
    }
    let instance = stored(older, example)?;
    // An instance that the older version does not render either is no loss.
    let rendered = settle(older, &instance, &example.observed).ok()?;
    let sent = kept(&instance, &rendered.instance);
    let instance = match admission::instance(&newer.prepared.blueprint.api, &sent) {
        Ok(instance) => instance,
        Err(problems) => {
            return Some(Breach::new(format!("an instance that is there is refused: {}", words(&problems))));
        }
    };
    match settle(newer, &instance, &example.observed) {
        Ok(_) => None,
        Err(stop) => Some(Breach::new(format!("an instance that is there does not render any more: {}", said(&stop)))),
    }
}

/// The instance as it is stored by now: with the defaults of its rendering.
fn kept(instance: &Value, rendered: &Value) -> Value {
    let mut kept = instance.clone();
    if let Some(spec) = rendered.get("spec") {
        kept["spec"] = spec.clone();
    }
    kept
}

fn words(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
