//! From a kubeconfig to a server that requests can be sent to.

use std::path::{Path, PathBuf};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use super::Cluster;

/// A server and credentials, as one context of a kubeconfig names them.
#[derive(Clone, Debug)]
pub struct Connection {
    config: Config,
    context: String,
}

/// A kubeconfig that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none, or it is malformed.
    #[error("cannot read the kubeconfig{}", place(.path.as_deref()))]
    Read {
        /// Where it was looked for; `None` if in the usual places.
        path: Option<PathBuf>,
        /// What is wrong with it.
        #[source]
        source: Box<kube::config::KubeconfigError>,
    },
    /// It has no such context.
    #[error("the kubeconfig has no context `{context}`; it has {known}")]
    NoSuchContext {
        /// The name asked for.
        context: String,
        /// The names that it has.
        known: String,
    },
    /// It names no current context.
    #[error("the kubeconfig has no current context; name one with `--context`")]
    NoCurrentContext,
    /// The context cannot be turned into a client.
    #[error("cannot use the context `{context}`")]
    Use {
        /// Its name.
        context: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

fn place(path: Option<&Path>) -> String {
    path.map(|path| format!(" `{}`", path.display())).unwrap_or_default()
}

impl Connection {
    /// Reads a context: from the file given, or else from `$KUBECONFIG` or
    /// `~/.kube/config`; the current one if none is named.
    ///
    /// # Errors
    /// The kubeconfig, the context or its credentials cannot be used.
    pub async fn open(kubeconfig: Option<&Path>, context: Option<&str>) -> Result<Connection, Error> {
        let all = read(kubeconfig)?;
        let context = context.map(str::to_owned).or_else(|| all.current_context.clone());
        let context = context.filter(|name| !name.is_empty()).ok_or(Error::NoCurrentContext)?;
        if !all.contexts.iter().any(|known| known.name == context) {
            let known: Vec<String> = all.contexts.iter().map(|known| format!("`{}`", known.name)).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(Error::NoSuchContext { context, known });
        }
        let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
        match Config::from_custom_kubeconfig(all, &options).await {
            Ok(config) => Ok(Connection { config, context }),
            Err(source) => Err(Error::Use { context, source: source.into() }),
        }
    }

    /// The context's name.
    pub fn context(&self) -> &str {
        &self.context
    }

    /// The server's URL, without a slash at its end.
    pub fn server(&self) -> String {
        self.config.cluster_url.to_string().trim_end_matches('/').to_owned()
    }

    /// The path of the workspace that the context points at, such as
    /// `root:provider:team`; `None` if it points elsewhere.
    pub fn workspace(&self) -> Option<String> {
        let server = self.server();
        let (base, path) = server.rsplit_once("/clusters/")?;
        (!base.contains("/services/") && !path.contains('/') && path != "*").then(|| path.to_owned())
    }

    /// Another workspace of the same server; `None` if the context does not
    /// point at a workspace.
    ///
    /// # Errors
    /// The path makes no URL, or the client cannot be made.
    pub fn beside(&self, workspace: &str) -> Result<Option<Cluster>, Error> {
        if self.workspace().is_none() {
            return Ok(None);
        }
        let server = self.server();
        let base = server.rsplit_once("/clusters/").map_or(server.as_str(), |(base, _)| base);
        Ok(Some(Cluster::new(self.client(&format!("{base}/clusters/{workspace}"))?)))
    }

    /// The same server and credentials with another URL.
    ///
    /// # Errors
    /// The text is not a URL, or the client cannot be made.
    pub fn client(&self, server: &str) -> Result<Client, Error> {
        let failed =
            |source: Box<dyn std::error::Error + Send + Sync>| Error::Use { context: self.context.clone(), source };
        let mut config = self.config.clone();
        config.cluster_url = server.parse().map_err(|error: http::uri::InvalidUri| failed(error.into()))?;
        Client::try_from(config).map_err(|error| failed(error.into()))
    }

    /// A workspace by its URL.
    ///
    /// # Errors
    /// The text is not a URL, or the client cannot be made.
    pub fn cluster_at(&self, url: &str) -> Result<Cluster, Error> {
        Ok(Cluster::new(self.client(url)?))
    }

    /// What the context itself points at.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn cluster(&self) -> Result<Cluster, Error> {
        Ok(Cluster::new(self.client(&self.server())?))
    }
}

fn read(path: Option<&Path>) -> Result<Kubeconfig, Error> {
    let result = match path {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    result.map_err(|source| Error::Read { path: path.map(Path::to_owned), source: Box::new(source) })
}
