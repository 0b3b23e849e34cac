//! `--identity`: whose a resource is, said by hand.

use std::str::FromStr;

use host_core::{
    claims,
    identity::Identities,
    object,
    publish::{self, Options, Publication},
};

use crate::report::Failure;

/// A resource and the identity of the export that serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    resource: String,
    identity: String,
}

/// A text gives no identity.
#[derive(Debug, thiserror::Error)]
#[error(
    "expected a resource with its group, `=` and an identity, such as `deployments.apps=c3f5…` or `services=c3f5…`"
)]
pub struct InvalidIdentity;

impl FromStr for Given {
    type Err = InvalidIdentity;

    fn from_str(text: &str) -> Result<Given, InvalidIdentity> {
        let (resource, identity) = text.split_once('=').ok_or(InvalidIdentity)?;
        // `services.` is how a shell script spells the group that has no name.
        let resource = resource.strip_suffix('.').unwrap_or(resource);
        let names = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
        let is_resource = resource.starts_with(|c: char| c.is_ascii_lowercase()) && resource.chars().all(names);
        let is_identity = !identity.is_empty() && identity.chars().all(|c| c.is_ascii_alphanumeric());
        if is_resource && is_identity {
            Ok(Given { resource: resource.to_owned(), identity: identity.to_owned() })
        } else {
            Err(InvalidIdentity)
        }
    }
}

/// All that was given, each once.
pub(super) fn given(all: Vec<Given>) -> Result<Identities, Failure> {
    let mut identities = Identities::new();
    for Given { resource, identity } in all {
        if let Some(other) = identities.insert(resource.clone(), identity.clone())
            && other != identity
        {
            return Err(Failure::input(format!("`--identity` names two identities of `{resource}`"))
                .hint("an export claims a resource of one other export"));
        }
    }
    Ok(identities)
}

/// Refuses an identity of something that is not claimed, or that kcp itself
/// serves: it would be passed over in silence.
pub(super) fn needed(publications: &[Publication], options: &Options) -> Result<(), Failure> {
    let claims = || publications.iter().flat_map(Publication::claims);
    let mut foreign: Vec<String> = Vec::new();
    for resource in publications.iter().flat_map(|it| publish::foreign(it.claims())).map(claims::resource_of) {
        if !foreign.contains(&resource) {
            foreign.push(resource);
        }
    }
    let Some(stray) = options.identities.keys().find(|resource| !foreign.contains(resource)) else { return Ok(()) };
    let is_claimed = claims().any(|claim| claims::resource_of(claim) == *stray);
    let message = match is_claimed {
        true => format!("`--identity` names `{stray}`, which kcp itself serves: it is nobody's"),
        false => format!("`--identity` names `{stray}`, which the definition does not need"),
    };
    let hint = match foreign.as_slice() {
        [] => "kcp itself serves all that the definition needs: leave `--identity` out".to_owned(),
        some => format!("it needs the identity of `{}`", some.join("`, `")),
    };
    Err(Failure::input(message).hint(hint))
}

/// What is said of claims without an identity, with a hint.
pub(super) fn lacking(publication: &Publication) -> Option<(String, String)> {
    let unidentified = &publication.unidentified;
    if unidentified.is_empty() {
        return None;
    }
    let message = format!(
        "kcp refuses the APIExport `{}` as it is: it claims {} without saying whose",
        object::text(&publication.export, "/metadata/name"),
        unidentified.join(", ")
    );
    Some((message, super::workspace::hint(unidentified.iter().map(String::as_str))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_given_with_the_resource_and_its_group() {
        for (text, resource) in [
            ("deployments.apps=ab12", "deployments.apps"),
            ("services=ab12", "services"),
            ("services.=ab12", "services"),
        ] {
            assert_eq!(text.parse::<Given>().unwrap(), Given { resource: resource.into(), identity: "ab12".into() });
        }
        for bad in [
            "",
            "deployments.apps",
            "deployments.apps=",
            "=ab12",
            "Deployments.apps=ab12",
            "apps/deployments=ab12",
            "a=b=c",
        ] {
            assert!(bad.parse::<Given>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_resource_has_one_identity() {
        let all = |texts: &[&str]| given(texts.iter().map(|text| text.parse().unwrap()).collect());
        assert_eq!(all(&["services=a", "services=a"]).unwrap().len(), 1);
        assert!(all(&["services=a", "services=b"]).is_err());
    }
}
