//! Calls: which overloads of a function take the arguments.

use std::mem;

use super::{Checker, Typed};
use crate::{
    code::{Callee, Code},
    eval::{Globals, Machine},
    library::{self, Found, format},
    syntax::{Kind, Node},
    types::Type,
};

/// The overloads that take some arguments.
struct Resolved<'s> {
    result: Type<'s>,
    callees: Vec<Callee>,
}

impl<'s> Checker<'_, 's> {
    pub(super) fn call<'n>(
        &mut self,
        at: u32,
        target: Option<&'n Node>,
        name: &'n str,
        args: &'n [Node],
    ) -> Typed<'n, 's> {
        match (name, args) {
            ("_&&_" | "_||_", [one, two]) if target.is_none() => return self.logic(at, name, one, two),
            ("_?_:_", [condition, yes, no]) if target.is_none() => return self.conditional(at, condition, yes, no),
            _ => {}
        }
        let Some(target) = target else { return self.function(at, name, args) };
        // `lists.range(n)` is a function, whatever `lists` may be.
        if let Some(names) = target.names() {
            let qualified = format!("{}.{name}", names.join("."));
            if self.functions(&qualified, false).is_some() {
                return self.function(at, &qualified, args);
            }
        }
        self.method(at, target, name, args)
    }

    /// The overloads of a function in the container; none if nobody has it.
    fn functions(&self, name: &str, member: bool) -> Option<Vec<Found>> {
        let found = self.candidates(name).into_iter().map(|name| library::find(&name, member, self.env.libraries));
        found.into_iter().find(|found| !found.is_empty())
    }

    fn undeclared<'n>(&mut self, at: u32, name: &str) -> Typed<'n, 's> {
        let container = &self.env.container;
        let message = format!("undeclared reference to '{name}' (in container '{container}')");
        let wrong = self.wrong(at, message);
        let near = crate::nearest::nearest(name, library::names(self.env.libraries));
        if let (Some(near), Some(issue)) = (near, self.issues.last_mut()) {
            issue.hint = Some(format!("did you mean `{near}`?"));
        }
        wrong
    }

    fn arguments<'n>(&mut self, args: &'n [Node]) -> (Vec<Type<'s>>, Vec<Code<'n>>) {
        args.iter().map(|argument| self.node(argument)).unzip()
    }

    fn function<'n>(&mut self, at: u32, name: &str, args: &'n [Node]) -> Typed<'n, 's> {
        let found = self.functions(name, false);
        if found.is_none() && !library::is_known(name, self.env.libraries) {
            let wrong = self.undeclared(at, name);
            self.arguments(args);
            return wrong;
        }
        let (types, codes) = self.arguments(args);
        let found = found.unwrap_or_default();
        let resolved = self.resolve(&found, &types).or_else(|| self.by_values(&found));
        match resolved.or_else(|| self.mixed(name, &found, &types)) {
            Some(resolved) => {
                let (of, code) = lowered(resolved, codes);
                match self.misread(name, args, &code) {
                    Some((argument, message)) => self.wrong(args[argument].at, message),
                    None => (of, code),
                }
            }
            None => self.no_overload(at, name, None, &types),
        }
    }

    /// The literal argument of a call that no evaluation would take, and why.
    fn misread(&self, name: &str, args: &[Node], code: &Code) -> Option<(usize, String)> {
        if !self.env.strict {
            return None;
        }
        match (name, args) {
            ("matches", [_, Node { kind: Kind::Text(pattern), .. }]) => no_pattern(pattern).map(|why| (1, why)),
            (_, [argument]) if CONVERSIONS.contains(&name) && is_literal(argument) => {
                let outcome = Machine::default().evaluate(code, Globals { names: &[], values: &[] });
                outcome.err().map(|error| (0, error.to_string()))
            }
            _ => None,
        }
    }

    fn method<'n>(&mut self, at: u32, target: &'n Node, name: &'n str, args: &'n [Node]) -> Typed<'n, 's> {
        let outside = self.formats;
        self.formats |= name == "format";
        let (receiver, code) = self.node(target);
        let (types, codes) = self.arguments(args);
        self.formats = outside;
        if !library::is_known(name, self.env.libraries) {
            return self.undeclared(at, name);
        }
        let found = self.functions(name, true).unwrap_or_default();
        let all: Vec<Type> = [receiver.clone()].into_iter().chain(types.iter().cloned()).collect();
        match self.resolve(&found, &all).or_else(|| self.by_values(&found)) {
            Some(resolved) => match self.unformattable(at, target, name, args).or_else(|| self.unmatchable(name, args))
            {
                Some(wrong) => wrong,
                None => lowered(resolved, [code].into_iter().chain(codes).collect()),
            },
            None => self.no_overload(at, name, Some(&receiver), &types),
        }
    }

    /// As in cel-go a `format` whose template and arguments are literals is refused
    /// before it is evaluated. The list of the arguments is what was checked last.
    fn unformattable<'n>(&mut self, at: u32, target: &Node, name: &str, args: &[Node]) -> Option<Typed<'n, 's>> {
        let ("format", Kind::Text(template), [Node { kind: Kind::List(elements), .. }]) = (name, &target.kind, args)
        else {
            return None;
        };
        let types: Vec<Type> = mem::take(&mut self.last_list);
        let types: Vec<Type> = types.iter().map(|of| self.resolved(of)).collect();
        let refusal = format::refusal(template, &types).filter(|_| !self.env.lenient)?;
        let at = refusal.argument.and_then(|index| elements.get(index)).map_or(at, |(element, _)| element.at);
        Some(self.wrong(at, refusal.message))
    }

    /// Refuses a method's pattern that is a literal and is none.
    fn unmatchable<'n>(&mut self, name: &str, args: &[Node]) -> Option<Typed<'n, 's>> {
        match (name, args) {
            ("matches" | "find" | "findAll", [Node { kind: Kind::Text(pattern), at }, ..]) if self.env.strict => {
                no_pattern(pattern).map(|why| self.wrong(*at, why))
            }
            _ => None,
        }
    }

    /// cel-go's choice: every overload that fits counts, the first gives the
    /// type, and if another would give a different one it is `dyn`.
    fn resolve(&mut self, found: &[Found], args: &[Type<'s>]) -> Option<Resolved<'s>> {
        let mut resolved: Option<Resolved> = None;
        for Found { library, function, declared } in found {
            for (index, overload) in declared.overloads.iter().enumerate() {
                let mut params = Vec::new();
                let wanted: Vec<Type> =
                    overload.params.iter().map(|sig| sig.instantiate(&mut self.bindings, &mut params)).collect();
                if !self.bindings.assign_all(args, &wanted) {
                    continue;
                }
                let result = overload.result.instantiate(&mut self.bindings, &mut params);
                let result = self.resolved(&result);
                // A function has fewer than 256 overloads.
                let overload = u8::try_from(index).ok();
                let callee = Callee { library: *library, function: *function, overload };
                match &mut resolved {
                    None => resolved = Some(Resolved { result, callees: vec![callee] }),
                    Some(earlier) => {
                        if !matches!(earlier.result, Type::Dyn) && !result.is_exactly(&earlier.result) {
                            earlier.result = Type::Dyn;
                        }
                        earlier.callees.push(callee);
                    }
                }
            }
        }
        resolved
    }

    /// The order of numbers of different types, where they have one.
    fn mixed(&self, name: &str, found: &[Found], types: &[Type<'s>]) -> Option<Resolved<'s>> {
        let is_number = |of: &Type<'s>| matches!(self.resolved(of), Type::Int | Type::Uint | Type::Double);
        let orders = matches!(name, "_<_" | "_<=_" | "_>_" | "_>=_");
        let first = found.first().filter(|_| self.mixes_numbers && orders && types.iter().all(is_number))?;
        let callee = Callee { library: first.library, function: first.function, overload: None };
        Some(Resolved { result: Type::Bool, callees: vec![callee] })
    }

    /// Where nothing is refused, whatever takes the values.
    fn by_values(&self, found: &[Found]) -> Option<Resolved<'s>> {
        let first = found.first().filter(|_| self.env.lenient)?;
        let callee = Callee { library: first.library, function: first.function, overload: Some(0) };
        Some(Resolved { result: Type::Dyn, callees: vec![Callee { overload: None, ..callee }] })
    }

    pub(super) fn no_overload<'n>(
        &mut self,
        at: u32,
        name: &str,
        receiver: Option<&Type<'s>>,
        args: &[Type<'s>],
    ) -> Typed<'n, 's> {
        let args: Vec<String> = args.iter().map(|of| self.shown(of)).collect();
        let receiver = receiver.map(|of| format!("{}.", self.shown(of))).unwrap_or_default();
        let message = format!("found no matching overload for '{name}' applied to '{receiver}({})'", args.join(", "));
        self.wrong(at, message)
    }

    fn logic<'n>(&mut self, at: u32, name: &str, one: &'n Node, two: &'n Node) -> Typed<'n, 's> {
        let (left, left_code) = self.node(one);
        let (right, right_code) = self.node(two);
        let types = [left, right];
        if !self.bindings.assign_all(&types, &[Type::Bool, Type::Bool]) && !self.env.lenient {
            return self.no_overload(at, name, None, &types);
        }
        let parts = Box::new((left_code, right_code));
        (Type::Bool, if name == "_&&_" { Code::And(parts) } else { Code::Or(parts) })
    }

    fn conditional<'n>(&mut self, at: u32, condition: &'n Node, yes: &'n Node, no: &'n Node) -> Typed<'n, 's> {
        let (condition, condition_code) = self.node(condition);
        let (yes, yes_code) = self.node(yes);
        let (no, no_code) = self.node(no);
        let types = [condition, yes, no];
        let result = self.bindings.fresh();
        if !self.bindings.assign_all(&types, &[Type::Bool, result.clone(), result.clone()]) && !self.env.lenient {
            return self.no_overload(at, "_?_:_", None, &types);
        }
        (self.resolved(&result), Code::If(Box::new((condition_code, yes_code, no_code))))
    }

    /// A chain of `+`, from left to right.
    pub(super) fn sum<'n>(&mut self, first: &'n Node, rest: &'n [(u32, Node)]) -> Typed<'n, 's> {
        let found = library::find("_+_", false, self.env.libraries);
        let (mut of, code) = self.node(first);
        let mut codes = vec![code];
        for (at, operand) in rest {
            let (right, code) = self.node(operand);
            codes.push(code);
            let types = [of, right];
            of = match self.resolve(&found, &types) {
                Some(resolved) => resolved.result,
                None => return self.no_overload(*at, "_+_", None, &types),
            };
        }
        (of, Code::Sum(codes))
    }
}

