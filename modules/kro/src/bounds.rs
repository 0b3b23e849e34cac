//! How large an answer may be, told before the host refuses it: an author or a
//! consumer hears what is too large, instead of a module that failed.
//!
//! What single fields look like is checked where they are read or made.

use expr::convert::Extent;
use guest_sdk::{Child, Failure, Prepared, Rendering, Selection, shape};
use serde_json::Value;

use crate::problem::{Pointer, Problems};

/// Room for names, messages and whatever else an answer has besides JSON.
const SPARE_BYTES: usize = 256 << 10;

/// The most bytes of JSON.
const LIMIT_BYTES: usize = shape::ANSWER_BYTES - SPARE_BYTES;

/// Refuses a definition whose API or program no answer could hold.
pub(crate) fn prepared(prepared: &Prepared) -> Result<(), Failure> {
    let mut size = Size::default();
    size.add(&prepared.blueprint.api.crd);
    size.bytes = shape::bytes(&prepared.blueprint.api.crd) + prepared.program.len();
    let at = Pointer::root().fields(["spec", "schema"]);
    size.refuse("the API and its children, as far as they are known before the first instance,", &at)
}

/// Refuses a rendering that no answer could hold. `children` is what their
/// manifests come to.
pub(crate) fn rendering(rendering: &Rendering<String>, children: Extent) -> Result<(), Failure> {
    rendering.children.iter().try_for_each(object)?;
    let mut size = Size { values: children.values, depth: children.depth + 1, bytes: 0 };
    json(rendering).for_each(|value| size.add(value));
    let manifests: usize = rendering.children.iter().map(|child| child.manifest.len()).sum();
    // The exact number is dear, and hardly anything comes near the bound.
    if manifests + size.bytes > LIMIT_BYTES {
        size.bytes = json(rendering).map(shape::bytes).sum();
    }
    size.bytes += manifests;
    // Defaults and status are objects themselves.
    size.values += 2;
    let children = rendering.children.len();
    size.refuse(&format!("what the instance comes to ({children} objects and the status)"), &Pointer::root())
}

/// Refuses an object that no server would take.
fn object(child: &Child<String>) -> Result<(), Failure> {
    let bytes = child.manifest.len();
    if bytes <= shape::OBJECT_BYTES {
        return Ok(());
    }
    let message = format!("resource `{}` has {bytes} bytes; an object may have {}", child.id, shape::OBJECT_BYTES);
    let mut problems = Problems::default();
    problems.error("TooLarge", &Pointer::root(), message).hint("divide it among several objects");
    problems.into_result().map(drop)
}

/// The values of a rendering that are yet to become JSON text.
fn json(rendering: &Rendering<String>) -> impl Iterator<Item = &Value> {
    let selectors = rendering.reads.iter().filter_map(|read| match &read.select {
        Selection::Labelled { selector, .. } => Some(selector),
        Selection::Named { .. } => None,
    });
    let fields = rendering.defaults.values().chain(rendering.status.values());
    fields.chain(selectors)
}

#[derive(Default)]
struct Size {
    values: usize,
    depth: usize,
    bytes: usize,
}

impl Size {
    fn add(&mut self, value: &Value) {
        self.values += shape::values(value);
        // A field of the status or of the defaults is one level further down.
        self.depth = self.depth.max(shape::depth(value) + 1);
        self.bytes += shape::bytes_at_most(value);
    }

    fn refuse(&self, what: &str, at: &Pointer) -> Result<(), Failure> {
        let (values, depth, bytes) = (shape::JSON_VALUES, shape::JSON_DEPTH, LIMIT_BYTES);
        let (code, excess, hint) = if self.depth > depth {
            let excess = format!("nests {} levels deep; {depth} are possible", self.depth);
            ("TooDeep", excess, "flatten it")
        } else if self.values > values {
            let excess = format!("has {} JSON values; {values} are possible", self.values);
            ("TooLarge", excess, "make fewer or smaller objects, or divide it among several definitions")
        } else if self.bytes > bytes {
            let excess = format!("has {} bytes; {bytes} are possible", self.bytes);
            ("TooLarge", excess, "make fewer or smaller objects, or divide it among several definitions")
        } else {
            return Ok(());
        };
        let mut problems = Problems::default();
        problems.error(code, at, format!("{what} {excess}")).hint(hint);
        problems.into_result().map(drop)
    }
}
