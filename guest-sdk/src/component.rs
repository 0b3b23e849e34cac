//! A [`TextComposer`] as the exports of a component. Exists on wasm32 only.
//!
//! All work is in `boundary`; this adds the entry points and the panic hook.

use std::{marker::PhantomData, panic, sync::Once};

use crate::{
    TextComposer,
    bindings::{
        croft::composition::types::{Failure, Observed, Preparation, Rendering, Schema},
        exports::croft::composition::composer::Guest,
    },
    boundary, log,
};

/// What `export!` names as the implementation of the exports.
pub struct Component<C>(PhantomData<C>);

impl<C: TextComposer> Guest for Component<C> {
    fn prepare(definition: String, schemas: Vec<Schema>) -> Result<Preparation, Failure> {
        tell_panics();
        boundary::prepare::<C>(&definition, schemas)
    }

    fn render(program: Vec<u8>, instance: String, observed: Vec<Observed>) -> Result<Rendering, Failure> {
        tell_panics();
        boundary::render::<C>(&program, &instance, observed)
    }
}

/// Sends a panic's message and place to the host before the trap, which by
/// itself says no more than `unreachable`.
fn tell_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let message = info.payload_as_str().unwrap_or("no message");
            match info.location() {
                Some(place) => log::error(&format!("panicked at {place}: {message}")),
                None => log::error(&format!("panicked: {message}")),
            }
        }));
    });
}
