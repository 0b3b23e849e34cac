//! Keys that sign modules: ECDSA on P-256 and Ed25519, in PEM, and those that
//! cosign encrypts.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use crypto_secretbox::{
    XSalsa20Poly1305,
    aead::{Aead, KeyInit},
};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use sigstore_crypto::KeyAlgorithm;
use sigstore_types::DerPublicKey;

/// What comes before the point of a public key on P-256.
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// What comes before the 32 bytes of a public Ed25519 key.
const ED25519: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// The algorithm that PKCS #8 names before a private key on P-256.
const P256_ALGORITHM: [u8; 21] = [
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
    0x01, 0x07,
];
/// A key file is some hundred bytes.
const MOST_BYTES: usize = 64 << 10;
/// Cosign uses 16; more is somebody who wants a GiB of memory.
const MOST_LOG_N: u32 = 18;

/// A key that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct InvalidKey {
    problem: String,
    hint: &'static str,
}

impl InvalidKey {
    /// What would be right.
    pub fn hint(&self) -> &'static str {
        self.hint
    }
}

const PUBLIC: &str =
    "a public key is ECDSA on P-256 or Ed25519 in PEM, as `openssl pkey -in key.pem -pubout` prints it";
const PRIVATE: &str = "a private key is ECDSA on P-256 or Ed25519 in PEM, as `openssl genpkey -algorithm ed25519` prints \
                       it, or a `cosign.key`";

fn invalid(problem: impl Into<String>, hint: &'static str) -> InvalidKey {
    InvalidKey { problem: problem.into(), hint }
}

/// A key that signatures are verified by.
#[derive(Clone)]
pub struct PublicKey {
    der: DerPublicKey,
    algorithm: KeyAlgorithm,
}

impl PublicKey {
    /// Reads one in PEM.
    ///
    /// # Errors
    /// It is something else, or of another algorithm.
    pub fn from_pem(text: &str) -> Result<PublicKey, InvalidKey> {
        let (label, der) = pem(text).ok_or_else(|| invalid("it is not in PEM", PUBLIC))?;
        if label != "PUBLIC KEY" {
            return Err(invalid(format!("it is a `{label}`, not a `PUBLIC KEY`"), PUBLIC));
        }
        PublicKey::from_der(der)
    }

    fn from_der(der: Vec<u8>) -> Result<PublicKey, InvalidKey> {
        let der = DerPublicKey::new(der);
        match KeyAlgorithm::from_spki(&der) {
            Ok(algorithm @ (KeyAlgorithm::EcdsaP256 | KeyAlgorithm::Ed25519)) => Ok(PublicKey { der, algorithm }),
            Ok(other) => Err(invalid(format!("it is of the algorithm {other:?}"), PUBLIC)),
            Err(error) => Err(invalid(error.to_string(), PUBLIC)),
        }
    }

    pub(crate) fn der(&self) -> &DerPublicKey {
        &self.der
    }

    /// By what bundles name it: the SHA-256 of its DER in base64.
    pub fn hint(&self) -> String {
        STANDARD.encode(Sha256::digest(self.der.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?}, {})", self.algorithm, self.hint())
    }
}

/// A key that signs.
pub struct PrivateKey {
    pair: Pair,
}

enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// Whether a file's text takes a password.
    pub fn is_encrypted(text: &str) -> bool {
        pem(text).is_some_and(|(label, _)| is_cosigns(&label))
    }

    /// Reads one in PEM. The password counts for those of cosign.
    ///
    /// # Errors
    /// It is something else, of another algorithm, or the password is wrong.
    pub fn from_pem(text: &str, password: &str) -> Result<PrivateKey, InvalidKey> {
        let (label, der) = pem(text).ok_or_else(|| invalid("it is not in PEM", PRIVATE))?;
        match label.as_str() {
            "PRIVATE KEY" => PrivateKey::from_pkcs8(&der),
            "EC PRIVATE KEY" => PrivateKey::from_pkcs8(&wrapped(&der)),
            label if is_cosigns(label) => PrivateKey::from_pkcs8(&decrypted(&der, password)?),
            "ENCRYPTED PRIVATE KEY" => {
                let hint =
                    "take the password off with `openssl pkey -in key.pem -out plain.pem`, or use a `cosign.key`";
                Err(invalid("it is encrypted in a way that croft does not read", hint))
            }
            "PUBLIC KEY" => Err(invalid("it is a public key", PRIVATE)),
            other => Err(invalid(format!("it is a `{other}`"), PRIVATE)),
        }
    }

    fn from_pkcs8(der: &[u8]) -> Result<PrivateKey, InvalidKey> {
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            return Ok(PrivateKey { pair: Pair::Ed25519(pair) });
        }
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der, &SystemRandom::new());
        let pair = pair.map_err(|error| invalid(format!("it cannot be used: {error}"), PRIVATE))?;
        Ok(PrivateKey { pair: Pair::P256(pair) })
    }

    /// Signs some bytes.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::P256(pair) => {
                let signed = pair.sign(&SystemRandom::new(), message);
                signed.expect("the system gives random numbers").as_ref().to_vec()
            }
        }
    }

    /// The public part.
    pub fn public(&self) -> PublicKey {
        let (prefix, key) = match &self.pair {
            Pair::Ed25519(pair) => (ED25519.as_slice(), pair.public_key().as_ref()),
            Pair::P256(pair) => (P256.as_slice(), pair.public_key().as_ref()),
        };
        PublicKey::from_der([prefix, key].concat()).expect("what signs has a public key of its algorithm")
    }
}

