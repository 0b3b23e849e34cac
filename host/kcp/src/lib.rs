//! The adapter to kcp: connections, virtual workspaces, watches and writes.
//!
//! It is the only maker of Kubernetes clients. It decides how a server is
//! talked to (when to ask again, what to wait for) and which of the seen objects
//! answer a module's read; what may be read or written is decided elsewhere.

pub mod connection;
pub mod cluster;
pub mod virtual_workspace;
pub mod lease;
pub mod openapi;
pub mod discovery;
pub mod endpoints;
pub mod store;
pub mod externals;
pub mod watch;
mod watched;
pub mod publisher;

pub use cluster::Cluster;
pub use connection::Connection;
pub use discovery::Discovery;
pub use openapi::OpenApi;
pub use store::{ObjectKey, Store};
pub use virtual_workspace::VirtualWorkspace;

use host_core::fault::{Blame, Fault};

/// etcd takes 1.5 MiB, with what the server adds: what is larger than this, and gives
/// trouble, is too large.
const LARGE: usize = 1 << 20;

/// A request to kcp that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server answered, and the answer was no.
    #[error("cannot {what}: the server answered {code} {reason}: {message}")]
    Refused {
        /// What was being done.
        what: String,
        /// The HTTP status.
        code: u16,
        /// The API machinery's one word, or the HTTP status's name.
        reason: String,
        /// The server's words.
        message: String,
        /// Whether it speaks of one object, rather than of the path.
        about_object: bool,
    },
    /// There was no answer.
    #[error("cannot {what}")]
    Unreachable {
        /// What was being done.
        what: String,
        /// Why not.
        #[source]
        source: Box<kube::Error>,
    },
    /// The answer did not come in time.
    #[error("cannot {what}: no answer within {seconds} s")]
    TimedOut {
        /// What was being done.
        what: String,
        /// How long was waited.
        seconds: u64,
    },
}

impl Error {
    /// Sorts an error of the client.
    pub fn of(what: impl Into<String>, error: kube::Error) -> Error {
        let what = what.into();
        match error {
            kube::Error::Api(status) => Error::Refused {
                what,
                code: status.code,
                reason: status.reason.clone(),
                message: status.message.trim().to_owned(),
                about_object: status.details.as_ref().is_some_and(|details| !details.name.is_empty()),
            },
            other => Error::Unreachable { what, source: Box::new(other) },
        }
    }

    /// The HTTP status, if the server answered.
    pub fn code(&self) -> Option<u16> {
        match self {
            Error::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether the server serves the kind, and has no such object. A path that
    /// leads nowhere, as that of a version which is not served any more, is
    /// answered by the same status and says nothing of objects.
    pub fn is_absence(&self) -> bool {
        matches!(self, Error::Refused { code: 404, about_object: true, .. })
    }

    /// Whether the server does not have what was asked for, or not for us: asking
    /// again gives the same answer until somebody changes what is served or allowed.
    pub fn is_denial(&self) -> bool {
        matches!(self, Error::Refused { code: 403, .. } | Error::Refused { code: 404, about_object: false, .. })
    }

    /// Whether something stands where an object was to be created.
    pub fn is_occupied(&self) -> bool {
        matches!(self, Error::Refused { code: 409, reason, .. } if reason == "AlreadyExists")
    }

    /// Whether the server refused an object of so many bytes for its size. Not every
    /// server says that this is what it was.
    pub fn is_about_size(&self, bytes: usize) -> bool {
        match self.code() {
            Some(413) => true,
            Some(400 | 422 | 500..) => bytes > LARGE,
            _ => false,
        }
    }

    /// Advice for people, where there is some.
    pub fn hint(&self) -> Option<&'static str> {
        let text = self.to_string();
        match self.code() {
            Some(403) if text.contains("identityHash") => {
                Some("kcp serves this kind only where an export does: give that export's identity with `--identity`")
            }
            Some(403) if text.contains("bind") => {
                Some("is there such an export in that workspace, and may you bind it?")
            }
            Some(401) => Some("the credentials of this context are not accepted; fetch new ones"),
            Some(403) => Some("ask for the rights that `croft publish` lists as a ClusterRole"),
            Some(404) => Some("the server does not serve this (yet); is the export bound, and its claims accepted?"),
            _ => None,
        }
    }
}

impl Fault for Error {
    fn reason(&self) -> &'static str {
        match self {
            Error::Unreachable { .. } => "Unreachable",
            Error::TimedOut { .. } => "TimedOut",
            Error::Refused { code: 400 | 413 | 422, .. } => "Rejected",
            Error::Refused { code: 401, .. } => "Unauthorized",
            Error::Refused { code: 403, .. } => "Forbidden",
            Error::Refused { code: 404, .. } => "NotFound",
            Error::Refused { code: 409, .. } => "Conflict",
            Error::Refused { .. } => "ServerError",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            // The server looked at the object and found it wrong, or too large.
            Error::Refused { code: 400 | 413 | 422, .. } => Blame::Input,
            _ => Blame::Host,
        }
    }
}
