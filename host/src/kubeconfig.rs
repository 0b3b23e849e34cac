//! Editing kubeconfig documents: adding the context by which kubectl and croft
//! reach an export's virtual workspace.
//!
//! It reads and writes no file and asks no server. Fields that it does not know
//! are kept.

use serde_json::{Value, json};

use host_core::fault::{Blame, Fault};

/// A context with all it needs, ready to be added to a kubeconfig.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    /// The name of the context, and of its cluster.
    pub name: String,
    /// The cluster: that of another context with another server.
    pub cluster: Value,
    /// The name of the user.
    pub user: String,
    /// The user's entry; `None` where the user is known already.
    pub credentials: Option<Value>,
}

/// A kubeconfig cannot be used as asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The document is something else.
    #[error("this is not a kubeconfig: {problem}")]
    NotKubeconfig {
        /// What is wrong.
        problem: String,
    },
    /// No context was named and none is current.
    #[error("the kubeconfig has no current context")]
    NoCurrentContext {
        /// The contexts it has.
        known: Vec<String>,
    },
    /// There is no such entry.
    #[error("the kubeconfig has no {what} `{name}`")]
    Unknown {
        /// `context`, `cluster` or `user`.
        what: &'static str,
        /// The name that was looked for.
        name: String,
        /// Those it has.
        known: Vec<String>,
    },
    /// There is another entry of that name.
    #[error("the kubeconfig has another {what} `{name}` already")]
    Taken {
        /// `context`, `cluster` or `user`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The URL is not that of a virtual workspace.
    #[error("`{url}` is not a virtual workspace of an APIExport")]
    NotVirtualWorkspace {
        /// The URL.
        url: String,
    },
}

impl Error {
    /// What would be right.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::NotKubeconfig { .. } => Some("name another file with `--kubeconfig`".into()),
            Error::NoCurrentContext { known } | Error::Unknown { what: "context", known, .. } if known.is_empty() => {
                Some("it has no contexts at all; name another file with `--kubeconfig`".into())
            }
            Error::NoCurrentContext { known } => Some(format!("name one with `--context`; there is {}", quoted(known))),
            Error::Unknown { known, .. } if known.is_empty() => None,
            Error::Unknown { known, .. } => Some(format!("there is {}", quoted(known))),
            Error::Taken { .. } => Some("choose another with `--name`, or replace it with `--force`".into()),
            Error::NotVirtualWorkspace { .. } => {
                Some("it looks like `https://HOST/services/apiexport/CLUSTER/EXPORT`".into())
            }
        }
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl Fault for Error {
    fn reason(&self) -> &'static str {
        match self {
            Error::NotKubeconfig { .. } => "NotKubeconfig",
            Error::NoCurrentContext { .. } => "NoCurrentContext",
            Error::Unknown { .. } => "UnknownEntry",
            Error::Taken { .. } => "NameTaken",
            Error::NotVirtualWorkspace { .. } => "NotVirtualWorkspace",
        }
    }

    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// The context `name` for a virtual workspace, made from another context (the
/// current one if `from` is `None`): same certificate authority, same user,
/// across all workspaces that bound the export.
///
/// # Errors
/// The other context is incomplete, or the URL is something else.
pub fn access(config: &Value, from: Option<&str>, name: &str, url: &str) -> Result<Access, Error> {
    let server = format!("{}/clusters/*", virtual_workspace(url)?);
    let context = context(config, from)?;
    let cluster_name = text(&context, "cluster");
    let mut cluster = look_up(config, "cluster", cluster_name)?;
    if !cluster.is_object() {
        return Err(Error::NotKubeconfig { problem: format!("the cluster `{cluster_name}` is not a mapping") });
    }
    cluster["server"] = server.into();
    let user = text(&context, "user").to_owned();
    let credentials = look_up(config, "user", &user)?;
    Ok(Access { name: name.to_owned(), cluster, user, credentials: Some(credentials) })
}

