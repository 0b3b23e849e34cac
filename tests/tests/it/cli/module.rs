//! `croft module`, as the author of a module meets it.

mod inspect;
mod test;
