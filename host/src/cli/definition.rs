//! What every command that takes `-f` needs: reading files, telling the
//! definition from the rest, and having its module prepare it.
//!
//! It asks no API server, and a registry only for a module that a definition names there.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use contract::{Gvk, Preparation, Prepared, Schema, Scope};
use host_core::{
    admission,
    definition::{self, ModuleRef, NoModule},
    fault::{Blame, Fault},
    kinds::{self, Kinds},
    name::Digest,
    object,
    oci::OciRef,
    schemas,
};
use registry::Shelf;
use sandbox::{Limits, Module, Sandbox};
use serde_json::Value;

use crate::{
    gate::Gate,
    modules::builtin,
    report::{self, Failure},
    yaml::Document,
};

use super::{
    files::{self, Files},
    supply::{self, Policy, Supply},
};

/// Where the schemas of children's kinds come from.
#[derive(Debug, Default, clap::Args)]
pub struct Schemas {
    /// A file with the schemas of kinds that children have, to check their fields by
    ///
    /// It holds CustomResourceDefinitions, APIResourceSchemas or OpenAPI v3
    /// documents (`kubectl get --raw /openapi/v3/apis/GROUP/VERSION`). The kinds
    /// of Kubernetes itself are known without.
    #[arg(long, value_name = "FILE")]
    schemas: Vec<String>,
}

impl Schemas {
    /// The files' names.
    pub fn files(&self) -> &[String] {
        &self.schemas
    }

    /// The documents with schemas. What `croft publish` prints has others beside
    /// them, which are left aside.
    fn read(&self) -> Result<Vec<Document>, Failure> {
        let mut all = Vec::new();
        for file in &self.schemas {
            all.extend(sources(files::read_all(std::slice::from_ref(file))?));
        }
        Ok(all)
    }
}

/// The documents that have schemas; all of them if none has any, so that the first
/// is refused with its place.
pub(super) fn sources(documents: Vec<Document>) -> Vec<Document> {
    let is_source = |document: &Document| schemas::is_source(&document.value);
    match documents.iter().any(is_source) {
        true => documents.into_iter().filter(is_source).collect(),
        false => documents,
    }
}

/// A definition that its module accepted.
pub struct Definition {
    /// The definition, and where it stands.
    pub document: Document,
    /// The module that runs it.
    pub module: Module,
    /// How it is named, with its digest.
    pub reference: ModuleRef,
    /// What the module made of it.
    pub prepared: Prepared,
    /// How the kinds that it touches are addressed, as far as their schemas were
    /// given.
    pub kinds: Kinds,
}

impl Definition {
    /// Has a module prepare a definition.
    ///
    /// # Errors
    /// The module refuses it, or fails.
    pub(super) fn new(document: Document, loaded: Loaded, known: &schemas::Schemas) -> Result<Definition, Failure> {
        let Loaded { module, reference } = loaded;
        let prepared = prepare(&module, &document, known)?;
        let used = prepared.blueprint.kinds.iter().map(|used| used.kind.clone());
        let kinds = used.filter_map(|kind| known.address(&kind).map(|address| (kind, address))).collect();
        Ok(Definition { document, module, reference, prepared, kinds })
    }

    /// The kind that it serves.
    pub fn api(&self) -> &Gvk {
        &self.prepared.blueprint.api.kind
    }

    /// The definition as it is published: its module named by digest, so that
    /// the host runs what was published and nothing else.
    pub fn pinned(&self) -> Value {
        let mut object = self.document.value.clone();
        if self.reference != ModuleRef::Kro {
            object["spec"]["module"] = self.reference.to_string().into();
        }
        match definition::DefinitionKind::of(&object).map(definition::DefinitionKind::scope) {
            Some(Scope::Cluster) => {
                if let Some(metadata) = object["metadata"].as_object_mut() {
                    metadata.remove("namespace");
                }
            }
            _ if object::text(&object, "/metadata/namespace").is_empty() => {
                object["metadata"]["namespace"] = "default".into();
            }
            _ => {}
        }
        object
    }
}

/// Refuses a second `-` among all files that a command reads.
///
/// # Errors
/// There is one.
pub(super) fn one_stdin<'a>(files: impl IntoIterator<Item = &'a String>) -> Result<(), Failure> {
    if files.into_iter().filter(|file| *file == "-").count() > 1 {
        return Err(Failure::input("the standard input can be read only once").hint("give one `-`"));
    }
    Ok(())
}

