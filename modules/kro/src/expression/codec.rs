//! Parsed expressions as bytes, so that a render decodes them instead of
//! parsing: a tag, then the parts, depth first.
//!
//! Node ids and positions are left out: evaluation does not need them.

use cel::common::{
    ast::{
        CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedEntryExpr, IdedExpr, ListExpr, LiteralValue, MapEntryExpr,
        MapExpr, SelectExpr,
    },
    types::CelString,
};

use super::MAX_DEPTH;

/// The bytes are not what [`encode`] writes.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an expression in the program is damaged at byte {at}")]
pub(crate) struct Damaged {
    at: usize,
}

const CALL: u8 = 1;
const MEMBER_CALL: u8 = 2;
const COMPREHENSION: u8 = 3;
const IDENT: u8 = 4;
const LIST: u8 = 5;
const MAP: u8 = 6;
const SELECT: u8 = 7;
const HAS: u8 = 8;
const NULL: u8 = 9;
const FALSE: u8 = 10;
const TRUE: u8 = 11;
const INT: u8 = 12;
const UINT: u8 = 13;
const DOUBLE: u8 = 14;
const STRING: u8 = 15;
const BYTES: u8 = 16;
/// Struct literals and the optional syntax: the checks refuse both, so they
/// never reach a program.
const UNSUPPORTED: u8 = 0;

/// The expression as bytes.
pub(crate) fn encode(expression: &IdedExpr) -> Vec<u8> {
    let mut writer = Writer { bytes: Vec::new() };
    writer.expression(expression);
    writer.bytes
}

