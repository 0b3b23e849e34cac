//! Lines for the operator. They are never part of a result, and the host keeps
//! a bounded number of bytes of each call.
//!
//! On wasm they go to the host. On other targets they are dropped, except
//! inside `guest_sdk::test::logged`, which collects them.

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The module is broken.
    Error,
    /// Something looks wrong.
    Warn,
    /// What is going on.
    Info,
    /// What only the module's author wants to know.
    Debug,
}

/// Says that the module is broken.
pub fn error(message: &str) {
    log(Level::Error, message);
}

/// Says that something looks wrong.
pub fn warn(message: &str) {
    log(Level::Warn, message);
}

/// Says what is going on.
pub fn info(message: &str) {
    log(Level::Info, message);
}

/// Says what only the module's author wants to know.
pub fn debug(message: &str) {
    log(Level::Debug, message);
}

#[cfg(target_arch = "wasm32")]
fn log(level: Level, message: &str) {
    use crate::bindings::croft::composition::log as host;
    let level = match level {
        Level::Error => host::Level::Error,
        Level::Warn => host::Level::Warn,
        Level::Info => host::Level::Info,
        Level::Debug => host::Level::Debug,
    };
    host::log(level, message);
}

#[cfg(not(target_arch = "wasm32"))]
fn log(level: Level, message: &str) {
    crate::test::collect(level, message);
}
