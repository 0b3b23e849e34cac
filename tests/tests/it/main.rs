//! What the host promises, tested through its public functions and without a
//! server: one binary, because linking the engine is what takes the time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

mod cli;
mod docs;
mod sandbox;