/// Reads files that hold definitions and nothing else but schemas, has their
/// modules prepare them, and says the modules' warnings. `chosen` may have a file to
/// use instead of the module that a definition names.
///
/// # Errors
/// A file, a definition or a module is refused.
pub fn load(files: &Files, chosen: &Chosen, schemas: &Schemas) -> Result<Vec<Definition>, Failure> {
    one_stdin(files.given().chain(schemas.files()))?;
    let names = files.names()?;
    let (definitions, mut rest) = choose(names.read()?, chosen, schemas)?;
    // A folder may hold instances and whatever else.
    rest.retain(|document| names.was_given(document));
    match rest.first() {
        None => Ok(definitions),
        Some(other) => {
            let hint = "give definitions alone, with the schemas of their children's kinds";
            Err(stray(other, "this is not a definition", hint))
        }
    }
}

/// The one definition of a file.
///
/// # Errors
/// There are several, or it is refused.
pub fn load_one(file: &str, chosen: &Chosen, schemas: &Schemas) -> Result<Definition, Failure> {
    let files = [file.to_owned()];
    one_stdin(files.iter().chain(schemas.files()))?;
    let (mut definitions, rest) = choose(files::read_all(&files)?, chosen, schemas)?;
    match (definitions.get(1), rest.first()) {
        (Some(second), _) => Err(stray(&second.document, "this is a second definition", "give one at a time")),
        (None, Some(other)) => Err(stray(other, "a second document is not expected here", "give the definition alone")),
        (None, None) => Ok(definitions.remove(0)),
    }
}

/// Tells definitions from the other documents and prepares them. Each knows the
/// APIs of the others; schemas among the documents are taken for such, like those
/// of `schemas`.
///
/// # Errors
/// There is no definition, or one is refused; or a file of `schemas` holds none.
pub fn choose(
    documents: Vec<Document>,
    chosen: &Chosen,
    schemas: &Schemas,
) -> Result<(Vec<Definition>, Vec<Document>), Failure> {
    let is_schema = |document: &Document| schemas::is_source(&document.value) && !is_definition(document);
    let (beside, documents): (Vec<Document>, Vec<Document>) = documents.into_iter().partition(is_schema);
    let (mut taken, mut rest): (Vec<Document>, Vec<Document>) = documents.into_iter().partition(is_definition);
    if taken.is_empty() {
        match (chosen.module.is_some(), rest.is_empty()) {
            (true, false) => taken.push(rest.remove(0)),
            _ => return Err(no_definition(&rest)),
        }
    }
    let known = known(beside.into_iter().chain(schemas.read()?))?;
    let modules = taken.iter().map(|document| load_module(document, chosen)).collect::<Result<Vec<_>, _>>()?;
    let known = with_siblings(taken.iter().zip(modules.iter().map(|loaded| &loaded.module)), known);
    let definitions = taken.into_iter().zip(modules).map(|(document, loaded)| {
        let definition = Definition::new(document, loaded, &known)?;
        report::warnings(&definition.document, &definition.prepared.warnings);
        Ok(definition)
    });
    let definitions = definitions.collect::<Result<Vec<Definition>, Failure>>()?;
    let api = |definition: &Definition| definition.prepared.blueprint.api.kind.clone();
    let mut seen = BTreeSet::new();
    match definitions.iter().find(|definition| !seen.insert(api(definition))) {
        None => Ok((definitions, rest)),
        Some(again) => Err(second(&again.document, &api(again))),
    }
}

/// Refuses a definition of an API that another one makes already.
pub(super) fn second(document: &Document, api: &Gvk) -> Failure {
    stray(document, &format!("this is a second definition of {api}"), "give one of the two")
}

/// Adds the APIs that definitions make, so that one can be checked whose child is
/// an instance of another. The types of one's status may follow from another's,
/// so it takes as many turns as they are nested.
pub(super) fn with_siblings<'d>(
    definitions: impl Iterator<Item = (&'d Document, &'d Module)> + Clone,
    mut known: schemas::Schemas,
) -> schemas::Schemas {
    let count = definitions.clone().count();
    let mut before: Vec<Option<Value>> = vec![None; count];
    for _ in 0..if count > 1 { count } else { 0 } {
        // What is wrong with one is said when it is prepared for good.
        let crd = |(document, module)| prepare(module, document, &known).ok().map(|it| it.blueprint.api.crd);
        let crds: Vec<Option<Value>> = definitions.clone().map(crd).collect();
        if crds == before {
            break;
        }
        for crd in crds.iter().flatten() {
            // A module's CRD was checked when it answered.
            let _ = known.add(crd);
        }
        before = crds;
    }
    known
}

