//! The few questions that the harness asks kcp, with the credentials of the
//! kubeconfig that kcp writes.
//!
//! It reads that one file and no other kubeconfig: client-go writes it with one
//! key a line, so lines are enough and no YAML parser is needed.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use ureq::{
    Agent,
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};

/// A client of kcp as its administrator.
pub(crate) struct Api {
    agent: Agent,
    base_url: String,
    authorization: String,
}

impl Api {
    /// Reads the kubeconfig that `kcp start` wrote.
    pub(crate) fn of(kubeconfig: &Path, base_url: String) -> Result<Api> {
        let text = fs::read_to_string(kubeconfig).with_context(|| format!("cannot read `{}`", kubeconfig.display()))?;
        let authority = value(&text, "certificate-authority-data").context("kcp wrote a kubeconfig without a CA")?;
        let authority = BASE64_STANDARD.decode(authority).context("kcp wrote a CA that is no base64")?;
        let authorities = certificates(&authority).context("kcp wrote a CA that is no certificate")?;
        let token = value(&text, "token").context("kcp wrote a kubeconfig without a token")?;
        let tls = TlsConfig::builder().root_certs(RootCerts::from(authorities)).build();
        // 5 s: kcp on loopback answers in milliseconds or not at all.
        let config = Agent::config_builder().tls_config(tls).timeout_global(Some(Duration::from_secs(5)));
        let agent = config.http_status_as_error(false).build().into();
        Ok(Api { agent, base_url, authorization: format!("Bearer {token}") })
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
        serde_json::from_str(&self.get(path)?).with_context(|| format!("`{path}` answered no JSON"))
    }

    fn get(&self, path: &str) -> Result<String> {
        let url = format!("{}{path}", self.base_url);
        let mut response = self
            .agent
            .get(&url)
            .header("Authorization", &self.authorization)
            .call()
            .with_context(|| format!("cannot ask `{url}`"))?;
        ensure!(response.status().is_success(), "`{path}` answered {}", response.status());
        response.body_mut().read_to_string().with_context(|| format!("cannot read the answer of `{path}`"))
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
