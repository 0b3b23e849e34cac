//! What can go wrong between a reference and the bytes that it names.
//!
//! It does not print; whoever asked does.

use std::{io, path::PathBuf};

use host_core::{
    fault::{Blame, Fault},
    name::Digest,
};

/// Something cannot be had, or cannot be brought there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The options make no sense.
    #[error("cannot use {what}")]
    Options {
        /// What, such as a file.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nobody answers, or the connection breaks.
    #[error("cannot reach the registry `{registry}`")]
    Unreachable {
        /// Its host.
        registry: String,
        /// What the network says.
        #[source]
        source: Box<ureq::Error>,
    },
    /// It takes too long.
    #[error("the registry `{registry}` did not answer within {seconds} s")]
    Slow {
        /// Its host.
        registry: String,
        /// How long it had.
        seconds: u64,
    },
    /// It answers with something that is not an answer to the question.
    #[error("the registry `{registry}` answered {status} to {question}{}", said.as_ref().map(|it| format!(": {it}")).unwrap_or_default())]
    Status {
        /// Its host.
        registry: String,
        /// The status code.
        status: u16,
        /// What it was asked.
        question: String,
        /// What it says of it.
        said: Option<String>,
    },
    /// It wants other credentials, or any.
    #[error("the registry `{registry}` refuses {question}{}", if *known { " to the user of its credentials" } else { ": it wants credentials" })]
    Unauthorized {
        /// Its host.
        registry: String,
        /// What it was asked.
        question: String,
        /// Whether there were credentials for it.
        known: bool,
    },
    /// The credentials cannot be read.
    #[error("cannot read the credentials for the registry `{registry}`: {said}")]
    Credentials {
        /// Its host.
        registry: String,
        /// What docker's configuration or a helper says.
        said: String,
    },
    /// It sends elsewhere.
    #[error("the registry `{registry}` sends {question} on to `{to}`, which is not followed: {why}")]
    Redirect {
        /// Its host.
        registry: String,
        /// What it was asked.
        question: String,
        /// Where to.
        to: String,
        /// Why not.
        why: &'static str,
    },
    /// There is no such thing.
    #[error("there is no {what} in `{place}`")]
    NotFound {
        /// What was looked for.
        what: String,
        /// Where.
        place: String,
    },
    /// It is another thing than was asked for.
    #[error("`{place}` gave content of the digest {found} for {wanted}")]
    OtherDigest {
        /// Where.
        place: String,
        /// What was asked for.
        wanted: Digest,
        /// What came.
        found: Digest,
    },
    /// It is larger than it says, or than anything may be.
    #[error("{what} in `{place}` has more than {limit} bytes")]
    TooLarge {
        /// What.
        what: String,
        /// Where.
        place: String,
        /// The bound.
        limit: u64,
    },
    /// It is not what it should be.
    #[error("{what} in `{place}` {problem}")]
    Malformed {
        /// What.
        what: String,
        /// Where.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The artifact is something else than a module.
    #[error("`{place}@{digest}` is not a module: {found}")]
    NotAModule {
        /// Where.
        place: String,
        /// Of its manifest.
        digest: Digest,
        /// What it is.
        found: String,
    },
    /// The folder of a layout cannot be read or written.
    #[error("cannot {} `{}`", if *writing { "write" } else { "read" }, path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// Whether it was being written.
        writing: bool,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A reference names no digest, where only a digest will do.
    #[error("`{reference}` has no digest")]
    NoDigest {
        /// The reference.
        reference: String,
    },
}

impl Error {
    /// What would help.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Error::Unreachable { source, .. } if is_certificate(source) => {
                "if its certificate is of an authority of your own, give it with `--registry-ca FILE`".to_owned()
            }
            Error::Unreachable { .. } | Error::Slow { .. } => {
                "is the registry up, and can this machine reach it? `--registry-mirror` names another one".to_owned()
            }
            Error::Unauthorized { registry, .. } => {
                format!("log in with `docker login {registry}`, or `oras login`; `DOCKER_CONFIG` names another folder")
            }
            Error::NotFound { .. } => "push it with `croft module push`, or correct the reference".to_owned(),
            Error::NotAModule { .. } => {
                "a module is pushed with `croft module push`: one layer `application/wasm`".to_owned()
            }
            Error::NoDigest { reference } => {
                format!("write `{reference}@sha256:DIGEST`; `croft publish` looks the digest of a tag up")
            }
            _ => return None,
        };
        Some(text)
    }

    /// Whether another place may well have what this one does not give.
    pub(crate) fn is_of_the_place(&self) -> bool {
        !matches!(self, Error::Options { .. } | Error::TooLarge { .. } | Error::NotAModule { .. })
    }
}

fn is_certificate(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => true,
        ureq::Error::Io(error) => error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()),
        _ => false,
    }
}

impl Fault for Error {
    fn reason(&self) -> &'static str {
        match self {
            Error::Options { .. } => "RegistryOptions",
            Error::Unreachable { .. } | Error::Slow { .. } | Error::Status { .. } => "RegistryUnavailable",
            Error::Unauthorized { .. } | Error::Credentials { .. } => "RegistryUnauthorized",
            Error::Redirect { .. } => "RegistryRedirect",
            Error::NotFound { .. } | Error::Folder { .. } => "ModuleNotFound",
            Error::OtherDigest { .. } => "DigestMismatch",
            Error::TooLarge { .. } => "ModuleTooLarge",
            Error::Malformed { .. } => "RegistryAnswer",
            Error::NotAModule { .. } => "NotAModule",
            Error::NoDigest { .. } => "NoDigest",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            // What has that digest stays what it is, wherever it is asked for.
            Error::NotAModule { .. } | Error::TooLarge { .. } | Error::NoDigest { .. } => Blame::Input,
            _ => Blame::Host,
        }
    }
}