/// The schemas in documents of their own. Of two of one kind the later counts.
pub(super) fn known(documents: impl Iterator<Item = Document>) -> Result<schemas::Schemas, Failure> {
    let mut known = schemas::Schemas::default();
    for document in documents {
        known.add(&document.value).map_err(|error| {
            let hint = Some(error.hint().to_owned());
            Failure::problems(&document, vec![admission::problem(error.code(), error.at(), error.to_string(), hint)])
        })?;
    }
    Ok(known)
}

/// A definition is of one of their kinds, or names its module.
pub(super) fn is_definition(document: &Document) -> bool {
    let known = definition::DefinitionKind::of(&document.value).is_some();
    known
        || document.value.pointer("/spec/module").is_some_and(Value::is_string)
        || host_core::object::annotation(&document.value, definition::MODULE_ANNOTATION).is_some()
}

/// What to say where nothing is a definition: of which kind the first document is
/// that comes close to one.
pub(super) fn no_definition(documents: &[Document]) -> Failure {
    let known = definition::DefinitionKind::ALL.map(|kind| kind.gvk());
    let near = |document: &&Document| {
        let kind = Gvk::of(&document.value);
        kind.is_some_and(|kind| known.iter().any(|known| is_near(&kind.kind, &known.kind)))
    };
    let hint = "a definition has `apiVersion: kro.run/v1alpha1` and `kind: ResourceGraphDefinition` or \
                `kind: ResourceGroup`, or `apiVersion: croft.run/v1alpha1` and `kind: Composition`";
    match documents.iter().find(near).or(documents.first()) {
        Some(document) => stray(document, "there is no definition among the documents", hint),
        // There are schemas, and nothing else.
        None => Failure::input("there is no definition among the documents").hint(hint),
    }
}

/// Whether a word is another one misspelt: case aside, one has the first letters of
/// the other, or nearly all letters of it.
pub(super) fn is_near(word: &str, other: &str) -> bool {
    let (word, other) = (word.to_lowercase(), other.to_lowercase());
    let same = word.chars().zip(other.chars()).take_while(|(one, two)| one == two).count();
    same >= 8
        || word.len().abs_diff(other.len()) <= 2
            && other.chars().filter(|it| word.contains(*it)).count() + 2 > other.len()
}

/// Refuses a document that has no business here.
pub(super) fn stray(document: &Document, message: &str, hint: &str) -> Failure {
    Failure::problems(
        document,
        vec![admission::problem("UnexpectedDocument", "/kind", message.to_owned(), Some(hint.to_owned()))],
    )
}

/// A module that was named on the command line or in the definition, and how.
#[derive(Clone)]
pub(super) struct Loaded {
    pub(super) module: Module,
    pub(super) reference: ModuleRef,
}

/// Which modules are used, and where they come from.
#[derive(Clone, Debug, clap::Args)]
pub struct Chosen {
    /// A module to use instead of the one that a definition names
    #[arg(long, value_name = "FILE")]
    pub module: Option<PathBuf>,
    #[command(flatten)]
    pub(super) policy: Policy,
    #[command(flatten)]
    pub(super) supply: Supply,
}

impl Chosen {
    /// A file, where there is no such option.
    pub(super) fn file(module: PathBuf) -> Chosen {
        Chosen { module: Some(module), policy: Policy::of_environment(), supply: Supply::default() }
    }
}

/// A module that was named on the command line or in the definition is input
/// like any other: one that cannot be loaded, or may not run, is refused.
pub(super) fn load_module(document: &Document, chosen: &Chosen) -> Result<Loaded, Failure> {
    let Bytes { at, wasm, reference } = module_bytes(document, chosen)?;
    let name = if let ModuleRef::File { path, .. } = &at { path.display().to_string() } else { at.to_string() };
    let module = load_wasm(&name, &wasm)?;
    let reference = match reference {
        ModuleRef::File { path, .. } => ModuleRef::File { path, digest: Some(module.digest().clone()) },
        other => other,
    };
    Ok(Loaded { module, reference })
}

/// The bytes of a module that may run.
pub(super) struct Bytes {
    /// Where they are.
    at: ModuleRef,
    pub(super) wasm: Vec<u8>,
    /// How a host is to find them.
    reference: ModuleRef,
}

