//! What a server publishes of the schemas of its kinds, through a virtual
//! workspace or a workspace.
//!
//! It reads and remembers documents; what is in one is `schemas`' business, and
//! whom to ask is the caller's.

use std::collections::{BTreeSet, HashMap};

use contract::{Gvk, Schema};
use serde_json::Value;

use super::{Cluster, Error};
use host_core::schemas::Document;

/// The OpenAPI documents of one server. Each is fetched once, so that a look at
/// what has changed since takes another of these.
pub struct OpenApi {
    cluster: Cluster,
    /// The paths of all documents, once they were asked for.
    index: Option<BTreeSet<String>>,
    /// By path. `None` is a document that is not there.
    documents: HashMap<String, Option<Document>>,
}

impl OpenApi {
    /// Nothing is fetched yet.
    pub fn new(cluster: Cluster) -> OpenApi {
        OpenApi { cluster, index: None, documents: HashMap::new() }
    }

    /// The schema of a kind; `None` if the server publishes none.
    ///
    /// # Errors
    /// The server did not answer, or answered an error other than 404.
    pub async fn schema(&mut self, kind: &Gvk) -> Result<Option<Schema>, Error> {
        let path = path(kind);
        if let Some(document) = self.documents.get(&path) {
            return Ok(document.as_ref().and_then(|document| document.schema(kind)));
        }
        let document = self.fetch(&path).await?;
        let schema = document.as_ref().and_then(|document| document.schema(kind));
        self.documents.insert(path, document);
        Ok(schema)
    }

    /// The kind comes from a module. That the index has its path also means that
    /// it leads nowhere else.
    async fn fetch(&mut self, path: &str) -> Result<Option<Document>, Error> {
        let known = match &self.index {
            Some(index) => index.contains(path),
            None => {
                let index = self.cluster.find("/openapi/v3").await?.map(|index| paths(&index)).unwrap_or_default();
                self.index.insert(index).contains(path)
            }
        };
        if !known {
            return Ok(None);
        }
        Ok(self.cluster.find(&format!("/openapi/v3/{path}")).await?.and_then(Document::new))
    }
}

/// A document's place below the index. Where the index says that it is, with a
/// hash for caches, is not used: kcp leaves the workspace out of it.
fn path(kind: &Gvk) -> String {
    let root = if kind.group.is_empty() { "api" } else { "apis" };
    format!("{root}/{}", kind.api_version())
}

fn paths(index: &Value) -> BTreeSet<String> {
    index.get("paths").and_then(Value::as_object).into_iter().flat_map(|paths| paths.keys().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use http::{Request, Response};
    use kube::{Client, client::Body};
    use serde_json::json;

    use super::*;

    /// A server that has these documents, and the paths that it is asked for.
    fn server(documents: Value) -> (OpenApi, Arc<Mutex<Vec<String>>>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let service = tower::service_fn(move |request: Request<Body>| {
            let path = request.uri().path().to_owned();
            let (status, body) = match documents.get(&path) {
                Some(document) => (200, document.to_string()),
                None => (404, "404 page not found\n".to_owned()),
            };
            log.lock().unwrap().push(path);
            let response = Response::builder().status(status).body(Body::from(body.into_bytes())).unwrap();
            async move { Ok::<_, tower::BoxError>(response) }
        });
        (OpenApi::new(Cluster::new(Client::new(service, "default"))), asked)
    }

    fn lamp(version: &str) -> Gvk {
        Gvk { group: "example.org".into(), version: version.into(), kind: "Lamp".into() }
    }

    #[tokio::test]
    async fn a_document_is_fetched_once() {
        let kinds = json!([{"group": "example.org", "version": "v1", "kind": "Lamp"}]);
        let schema = json!({"type": "object", "x-kubernetes-group-version-kind": kinds});
        let document = json!({"openapi": "3.0.0", "components": {"schemas": {"Lamp": schema}}});
        let index = json!({"paths": {"apis/example.org/v1": {"serverRelativeURL": "/elsewhere"}}});
        let (mut server, asked) = server(json!({"/openapi/v3": index, "/openapi/v3/apis/example.org/v1": document}));
        for _ in 0..2 {
            let schema = server.schema(&lamp("v1")).await.unwrap().unwrap();
            assert_eq!(schema.openapi, json!({"type": "object"}));
            assert_eq!(server.schema(&lamp("v2")).await.unwrap(), None);
        }
        assert_eq!(*asked.lock().unwrap(), ["/openapi/v3", "/openapi/v3/apis/example.org/v1"]);
    }

    #[tokio::test]
    async fn a_server_without_documents_knows_nothing() {
        let (mut server, asked) = server(json!({}));
        assert_eq!(server.schema(&lamp("v1")).await.unwrap(), None);
        assert_eq!(server.schema(&lamp("../v1")).await.unwrap(), None);
        assert_eq!(*asked.lock().unwrap(), ["/openapi/v3"]);
    }
}
