//! Modules by digest: out of the cache if they are there, else from where they
//! are, so that a host starts while its registry is down.

use cache::Cache;
use host_core::{
    name::Digest,
    oci::{OciRef, Place},
};

use crate::{
    Client, Error,
    document::{self, Manifest},
};

/// Where modules are taken from.
pub struct Shelf {
    client: Client,
    cache: Option<Cache>,
    limit: u64,
}

/// A module, and how it is named.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The module.
    pub wasm: Vec<u8>,
    /// Its digest.
    pub module: Digest,
    /// The digest of its manifest.
    pub manifest: Digest,
    /// What the manifest says of it.
    pub about: Manifest,
}

impl Shelf {
    /// A shelf that keeps what it pulls, if there is a cache. `limit` is how large a
    /// module may be.
    pub fn new(client: Client, cache: Option<Cache>, limit: usize) -> Shelf {
        Shelf { client, cache, limit: limit as u64 }
    }

    /// Who asks the registries.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The module of a reference with a digest.
    ///
    /// # Errors
    /// The reference has none, it names something else than a module, or the module
    /// cannot be had.
    pub fn fetch(&self, reference: &OciRef) -> Result<Fetched, Error> {
        let place = &reference.place;
        let no_digest = || Error::NoDigest { reference: reference.to_string() };
        let digest = reference.digest.clone().ok_or_else(no_digest)?;
        let manifest = self.kept(place, &digest, || self.client.manifest(place, &digest))?;
        let about = document::module(place, &digest, &manifest)?;
        let [layer] = about.layers.as_slice() else { unreachable!("a module has one layer") };
        let wasm = self.kept(place, &layer.digest, || self.client.blob(place, layer, self.limit))?;
        Ok(Fetched { wasm, module: layer.digest.clone(), manifest: digest, about })
    }

    /// Content by its digest. What is in the cache was checked when it was written,
    /// and is checked again: disks lie too.
    fn kept(
        &self,
        place: &Place,
        digest: &Digest,
        pull: impl FnOnce() -> Result<Vec<u8>, Error>,
    ) -> Result<Vec<u8>, Error> {
        // A folder is as near as the cache is.
        let Some(cache) = self.cache.as_ref().filter(|_| matches!(place, Place::Registry(_))) else { return pull() };
        match cache.read(digest.hex()) {
            Ok(Some(bytes)) if Digest::of(&bytes) == *digest => return Ok(bytes),
            Ok(Some(_)) => {
                tracing::warn!(%digest, "pulling again, the cache's copy is damaged");
                cache.remove(digest.hex());
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%digest, %error, "cannot read the cache"),
        }
        let bytes = pull()?;
        if let Err(error) = cache.write(digest.hex(), &bytes) {
            tracing::warn!(%digest, %error, "cannot keep what was pulled");
        }
        Ok(bytes)
    }

    /// The manifest of a reference with a digest.
    ///
    /// # Errors
    /// The reference has none, or the manifest cannot be had.
    pub fn manifest(&self, reference: &OciRef) -> Result<Vec<u8>, Error> {
        let no_digest = || Error::NoDigest { reference: reference.to_string() };
        let digest = reference.digest.as_ref().ok_or_else(no_digest)?;
        self.kept(&reference.place, digest, || self.client.manifest(&reference.place, digest))
    }

    /// The bundles of a manifest that were pulled before. They prove what they prove,
    /// wherever they come from.
    pub fn kept_bundles(&self, manifest: &Digest) -> Vec<Vec<u8>> {
        let kept = self.cache.as_ref().and_then(|cache| cache.read(&bundles_of(manifest)).ok().flatten());
        let texts: Vec<String> = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        texts.into_iter().map(String::into_bytes).collect()
    }

    /// The bundles of a manifest that there are now, which are kept.
    ///
    /// # Errors
    /// The reference has no digest, or nobody answers.
    pub fn bundles(&self, reference: &OciRef) -> Result<Vec<Vec<u8>>, Error> {
        let no_digest = || Error::NoDigest { reference: reference.to_string() };
        let digest = reference.digest.as_ref().ok_or_else(no_digest)?;
        let bundles = self.client.bundles(&reference.place, digest)?;
        let texts: Vec<&str> = bundles.iter().filter_map(|bundle| std::str::from_utf8(bundle).ok()).collect();
        let list = serde_json::to_vec(&texts).expect("a list of texts is JSON");
        let is_remote = matches!(reference.place, Place::Registry(_));
        if let Some(Err(error)) =
            self.cache.as_ref().filter(|_| is_remote).map(|cache| cache.write(&bundles_of(digest), &list))
        {
            tracing::warn!(%digest, %error, "cannot keep signatures");
        }
        Ok(bundles)
    }

    /// What a holder needs from now on stays in the cache, and what it needed before
    /// may go.
    pub fn hold(&self, holder: &str, digests: &[Digest]) {
        let Some(cache) = &self.cache else { return };
        if let Err(error) = cache.hold(holder, digests.iter().map(Digest::hex)) {
            tracing::warn!(holder, %error, "cannot note what is in force");
        }
    }

    /// The holder is gone.
    pub fn release(&self, holder: &str) {
        if let Some(cache) = &self.cache {
            cache.release(holder);
        }
    }
}

/// The name of the file with them. It begins with the manifest's digest, so that
/// whoever holds that holds them.
fn bundles_of(manifest: &Digest) -> String {
    format!("{}.bundles", manifest.hex())
}
