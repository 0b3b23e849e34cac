//! The API of registries, as the OCI distribution specification has it.

use host_core::{
    name::Digest,
    oci::{Place, Repository, Tag},
};
use serde_json::Value;
use ureq::{
    Body,
    http::{Response, Uri},
};

use crate::{
    Descriptor, Error, Options,
    document::{INDEX, Index, MANIFEST},
    http::{Ask, Base, Http, Mirror, host_of, joined, percent},
};

/// What registries have to take at least, and most do not exceed.
pub(crate) const MANIFEST_LIMIT: u64 = 4 << 20;
/// Pages of tags, each as long as the registry likes.
const MOST_PAGES: usize = 100;

/// All registries.
pub(crate) struct Remote {
    http: Http,
    mirrors: Vec<Mirror>,
}

impl Remote {
    pub(crate) fn new(options: &Options) -> Result<Remote, Error> {
        Ok(Remote { http: Http::new(options)?, mirrors: options.mirrors.clone() })
    }

    /// The manifest of a digest, checked against it.
    pub(crate) fn manifest(&self, repository: &Repository, digest: &Digest) -> Result<Vec<u8>, Error> {
        self.mirrored(repository, |base| {
            let (bytes, found) = self.manifest_at(base, repository, digest.as_str())?;
            same(repository, digest, found).map(|()| bytes)
        })
    }

    /// The digest that a tag has now. A mirror may be behind, so that it is not asked.
    pub(crate) fn resolve(&self, repository: &Repository, tag: &Tag) -> Result<Digest, Error> {
        Ok(self.manifest_at(&Base::of(repository.registry()), repository, tag.as_str())?.1)
    }

    fn manifest_at(&self, base: &Base, repository: &Repository, which: &str) -> Result<(Vec<u8>, Digest), Error> {
        let question = format!("the manifest `{which}` of `{}`", repository.name());
        let ask = Ask {
            accept: "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json",
            ..get(base.url(repository.name(), &format!("manifests/{which}")), repository, question)
        };
        let answer = self.found(&ask, &format!("manifest `{which}`"), repository)?;
        self.http.digested(&ask.url, "the manifest", answer, MANIFEST_LIMIT)
    }

    /// A blob, checked against its digest.
    pub(crate) fn blob(&self, repository: &Repository, blob: &Descriptor, limit: u64) -> Result<Vec<u8>, Error> {
        if blob.size > limit {
            let place = repository.to_string();
            return Err(Error::TooLarge { what: format!("the blob `{}`", blob.digest), place, limit });
        }
        self.mirrored(repository, |base| {
            let digest = &blob.digest;
            let question = format!("the blob `{digest}` of `{}`", repository.name());
            let url = base.url(repository.name(), &format!("blobs/{digest}"));
            let ask = Ask { from_anywhere: true, ..get(url, repository, question) };
            let answer = self.found(&ask, &format!("blob `{digest}`"), repository)?;
            let (bytes, found) = self.http.digested(&ask.url, &format!("the blob `{digest}`"), answer, blob.size)?;
            same(repository, digest, found).map(|()| bytes)
        })
    }

    /// Asks the mirrors of a registry first, and the registry itself for what they do
    /// not have.
    fn mirrored<T>(&self, repository: &Repository, ask: impl Fn(&Base) -> Result<T, Error>) -> Result<T, Error> {
        for mirror in self.mirrors.iter().filter(|mirror| mirror.registry == repository.registry()) {
            match ask(&mirror.base) {
                Err(error) if error.is_of_the_place() => {
                    let error = host_core::status::chain(&error);
                    tracing::warn!(mirror = mirror.base.authority(), error, "asking the registry itself");
                }
                done => return done,
            }
        }
        ask(&Base::of(repository.registry()))
    }