/// The bytes of the module that was given by hand, or else of what the definition
/// names.
pub(super) fn module_bytes(document: &Document, chosen: &Chosen) -> Result<Bytes, Failure> {
    let shelf = chosen.supply.own_shelf()?;
    let gate = chosen.policy.gate()?;
    let bytes = match &chosen.module {
        Some(file) => {
            let at = ModuleRef::File { path: file.clone(), digest: None };
            // The host looks for its name below its own folder of modules.
            let path = file.file_name().map_or_else(|| file.clone(), PathBuf::from);
            Bytes { at, wasm: read_module(file)?, reference: ModuleRef::File { path, digest: None } }
        }
        None => module_of(document, &gate, &shelf)?,
    };
    gate.admit(&bytes.at, &Digest::of(&bytes.wasm), &shelf).map_err(supply::refused)?;
    Ok(bytes)
}

/// The same for one whose bytes are at hand.
pub(super) fn load_wasm(name: &str, wasm: &[u8]) -> Result<Module, Failure> {
    let failed = |error| Failure::input(anyhow::Error::new(error).context(format!("cannot load the module `{name}`")));
    sandbox()?.load(wasm).map_err(failed)
}

fn module_of(document: &Document, gate: &Gate, shelf: &Shelf) -> Result<Bytes, Failure> {
    let reference = ModuleRef::of(&document.value).map_err(|error| no_module(document, &error))?;
    if let ModuleRef::Oci(OciRef { tag: None, digest: None, .. }) = &reference {
        let message = format!("`{reference}` names neither a tag nor a digest");
        let hint = format!("write `{reference}:TAG`; `croft module tags {reference}` lists them");
        let problem = admission::problem("NoDigest", &at(document), message, Some(hint));
        return Err(Failure::problems(document, vec![problem]));
    }
    let folder = Path::new(&*document.name).parent().unwrap_or(Path::new(""));
    bytes_of(reference, folder, gate, shelf)
}

/// What a reference names, which is asked for only if it may run. A tag is taken for
/// what it names now.
fn bytes_of(reference: ModuleRef, folder: &Path, gate: &Gate, shelf: &Shelf) -> Result<Bytes, Failure> {
    gate.may_fetch(&reference).map_err(supply::refused)?;
    match reference {
        ModuleRef::Kro => Ok(Bytes { at: reference.clone(), wasm: builtin::kro().to_vec(), reference }),
        ModuleRef::File { ref path, ref digest } => {
            let wasm = read_module(&folder.join(path))?;
            pinned(&wasm, digest.as_ref())?;
            Ok(Bytes { at: reference.clone(), wasm, reference })
        }
        ModuleRef::Oci(reference) => {
            let found = reference.below(folder);
            let at = found.pinned(shelf.client().resolve(&found).map_err(supply::failed)?);
            let wasm = shelf.fetch(&at).map_err(supply::failed)?.wasm;
            let pinned = OciRef { digest: at.digest.clone(), ..reference };
            Ok(Bytes { at: ModuleRef::Oci(at), wasm, reference: ModuleRef::Oci(pinned) })
        }
    }
}

/// The module of a reference that was given by hand.
pub(super) fn load_reference(reference: ModuleRef, chosen: &Chosen) -> Result<Loaded, Failure> {
    let (shelf, gate) = (chosen.supply.own_shelf()?, chosen.policy.gate()?);
    let bytes = bytes_of(reference, Path::new(""), &gate, &shelf)?;
    gate.admit(&bytes.at, &Digest::of(&bytes.wasm), &shelf).map_err(supply::refused)?;
    let name = bytes.at.to_string();
    Ok(Loaded { module: load_wasm(&name, &bytes.wasm)?, reference: bytes.reference })
}

/// Where a definition names its module.
fn at(document: &Document) -> String {
    match document.value.pointer("/spec/module") {
        Some(_) => "/spec/module".to_owned(),
        None => format!("/metadata/annotations/{}", definition::MODULE_ANNOTATION.replace('/', "~1")),
    }
}

/// A definition without a module that could be used, at its place.
pub(super) fn no_module(document: &Document, error: &NoModule) -> Failure {
    let hint = Some(error.hint().to_owned());
    Failure::problems(document, vec![admission::problem(error.reason(), error.at(), error.to_string(), hint)])
}

/// The bytes of a module in a file.
pub(super) fn read_module(file: &Path) -> Result<Vec<u8>, Failure> {
    let context = || format!("cannot read the module `{}`", file.display());
    fs::read(file).map_err(|error| Failure::input(anyhow::Error::new(error).context(context())))
}

fn pinned(bytes: &[u8], expected: Option<&Digest>) -> Result<(), Failure> {
    let found = Digest::of(bytes);
    match expected {
        Some(expected) if *expected != found => {
            let message = format!("the definition pins its module to `{expected}`, but the file is `{found}`");
            Err(Failure::input(message).hint("restore the file, or pin the new digest if the change is wanted"))
        }
        _ => Ok(()),
    }
}

