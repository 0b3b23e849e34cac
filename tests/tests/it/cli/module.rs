//! `croft module`, as the author of a module meets it.

mod bench;
mod inspect;
mod new;
mod test;
