//! The stage of a test: a provider's workspace, consumers' workspaces, and the
//! commands of croft.

use std::{
    fs,
    fs::File,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use harness::{Api, Guarded, Kcp, Proxy, poll};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Long enough for a busy machine; a test that waits this long fails.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// The one kcp, started by whoever needs it first. It ends with the process.
pub(crate) fn kcp() -> &'static (Kcp, Api) {
    static KCP: OnceLock<(Kcp, Api)> = OnceLock::new();
    KCP.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kcp-e2e");
        // What an earlier run left.
        fs::remove_dir_all(&dir).ok();
        fs::create_dir_all(&dir).unwrap();
        let kcp = Kcp::start(&dir).unwrap();
        let api = kcp.api().unwrap();
        (kcp, api)
    })
}

/// kcp's API as its administrator.
pub(crate) fn api() -> &'static Api {
    &kcp().1
}

/// Asks until there is an answer.
#[track_caller]
pub(crate) fn wait<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let answer = poll(PATIENCE, PAUSE, || Ok(ask())).unwrap();
    answer.unwrap_or_else(|| panic!("{what} did not happen within {} s", PATIENCE.as_secs()))
}

/// A provider and its consumers.
pub(crate) struct Stage {
    dir: TempDir,
    /// The provider's workspace path.
    pub(crate) provider: String,
    /// The consumers' workspace paths.
    pub(crate) consumers: Vec<String>,
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Stage {
    /// Makes the workspaces `root:NAME-provider`, `root:NAME-1` and so on, and
    /// a kubeconfig with the contexts `provider`, `team-1` and so on.
    pub(crate) fn new(name: &str, consumers: usize) -> Stage {
        let provider = workspace(&format!("{name}-provider"));
        let consumers = (1..=consumers).map(|number| workspace(&format!("{name}-{number}"))).collect();
        let stage = Stage { dir: TempDir::new().unwrap(), provider, consumers };
        stage.context("provider", &format!("{}/clusters/{}", kcp().0.base_url(), stage.provider));
        for (index, path) in stage.consumers.iter().enumerate() {
            stage.context(&format!("team-{}", index + 1), &format!("{}/clusters/{path}", kcp().0.base_url()));
        }
        stage
    }

    /// The kubeconfig.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.dir.path().join("kubeconfig")
    }

    /// Adds a context for a server's URL.
    pub(crate) fn context(&self, name: &str, server: &str) {
        self.context_as(name, server, api().token());
    }

    /// The same with a token of one's own.
    pub(crate) fn context_as(&self, name: &str, server: &str, token: &str) {
        self.context_of(name, server, json!({"token": token}));
    }

    /// The same as a user with no rights but those that were given.
    pub(crate) fn context_without_rights(&self, name: &str, server: &str, user: &str) {
        let user = json!({"token": api().token(), "as": user, "as-groups": ["system:authenticated"]});
        self.context_of(name, server, user);
    }

    fn context_of(&self, name: &str, server: &str, user: Value) {
        let file = self.kubeconfig();
        let mut config: Value = match fs::read_to_string(&file) {
            Ok(text) => serde_json::from_str(&text).unwrap(),
            Err(_) => json!({"apiVersion": "v1", "kind": "Config", "clusters": [], "contexts": [], "users": []}),
        };
        let mut add = |list: &str, entry: Value| config[list].as_array_mut().unwrap().push(entry);
        add("clusters", json!({"name": name, "cluster": cluster(server)}));
        add("users", json!({"name": name, "user": user}));
        add("contexts", json!({"name": name, "context": {"cluster": name, "user": name}}));
        fs::write(file, config.to_string()).unwrap();
    }

