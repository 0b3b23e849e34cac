//! Puts a checked definition together: the blueprint for the host and the
//! program for `render`.

use std::{collections::BTreeMap, ops::RangeInclusive};

use expr::hint::Hint;
use guest_sdk::{
    Access, Api, Blueprint, Failure, Gvk, Node as BlueprintNode, Prepared, Problem, Role, UsedKind, document::Fields,
    plural,
};
use serde_json::Value;

use crate::{
    check::{self, Checked, Schemas},
    collect::{Collected, Draft, DraftBody, DraftPiece, Place},
    crd,
    model::{Body as ModelBody, Definition, Dialect, Resource, Select},
    program::{Body, Expression, Kind, Node, Piece, Program, Template, Variable},
    skeleton::Skeleton,
    structural::Shape,
    validation::Rule,
};

/// The definition, prepared. `spec` is the schema of its instances' `spec`.
pub(crate) fn prepared(
    definition: &Definition,
    collected: &Collected,
    checked: &Checked,
    schemas: &Schemas,
    spec: &Value,
    rules: Vec<Rule>,
    warnings: Vec<Problem>,
) -> Result<Prepared, Failure> {
    let mut positions = vec![0; definition.resources.len()];
    checked.order.iter().enumerate().for_each(|(position, index)| positions[*index] = number(position));
    let reads = reads(definition, collected, checked);
    let assembly = Assembly { definition, collected, checked, schemas, positions, reads };
    let program = Program {
        strict: definition.dialect == Dialect::V01,
        spec: Shape::of(spec),
        rules,
        variables: assembly.variables(),
        nodes: checked.order.iter().map(|index| assembly.node(&definition.resources[*index])).collect(),
        status: collected.status.iter().map(|(name, draft)| (*name, assembly.template(draft))).collect(),
        conditions: assembly.all(Place::Condition..=Place::Condition),
    };
    let program = program.to_bytes().map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(Prepared { blueprint: assembly.blueprint(spec), program, warnings })
}

struct Assembly<'a> {
    definition: &'a Definition,
    collected: &'a Collected<'a, 'a>,
    checked: &'a Checked<'a, 'a>,
    schemas: &'a Schemas<'a>,
    /// Where each resource is among the nodes.
    positions: Vec<u16>,
    /// Which fields of each resource's objects any expression reads.
    reads: Vec<Fields<'a>>,
}

/// Which fields of each resource's objects any expression reads.
fn reads<'a>(definition: &Definition, collected: &Collected, checked: &Checked<'a, '_>) -> Vec<Fields<'a>> {
    let count = definition.resources.len();
    let mut reads = vec![Fields::none(); count];
    for (found, typed) in collected.found.iter().zip(&checked.typed) {
        let Some((_, code)) = typed else { continue };
        for (variable, path) in code.reads() {
            // After the ids comes `each`, one object of the resource that asks.
            let resource = match (usize::from(variable).checked_sub(1), found.place) {
                (Some(each), Place::ReadyWhen(own)) if each == count => Some(own),
                (resource, _) => resource,
            };
            if let Some(fields) = resource.and_then(|resource| reads.get_mut(resource)) {
                fields.add(path);
            }
        }
    }
    reads
}

