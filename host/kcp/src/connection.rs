//! From a kubeconfig to a server that requests can be sent to, also when its
//! credentials are others by then.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use host_core::name::Digest;
use http::{Request, StatusCode};
use kube::{
    Client, Config,
    client::Body,
    config::{KubeConfigOptions, Kubeconfig},
};

use super::{Cluster, watch::pause};

/// How often the files of credentials are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// The longest pause between two runs of a plugin whose credentials are refused:
/// what it gives may not be good before somebody does something about it.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A server and credentials, as one context of a kubeconfig names them.
#[derive(Clone, Debug)]
pub struct Connection {
    config: Arc<Config>,
    context: String,
    /// The kubeconfig, if one was named.
    kubeconfig: Option<PathBuf>,
    clients: Arc<Clients>,
}

/// The clients that were made: they get new credentials.
#[derive(Default)]
struct Clients {
    made: Mutex<Vec<Weak<Current>>>,
    /// Whether a server did not take the credentials of one, or the connection.
    refused: AtomicBool,
    /// The credentials of now, if they are not those that the connection began with.
    renewed: RwLock<Option<Arc<Config>>>,
}

/// A client as it is at the moment, and its server.
struct Current {
    server: http::Uri,
    client: RwLock<Client>,
}

/// The files that credentials are in, and what they said last.
type Files = Vec<(PathBuf, Option<Digest>)>;

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clients").field(&self.lock().len()).finish()
    }
}

impl Clients {
    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Current>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    fn client(&self) -> Client {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
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
        let config = Arc::new(config(all, &context).await?);
        Ok(Connection { config, context, kubeconfig: kubeconfig.map(Path::to_owned), clients: Arc::default() })
    }

    /// Has every client that was made use new credentials as soon as there are any
    /// in the kubeconfig, or in the files that it names, and those that a plugin gives
    /// where the ones before are refused. It goes on for ever.
    pub async fn follow(&self) {
        self.follow_every(LOOK).await;
    }

    async fn follow_every(&self, look: Duration) {
        let mut before = self.files();
        let (mut due, mut attempts) = (Instant::now(), 0);
        loop {
            tokio::time::sleep(look).await;
            let now = self.files();
            // A plugin's token has a time to live, by which kube renews it. Its
            // certificate, and a token without one, live until a server says no.
            let refused = Instant::now() >= due && self.clients.refused.swap(false, Ordering::SeqCst);
            if refused && self.has_plugin() {
                due = Instant::now() + pause(attempts, look, LONGEST_PAUSE);
                attempts += 1;
            } else if now == before {
                attempts = if Instant::now() >= due { 0 } else { attempts };
                continue;
            }
            match self.refresh().await {
                Ok(()) => tracing::info!(context = self.context, "the credentials changed"),
                Err(error) => {
                    // It may be half-written: what is there now is looked at again.
                    tracing::warn!(error = host_core::status::chain(&error), "cannot use the changed credentials");
                    continue;
                }
            }
            before = now;
        }
    }

