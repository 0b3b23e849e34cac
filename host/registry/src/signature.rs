//! Signatures of modules: bundles in Sigstore's format 0.3, as cosign writes and
//! reads them, made with a key and verified by one, offline.
//!
//! What is signed is the digest of the manifest, which names the module's. Which
//! keys count is not decided here.

use base64::{Engine, engine::general_purpose::STANDARD};
use host_core::name::Digest;
use serde_json::json;
use sigstore_crypto::VerificationKey;
use sigstore_types::{Bundle, MediaType, Sha256Hash, SignatureContent, Statement, VerificationMaterialContent};

use crate::{
    keys::{PrivateKey, PublicKey},
    provider,
};

/// The type of a bundle, and of what refers to a module with one.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// What a signature states: that whoever has the key signed this.
pub const PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";
const STATEMENT: &str = "application/vnd.in-toto+json";

/// A bundle that says that a key signed a manifest.
pub fn sign(manifest: &Digest, key: &PrivateKey) -> Vec<u8> {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": manifest.hex()}}],
        "predicateType": PREDICATE,
        "predicate": {},
    });
    let payload = statement.to_string();
    let signature = key.sign(&authenticated(STATEMENT, payload.as_bytes()));
    let bundle = json!({
        "mediaType": BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": key.public().hint()}},
        "dsseEnvelope": {
            "payload": STANDARD.encode(&payload),
            "payloadType": STATEMENT,
            "signatures": [{"sig": STANDARD.encode(signature)}],
        },
    });
    bundle.to_string().into_bytes()
}

/// What of an envelope is signed, by DSSE's encoding before authentication.
fn authenticated(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// Verifies a bundle over the bytes of a manifest. Answers the name of the first key
/// that made it. Logs and timestamps in it are left alone: they are not part of what
/// was signed, and a key has no time within which it is valid.
///
/// # Errors
/// None of the keys made it, or it is of something else; in words for people.
pub fn verify<'k>(
    bundle: &[u8],
    manifest: &[u8],
    keys: impl IntoIterator<Item = (&'k str, &'k PublicKey)>,
) -> Result<&'k str, String> {
    provider::install();
    let text = std::str::from_utf8(bundle).map_err(|_| "one that is not text".to_owned())?;
    let bundle = Bundle::from_json(text).map_err(|error| format!("one that cannot be read: {error}"))?;
    if bundle.media_type() != MediaType::Bundle0_3 {
        return Err(format!("one in the format `{}`, where `{BUNDLE}` is read", bundle.media_type()));
    }
    let VerificationMaterialContent::PublicKey(named) = &bundle.verification_material.content else {
        return Err("one by a certificate, where a key is expected".to_owned());
    };
    let mut claimed = None;
    for (name, key) in keys {
        if is_by(&bundle, manifest, key) {
            return fits(&bundle, manifest).map(|()| name).map_err(|flaw| format!("one by the key `{name}` {flaw}"));
        }
        claimed = claimed.or((key.hint() == named.hint).then_some(name));
    }
    Err(match claimed {
        Some(name) => format!("one that says it is by the key `{name}`, and is not"),
        None => format!(
            "one by another key, `{}`",
            named.hint.chars().filter(|c| !c.is_control()).take(64).collect::<String>()
        ),
    })
}

/// Whether a key made the signature, of whatever it is.
fn is_by(bundle: &Bundle, manifest: &[u8], key: &PublicKey) -> bool {
    let Ok(key) = VerificationKey::from_spki(key.der()) else { return false };
    let verified = match &bundle.content {
        SignatureContent::DsseEnvelope(envelope) => {
            let message = authenticated(&envelope.payload_type, envelope.payload.as_bytes());
            key.verify(message, &envelope.signature.sig)
        }
        SignatureContent::MessageSignature(signed) => key.verify(manifest, &signed.signature),
        _ => return false,
    };
    verified.is_ok()
}

/// Whether what was signed is that this manifest is good. A key may sign other
/// statements about it as well, such as what a scan has found.
fn fits(bundle: &Bundle, manifest: &[u8]) -> Result<(), String> {
    // Of a message the signature itself is over the manifest.
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else { return Ok(()) };
    if envelope.payload_type != STATEMENT {
        return Err(format!("of the type `{}` instead of `{STATEMENT}`", envelope.payload_type));
    }
    let statement: Statement = serde_json::from_slice(envelope.payload.as_bytes())
        .map_err(|error| format!("with a statement that cannot be read: {error}"))?;
    if statement.predicate_type != PREDICATE {
        return Err(format!("that states `{}` instead of `{PREDICATE}`", statement.predicate_type));
    }
    let hash = Sha256Hash::from_hex(Digest::of(manifest).hex()).expect("a digest has 32 bytes in hexadecimal");
    if statement.matches_sha256(&hash) {
        return Ok(());
    }
    let digests =
        statement.subject.iter().filter_map(|subject| Some(format!("sha256:{}", subject.digest.sha256?.to_hex())));
    Err(format!("for another digest, {}", digests.collect::<Vec<_>>().join(", ")))
}

#[cfg(test)]
mod tests;