    /// All tags.
    pub(crate) fn tags(&self, repository: &Repository) -> Result<Vec<Tag>, Error> {
        let mut url = Base::of(repository.registry()).url(repository.name(), "tags/list?n=1000");
        let mut tags = Vec::new();
        for _ in 0..MOST_PAGES {
            let ask = get(url.clone(), repository, format!("the tags of `{}`", repository.name()));
            let answer = self.found(&ask, "repository", repository)?;
            let next = answer.headers().get("link").and_then(|value| value.to_str().ok()).and_then(next_page);
            let next = next.and_then(|location| joined(&url.parse().ok()?, &location));
            let bytes = self.http.read(&ask.url, "the list of tags", answer, MANIFEST_LIMIT)?;
            let list: Value =
                serde_json::from_slice(&bytes).map_err(|error| malformed("the list of tags", repository, &error))?;
            let names = list.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            tags.extend(names.filter_map(|name| name.parse::<Tag>().ok()));
            match next.map(|next| next.to_string()).filter(|next| host_of(next) == host_of(&url) && *next != url) {
                Some(next) => url = next,
                None => break,
            }
        }
        Ok(tags)
    }

    /// What refers to a manifest: by the API, or by the tag that stands in for it. A
    /// mirror that has the manifest need not have what refers to it.
    pub(crate) fn referrers(&self, repository: &Repository, digest: &Digest) -> Result<Vec<Descriptor>, Error> {
        for mirror in self.mirrors.iter().filter(|mirror| mirror.registry == repository.registry()) {
            match self.referrers_at(&mirror.base, repository, digest) {
                Ok(found) if !found.is_empty() => return Ok(found),
                Ok(_) => {}
                Err(error) => tracing::debug!(mirror = mirror.base.authority(), %error, "asking the registry itself"),
            }
        }
        self.referrers_at(&Base::of(repository.registry()), repository, digest)
    }

    fn referrers_at(&self, base: &Base, repository: &Repository, digest: &Digest) -> Result<Vec<Descriptor>, Error> {
        let question = format!("what refers to `{digest}` in `{}`", repository.name());
        let url = base.url(repository.name(), &format!("referrers/{digest}"));
        let ask = Ask { accept: INDEX, ..get(url, repository, question) };
        let answer = self.http.send(&ask)?;
        match answer.status().as_u16() {
            200 => {
                let bytes = self.http.read(&ask.url, "the list of referrers", answer, MANIFEST_LIMIT)?;
                index(&bytes, repository).map(|index| index.manifests)
            }
            // A registry without the API does not know the path.
            400 | 404 | 405 => Ok(self.stand_in(base, repository, digest)?.map_or_else(Vec::new, |it| it.manifests)),
            _ => Err(self.http.unexpected(&ask, answer)),
        }
    }

