//! `croft render`: what `croft run` would make of an instance, offline, for the
//! author of a definition.
//!
//! It runs the same module in the same sandbox under the same policy; objects
//! given with `--observed` stand for the cluster.

mod converge;
mod explain;
mod observed;
mod standin;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use contract::{Blueprint, Gvk, Observed, Rendering};
use serde_json::{Map, Value};

use super::{
    definition::{self, Definition},
    files::{self, Files},
    output,
};
use host_core::{
    admission, defaults, inventory,
    kinds::{self, Kinds},
    object::{self, Target},
    policy::{self, Rules},
    receipt, status,
};

use crate::{
    report::{self, Failure},
    yaml::Document,
};
use observed::Pool;
use standin::{Given, Standin};

/// Render instances of a definition offline, as `croft run` would
///
/// Prints each instance with its defaults and status filled in, and the
/// children that can be stated, in the order of their dependencies. What cannot
/// be stated yet, and why, is said on stderr.
///
/// The definition is the document of kind ResourceGroup or
/// ResourceGraphDefinition (or the one that names its module in `spec.module`);
/// all other documents are instances of its API.
/// Without an instance the definition is only checked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    files: Files,
    /// A file with live objects, as `kubectl get -o yaml` prints them
    ///
    /// They are taken for children of the instance, and for objects that it
    /// reads, by kind, namespace and name.
    #[arg(long, value_name = "FILE")]
    observed: Vec<String>,
    /// Play the passes to their end: what is rendered is taken for live
    ///
    /// What servers and Kubernetes' own controllers set, such as uids and the
    /// status of a Deployment, has stand-ins. Objects of other kinds report
    /// nothing; what is given with `--observed` is taken as it stands.
    #[arg(long)]
    converge: bool,
    /// A field of the instances' metadata that a server sets: uid, creationTimestamp or generation
    ///
    /// An instance that does not have them gets stand-ins, the same ones each time.
    #[arg(long, value_name = "NAME=VALUE")]
    instance_metadata: Vec<Given>,
    /// Say on stderr what became of every id of the definition, and why
    #[arg(long)]
    explain: bool,
    /// How to print the objects
    #[arg(short, long, value_enum, default_value_t = output::Format::Yaml, value_name = "FORMAT")]
    output: output::Format,
    /// A module to use instead of the one that the definition names
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
    #[command(flatten)]
    schemas: definition::Schemas,
}

const EXAMPLES: &str = "\
Examples:
  # check a definition
  croft render -f definition.yaml
  # what an instance comes to at first
  croft render -f definition.yaml -f instance.yaml
  # what it comes to once its children are there, and why
  kubectl get configmaps,secrets -o yaml > live.yaml
  croft render -f definition.yaml -f instance.yaml --observed live.yaml --explain
  # what it comes to in the end, without a cluster
  croft render -f definition.yaml -f instance.yaml --converge";

/// One instance and what it comes to.
struct Rendered {
    /// With defaults and status.
    instance: Value,
    rendering: Rendering,
    /// The children where they belong, in the order of the rendering.
    children: Vec<(Target, Value)>,
    observed: Vec<Observed>,
    state: &'static str,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { files, observed, converge, instance_metadata, explain, output, module, schemas } = args;
    definition::one_stdin(files.given().chain(&observed).chain(schemas.files()))?;
    let names = files.names()?;
    let (definitions, mut instances) = definition::choose(names.read()?, module.as_deref(), &schemas)?;
    // A folder may hold objects of whatever kind.
    instances.retain(|instance| names.was_given(instance) || of(&definitions, instance).is_ok());
    let live = files::read_all(&observed)?;
    live.iter().try_for_each(observed::named)?;
    live.iter().for_each(|document| report::warnings(document, &observed::odd(document)));
    let live: Vec<Value> = live.into_iter().map(|document| document.value).collect();
    if instances.is_empty() {
        for Definition { prepared, .. } in &definitions {
            let api = &prepared.blueprint.api.kind;
            report::note(&format!("the definition of {api} is valid; there is no instance to render"));
        }
    }
    let mut objects = Vec::new();
    let mut standins = None;
    let cluster = Cluster { live: &live, converge, given: &instance_metadata };
    for instance in &instances {
        let definition = of(&definitions, instance)?;
        let is_ours = |kind: &Gvk| definitions.iter().any(|it| api(it) == kind);
        let (rendered, standin) = render(definition, instance, &cluster, is_ours)?;
        let named = rendered.children.iter().map(|(_, object)| object).chain(rendered.instance.get("status"));
        standins = standins.or_else(|| standin.note(named));
        if explain {
            eprint!("{}", explain::all(&definition.prepared.blueprint, &rendered));
        } else {
            eprint!("{}", explain::what_is_missing(&rendered));
        }
        objects.push(rendered.instance);
        objects.extend(in_order(&definition.prepared.blueprint, &rendered.rendering, rendered.children));
    }
    standins.iter().for_each(|note| report::note(note));
    output::objects(&objects, output)
}

