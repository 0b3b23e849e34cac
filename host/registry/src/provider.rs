//! What `sigstore-verify` asks of cryptography, answered by ring, which TLS uses
//! too: the digests, and the two kinds of keys that croft takes.

use ring::{
    digest::{self, Context},
    signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey, VerificationAlgorithm},
};
use sigstore_crypto::{CryptoProvider, Error, HashContext, Result, SigningScheme, install_default_provider};
use sigstore_types::HashAlgorithm;

#[derive(Debug)]
struct Ring;

/// From now on it is used. Whoever came first stays.
pub(crate) fn install() {
    let _ = install_default_provider(&Ring);
}

struct Hashing(Context);

impl HashContext for Hashing {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self: Box<Self>) -> Vec<u8> {
        self.0.finish().as_ref().to_vec()
    }
}

impl CryptoProvider for Ring {
    fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>> {
        let algorithm = match algorithm {
            HashAlgorithm::Sha2256 => &digest::SHA256,
            HashAlgorithm::Sha2384 => &digest::SHA384,
            HashAlgorithm::Sha2512 => &digest::SHA512,
            other => return Err(Error::UnsupportedAlgorithm(format!("digests of {other}"))),
        };
        Ok(Box::new(Hashing(Context::new(algorithm))))
    }

    fn verify_raw(&self, scheme: SigningScheme, key: &[u8], data: &[u8], signature: &[u8]) -> Result<()> {
        let algorithm: &dyn VerificationAlgorithm = match scheme {
            SigningScheme::EcdsaP256Sha256 => &ECDSA_P256_SHA256_ASN1,
            SigningScheme::Ed25519 => &ED25519,
            other => return Err(Error::UnsupportedAlgorithm(other.name().to_owned())),
        };
        let verified = UnparsedPublicKey::new(algorithm, key).verify(data, signature);
        verified.map_err(|_| Error::Verification(format!("{} signature invalid", scheme.name())))
    }

    /// Not by ring, and not asked for where the bytes are at hand.
    fn verify_prehashed(&self, scheme: SigningScheme, _: &[u8], _: &[u8], _: &[u8]) -> Result<()> {
        Err(Error::UnsupportedAlgorithm(format!("{} over a digest alone", scheme.name())))
    }
}