    /// Writes a file and answers its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs a command of croft.
    pub(crate) fn croft(&self, args: &[&str]) -> Said {
        let output = self.command(args).output().unwrap();
        Said {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a command of croft that has to succeed.
    #[track_caller]
    pub(crate) fn done(&self, args: &[&str]) -> Said {
        let said = self.croft(args);
        assert_eq!(said.code, Some(0), "croft {args:?}: {said:#?}");
        said
    }

    /// [`CHAIN`] in the shared layout, bound by one consumer whose instance `a` is ready,
    /// and a host whose requests go through a proxy.
    pub(crate) fn with_a_chain(name: &str) -> (Stage, Proxy, Host) {
        let stage = Stage::new(name, 1);
        stage.publish(CHAIN, &["--layout", "shared"]);
        stage.bind(1, "chains.kro.run");
        let proxy = stage.proxy("chains.kro.run");
        let host = stage.host(&["--context", "proxy"]);
        stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
        stage.until(1, "chains.kro.run/a", "Ready", "True");
        (stage, proxy, host)
    }

    /// Publishes a definition, with more arguments if wanted.
    #[track_caller]
    pub(crate) fn publish(&self, definition: &str, more: &[&str]) -> Said {
        let file = self.file("definition.yaml", definition);
        let mut args = vec!["publish", "--context", "provider", "--apply", "-f", file.to_str().unwrap()];
        args.extend(more);
        self.done(&args)
    }

    /// Binds an export in a consumer's workspace and accepts its claims.
    #[track_caller]
    pub(crate) fn bind(&self, consumer: usize, export: &str) -> Said {
        let (export, context) = (format!("{}:{export}", self.provider), format!("team-{consumer}"));
        self.done(&["bind", &export, "--context", &context, "--accept-claims"])
    }

    /// Starts the host.
    pub(crate) fn host(&self, args: &[&str]) -> Host {
        let log = self.dir.path().join(format!("host-{}.log", next_number()));
        let file = File::create(&log).unwrap();
        let mut command = self.command(&["run"]);
        command.args(args).stdout(file.try_clone().unwrap()).stderr(file);
        Host { process: Guarded::spawn(&mut command).unwrap(), log }
    }

    /// Starts a command that goes on until it is dropped; its log is what it says.
    pub(crate) fn background(&self, args: &[&str]) -> Host {
        let log = self.dir.path().join(format!("background-{}.log", next_number()));
        let file = File::create(&log).unwrap();
        let mut command = self.command(args);
        command.stdout(file.try_clone().unwrap()).stderr(file);
        Host { process: Guarded::spawn(&mut command).unwrap(), log }
    }

    /// Starts the host on an export of the provider.
    pub(crate) fn host_of(&self, export: &str) -> Host {
        self.host(&["--context", "provider", "--export", export])
    }

    /// The URL of an export's virtual workspace.
    pub(crate) fn virtual_workspace(&self, export: &str) -> String {
        let path = format!("/clusters/{}/apis/apis.kcp.io/v1alpha1/apiexportendpointslices/{export}", self.provider);
        wait("the virtual workspace", || {
            let slice = api().find(&path).unwrap()?;
            Some(slice["status"]["endpoints"][0]["url"].as_str()?.to_owned())
        })
    }

    /// A proxy in front of an export's virtual workspace, and the context
    /// `proxy` that goes through it.
    pub(crate) fn proxy(&self, export: &str) -> Proxy {
        let url = self.virtual_workspace(export);
        let proxy = Proxy::start(api(), &kcp().0.base_url()).unwrap();
        self.context("proxy", &url.replace(&kcp().0.base_url(), &proxy.base_url()));
        proxy
    }

    /// A proxy in front of the provider's workspace, and the context `proxy` that
    /// goes through it.
    pub(crate) fn provider_proxy(&self) -> Proxy {
        let proxy = Proxy::start(api(), &kcp().0.base_url()).unwrap();
        self.context("proxy", &format!("{}/clusters/{}", proxy.base_url(), self.provider));
        proxy
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(harness::croft().unwrap());
        command.args(args).env("KUBECONFIG", self.kubeconfig()).env_remove("CROFT_LOG");
        command
    }

    /// A path in a consumer's workspace, in the namespace `default`: such as
    /// `configmaps/a` or `webs.kro.run/a`.
    pub(crate) fn path(&self, consumer: usize, object: &str) -> String {
        let cluster = &self.consumers[consumer - 1];
        let (resource, name) = object.split_once('/').map_or((object, String::new()), |(r, n)| (r, format!("/{n}")));
        match resource.split_once('.') {
            None => format!("/clusters/{cluster}/api/v1/namespaces/default/{resource}{name}"),
            Some((resource, group)) => {
                format!("/clusters/{cluster}/apis/{group}/v1alpha1/namespaces/default/{resource}{name}")
            }
        }
    }

    /// An object in a consumer's workspace.
    pub(crate) fn find(&self, consumer: usize, object: &str) -> Option<Value> {
        api().find(&self.path(consumer, object)).unwrap()
    }

    /// Creates an instance. kcp may serve the API a moment after it is bound.
    pub(crate) fn create(&self, consumer: usize, object: &str, kind: &str, spec: Value) -> Value {
        let (path, name) = (self.path(consumer, object), object.split('/').nth(1).unwrap());
        let instance = json!({
            "apiVersion": "kro.run/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec,
        });
        wait("the API", || api().apply(&path, &instance).ok())
    }

    /// Waits until an instance's condition has a status; answers the instance.
    #[track_caller]
    pub(crate) fn until(&self, consumer: usize, object: &str, condition: &str, status: &str) -> Value {
        let mut last = None;
        let found = poll(PATIENCE, PAUSE, || {
            last = self.find(consumer, object);
            Ok(last.clone().filter(|instance| is(instance, condition, status)))
        });
        found.unwrap().unwrap_or_else(|| panic!("{object} is not {condition}={status}: {last:#?}"))
    }

    /// Names of the children of a kind in a consumer's workspace.
    pub(crate) fn children(&self, consumer: usize, resource: &str) -> Vec<String> {
        let list = api().find(&format!("{}?labelSelector=croft.run/instance", self.path(consumer, resource)));
        let list = list.unwrap().unwrap();
        let names = list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        names
    }
}

/// A test that fails shows what its hosts said last.
impl Drop for Stage {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for entry in fs::read_dir(self.dir.path()).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "log") {
                let text = fs::read_to_string(&path).unwrap_or_default();
                let lines: Vec<&str> = text.lines().collect();
                let end = &lines[lines.len().saturating_sub(40)..];
                eprintln!("--- the end of {}:\n{}", path.display(), end.join("\n"));
            }
        }
    }
}

