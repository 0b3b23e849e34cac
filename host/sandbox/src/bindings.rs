//! The contract's types as wasmtime lifts and lowers them, generated from the
//! `.wit` file, and the way from `contract` values into them.
//!
//! The way back, which has to distrust what it reads, is in `answer`. The
//! import `log` is bound by hand in `store`, so that a long message is cut
//! before it is copied.

use contract::{Gvk, Observed, Schema, Scope};

use super::json::Keys;

mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit/composition.wit",
        inline: "
            package croft:host;
            world guest {
                export croft:composition/composer@0.1.0;
            }
        ",
        world: "croft:host/guest",
    });
}

pub(super) use generated::{
    Guest, GuestPre,
    croft::composition::types,
    exports::croft::composition::composer::{Failure, Preparation, Rendering},
};

/// The arguments of `prepare`, as they cross. Equal values are equal texts,
/// because the keys of objects have an order.
pub(super) struct PrepareInput {
    pub(super) definition: String,
    pub(super) schemas: Vec<types::Schema>,
}

impl PrepareInput {
    pub(super) fn new(definition: &serde_json::Value, schemas: &[Schema], keys: Keys) -> Self {
        let schemas = schemas.iter().map(|it| schema(it, keys)).collect();
        PrepareInput { definition: keys.text(definition), schemas }
    }

    /// Bytes of its texts.
    pub(super) fn size(&self) -> usize {
        self.definition.len() + self.schemas.iter().map(|schema| schema.openapi.len()).sum::<usize>()
    }
}

/// The arguments of `render` beside the program, as they cross.
pub(super) struct RenderInput {
    pub(super) instance: String,
    pub(super) observed: Vec<types::Observed>,
}

impl RenderInput {
    pub(super) fn new(instance: &serde_json::Value, observed: &[Observed], keys: Keys) -> Self {
        let observed = observed.iter().map(|it| observation(it, keys)).collect();
        RenderInput { instance: keys.text(instance), observed }
    }

    /// Bytes of its texts.
    pub(super) fn size(&self) -> usize {
        self.instance.len() + self.observed.iter().map(|seen| seen.object.len() + seen.key.len()).sum::<usize>()
    }
}

fn schema(schema: &Schema, keys: Keys) -> types::Schema {
    types::Schema {
        kind: kind(&schema.kind),
        plural: schema.plural.clone(),
        scope: match schema.scope {
            Scope::Namespaced => types::Scope::Namespaced,
            Scope::Cluster => types::Scope::Cluster,
        },
        openapi: keys.text(&schema.openapi),
    }
}

fn kind(kind: &Gvk) -> types::GroupVersionKind {
    types::GroupVersionKind { group: kind.group.clone(), version: kind.version.clone(), kind: kind.kind.clone() }
}

fn observation(observed: &Observed, keys: Keys) -> types::Observed {
    types::Observed { id: observed.id.clone(), key: observed.key.clone(), object: keys.text(&observed.object) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_values_cross_as_equal_texts() {
        let one: serde_json::Value = serde_json::from_str(r#"{"b": 1, "a": {"d": 2, "c": 3}}"#).unwrap();
        let other = json!({"a": {"c": 3, "d": 2}, "b": 1});
        assert_eq!(
            PrepareInput::new(&one, &[], Keys::Sorted).definition,
            PrepareInput::new(&other, &[], Keys::Sorted).definition
        );
    }
}
