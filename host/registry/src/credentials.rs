//! Who to be at a registry: what docker's configuration and its credential
//! helpers know, and what a registry's challenge asks for.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use docker_credential::{CredentialRetrievalError, DockerCredential};

use crate::Error;

/// A user of a registry.
#[derive(Clone)]
pub(crate) enum Credentials {
    /// Nobody.
    Anonymous,
    /// A name and a password.
    Password(String, String),
    /// A token that is changed for others.
    Token(String),
}

impl Credentials {
    /// What docker's configuration has for a registry.
    ///
    /// # Errors
    /// It has something, and it cannot be used.
    pub(crate) fn of(registry: &str) -> Result<Credentials, Error> {
        // Docker's own registry goes by another name in its configuration.
        let server = match registry {
            "docker.io" | "registry-1.docker.io" | "index.docker.io" => "https://index.docker.io/v1/",
            other => other,
        };
        match docker_credential::get_credential(server) {
            Ok(DockerCredential::UsernamePassword(user, password)) => Ok(Credentials::Password(user, password)),
            Ok(DockerCredential::IdentityToken(token)) => Ok(Credentials::Token(token)),
            Err(error) if is_none(&error) => Ok(Credentials::Anonymous),
            Err(error) => Err(Error::Credentials { registry: registry.to_owned(), said: one_line(&error) }),
        }
    }

    pub(crate) fn is_known(&self) -> bool {
        !matches!(self, Credentials::Anonymous)
    }

    /// The header of a request, where a name and a password will do.
    pub(crate) fn basic(&self) -> Option<String> {
        match self {
            Credentials::Password(user, password) => {
                Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
            }
            _ => None,
        }
    }
}

/// Whether there just are none. Helpers say so in words.
fn is_none(error: &CredentialRetrievalError) -> bool {
    match error {
        CredentialRetrievalError::NoCredentialConfigured
        | CredentialRetrievalError::ConfigNotFound
        | CredentialRetrievalError::ConfigReadError => true,
        CredentialRetrievalError::HelperFailure { stdout, stderr, .. } => {
            [stdout, stderr].iter().any(|said| said.to_lowercase().contains("credentials not found"))
        }
        _ => false,
    }
}

/// What a helper wrote on its standard output may be a secret.
fn one_line(error: &CredentialRetrievalError) -> String {
    match error {
        CredentialRetrievalError::HelperFailure { helper, stderr, .. } => {
            let said = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("the credential helper `{helper}` failed: {said}")
        }
        other => other.to_string(),
    }
}

/// What a registry wants before it answers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// A name and a password with each request.
    Basic,
    /// A token of another server.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

impl Challenge {
    /// Reads `WWW-Authenticate`.
    pub(crate) fn parse(header: &str) -> Option<Challenge> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Challenge::Basic);
        }
        let mut parameters = scheme.eq_ignore_ascii_case("bearer").then(|| parameters(rest))?;
        let realm = parameters.remove("realm")?;
        Some(Challenge::Bearer { realm, service: parameters.remove("service"), scope: parameters.remove("scope") })
    }
}

/// `a="b,c",d=e` as pairs.
fn parameters(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        found.insert(name.trim().trim_start_matches(',').trim().to_ascii_lowercase(), value.to_owned());
        rest = next;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        assert_eq!(Challenge::parse("Basic realm=\"Registry\""), Some(Challenge::Basic));
        assert_eq!(
            Challenge::parse(
                "Bearer realm=\"https://auth.example.org/token\",service=\"registry\", scope=\"repository:a/b:pull,push\""
            ),
            Some(Challenge::Bearer {
                realm: "https://auth.example.org/token".into(),
                service: Some("registry".into()),
                scope: Some("repository:a/b:pull,push".into()),
            })
        );
        assert_eq!(Challenge::parse("Bearer service=x"), None);
        assert_eq!(Challenge::parse("Negotiate"), None);
    }
}