fn is_cosigns(label: &str) -> bool {
    matches!(label, "ENCRYPTED SIGSTORE PRIVATE KEY" | "ENCRYPTED COSIGN PRIVATE KEY")
}

/// The first block of PEM, but for parameters that openssl writes before it.
fn pem(text: &str) -> Option<(String, Vec<u8>)> {
    if text.len() > MOST_BYTES {
        return None;
    }
    let mut rest = text;
    loop {
        let (_, after) = rest.split_once("-----BEGIN ")?;
        let (label, after) = after.split_once("-----")?;
        let (body, after) = after.split_once(&format!("-----END {label}-----"))?;
        if label != "EC PARAMETERS" {
            let body: String = body.split_whitespace().collect();
            return Some((label.to_owned(), STANDARD.decode(body).ok()?));
        }
        rest = after;
    }
}

/// SEC 1 within PKCS #8.
fn wrapped(sec1: &[u8]) -> Vec<u8> {
    let inner = [&[0x02, 0x01, 0x00], P256_ALGORITHM.as_slice(), &field(0x04, sec1)].concat();
    field(0x30, &inner)
}

fn field(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match length {
        0..=0x7f => vec![tag, length as u8],
        0x80..=0xff => vec![tag, 0x81, length as u8],
        // A key file is shorter than 64 KiB.
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [&head, content].concat()
}

/// What cosign writes around a key.
#[derive(Deserialize)]
struct Envelope {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Kdf {
    name: String,
    params: Params,
    salt: String,
}

#[derive(Deserialize)]
struct Params {
    #[serde(rename = "N")]
    n: u32,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

fn decrypted(envelope: &[u8], password: &str) -> Result<Vec<u8>, InvalidKey> {
    let malformed = |what: &str| invalid(format!("its encryption cannot be read: {what}"), PRIVATE);
    let Envelope { kdf, cipher, ciphertext } =
        serde_json::from_slice(envelope).map_err(|error| malformed(&error.to_string()))?;
    if (kdf.name.as_str(), cipher.name.as_str()) != ("scrypt", "nacl/secretbox") {
        return Err(malformed(&format!("`{}` and `{}` are not known", kdf.name, cipher.name)));
    }
    let Params { n, r, p } = kdf.params;
    let log_n = n.checked_ilog2().filter(|log| n.is_power_of_two() && *log <= MOST_LOG_N && r <= 16 && p <= 4);
    let params = log_n.and_then(|log| scrypt::Params::new(log as u8, r, p, 32).ok());
    let params = params.ok_or_else(|| malformed("its parameters are out of bounds"))?;
    let bytes = |text: &str| STANDARD.decode(text).map_err(|error| malformed(&error.to_string()));
    let mut key = [0; 32];
    scrypt::scrypt(password.as_bytes(), &bytes(&kdf.salt)?, &params, &mut key).expect("32 bytes are a valid length");
    let nonce: [u8; 24] = bytes(&cipher.nonce)?.try_into().map_err(|_| malformed("its nonce has another length"))?;
    let opened = XSalsa20Poly1305::new(&key.into()).decrypt(&nonce.into(), bytes(&ciphertext)?.as_slice());
    opened.map_err(|_| invalid("the password is wrong", "`COSIGN_PASSWORD` has it, or croft asks for it"))
}