/// The expression that [`encode`] was given.
pub(crate) fn decode(bytes: &[u8]) -> Result<IdedExpr, Damaged> {
    Reader { bytes, at: 0 }.expression(0)
}

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn expression(&mut self, expression: &IdedExpr) {
        match &expression.expr {
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::Ident(name) => self.tagged_text(IDENT, name),
            Expr::List(list) => self.all(LIST, &list.elements),
            Expr::Literal(literal) => self.literal(literal),
            Expr::Map(map) => self.map(map),
            Expr::Select(select) => {
                self.tagged_text(if select.test { HAS } else { SELECT }, &select.field);
                self.expression(&select.operand);
            }
            Expr::Struct(_) | Expr::Unspecified => self.bytes.push(UNSUPPORTED),
        }
    }

    fn call(&mut self, call: &CallExpr) {
        self.tagged_text(if call.target.is_some() { MEMBER_CALL } else { CALL }, &call.func_name);
        if let Some(target) = &call.target {
            self.expression(target);
        }
        self.number(call.args.len() as u64);
        call.args.iter().for_each(|argument| self.expression(argument));
    }

    fn comprehension(&mut self, it: &ComprehensionExpr) {
        self.tagged_text(COMPREHENSION, &it.iter_var);
        self.text(&it.accu_var);
        for part in [&it.iter_range, &it.accu_init, &it.loop_cond, &it.loop_step, &it.result] {
            self.expression(part);
        }
    }

    fn all(&mut self, tag: u8, expressions: &[IdedExpr]) {
        self.bytes.push(tag);
        self.number(expressions.len() as u64);
        expressions.iter().for_each(|expression| self.expression(expression));
    }

    fn map(&mut self, map: &MapExpr) {
        self.bytes.push(MAP);
        let entries = map.entries.iter().filter_map(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => Some(entry),
            EntryExpr::StructField(_) => None,
        });
        self.number(entries.clone().count() as u64);
        for entry in entries {
            self.expression(&entry.key);
            self.expression(&entry.value);
        }
    }

    fn literal(&mut self, literal: &LiteralValue) {
        match literal {
            LiteralValue::Null => self.bytes.push(NULL),
            LiteralValue::Boolean(value) => self.bytes.push(if *value.inner() { TRUE } else { FALSE }),
            LiteralValue::Int(value) => self.eight(INT, value.inner().to_le_bytes()),
            LiteralValue::UInt(value) => self.eight(UINT, value.inner().to_le_bytes()),
            LiteralValue::Double(value) => self.eight(DOUBLE, value.inner().to_le_bytes()),
            LiteralValue::String(value) => self.tagged_text(STRING, value.inner()),
            LiteralValue::Bytes(value) => {
                self.bytes.push(BYTES);
                self.blob(value.inner());
            }
        }
    }

    fn eight(&mut self, tag: u8, value: [u8; 8]) {
        self.bytes.push(tag);
        self.bytes.extend(value);
    }

    fn tagged_text(&mut self, tag: u8, text: &str) {
        self.bytes.push(tag);
        self.text(text);
    }

    fn text(&mut self, text: &str) {
        self.blob(text.as_bytes());
    }

    fn blob(&mut self, blob: &[u8]) {
        self.number(blob.len() as u64);
        self.bytes.extend(blob);
    }

    /// Seven bits a byte, the lowest first.
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn expression(&mut self, depth: usize) -> Result<IdedExpr, Damaged> {
        if depth > MAX_DEPTH {
            return Err(self.damaged());
        }
        let expr = match self.byte()? {
            CALL => Expr::Call(CallExpr { func_name: self.text()?, target: None, args: self.all(depth)? }),
            MEMBER_CALL => Expr::Call(CallExpr {
                func_name: self.text()?,
                target: Some(Box::new(self.expression(depth + 1)?)),
                args: self.all(depth)?,
            }),
            COMPREHENSION => Expr::Comprehension(Box::new(self.comprehension(depth + 1)?)),
            IDENT => Expr::Ident(self.text()?),
            LIST => Expr::List(ListExpr::new(self.all(depth)?)),
            MAP => Expr::Map(MapExpr { entries: self.entries(depth)? }),
            SELECT => self.select(false, depth)?,
            HAS => self.select(true, depth)?,
            tag => Expr::Literal(self.literal(tag)?),
        };
        Ok(IdedExpr { id: 0, expr })
    }

    fn select(&mut self, test: bool, depth: usize) -> Result<Expr, Damaged> {
        let field = self.text()?;
        Ok(Expr::Select(SelectExpr { operand: Box::new(self.expression(depth + 1)?), field, test }))
    }

    fn comprehension(&mut self, depth: usize) -> Result<ComprehensionExpr, Damaged> {
        Ok(ComprehensionExpr {
            iter_var: self.text()?,
            iter_var2: None,
            accu_var: self.text()?,
            iter_range: self.expression(depth)?,
            accu_init: self.expression(depth)?,
            loop_cond: self.expression(depth)?,
            loop_step: self.expression(depth)?,
            result: self.expression(depth)?,
        })
    }

    fn all(&mut self, depth: usize) -> Result<Vec<IdedExpr>, Damaged> {
        (0..self.count()?).map(|_| self.expression(depth + 1)).collect()
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<IdedEntryExpr>, Damaged> {
        let entry = |reader: &mut Self| {
            let (key, value) = (reader.expression(depth + 1)?, reader.expression(depth + 1)?);
            let expr = EntryExpr::MapEntry(MapEntryExpr { key, value, optional: false });
            Ok(IdedEntryExpr { id: 0, expr })
        };
        (0..self.count()?).map(|_| entry(self)).collect()
    }

    fn literal(&mut self, tag: u8) -> Result<LiteralValue, Damaged> {
        Ok(match tag {
            NULL => LiteralValue::Null,
            FALSE => LiteralValue::Boolean(false.into()),
            TRUE => LiteralValue::Boolean(true.into()),
            INT => LiteralValue::Int(i64::from_le_bytes(self.eight()?).into()),
            UINT => LiteralValue::UInt(u64::from_le_bytes(self.eight()?).into()),
            DOUBLE => LiteralValue::Double(f64::from_le_bytes(self.eight()?).into()),
            STRING => LiteralValue::String(CelString::from(self.text()?)),
            BYTES => LiteralValue::Bytes(self.blob()?.to_vec().into()),
            _ => return Err(self.damaged()),
        })
    }

    fn damaged(&self) -> Damaged {
        Damaged { at: self.at }
    }

    fn byte(&mut self) -> Result<u8, Damaged> {
        let byte = *self.bytes.get(self.at).ok_or(Damaged { at: self.at })?;
        self.at += 1;
        Ok(byte)
    }

    fn eight(&mut self) -> Result<[u8; 8], Damaged> {
        let at = self.at;
        let slice = self.bytes.get(at..at + 8).ok_or(Damaged { at })?;
        self.at += 8;
        slice.try_into().map_err(|_| Damaged { at })
    }

    fn number(&mut self) -> Result<u64, Damaged> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.damaged())
    }

    /// A count of things that take at least a byte each, so that a damaged one
    /// cannot ask for more memory than the program has bytes.
    fn count(&mut self) -> Result<usize, Damaged> {
        let count = usize::try_from(self.number()?).map_err(|_| self.damaged())?;
        if count > self.bytes.len() - self.at { Err(self.damaged()) } else { Ok(count) }
    }

    fn blob(&mut self) -> Result<&'a [u8], Damaged> {
        let length = self.count()?;
        let blob = &self.bytes[self.at..self.at + length];
        self.at += length;
        Ok(blob)
    }

    fn text(&mut self) -> Result<String, Damaged> {
        let blob = self.blob()?;
        std::str::from_utf8(blob).map(str::to_owned).map_err(|_| self.damaged())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::parse;

    /// Encoding what was decoded must give the same bytes again.
    #[test]
    fn every_kind_of_expression_survives_the_round_trip() {
        for source in [
            "1",
            "-1 + 2u - int(1.5)",
            "'a' + b'c' == null",
            "schema.spec.list.map(x, x.size() > 1 ? x : 'y').filter(y, y in ['a'])",
            "{'a': [true, false], 'b': has(schema.spec.name)}['a'][0]",
            "schema.spec.list.exists_one(x, x == 1) && lists.range(3).sortBy(e, -e)[0] == 2",
        ] {
            let encoded = encode(&parse(source).unwrap().ast);
            assert_eq!(encode(&decode(&encoded).unwrap()), encoded, "{source}");
        }
    }

    #[test]
    fn damaged_bytes_are_an_error_and_never_a_panic() {
        let encoded = encode(&parse("schema.spec.list.map(x, {'a': x + 'y'})").unwrap().ast);
        for length in 0..encoded.len() {
            assert!(decode(&encoded[..length]).is_err(), "{length}");
        }
        for at in 0..encoded.len() {
            let mut damaged = encoded.clone();
            damaged[at] ^= 0xff;
            let _ = decode(&damaged);
        }
        assert!(decode(&[LIST; 10_000]).is_err());
    }
}