/// What cel-go evaluates beforehand if its argument is a literal.
const CONVERSIONS: [&str; 8] = ["bool", "bytes", "double", "duration", "int", "string", "timestamp", "uint"];

fn is_literal(node: &Node) -> bool {
    matches!(
        node.kind,
        Kind::Bool(_) | Kind::Int(_) | Kind::Uint(_) | Kind::Double(_) | Kind::Text(_) | Kind::Bytes(_) | Kind::Null
    )
}

/// Why a text is not a pattern.
fn no_pattern(text: &str) -> Option<String> {
    let compiled = crate::regexp::translate(text).and_then(|it| regex::Regex::new(&it).map_err(|it| it.to_string()));
    let why = compiled.err()?;
    Some(format!("error parsing regexp: {}", why.lines().last().unwrap_or_default().trim_start_matches("error: ")))
}

/// A call of the one overload that fits, of any of one function, or of whatever
/// fits when it is evaluated. What is not to be evaluated before its time is no
/// call.
fn lowered<'n, 's>(resolved: Resolved<'s>, mut args: Vec<Code<'n>>) -> Typed<'n, 's> {
    let Resolved { result, callees } = resolved;
    if let ([callee], [one, two]) = (callees.as_slice(), args.as_mut_slice())
        && let Some(is_value) = library::optionals::stands_in(*callee)
    {
        let parts = Box::new((std::mem::replace(one, Code::Null), std::mem::replace(two, Code::Null)));
        return (result, Code::OptOr(parts, is_value));
    }
    let code = match callees.as_slice() {
        [one] => Code::Call(*one, args),
        [first, rest @ ..] if rest.iter().all(|it| (it.library, it.function) == (first.library, first.function)) => {
            Code::Call(Callee { overload: None, ..*first }, args)
        }
        _ => Code::Dispatch(callees, args),
    };
    (result, code)
}
