//! Changes a parsed tree: the macros that the parser does not know are
//! expanded, and what would evaluate differently from run to run, or wrongly on
//! values backed by JSON, goes through functions of ours.

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, ListExpr, LiteralValue, operators};

use super::{Error, children_mut, functions};

/// The variable that `sortBy` binds its list to; no expression can name it.
const SORT_INPUT: &str = "@sorted";

/// Expands `list.sortBy(e, key)`: the library has it as a macro, which the
/// parser that we use leaves alone.
pub(super) fn expand_macros(node: &mut IdedExpr) -> Result<(), Error> {
    for child in children_mut(&mut node.expr) {
        expand_macros(child)?;
    }
    let Expr::Call(call) = &mut node.expr else { return Ok(()) };
    if call.func_name != "sortBy" || call.args.len() != 2 {
        return Ok(());
    }
    let Some(list) = call.target.take() else { return Ok(()) };
    let (Some(key), Some(variable)) = (call.args.pop(), call.args.pop()) else { return Ok(()) };
    let Expr::Ident(variable) = variable.expr else {
        return Err(Error::Unsupported { what: "a `sortBy` whose first argument is no name" });
    };
    node.expr = sort_by(*list, variable, key);
    Ok(())
}

/// Binds the list to a name, so that it is evaluated once, and sorts it by the
/// keys.
fn sort_by(list: IdedExpr, variable: String, key: IdedExpr) -> Expr {
    let input = || node(Expr::Ident(SORT_INPUT.to_owned()));
    let keys = Expr::Comprehension(Box::new(ComprehensionExpr {
        iter_range: input(),
        iter_var: variable,
        iter_var2: None,
        accu_var: "@result".to_owned(),
        accu_init: empty_list(),
        loop_cond: node(Expr::Literal(LiteralValue::Boolean(true.into()))),
        loop_step: node(call(
            operators::ADD,
            vec![node(Expr::Ident("@result".to_owned())), node(Expr::List(ListExpr::new(vec![key])))],
        )),
        result: node(Expr::Ident("@result".to_owned())),
    }));
    let sorted = CallExpr {
        func_name: "@sortByAssociatedKeys".to_owned(),
        target: Some(Box::new(input())),
        args: vec![node(keys)],
    };
    Expr::Comprehension(Box::new(ComprehensionExpr {
        iter_range: empty_list(),
        iter_var: "@unused".to_owned(),
        iter_var2: None,
        accu_var: SORT_INPUT.to_owned(),
        accu_init: list,
        loop_cond: node(Expr::Literal(LiteralValue::Boolean(false.into()))),
        loop_step: input(),
        result: node(Expr::Call(sorted)),
    }))
}

/// Replaces what must not be left to the engine:
/// - iterating over a map, whose order there is random: keys in order instead;
/// - `==`, `!=` and `in` between containers, which there compares by Rust type
///   and so never finds a literal equal to a value backed by JSON;
/// - `matches`, which there compiles its pattern on every call;
/// - field access, which there first tries every prefix as a dotted name.
pub(super) fn make_deterministic(node: &mut IdedExpr) {
    children_mut(&mut node.expr).into_iter().for_each(make_deterministic);
    match &mut node.expr {
        Expr::Comprehension(it) if !matches!(it.iter_range.expr, Expr::List(_)) => {
            let range = std::mem::take(&mut it.iter_range);
            it.iter_range = self::node(call(functions::ELEMENTS, vec![range]));
        }
        Expr::Call(it) => redirect(it),
        Expr::Select(select) if !select.test => {
            let operand = std::mem::take(select.operand.as_mut());
            let field = LiteralValue::String(std::mem::take(&mut select.field).into());
            node.expr = call(operators::INDEX, vec![operand, self::node(Expr::Literal(field))]);
        }
        _ => {}
    }
}

fn redirect(it: &mut CallExpr) {
    match (it.func_name.as_str(), it.args.len()) {
        (operators::EQUALS, 2) if !it.args.iter().any(is_scalar) => it.func_name = functions::EQUAL.to_owned(),
        (operators::NOT_EQUALS, 2) if !it.args.iter().any(is_scalar) => it.func_name = functions::UNEQUAL.to_owned(),
        (operators::IN, 2) if !is_list_of_scalars(&it.args[1]) => it.func_name = functions::CONTAINS.to_owned(),
        ("matches", 1 | 2) => {
            if let Some(target) = it.target.take() {
                it.args.insert(0, *target);
            }
            it.func_name = functions::MATCHES.to_owned();
        }
        _ => {}
    }
}

fn is_scalar(node: &IdedExpr) -> bool {
    matches!(node.expr, Expr::Literal(_))
}

fn is_list_of_scalars(node: &IdedExpr) -> bool {
    matches!(&node.expr, Expr::List(list) if list.elements.iter().all(is_scalar))
}

fn empty_list() -> IdedExpr {
    node(Expr::List(ListExpr::new(Vec::new())))
}

fn call(name: &str, args: Vec<IdedExpr>) -> Expr {
    Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args })
}

fn node(expr: Expr) -> IdedExpr {
    IdedExpr { id: 0, expr }
}