/// A sandbox that keeps compiled modules in the user's cache folder, or does
/// without where there is none.
///
/// # Errors
/// The engine cannot start.
pub fn sandbox() -> Result<Sandbox, Failure> {
    match Sandbox::new(Limits::default(), cache_folder().map(|folder| folder.join("compiled"))) {
        Err(error @ (sandbox::Error::ArtifactFolder { .. } | sandbox::Error::ArtifactFolderUnsafe { .. })) => {
            tracing::warn!("compiled modules are not kept: {:#}", anyhow::Error::new(error));
            Sandbox::new(Limits::default(), None).map_err(Failure::fault)
        }
        made => made.map_err(Failure::fault),
    }
}

/// Where modules are kept: `croft` in the user's cache folder.
pub fn cache_folder() -> Option<PathBuf> {
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    let xdg = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).and_then(absolute);
    let caches = xdg.or_else(|| env::home_dir().and_then(absolute).map(|home| home.join(".cache")));
    caches.map(|caches| caches.join("croft"))
}

/// Asks the module again as long as it needs schemas that it does not have yet.
pub(super) fn prepare(module: &Module, document: &Document, known: &schemas::Schemas) -> Result<Prepared, Failure> {
    let strays = definition::check(&document.value);
    if !strays.is_empty() {
        return Err(Failure::problems(document, strays));
    }
    let mut given: Vec<Schema> = Vec::new();
    loop {
        let answer = module.prepare(&document.value, &given).map_err(|error| refused(error, document))?;
        tell(&answer.log);
        let needed = match answer.value {
            Preparation::Ready(prepared) => return Ok(*prepared),
            Preparation::Needs(kinds) => kinds,
        };
        let is_new = |kind: &Gvk| !given.iter().any(|schema| schema.kind == *kind);
        let new: BTreeSet<Gvk> = needed.into_iter().filter(is_new).collect();
        if new.is_empty() {
            let message = format!("the module `{}` asks for schemas again that it was given", module.digest());
            return Err(Failure::new(Blame::Module, message));
        }
        given.extend(new.into_iter().map(|kind| schema(kind, known)));
    }
}

/// What can be known of a kind without a server.
fn schema(kind: Gvk, known: &schemas::Schemas) -> Schema {
    known.get(&kind).or_else(|| schemas::builtin(&kind)).unwrap_or_else(|| {
        let address = kinds::builtin(&kind).unwrap_or_else(|| kinds::guess(&kind));
        schemas::unknown(kind, address)
    })
}

/// A module's refusal of a document as something to show, or its failure.
pub(super) fn refused(error: sandbox::Error, document: &Document) -> Failure {
    tell(error.log());
    match error {
        sandbox::Error::Invalid { problems, .. } => Failure::problems(document, problems),
        error => Failure::fault(error),
    }
}

/// Passes on what a module logged, for `-v`.
pub(super) fn tell(log: &[sandbox::LogLine]) {
    for line in log {
        tracing::debug!(target: "host::module", level = ?line.level, "{}", line.message);
    }
}

#[cfg(test)]
mod tests {
    use crate::yaml;

    use super::*;

    /// Definitions are objects of a server too: what `check` takes, the CRD of
    /// definitions takes.
    #[test]
    fn definitions_that_are_accepted_fit_their_own_crd() {
        let crds = [
            include_str!("../../core/src/publish/resourcegroups.json"),
            include_str!("../../core/src/publish/resourcegraphdefinitions.json"),
            include_str!("../../core/src/publish/compositions.json"),
        ];
        let crds = crds.map(|text| serde_json::from_str::<Value>(text).unwrap());
        let of = |kind: &str| crds.iter().find(|crd| crd["spec"]["names"]["kind"] == kind).unwrap();
        let (mut seen, mut wrong) = (0, Vec::new());
        for case in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cases")).unwrap() {
            let folder = case.unwrap().path();
            // One whose instance is refused has a blueprint.
            if !folder.join("blueprint.json").is_file() {
                continue;
            }
            let text = std::fs::read_to_string(folder.join("definition.yaml")).unwrap();
            let document = yaml::Source::parse("definition.yaml", &text).unwrap().documents.remove(0);
            let problems = admission::admit(of(document.value["kind"].as_str().unwrap()), &document.value).1;
            wrong.extend(problems.iter().map(|problem| format!("{}: {problem}", folder.display())));
            seen += 1;
        }
        assert!(seen > 50 && wrong.is_empty(), "{seen} seen\n{}", wrong.join("\n"));
    }
}
