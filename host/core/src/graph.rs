//! The dependency graph of a definition for its author: as Mermaid, as Graphviz
//! and as a picture.
//!
//! It draws what a module told of a definition. It reads no definition, knows
//! no instance and asks nobody.

mod mermaid;
mod dot;
mod svg;
mod layout;
mod text;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    iter,
};

use contract::{Blueprint, Node, Role};

/// A Mermaid flowchart from top to bottom, ending with a newline.
pub fn mermaid(blueprint: &Blueprint) -> String {
    mermaid::print(&Graph::of(blueprint))
}

/// A digraph in the language of Graphviz, ending with a newline.
pub fn dot(blueprint: &Blueprint) -> String {
    dot::print(&Graph::of(blueprint))
}

/// A file of its own in SVG 1.1, which needs no script, no font and nothing
/// else from outside, ending with a newline.
pub fn svg(blueprint: &Blueprint) -> String {
    svg::print(&Graph::of(blueprint))
}

/// The place of the instance among a graph's vertices.
const INSTANCE: usize = 0;

/// What is drawn, whichever way.
struct Graph {
    /// The instance, then the ids of the definition in topological order.
    vertices: Vec<Vertex>,
    /// Each once, by dependent: what leads to a vertex stands before what leads
    /// on from it.
    edges: Vec<Edge>,
}

/// One thing that is drawn with a border.
struct Vertex {
    /// The id, or the instance's kind.
    name: String,
    /// `Deployment apps/v1`, or the instance's API version.
    kind: String,
    /// What it stands for.
    part: Part,
}

/// Two vertices by their place in the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edge {
    /// What has to be ready first.
    from: usize,
    /// What needs it.
    to: usize,
}

/// What a vertex stands for: the instance, or the role of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Instance,
    Child,
    Collection,
    External,
    ExternalCollection,
}

impl Part {
    /// In the order of a legend.
    const ALL: [Part; 5] = [Part::Instance, Part::Child, Part::Collection, Part::External, Part::ExternalCollection];

    /// For people.
    fn label(self) -> &'static str {
        match self {
            Part::Instance => "instance",
            Part::Child => "child",
            Part::Collection => "collection",
            Part::External => "external",
            Part::ExternalCollection => "external collection",
        }
    }

    /// Whether somebody else owns it, so that it is only read.
    fn is_external(self) -> bool {
        matches!(self, Part::External | Part::ExternalCollection)
    }

    /// Whether it stands for any number of objects.
    fn is_collection(self) -> bool {
        matches!(self, Part::Collection | Part::ExternalCollection)
    }
}

impl From<Role> for Part {
    fn from(role: Role) -> Part {
        match role {
            Role::Child => Part::Child,
            Role::Collection => Part::Collection,
            Role::External => Part::External,
            Role::ExternalCollection => Part::ExternalCollection,
        }
    }
}

impl Graph {
    /// The graph of a blueprint that the sandbox accepted. A dependency that
    /// does not come before its dependent, which the sandbox refuses, is left
    /// out, so that there is no cycle whatever the blueprint says.
    fn of(blueprint: &Blueprint) -> Graph {
        let api = &blueprint.api.kind;
        let instance = Vertex { name: api.kind.clone(), kind: api.api_version(), part: Part::Instance };
        let vertex = |node: &Node| Vertex {
            name: node.id.clone(),
            kind: format!("{} {}", node.kind.kind, node.kind.api_version()),
            part: node.role.into(),
        };
        let vertices = iter::once(instance).chain(blueprint.nodes.iter().map(vertex)).collect();
        Graph { vertices, edges: edges(&blueprint.nodes) }
    }

    /// `Greeting kro.run/v1alpha1`.
    fn title(&self) -> String {
        let instance = &self.vertices[INSTANCE];
        format!("{} {}", instance.name, instance.kind)
    }

    /// Whether the edge is a read of what somebody else owns.
    fn is_read(&self, edge: Edge) -> bool {
        self.vertices[edge.from].part.is_external()
    }
}

/// The dependencies, and an edge from the instance to each own node that no
/// chain of them connects with it. What somebody else owns is there without the
/// instance.
fn edges(nodes: &[Node]) -> Vec<Edge> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut reached = HashSet::from([INSTANCE]);
    let mut edges = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        let to = index + 1;
        let mut sources: BTreeSet<usize> =
            node.depends_on.iter().filter_map(|id| places.get(id.as_str()).copied()).collect();
        let is_reached = sources.iter().any(|source| reached.contains(source));
        let is_own = !Part::from(node.role).is_external();
        if is_own && !is_reached {
            sources.insert(INSTANCE);
        }
        if is_own || is_reached {
            reached.insert(to);
        }
        edges.extend(sources.into_iter().map(|from| Edge { from, to }));
        places.insert(node.id.as_str(), to);
    }
    edges
}

#[cfg(test)]
mod tests;
