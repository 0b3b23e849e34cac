//! What every command that takes a module needs to reach a registry: mirrors,
//! authorities, patience, the folder for what was pulled; and the operator's policy.

use std::{path::PathBuf, time::Duration};

use cache::Cache;
use contract::Problem;
use host_core::{
    admission,
    fault::{Blame, Fault},
    module_policy::ModulePolicy,
};
use registry::{Client, Mirror, Options, PublicKey, Shelf};
use sandbox::Limits;

use super::definition::cache_folder;
use crate::{
    gate::{self, Gate},
    report::Failure,
    yaml::{Document, Source},
};

/// How much of what was pulled is kept, unless told otherwise: a hundred modules in
/// Go, or several hundred in Rust.
pub const CACHE_MIB: u64 = 2048;

/// How to reach registries.
#[derive(Clone, Debug, clap::Args)]
pub struct Supply {
    /// Another place to ask before a registry, such as `registry.example.org=https://mirror.example.org`
    #[arg(long, value_name = "REGISTRY=URL", help_heading = "Registries")]
    registry_mirror: Vec<Mirror>,
    /// A file with authorities to trust at registries, besides those of the system
    #[arg(long, value_name = "FILE", env = "CROFT_REGISTRY_CA", help_heading = "Registries")]
    registry_ca: Option<PathBuf>,
    /// How long a request to a registry may take, with its whole answer
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..=3600),
        help_heading = "Registries"
    )]
    registry_timeout: u64,
}

impl Default for Supply {
    fn default() -> Supply {
        Supply { registry_mirror: Vec::new(), registry_ca: None, registry_timeout: 60 }
    }
}

impl Supply {
    /// Somebody to ask registries and folders.
    ///
    /// # Errors
    /// An option makes no sense.
    pub fn client(&self) -> Result<Client, Failure> {
        let Supply { registry_mirror, registry_ca, registry_timeout } = self.clone();
        let timeout = Duration::from_secs(registry_timeout);
        Client::new(&Options { mirrors: registry_mirror, ca: registry_ca, timeout }).map_err(failed)
    }

    /// The same with a cache of what was pulled, in a folder of that many MiB.
    ///
    /// # Errors
    /// An option makes no sense.
    pub fn shelf(&self, folder: Option<PathBuf>, mib: u64) -> Result<Shelf, Failure> {
        let cache = folder.map(|folder| folder.join("registry")).and_then(|folder| {
            let opened = Cache::open(folder.clone(), mib << 20);
            opened.inspect_err(|error| tracing::warn!(folder = %folder.display(), %error, "nothing is kept")).ok()
        });
        Ok(Shelf::new(self.client()?, cache, Limits::default().component))
    }

    /// The same in the user's cache folder.
    ///
    /// # Errors
    /// An option makes no sense.
    pub fn own_shelf(&self) -> Result<Shelf, Failure> {
        self.shelf(cache_folder(), CACHE_MIB)
    }
}

/// A registry's refusal as a command's. What is not there, or is something else,
/// was named by somebody.
pub(super) fn failed(error: registry::Error) -> Failure {
    let hint = error.hint();
    let failure = match error {
        registry::Error::NotFound { .. } | registry::Error::Options { .. } => Failure::input(error),
        error => Failure::new(error.blame(), error),
    };
    hint.into_iter().fold(failure, Failure::hint)
}

/// The operator's policy.
#[derive(Clone, Debug, clap::Args)]
pub struct Policy {
    /// Which modules may run, who must have signed them, and what is revoked
    ///
    /// A file with a document of the kind ModulePolicy. Without it every module runs.
    #[arg(long, value_name = "FILE", env = "CROFT_MODULE_POLICY")]
    module_policy: Option<String>,
}

impl Policy {
    /// That of all commands, where one has no such option.
    pub(super) fn of_environment() -> Policy {
        Policy { module_policy: std::env::var("CROFT_MODULE_POLICY").ok() }
    }

    /// What the file says.
    ///
    /// # Errors
    /// It cannot be read, or something in it is not understood.
    pub fn gate(&self) -> Result<Gate, Failure> {
        let Some(file) = &self.module_policy else { return Ok(Gate::default()) };
        let documents = Source::read(file)?.documents;
        let document = match documents.as_slice() {
            [document] => document,
            [] => return Err(Failure::input(format!("`{file}` holds no document")).hint(FORM)),
            [_, second, ..] => {
                let message = "a second document is not expected here".to_owned();
                let hint = Some("a policy is one document".to_owned());
                return Err(Failure::problems(
                    second,
                    vec![admission::problem("UnexpectedDocument", "", message, hint)],
                ));
            }
        };
        let policy = ModulePolicy::read(&document.value).map_err(|problems| Failure::problems(document, problems))?;
        let keys = keys(document, &policy)?;
        Ok(Gate::new(policy, keys))
    }
}

const FORM: &str = "a policy has `apiVersion: croft.run/v1alpha1` and `kind: ModulePolicy`";

/// The keys of a policy, ready for use.
fn keys(document: &Document, policy: &ModulePolicy) -> Result<Vec<(String, PublicKey)>, Failure> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut keys = Vec::new();
    for (index, key) in policy.keys().iter().enumerate() {
        match PublicKey::from_pem(&key.pem) {
            Ok(read) => keys.push((key.name.clone(), read)),
            Err(error) => {
                let at = format!("/keys/{index}/publicKey");
                let message = format!("the key `{}` cannot be used: {error}", key.name);
                problems.push(admission::problem("InvalidKey", &at, message, Some(error.hint().to_owned())));
            }
        }
    }
    if problems.is_empty() { Ok(keys) } else { Err(Failure::problems(document, problems)) }
}

/// A refusal of the policy: the module was named by somebody, and that one can name
/// another.
pub(super) fn refused(error: gate::Error) -> Failure {
    match error {
        gate::Error::Refused(refusal) => Failure::new(Blame::Input, refusal),
        gate::Error::Signatures { source, .. } => failed(source),
    }
}
