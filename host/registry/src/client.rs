//! Registries and folders alike: what a reference names is pushed and pulled.

use host_core::{
    name::Digest,
    oci::{OciRef, Place, Tag},
};

use crate::{
    About, Descriptor, Error, Manifest, Options,
    document::MANIFEST,
    layout,
    remote::{MANIFEST_LIMIT, Remote},
    signature::{BUNDLE, PREDICATE},
};

/// Whoever may push can have as many refer to a module as they like.
const MOST_REFERRERS: usize = 64;
/// A bundle is a KB, and with certificates and logs ten.
const BUNDLE_LIMIT: u64 = 1 << 20;

/// A client of registries and folders.
pub struct Client {
    remote: Remote,
}

/// What was pushed.
#[derive(Clone, Debug)]
pub struct Pushed {
    /// Of the manifest, by which it is named.
    pub manifest: Digest,
    /// Of the module itself.
    pub module: Digest,
}

impl Client {
    /// Asks no server yet.
    ///
    /// # Errors
    /// The options make no sense, such as a file that holds no certificate.
    pub fn new(options: &Options) -> Result<Client, Error> {
        Ok(Client { remote: Remote::new(options)? })
    }

    /// The digest that a reference names: its own, or the one that its tag has now.
    ///
    /// # Errors
    /// It has neither, or the tag is not there.
    pub fn resolve(&self, reference: &OciRef) -> Result<Digest, Error> {
        match (&reference.digest, &reference.tag) {
            (Some(digest), _) => Ok(digest.clone()),
            (None, Some(tag)) => self.tagged(&reference.place, tag),
            (None, None) => Err(Error::NoDigest { reference: reference.to_string() }),
        }
    }

    /// The digest that a tag has now.
    ///
    /// # Errors
    /// It is not there, or nobody answers.
    pub fn tagged(&self, place: &Place, tag: &Tag) -> Result<Digest, Error> {
        match place {
            Place::Registry(repository) => self.remote.resolve(repository, tag),
            Place::Layout(folder) => layout::resolve(folder, tag),
        }
    }

    /// The manifest of a digest.
    ///
    /// # Errors
    /// It is not there, or something else is.
    pub fn manifest(&self, place: &Place, digest: &Digest) -> Result<Vec<u8>, Error> {
        match place {
            Place::Registry(repository) => self.remote.manifest(repository, digest),
            Place::Layout(folder) => layout::blob(folder, digest, MANIFEST_LIMIT),
        }
    }

    /// A blob of at most so many bytes.
    ///
    /// # Errors
    /// It is not there, it is larger, or something else is there.
    pub fn blob(&self, place: &Place, blob: &Descriptor, limit: u64) -> Result<Vec<u8>, Error> {
        match place {
            Place::Registry(repository) => self.remote.blob(repository, blob, limit),
            Place::Layout(folder) => layout::blob(folder, &blob.digest, limit),
        }
    }

    /// All tags.
    ///
    /// # Errors
    /// Nobody answers, or there is no such place.
    pub fn tags(&self, place: &Place) -> Result<Vec<Tag>, Error> {
        match place {
            Place::Registry(repository) => self.remote.tags(repository),
            Place::Layout(folder) => layout::tags(folder),
        }
    }

    /// What refers to a manifest.
    ///
    /// # Errors
    /// Nobody answers.
    pub fn referrers(&self, place: &Place, digest: &Digest) -> Result<Vec<Descriptor>, Error> {
        match place {
            Place::Registry(repository) => self.remote.referrers(repository, digest),
            Place::Layout(folder) => layout::referrers(folder, digest),
        }
    }

    /// Pushes a module, under a tag or by its digest alone.
    ///
    /// # Errors
    /// The place does not take it.
    pub fn push(&self, place: &Place, tag: Option<&Tag>, wasm: &[u8], about: &About) -> Result<Pushed, Error> {
        let (manifest, config) = Manifest::of_module(wasm, about);
        self.put_blob(place, &config)?;
        self.put_blob(place, wasm)?;
        let bytes = manifest.bytes();
        match place {
            Place::Registry(repository) => self.remote.put_manifest(repository, &bytes, tag, None)?,
            Place::Layout(folder) => layout::put_manifest(folder, &bytes, tag)?,
        }
        Ok(Pushed { manifest: Digest::of(&bytes), module: Digest::of(wasm) })
    }

    /// Pushes what refers to a manifest, such as a signature.
    ///
    /// # Errors
    /// The place does not take it.
    pub fn attach(&self, place: &Place, manifest: &Manifest, content: &[u8]) -> Result<Digest, Error> {
        self.put_blob(place, b"{}")?;
        self.put_blob(place, content)?;
        let bytes = manifest.bytes();
        let mut descriptor = Descriptor::of(manifest.media_type.as_deref().unwrap_or_default(), &bytes);
        descriptor.artifact_type.clone_from(&manifest.artifact_type);
        descriptor.annotations.clone_from(&manifest.annotations);
        let subject = manifest.subject.as_ref().map(|subject| (&subject.digest, &descriptor));
        match place {
            Place::Registry(repository) => self.remote.put_manifest(repository, &bytes, None, subject)?,
            Place::Layout(folder) => layout::put_manifest(folder, &bytes, None)?,
        }
        Ok(descriptor.digest)
    }

    /// Pushes a bundle that signs a manifest.
    ///
    /// # Errors
    /// The manifest is not there, or the place does not take the bundle.
    pub fn push_bundle(&self, place: &Place, signed: &Digest, bundle: &[u8]) -> Result<Digest, Error> {
        let subject = Descriptor::of(MANIFEST, &self.manifest(place, signed)?);
        let mut manifest = Manifest::referring(BUNDLE, Descriptor::of(BUNDLE, bundle), subject);
        let remarks =
            [("dev.sigstore.bundle.content", "dsse-envelope"), ("dev.sigstore.bundle.predicateType", PREDICATE)];
        manifest.annotations.extend(remarks.map(|(name, value)| (name.to_owned(), value.to_owned())));
        self.attach(place, &manifest, bundle)
    }

    /// The bundles that refer to a manifest. What else refers to it is left aside.
    ///
    /// # Errors
    /// Nobody answers.
    pub fn bundles(&self, place: &Place, signed: &Digest) -> Result<Vec<Vec<u8>>, Error> {
        let mut bundles = Vec::new();
        // Which type a registry tells of a referrer differs: its manifest knows.
        for descriptor in self.referrers(place, signed)?.iter().take(MOST_REFERRERS) {
            match self.bundle(place, descriptor) {
                Ok(bundle) => bundles.extend(bundle),
                // One that is broken must not hide the others.
                Err(error @ (Error::NotFound { .. } | Error::OtherDigest { .. } | Error::TooLarge { .. })) => {
                    tracing::debug!(referrer = %descriptor.digest, %error, "not a signature");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(bundles)
    }

    fn bundle(&self, place: &Place, referrer: &Descriptor) -> Result<Option<Vec<u8>>, Error> {
        let manifest = self.manifest(place, &referrer.digest)?;
        let layers = serde_json::from_slice::<Manifest>(&manifest).map(|manifest| manifest.layers).unwrap_or_default();
        match layers.as_slice() {
            [layer] if layer.media_type == BUNDLE => self.blob(place, layer, BUNDLE_LIMIT).map(Some),
            _ => Ok(None),
        }
    }

    fn put_blob(&self, place: &Place, bytes: &[u8]) -> Result<(), Error> {
        match place {
            Place::Registry(repository) => self.remote.put_blob(repository, bytes),
            Place::Layout(folder) => layout::put_blob(folder, bytes),
        }
    }
}
