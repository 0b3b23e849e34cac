//! Requests to registries: bounded in time and size, with credentials where they
//! are asked for, and never with those of one host at another.
//!
//! It does not know what is asked; `remote` does.

use std::{
    collections::HashMap,
    io::{self, Read},
    path::PathBuf,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use host_core::{name::Digest, oci};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use ureq::{
    Agent, Body,
    http::{Request, Response, Uri},
    tls::{Certificate, RootCerts, TlsConfig},
};

use crate::{
    Error,
    credentials::{Challenge, Credentials},
};

/// Content networks are one step away; more is a circle.
const MOST_REDIRECTS: usize = 3;
/// A token is some KB, and so is what a registry says of an error.
const SHORT: u64 = 1 << 20;
/// How much of an error's text is passed on.
const MOST_SAID: usize = 300;
/// How long to wait for a connection: a host that is there answers at once.
const CONNECT: Duration = Duration::from_secs(10);

/// How to reach registries.
#[derive(Clone, Debug)]
pub struct Options {
    /// Other places to ask first.
    pub mirrors: Vec<Mirror>,
    /// A file with authorities to trust besides those of the system.
    pub ca: Option<PathBuf>,
    /// How long one request may take, with all of its answer.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options { mirrors: Vec::new(), ca: None, timeout: Duration::from_secs(60) }
    }
}

/// A place that has what a registry has: `registry.example.org=https://mirror.example.org/cache`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    pub(crate) registry: String,
    pub(crate) base: Base,
}

/// Where the API of a registry begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    scheme: &'static str,
    authority: String,
    prefix: String,
}

impl Base {
    /// Plain HTTP is for this machine alone.
    pub(crate) fn of(registry: &str) -> Base {
        let scheme = if oci::is_loopback(registry) { "http" } else { "https" };
        let authority = if registry == "docker.io" { "registry-1.docker.io" } else { registry };
        Base { scheme, authority: authority.to_owned(), prefix: String::new() }
    }

    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    pub(crate) fn url(&self, repository: &str, rest: &str) -> String {
        format!("{}://{}/v2/{}{repository}/{rest}", self.scheme, self.authority, self.prefix)
    }
}

impl FromStr for Mirror {
    type Err = String;

    fn from_str(text: &str) -> Result<Mirror, String> {
        let form = "expected `REGISTRY=URL`, such as `registry.example.org=https://mirror.example.org`";
        let (registry, url) = text.split_once('=').ok_or(form)?;
        // What is a registry is said where references are read.
        format!("{registry}/a").parse::<oci::Repository>().map_err(|error| format!("{form}: {error}"))?;
        let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
        let (authority, prefix) =
            rest.trim_end_matches('/').split_once('/').unwrap_or((rest.trim_end_matches('/'), ""));
        format!("{authority}/a").parse::<oci::Repository>().map_err(|error| format!("{form}: {error}"))?;
        let scheme = match scheme {
            "https" => "https",
            "http" if oci::is_loopback(authority) => "http",
            "http" => return Err(format!("`{url}` is plain HTTP, which is for this machine alone")),
            _ => return Err(form.to_owned()),
        };
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Mirror { registry: registry.to_owned(), base: Base { scheme, authority: authority.to_owned(), prefix } })
    }
}

/// One question.
pub(crate) struct Ask<'a> {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) accept: &'static str,
    pub(crate) body: Option<(&'a str, &'a [u8])>,
    /// The rights that it takes, such as `repository:team/greeting:pull`.
    pub(crate) scope: String,
    /// What it asks for, in words.
    pub(crate) question: String,
    /// Whether the answer is known by its digest, so that it may come from anywhere.
    pub(crate) from_anywhere: bool,
}

/// A client of all registries.
pub(crate) struct Http {
    agent: Agent,
    timeout: Duration,
    /// What was let in before, by host and rights.
    authorizations: Mutex<HashMap<(String, String), String>>,
}

