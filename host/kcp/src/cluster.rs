//! One logical cluster, or the view across all of them: the requests that croft
//! sends there.

use std::time::Duration;

use contract::Gvk;
use http::{
    Request,
    header::{ACCEPT, CONTENT_TYPE},
};
use kube::{Client, client::Body};
use serde_json::{Value, json};

use super::Error;
use host_core::{
    kinds::Kind,
    object::{self, FIELD_MANAGER, Target},
};

/// Requests other than watches end by then: four times what kcp gives its own.
const DEADLINE: Duration = Duration::from_secs(120);

/// Lists without what the objects say.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// A client whose requests go to one logical cluster (or to the wildcard).
#[derive(Clone)]
pub struct Cluster {
    client: Client,
}

/// Whether server-side apply takes over fields of other managers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// It does: the object is ours.
    Yes,
    /// It does, but nothing is stored: a rehearsal.
    Rehearse,
}

impl Cluster {
    /// What a client points at by itself.
    pub(super) fn new(client: Client) -> Cluster {
        Cluster { client }
    }

    /// The same server below a path. All clusters share the connections of the
    /// client that they were made from.
    pub(super) fn below(client: &Client, prefix: String) -> Cluster {
        let shared = client.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let (shared, prefix) = (shared.clone(), prefix.clone());
            async move {
                let (mut parts, body) = request.into_parts();
                let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
                parts.uri = format!("{prefix}{path}").parse()?;
                Ok::<_, tower::BoxError>(shared.send(Request::from_parts(parts, body)).await?)
            }
        });
        Cluster { client: Client::new(service, "default") }
    }

    /// The client, for watches.
    pub(super) fn client(&self) -> Client {
        self.client.clone()
    }

    /// Reads one object; `None` if there is none.
    ///
    /// # Errors
    /// The server did not answer, or answered anything but 404.
    pub async fn get(&self, target: &Target, kind: &Kind) -> Result<Option<Value>, Error> {
        found(self.send("GET", &path(target, kind), None, format!("read {target}")).await)
    }

    /// Reads one object; `None` only if the server serves its kind and has no such
    /// object.
    ///
    /// # Errors
    /// The server did not answer, or answered anything else.
    pub async fn look_for(&self, target: &Target, kind: &Kind) -> Result<Option<Value>, Error> {
        match self.send("GET", &path(target, kind), None, format!("read {target}")).await {
            Err(error) if error.is_absence() => Ok(None),
            found => found.map(Some),
        }
    }

    /// Reads whatever stands at a path; `None` if nothing does.
    ///
    /// # Errors
    /// The server did not answer, or answered anything but 404.
    pub async fn find(&self, path: &str) -> Result<Option<Value>, Error> {
        found(self.read(path).await)
    }

    /// Reads whatever stands at a path.
    ///
    /// # Errors
    /// The server did not answer, or refused.
    pub async fn read(&self, path: &str) -> Result<Value, Error> {
        self.send("GET", path, None, format!("read `{path}`")).await
    }

    /// Creates an object and returns what the server made of it. What came into
    /// being in its place meanwhile is left as it is, also where it says the same.
    ///
    /// # Errors
    /// The server did not answer, or refused.
    pub async fn create(&self, object: &Value, kind: &Kind) -> Result<Value, Error> {
        let target = Target::of(object).unwrap_or_else(|| unreachable!("croft creates whole objects only"));
        // Strict, as an apply is: a field that the schema lacks is refused and
        // not dropped in silence.
        let how = format!("fieldManager={FIELD_MANAGER}&fieldValidation=Strict");
        // The name is for who reads the server's log: there it is in the path of
        // all other requests.
        let path = format!("{}?{how}&name={}", collection(&target, kind), encoded(&target.name));
        self.send("POST", &path, Some(("application/json", object)), format!("create {target}")).await
    }

    /// Reads a page of the metadata of objects.
    ///
    /// # Errors
    /// The server did not answer, or refused.
    pub async fn metadata(&self, path: &str) -> Result<Value, Error> {
        let request = Request::builder().method("GET").uri(path).header(ACCEPT, METADATA);
        self.exchange(request, None, format!("read `{path}`")).await
    }

    /// The place of one of the objects of a kind that have a label, in whatever
    /// namespace; `None` if there is none.
    ///
    /// # Errors
    /// The server did not answer, or refused.
    pub async fn any_labelled(&self, kind: &Gvk, address: &Kind, label: (&str, &str)) -> Result<Option<Target>, Error> {
        let place = Target { kind: kind.clone(), namespace: String::new(), name: String::new() };
        let selector = encoded(&format!("{}={}", label.0, label.1));
        let page = self.metadata(&format!("{}?labelSelector={selector}&limit=1", collection(&place, address))).await?;
        Ok(page.pointer("/items/0").map(|first| {
            let text = |pointer: &str| object::text(first, pointer).to_owned();
            Target { namespace: text("/metadata/namespace"), name: text("/metadata/name"), ..place }
        }))
    }

    /// Applies an object (server-side apply) and returns what the server made
    /// of it.
    ///
    /// # Errors
    /// The server did not answer, or refused.
    pub async fn apply(&self, object: &Value, kind: &Kind, force: Force) -> Result<Value, Error> {
        let target = Target::of(object).unwrap_or_else(|| unreachable!("croft applies whole objects only"));
        let how = match force {
            Force::Yes => "force=true",
            Force::Rehearse => "force=true&dryRun=All",
        };
        let path = format!("{}?fieldManager={FIELD_MANAGER}&{how}", path(&target, kind));
        // JSON is YAML; servers before 1.33 take only this media type.
        let body = ("application/apply-patch+yaml", object);
        self.send("PATCH", &path, Some(body), format!("apply {target}")).await
    }

    /// Merges a JSON merge patch into an object, or into a subresource of it.
    ///
    /// # Errors
    /// The server did not answer, or refused: 409 if the patch names a resource
    /// version that is no longer the object's.
    pub async fn merge(&self, target: &Target, kind: &Kind, part: &str, patch: &Value) -> Result<Value, Error> {
        let path = format!("{}{part}?fieldManager={FIELD_MANAGER}", path(target, kind));
        let body = ("application/merge-patch+json", patch);
        self.send("PATCH", &path, Some(body), format!("write {target}")).await
    }

    /// Applies a JSON patch to an object.
    ///
    /// # Errors
    /// The server did not answer, or refused.
    pub async fn patch(&self, target: &Target, kind: &Kind, patch: &Value) -> Result<Value, Error> {
        let path = format!("{}?fieldManager={FIELD_MANAGER}", path(target, kind));
        self.send("PATCH", &path, Some(("application/json-patch+json", patch)), format!("write {target}")).await
    }

    /// Asks for the deletion of the very object that was seen. An object that
    /// is gone already, or another one by now, is not an error; one that the server
    /// does not let go is. Returns the object if something still holds it.
    ///
    /// # Errors
    /// The server did not answer, or refused.
    pub async fn delete(&self, target: &Target, kind: &Kind, uid: &str) -> Result<Option<Value>, Error> {
        let options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions",
            "preconditions": {"uid": uid}, "propagationPolicy": "Background",
        });
        let (path, body) = (path(target, kind), ("application/json", &options));
        match self.send("DELETE", &path, Some(body), format!("delete {target}")).await {
            Err(error) if error.is_absence() => Ok(None),
            // Another one stands there by now, or somebody does not let it go.
            Err(error) if error.code() == Some(409) => match self.look_for(target, kind).await? {
                Some(object) if object::uid(&object) == uid => Err(error),
                _ => Ok(None),
            },
            other => other.map(|answer| Some(answer).filter(object::is_being_deleted)),
        }
    }

    async fn send(&self, method: &str, path: &str, body: Option<(&str, &Value)>, what: String) -> Result<Value, Error> {
        self.exchange(Request::builder().method(method).uri(path), body, what).await
    }

    async fn exchange(
        &self,
        request: http::request::Builder,
        body: Option<(&str, &Value)>,
        what: String,
    ) -> Result<Value, Error> {
        let request = match body {
            Some((media_type, body)) => request.header(CONTENT_TYPE, media_type).body(body.to_string().into_bytes()),
            None => request.body(Vec::new()),
        };
        let request = request.map_err(|error| Error::of(what.clone(), kube::Error::HttpError(error)))?;
        match tokio::time::timeout(DEADLINE, self.client.request::<Value>(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Error::of(what, error)),
            Err(_) => Err(Error::TimedOut { what, seconds: DEADLINE.as_secs() }),
        }
    }
}