    /// Reads the context again and gives what it says to the clients.
    async fn refresh(&self) -> Result<(), Error> {
        let config = Arc::new(config(read(self.kubeconfig.as_deref())?, &self.context).await?);
        // First: a client that is made meanwhile is among these, or sees it.
        *self.clients.renewed.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&config));
        let current: Vec<Arc<Current>> = {
            let mut all = self.clients.lock();
            all.retain(|client| client.strong_count() > 0);
            all.iter().filter_map(Weak::upgrade).collect()
        };
        // A plugin is a program that runs until it has an answer.
        let this = self.clone();
        let making = move || -> Result<(), Error> {
            for current in current {
                let client = this.make(&config, &current.server)?;
                *current.client.write().unwrap_or_else(PoisonError::into_inner) = client;
            }
            Ok(())
        };
        tokio::task::spawn_blocking(making).await.map_err(|error| self.failed(error.into()))?
    }

    /// Whether the credentials come from a program.
    fn has_plugin(&self) -> bool {
        self.credentials().auth_info.exec.is_some()
    }

    fn credentials(&self) -> Arc<Config> {
        let renewed = self.clients.renewed.read().unwrap_or_else(PoisonError::into_inner).clone();
        renewed.unwrap_or_else(|| Arc::clone(&self.config))
    }

    /// The files that hold the credentials of the context, and what its server is
    /// recognized by.
    fn files(&self) -> Files {
        let mut paths = match &self.kubeconfig {
            Some(path) => vec![path.clone()],
            None => usual_paths().unwrap_or_default(),
        };
        if let Ok(all) = read(self.kubeconfig.as_deref()) {
            let context = all.contexts.iter().find(|known| known.name == self.context);
            let context = context.and_then(|known| known.context.as_ref());
            let users =
                all.auth_infos.iter().filter(|known| context.is_some_and(|of| of.user.as_ref() == Some(&known.name)));
            let users = users.filter_map(|known| known.auth_info.as_ref());
            let clusters = all.clusters.iter().filter(|known| context.is_some_and(|of| of.cluster == known.name));
            let clusters = clusters.filter_map(|known| known.cluster.as_ref());
            let named = users
                .flat_map(|user| [&user.client_certificate, &user.client_key, &user.token_file])
                .chain(clusters.map(|cluster| &cluster.certificate_authority));
            paths.extend(named.flatten().map(PathBuf::from));
        }
        let seen = |path: &PathBuf| fs::read(path).ok().map(|content| Digest::of(&content));
        paths.into_iter().map(|path| (path.clone(), seen(&path))).collect()
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
        self.cluster_at(&format!("{base}/clusters/{workspace}")).map(Some)
    }

    /// The same server and credentials with another URL.
    ///
    /// # Errors
    /// The text is not a URL, or the client cannot be made.
    pub fn client(&self, server: &str) -> Result<Client, Error> {
        let server = server.parse().map_err(|error: http::uri::InvalidUri| self.failed(error.into()))?;
        let mut made_with = self.credentials();
        let client = RwLock::new(self.make(&made_with, &server)?);
        let current = Arc::new(Current { server, client });
        self.clients.lock().push(Arc::downgrade(&current));
        // Others may have come while it was made, before it was known.
        loop {
            let now = self.credentials();
            if Arc::ptr_eq(&now, &made_with) {
                break;
            }
            let client = self.make(&now, &current.server)?;
            *current.client.write().unwrap_or_else(PoisonError::into_inner) = client;
            made_with = now;
        }
        let clients = Arc::clone(&self.clients);
        let service = tower::service_fn(move |request: Request<Body>| {
            let (client, clients) = (current.client(), Arc::clone(&clients));
            async move {
                let answer = client.send(request).await;
                // A server may also end a connection with a certificate that has expired.
                if answer.as_ref().map_or(true, |answer| answer.status() == StatusCode::UNAUTHORIZED) {
                    clients.refused.store(true, Ordering::SeqCst);
                }
                Ok::<_, tower::BoxError>(answer?)
            }
        });
        Ok(Client::new(service, "default"))
    }

    /// A client with the credentials that it has now.
    fn make(&self, config: &Config, server: &http::Uri) -> Result<Client, Error> {
        let mut config = config.clone();
        config.cluster_url = server.clone();
        Client::try_from(config).map_err(|error| self.failed(error.into()))
    }

    fn failed(&self, source: Box<dyn std::error::Error + Send + Sync>) -> Error {
        Error::Use { context: self.context.clone(), source }
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
        self.cluster_at(&self.server())
    }
}

/// The files that a kubeconfig is made of if none is named: those of `$KUBECONFIG`
/// or else `~/.kube/config`; `None` without a home folder.
pub fn usual_paths() -> Option<Vec<PathBuf>> {
    match env::var_os("KUBECONFIG").filter(|list| !list.is_empty()) {
        Some(list) => Some(env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect()),
        None => env::home_dir().map(|home| vec![home.join(".kube").join("config")]),
    }
}

async fn config(all: Kubeconfig, context: &str) -> Result<Config, Error> {
    let options = KubeConfigOptions { context: Some(context.to_owned()), ..KubeConfigOptions::default() };
    let failed =
        |source: kube::config::KubeconfigError| Error::Use { context: context.to_owned(), source: source.into() };
    Config::from_custom_kubeconfig(all, &options).await.map_err(failed)
}

