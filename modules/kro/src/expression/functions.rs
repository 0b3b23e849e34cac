//! The functions that an expression may call: those of kro v0.1's environment,
//! and the ones of ours that rewritten trees call.
//!
//! Declaring the whole library costs more than most renders, so a handful of
//! everyday functions are declared alone unless an expression needs more.

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use cel::{
    DeclarationError, Env, ExecutionError,
    common::{
        ast::{CallExpr, Expr, IdedExpr},
        functions::Function,
        types::{
            CelBool, CelBytes, CelDouble, CelInt, CelList, CelMap, CelString, CelUInt, DYN_TYPE, Kind, STRING_TYPE,
        },
        value::CowVal,
    },
    extensions,
};
use regex::Regex;

use super::{children, references, value};
use crate::problem::nearest;

pub(super) const ELEMENTS: &str = "@elements";
pub(super) const EQUAL: &str = "@equal";
pub(super) const UNEQUAL: &str = "@unequal";
pub(super) const CONTAINS: &str = "@contains";
pub(super) const MATCHES: &str = "@matches";

/// The names that are types, and so no references.
pub(crate) const TYPE_NAMES: [&str; 10] =
    ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];

/// Functions that are called on their own.
pub(crate) const GLOBAL_NAMES: [&str; 12] = [
    "bool",
    "bytes",
    "double",
    "dyn",
    "int",
    "lists.range",
    "matches",
    "size",
    "string",
    "strings.quote",
    "type",
    "uint",
];

/// Functions that are called on a value.
const MEMBER_NAMES: [&str; 24] = [
    "charAt",
    "contains",
    "distinct",
    "endsWith",
    "flatten",
    "format",
    "indexOf",
    "join",
    "lastIndexOf",
    "lowerAscii",
    "matches",
    "replace",
    "reverse",
    "size",
    "slice",
    "sort",
    "sortBy",
    "split",
    "startsWith",
    "substring",
    "trim",
    "upperAscii",
    // The library's own target of `sortBy`, which no text can name.
    "@sortByAssociatedKeys",
    "@not_strictly_false",
];

/// The functions that are always there.
const EVERYDAY: [&str; 6] = ["contains", "endsWith", "matches", "size", "startsWith", "string"];

/// What is wrong with calling a function of this name, if anything, and what
/// was probably meant.
pub(crate) fn unknown_function(call: &references::Call) -> Option<(String, Option<String>)> {
    let known: &[&str] = if call.member { &MEMBER_NAMES } else { &GLOBAL_NAMES };
    if known.contains(&call.name.as_str()) {
        return None;
    }
    let hint = match call.name.as_str() {
        "timestamp" | "duration" => {
            Some("this module has no timestamps and durations; compare texts instead".to_owned())
        }
        name => nearest(name, known.iter().copied().filter(|known| !known.starts_with('@')))
            .map(|known| format!("did you mean `{known}`?")),
    };
    Some((format!("undeclared reference to '{}': no such function", call.name), hint))
}

/// The name of a call such as `lists.range(3)`, which has a target in the tree
/// that is no value.
pub(super) fn qualified_name(call: &CallExpr) -> Option<String> {
    let Expr::Ident(namespace) = &call.target.as_ref()?.expr else { return None };
    let name = format!("{namespace}.{}", call.func_name);
    GLOBAL_NAMES.contains(&name.as_str()).then_some(name)
}

/// Whether a function's name is an operator's or a macro's, not one that an
/// author wrote.
pub(super) fn is_operator(name: &str) -> bool {
    name.starts_with(['_', '@', '!', '-'])
}

/// Whether a tree calls or names anything beyond the everyday functions.
pub(super) fn needs_whole_library(tree: &IdedExpr) -> bool {
    let mentions = references::mentions(tree);
    let calls = mentions.calls.iter().any(|call| !EVERYDAY.contains(&call.name.as_str()));
    calls || mentions.references.iter().any(|it| TYPE_NAMES.contains(&it.root)) || sorts(tree)
}

fn sorts(node: &IdedExpr) -> bool {
    matches!(&node.expr, Expr::Call(call) if call.func_name == "@sortByAssociatedKeys")
        || children(&node.expr).into_iter().any(sorts)
}

/// What expressions that call nothing but everyday functions need.
pub(super) fn everyday() -> Result<Arc<Env>, DeclarationError> {
    let mut env = Env::default();
    declare_own(&mut env)?;
    env.add_overload("size", "size", vec![DYN_TYPE], size)?;
    env.add_member_overload("size", "member_size", DYN_TYPE, vec![], size)?;
    env.add_overload("string", "string", vec![DYN_TYPE], string)?;
    for (name, operation) in
        [("contains", contains_text as Function), ("startsWith", starts_with), ("endsWith", ends_with)]
    {
        env.add_member_overload(name, name, STRING_TYPE, vec![STRING_TYPE], operation)?;
    }
    Ok(Arc::new(env))
}

/// Everything that kro v0.1's environment has.
pub(super) fn whole_library() -> Result<Arc<Env>, DeclarationError> {
    let mut env = Env::default().with_stdlib();
    env.add_extension(extensions::strings)?;
    env.add_extension(extensions::lists)?;
    declare_own(&mut env)?;
    Ok(Arc::new(env))
}