/// The document with the context, its cluster and its user added; `None` if it
/// has them already. The context becomes the current one only where there was
/// none at all.
///
/// # Errors
/// An entry of that name says something else, and `force` is not set.
pub fn with_context(document: &Value, access: &Access, force: bool) -> Result<Option<Value>, Error> {
    let mut changed = match document {
        Value::Null => json!({}),
        document => document.clone(),
    };
    check(&changed)?;
    let no_contexts = entries(&changed, "context").next().is_none();
    put(&mut changed, "cluster", &access.name, &access.cluster, force)?;
    if let Some(credentials) = &access.credentials {
        put(&mut changed, "user", &access.user, credentials, force)?;
    }
    let context = json!({"cluster": access.name, "user": access.user});
    put(&mut changed, "context", &access.name, &context, force)?;
    if no_contexts && text(&changed, "current-context").is_empty() {
        changed["current-context"] = access.name.as_str().into();
    }
    for (field, value) in [("apiVersion", "v1"), ("kind", "Config")] {
        if changed.get(field).is_none() {
            changed[field] = value.into();
        }
    }
    Ok((changed != *document).then_some(changed))
}

/// What several kubeconfig files amount to: the first that has an entry, or a
/// current context, wins.
pub fn merged<'a>(documents: impl IntoIterator<Item = &'a Value>) -> Result<Value, Error> {
    let mut merged = json!({});
    for document in documents.into_iter().filter(|document| !document.is_null()) {
        check(document)?;
        for what in ["cluster", "user", "context"] {
            for (name, entry) in entries(document, what) {
                if find(&merged, what, name).is_none() {
                    put(&mut merged, what, name, entry, false)?;
                }
            }
        }
        if text(&merged, "current-context").is_empty() && !text(document, "current-context").is_empty() {
            merged["current-context"] = document["current-context"].clone();
        }
    }
    Ok(merged)
}

/// Whether the document has a cluster, user or context of that name.
pub fn has(document: &Value, what: &'static str, name: &str) -> bool {
    find(document, what, name).is_some()
}

/// The URL of an export's virtual workspace, without the part that says which
/// workspaces to look at.
///
/// # Errors
/// The URL is something else.
pub fn virtual_workspace(url: &str) -> Result<String, Error> {
    let wrong = || Error::NotVirtualWorkspace { url: url.to_owned() };
    let (scheme, rest) = url.trim().split_once("://").ok_or_else(wrong)?;
    let (host, path) = rest.split_once("/services/apiexport/").ok_or_else(wrong)?;
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let plain = |text: &str| !text.is_empty() && !text.contains(['?', '#', '*', ' ']);
    match segments.as_slice() {
        [cluster, export] | [cluster, export, "clusters", _]
            if matches!(scheme, "https" | "http") && [host, cluster, export].into_iter().all(plain) =>
        {
            Ok(format!("{scheme}://{host}/services/apiexport/{cluster}/{export}"))
        }
        _ => Err(wrong()),
    }
}

/// Makes the files that a document names by relative paths independent of where
/// the document is: `absolute` answers a path's absolute form.
pub fn rebase(document: &mut Value, absolute: impl Fn(&str) -> String) {
    const FILES: [(&str, &str); 4] = [
        ("cluster", "certificate-authority"),
        ("user", "client-certificate"),
        ("user", "client-key"),
        ("user", "tokenFile"),
    ];
    for (what, field) in FILES {
        let list = document.get_mut(format!("{what}s")).and_then(Value::as_array_mut);
        for entry in list.into_iter().flatten() {
            if let Some(Value::String(path)) = entry.get_mut(what).and_then(|entry| entry.get_mut(field))
                && !path.is_empty()
            {
                *path = absolute(path);
            }
        }
    }
}