impl Http {
    pub(crate) fn new(options: &Options) -> Result<Http, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(authorities(options.ca.as_ref())?)))
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT.min(options.timeout)))
            .timeout_global(Some(options.timeout))
            .user_agent(concat!("croft/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Http { agent: config.into(), timeout: options.timeout, authorizations: Mutex::default() })
    }

    /// The answer to a question, whatever its status, but for one that wants
    /// credentials.
    pub(crate) fn send(&self, ask: &Ask<'_>) -> Result<Response<Body>, Error> {
        let host = host_of(&ask.url);
        let key = (host.clone(), ask.scope.clone());
        let known = self.authorizations.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let answer = self.follow(ask, known.as_deref())?;
        if answer.status() != 401 {
            return Ok(answer);
        }
        let credentials = Credentials::of(&host)?;
        let refused = || Error::Unauthorized {
            registry: host.clone(),
            question: ask.question.clone(),
            known: credentials.is_known(),
        };
        let authorization = self.authorize(ask, &answer, &credentials)?.ok_or_else(refused)?;
        let answer = self.follow(ask, Some(&authorization))?;
        let mut authorizations = self.authorizations.lock().unwrap_or_else(PoisonError::into_inner);
        if answer.status() == 401 {
            authorizations.remove(&key);
            return Err(refused());
        }
        authorizations.insert(key, authorization);
        Ok(answer)
    }

    /// Follows a registry within its own host; to another one only for what is known
    /// by its digest, without credentials and not in the clear.
    fn follow(&self, ask: &Ask<'_>, authorization: Option<&str>) -> Result<Response<Body>, Error> {
        let origin: Uri = parsed(&ask.url, ask)?;
        let (mut url, mut authorization) = (origin.clone(), authorization);
        for _ in 0..=MOST_REDIRECTS {
            let answer = self.request(ask, &url, authorization)?;
            let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
            let Some(location) = location.filter(|_| answer.status().is_redirection()) else { return Ok(answer) };
            let refused = |why| {
                let question = ask.question.clone();
                Error::Redirect { registry: host_of(&ask.url), question, to: cut(location), why }
            };
            let next = joined(&url, location).ok_or_else(|| refused("it is not an address of HTTP"))?;
            if (next.scheme(), next.authority()) != (origin.scheme(), origin.authority()) {
                if !ask.from_anywhere {
                    return Err(refused("only the content of a module may come from another host"));
                }
                let is_local = |url: &Uri| url.authority().is_some_and(|it| oci::is_loopback(it.as_str()));
                if next.scheme_str() != Some("https") && !(is_local(&next) && is_local(&origin)) {
                    return Err(refused("it is plain HTTP, which is for this machine alone"));
                }
                authorization = None;
            }
            url = next;
        }
        let question = ask.question.clone();
        let why = "it sent on too often already";
        Err(Error::Redirect { registry: host_of(&ask.url), question, to: cut(&url.to_string()), why })
    }

    fn request(&self, ask: &Ask<'_>, url: &Uri, authorization: Option<&str>) -> Result<Response<Body>, Error> {
        let mut request = Request::builder().method(ask.method).uri(url.clone());
        if !ask.accept.is_empty() {
            request = request.header("accept", ask.accept);
        }
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let malformed = |error: ureq::http::Error| self.unreachable(&ask.url, ureq::Error::Http(error));
        let done = match ask.body {
            Some((media_type, bytes)) => {
                let request = request.header("content-type", media_type).body(bytes).map_err(malformed)?;
                self.agent.run(self.direct(request, url))
            }
            None => self.agent.run(self.direct(request.body(()).map_err(malformed)?, url)),
        };
        done.map_err(|error| self.unreachable(&ask.url, error))
    }

    /// This machine is not asked through a proxy.
    fn direct<B: ureq::AsSendBody>(&self, request: Request<B>, url: &Uri) -> Request<B> {
        match url.authority().is_some_and(|it| oci::is_loopback(it.as_str())) {
            true => self.agent.configure_request(request).proxy(None).build(),
            false => request,
        }
    }

    /// What lets a question through, as the registry's challenge asks for it.
    fn authorize(&self, ask: &Ask<'_>, answer: &Response<Body>, user: &Credentials) -> Result<Option<String>, Error> {
        let header = answer.headers().get("www-authenticate").and_then(|value| value.to_str().ok());
        match header.and_then(Challenge::parse) {
            None => Ok(None),
            Some(Challenge::Basic) => Ok(user.basic()),
            Some(Challenge::Bearer { realm, service, scope }) => {
                let scope = scope.unwrap_or_else(|| ask.scope.clone());
                self.token(ask, &realm, service.as_deref(), &scope, user)
            }
        }
    }

    fn token(
        &self,
        ask: &Ask<'_>,
        realm: &str,
        service: Option<&str>,
        scope: &str,
        user: &Credentials,
    ) -> Result<Option<String>, Error> {
        let url = parsed(realm, ask)?;
        let is_local = |text: &str| oci::is_loopback(&host_of(text));
        if url.scheme_str() != Some("https") && !(is_local(realm) && is_local(&ask.url)) {
            let question = format!("{} to a server of tokens", ask.question);
            let why = "credentials would go there in the clear";
            return Err(Error::Redirect { registry: host_of(&ask.url), question, to: cut(realm), why });
        }
        let mut form = vec![("scope", scope)];
        form.extend(service.map(|service| ("service", service)));
        let (method, url, body) = match user {
            Credentials::Token(token) => {
                form.extend([("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "croft")]);
                ("POST", realm.to_owned(), Some(encoded(&form)))
            }
            _ => ("GET", format!("{realm}{}{}", if realm.contains('?') { '&' } else { '?' }, encoded(&form)), None),
        };
        let body = body.as_ref().map(|body| ("application/x-www-form-urlencoded", body.as_bytes()));
        let question = "a token".to_owned();
        let asking = Ask { method, url, accept: "", body, scope: String::new(), question, from_anywhere: false };
        let answer = self.follow(&asking, user.basic().as_deref())?;
        match answer.status().as_u16() {
            200 => {}
            401 | 403 => return Ok(None),
            _ => return Err(self.unexpected(&asking, answer)),
        }
        let bytes = self.read(&asking.url, "a token", answer, SHORT)?;
        let token: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let text = token.get("token").or_else(|| token.get("access_token")).and_then(Value::as_str);
        Ok(text.map(|text| format!("Bearer {text}")))
    }

    /// The body of an answer, as far as it is within a bound.
    pub(crate) fn read(&self, url: &str, what: &str, answer: Response<Body>, limit: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let mut reader = answer.into_body().into_reader().take(limit + 1);
        reader.read_to_end(&mut bytes).map_err(|error| self.broken(url, error))?;
        match bytes.len() as u64 > limit {
            true => Err(Error::TooLarge { what: what.to_owned(), place: host_of(url), limit }),
            false => Ok(bytes),
        }
    }

    /// The body of an answer and its digest, taken while it comes in.
    pub(crate) fn digested(
        &self,
        url: &str,
        what: &str,
        answer: Response<Body>,
        limit: u64,
    ) -> Result<(Vec<u8>, Digest), Error> {
        // Longer than told is refused before a byte of it is read.
        let told = answer.body().content_length();
        let too_large = || Error::TooLarge { what: what.to_owned(), place: host_of(url), limit };
        if told.is_some_and(|told| told > limit) {
            return Err(too_large());
        }
        let (mut bytes, mut hasher, mut chunk) = (Vec::new(), Sha256::new(), vec![0; 64 << 10]);
        let mut reader = answer.into_body().into_reader();
        loop {
            let read = reader.read(&mut chunk).map_err(|error| self.broken(url, error))?;
            if read == 0 {
                break;
            }
            if (bytes.len() + read) as u64 > limit {
                return Err(too_large());
            }
            hasher.update(&chunk[..read]);
            bytes.extend_from_slice(&chunk[..read]);
        }
        let hex: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let digest = format!("sha256:{hex}").parse().expect("32 bytes in hexadecimal are a digest");
        Ok((bytes, digest))
    }

    /// An answer that does not fit the question.
    pub(crate) fn unexpected(&self, ask: &Ask<'_>, answer: Response<Body>) -> Error {
        let (registry, status) = (host_of(&ask.url), answer.status().as_u16());
        let question = ask.question.clone();
        if status == 401 || status == 403 {
            return Error::Unauthorized { registry, question, known: true };
        }
        let body = self.read(&ask.url, "an error", answer, SHORT).unwrap_or_default();
        Error::Status { registry, status, question, said: said(&body) }
    }

    fn unreachable(&self, url: &str, error: ureq::Error) -> Error {
        let registry = host_of(url);
        match error {
            ureq::Error::Timeout(_) => Error::Slow { registry, seconds: self.timeout.as_secs() },
            error => Error::Unreachable { registry, source: Box::new(error) },
        }
    }

    /// A body that ends too early.
    fn broken(&self, url: &str, error: io::Error) -> Error {
        self.unreachable(url, ureq::Error::from(error))
    }
}

/// The authorities of the system and those of a file.
fn authorities(file: Option<&PathBuf>) -> Result<Vec<Certificate<'static>>, Error> {
    let system = rustls_native_certs::load_native_certs().certs;
    let mut all: Vec<Certificate<'static>> = system.iter().map(|it| Certificate::from_der(it).to_owned()).collect();
    let Some(file) = file else { return Ok(all) };
    let failed = |source| Error::Options { what: format!("the authorities in `{}`", file.display()), source };
    let pem = std::fs::read(file).map_err(failed)?;
    let malformed =
        |cause: &dyn std::fmt::Display| failed(io::Error::new(io::ErrorKind::InvalidData, cause.to_string()));
    let before = all.len();
    for item in ureq::tls::parse_pem(&pem) {
        if let ureq::tls::PemItem::Certificate(certificate) = item.map_err(|error| malformed(&error))? {
            all.push(certificate);
        }
    }
    if all.len() == before {
        return Err(malformed(&"it holds no certificate in PEM"));
    }
    Ok(all)
}

fn parsed(url: &str, ask: &Ask<'_>) -> Result<Uri, Error> {
    let found = url.parse::<Uri>().ok().filter(|url| url.scheme().is_some() && url.authority().is_some());
    found.ok_or_else(|| {
        let why = "it is not an address of HTTP";
        Error::Redirect { registry: host_of(&ask.url), question: ask.question.clone(), to: cut(url), why }
    })
}

/// A redirect's target, or the place of an upload.
pub(crate) fn joined(url: &Uri, location: &str) -> Option<Uri> {
    let next: Uri = match location.strip_prefix('/') {
        Some(rest) if !rest.starts_with('/') => {
            format!("{}://{}{location}", url.scheme_str()?, url.authority()?).parse().ok()?
        }
        _ => location.parse().ok()?,
    };
    let is_http = matches!(next.scheme_str(), Some("http" | "https"));
    // A name and a password before the host are nobody's to give.
    (is_http && next.authority().is_some_and(|it| !it.as_str().contains('@'))).then_some(next)
}

/// `registry.example.org:5000` of an address.
pub(crate) fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default().to_owned()
}

/// What a registry says of an error: its JSON, or nothing.
fn said(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let first = value.pointer("/errors/0")?;
    let text = |field: &str| first.get(field).and_then(Value::as_str).unwrap_or_default();
    let said = format!("{} {}", text("code"), text("message"));
    Some(cut(said.trim())).filter(|said| !said.is_empty())
}

/// Text of somebody else's, in one line and not longer than it helps.
fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MOST_SAID).collect()
}

