//! Folders in OCI layout: a registry of one repository, without a server.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use host_core::{
    name::Digest,
    oci::{Place, Tag},
};

use crate::{
    Descriptor, Error, Manifest,
    document::{Index, MANIFEST},
    remote::MANIFEST_LIMIT,
};

/// The annotation of an index that holds a tag.
const NAME: &str = "org.opencontainers.image.ref.name";
/// The file that makes a folder a layout.
const MARK: &str = "oci-layout";

/// A manifest or a blob, checked against its digest.
pub(crate) fn blob(folder: &Path, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error> {
    let bytes = read(&folder.join("blobs/sha256").join(digest.hex()), limit)?.ok_or_else(|| {
        let what = format!("blob `{digest}`");
        Error::NotFound { what, place: place(folder) }
    })?;
    let found = Digest::of(&bytes);
    match found == *digest {
        true => Ok(bytes),
        false => Err(Error::OtherDigest { place: place(folder), wanted: digest.clone(), found }),
    }
}

/// The digest that a tag has now.
pub(crate) fn resolve(folder: &Path, tag: &Tag) -> Result<Digest, Error> {
    let index = index(folder)?;
    let found =
        index.manifests.into_iter().find(|it| it.annotations.get(NAME).is_some_and(|name| name == tag.as_str()));
    let missing = || Error::NotFound { what: format!("manifest `{tag}`"), place: place(folder) };
    found.map(|descriptor| descriptor.digest).ok_or_else(missing)
}

/// All tags.
pub(crate) fn tags(folder: &Path) -> Result<Vec<Tag>, Error> {
    let names = index(folder)?.manifests.into_iter().filter_map(|mut it| it.annotations.remove(NAME));
    Ok(names.filter_map(|name| name.parse().ok()).collect())
}

/// What refers to a manifest.
pub(crate) fn referrers(folder: &Path, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
    let mut found = Vec::new();
    for mut descriptor in index(folder)?.manifests {
        let bytes = blob(folder, &descriptor.digest, MANIFEST_LIMIT)?;
        let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes) else { continue };
        if manifest.subject.is_some_and(|it| it.digest == *subject) {
            descriptor.artifact_type = manifest.artifact_type.or(Some(manifest.config.media_type));
            found.push(descriptor);
        }
    }
    Ok(found)
}

/// Writes a blob, unless it is there.
pub(crate) fn put_blob(folder: &Path, bytes: &[u8]) -> Result<(), Error> {
    let path = folder.join("blobs/sha256").join(Digest::of(bytes).hex());
    match path.exists() {
        true => Ok(()),
        false => write(&path, bytes),
    }
}

/// Writes a manifest and notes it in the index, under a tag or without.
pub(crate) fn put_manifest(folder: &Path, manifest: &[u8], tag: Option<&Tag>) -> Result<(), Error> {
    put_blob(folder, manifest)?;
    // Of two that write at once the later one has to see what the earlier did.
    let lock = File::create(folder.join(".lock")).map_err(failed(folder, true))?;
    lock.lock().map_err(failed(folder, true))?;
    let mut index = match index(folder) {
        Err(Error::NotFound { .. }) => Index::new(Vec::new()),
        other => other?,
    };
    let mut descriptor = Descriptor::of(MANIFEST, manifest);
    if let Some(tag) = tag {
        for other in &mut index.manifests {
            if other.annotations.get(NAME).is_some_and(|name| name == tag.as_str()) {
                other.annotations.remove(NAME);
            }
        }
        descriptor.annotations.insert(NAME.to_owned(), tag.to_string());
    }
    // One that lost its tag stays: what it is may be pinned by its digest.
    index
        .manifests
        .retain(|other| other.digest != descriptor.digest || other.annotations.contains_key(NAME) && tag.is_some());
    index.manifests.push(descriptor);
    let bytes = serde_json::to_vec_pretty(&index).expect("strings, numbers and maps of strings are JSON");
    write(&folder.join("index.json"), &bytes)?;
    write(&folder.join(MARK), br#"{"imageLayoutVersion":"1.0.0"}"#)
}

fn index(folder: &Path) -> Result<Index, Error> {
    let path = folder.join("index.json");
    let missing = || Error::NotFound { what: "index `index.json`".to_owned(), place: place(folder) };
    let bytes = read(&path, MANIFEST_LIMIT)?.ok_or_else(missing)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let problem = format!("cannot be read: {error}");
        Error::Malformed { what: "the index `index.json`".to_owned(), place: place(folder), problem }
    })
}

fn place(folder: &Path) -> String {
    Place::Layout(folder.to_owned()).to_string()
}

fn failed(path: &Path, writing: bool) -> impl Fn(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Folder { path: path.clone(), writing, source }
}

fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, false)(error)),
    };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed(path, false))?;
    match bytes.len() as u64 > limit {
        true => Err(Error::TooLarge { what: "a file".to_owned(), place: path.display().to_string(), limit }),
        false => Ok(Some(bytes)),
    }
}

/// Renamed into place when it is whole.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
    let write = || {
        fs::create_dir_all(&folder)?;
        let mut file = tempfile::Builder::new().prefix(".new").tempfile_in(&folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(failed(path, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> Tag {
        text.parse().unwrap()
    }

    #[test]
    fn a_tag_moves_and_what_it_left_is_still_there_by_digest() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        put_manifest(folder, b"one", Some(&tag("v1"))).unwrap();
        put_manifest(folder, b"two", Some(&tag("v1"))).unwrap();
        put_manifest(folder, b"two", Some(&tag("v2"))).unwrap();
        assert_eq!(resolve(folder, &tag("v1")).unwrap(), Digest::of(b"two"));
        assert_eq!(resolve(folder, &tag("v2")).unwrap(), Digest::of(b"two"));
        assert_eq!(blob(folder, &Digest::of(b"one"), 10).unwrap(), b"one");
        assert!(resolve(folder, &tag("v3")).unwrap_err().to_string().contains("no manifest `v3`"));
    }

    #[test]
    fn a_blob_that_was_changed_or_is_too_large_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        put_blob(folder, b"one").unwrap();
        let digest = Digest::of(b"one");
        assert!(matches!(blob(folder, &digest, 2), Err(Error::TooLarge { .. })));
        fs::write(folder.join("blobs/sha256").join(digest.hex()), b"two").unwrap();
        assert!(matches!(blob(folder, &digest, 10), Err(Error::OtherDigest { .. })));
    }

    #[test]
    fn referrers_are_found_by_their_subject() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let subject = Descriptor::of(MANIFEST, b"one");
        put_manifest(folder, b"one", None).unwrap();
        let manifest = Manifest::referring("application/x", Descriptor::of("application/x", b"x"), subject.clone());
        put_manifest(folder, &manifest.bytes(), None).unwrap();
        let found = referrers(folder, &subject.digest).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].artifact_type.as_deref(), Some("application/x"));
        assert_eq!(referrers(folder, &Digest::of(b"two")).unwrap(), []);
    }
}