/// A definition has far fewer than 65,536 resources: the host bounds it.
fn number(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

fn kind_of(resource: &Resource) -> Gvk {
    let none = || Gvk { group: String::new(), version: String::new(), kind: String::new() };
    resource.gvk().unwrap_or_else(none)
}

impl<'a> Assembly<'a> {
    /// Where a resource is among the nodes.
    fn position(&self, resource: usize) -> u16 {
        self.positions.get(resource).copied().unwrap_or_default()
    }

    fn blueprint(&self, spec: &Value) -> Blueprint {
        let definition = self.definition;
        let mut kinds: BTreeMap<Gvk, Access> = BTreeMap::new();
        for resource in &definition.resources {
            let access = if matches!(resource.body, ModelBody::Template(_)) { Access::Manage } else { Access::Read };
            let known = kinds.entry(kind_of(resource)).or_insert(access);
            *known = (*known).max(access);
        }
        let kind =
            Gvk { group: definition.group.clone(), version: definition.version.clone(), kind: definition.kind.clone() };
        let crd = crd::build(definition, spec.clone(), self.checked.status.clone());
        Blueprint {
            api: Api { kind, plural: plural::of(&definition.kind), scope: definition.scope, crd },
            kinds: kinds.into_iter().map(|(kind, access)| UsedKind { kind, access }).collect(),
            nodes: self.checked.order.iter().map(|index| self.blueprint_node(*index)).collect(),
        }
    }

    fn blueprint_node(&self, index: usize) -> BlueprintNode {
        let resource = &self.definition.resources[index];
        let role = match &resource.body {
            ModelBody::Template(_) if resource.for_each.is_empty() => Role::Child,
            ModelBody::Template(_) => Role::Collection,
            ModelBody::External { select: Select::Name(_), .. } => Role::External,
            ModelBody::External { select: Select::Labels(_), .. } => Role::ExternalCollection,
        };
        let on = self.checked.dependencies[index].iter().map(|index| self.definition.resources[*index].id.clone());
        BlueprintNode { id: resource.id.clone(), role, kind: kind_of(resource), depends_on: on.collect() }
    }

    /// The variables of expressions, with hints for what is read of them.
    fn variables(&self) -> Vec<Variable<'a>> {
        let names = check::variables(self.definition);
        let mut read = self.read();
        let mut hint = |index: usize, name: &str| match index {
            _ if self.definition.dialect == Dialect::V01 => None,
            0 => Hint::of(self.schemas.instance(), &read.remove(name).unwrap_or_default()),
            _ => {
                let resource = self.definition.resources.get(index - 1)?;
                let mut paths = read.remove(name).unwrap_or_default();
                if check::is_collection(resource) && !paths.is_empty() {
                    // What a macro reads of the elements is not followed.
                    paths = vec![Vec::new()];
                }
                Hint::of(self.schemas.resource(index - 1), &paths)
            }
        };
        names.into_iter().enumerate().map(|(index, name)| Variable { name, hint: hint(index, name) }).collect()
    }

    /// The paths below each variable that expressions read as its schema says;
    /// readyWhen reads them as they stand.
    fn read(&self) -> BTreeMap<&'a str, Vec<Vec<String>>> {
        let mut paths: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
        for found in self.collected.found.iter().filter(|found| !matches!(found.place, Place::ReadyWhen(_))) {
            for reference in found.site.mentions().references {
                let path = reference.path.into_iter().map(str::to_owned).collect();
                paths.entry(reference.root).or_default().push(path);
            }
        }
        paths
    }

    fn expression(&self, index: usize) -> Expression<'a> {
        // Every expression was checked, or an error was noted before.
        let code = self.checked.typed.get(index).and_then(Option::as_ref).map(|(_, code)| code.clone());
        let source = self.collected.found.get(index).map_or("", |found| found.site.source.as_str());
        Expression { source, code: code.unwrap_or(expr::code::Code::Wrong) }
    }

    fn all(&self, places: RangeInclusive<Place>) -> Vec<Expression<'a>> {
        self.collected.numbered(places).map(|index| self.expression(index)).collect()
    }

    fn node(&self, resource: &'a Resource) -> Node<'a> {
        let index = resource.index;
        let iterators = resource.for_each.iter().map(|(name, _)| name.as_str());
        let dimensions = self.all(Place::dimensions(index));
        let deciding = |expression: &Expression| {
            let reads = expression.code.reads();
            let resources = reads.into_iter().map(|(variable, _)| usize::from(variable));
            let mut positions: Vec<u16> = resources
                .filter(|variable| (1..=self.definition.resources.len()).contains(variable))
                .map(|variable| self.position(variable - 1))
                .collect();
            positions.sort_unstable();
            positions.dedup();
            positions
        };
        let include_when = self.all(Place::IncludeWhen(index)..=Place::IncludeWhen(index));
        Node {
            id: &resource.id,
            variable: number(index + 1),
            depends_on: self.checked.dependencies[index].iter().map(|index| self.position(*index)).collect(),
            body: self.body(resource),
            reads: self.reads.get(index).cloned().unwrap_or(Fields::All),
            for_each: iterators.zip(dimensions).collect(),
            ready_when: self.all(Place::ReadyWhen(index)..=Place::ReadyWhen(index)),
            include_when: include_when.into_iter().map(|it| (it.clone(), deciding(&it))).collect(),
        }
    }

    fn body(&self, resource: &'a Resource) -> Body<'a> {
        let (api_version, kind) = resource.type_names().unwrap_or_default();
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = Kind { group, version, kind };
        match &self.collected.bodies[resource.index] {
            DraftBody::Object(draft) => {
                let Template::Map(mut fields) = self.template(draft) else {
                    // What is not an object was refused.
                    return Body::Object(kind, Template::Null, Skeleton::default());
                };
                let at = fields.iter().position(|(name, _)| *name == "metadata");
                let metadata = at.map_or(Template::Null, |at| fields.remove(at).1);
                Body::Object(kind, metadata, Skeleton::of(fields))
            }
            DraftBody::Named(namespace, name) => Body::Named(kind, self.template(namespace), self.template(name)),
            DraftBody::Labelled(namespace, selector) => {
                Body::Labelled(kind, self.template(namespace), self.template(selector))
            }
        }
    }

    fn template(&self, draft: &Draft<'a>) -> Template<'a> {
        match draft {
            Draft::Literal(value) => literal(value),
            Draft::Text(text) => Template::Text(text),
            Draft::List(elements) => Template::List(elements.iter().map(|draft| self.template(draft)).collect()),
            Draft::Map(fields) => {
                Template::Map(fields.iter().map(|(name, draft)| (*name, self.template(draft))).collect())
            }
            Draft::Expression(index) => Template::Value(self.expression(*index)),
            Draft::Printed(pieces) => Template::Printed(
                pieces
                    .iter()
                    .map(|piece| match piece {
                        DraftPiece::Text(text) => Piece::Text(text),
                        DraftPiece::Expression(index) => Piece::Value(self.expression(*index)),
                    })
                    .collect(),
            ),
        }
    }
}

fn literal(value: &Value) -> Template<'_> {
    match value {
        Value::Null => Template::Null,
        Value::Bool(value) => Template::Bool(*value),
        Value::Number(number) => Template::number(number),
        Value::String(text) => Template::Text(text),
        Value::Array(elements) => Template::List(elements.iter().map(literal).collect()),
        Value::Object(fields) => {
            Template::Map(fields.iter().map(|(name, value)| (name.as_str(), literal(value))).collect())
        }
    }
}
