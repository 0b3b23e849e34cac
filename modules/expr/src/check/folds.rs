//! The macros: what they go over, what their names stand for, what they make.

use super::{Checker, Typed};
use crate::{
    code::{Code, FoldCode},
    syntax::{Action, Fold, Node},
    types::Type,
};

impl<'s> Checker<'_, 's> {
    pub(super) fn fold<'n>(&mut self, at: u32, fold: &'n Fold) -> Typed<'n, 's> {
        let (of, range) = self.node(&fold.range);
        let Some((first, second)) = self.elements(fold.range.at, &of, fold.second.is_some()) else {
            return (self.failed(), Code::Wrong);
        };
        let names = [Some(&fold.first), fold.second.as_ref()];
        let types = [first.clone(), second.clone()];
        self.mixes_numbers = true;
        let before = self.locals.len();
        self.locals.extend(names.into_iter().flatten().cloned().zip(types));
        let filter = fold.filter.as_ref().map(|filter| {
            let (of, code) = self.node(filter);
            self.expect_bool(at, "_?_:_", of);
            code
        });
        let (body_type, body) = self.node(&fold.body);
        self.locals.truncate(before);
        let result = self.result(at, fold.action, first, body_type);
        let two = fold.second.is_some();
        (result, Code::Fold(Box::new(FoldCode { action: fold.action, two, range, filter, body })))
    }

    /// The types of the one or two names of a macro over a range.
    fn elements(&mut self, at: u32, of: &Type<'s>, two: bool) -> Option<(Type<'s>, Type<'s>)> {
        Some(match self.resolved(of) {
            Type::List(element) if two => (Type::Int, Type::clone(&element)),
            Type::List(element) => (Type::clone(&element), Type::Dyn),
            Type::Map(parts) => (parts.0.clone(), parts.1.clone()),
            Type::Dyn | Type::Error => (Type::Dyn, Type::Dyn),
            other @ Type::Var(_) => {
                self.bindings.assign(&Type::Dyn, &other);
                (Type::Dyn, Type::Dyn)
            }
            other => {
                let shown = self.shown(&other);
                let message = format!(
                    "expression of type '{shown}' cannot be range of a comprehension (must be list, map, or dynamic)"
                );
                self.wrong(at, message);
                return None;
            }
        })
    }

    /// Notes it if a predicate is none, as the operator that the macro stands
    /// for would.
    fn expect_bool(&mut self, at: u32, operator: &str, of: Type<'s>) {
        if self.bindings.assign(&of, &Type::Bool) {
            return;
        }
        let args = match operator {
            "_?_:_" => vec![of, Type::list(Type::Dyn), Type::list(Type::Dyn)],
            _ => vec![Type::Bool, of],
        };
        self.no_overload(at, operator, None, &args);
    }

    fn result(&mut self, at: u32, action: Action, first: Type<'s>, body: Type<'s>) -> Type<'s> {
        match action {
            Action::All => {
                self.expect_bool(at, "_&&_", body);
                Type::Bool
            }
            Action::Exists => {
                self.expect_bool(at, "_||_", body);
                Type::Bool
            }
            Action::ExistsOne => {
                self.expect_bool(at, "_?_:_", body);
                Type::Bool
            }
            Action::Filter => {
                self.expect_bool(at, "_?_:_", body);
                Type::list(first)
            }
            Action::List => Type::list(body),
            Action::Map => Type::map(first, body),
            Action::MapEntry => match self.resolved(&body) {
                entries @ Type::Map(_) => entries,
                Type::Dyn | Type::Error => Type::map(Type::Dyn, Type::Dyn),
                other => {
                    let accumulated = Type::map(Type::Dyn, Type::Dyn);
                    self.no_overload(at, "cel.@mapInsert", None, &[accumulated, other]).0
                }
            },
        }
    }

    pub(super) fn opt_map<'n>(
        &mut self,
        at: u32,
        operand: &'n Node,
        name: &str,
        body: &'n Node,
        flat: bool,
    ) -> Typed<'n, 's> {
        let (of, code) = self.node(operand);
        let value = match self.resolved(&of) {
            Type::Optional(value) => Type::clone(&value),
            Type::Dyn | Type::Error => Type::Dyn,
            other => return self.no_overload(at, "hasValue", Some(&other), &[]),
        };
        let (mapped, body) = self.with(name, value, |checker| checker.node(body));
        let code = Code::OptMap(Box::new((code, body)), flat);
        if !flat {
            return (Type::optional(mapped), code);
        }
        match self.resolved(&mapped) {
            of @ (Type::Optional(_) | Type::Dyn | Type::Error) => (of, code),
            other => {
                let none = Type::optional(Type::Dyn);
                self.no_overload(at, "_?_:_", None, &[Type::Bool, other, none])
            }
        }
    }

    pub(super) fn sort_by<'n>(&mut self, at: u32, operand: &'n Node, name: &str, key: &'n Node) -> Typed<'n, 's> {
        let (of, list) = self.node(operand);
        let resolved = self.resolved(&of);
        let element = match &resolved {
            Type::List(element) => Type::clone(element),
            Type::Dyn | Type::Error => Type::Dyn,
            other => {
                let shown = self.shown(other);
                return self.wrong(
                    at,
                    format!("sortBy can only be applied to a list, identifier, comprehension, call or select expression, got '{shown}'"),
                );
            }
        };
        let (of_key, code) = self.with(name, element, |checker| checker.node(key));
        let of_key = self.resolved(&of_key);
        let sortable = matches!(
            of_key,
            Type::Bool
                | Type::Int
                | Type::Uint
                | Type::Double
                | Type::Text
                | Type::Bytes
                | Type::Duration
                | Type::Timestamp
                | Type::Dyn
                | Type::Error
                | Type::Var(_)
        );
        if !sortable {
            let keys = Type::list(of_key);
            return self.no_overload(at, "@sortByAssociatedKeys", Some(&resolved), &[keys]);
        }
        (resolved, Code::SortBy(Box::new((list, code))))
    }
}
