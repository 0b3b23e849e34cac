//! How large an answer may be, told before the host refuses it: an author or a
//! consumer hears what is too large, instead of a module that failed.
//!
//! What single fields look like is checked where they are read or made.

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

/// Refuses a rendering that no answer could hold.
pub(crate) fn rendering(rendering: &Rendering) -> Result<(), Failure> {
    let mut size = Size::default();
    json(rendering).for_each(|value| size.add(value));
    // No child is larger than the largest value.
    if size.largest > shape::OBJECT_BYTES {
        rendering.children.iter().try_for_each(object)?;
    }
    // The exact number is dear, and hardly anything comes near the bound.
    if size.bytes > LIMIT_BYTES {
        size.bytes = json(rendering).map(shape::bytes).sum();
    }
    // Defaults and status are objects themselves.
    size.values += 2;
    size.depth = size.depth.max(1);
    let children = rendering.children.len();
    size.refuse(&format!("what the instance comes to ({children} objects and the status)"), &Pointer::root())
}

/// Refuses an object that no server would take.
fn object(child: &Child) -> Result<(), Failure> {
    let bytes = shape::bytes(&child.manifest);
    if bytes <= shape::OBJECT_BYTES {
        return Ok(());
    }
    let message = format!("resource `{}` has {bytes} bytes; an object may have {}", child.id, shape::OBJECT_BYTES);
    let mut problems = Problems::default();
    problems.error("TooLarge", &Pointer::root(), message).hint("divide it among several objects");
    problems.into_result().map(drop)
}

/// The values of a rendering that become JSON text.
fn json(rendering: &Rendering) -> impl Iterator<Item = &Value> {
    let selectors = rendering.reads.iter().filter_map(|read| match &read.select {
        Selection::Labelled { selector, .. } => Some(selector),
        Selection::Named { .. } => None,
    });
    let fields = rendering.defaults.values().chain(rendering.status.values());
    fields.chain(rendering.children.iter().map(|child| &child.manifest)).chain(selectors)
}

#[derive(Default)]
struct Size {
    values: usize,
    depth: usize,
    bytes: usize,
    /// The most bytes that a single value may have.
    largest: usize,
}

impl Size {
    fn add(&mut self, value: &Value) {
        self.values += shape::values(value);
        // A field of the status or of the defaults is one level further down.
        self.depth = self.depth.max(shape::depth(value) + 1);
        let bytes = shape::bytes_at_most(value);
        self.bytes += bytes;
        self.largest = self.largest.max(bytes);
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
