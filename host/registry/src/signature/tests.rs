use super::*;

const MANIFEST: &[u8] = include_bytes!("../../../../tests/registry/signed-manifest.json");
const COSIGNS: &[u8] = include_bytes!("../../../../tests/registry/cosigns-bundle.json");
const COSIGN_KEY: &str = include_str!("../../../../tests/registry/cosign.key");
const COSIGN_PUB: &str = include_str!("../../../../tests/registry/cosign.pub");

/// A private key, and what openssl says that its public part is.
fn pairs() -> Vec<(PrivateKey, PublicKey)> {
    let texts = [
        (include_str!("../../../../tests/registry/ed.key"), include_str!("../../../../tests/registry/ed.pub")),
        (include_str!("../../../../tests/registry/p256.key"), include_str!("../../../../tests/registry/p256.pub")),
        (include_str!("../../../../tests/registry/sec1.key"), include_str!("../../../../tests/registry/sec1.pub")),
        (COSIGN_KEY, COSIGN_PUB),
    ];
    texts
        .map(|(private, public)| {
            (PrivateKey::from_pem(private, "secret").unwrap(), PublicKey::from_pem(public).unwrap())
        })
        .into()
}

fn public(text: &str) -> PublicKey {
    PublicKey::from_pem(text).unwrap()
}

#[test]
fn every_kind_of_key_signs_what_its_public_part_verifies() {
    let digest = Digest::of(MANIFEST);
    for (index, (private, expected)) in pairs().iter().enumerate() {
        assert_eq!(private.public().hint(), expected.hint(), "{index}");
        let bundle = sign(&digest, private);
        assert_eq!(verify(&bundle, MANIFEST, [("key", expected)]), Ok("key"), "{index}");
    }
}

#[test]
fn a_bundle_of_cosign_is_verified_with_its_key_alone() {
    let (other, key) = (public(include_str!("../../../../tests/registry/ed.pub")), public(COSIGN_PUB));
    assert_eq!(verify(COSIGNS, MANIFEST, [("other", &other), ("cosign", &key)]), Ok("cosign"));
}

#[test]
fn what_does_not_hold_is_told_apart() {
    let key = public(COSIGN_PUB);
    let check = |bundle: &[u8], manifest: &[u8], said: &str| {
        let error = verify(bundle, manifest, [("release", &key)]).unwrap_err();
        assert!(error.contains(said), "{error}");
    };
    check(COSIGNS, b"another", "one by the key `release` for another digest, sha256:e56de4fe");
    let (other, _) = pairs().remove(0);
    let by_other = sign(&Digest::of(MANIFEST), &other);
    check(&by_other, MANIFEST, &format!("one by another key, `{}`", other.public().hint()));
    check(b"{", MANIFEST, "one that cannot be read");
    check(b"\xff", MANIFEST, "one that is not text");
    check(b"{}", MANIFEST, "one that cannot be read");

    let changed =
        |from: &str, to: &str| String::from_utf8(COSIGNS.to_vec()).unwrap().replacen(from, to, 1).into_bytes();
    // The hint is not signed, and proves nothing.
    let mut lying = String::from_utf8(by_other.clone()).unwrap();
    lying = lying.replace(&other.public().hint(), &key.hint());
    check(lying.as_bytes(), MANIFEST, "one that says it is by the key `release`, and is not");
    check(&changed("MEUCIQCT", "MEUCIQCU"), MANIFEST, "one that says it is by the key `release`, and is not");
    check(&changed("in-toto+json", "other+json"), MANIFEST, "one that says it is by the key `release`, and is not");
    check(&changed(".v0.3+json", ".v0.9+json"), MANIFEST, "one that cannot be read");
    check(&changed(".bundle.v0.3+json", ".bundle+json;version=0.2"), MANIFEST, "one in the format");
    let certificate = changed(
        r#""publicKey":{"hint":"4sRIdJP5j0zYnPKqNzur7MnUoev2Rp4yorIM6GiZoaw="}"#,
        r#""certificate":{"rawBytes":"MAA="}"#,
    );
    check(&certificate, MANIFEST, "one by a certificate, where a key is expected");
}

#[test]
fn a_statement_about_something_else_is_not_a_signature_of_the_manifest() {
    // The payload is signed as it is: to name another digest takes the key.
    let (private, public) = pairs().remove(1);
    let bundle = sign(&Digest::of(b"another"), &private);
    let error = verify(&bundle, MANIFEST, [("release", &public)]).unwrap_err();
    assert_eq!(error, format!("one by the key `release` for another digest, {}", Digest::of(b"another")));
}

#[test]
fn keys_that_cannot_be_used_say_why() {
    let private = |text: &str, password: &str| PrivateKey::from_pem(text, password).err().unwrap();
    assert_eq!(private(COSIGN_KEY, "wrong").to_string(), "the password is wrong");
    assert_eq!(private(COSIGN_PUB, "").to_string(), "it is a public key");
    assert_eq!(private("nothing", "").to_string(), "it is not in PEM");
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----";
    assert!(private(encrypted, "").hint().contains("openssl pkey -in key.pem"));
    assert!(
        private("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----", "")
            .to_string()
            .contains("cannot be used")
    );
    let dear = r#"{"kdf":{"name":"scrypt","params":{"N":1073741824,"r":8,"p":1},"salt":""},"cipher":{"name":"nacl/secretbox","nonce":""},"ciphertext":""}"#;
    let dear = format!(
        "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n{}\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----",
        STANDARD.encode(dear)
    );
    assert!(private(&dear, "").to_string().contains("out of bounds"));
    let refused = |text: &str| PublicKey::from_pem(text).unwrap_err().to_string();
    assert!(refused(COSIGN_KEY).contains("not a `PUBLIC KEY`"));
    assert_eq!(refused(""), "it is not in PEM");
}

/// What a key says of a module besides that it is good does not let it run.
#[test]
fn another_statement_by_the_key_is_not_a_signature() {
    let (private, public) = pairs().remove(0);
    let check = |statement: serde_json::Value, payload_type: &str, said: &str| {
        let payload = statement.to_string();
        let signature = private.sign(&authenticated(payload_type, payload.as_bytes()));
        let bundle = json!({
            "mediaType": BUNDLE,
            "verificationMaterial": {"publicKey": {"hint": ""}},
            "dsseEnvelope": {
                "payload": STANDARD.encode(&payload),
                "payloadType": payload_type,
                "signatures": [{"sig": STANDARD.encode(signature)}],
            },
        });
        let error = verify(bundle.to_string().as_bytes(), MANIFEST, [("release", &public)]).unwrap_err();
        assert!(error.contains(said), "{error}");
    };
    let statement = |subjects: serde_json::Value, predicate: &str| json!({"_type": "https://in-toto.io/Statement/v1", "subject": subjects, "predicateType": predicate, "predicate": {}});
    let this = json!([{"digest": {"sha256": Digest::of(MANIFEST).hex()}}]);
    check(statement(this.clone(), "https://example.org/scan"), STATEMENT, "that states `https://example.org/scan`");
    check(statement(this, PREDICATE), "application/json", "of the type `application/json`");
    check(statement(json!([]), PREDICATE), STATEMENT, "for another digest");
    check(json!({}), STATEMENT, "with a statement that cannot be read");
}
