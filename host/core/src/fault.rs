//! Who is to blame and in one word why: what every error that a tenant can see
//! answers, for conditions, events, metrics and exit codes.
//!
//! It does not print errors; `report` does.

use std::fmt;

/// Whose turn it is when something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The module's author: it trapped, ran out of its budget, or lied.
    Module,
    /// The author of the definition or of the instance.
    Input,
    /// The consumer's administrator: a claim not accepted, a quota.
    Consumer,
    /// The platform: kcp, the network, this process.
    Host,
}

impl Blame {
    /// Whether trying again without any change can help. Only the platform
    /// mends itself; the others wait for somebody to change something.
    pub fn heals_by_itself(self) -> bool {
        self == Blame::Host
    }
}

impl fmt::Display for Blame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Blame::Module => "module",
            Blame::Input => "input",
            Blame::Consumer => "consumer",
            Blame::Host => "host",
        })
    }
}

/// An error that a tenant can see.
pub trait Fault: std::error::Error {
    /// One PascalCase word out of a closed set.
    fn reason(&self) -> &'static str;
    /// Whose turn it is.
    fn blame(&self) -> Blame;
}
