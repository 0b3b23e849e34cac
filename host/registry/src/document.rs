//! The JSON of OCI: manifests, indexes, descriptors, and the form that a module
//! has among them (the CNCF's layout for WebAssembly).

use std::collections::BTreeMap;

use host_core::{name::Digest, oci::Place};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Error;

/// The type of an image's manifest.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The type of an index.
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The type of a module's configuration.
pub const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// The type of a module.
pub const WASM_LAYER: &str = "application/wasm";
/// The type of a configuration that says nothing.
pub const EMPTY_CONFIG: &str = "application/vnd.oci.empty.v1+json";

/// The annotation with the contract that a module fulfils.
pub(crate) const CONTRACT: &str = "run.croft.contract";
/// The annotation with where its source is.
pub(crate) const SOURCE: &str = "org.opencontainers.image.source";
/// The annotation with which version of the source it was made from.
pub(crate) const REVISION: &str = "org.opencontainers.image.revision";

/// What is told of a blob or a manifest before it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Of what type it is.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Of which type the artifact is, in the answer to who refers to something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Remarks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// Of bytes that are at hand.
    pub fn of(media_type: &str, bytes: &[u8]) -> Descriptor {
        Descriptor {
            media_type: media_type.to_owned(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            artifact_type: None,
            annotations: BTreeMap::new(),
        }
    }
}

/// An image's manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u8,
    /// Its own type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What kind of artifact it is, where the configuration does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The configuration.
    pub config: Descriptor,
    /// The content.
    pub layers: Vec<Descriptor>,
    /// What it refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Remarks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A list of manifests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    pub(crate) schema_version: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) media_type: Option<String>,
    pub(crate) manifests: Vec<Descriptor>,
    /// What an index has besides is kept when it is written again.
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, Value>,
}

impl Index {
    pub(crate) fn new(manifests: Vec<Descriptor>) -> Index {
        Index { schema_version: 2, media_type: Some(INDEX.to_owned()), manifests, rest: BTreeMap::new() }
    }
}

/// What is told about a module when it is pushed.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The contract that it fulfils, such as `croft:composition@0.1.0`.
    pub contract: Option<String>,
    /// Where its source is.
    pub source: Option<String>,
    /// Which version of the source it was made from.
    pub revision: Option<String>,
    /// What it imports.
    pub imports: Vec<String>,
    /// What it exports.
    pub exports: Vec<String>,
}

impl Manifest {
    /// Of one artifact that refers to another one.
    pub fn referring(artifact_type: &str, layer: Descriptor, subject: Descriptor) -> Manifest {
        Manifest {
            schema_version: 2,
            media_type: Some(MANIFEST.to_owned()),
            artifact_type: Some(artifact_type.to_owned()),
            config: Descriptor::of(EMPTY_CONFIG, b"{}"),
            layers: vec![layer],
            subject: Some(subject),
            annotations: BTreeMap::new(),
        }
    }

    /// Of a module, with its configuration. Equal modules of which equal things are
    /// told have equal digests: nothing of it says when it was made.
    pub(crate) fn of_module(wasm: &[u8], about: &About) -> (Manifest, Vec<u8>) {
        let layer = Descriptor::of(WASM_LAYER, wasm);
        let config = json!({
            // The layout wants a time. One of its own would make a push of the same
            // module another artifact.
            "created": "1970-01-01T00:00:00Z",
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [layer.digest],
            "component": {"imports": about.imports, "exports": about.exports},
        });
        let config = config.to_string().into_bytes();
        let remarks = [(CONTRACT, &about.contract), (SOURCE, &about.source), (REVISION, &about.revision)];
        let remarks = remarks.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(MANIFEST.to_owned()),
            artifact_type: None,
            config: Descriptor::of(WASM_CONFIG, &config),
            layers: vec![layer],
            subject: None,
            annotations: remarks.collect(),
        };
        (manifest, config)
    }

    /// As bytes.
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings, numbers and maps of strings are JSON")
    }
}

/// The one layer of a module's manifest.
pub(crate) fn module(place: &Place, digest: &Digest, manifest: &[u8]) -> Result<Manifest, Error> {
    let refused = |found: String| Error::NotAModule { place: place.to_string(), digest: digest.clone(), found };
    let value: Value =
        serde_json::from_slice(manifest).map_err(|error| refused(format!("its manifest is not JSON: {error}")))?;
    if value.get("manifests").is_some() {
        return Err(refused("it is an index of several artifacts; name one of them".to_owned()));
    }
    let read: Manifest =
        serde_json::from_value(value).map_err(|error| refused(format!("its manifest cannot be read: {error}")))?;
    if read.config.media_type != WASM_CONFIG {
        return Err(refused(format!("its configuration is `{}`, not `{WASM_CONFIG}`", read.config.media_type)));
    }
    match read.layers.as_slice() {
        [layer] if layer.media_type == WASM_LAYER => Ok(read),
        [layer] => Err(refused(format!("its layer is `{}`, not `{WASM_LAYER}`", layer.media_type))),
        layers => Err(refused(format!("it has {} layers instead of one", layers.len()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place::Layout("a".into())
    }

    #[test]
    fn a_module_reads_back_and_has_the_same_digest_each_time() {
        let about = About { contract: Some("croft:composition@0.1.0".into()), ..About::default() };
        let (manifest, config) = Manifest::of_module(b"wasm", &about);
        let bytes = manifest.bytes();
        assert_eq!(module(&place(), &Digest::of(&bytes), &bytes).unwrap(), manifest);
        assert_eq!(manifest.config.digest, Digest::of(&config));
        assert_eq!(Manifest::of_module(b"wasm", &about).0.bytes(), bytes);
        assert_eq!(manifest.annotations[CONTRACT], "croft:composition@0.1.0");
    }

    #[test]
    fn what_is_not_a_module_is_told_from_one() {
        let check = |change: &dyn Fn(&mut Value), said: &str| {
            let mut value = serde_json::to_value(Manifest::of_module(b"wasm", &About::default()).0).unwrap();
            change(&mut value);
            let bytes = value.to_string();
            let error = module(&place(), &Digest::of(b""), bytes.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        };
        check(&|it| it["config"]["mediaType"] = "application/vnd.oci.image.config.v1+json".into(), "its configuration");
        check(&|it| it["layers"][0]["mediaType"] = "application/tar".into(), "its layer is `application/tar`");
        check(&|it| it["layers"] = json!([]), "it has 0 layers");
        check(&|it| it["layers"][0]["digest"] = "sha256:1".into(), "cannot be read");
        check(&|it| it["layers"][0]["size"] = (-1).into(), "cannot be read");
        check(&|it| *it = json!({"manifests": []}), "index");
        check(&|it| *it = json!([]), "cannot be read");
    }
}