fn declare_own(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_overload(ELEMENTS, ELEMENTS, vec![DYN_TYPE], elements)?;
    env.add_overload(EQUAL, EQUAL, vec![DYN_TYPE, DYN_TYPE], equal)?;
    env.add_overload(UNEQUAL, UNEQUAL, vec![DYN_TYPE, DYN_TYPE], unequal)?;
    env.add_overload(CONTAINS, CONTAINS, vec![DYN_TYPE, DYN_TYPE], contains)?;
    env.add_overload(MATCHES, MATCHES, vec![STRING_TYPE, STRING_TYPE], matches)
}

type Arguments<'b, 'v> = Vec<CowVal<'b, 'v>>;
type Answer<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

/// The value itself, or for a map literal its keys in order.
fn elements<'b, 'v>(mut arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let range = arguments.swap_remove(0);
    let Some(map) = range.downcast_ref::<CelMap>() else { return Ok(range) };
    let mut keys: Vec<_> = map.keys().collect();
    keys.sort();
    let keys: Vec<_> = keys.into_iter().map(|key| key.inner().clone_as_boxed()).collect();
    Ok(CowVal::owned(CelList::from(keys)))
}

fn equal<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    Ok(bool(value::equal(arguments[0].as_ref(), arguments[1].as_ref())))
}

fn unequal<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    Ok(bool(!value::equal(arguments[0].as_ref(), arguments[1].as_ref())))
}

fn contains<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let (element, container) = (arguments[0].as_ref(), arguments[1].as_ref());
    let overload = || ExecutionError::no_such_overload("@in", type_names(&arguments));
    if container.get_type().kind() == Kind::List {
        let mut elements = container.as_iterable().ok_or_else(overload)?.iter();
        while let Some(candidate) = elements.next() {
            if value::equal(candidate, element) {
                return Ok(bool(true));
            }
        }
        return Ok(bool(false));
    }
    container.as_container().ok_or_else(overload)?.contains(element).map(bool)
}

thread_local! {
    /// The patterns compiled in this render: an overload is a bare function
    /// and has no other place to keep them. [`forget_patterns`] empties it.
    static PATTERNS: RefCell<BTreeMap<String, Regex>> = const { RefCell::new(BTreeMap::new()) };
}

/// Drops the compiled patterns, so that no render profits from another: native
/// and sandboxed renders do the same work.
pub(super) fn forget_patterns() {
    PATTERNS.with_borrow_mut(BTreeMap::clear);
}

fn matches<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let (text, pattern) = (text(&arguments, 0)?, text(&arguments, 1)?);
    PATTERNS.with_borrow_mut(|patterns| {
        if let Some(regex) = patterns.get(pattern) {
            return Ok(bool(regex.is_match(text)));
        }
        let invalid =
            |_| ExecutionError::function_error("matches", format!("'{pattern}' is no valid regular expression"));
        let regex = Regex::new(pattern).map_err(invalid)?;
        let found = regex.is_match(text);
        patterns.insert(pattern.to_owned(), regex);
        Ok(bool(found))
    })
}

fn size<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let value = arguments[0].as_ref();
    let kind = value.get_type().kind();
    let sized = matches!(kind, Kind::String | Kind::Bytes | Kind::List | Kind::Map);
    match value.as_sizer() {
        Some(sizer) if sized => Ok(CowVal::owned(sizer.size())),
        _ => Err(ExecutionError::no_such_overload("size", type_names(&arguments))),
    }
}

fn string<'b, 'v>(mut arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let value = arguments[0].as_ref();
    let text = if value.downcast_ref::<CelString>().is_some() {
        return Ok(arguments.swap_remove(0));
    } else if let Some(value) = value.downcast_ref::<CelInt>() {
        value.inner().to_string()
    } else if let Some(value) = value.downcast_ref::<CelUInt>() {
        value.inner().to_string()
    } else if let Some(value) = value.downcast_ref::<CelDouble>() {
        value.inner().to_string()
    } else if let Some(value) = value.downcast_ref::<CelBool>() {
        value.inner().to_string()
    } else if let Some(value) = value.downcast_ref::<CelBytes>() {
        let invalid = |_| ExecutionError::function_error("string", "invalid UTF-8 in bytes, cannot convert to string");
        std::str::from_utf8(value.inner()).map_err(invalid)?.to_owned()
    } else {
        return Err(ExecutionError::no_such_overload("string", type_names(&arguments)));
    };
    Ok(CowVal::owned(CelString::from(text)))
}

fn contains_text<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    Ok(bool(text(&arguments, 0)?.contains(text(&arguments, 1)?)))
}

fn starts_with<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    Ok(bool(text(&arguments, 0)?.starts_with(text(&arguments, 1)?)))
}

fn ends_with<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    Ok(bool(text(&arguments, 0)?.ends_with(text(&arguments, 1)?)))
}

fn text<'a>(arguments: &'a [CowVal<'_, '_>], index: usize) -> Result<&'a str, ExecutionError> {
    let overload = || ExecutionError::no_such_overload("string function", type_names(arguments));
    arguments[index].as_ref().downcast_ref::<CelString>().map(CelString::inner).ok_or_else(overload)
}

fn type_names(arguments: &[CowVal<'_, '_>]) -> Vec<String> {
    arguments.iter().map(|argument| argument.get_type().name().to_owned()).collect()
}

fn bool<'b, 'v>(value: bool) -> CowVal<'b, 'v> {
    CowVal::owned(CelBool::from(value))
}
