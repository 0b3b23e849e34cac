//! The native test kit: calls a [`TextComposer`], which every
//! [`Composer`](crate::Composer) is, as the host does, without wasm.
//!
//! [`prepare_json`] and [`render_json`] do exactly the work that the component
//! does apart from the ABI, so that benches compare like with like;
//! [`converge`] plays the host until nothing changes. It is not a host: it admits
//! everything and applies nothing.
//!
//! The tests of a `Composition` are written with `Trial`.

#[cfg(feature = "typed")]
mod trial;

use std::{cell::RefCell, collections::BTreeSet};

use serde_json::{Map, Value};

pub use crate::bindings::croft::composition::types as text;
#[cfg(feature = "typed")]
pub use trial::{Rendered, Trial, definition, problems};

use crate::{Child, Failure, Observed, Preparation, Prepared, Rendering, TextComposer, boundary, document, log::Level};

/// The most renders that [`converge`] makes before it calls a module unstable.
/// A definition needs at most one for each child and one to see no change.
const MOST_RENDERS: usize = 1_000;

/// What [`converge`] ended with.
#[derive(Clone, Debug, PartialEq)]
pub struct Converged {
    /// The last rendering, equal to the one before it.
    pub rendering: Rendering,
    /// The instance with its defaults filled in.
    pub instance: Value,
    /// The children as observed at last, and the external objects.
    pub observed: Vec<Observed>,
    /// How many renders it took, the last one, which changed nothing, included.
    pub renders: usize,
}

/// Prepares a definition without schemas and expects it to be accepted.
///
/// # Panics
/// If the module asks for schemas.
pub fn prepare<C: TextComposer>(definition: Value) -> Result<Prepared, Failure> {
    match C::prepare(definition, Vec::new())? {
        Preparation::Ready(prepared) => Ok(*prepared),
        Preparation::Needs(kinds) => panic!("the module needs schemas of {kinds:?}"),
    }
}

/// `prepare` through the text boundary of the component.
pub fn prepare_json<C: TextComposer>(
    definition: &str,
    schemas: Vec<text::Schema>,
) -> Result<text::Preparation, text::Failure> {
    boundary::prepare::<C>(definition, schemas)
}

/// `render` through the text boundary of the component.
pub fn render_json<C: TextComposer>(
    program: &[u8],
    instance: &str,
    observed: Vec<text::Observed>,
) -> Result<text::Rendering, text::Failure> {
    boundary::render::<C>(program, instance, observed)
}

/// `render` with values in place of texts.
///
/// # Panics
/// If the module writes what is not JSON.
pub fn render<C: TextComposer>(program: &[u8], instance: &Value, observed: &[Observed]) -> Result<Rendering, Failure> {
    let text = |it: &Observed| Observed { id: it.id.clone(), key: it.key.clone(), object: it.object.to_string() };
    let rendering = C::render(program, instance.clone(), observed.iter().map(text).collect())?;
    Ok(rendering.try_map(|manifest: String| document::parse(&manifest)).expect("a manifest is JSON"))
}

/// Renders until nothing changes, as the host does: defaults are filled in,
/// every child is shown back to the module as `live` answers it, children of
/// blocked ids are kept and all others dropped. `externals` are shown always.
///
/// # Panics
/// If the rendering never settles: the module is not a pure function, or `live`
/// is none.
pub fn converge<C: TextComposer>(
    program: &[u8],
    instance: Value,
    externals: &[Observed],
    mut live: impl FnMut(&Child) -> Value,
) -> Result<Converged, Failure> {
    let mut state = Converged { rendering: Rendering::default(), instance, observed: externals.to_vec(), renders: 0 };
    for renders in 1..=MOST_RENDERS {
        let rendering = render::<C>(program, &state.instance, &state.observed)?;
        let observed = observe(&rendering, &state.observed, externals, &mut live);
        let mut instance = state.instance.clone();
        fill_in(&mut instance, &rendering.defaults);
        let next = Converged { rendering, instance, observed, renders };
        let settled = renders > 1 && Converged { renders, ..state } == next;
        if settled {
            return Ok(next);
        }
        state = next;
    }
    panic!("the rendering still changes after {MOST_RENDERS} renders");
}

/// Runs `act` and returns its answer with the lines that it logged.
pub fn logged<T>(act: impl FnOnce() -> T) -> (T, Vec<(Level, String)>) {
    let outer = LINES.replace(Some(Vec::new()));
    let answer = act();
    let lines = LINES.replace(outer).unwrap_or_default();
    (answer, lines)
}

thread_local! {
    static LINES: RefCell<Option<Vec<(Level, String)>>> = const { RefCell::new(None) };
}

pub(crate) fn collect(level: Level, message: &str) {
    LINES.with_borrow_mut(|lines| {
        if let Some(lines) = lines {
            lines.push((level, message.to_owned()));
        }
    });
}

