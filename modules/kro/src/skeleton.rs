//! The fields of an object as JSON text with gaps, where values of expressions go.
//!
//! What never changes is written once, when a definition is prepared, and copied
//! when an instance is rendered.

use std::borrow::Cow;

use expr::convert::{self, Extent};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::program::{Expression, Piece, Template, print_all};

/// Fields of an object: their text without the brackets around them.
///
/// A value that is left out takes its field with it, so that nobody knows before
/// where a comma goes: none stands beside a gap, and [`Skeleton::write`] puts it in.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Skeleton<'a> {
    gaps: Vec<Gap<'a>>,
    /// What comes after the last gap.
    #[serde(borrow)]
    tail: Cow<'a, str>,
    /// How many JSON values there are without those in the gaps.
    values: usize,
    /// How deep they nest, in an object that is one level itself.
    depth: usize,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Gap<'a> {
    /// What comes before it, after the gap before.
    #[serde(borrow)]
    before: Cow<'a, str>,
    /// The name of the field with its colon; empty in a list.
    #[serde(borrow)]
    name: Cow<'a, str>,
    /// How many levels it is within.
    depth: usize,
    filling: Filling<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
enum Filling<'a> {
    /// The value of one expression.
    Value(Expression<'a>),
    /// A text of several parts.
    Printed(Vec<Piece<'a>>),
}

/// What evaluates expressions for templates.
pub(crate) trait Evaluate<'a, E> {
    /// The value; none if it is to be left out.
    fn value(&mut self, expression: &'a Expression<'a>) -> Result<Option<Value>, E>;
    /// Appends the value's JSON; none if it is to be left out.
    fn write(&mut self, expression: &'a Expression<'a>, text: &mut String) -> Result<Option<Extent>, E>;
}

impl<'a> Skeleton<'a> {
    /// The fields of an object.
    pub(crate) fn of(fields: Vec<(&'a str, Template<'a>)>) -> Skeleton<'a> {
        let mut builder = Builder::default();
        builder.fields(fields, 1);
        let Builder { mut skeleton, text } = builder;
        skeleton.tail = Cow::Owned(text);
        skeleton
    }

    /// Appends the fields to the text of an object that was not closed yet.
    pub(crate) fn write<E>(&'a self, text: &mut String, evaluate: &mut impl Evaluate<'a, E>) -> Result<Extent, E> {
        let mut extent = Extent { values: self.values, depth: self.depth };
        for gap in &self.gaps {
            join(text, &gap.before);
            let end = text.len();
            if !gap.name.is_empty() {
                join(text, &gap.name);
            } else if needs_comma(text) {
                text.push(',');
            }
            let filled = match &gap.filling {
                Filling::Value(expression) => evaluate.write(expression, text)?,
                Filling::Printed(pieces) => {
                    let printed = print_all(pieces, &mut |expression| evaluate.value(expression))?;
                    convert::write_text(&printed, text);
                    Some(Extent { values: 1, depth: 0 })
                }
            };
            match filled {
                Some(filled) => {
                    extent.values += filled.values;
                    extent.depth = extent.depth.max(gap.depth + filled.depth);
                }
                None => text.truncate(end),
            }
        }
        join(text, &self.tail);
        Ok(extent)
    }
}

/// Appends a part of a text, and a comma before it where one goes.
fn join(text: &mut String, part: &str) {
    match part.as_bytes().first() {
        None => return,
        Some(b'}' | b']') => {}
        Some(_) if needs_comma(text) => text.push(','),
        Some(_) => {}
    }
    text.push_str(part);
}

fn needs_comma(text: &str) -> bool {
    !matches!(text.as_bytes().last(), None | Some(b'{' | b'['))
}

#[derive(Default)]
struct Builder<'a> {
    skeleton: Skeleton<'a>,
    /// What comes after the last gap so far.
    text: String,
}

impl<'a> Builder<'a> {
    fn fields(&mut self, mut fields: Vec<(&'a str, Template<'a>)>, depth: usize) {
        self.skeleton.depth = self.skeleton.depth.max(depth);
        fields.sort_by_key(|(name, _)| *name);
        for (name, template) in fields {
            let mut text = String::new();
            convert::write_text(name, &mut text);
            text.push(':');
            self.value(text, template, depth);
        }
    }

