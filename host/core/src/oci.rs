//! Names of what is kept in OCI registries and in folders of the OCI layout:
//! repositories, tags, and references that hold nothing invalid.
//!
//! It asks no registry; the crate `registry` does.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use crate::name::Digest;

/// What a reference without a registry or with an odd one is told.
const REGISTRY: &str = "write `oci://REGISTRY/REPOSITORY[:TAG][@sha256:DIGEST]`, such as \
                        `oci://registry.example.org/team/greeting:v1`";
const LAYOUT: &str = "write `oci-layout:DIR[:TAG][@sha256:DIGEST]`, such as `oci-layout:modules/greeting:v1`";

/// The scheme of references to a registry.
pub const REGISTRY_SCHEME: &str = "oci://";
/// The scheme of references to a folder.
pub const LAYOUT_SCHEME: &str = "oci-layout:";

/// A part of a reference that is malformed, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Invalid {
    problem: String,
    hint: &'static str,
}

impl Invalid {
    /// What would be right.
    pub fn hint(&self) -> &'static str {
        self.hint
    }
}

/// A repository of a registry, such as `registry.example.org:5000/team/greeting`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Repository {
    registry: String,
    name: String,
}

impl Repository {
    /// The registry's host, with its port if one is named.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Its name within the registry, such as `team/greeting`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the registry is on this machine, by its name alone.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.registry)
    }
}

/// Whether a host, with or without a port, is this machine by its name alone: no
/// name is looked up.
pub fn is_loopback(host: &str) -> bool {
    let (name, _) = split_port(host);
    let v6 = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    name == "localhost"
        || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || v6.and_then(|text| text.parse::<Ipv6Addr>().ok()).is_some_and(|address| address.is_loopback())
}

/// `host:port` as the two; colons within brackets are an address's own.
fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    }
}

impl FromStr for Repository {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Repository, Invalid> {
        let invalid = |problem: String| Invalid { problem, hint: REGISTRY };
        let (registry, name) = text.split_once('/').ok_or_else(|| invalid("it names no repository".to_owned()))?;
        let (host, port) = split_port(registry);
        // `team/greeting` is a mistake rather than a host in the search domain.
        if !(registry.contains(['.', ':']) || registry == "localhost") {
            return Err(invalid(format!("it names no registry: `{registry}` is not a host with a domain or a port")));
        }
        if !is_host(host) || port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(invalid(format!("`{registry}` is not the host of a registry")));
        }
        if name.len() > 255 || !name.split('/').all(is_component) {
            let parts = "parts of lower-case letters and digits, with single `.`, `_` or `-` between them";
            return Err(invalid(format!("`{name}` is not the name of a repository: expected {parts}")));
        }
        Ok(Repository { registry: registry.to_owned(), name: name.to_owned() })
    }
}

/// Lower-case, so that one registry is not two in a policy.
fn is_host(text: &str) -> bool {
    if let Some(v6) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return v6.parse::<Ipv6Addr>().is_ok();
    }
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= 253
        && text.split('.').all(|label| {
            let bytes = label.as_bytes();
            bytes.first().copied().is_some_and(letter)
                && bytes.last().copied().is_some_and(letter)
                && bytes.iter().all(|byte| letter(*byte) || *byte == b'-')
        })
}

/// A part of a repository's name: letters and digits, and between them `.`, one or
/// two `_`, or any number of `-`.
fn is_component(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let between = |text: &str| matches!(text, "." | "_" | "__") || text.chars().all(|c| c == '-');
    text.starts_with(letter)
        && text.ends_with(letter)
        && text.split(letter).filter(|part| !part.is_empty()).all(between)
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.name)
    }
}

/// A tag: a name that may be moved from one digest to another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(String);

impl Tag {
    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Tag, Invalid> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if text.len() <= 128 && text.starts_with(word) && text.chars().all(|c| word(c) || c == '.' || c == '-') {
            return Ok(Tag(text.to_owned()));
        }
        let problem = format!("`{text}` is not a tag");
        Err(Invalid { problem, hint: "a tag has at most 128 letters, digits, `_`, `.` and `-`, such as `v1.2.0`" })
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where manifests and blobs are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A repository of a registry.
    Registry(Repository),
    /// A folder in OCI layout.
    Layout(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Registry(repository) => write!(f, "{REGISTRY_SCHEME}{repository}"),
            Place::Layout(folder) => write!(f, "{LAYOUT_SCHEME}{}", folder.display()),
        }
    }
}

/// A module in a registry or in a folder. The digest is the one of the manifest,
/// which names the module's own; the tag is for people.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OciRef {
    /// Where it is.
    pub place: Place,
    /// What it was called when it was written.
    pub tag: Option<Tag>,
    /// Which it is.
    pub digest: Option<Digest>,
}

