//! The operator's policy: which modules may run, who must have signed them, and
//! what is revoked.
//!
//! It verifies no signature and fetches nothing: it is told which keys verified
//! one, and decides. Nothing in it switches off what something else in it asks for.

mod read;

use std::{collections::BTreeSet, fmt};

use crate::{
    definition::ModuleRef,
    fault::{Blame, Fault},
    name::Digest,
    oci::{OciRef, Place, Repository},
};

pub use self::read::KIND;

/// What the operator allows. The default allows everything.
#[derive(Clone, Debug, Default)]
pub struct ModulePolicy {
    /// Whether the module within the binary may not run.
    builtin_refused: bool,
    /// What may run; anything, if there is no list.
    allow: Option<Vec<Allowed>>,
    keys: Vec<Key>,
    signed: Vec<Signed>,
    revoked: Vec<Revoked>,
}

/// Modules that may run.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Allowed {
    pattern: Pattern,
    /// These alone, if there are any.
    digests: BTreeSet<Digest>,
}

/// A public key that the policy knows by a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name within the policy.
    pub name: String,
    /// It, in PEM.
    pub pem: String,
    /// The last day on which it counts, as `2027-06-30`.
    pub valid_until: Option<String>,
}

/// Who must have signed what.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Signed {
    pattern: Pattern,
    /// The names of keys, one of which is enough.
    by: Vec<String>,
}

/// What may not run any more.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Revoked {
    digest: Digest,
    why: String,
}

/// Modules by where they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// One repository.
    Repository(Repository),
    /// All repositories of a registry that begin with these parts of a name.
    Below { registry: String, parts: String },
    /// All folders in OCI layout.
    Layouts,
    /// All files.
    Files,
}

impl Pattern {
    fn covers(&self, reference: &ModuleRef) -> bool {
        match (self, reference) {
            (Pattern::Files, ModuleRef::File { .. }) => true,
            (Pattern::Layouts, ModuleRef::Oci(OciRef { place: Place::Layout(_), .. })) => true,
            (pattern, ModuleRef::Oci(OciRef { place: Place::Registry(repository), .. })) => match pattern {
                Pattern::Repository(only) => only == repository,
                // Whole parts of the name: `team/` is not the beginning of `team-2`.
                Pattern::Below { registry, parts } => {
                    registry == repository.registry() && repository.name().starts_with(parts.as_str())
                }
                Pattern::Layouts | Pattern::Files => false,
            },
            _ => false,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Repository(repository) => write!(f, "oci://{repository}"),
            Pattern::Below { registry, parts } => write!(f, "oci://{registry}/{parts}"),
            Pattern::Layouts => f.write_str("oci-layout:"),
            Pattern::Files => f.write_str("file:"),
        }
    }
}

/// What was found of signatures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signatures {
    /// The names of the keys of which one was verified.
    pub verified: BTreeSet<String>,
    /// Why each of the others does not count.
    pub others: Vec<String>,
}

/// A module that the policy lets run. Only [`ModulePolicy::admit`] makes one, and a
/// host runs nothing without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    module: Digest,
}

impl Permit {
    /// The module that it is for.
    pub fn module(&self) -> &Digest {
        &self.module
    }
}

/// Why a module may not run.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It comes from somewhere else.
    #[error("the policy of this host does not allow the module `{reference}`{}", listed(allowed))]
    NotAllowed {
        /// How it was named.
        reference: String,
        /// What would be.
        allowed: Vec<String>,
    },
    /// It is not one of those that are listed.
    #[error("the policy of this host allows other digests of `{pattern}` than {module}")]
    OtherDigest {
        /// Where it comes from.
        pattern: String,
        /// The module's.
        module: Digest,
    },
    /// It was revoked.
    #[error("the module `{reference}` was revoked by the policy of this host ({digest}): {why}")]
    Revoked {
        /// How it was named.
        reference: String,
        /// Which of its digests.
        digest: Digest,
        /// In the operator's words.
        why: String,
    },
    /// Nobody signed it who had to.
    #[error("the module `{reference}` has to be signed by {}, and {}", wanted(keys), found(signatures))]
    Unsigned {
        /// How it was named.
        reference: String,
        /// The keys of which one would do, each with what is wrong with it itself.
        keys: Vec<String>,
        /// What there is.
        signatures: Signatures,
    },
}

fn listed(allowed: &[String]) -> String {
    match allowed {
        [] => ", nor any other".to_owned(),
        some => format!("; it allows {}", in_words(some.iter().map(|it| format!("`{it}`")))),
    }
}

fn wanted(keys: &[String]) -> String {
    in_words(keys.iter().cloned()).replace(" and ", " or ")
}

fn found(signatures: &Signatures) -> String {
    if signatures.verified.is_empty() && signatures.others.is_empty() {
        return "there is no signature".to_owned();
    }
    let by = signatures.verified.iter().map(|name| format!("one by the key `{name}`"));
    format!("what there is does not do: {}", by.chain(signatures.others.iter().cloned()).collect::<Vec<_>>().join("; "))
}

