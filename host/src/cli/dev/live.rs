//! What a host would do to the children of an instance that are live.
//!
//! It reads alone: nothing is sent that changes anything.

use std::collections::BTreeSet;

use contract::Read;
use host_core::object::{self, Owner, Target};
use serde_json::Value;

use super::round;
use crate::{
    cli::{
        Global,
        adopt::workspace::Workspace,
        definition::Definition,
        offline::{self, Rendered, observed::Pool, standin},
        output, render,
    },
    report::Failure,
    yaml::Document,
};

/// A connection to the workspace of the context, made when it is first needed.
pub(super) struct Live {
    global: Global,
    runtime: tokio::runtime::Runtime,
}

impl Live {
    pub(super) fn new(global: &Global) -> Result<Live, Failure> {
        let runtime = tokio::runtime::Runtime::new().map_err(Failure::host)?;
        Ok(Live { global: global.clone(), runtime })
    }

    /// The name of an instance, and what a host would create, change and delete for
    /// it, as differences of YAML.
    ///
    /// # Errors
    /// A request fails, or the instance does not render.
    pub(super) fn difference(
        &mut self,
        definition: &Definition,
        document: &Document,
    ) -> Result<(String, String), Failure> {
        let Live { global, runtime } = self;
        runtime.block_on(difference(global, definition, document))
    }
}

async fn difference(
    global: &Global,
    definition: &Definition,
    document: &Document,
) -> Result<(String, String), Failure> {
    let blueprint = &definition.prepared.blueprint;
    let mut workspace = Workspace::open(global, blueprint).await?;
    let mut instance = offline::admitted(blueprint, document)?;
    let place = Target::of(&instance);
    let stored = match &place {
        Some(place) => workspace.get(place).await?,
        None => None,
    };
    // What only a server gives is that of the instance which is there.
    if let Some(stored) = &stored {
        for field in ["uid", "creationTimestamp", "generation"] {
            instance["metadata"][field] = stored["metadata"][field].clone();
        }
    }
    standin::fill(&mut instance, &[]);
    let owner = Owner::of(&instance);
    let recorded: Vec<Value> = stored.into_iter().collect();
    let mut live: Vec<Value> = workspace.children(blueprint, &recorded).await?.into_values().collect();
    live.retain(|object| owner.owns(object));
    let children = live.clone();
    let mut asked: Vec<Read> = Vec::new();
    let rendered = loop {
        let pool = Pool::of(live.iter().cloned(), offline::namespace(&instance));
        let rendered = offline::settle(definition, &instance, &pool).map_err(|stop| stop.failure(document))?;
        let new: Vec<Read> = rendered.rendering.reads.iter().filter(|read| !asked.contains(read)).cloned().collect();
        if new.is_empty() {
            break rendered;
        }
        for read in new {
            live.extend(workspace.foreign(&read, offline::namespace(&instance)).await?);
            asked.push(read);
        }
    };
    let text = compared(&rendered, &children);
    Ok((round::named(&document.value, &instance), text))
}

/// The plan in words, and what each object is as against what it would be.
fn compared(rendered: &Rendered, live: &[Value]) -> String {
    let mut text = render::explain::what_is_missing(rendered);
    let blocked: BTreeSet<&str> = rendered.rendering.blocked.iter().map(|blocked| blocked.id.as_str()).collect();
    let mut wanted = BTreeSet::new();
    for ((target, manifest), child) in rendered.children.iter().zip(&rendered.admitted) {
        wanted.insert(target.clone());
        let found = live.iter().find(|object| Target::of(object).as_ref() == Some(target));
        text += &match found {
            None => format!("to be created: {target}\n{}", yaml(manifest)),
            Some(found) => changed(target, found, child.manifest()),
        };
    }
    for object in live {
        let Some(target) = Target::of(object).filter(|target| !wanted.contains(target)) else { continue };
        let id = object::annotation(object, object::CHILD_ANNOTATION).unwrap_or_default();
        // What is blocked is kept.
        if !blocked.contains(id) {
            text += &format!("to be deleted: {target}\n");
        }
    }
    text
}

fn changed(target: &Target, found: &Value, manifest: &Value) -> String {
    let (before, after) = (yaml(found), yaml(&overlaid(found, manifest)));
    let difference = crate::report::diff(("live", "rendered"), &before, &after, crate::report::Look::Plain);
    match difference.is_empty() {
        true => format!("as it should be: {target}\n"),
        false => format!("to be changed: {target}\n{difference}"),
    }
}

fn yaml(object: &Value) -> String {
    output::Format::Yaml.text(&[host_core::inventory::shown(object)])
}

/// A live object with what a manifest says: fields that it does not name stay.
fn overlaid(live: &Value, manifest: &Value) -> Value {
    match (live, manifest) {
        (Value::Object(live), Value::Object(manifest)) => {
            let mut whole = live.clone();
            for (key, wanted) in manifest {
                let value = overlaid(live.get(key).unwrap_or(&Value::Null), wanted);
                whole.insert(key.clone(), value);
            }
            Value::Object(whole)
        }
        // A server fills in fields of elements too.
        (Value::Array(live), Value::Array(manifest)) if live.len() == manifest.len() => {
            live.iter().zip(manifest).map(|(live, wanted)| overlaid(live, wanted)).collect()
        }
        (_, wanted) => wanted.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_manifest_does_not_name_stays_as_it_is() {
        let live = json!({"metadata": {"name": "a", "uid": "1"}, "spec": {"ports": [{"port": 80, "nodePort": 30000}], "gone": 1}});
        let manifest = json!({"metadata": {"name": "a"}, "spec": {"ports": [{"port": 81}]}});
        let wanted = json!({"metadata": {"name": "a", "uid": "1"}, "spec": {"ports": [{"port": 81, "nodePort": 30000}], "gone": 1}});
        assert_eq!(overlaid(&live, &manifest), wanted);
        assert_eq!(overlaid(&live, &live), live);
        assert_eq!(overlaid(&json!([1, 2]), &json!([3])), json!([3]));
    }
}