    fn stand_in(&self, base: &Base, repository: &Repository, digest: &Digest) -> Result<Option<Index>, Error> {
        match self.manifest_at(base, repository, &stand_in(digest)) {
            Ok((bytes, _)) => index(&bytes, repository).map(Some),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Uploads a blob, unless it is there.
    pub(crate) fn put_blob(&self, repository: &Repository, bytes: &[u8]) -> Result<(), Error> {
        let (base, name, digest) = (Base::of(repository.registry()), repository.name(), Digest::of(bytes));
        let question = format!("an upload to `{name}`");
        let ask = |method, url, body| Ask {
            method,
            body,
            scope: format!("repository:{name}:pull,push"),
            ..get(url, repository, question.clone())
        };
        if self.http.send(&ask("HEAD", base.url(name, &format!("blobs/{digest}")), None))?.status() == 200 {
            return Ok(());
        }
        let start = ask("POST", base.url(name, "blobs/uploads/"), Some(("application/octet-stream", &[][..])));
        let answer = self.http.send(&start)?;
        if answer.status() != 202 {
            return Err(self.http.unexpected(&start, answer));
        }
        let url = upload_url(&start.url, &answer, &digest).ok_or_else(|| {
            let problem = "answers no place of the same host to upload to".to_owned();
            Error::Malformed { what: "the upload".to_owned(), place: repository.to_string(), problem }
        })?;
        let put = ask("PUT", url, Some(("application/octet-stream", bytes)));
        let answer = self.http.send(&put)?;
        if answer.status() == 201 { Ok(()) } else { Err(self.http.unexpected(&put, answer)) }
    }

    /// Puts a manifest there, by a tag or by its digest alone. Whether it refers to
    /// another one is told to those who look, with the tag that stands in for the API
    /// where the registry does not have it.
    pub(crate) fn put_manifest(
        &self,
        repository: &Repository,
        manifest: &[u8],
        tag: Option<&Tag>,
        refers: Option<(&Digest, &Descriptor)>,
    ) -> Result<(), Error> {
        let digest = Digest::of(manifest);
        let which = tag.map_or(digest.as_str(), Tag::as_str);
        let answer = self.put(repository, which, MANIFEST, manifest)?;
        let Some((subject, descriptor)) = refers.filter(|_| !answer.headers().contains_key("oci-subject")) else {
            return Ok(());
        };
        // Some have the API and do not say so.
        let base = Base::of(repository.registry());
        if self.referrers_at(&base, repository, subject)?.iter().any(|known| known.digest == descriptor.digest) {
            return Ok(());
        }
        let mut index = self.stand_in(&base, repository, subject)?.unwrap_or_else(|| Index::new(Vec::new()));
        if index.manifests.iter().all(|known| known.digest != descriptor.digest) {
            index.manifests.push(descriptor.clone());
            let bytes = serde_json::to_vec(&index).expect("strings, numbers and maps of strings are JSON");
            self.put(repository, &stand_in(subject), INDEX, &bytes)?;
        }
        Ok(())
    }

    fn put(
        &self,
        repository: &Repository,
        which: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Response<Body>, Error> {
        let name = repository.name();
        let url = Base::of(repository.registry()).url(name, &format!("manifests/{which}"));
        let scope = format!("repository:{name}:pull,push");
        let question = format!("the manifest `{which}` for `{name}`");
        let ask = Ask { method: "PUT", body: Some((media_type, bytes)), scope, ..get(url, repository, question) };
        let answer = self.http.send(&ask)?;
        if answer.status() == 201 { Ok(answer) } else { Err(self.http.unexpected(&ask, answer)) }
    }

    fn found(&self, ask: &Ask<'_>, what: &str, repository: &Repository) -> Result<Response<Body>, Error> {
        let answer = self.http.send(ask)?;
        match answer.status().as_u16() {
            200 => Ok(answer),
            404 => {
                Err(Error::NotFound { what: what.to_owned(), place: Place::Registry(repository.clone()).to_string() })
            }
            _ => Err(self.http.unexpected(ask, answer)),
        }
    }
}

fn get(url: String, repository: &Repository, question: String) -> Ask<'static> {
    let scope = format!("repository:{}:pull", repository.name());
    Ask { method: "GET", url, accept: "", body: None, scope, question, from_anywhere: false }
}

fn same(repository: &Repository, wanted: &Digest, found: Digest) -> Result<(), Error> {
    match found == *wanted {
        true => Ok(()),
        false => {
            let place = Place::Registry(repository.clone()).to_string();
            Err(Error::OtherDigest { place, wanted: wanted.clone(), found })
        }
    }
}

/// The tag that stands in for the API of referrers.
pub(crate) fn stand_in(digest: &Digest) -> String {
    format!("sha256-{}", digest.hex())
}

/// Where to put the bytes of an upload: within the same host, whatever the
/// registry says.
fn upload_url(start: &str, answer: &Response<Body>, digest: &Digest) -> Option<String> {
    let location = answer.headers().get("location")?.to_str().ok()?;
    let url = joined(&start.parse::<Uri>().ok()?, location)?.to_string();
    let sign = if url.contains('?') { '&' } else { '?' };
    (host_of(&url) == host_of(start)).then(|| format!("{url}{sign}digest={}", percent(digest.as_str())))
}

/// `</v2/a/tags/list?last=x>; rel="next"`.
fn next_page(link: &str) -> Option<String> {
    let (target, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    rest.contains("next").then(|| target.to_owned())
}

fn index(bytes: &[u8], repository: &Repository) -> Result<Index, Error> {
    serde_json::from_slice(bytes).map_err(|error| malformed("the list of referrers", repository, &error))
}

fn malformed(what: &str, repository: &Repository, error: &serde_json::Error) -> Error {
    let (what, place) = (what.to_owned(), Place::Registry(repository.clone()).to_string());
    Error::Malformed { what, place, problem: format!("cannot be read: {error}") }
}