fn in_words(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

impl Fault for Refusal {
    fn reason(&self) -> &'static str {
        match self {
            Refusal::NotAllowed { .. } | Refusal::OtherDigest { .. } => "ModuleNotAllowed",
            Refusal::Revoked { .. } => "ModuleRevoked",
            Refusal::Unsigned { signatures, .. } if *signatures == Signatures::default() => "ModuleNotSigned",
            Refusal::Unsigned { .. } => "SignatureNotAccepted",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            // A signature may come after the module, and is not an event here.
            Refusal::Unsigned { .. } => Blame::Host,
            _ => Blame::Input,
        }
    }
}

impl ModulePolicy {
    /// The keys that it knows.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Whether a module may be fetched at all: what may not run is not asked for.
    ///
    /// # Errors
    /// It may not.
    pub fn may_fetch(&self, reference: &ModuleRef) -> Result<(), Refusal> {
        let manifest = if let ModuleRef::Oci(OciRef { digest, .. }) = reference { digest.as_ref() } else { None };
        self.not_revoked(reference, manifest)?;
        let refused = || {
            let allowed = self.allow.iter().flatten().map(|it| it.pattern.to_string()).collect();
            Err(Refusal::NotAllowed { reference: reference.to_string(), allowed })
        };
        match (reference, &self.allow) {
            (ModuleRef::Kro, _) if self.builtin_refused => refused(),
            (ModuleRef::Kro, _) | (_, None) => Ok(()),
            (_, Some(allow)) if allow.iter().any(|it| it.pattern.covers(reference)) => Ok(()),
            _ => refused(),
        }
    }

    /// Whether signatures have to be looked for.
    pub fn wants_signature(&self, reference: &ModuleRef) -> bool {
        self.signed.iter().any(|rule| rule.pattern.covers(reference))
    }

    /// Lets a module run, or says why not. `module` is the digest of its bytes,
    /// `today` a day such as `2026-12-31`.
    ///
    /// # Errors
    /// It may not.
    pub fn admit(
        &self,
        reference: &ModuleRef,
        module: &Digest,
        signatures: &Signatures,
        today: &str,
    ) -> Result<Permit, Refusal> {
        self.may_fetch(reference)?;
        self.not_revoked(reference, Some(module))?;
        self.is_listed(reference, module)?;
        for rule in self.signed.iter().filter(|rule| rule.pattern.covers(reference)) {
            let counts = |name: &&String| signatures.verified.contains(*name) && !self.is_over(name, today);
            if !rule.by.iter().any(|name| counts(&name)) {
                let keys = rule.by.iter().map(|name| self.described(name, today)).collect();
                let signatures = signatures.clone();
                return Err(Refusal::Unsigned { reference: reference.to_string(), keys, signatures });
            }
        }
        Ok(Permit { module: module.clone() })
    }

    fn not_revoked(&self, reference: &ModuleRef, digest: Option<&Digest>) -> Result<(), Refusal> {
        let found = self.revoked.iter().find(|revoked| Some(&revoked.digest) == digest);
        found.map_or(Ok(()), |Revoked { digest, why }| {
            let (reference, digest, why) = (reference.to_string(), digest.clone(), why.clone());
            Err(Refusal::Revoked { reference, digest, why })
        })
    }

    /// A list of digests names those of manifests or of modules: what people have at
    /// hand.
    fn is_listed(&self, reference: &ModuleRef, module: &Digest) -> Result<(), Refusal> {
        let manifest = if let ModuleRef::Oci(OciRef { digest, .. }) = reference { digest.as_ref() } else { None };
        let Some(allow) = self.allow.as_ref().filter(|_| *reference != ModuleRef::Kro) else { return Ok(()) };
        let named =
            |digests: &BTreeSet<Digest>| digests.contains(module) || manifest.is_some_and(|it| digests.contains(it));
        let mut covering = allow.iter().filter(|it| it.pattern.covers(reference)).peekable();
        let pattern = covering.peek().map(|it| it.pattern.to_string()).unwrap_or_default();
        match covering.any(|it| it.digests.is_empty() || named(&it.digests)) {
            true => Ok(()),
            false => Err(Refusal::OtherDigest { pattern, module: module.clone() }),
        }
    }

    fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    fn is_over(&self, name: &str, today: &str) -> bool {
        self.key(name).and_then(|key| key.valid_until.as_deref()).is_some_and(|until| until < today)
    }

    fn described(&self, name: &str, today: &str) -> String {
        match self.key(name).and_then(|key| key.valid_until.as_deref()).filter(|_| self.is_over(name, today)) {
            Some(until) => format!("the key `{name}` (which was valid until {until})"),
            None => format!("the key `{name}`"),
        }
    }
}

#[cfg(test)]
mod tests;
