//! The sandbox against modules that mean harm, and what it promises to those
//! that do not. The modules are in `guests/`, as text.

mod answers;
mod artifacts;
mod growth;
pub(crate) mod guests;
mod hostile;
mod isolation;
mod loading;
mod packed;