fn context(config: &Value, name: Option<&str>) -> Result<Value, Error> {
    let current = text(config, "current-context");
    match name.unwrap_or(current) {
        "" => Err(Error::NoCurrentContext { known: names(config, "context") }),
        name => look_up(config, "context", name),
    }
}

fn check(document: &Value) -> Result<(), Error> {
    let wrong = |problem: String| Err(Error::NotKubeconfig { problem });
    if !document.is_object() {
        return wrong("it is not a mapping".into());
    }
    match document.get("kind").and_then(Value::as_str) {
        None | Some("Config") => {}
        Some(kind) => return wrong(format!("its kind is `{kind}`, not `Config`")),
    }
    for field in ["clusters", "users", "contexts"] {
        match document.get(field) {
            None | Some(Value::Null | Value::Array(_)) => {}
            Some(_) => return wrong(format!("`{field}` is not a list")),
        }
    }
    Ok(())
}

fn look_up(config: &Value, what: &'static str, name: &str) -> Result<Value, Error> {
    let unknown = || Error::Unknown { what, name: name.to_owned(), known: names(config, what) };
    find(config, what, name).cloned().ok_or_else(unknown)
}

fn names(config: &Value, what: &str) -> Vec<String> {
    entries(config, what).map(|(name, _)| name.to_owned()).collect()
}

fn find<'a>(config: &'a Value, what: &'a str, name: &str) -> Option<&'a Value> {
    entries(config, what).find(|(known, _)| *known == name).map(|(_, entry)| entry)
}

/// The named entries of a list: `{name: …, cluster: {…}}` under `clusters`.
fn entries<'a>(config: &'a Value, what: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let list = config.get(format!("{what}s")).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(move |entry| Some((entry.get("name")?.as_str()?, entry.get(what)?)))
}

