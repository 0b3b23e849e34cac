//! Every module goes through here before it runs: the operator's policy, and the
//! signatures that it asks for.
//!
//! What may run is decided in `host_core::module_policy`; here is found what it has
//! to be told.

use host_core::{
    definition::ModuleRef,
    fault::{Blame, Fault},
    module_policy::{ModulePolicy, Permit, Refusal, Signatures},
    name::Digest,
    oci::OciRef,
};
use registry::{PublicKey, Shelf, signature};

use crate::clock;

/// The policy, and its keys ready for use.
#[derive(Default)]
pub struct Gate {
    policy: ModulePolicy,
    keys: Vec<(String, PublicKey)>,
}

/// A module may not run, or nobody can tell.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The policy refuses it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Its signatures cannot be looked for.
    #[error("cannot look for the signatures of `{reference}`")]
    Signatures {
        /// Which module.
        reference: String,
        /// Why.
        #[source]
        source: registry::Error,
    },
}

impl Fault for Error {
    fn reason(&self) -> &'static str {
        match self {
            Error::Refused(refusal) => refusal.reason(),
            Error::Signatures { source, .. } => source.reason(),
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Error::Refused(refusal) => refusal.blame(),
            Error::Signatures { source, .. } => source.blame(),
        }
    }
}

impl Gate {
    /// A gate with a policy and the keys that it names, in PEM there.
    pub fn new(policy: ModulePolicy, keys: Vec<(String, PublicKey)>) -> Gate {
        Gate { policy, keys }
    }

    /// Whether a module may be asked for.
    ///
    /// # Errors
    /// The policy refuses it whatever it is.
    pub fn may_fetch(&self, reference: &ModuleRef) -> Result<(), Error> {
        Ok(self.policy.may_fetch(reference)?)
    }

    /// Lets a module run, or says why not. Signatures that were pulled before will do,
    /// so that a host starts while its registry is down.
    ///
    /// # Errors
    /// The policy refuses it, or its signatures cannot be had.
    pub fn admit(&self, reference: &ModuleRef, module: &Digest, shelf: &Shelf) -> Result<Permit, Error> {
        let today = &clock::now()[..10];
        let decide = |found: &Signatures| self.policy.admit(reference, module, found, today);
        let oci = match reference {
            ModuleRef::Oci(oci) if self.policy.wants_signature(reference) => oci,
            _ => return Ok(decide(&Signatures::default())?),
        };
        let failed = |source| Error::Signatures { reference: reference.to_string(), source };
        let manifest = shelf.manifest(oci).map_err(failed)?;
        let kept = oci.digest.as_ref().map(|digest| shelf.kept_bundles(digest)).unwrap_or_default();
        match decide(&self.verified(&kept, &manifest)) {
            Err(Refusal::Unsigned { .. }) => {
                let bundles = shelf.bundles(oci).map_err(failed)?;
                Ok(decide(&self.verified(&bundles, &manifest))?)
            }
            decided => Ok(decided?),
        }
    }

    /// Which keys signed a manifest, of those that the policy has.
    fn verified(&self, bundles: &[Vec<u8>], manifest: &[u8]) -> Signatures {
        let mut found = Signatures::default();
        for bundle in bundles {
            match signature::verify(bundle, manifest, self.keys.iter().map(|(name, key)| (name.as_str(), key))) {
                Ok(name) => drop(found.verified.insert(name.to_owned())),
                Err(why) => found.others.push(why),
            }
        }
        found
    }
}

/// The signatures of a module by some keys, for whoever has no policy.
///
/// # Errors
/// They cannot be had.
pub fn signed_by(
    reference: &OciRef,
    keys: Vec<(String, PublicKey)>,
    shelf: &Shelf,
) -> Result<Signatures, registry::Error> {
    let gate = Gate::new(ModulePolicy::default(), keys);
    Ok(gate.verified(&shelf.bundles(reference)?, &shelf.manifest(reference)?))
}