/// The path of an object in a server's URL space.
pub fn path(target: &Target, kind: &Kind) -> String {
    format!("{}/{}", collection(target, kind), target.name)
}

/// The path of the objects beside which one stands.
pub(super) fn collection(target: &Target, kind: &Kind) -> String {
    let version = target.kind.api_version();
    let root = if target.kind.group.is_empty() { "/api" } else { "/apis" };
    match target.namespace.as_str() {
        "" => format!("{root}/{version}/{}", kind.plural),
        namespace => format!("{root}/{version}/namespaces/{namespace}/{}", kind.plural),
    }
}

/// A text as the value of a query's parameter.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// That nothing is there is an answer.
fn found(answer: Result<Value, Error>) -> Result<Option<Value>, Error> {
    match answer {
        Ok(object) => Ok(Some(object)),
        Err(error) if error.code() == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use contract::Scope;
    use http::Response;

    use super::*;

    /// A server that gives these answers, one after the other, and what it is
    /// asked.
    fn server(answers: &[(u16, Value)]) -> (Cluster, Arc<Mutex<Vec<String>>>) {
        let (asked, mut answers) = (Arc::new(Mutex::new(Vec::new())), answers.to_vec());
        let log = Arc::clone(&asked);
        answers.reverse();
        let answers = Mutex::new(answers);
        let service = tower::service_fn(move |request: Request<Body>| {
            log.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
            let (status, body) = answers.lock().unwrap().pop().unwrap();
            let response = Response::builder().status(status).body(Body::from(body.to_string().into_bytes())).unwrap();
            async move { Ok::<_, tower::BoxError>(response) }
        });
        (Cluster::new(Client::new(service, "default")), asked)
    }

    fn refusal(code: u16, reason: &str, name: &str) -> (u16, Value) {
        let details = if name.is_empty() { json!({}) } else { json!({"name": name, "kind": "configmaps"}) };
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "no", "reason": reason,
            "details": details, "code": code,
        });
        (code, status)
    }

    fn target(name: &str) -> (Target, Kind) {
        let kind = Gvk { group: String::new(), version: "v1".into(), kind: "ConfigMap".into() };
        let address = Kind { plural: "configmaps".into(), scope: Scope::Namespaced };
        (Target { kind, namespace: "default".into(), name: name.into() }, address)
    }

    #[tokio::test]
    async fn only_an_object_that_is_not_there_any_more_is_gone() {
        let object = |uid: &str| (200, json!({"metadata": {"name": "a", "uid": uid}}));
        let gone = [
            vec![refusal(404, "NotFound", "a")],
            // Somebody made another one of that name meanwhile.
            vec![refusal(409, "Conflict", "a"), object("other")],
            vec![refusal(409, "Conflict", "a"), refusal(404, "NotFound", "a")],
        ];
        let there = [
            // The version is not served any more: nobody knows of the object.
            vec![refusal(404, "NotFound", "")],
            vec![(404, json!("404 page not found"))],
            // A webhook, say, does not let it go.
            vec![refusal(409, "Conflict", "a"), object("seen")],
            vec![refusal(409, "Conflict", "a"), refusal(403, "Forbidden", "a")],
        ];
        let (target, kind) = target("a");
        for (all, is_gone) in [(&gone[..], true), (&there[..], false)] {
            for answers in all {
                let deleted = server(answers).0.delete(&target, &kind, "seen").await;
                assert_eq!(matches!(deleted, Ok(None)), is_gone, "{answers:?}: {deleted:?}");
            }
        }
    }

    #[tokio::test]
    async fn one_object_with_a_label_is_enough() {
        let page =
            json!({"kind": "PartialObjectMetadataList", "items": [{"metadata": {"namespace": "b", "name": "a"}}]});
        let (cluster, asked) = server(&[(200, page), (200, json!({"items": []})), refusal(403, "Forbidden", "")]);
        let (place, kind) = target("a");
        let any = async || cluster.any_labelled(&place.kind, &kind, ("croft.run/instance", "u")).await;
        let found = any().await.unwrap().unwrap();
        assert_eq!(found, Target { namespace: "b".into(), ..place.clone() });
        assert_eq!(any().await.unwrap(), None);
        assert_eq!(any().await.unwrap_err().code(), Some(403));
        let path = "GET /api/v1/configmaps?labelSelector=croft.run%2Finstance%3Du&limit=1";
        assert_eq!(*asked.lock().unwrap(), [path; 3]);
    }

    #[tokio::test]
    async fn a_name_stays_one_parameter() {
        let (cluster, asked) = server(&[(201, json!({}))]);
        let (_, kind) = target("");
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a&dryRun=All"}});
        cluster.create(&object, &kind).await.unwrap();
        let expected = "POST /api/v1/configmaps?fieldManager=croft&fieldValidation=Strict&name=a%26dryRun%3DAll";
        assert_eq!(*asked.lock().unwrap(), [expected]);
    }
}
