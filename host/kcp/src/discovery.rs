//! What a server says that it serves: its index of group versions, and the
//! resources of each.
//!
//! The kinds that it is asked for come from modules and from records that tenants
//! write. So nothing is asked for that the index does not list, and what was not
//! answered is not taken for absent.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use contract::{Gvk, shape};
use host_core::{
    kinds::{self, Kind},
    object,
};
use serde_json::Value;

use super::{Cluster, Error};

/// What one server serves, as it last said.
pub struct Discovery {
    cluster: Cluster,
    /// How long an answer is good for.
    fresh: Duration,
    versions: Option<(Instant, BTreeSet<String>)>,
    resources: HashMap<String, (Instant, Value)>,
}

impl Discovery {
    /// Nothing is asked for yet, and each answer is good for so long.
    pub fn new(cluster: Cluster, fresh: Duration) -> Discovery {
        Discovery { cluster, fresh, versions: None, resources: HashMap::new() }
    }

    /// How a kind is addressed; `None` if the server does not serve it. Kinds of the
    /// group without a name are not in the index.
    ///
    /// # Errors
    /// The server did not answer, or refused.
    pub async fn address(&mut self, kind: &Gvk) -> Result<Option<Kind>, Error> {
        let version = kind.api_version();
        if kind.group.is_empty() || !shape::is_kind(kind) || !self.versions().await?.contains(&version) {
            return Ok(None);
        }
        let found = kinds::discovered(self.resources(version).await?, &kind.kind);
        Ok(found.filter(|found| shape::is_plural(&found.plural)))
    }

    /// The group versions that the server has.
    async fn versions(&mut self) -> Result<&BTreeSet<String>, Error> {
        let fresh = self.fresh;
        let known = self.versions.take().filter(|(since, _)| since.elapsed() < fresh);
        let versions = match known {
            Some(known) => known,
            None => {
                let index = self.cluster.read("/apis").await?;
                self.resources.retain(|_, (since, _)| since.elapsed() < fresh);
                (Instant::now(), versions(&index))
            }
        };
        Ok(&self.versions.insert(versions).1)
    }

    /// What the server lists of a group version.
    async fn resources(&mut self, version: String) -> Result<&Value, Error> {
        if self.resources.get(&version).is_none_or(|(since, _)| since.elapsed() >= self.fresh) {
            let list = self.cluster.find(&format!("/apis/{version}")).await?.unwrap_or_default();
            self.resources.insert(version.clone(), (Instant::now(), list));
        }
        Ok(self.resources.get(&version).map_or(&Value::Null, |(_, list)| list))
    }
}

fn versions(index: &Value) -> BTreeSet<String> {
    let groups = index["groups"].as_array().into_iter().flatten();
    let versions = groups.flat_map(|group| group["versions"].as_array().into_iter().flatten());
    versions.map(|version| object::text(version, "/groupVersion").to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use contract::Scope;
    use http::{Request, Response};
    use kube::{Client, client::Body};
    use serde_json::json;

    use super::*;

    type Asked = Arc<Mutex<Vec<String>>>;

    /// A server that has lamps, and fails so many times first.
    fn server(failures: usize, fresh: Duration) -> (Discovery, Asked) {
        let (asked, failures) = (Asked::default(), Mutex::new(failures));
        let log = Arc::clone(&asked);
        let service = tower::service_fn(move |request: Request<Body>| {
            let path = request.uri().path().to_owned();
            let mut left = failures.lock().unwrap();
            let (status, body) = match path.as_str() {
                _ if *left > 0 => (503, json!({})),
                "/apis" => (200, json!({"groups": [{"versions": [{"groupVersion": "example.org/v1"}]}]})),
                "/apis/example.org/v1" => {
                    (200, json!({"resources": [{"name": "lamps", "kind": "Lamp", "namespaced": true}]}))
                }
                _ => (404, json!({})),
            };
            *left = left.saturating_sub(1);
            log.lock().unwrap().push(path);
            let response = Response::builder().status(status).body(Body::from(body.to_string().into_bytes())).unwrap();
            async move { Ok::<_, tower::BoxError>(response) }
        });
        (Discovery::new(Cluster::new(Client::new(service, "default")), fresh), asked)
    }

    fn gvk(group: &str, version: &str, kind: &str) -> Gvk {
        Gvk { group: group.into(), version: version.into(), kind: kind.into() }
    }

    const LONG: Duration = Duration::from_secs(600);

    #[tokio::test]
    async fn nothing_is_asked_for_that_the_index_does_not_list() {
        let (mut server, asked) = server(0, LONG);
        let lamp = Kind { plural: "lamps".into(), scope: Scope::Namespaced };
        assert_eq!(server.address(&gvk("example.org", "v1", "Lamp")).await.unwrap(), Some(lamp));
        for (group, version, kind) in [
            ("example.org", "v1", "Bulb"),
            ("example.org", "v2", "Lamp"),
            ("forged.org", "v1", "Lamp"),
            ("example.org", "v1/../../../api", "Lamp"),
            ("example.org", "v1?watch=true", "Lamp"),
            ("", "v1", "Lamp"),
        ] {
            assert_eq!(server.address(&gvk(group, version, kind)).await.unwrap(), None, "{group}/{version} {kind}");
        }
        assert_eq!(*asked.lock().unwrap(), ["/apis", "/apis/example.org/v1"]);
    }

    #[tokio::test]
    async fn what_was_not_answered_is_asked_for_again() {
        let (mut server, asked) = server(2, LONG);
        let lamp = gvk("example.org", "v1", "Lamp");
        assert!(server.address(&lamp).await.is_err() && server.address(&lamp).await.is_err());
        assert!(server.address(&lamp).await.unwrap().is_some());
        assert_eq!(asked.lock().unwrap().len(), 4);
    }

    #[tokio::test]
    async fn an_answer_gets_old() {
        let (mut server, asked) = server(0, Duration::ZERO);
        for _ in 0..2 {
            assert!(server.address(&gvk("example.org", "v1", "Lamp")).await.unwrap().is_some());
        }
        assert_eq!(asked.lock().unwrap().len(), 4);
    }
}