fn encoded(form: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect();
    pairs.join("&")
}

/// Everything that is not plain in a query, escaped.
pub(crate) fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_read_and_plain_http_is_for_this_machine() {
        let url = |text: &str| text.parse::<Mirror>().map(|mirror| mirror.base.url("a/b", "tags/list"));
        assert_eq!(
            url("registry.example.org=https://mirror.example.org/cache/"),
            Ok("https://mirror.example.org/v2/cache/a/b/tags/list".into())
        );
        assert_eq!(
            url("registry.example.org=mirror.example.org:5000"),
            Ok("https://mirror.example.org:5000/v2/a/b/tags/list".into())
        );
        assert_eq!(
            url("registry.example.org=http://localhost:5000"),
            Ok("http://localhost:5000/v2/a/b/tags/list".into())
        );
        for bad in [
            "registry.example.org",
            "=https://mirror.example.org",
            "registry.example.org=",
            "registry.example.org=http://mirror.example.org",
            "registry.example.org=ftp://mirror.example.org",
            "registry.example.org=https://user:word@mirror.example.org",
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_this_machine_is_asked_in_the_clear() {
        assert_eq!(Base::of("localhost:5000").url("a", "b"), "http://localhost:5000/v2/a/b");
        assert_eq!(Base::of("registry.example.org").url("a", "b"), "https://registry.example.org/v2/a/b");
    }

    #[test]
    fn a_location_is_an_address_of_http_without_a_user() {
        let from: Uri = "https://a.example.org/v2/x".parse().unwrap();
        let check = |location: &str| joined(&from, location).map(|url| url.to_string());
        assert_eq!(check("/v2/y?z=1").as_deref(), Some("https://a.example.org/v2/y?z=1"));
        assert_eq!(check("https://b.example.org/y").as_deref(), Some("https://b.example.org/y"));
        for bad in ["//b.example.org/y", "file:///etc/passwd", "https://user@b.example.org/y", "y", ""] {
            assert_eq!(check(bad), None, "{bad}");
        }
    }
}