    /// A value within so many levels, after its name if it has one.
    fn value(&mut self, name: String, template: Template<'a>, depth: usize) {
        let filling = match template {
            Template::Value(expression) => Filling::Value(expression),
            Template::Printed(pieces) => Filling::Printed(pieces),
            Template::List(elements) => {
                self.add(&(name + "["));
                self.skeleton.depth = self.skeleton.depth.max(depth + 1);
                elements.into_iter().for_each(|element| self.value(String::new(), element, depth + 1));
                return self.text.push(']');
            }
            Template::Map(fields) => {
                self.add(&(name + "{"));
                self.fields(fields, depth + 1);
                return self.text.push('}');
            }
            scalar => return self.add(&(name + &scalar.scalar().to_string())),
        };
        let before = Cow::Owned(std::mem::take(&mut self.text));
        self.skeleton.gaps.push(Gap { before, name: Cow::Owned(name), depth, filling });
    }

    /// Adds the beginning of a value.
    fn add(&mut self, part: &str) {
        self.skeleton.values += 1;
        if !self.text.is_empty() {
            join(&mut self.text, part);
        } else {
            self.text.push_str(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use expr::code::Code;
    use guest_sdk::shape;

    use super::*;

    /// Its source is the JSON that it comes to, or nothing.
    struct Sources;

    impl<'a> Evaluate<'a, ()> for Sources {
        fn value(&mut self, expression: &'a Expression<'a>) -> Result<Option<Value>, ()> {
            Ok((!expression.source.is_empty()).then(|| serde_json::from_str(expression.source).unwrap()))
        }

        fn write(&mut self, expression: &'a Expression<'a>, text: &mut String) -> Result<Option<Extent>, ()> {
            let value = self.value(expression)?;
            text.push_str(expression.source);
            Ok(value.as_ref().map(convert::extent))
        }
    }

    fn expression(source: &'static str) -> Expression<'static> {
        Expression { source, code: Code::Null }
    }

    /// A template out of numbers that are drawn.
    fn drawn(draw: &mut impl FnMut(usize) -> usize, depth: usize) -> Template<'static> {
        match draw(if depth < 4 { 9 } else { 7 }) {
            0 => Template::Value(expression("")),
            1 => Template::Value(expression(r#"{"x":[{}],"y":"[{"}"#)),
            2 => Template::Value(expression("[]")),
            3 => Template::Text("a \"quote\", a {, a [ and a \u{7}"),
            4 => Template::Printed(vec![Piece::Text("a\n"), Piece::Value(expression("1")), Piece::Text("{")]),
            5 => Template::Float(1.5),
            6 => Template::Unsigned(u64::MAX),
            7 => Template::List((0..draw(4)).map(|_| drawn(draw, depth + 1)).collect()),
            _ => Template::Map(fields(draw, depth + 1)),
        }
    }

    fn fields(draw: &mut impl FnMut(usize) -> usize, depth: usize) -> Vec<(&'static str, Template<'static>)> {
        let names = ["e\"", "d", "c", "b", "a"];
        names.into_iter().skip(draw(names.len() + 1)).map(|name| (name, drawn(draw, depth))).collect()
    }

    #[test]
    fn the_text_is_that_of_the_filled_template() {
        let mut state = 7_u64;
        let mut draw = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for round in 0..2_000 {
            // The same is drawn twice, since a template cannot be copied.
            let mut numbers = Vec::new();
            let template = Template::Map(fields(
                &mut |below| {
                    numbers.push(draw(below));
                    *numbers.last().unwrap()
                },
                0,
            ));
            let mut again = numbers.into_iter();
            let skeleton = Skeleton::of(fields(&mut |_| again.next().unwrap(), 0));
            let filled = template.fill(&mut |expression| Sources.value(expression)).unwrap().unwrap();
            let mut text = "{".to_owned();
            let extent = skeleton.write(&mut text, &mut Sources).unwrap();
            text.push('}');
            let read: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{round}: {error}: {text}"));
            assert_eq!(read, filled, "{round}: {text}");
            let own = Extent { values: shape::values(&filled), depth: shape::depth(&filled) };
            // The object that the fields are in is counted by whoever writes it.
            assert_eq!(Extent { values: extent.values + 1, ..extent }, own, "{round}: {text}");
        }
    }

    #[test]
    fn bytes_carry_it_over() {
        let skeleton = Skeleton::of(vec![("b", Template::Text("t")), ("a", Template::Value(expression("1")))]);
        let bytes = postcard::to_extend(&skeleton, Vec::new()).unwrap();
        let read: Skeleton = postcard::from_bytes(&bytes).unwrap();
        assert!(matches!(read.tail, Cow::Borrowed(_)));
        let mut text = String::new();
        read.write(&mut text, &mut Sources).unwrap();
        assert_eq!(text, r#""a":1,"b":"t""#);
    }
}