fn observe(
    rendering: &Rendering,
    before: &[Observed],
    externals: &[Observed],
    live: &mut impl FnMut(&Child) -> Value,
) -> Vec<Observed> {
    let blocked: BTreeSet<&str> = rendering.blocked.iter().map(|blocked| blocked.id.as_str()).collect();
    let external: BTreeSet<&str> = externals.iter().map(|external| external.id.as_str()).collect();
    let kept = |seen: &&Observed| blocked.contains(seen.id.as_str()) && !external.contains(seen.id.as_str());
    let kept = before.iter().filter(kept).cloned();
    let stated = rendering.children.iter().map(|child| Observed {
        id: child.id.clone(),
        key: child.key.clone(),
        object: live(child),
    });
    externals.iter().cloned().chain(kept).chain(stated).collect()
}

fn fill_in(instance: &mut Value, defaults: &Map<String, Value>) {
    let Some(instance) = instance.as_object_mut() else { return };
    let spec = instance.entry("spec").or_insert_with(|| Value::Object(Map::new()));
    merge(spec, defaults);
}

fn merge(target: &mut Value, defaults: &Map<String, Value>) {
    let Some(target) = target.as_object_mut() else { return };
    for (name, default) in defaults {
        match (target.get_mut(name), default) {
            (None, default) => drop(target.insert(name.clone(), default.clone())),
            (Some(present), Value::Object(inner)) => merge(present, inner),
            (Some(_), _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Blocked, Composer, Schema, log};

    /// States `first` at once and `second` when it has seen `first`.
    struct Chain;

    impl Composer for Chain {
        fn prepare(definition: Value, _schemas: Vec<Schema>) -> Result<Preparation, Failure> {
            let Some(name) = definition["name"].as_str() else {
                return Err(Failure::Internal("no name".to_owned()));
            };
            log::info(name);
            Ok(Preparation::Needs(Vec::new()))
        }

        fn render(_program: &[u8], instance: Value, observed: Vec<Observed>) -> Result<Rendering, Failure> {
            let size = &instance["spec"]["a"]["size"];
            let mut rendering = Rendering::default();
            rendering.defaults.insert("a".to_owned(), json!({"size": 3, "kept": 1}));
            rendering.children.push(child("first", json!({"size": size})));
            match observed.iter().find(|seen| seen.id == "first") {
                Some(first) => rendering.children.push(child("second", json!({"uid": first.object["uid"]}))),
                None => rendering.blocked.push(Blocked {
                    id: "second".to_owned(),
                    waits_for: vec!["first".to_owned()],
                    message: "`first` is not there".to_owned(),
                }),
            }
            Ok(rendering)
        }
    }

    fn child(id: &str, manifest: Value) -> Child {
        Child { id: id.to_owned(), key: String::new(), manifest, depends_on: Vec::new() }
    }

    #[test]
    fn children_are_shown_back_until_nothing_changes() {
        let instance = json!({"spec": {"a": {"kept": 9}}});
        let end = converge::<Chain>(b"", instance, &[], |child| {
            let mut live = child.manifest.clone();
            live["uid"] = json!(format!("uid-of-{}", child.id));
            live
        })
        .expect("Chain renders");
        assert_eq!(end.instance, json!({"spec": {"a": {"kept": 9, "size": 3}}}));
        assert_eq!(end.rendering.children[0].manifest, json!({"size": 3}));
        assert_eq!(end.rendering.children[1].manifest, json!({"uid": "uid-of-first"}));
        assert_eq!(end.renders, 3);
    }

    #[test]
    fn text_that_is_no_json_is_not_the_tenants_fault() {
        let failure = render_json::<Chain>(b"", "{", Vec::new()).expect_err("not JSON");
        let text::Failure::Internal(message) = failure else { panic!("{failure:?}") };
        assert!(message.starts_with("the instance that the host passed is not JSON: EOF"), "{message}");
    }

    #[test]
    fn an_unparsable_observed_object_is_named() {
        let observed = vec![text::Observed { id: "vpc".into(), key: String::new(), object: "nope".into() }];
        let failure = render_json::<Chain>(b"", "{}", observed).expect_err("not JSON");
        assert!(format!("{failure:?}").contains("the object of `vpc`"), "{failure:?}");
    }

    #[test]
    fn the_boundary_writes_json_with_sorted_keys() {
        let rendering = render_json::<Chain>(b"", "{}", Vec::new()).expect("Chain renders");
        assert_eq!(rendering.defaults, r#"{"a":{"kept":1,"size":3}}"#);
        assert_eq!(rendering.children[0].manifest, r#"{"size":null}"#);
        assert_eq!(rendering.status, "{}");
    }

    #[test]
    fn logged_lines_are_collected_only_on_request() {
        log::warn("dropped");
        let (_, lines) = logged(|| <Chain as Composer>::prepare(json!({"name": "hi"}), Vec::new()));
        assert_eq!(lines, [(Level::Info, "hi".to_owned())]);
    }
}
