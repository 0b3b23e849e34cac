//! Requests to kcp with the credentials of the kubeconfig that kcp writes: what
//! the harness and the tests ask it, object by object.
//!
//! It reads that one file and no other kubeconfig: client-go writes it with one
//! key a line, so lines are enough and no YAML parser is needed.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use ureq::{
    Agent,
    http::Request,
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};

/// A client of kcp as its administrator. Paths begin with `/`, such as
/// `/clusters/root/api/v1/namespaces`.
#[derive(Clone, Debug)]
pub struct Api {
    agent: Agent,
    base_url: String,
    token: String,
    authority: Vec<Certificate<'static>>,
}

impl Api {
    /// Reads the kubeconfig that `kcp start` wrote.
    pub(crate) fn of(kubeconfig: &Path, base_url: String) -> Result<Api> {
        let text = fs::read_to_string(kubeconfig).with_context(|| format!("cannot read `{}`", kubeconfig.display()))?;
        let authority = value(&text, "certificate-authority-data").context("kcp wrote a kubeconfig without a CA")?;
        let authority = BASE64_STANDARD.decode(authority).context("kcp wrote a CA that is not base64")?;
        let authorities = certificates(&authority).context("kcp wrote a CA that is not a certificate")?;
        let token = value(&text, "token").context("kcp wrote a kubeconfig without a token")?;
        let tls = TlsConfig::builder().root_certs(RootCerts::from(authorities.clone())).build();
        // 10 s: kcp on loopback answers in milliseconds, on a busy machine in
        // seconds, or not at all.
        let config = Agent::config_builder().tls_config(tls).timeout_global(Some(Duration::from_secs(10)));
        let agent = config.http_status_as_error(false).allow_non_standard_methods(true).build().into();
        Ok(Api { agent, base_url, token: token.to_owned(), authority: authorities })
    }

    /// The administrator's bearer token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The certificates that kcp's own is signed by, DER-encoded.
    pub(crate) fn authority(&self) -> impl Iterator<Item = &[u8]> {
        self.authority.iter().map(Certificate::der)
    }

    /// Reads an object or a list; `None` if there is none.
    pub fn find(&self, path: &str) -> Result<Option<Value>> {
        match self.request("GET", path, "", "")? {
            (200, object) => Ok(Some(object)),
            (404, _) => Ok(None),
            (code, answer) => bail!("GET `{path}` answered {code}: {answer}"),
        }
    }

    /// Applies an object with server-side apply.
    pub fn apply(&self, path: &str, object: &Value) -> Result<Value> {
        let path = format!("{path}?fieldManager=test&force=true");
        self.done("PATCH", &path, "application/apply-patch+yaml", object)
    }

    /// Merges a JSON merge patch into an object.
    pub fn merge(&self, path: &str, patch: &Value) -> Result<Value> {
        self.done("PATCH", path, "application/merge-patch+json", patch)
    }

    /// Applies a JSON patch to an object.
    pub fn patch(&self, path: &str, patch: &Value) -> Result<Value> {
        self.done("PATCH", path, "application/json-patch+json", patch)
    }

    /// Asks for an object's deletion; one that is gone already is not an error.
    pub fn delete(&self, path: &str) -> Result<()> {
        match self.request("DELETE", path, "", "")? {
            (200 | 202 | 404, _) => Ok(()),
            (code, answer) => bail!("DELETE `{path}` answered {code}: {answer}"),
        }
    }

    fn done(&self, method: &str, path: &str, media_type: &str, body: &Value) -> Result<Value> {
        match self.request(method, path, media_type, &body.to_string())? {
            (200 | 201, object) => Ok(object),
            (code, answer) => bail!("{method} `{path}` answered {code}: {answer}"),
        }
    }

    /// Sends anything, and answers with the status and the JSON that came back
    /// (text that is not JSON as a string).
    pub fn request(&self, method: &str, path: &str, media_type: &str, body: &str) -> Result<(u16, Value)> {
        let url = format!("{}{path}", self.base_url);
        let mut request =
            Request::builder().method(method).uri(&url).header("Authorization", format!("Bearer {}", self.token));
        if !media_type.is_empty() {
            request = request.header("Content-Type", media_type);
        }
        let request = request.body(body.to_owned()).with_context(|| format!("`{path}` is not a path"))?;
        let mut response = self.agent.run(request).with_context(|| format!("cannot ask `{url}`"))?;
        let text =
            response.body_mut().read_to_string().with_context(|| format!("cannot read the answer of `{path}`"))?;
        let json = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok((response.status().as_u16(), json))
    }

    /// Whether everything is there that a test starts with: the server itself,
    /// and in the root workspace the types and the exports of its API.
    pub(crate) fn ready(&self) -> Result<()> {
        self.get("/readyz")?;
        for name in ["organization", "universal"] {
            let path = format!("/clusters/root/apis/tenancy.kcp.io/v1alpha1/workspacetypes/{name}");
            ensure!(holds(&self.object(&path)?, "Ready"), "the workspace type `{name}` is not ready");
        }
        for name in ["tenancy.kcp.io", "topology.kcp.io"] {
            let path = format!("/clusters/root/apis/apis.kcp.io/v1alpha2/apiexports/{name}");
            ensure!(holds(&self.object(&path)?, "IdentityValid"), "the export `{name}` has no identity");
        }
        Ok(())
    }

    fn object(&self, path: &str) -> Result<Value> {
        self.find(path)?.with_context(|| format!("there is no `{path}` yet"))
    }

    fn get(&self, path: &str) -> Result<()> {
        let (code, answer) = self.request("GET", path, "", "")?;
        ensure!(code == 200, "`{path}` answered {code}: {answer}");
        Ok(())
    }
}

/// All of them: kcp puts its own certificate first and the CA that signed it
/// second.
fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>> {
    let mut found = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(certificate) = item? {
            found.push(certificate);
        }
    }
    ensure!(!found.is_empty(), "there is no certificate in it");
    Ok(found)
}

/// Whether an object has a condition that is true.
fn holds(object: &Value, condition: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions.is_some_and(|all| all.iter().any(|one| one["type"] == condition && one["status"] == "True"))
}

/// The first value of a key in a kubeconfig.
fn value<'a>(kubeconfig: &'a str, key: &str) -> Option<&'a str> {
    let mut lines = kubeconfig.lines().map(|line| line.trim_start_matches([' ', '-']));
    lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn credentials_are_read_from_kcps_kubeconfig() {
        let text = "clusters:\n- cluster:\n    certificate-authority-data: QUJD\nusers:\n- name: token\n  user:\n    token: t1\n";
        assert_eq!(value(text, "certificate-authority-data"), Some("QUJD"));
        assert_eq!(value(text, "token"), Some("t1"));
        assert_eq!(value(text, "password"), None);
    }

    #[test]
    fn a_ca_without_certificates_is_refused() {
        assert!(certificates(b"nothing").is_err());
    }

    #[test]
    fn only_a_true_condition_holds() {
        let object =
            json!({"status": {"conditions": [{"type": "A", "status": "True"}, {"type": "B", "status": "False"}]}});
        assert!(holds(&object, "A"));
        assert!(!holds(&object, "B"));
        assert!(!holds(&json!({}), "A"));
    }
}
