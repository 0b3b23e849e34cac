//! Why a definition is not in force, and whose turn it is.

use contract::Gvk;
use host_core::fault::{Blame, Fault};
use kcp::ObjectKey;

/// Why a definition is not in force.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("this workspace is not the provider's, and this host takes definitions from the provider alone")]
    NotProvider,
    #[error("the export does not serve {kind}; publish the definition with `croft publish --apply`")]
    NotServed { kind: Gvk, plural: String },
    #[error("the kind {kind} is served by the definition {other} already")]
    DuplicateKind { kind: Gvk, other: ObjectKey },
    #[error(
        "the module serves {kind} now, and the definition has {had}: its instances would have nobody; publish a definition of another name for {kind}"
    )]
    OtherKind { kind: Gvk, had: Gvk },
    #[error(transparent)]
    Module(#[from] crate::modules::Error),
    #[error("{}", .0.problems_in_words().unwrap_or_else(|| .0.to_string()))]
    Refused(#[source] sandbox::Error),
    #[error("the module asks for schemas again that it was given")]
    Insatiable,
    #[error("cannot look up the schema of {kind}")]
    Schema {
        kind: Gvk,
        #[source]
        source: kcp::Error,
    },
    #[error("cannot find out whether {kind} is served")]
    LookUp {
        kind: Gvk,
        #[source]
        source: kcp::Error,
    },
    #[error("preparing the definition was interrupted")]
    Interrupted,
}

impl Fault for Error {
    fn reason(&self) -> &'static str {
        match self {
            Error::NotProvider => "NotProvider",
            Error::NotServed { .. } => "NotServed",
            Error::DuplicateKind { .. } => "DuplicateKind",
            Error::OtherKind { .. } => "OtherKind",
            Error::Module(error) => error.reason(),
            Error::Refused(error) => error.reason(),
            Error::Insatiable => "Insatiable",
            Error::Schema { source, .. } | Error::LookUp { source, .. } => source.reason(),
            Error::Interrupted => "Interrupted",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Error::NotProvider | Error::DuplicateKind { .. } | Error::OtherKind { .. } => Blame::Input,
            Error::Module(error) => error.blame(),
            Error::Refused(error) => error.blame(),
            Error::Insatiable => Blame::Module,
            // The export follows when it is published; that is not an event here.
            Error::Interrupted | Error::NotServed { .. } => Blame::Host,
            Error::Schema { source, .. } => source.blame(),
            // Who refuses to tell today may tell tomorrow.
            Error::LookUp { .. } => Blame::Host,
        }
    }
}