/// A running host.
pub(crate) struct Host {
    pub(crate) process: Guarded,
    log: PathBuf,
}

impl Host {
    /// What it said so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

/// Whether an instance's condition has a status that was found for the
/// instance as it is.
pub(crate) fn is(instance: &Value, condition: &str, status: &str) -> bool {
    self::condition(instance, condition).is_some_and(|found| {
        found["status"] == status && found["observedGeneration"] == instance["metadata"]["generation"]
    })
}

/// An object's condition.
pub(crate) fn condition<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == name)
}

/// A chain: a ConfigMap, a Secret made from what the server says of it, and a
/// second ConfigMap made from that.
pub(crate) const CHAIN: &str = "
apiVersion: kro.run/v1alpha1
kind: ResourceGroup
metadata: {name: chain}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Chain
    spec:
      name: string | required=true
      text: string | default=\"hello\"
      last: boolean | default=true
    status:
      uid: ${first.metadata.uid}
  resources:
  - id: first
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: '${schema.spec.name}-first'}
      data: {text: '${schema.spec.text}'}
  - id: second
    template:
      apiVersion: v1
      kind: Secret
      metadata: {name: '${schema.spec.name}-second'}
      stringData: {of: '${first.metadata.uid}'}
  - id: third
    includeWhen: ['${schema.spec.last}']
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: '${schema.spec.name}-third'}
      data: {of: '${second.metadata.name}'}
";

fn cluster(server: &str) -> Value {
    // Also behind a proxy: an endpoint slice names kcp itself.
    let text = fs::read_to_string(kcp().0.kubeconfig()).unwrap();
    let authority = text.lines().find_map(|line| line.trim().strip_prefix("certificate-authority-data: "));
    json!({"server": server, "certificate-authority-data": authority.unwrap()})
}

/// Makes a workspace below the root and waits until it is ready.
fn workspace(name: &str) -> String {
    let path = format!("/clusters/root/apis/tenancy.kcp.io/v1alpha1/workspaces/{name}");
    let workspace = json!({
        "apiVersion": "tenancy.kcp.io/v1alpha1", "kind": "Workspace", "metadata": {"name": name},
        "spec": {"type": {"name": "universal", "path": "root"}},
    });
    api().apply(&path, &workspace).unwrap();
    wait("the workspace", || (api().find(&path).unwrap()?["status"]["phase"] == "Ready").then_some(()));
    // Ready means scheduled; the namespace comes a moment later.
    let cluster = format!("root:{name}");
    wait("its namespace", || api().find(&format!("/clusters/{cluster}/api/v1/namespaces/default")).ok()?);
    cluster
}

/// A number that no other log of this process has.
fn next_number() -> usize {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}