fn put(config: &mut Value, what: &'static str, name: &str, entry: &Value, force: bool) -> Result<(), Error> {
    match find(config, what, name) {
        Some(same) if same == entry => return Ok(()),
        Some(_) if !force => return Err(Error::Taken { what, name: name.to_owned() }),
        _ => {}
    }
    let list = &mut config[format!("{what}s")];
    if !list.is_array() {
        *list = json!([]);
    }
    let Some(list) = list.as_array_mut() else { return Ok(()) };
    list.retain(|known| known.get("name").and_then(Value::as_str) != Some(name));
    list.push(json!({"name": name, what: entry}));
    Ok(())
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://h:6443/services/apiexport/128nz/somethings.kro.run";

    fn config() -> Value {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "team", "preferences": {"colors": true},
            "clusters": [{"name": "kcp", "cluster": {"server": "https://h:6443/clusters/root:p", "certificate-authority-data": "Q0E="}}],
            "users": [{"name": "admin", "user": {"token": "t"}, "x": 1}],
            "contexts": [{"name": "team", "context": {"cluster": "kcp", "user": "admin", "namespace": "n"}}],
        })
    }

    fn refusal(result: Result<impl std::fmt::Debug, Error>) -> String {
        let error = result.unwrap_err();
        format!("{error} / {}", error.hint().unwrap_or_default())
    }

    #[test]
    fn the_context_is_the_one_that_was_made_by_hand() {
        let access = access(&config(), None, "kro-vw", URL).unwrap();
        let changed = with_context(&config(), &access, false).unwrap().unwrap();
        let mut expected = config();
        expected["clusters"].as_array_mut().unwrap().push(json!({"name": "kro-vw", "cluster": {
            "server": format!("{URL}/clusters/*"), "certificate-authority-data": "Q0E=",
        }}));
        expected["contexts"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "kro-vw", "context": {"cluster": "kro-vw", "user": "admin"}}));
        assert_eq!(changed, expected);
        assert_eq!(with_context(&changed, &access, false).unwrap(), None);
    }

    #[test]
    fn an_entry_that_says_something_else_is_never_overwritten_unasked() {
        let first = access(&config(), None, "vw", URL).unwrap();
        let second = access(&config(), Some("team"), "vw", &URL.replace("128nz", "other")).unwrap();
        let document = with_context(&config(), &first, false).unwrap().unwrap();
        let said = refusal(with_context(&document, &second, false));
        assert!(
            said.starts_with("the kubeconfig has another cluster `vw` already") && said.contains("--force"),
            "{said}"
        );
        let forced = with_context(&document, &second, true).unwrap().unwrap();
        assert_eq!(forced["clusters"].as_array().unwrap().len(), 2);
        assert_eq!(find(&forced, "cluster", "vw"), Some(&second.cluster));
    }

    #[test]
    fn an_empty_file_becomes_a_kubeconfig_of_its_own() {
        let access = access(&config(), None, "vw", URL).unwrap();
        let document = with_context(&Value::Null, &access, false).unwrap().unwrap();
        assert_eq!(document["current-context"], "vw");
        assert_eq!(document["users"], json!([{"name": "admin", "user": {"token": "t"}}]));
    }

    #[test]
    fn a_context_that_is_not_there_is_refused_with_those_that_are() {
        let said = refusal(access(&config(), Some("tema"), "vw", URL));
        assert_eq!(said, "the kubeconfig has no context `tema` / there is `team`");
        let mut config = config();
        config["current-context"] = "".into();
        assert!(refusal(access(&config, None, "vw", URL)).contains("name one with `--context`"));
        config["contexts"][0]["context"]["cluster"] = "gone".into();
        assert!(refusal(access(&config, Some("team"), "vw", URL)).starts_with("the kubeconfig has no cluster `gone`"));
    }

    #[test]
    fn what_is_no_kubeconfig_is_left_alone() {
        let access = access(&config(), None, "vw", URL).unwrap();
        for document in [json!([]), json!({"kind": "ConfigMap"}), json!({"clusters": {}})] {
            assert!(
                refusal(with_context(&document, &access, true)).starts_with("this is not a kubeconfig"),
                "{document}"
            );
        }
    }

    #[test]
    fn both_forms_of_a_virtual_workspaces_url_are_taken_and_no_others() {
        for url in [URL.to_owned(), format!("{URL}/"), format!("{URL}/clusters/*"), format!("{URL}/clusters/root:a/")] {
            assert_eq!(virtual_workspace(&url).unwrap(), URL, "{url}");
        }
        for url in [
            "",
            "https://h/clusters/root",
            "h/services/apiexport/a/b",
            &format!("{URL}/x"),
            "ftp://h/services/apiexport/a/b",
            "https://h/services/apiexport/a",
        ] {
            assert!(virtual_workspace(url).is_err(), "{url}");
        }
    }

    #[test]
    fn of_several_files_the_first_that_has_an_entry_wins() {
        let mut other = config();
        other["current-context"] = "x".into();
        other["users"][0] = json!({"name": "admin", "user": {"token": "other"}});
        other["clusters"][0]["name"] = "second".into();
        let merged = merged([&Value::Null, &config(), &other]).unwrap();
        assert_eq!(find(&merged, "user", "admin"), Some(&json!({"token": "t"})));
        assert!(has(&merged, "cluster", "kcp") && has(&merged, "cluster", "second"));
        assert_eq!(merged["current-context"], "team");
    }

    #[test]
    fn files_named_by_relative_paths_are_found_from_anywhere() {
        let mut config = json!({"clusters": [{"name": "a", "cluster": {"certificate-authority": "ca.crt"}}],
            "users": [{"name": "u", "user": {"client-key": "k", "client-certificate": ""}}]});
        rebase(&mut config, |path| format!("/home/{path}"));
        assert_eq!(config["clusters"][0]["cluster"]["certificate-authority"], "/home/ca.crt");
        assert_eq!(config["users"][0]["user"], json!({"client-key": "/home/k", "client-certificate": ""}));
    }
}
