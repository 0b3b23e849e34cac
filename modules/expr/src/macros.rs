//! The macros that the parser does not know: those with two variables, bindings,
//! optionals, sorting, and kro's `runtime.newCondition`.
//!
//! A call that looks like a macro and is none (another number of arguments, an
//! argument that is not a name) stays a call, or is refused where cel-go does.

use crate::{
    parse::Converter,
    syntax::{Action, Fold, Kind, Node},
};

/// The keys of a condition, in the order in which messages name them.
const CONDITION_KEYS: [&str; 4] = ["type", "status", "reason", "message"];

/// The macro that a call is, or the call.
pub(crate) fn expand(converter: &mut Converter, node: Node) -> Node {
    let Node { at, kind } = node;
    let Kind::Call { target: Some(target), name, args } = kind else { return Node::new(at, kind) };
    let receiver = target.names().map(|names| names.join(".")).unwrap_or_default();
    match (receiver.as_str(), name.as_str(), args.len()) {
        ("cel", "bind", 3) => bind(converter, at, args),
        ("math", "greatest" | "least", _) => extreme(converter, at, target, &name, args),
        ("runtime", "newCondition", 1) => condition(converter, at, target, args),
        (_, "optMap" | "optFlatMap", 2) => opt_map(converter, at, target, &name, args),
        (_, "sortBy", 2) => sort_by(converter, at, target, args),
        (_, "all" | "exists" | "existsOne" | "exists_one", 3) => two_variables(converter, at, *target, &name, args),
        (_, "transformList" | "transformMap" | "transformMapEntry", 3 | 4) => {
            two_variables(converter, at, *target, &name, args)
        }
        _ => Node::new(at, Kind::Call { target: Some(target), name, args }),
    }
}

/// The name that an argument is.
fn name_of(converter: &mut Converter, node: &Node, what: &str) -> String {
    match &node.kind {
        Kind::Ident(name) if !name.starts_with('.') => name.clone(),
        _ => {
            converter.refuse(node.at, format!("{what} must be a simple name"));
            String::new()
        }
    }
}

/// The arguments as an array of known length: the caller has counted them.
fn exactly<const N: usize>(args: Vec<Node>) -> [Node; N] {
    args.try_into().unwrap_or_else(|_| std::array::from_fn(|_| Node::new(0, Kind::Null)))
}

fn bind(converter: &mut Converter, at: u32, args: Vec<Node>) -> Node {
    let [name, value, body] = exactly(args);
    let name = match &name.kind {
        Kind::Ident(name) => name.clone(),
        _ => name_of(converter, &name, "cel.bind() variable names"),
    };
    Node::new(at, Kind::Bind { name, value: Box::new(value), body: Box::new(body) })
}

/// `math.greatest(a, b, …)`: any number of arguments, as one list.
fn extreme(converter: &mut Converter, at: u32, target: Box<Node>, name: &str, mut args: Vec<Node>) -> Node {
    if args.is_empty() {
        converter.refuse(at, format!("math.{name}() requires at least one argument"));
    }
    let function = if name == "greatest" { "@max" } else { "@min" };
    if args.len() > 1 {
        let elements = args.drain(..).map(|argument| (argument, false)).collect();
        args.push(Node::new(at, Kind::List(elements)));
    }
    Node::new(at, Kind::Call { target: Some(target), name: function.to_owned(), args })
}

fn opt_map(converter: &mut Converter, at: u32, target: Box<Node>, name: &str, args: Vec<Node>) -> Node {
    let [variable, body] = exactly(args);
    let variable = name_of(converter, &variable, &format!("{name}() variable name"));
    Node::new(at, Kind::OptMap { operand: target, name: variable, body: Box::new(body), flat: name == "optFlatMap" })
}

fn sort_by(converter: &mut Converter, at: u32, target: Box<Node>, args: Vec<Node>) -> Node {
    let [variable, key] = exactly(args);
    let variable = name_of(converter, &variable, "argument");
    Node::new(at, Kind::SortBy { operand: target, name: variable, key: Box::new(key) })
}

fn two_variables(converter: &mut Converter, at: u32, range: Node, name: &str, mut args: Vec<Node>) -> Node {
    // There are three or four: the caller has counted them.
    let body = args.pop().unwrap_or(Node::new(at, Kind::Null));
    let filter = (args.len() == 3).then(|| args.pop()).flatten();
    let [first, second] = exactly(args);
    let action = match name {
        "all" => Action::All,
        "exists" => Action::Exists,
        "existsOne" | "exists_one" => Action::ExistsOne,
        "transformList" => Action::List,
        "transformMap" => Action::Map,
        _ => Action::MapEntry,
    };
    let names = (name_of(converter, &first, "argument"), name_of(converter, &second, "argument"));
    if names.0 == names.1 && !names.0.is_empty() {
        converter.refuse(second.at, format!("duplicate variable name: {}", names.1));
    }
    let fold = Fold { action, range, first: names.0, second: Some(names.1), filter, body };
    Node::new(at, Kind::Fold(Box::new(fold)))
}

/// `runtime.newCondition({type: …})`: its keys are names, not expressions.
fn condition(converter: &mut Converter, at: u32, target: Box<Node>, args: Vec<Node>) -> Node {
    let [mut literal] = exactly(args);
    let literal_at = literal.at;
    let Kind::Map(entries) = &mut literal.kind else {
        converter.refuse(literal_at, "runtime.newCondition: argument must be a map literal");
        return literal;
    };
    let mut seen: Vec<String> = Vec::new();
    for entry in entries.iter_mut() {
        let Kind::Ident(key) = &entry.key.kind else {
            let allowed = CONDITION_KEYS.join(", ");
            converter.refuse(
                entry.key.at,
                format!(
                    "runtime.newCondition: keys must be bare identifiers ({allowed}); quoted or computed keys are not allowed"
                ),
            );
            continue;
        };
        let key = key.clone();
        if !CONDITION_KEYS.contains(&key.as_str()) {
            let allowed = CONDITION_KEYS.join(", ");
            converter.refuse(entry.key.at, format!("runtime.newCondition: unknown key \"{key}\" (allowed: {allowed})"));
        } else if seen.contains(&key) {
            converter.refuse(entry.key.at, format!("runtime.newCondition: duplicate key \"{key}\""));
        }
        seen.push(key.clone());
        entry.key.kind = Kind::Text(key);
    }
    if converter.issues.is_empty() {
        for key in ["type", "status"].iter().filter(|key| !seen.iter().any(|seen| seen == **key)) {
            converter.refuse(literal_at, format!("runtime.newCondition: '{key}' is required"));
        }
    }
    Node::new(at, Kind::Call { target: Some(target), name: "newCondition".to_owned(), args: vec![literal] })
}