fn read(path: Option<&Path>) -> Result<Kubeconfig, Error> {
    let result = match path {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    result.map_err(|source| Error::Read { path: path.map(Path::to_owned), source: Box::new(source) })
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Write},
        net::TcpListener,
        sync::mpsc,
        thread,
    };

    use super::*;

    /// A server that hands on what each request says of its sender, and refuses a
    /// sender whose token is `first` from the second request on.
    fn server() -> (String, mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (seen, all) = mpsc::channel();
        thread::spawn(move || {
            let mut code = "200 OK";
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                let sender = head.iter().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or_default();
                let answer = if sender == "Bearer first" { code } else { "200 OK" };
                seen.send(sender.to_owned()).unwrap();
                write!(stream, "HTTP/1.1 {answer}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}").unwrap();
                code = "401 Unauthorized";
            }
        });
        (url, all)
    }

    fn kubeconfig(server: &str, token: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n\
             clusters: [{{name: a, cluster: {{server: '{server}'}}}}]\nusers: [{{name: a, user: {{token: {token}}}}}]\n"
        )
    }

    #[test]
    fn every_file_that_a_context_names_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let text = "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
            contexts: [{name: a, context: {cluster: a, user: a}}]\n\
            clusters: [{name: a, cluster: {server: 'https://a', certificate-authority: ca}}]\n\
            users: [{name: a, user: {client-certificate: cert, client-key: key, tokenFile: token}}]\n";
        fs::write(path("config"), text).unwrap();
        let files = ["ca", "cert", "key", "token"];
        for name in files {
            fs::write(path(name), "old").unwrap();
        }
        let connection = Connection {
            config: Arc::new(Config::new("https://a".parse().unwrap())),
            context: "a".to_owned(),
            kubeconfig: Some(path("config")),
            clients: Arc::default(),
        };
        for name in files {
            let before = connection.files();
            assert_eq!(before, connection.files());
            // Of the same length, and maybe within the same tick of the clock.
            fs::write(path(name), "new").unwrap();
            assert_ne!(connection.files(), before, "{name}");
        }
    }

    /// What a plugin gives is asked for again where it is refused: a certificate, and a
    /// token that does not say how long it lives, are renewed by nothing else.
    #[tokio::test]
    async fn a_plugin_is_asked_again_when_its_credentials_are_refused() {
        let (url, seen) = server();
        let folder = tempfile::tempdir().unwrap();
        let (file, token) = (folder.path().join("config"), folder.path().join("token"));
        let script = format!(
            r#"printf '{{"apiVersion": "{api}", "kind": "ExecCredential", "status": {{"token": "%s"}}}}' "$(cat {token})""#,
            api = "client.authentication.k8s.io/v1",
            token = token.display(),
        );
        let exec = serde_json::json!({
            "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never", "command": "sh",
            "args": ["-c", script],
        });
        let config = kubeconfig(&url, "x").replace("user: {token: x}", &format!("user: {{exec: {exec}}}"));
        fs::write(&file, config).unwrap();
        fs::write(&token, "first").unwrap();
        let connection = Connection::open(Some(&file), None).await.unwrap();
        let cluster = connection.cluster().unwrap();
        let following = connection.clone();
        let follow = tokio::spawn(async move { following.follow_every(Duration::from_millis(5)).await });
        cluster.read("/a").await.unwrap();
        assert_eq!(seen.recv().unwrap(), "Bearer first");
        fs::write(&token, "another").unwrap();
        cluster.read("/a").await.unwrap_err();
        let renewed = async {
            while cluster.read("/a").await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), renewed).await.unwrap();
        assert_eq!(seen.try_iter().last().unwrap(), "Bearer another");
        follow.abort();
    }

    /// As a client of a new shard may be.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_client_that_is_made_while_credentials_change_uses_the_new_ones() {
        let (url, seen) = server();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        // A plugin that takes its time.
        let script = format!(
            r#"cd {folder}; touch begun; while [ ! -e go ]; do sleep 0.01; done; printf '{{"apiVersion": "{api}", "kind": "ExecCredential", "status": {{"token": "first"}}}}'"#,
            folder = folder.path().display(),
            api = "client.authentication.k8s.io/v1",
        );
        let exec = serde_json::json!({
            "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never", "command": "sh",
            "args": ["-c", script],
        });
        let config = kubeconfig(&url, "x").replace("user: {token: x}", &format!("user: {{exec: {exec}}}"));
        fs::write(&file, config).unwrap();
        let connection = Connection::open(Some(&file), None).await.unwrap();
        let making = connection.clone();
        let making = tokio::task::spawn_blocking(move || making.cluster());
        let begun = async {
            while !folder.path().join("begun").exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), begun).await.unwrap();
        fs::write(&file, kubeconfig(&url, "another")).unwrap();
        connection.refresh().await.unwrap();
        fs::write(folder.path().join("go"), "").unwrap();
        making.await.unwrap().unwrap().read("/a").await.unwrap();
        assert_eq!(seen.recv().unwrap(), "Bearer another");
    }

    #[tokio::test]
    async fn clients_that_were_made_use_the_credentials_of_now() {
        let (url, seen) = server();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        fs::write(&file, kubeconfig(&url, "first")).unwrap();
        let connection = Connection::open(Some(&file), None).await.unwrap();
        let (cluster, files) = (connection.cluster().unwrap(), connection.files());
        cluster.read("/a").await.unwrap();
        assert_eq!(seen.recv().unwrap(), "Bearer first");

        fs::write(&file, kubeconfig(&url, "another")).unwrap();
        assert_ne!(connection.files(), files);
        connection.refresh().await.unwrap();
        cluster.read("/a").await.unwrap();
        assert_eq!(seen.recv().unwrap(), "Bearer another");
        // So do those that are made from now on.
        connection.cluster().unwrap().read("/a").await.unwrap();
        assert_eq!(seen.recv().unwrap(), "Bearer another");

        // What cannot be used leaves everything as it is.
        fs::write(&file, "contexts: [").unwrap();
        connection.refresh().await.unwrap_err();
        cluster.read("/a").await.unwrap();
        assert_eq!(seen.recv().unwrap(), "Bearer another");
    }
}
