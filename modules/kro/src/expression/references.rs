//! Which variables an expression refers to, and which fields below them, with
//! the variables that macros such as `map` bind left out.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};

use super::{Expression, children, functions};

/// One mention of a variable, with the fields selected below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference<'e> {
    /// The variable.
    pub(crate) root: &'e str,
    /// The fields by name, up to the first computed one.
    pub(crate) fields: Vec<&'e str>,
    /// Whether it only asks if the last field is there (`has`).
    pub(crate) test: bool,
}

/// One call of a function that is no operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call<'e> {
    /// Its name, such as `size` or `lists.range`.
    pub(crate) name: String,
    /// The name as it stands at the end of the text before the parenthesis.
    pub(crate) last: &'e str,
    /// Whether it is called on a value.
    pub(crate) member: bool,
}

/// Everything outside itself that an expression mentions.
#[derive(Debug, Default)]
pub(crate) struct Mentions<'e> {
    /// Variables, in the order in which they stand in the tree.
    pub(crate) references: Vec<Reference<'e>>,
    /// Functions.
    pub(crate) calls: Vec<Call<'e>>,
}

impl Expression {
    /// What it mentions.
    pub(crate) fn mentions(&self) -> Mentions<'_> {
        mentions(&self.ast)
    }
}

/// What a tree mentions.
pub(super) fn mentions(tree: &IdedExpr) -> Mentions<'_> {
    let mut walk = Walk { bound: Vec::new(), found: Mentions::default() };
    walk.visit(tree);
    walk.found
}

struct Walk<'e> {
    bound: Vec<&'e str>,
    found: Mentions<'e>,
}

impl<'e> Walk<'e> {
    fn visit(&mut self, node: &'e IdedExpr) {
        if self.chain(node) {
            return;
        }
        match &node.expr {
            Expr::Comprehension(it) => {
                self.visit(&it.iter_range);
                self.visit(&it.accu_init);
                self.bound.extend([it.iter_var.as_str(), it.accu_var.as_str()]);
                self.visit(&it.loop_cond);
                self.visit(&it.loop_step);
                self.bound.pop();
                self.bound.pop();
                self.bound.push(&it.accu_var);
                self.visit(&it.result);
                self.bound.pop();
            }
            Expr::Call(call) => self.call(call),
            other => children(other).into_iter().for_each(|child| self.visit(child)),
        }
    }

    fn call(&mut self, call: &'e CallExpr) {
        let qualified = functions::qualified_name(call);
        if !functions::is_operator(&call.func_name) {
            let name = qualified.clone().unwrap_or_else(|| call.func_name.clone());
            let member = call.target.is_some() && qualified.is_none();
            self.found.calls.push(Call { name, last: &call.func_name, member });
        }
        // The `lists` of `lists.range(3)` is no variable.
        if qualified.is_none() {
            call.target.iter().for_each(|target| self.visit(target));
        }
        call.args.iter().for_each(|argument| self.visit(argument));
    }

    /// Notes a variable with its fields; false if the node is no such chain.
    fn chain(&mut self, node: &'e IdedExpr) -> bool {
        let mut fields = Vec::new();
        let mut test = false;
        let mut node = node;
        loop {
            match &node.expr {
                Expr::Ident(name) => {
                    let root = name.strip_prefix('.').unwrap_or(name);
                    if !self.bound.contains(&root) {
                        fields.reverse();
                        self.found.references.push(Reference { root, fields, test });
                    }
                    return true;
                }
                Expr::Select(select) => {
                    test |= select.test;
                    fields.push(select.field.as_str());
                    node = &select.operand;
                }
                Expr::Call(call) => match literal_index(call) {
                    Some((operand, field)) => {
                        fields.push(field);
                        node = operand;
                    }
                    None => return false,
                },
                _ => return false,
            }
        }
    }
}

/// The operand and the field of `operand["field"]`.
fn literal_index(call: &CallExpr) -> Option<(&IdedExpr, &str)> {
    match call.args.as_slice() {
        [operand, IdedExpr { expr: Expr::Literal(LiteralValue::String(field)), .. }]
            if call.func_name == operators::INDEX && call.target.is_none() =>
        {
            Some((operand, field.inner()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::expression::parse;

    fn references(source: &str) -> Vec<String> {
        let expression = parse(source).unwrap();
        let mentions = expression.mentions();
        mentions.references.iter().map(|it| [&[it.root], it.fields.as_slice()].concat().join(".")).collect()
    }

    #[test]
    fn fields_are_followed_up_to_the_first_computed_one() {
        assert_eq!(references("schema.spec.a['b.c'][0].d"), ["schema.spec.a.b.c"]);
        assert_eq!(references("a[b.c].d"), ["a", "b.c"]);
        assert_eq!(references("has(a.b.c) ? x.y : 'z'"), ["a.b.c", "x.y"]);
    }

    #[test]
    fn what_a_macro_binds_is_no_reference() {
        assert_eq!(references("[1].map(x, x * y)"), ["y"]);
        assert_eq!(references("x.filter(x, x.a).map(y, x)"), ["x", "x"]);
        assert_eq!(references("l.sortBy(e, e.n)"), ["l"]);
        assert_eq!(references("l.all(i, i.all(j, j > i && k))"), ["l", "k"]);
    }

    #[test]
    fn functions_are_told_from_variables() {
        let expression = parse("lists.range(n).map(i, string(i)).join(',')").unwrap();
        let calls: Vec<_> = expression.mentions().calls.into_iter().map(|call| (call.name, call.member)).collect();
        let expected = [("join", true), ("lists.range", false), ("string", false)];
        assert_eq!(calls, expected.map(|(name, member)| (name.to_owned(), member)));
        assert_eq!(references("lists.range(n)"), ["n"]);
    }
}
