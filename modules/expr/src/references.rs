//! Which variables an expression reads, and which fields below them. Names that
//! a macro binds are not variables.

use crate::syntax::{Kind, Node};

/// One place where a variable is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference<'n> {
    /// The variable.
    pub root: &'n str,
    /// The fields below it, as far as they are fixed; `*` is any element.
    pub path: Vec<&'n str>,
    /// Where the variable stands.
    pub at: u32,
    /// Whether a missing field is not an error: `has`, `?.`, `[?]`.
    pub guarded: bool,
}

impl Reference<'_> {
    /// The variable and every field on the way to the last one, written out:
    /// `schema`, `schema.spec`, `schema.spec.name`.
    pub fn prefixes(&self) -> impl Iterator<Item = String> {
        (0..=self.path.len()).map(|length| {
            let names = [self.root].into_iter().chain(self.path[..length].iter().copied());
            names.collect::<Vec<_>>().join(".")
        })
    }
}

/// A call, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called<'n> {
    /// Its full name, such as `json.marshal`, if it has no other receiver.
    pub name: String,
    /// Where it stands.
    pub at: u32,
    /// The last part of the name.
    pub last: &'n str,
}

/// What an expression reads and calls, in the order of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions<'n> {
    /// The variables.
    pub references: Vec<Reference<'n>>,
    /// The calls.
    pub calls: Vec<Called<'n>>,
}

/// What an expression reads and calls. `is_function` tells a receiver that is a
/// namespace (`lists` in `lists.range`) from a variable.
pub fn mentions<'n>(node: &'n Node, is_function: &dyn Fn(&str) -> bool) -> Mentions<'n> {
    let mut walk = Walk { bound: Vec::new(), found: Mentions::default(), is_function };
    walk.node(node);
    walk.found
}

struct Walk<'n, 'f> {
    bound: Vec<&'n str>,
    found: Mentions<'n>,
    is_function: &'f dyn Fn(&str) -> bool,
}

impl<'n> Walk<'n, '_> {
    fn node(&mut self, node: &'n Node) {
        if self.path(node) {
            return;
        }
        match &node.kind {
            Kind::Fold(fold) => {
                self.node(&fold.range);
                let names = [Some(fold.first.as_str()), fold.second.as_deref()];
                self.within(names.into_iter().flatten(), |walk| {
                    fold.filter.iter().for_each(|filter| walk.node(filter));
                    walk.node(&fold.body);
                });
            }
            Kind::Bind { name, value, body } => {
                self.node(value);
                self.within([name.as_str()], |walk| walk.node(body));
            }
            Kind::OptMap { operand, name, body, .. } => {
                self.node(operand);
                self.within([name.as_str()], |walk| walk.node(body));
            }
            Kind::SortBy { operand, name, key } => {
                self.node(operand);
                self.within([name.as_str()], |walk| walk.node(key));
            }
            Kind::Call { target, name, args } => self.call(node.at, target.as_deref(), name, args),
            _ => node.children().into_iter().for_each(|child| self.node(child)),
        }
    }

    fn call(&mut self, at: u32, target: Option<&'n Node>, name: &'n str, args: &'n [Node]) {
        let qualified = target.and_then(Node::names).map(|names| format!("{}.{name}", names.join(".")));
        match qualified.filter(|qualified| (self.is_function)(qualified)) {
            Some(qualified) => self.found.calls.push(Called { name: qualified, at, last: name }),
            None => {
                target.into_iter().for_each(|target| self.node(target));
                self.found.calls.push(Called { name: name.to_owned(), at, last: name });
            }
        }
        args.iter().for_each(|argument| self.node(argument));
    }

    fn within(&mut self, names: impl IntoIterator<Item = &'n str>, body: impl FnOnce(&mut Self)) {
        let before = self.bound.len();
        self.bound.extend(names);
        body(self);
        self.bound.truncate(before);
    }

    /// Notes a chain of fields below a variable; false if the node is none. What
    /// stands in brackets is walked on its own.
    fn path(&mut self, node: &'n Node) -> bool {
        let mut path = Vec::new();
        let mut guarded = false;
        let mut indexes = Vec::new();
        let mut at = node;
        let root = loop {
            match &at.kind {
                Kind::Ident(name) => break name.strip_prefix('.').unwrap_or(name),
                Kind::Select { operand, field, optional } => {
                    path.push(field.as_str());
                    guarded |= optional;
                    at = operand;
                }
                Kind::Has { operand, field } => {
                    path.push(field.as_str());
                    guarded = true;
                    at = operand;
                }
                Kind::Index { operand, index, optional } => {
                    match &index.kind {
                        Kind::Text(name) => path.push(name.as_str()),
                        Kind::Int(_) => path.push("*"),
                        _ => {
                            path.push("*");
                            indexes.push(index.as_ref());
                        }
                    }
                    guarded |= optional;
                    at = operand;
                }
                _ => return false,
            }
        };
        if !self.bound.contains(&root) {
            path.reverse();
            self.found.references.push(Reference { root, path, at: at.at, guarded });
        }
        indexes.into_iter().rev().for_each(|index| self.node(index));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;

    fn check(source: &str, expected: &[&str]) {
        let node = parse(source).unwrap();
        let mentions = mentions(&node, &|name| name == "lists.range");
        let found: Vec<String> = mentions
            .references
            .iter()
            .map(|it| {
                let mark = if it.guarded { "?" } else { "" };
                [&[it.root], it.path.as_slice()].concat().join(".") + mark
            })
            .collect();
        assert_eq!(found, expected, "{source}");
    }

    #[test]
    fn paths_are_read_below_variables() {
        check("schema.spec.a['b.c'][0].d", &["schema.spec.a.b.c.*.d"]);
        check("a[b.c].d", &["a.*.d", "b.c"]);
        check("has(a.b.c) ? x.?y : 'z'", &["a.b.c?", "x.y?"]);
        check("lists.range(n)", &["n"]);
    }

    #[test]
    fn what_a_macro_binds_is_no_variable() {
        check("[1].map(x, x * y)", &["y"]);
        check("x.filter(x, x.a).map(y, x)", &["x", "x"]);
        check("l.sortBy(e, e.n)", &["l"]);
        check("l.all(i, j, j > i && k)", &["l", "k"]);
        check("cel.bind(a, b.c, a.d + e)", &["b.c", "e"]);
    }
}