/// What stands for a cluster.
struct Cluster<'a> {
    live: &'a [Value],
    converge: bool,
    given: &'a [Given],
}

/// The definition whose API an instance is of.
fn of<'d>(definitions: &'d [Definition], document: &Document) -> Result<&'d Definition, Failure> {
    let api = |definition: &&Definition| Gvk::of(&document.value).as_ref() == Some(api(definition));
    definitions.iter().find(api).ok_or_else(|| strange(definitions, document))
}

fn api(definition: &Definition) -> &Gvk {
    &definition.prepared.blueprint.api.kind
}

/// Refuses an object of an API that no definition here makes.
fn strange(definitions: &[Definition], document: &Document) -> Failure {
    let (message, wanted) = match definitions {
        [one] => {
            let kind = api(one);
            let wanted = format!("`apiVersion: {}` and `kind: {}`", kind.api_version(), kind.kind);
            (format!("this is not an instance of {kind} in version {}", kind.version), wanted)
        }
        several => {
            let kinds: Vec<String> = several.iter().map(|it| format!("`{}`", api(it).kind)).collect();
            ("this is not an instance of any of the definitions".to_owned(), format!("the kind {}", kinds.join(" or ")))
        }
    };
    let hint = format!("an instance has {wanted}; live objects go to `--observed`");
    definition::stray(document, &message, &hint)
}

fn render(
    definition: &Definition,
    document: &Document,
    cluster: &Cluster<'_>,
    is_ours: impl Fn(&Gvk) -> bool,
) -> Result<(Rendered, Standin), Failure> {
    let blueprint = &definition.prepared.blueprint;
    let mut instance = admitted(blueprint, document)?;
    let standin = standin::fill(&mut instance, cluster.given);
    let namespace = match object::text(&instance, "/metadata/namespace") {
        "" => "default",
        namespace => namespace,
    };
    let render = |pool: &Pool| settle(definition, document, &instance, pool);
    let (mut rendered, pool) = if cluster.converge {
        // A wave brings at least one id further, or passes on what changed with one.
        let most = 2 * blueprint.nodes.len() + 3;
        let (rendered, pool, waves) = converge::converge(cluster.live, namespace, most, is_ours, render)?;
        waves.iter().for_each(|wave| report::note(wave));
        (rendered, pool)
    } else {
        let pool = Pool::of(cluster.live.iter().cloned(), namespace);
        (render(&pool)?, pool)
    };
    standin.remove(&mut rendered.instance);
    // What was rendered before, and is observed now, has the instance too.
    let own = Target::of(&rendered.instance);
    for target in pool.unused().filter(|target| Some(*target) != own.as_ref()) {
        report::note(&format!("{target} was given with `--observed`, but the instance has no such child"));
    }
    Ok((rendered, standin))
}

/// The instance as a server would store it.
fn admitted(blueprint: &Blueprint, document: &Document) -> Result<Value, Failure> {
    admission::instance(&blueprint.api, &document.value).map_err(|problems| Failure::problems(document, problems))
}

/// Renders until nothing changes any more.
fn settle(definition: &Definition, document: &Document, instance: &Value, pool: &Pool) -> Result<Rendered, Failure> {
    let Definition { module, prepared, .. } = definition;
    let blueprint = &prepared.blueprint;
    let kinds = kinds_of(definition);
    let namespace = object::text(instance, "/metadata/namespace").to_owned();
    let mut instance = instance.clone();
    // With what says itself which child it is, a chain is not gone through link by
    // link.
    let marked = pool.marked(&policy::owner(blueprint, &instance).name);
    let mut observed = marked.clone();
    // Every round but the last two brings at least one id further: one that
    // fills in defaults, and one that sees no change.
    for _ in 0..blueprint.nodes.len() + 3 {
        let answer = module
            .render(&prepared.program, &unadmitted(&instance), &observed)
            .map_err(|error| definition::refused(error, document))?;
        definition::tell(&answer.log);
        let rendering = answer.value;
        let before = instance.clone();
        if !rendering.defaults.is_empty() && instance.get("spec").is_none() {
            instance["spec"] = Value::Object(Map::new());
        }
        if let Some(spec) = instance.get_mut("spec") {
            defaults::fill(spec, &rendering.defaults);
        }
        let rules = Rules { blueprint, kinds: &kinds, claims: None, instance: &instance };
        let admitted = policy::admit(&rendering, rules).map_err(Failure::fault)?;
        let targets: Vec<Target> = admitted.iter().map(|child| child.target().clone()).collect();
        let seen = look(&rendering, &targets, &marked, pool, &namespace, &kinds);
        if seen == observed && instance == before {
            return Ok(finished(instance, rendering, targets, observed));
        }
        observed = seen;
    }
    let message = format!("the module `{}` does not settle: every rendering differs from the last", module.digest());
    Err(Failure::new(host_core::fault::Blame::Module, message))
}