impl OciRef {
    /// Whether a text is meant as such a reference.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("oci:") || text.starts_with(LAYOUT_SCHEME)
    }

    /// The same with its digest.
    #[must_use]
    pub fn pinned(&self, digest: Digest) -> OciRef {
        OciRef { digest: Some(digest), ..self.clone() }
    }

    /// The same, with the folder of a layout below another one.
    #[must_use]
    pub fn below(&self, folder: &Path) -> OciRef {
        match &self.place {
            Place::Layout(path) => OciRef { place: Place::Layout(folder.join(path)), ..self.clone() },
            Place::Registry(_) => self.clone(),
        }
    }
}

impl FromStr for OciRef {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<OciRef, Invalid> {
        let (rest, hint) = match (text.strip_prefix(REGISTRY_SCHEME), text.strip_prefix(LAYOUT_SCHEME)) {
            (Some(rest), _) => (rest, REGISTRY),
            (_, Some(rest)) => (rest, LAYOUT),
            _ => return Err(Invalid { problem: "it does not begin with `oci://`".to_owned(), hint: REGISTRY }),
        };
        let invalid = |problem: &str| Invalid { problem: problem.to_owned(), hint };
        let (rest, digest) = match rest.split_once('@') {
            None => (rest, None),
            Some((rest, digest)) => {
                (rest, Some(digest.parse::<Digest>().map_err(|error| invalid(&error.to_string()))?))
            }
        };
        // A colon before the last slash is a port's, or belongs to a folder.
        let (rest, tag) = match rest.rsplit_once(':') {
            Some((rest, tag)) if !tag.contains('/') && (hint != REGISTRY || rest.contains('/')) => {
                (rest, Some(tag.parse::<Tag>()?))
            }
            _ => (rest, None),
        };
        let place = match hint == REGISTRY {
            true => Place::Registry(rest.parse()?),
            false if rest.is_empty() => return Err(invalid("it names no folder")),
            false => Place::Layout(rest.into()),
        };
        Ok(OciRef { place, tag, digest })
    }
}

impl fmt::Display for OciRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_back_as_it_was_written() {
        let digest = Digest::of(b"");
        for text in [
            "oci://registry.example.org/greeting",
            "oci://registry.example.org/team/greeting:v1.2_3-x",
            "oci://localhost/a",
            "oci://localhost:5000/a/b-c/d__e.f:latest",
            "oci://[::1]:5000/a",
            "oci://127.0.0.1:5000/a",
            "oci-layout:modules/greeting",
            "oci-layout:/srv/modules:v1",
            "oci-layout:../a:b/c",
        ] {
            for text in [text.to_owned(), format!("{text}@{digest}")] {
                assert_eq!(text.parse::<OciRef>().unwrap().to_string(), text);
            }
        }
    }

    #[test]
    fn a_port_is_not_a_tag_and_a_tag_is_not_a_port() {
        let read: OciRef = "oci://localhost:5000/a:5000".parse().unwrap();
        assert_eq!(read.tag.unwrap().as_str(), "5000");
        let Place::Registry(repository) = read.place else { panic!("a registry") };
        assert_eq!((repository.registry(), repository.name()), ("localhost:5000", "a"));
    }

    #[test]
    fn what_is_malformed_is_refused_with_its_cause() {
        let check = |text: &str, cause: &str| {
            let error = text.parse::<OciRef>().unwrap_err();
            assert!(error.to_string().contains(cause), "{text}: {error}");
            assert!(!error.hint().is_empty());
        };
        check("oci:registry.example.org/a", "does not begin with `oci://`");
        check("oci://", "names no repository");
        check("oci://registry.example.org", "names no repository");
        check("oci://registry.example.org:5000", "names no repository");
        check("oci://registry.example.org/", "is not the name of a repository");
        check("oci://team/greeting", "names no registry");
        check("oci://user:secret@registry.example.org/a", "is not a digest");
        check("oci://Registry.example.org/a", "is not the host of a registry");
        check("oci://registry.example.org:99999/a", "is not the host of a registry");
        check("oci://registry.example.org/Team/a", "is not the name of a repository");
        check("oci://registry.example.org/a//b", "is not the name of a repository");
        check("oci://registry.example.org/../a", "is not the name of a repository");
        check("oci://registry.example.org/a._b", "is not the name of a repository");
        check("oci://registry.example.org/a?x=y", "is not the name of a repository");
        check("oci://registry.example.org/a:", "is not a tag");
        check("oci://registry.example.org/a:-x", "is not a tag");
        check("oci://registry.example.org/a@sha256:12", "is not a digest");
        check("oci://registry.example.org/a@sha512:12", "is not a digest");
        check("oci://registry.example.org/a@v1", "is not a digest");
        check("oci-layout:", "names no folder");
        check("oci-layout::v1", "names no folder");
    }

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for name in ["localhost", "localhost:5000", "127.0.0.1", "127.8.8.8:1", "[::1]", "[::1]:5000"] {
            assert!(is_loopback(name), "{name}");
        }
        for name in ["localhost.example.org", "127.0.0.1.example.org", "10.0.0.1:5000", "[::2]:5000", "0.0.0.0"] {
            assert!(!is_loopback(name), "{name}");
        }
    }
}
