//! Decimals of any size, exact: what Go has `inf.Dec` for.
//!
//! Digits are kept one by one, since shifting by powers of ten and comparing is
//! nearly all that quantities do with them. The length is bounded by the caller.

use std::cmp::Ordering;
use std::fmt;

/// `digits × 10^scale`, or its negative.
#[derive(Clone, Debug)]
pub(super) struct Decimal {
    negative: bool,
    digits: Digits,
    scale: i32,
}

/// A natural number: decimal digits, most significant first, without leading
/// zeros. Zero has none.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Digits(Vec<u8>);

impl Decimal {
    pub(super) fn new(value: i64, scale: i32) -> Decimal {
        let digits = Digits::from_ascii(value.unsigned_abs().to_string().bytes());
        Decimal { negative: value < 0, digits, scale }
    }

    /// From digits in ASCII, which may start with zeros.
    pub(super) fn from_digits(digits: impl Iterator<Item = u8>, scale: i32) -> Decimal {
        Decimal { negative: false, digits: Digits::from_ascii(digits), scale }
    }

    pub(super) fn sign(&self) -> i64 {
        match (self.digits.0.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    pub(super) fn scale(&self) -> i32 {
        self.scale
    }

    /// The digits as a double, without the power of ten.
    pub(super) fn unscaled_float(&self) -> f64 {
        // A text of digits is always a double; infinity if it is a long one.
        let size = format!("0{}", self.digits).parse().unwrap_or(f64::INFINITY);
        if self.negative { -size } else { size }
    }

    pub(super) fn negated(mut self) -> Decimal {
        self.negative = !self.negative;
        self
    }

    /// Multiplies by 2^power.
    pub(super) fn shift_left(&mut self, power: u32) {
        for _ in 0..power {
            self.digits.double();
        }
    }

    pub(super) fn plus(&self, other: &Decimal) -> Decimal {
        let scale = self.scale.min(other.scale);
        let (left, right) = (self.digits_at(scale), other.digits_at(scale));
        let (negative, digits) = match (self.negative == other.negative, left.cmp(&right)) {
            (true, _) => (self.negative, left.plus(&right)),
            (false, Ordering::Less) => (other.negative, right.minus(&left)),
            (false, _) => (self.negative, left.minus(&right)),
        };
        Decimal { negative, digits, scale }
    }

    /// Brings the power of ten to `scale`, away from zero where digits are
    /// lost. Answers whether none were.
    pub(super) fn round_up_to(&mut self, scale: i32) -> bool {
        let lost = usize::try_from(scale.saturating_sub(self.scale)).unwrap_or(0);
        if lost == 0 {
            *self = Decimal { digits: self.digits_at(scale), scale, ..*self };
            return true;
        }
        let kept = self.digits.0.len().saturating_sub(lost);
        let exact = self.digits.0[kept..].iter().all(|digit| *digit == 0);
        self.digits.0.truncate(kept);
        self.scale = scale;
        if !exact {
            self.digits = self.digits.plus(&Digits(vec![1]));
        }
        exact
    }

    /// The shortest mantissa whose power of ten is a multiple of three, and
    /// that power.
    pub(super) fn in_powers_of_1000(&self) -> (String, i32) {
        let Decimal { negative, mut digits, mut scale } = self.clone();
        while digits.0.last() == Some(&0) {
            digits.0.pop();
            scale += 1;
        }
        while scale % 3 != 0 {
            digits.0.push(0);
            scale -= 1;
        }
        (signed(negative, &digits), scale)
    }

    /// The shortest mantissa of a whole number, and its power of 1024, which is
    /// at most `most`.
    pub(super) fn in_powers_of_1024(&self, most: usize) -> (String, usize) {
        let (mut digits, mut power) = (self.digits_at(0), 0);
        while power < most
            && let Some(quotient) = digits.divided_by_1024()
        {
            digits = quotient;
            power += 1;
        }
        (signed(self.negative, &digits), power)
    }

    /// The digits at a power of ten that is not above the present one.
    fn digits_at(&self, scale: i32) -> Digits {
        let zeros = usize::try_from(self.scale.saturating_sub(scale)).unwrap_or(0);
        let mut digits = self.digits.clone();
        if !digits.0.is_empty() {
            digits.0.resize(digits.0.len() + zeros, 0);
        }
        digits
    }

    /// The power of ten of the first digit, for a number that is not zero.
    fn magnitude(&self) -> i64 {
        i64::from(self.scale).saturating_add_unsigned(self.digits.0.len() as u64)
    }

    /// Compares without the sign.
    fn cmp_size(&self, other: &Decimal) -> Ordering {
        let zeros = (self.digits.0.is_empty(), other.digits.0.is_empty());
        if zeros.0 || zeros.1 {
            return zeros.1.cmp(&zeros.0);
        }
        let scale = self.scale.min(other.scale);
        let by_digits = || self.digits_at(scale).cmp(&other.digits_at(scale));
        self.magnitude().cmp(&other.magnitude()).then_with(by_digits)
    }
}

fn signed(negative: bool, digits: &Digits) -> String {
    format!("{}{digits}", if negative { "-" } else { "" })
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        match (self.sign(), other.sign()) {
            (-1, -1) => other.cmp_size(self),
            (1, 1) => self.cmp_size(other),
            (left, right) => left.cmp(&right),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Decimal) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl Digits {
    fn from_ascii(digits: impl Iterator<Item = u8>) -> Digits {
        Digits(digits.map(|digit| digit.saturating_sub(b'0')).skip_while(|digit| *digit == 0).collect())
    }

    /// The digit at a power of ten.
    fn at(&self, power: usize) -> u8 {
        let index = self.0.len().checked_sub(power + 1);
        index.map_or(0, |index| self.0[index])
    }

    fn plus(&self, other: &Digits) -> Digits {
        let (mut sum, mut carry) = (Vec::new(), 0);
        for power in 0..self.0.len().max(other.0.len()) {
            let digit = self.at(power) + other.at(power) + carry;
            sum.push(digit % 10);
            carry = digit / 10;
        }
        sum.push(carry);
        Digits::from_reversed(sum)
    }

    /// The difference to one that is not larger.
    fn minus(&self, other: &Digits) -> Digits {
        let (mut difference, mut borrow) = (Vec::new(), 0);
        for power in 0..self.0.len() {
            let digit = 10 + self.at(power) - other.at(power) - borrow;
            difference.push(digit % 10);
            borrow = u8::from(digit < 10);
        }
        Digits::from_reversed(difference)
    }

    fn double(&mut self) {
        *self = self.plus(self);
    }

    /// A 1024th, if it is whole and not zero.
    fn divided_by_1024(&self) -> Option<Digits> {
        let (mut quotient, mut remainder) = (Vec::new(), 0_u32);
        for digit in &self.0 {
            remainder = remainder * 10 + u32::from(*digit);
            // The remainder was below 1024, so that this is one digit.
            quotient.push(u8::try_from(remainder / 1024).unwrap_or(9));
            remainder %= 1024;
        }
        quotient.reverse();
        Some(Digits::from_reversed(quotient)).filter(|quotient| remainder == 0 && !quotient.0.is_empty())
    }

    fn from_reversed(mut digits: Vec<u8>) -> Digits {
        while digits.last() == Some(&0) {
            digits.pop();
        }
        digits.reverse();
        Digits(digits)
    }
}

impl Ord for Digits {
    fn cmp(&self, other: &Digits) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Digits {
    fn partial_cmp(&self, other: &Digits) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(f, "{digit}"))
    }
}