/// The instance as a module gets it, with the word that no server has checked it.
fn unadmitted(instance: &Value) -> Value {
    let mut instance = receipt::instance(instance);
    let annotations = &mut instance["metadata"]["annotations"];
    // Of another type it is for a server to refuse.
    if annotations.is_null() || annotations.is_object() {
        annotations[contract::UNADMITTED] = "".into();
    }
    instance
}

fn kinds_of(definition: &Definition) -> Kinds {
    let given = |kind: &Gvk| definition.kinds.get(kind).cloned();
    let known = |kind: &Gvk| given(kind).or_else(|| kinds::builtin(kind)).unwrap_or_else(|| kinds::guess(kind));
    definition.prepared.blueprint.kinds.iter().map(|used| (used.kind.clone(), known(&used.kind))).collect()
}

/// What the host would have seen of a rendering: the children where they are
/// stated, and what is `marked` as a child of an id that is blocked.
fn look(
    rendering: &Rendering,
    targets: &[Target],
    marked: &[Observed],
    pool: &Pool,
    namespace: &str,
    kinds: &Kinds,
) -> Vec<Observed> {
    let children = rendering.children.iter().zip(targets);
    let found = children.filter_map(|(child, target)| {
        Some(Observed { id: child.id.clone(), key: child.key.clone(), object: pool.get(target)? })
    });
    let mut observed: Vec<Observed> = found.collect();
    let blocked: BTreeSet<&str> = rendering.blocked.iter().map(|blocked| blocked.id.as_str()).collect();
    let kept = marked.iter().filter(|seen| blocked.contains(seen.id.as_str()));
    observed.extend(
        kept.filter_map(|seen| Some(Observed { object: pool.get(&Target::of(&seen.object)?)?, ..seen.clone() })),
    );
    observed.extend(rendering.reads.iter().flat_map(|read| pool.read(read, namespace, kinds)));
    observed.sort_by(|one, other| (&one.id, &one.key).cmp(&(&other.id, &other.key)));
    observed
}

fn finished(mut instance: Value, rendering: Rendering, targets: Vec<Target>, observed: Vec<Observed>) -> Rendered {
    let there: BTreeSet<(&str, &str)> = observed.iter().map(|seen| (seen.id.as_str(), seen.key.as_str())).collect();
    let all_there = rendering.children.iter().all(|child| there.contains(&(child.id.as_str(), child.key.as_str())));
    let settled = all_there && status::waiting(&rendering).is_none() && rendering.suspended.is_none();
    let state = if settled { "ACTIVE" } else { "IN_PROGRESS" };
    let mut fields = rendering.status.clone();
    fields.insert("state".into(), state.into());
    if !rendering.conditions.is_empty() {
        let conditions = rendering.conditions.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>();
        fields.insert("conditions".into(), conditions.unwrap_or_default().into());
    }
    instance["status"] = Value::Object(fields);
    let children = rendering.children.iter().zip(targets).map(|(child, target)| {
        let mut manifest = child.manifest.clone();
        if !target.namespace.is_empty() {
            manifest["metadata"]["namespace"] = target.namespace.as_str().into();
        }
        (target, manifest)
    });
    let children = children.collect();
    Rendered { instance: inventory::shown(&instance), rendering, children, observed, state }
}

/// The children in topological order, those of a collection by key.
fn in_order(blueprint: &Blueprint, rendering: &Rendering, children: Vec<(Target, Value)>) -> Vec<Value> {
    let order: BTreeMap<&str, usize> = blueprint.order().into_iter().zip(0..).collect();
    let mut keyed: Vec<_> = rendering.children.iter().zip(children).collect();
    keyed.sort_by_key(|(child, _)| (order.get(child.id.as_str()), child.key.as_str()));
    keyed.into_iter().map(|(_, (_, manifest))| manifest).collect()
}
