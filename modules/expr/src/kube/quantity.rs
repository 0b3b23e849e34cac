//! Quantities of Kubernetes, such as `500m`, `1.5Gi` and `1e3`: read, compared,
//! added and printed as Go's `resource.Quantity` does it.
//!
//! Go keeps a value as a 64-bit integer with a power of ten while it can, and as
//! a big decimal from there on. Which of the two it is can be seen from outside
//! (only the first is ever an integer to Go), so both are kept here too. Not
//! here: `mul` and `div`, which newer versions of the library have.

use std::cmp::Ordering;
use std::fmt;

mod decimal;

use decimal::Decimal;

/// Go knows no bounds here, and would write a tenant's `1e999999999` out in
/// digits as soon as it is added to something. A double ends at 10^308.
const MAX_DIGITS: usize = 1_000;
const MAX_EXPONENT: i64 = 1_000;
/// The smallest step is 10^-9; what is finer is rounded away from zero.
const NANO: i32 = -9;
/// As many digits as Go tries to read into an `int64`.
const INTEGER_DIGITS: usize = 19;

const NOT_A_QUANTITY: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const BAD_SUFFIX: &str = "unable to parse quantity's suffix";
const BAD_NUMBER: &str = "unable to parse numeric part of quantity";

/// An exact amount, and the family of suffixes in which it is printed. Equality
/// and order are those of the amount: `1k` is `1000`.
#[derive(Clone, Debug)]
pub struct Quantity {
    amount: Amount,
    format: Format,
    /// Go prints what it read if it takes it for canonical, as in `1.500`.
    text: Option<String>,
}

#[derive(Clone, Debug)]
enum Amount {
    /// `value × 10^scale`.
    Small {
        value: i64,
        scale: i32,
    },
    Big(Decimal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// `12M`.
    DecimalSi,
    /// `12Mi`.
    BinarySi,
    /// `12e6`.
    DecimalExponent,
}

impl Quantity {
    /// Reads a number with an optional suffix.
    ///
    /// # Errors
    ///
    /// Go's text if Go refuses it too; another one if the number has more than
    /// 1000 digits or an exponent above 1000.
    pub fn parse(text: &str) -> Result<Quantity, String> {
        if text.is_empty() {
            return Err(NOT_A_QUANTITY.to_owned());
        }
        let parts = Parts::split(text)?;
        let (power, format) = suffix(parts.suffix)?;
        if parts.integer.len() + parts.fraction.len() > MAX_DIGITS {
            return Err(format!("a quantity has {MAX_DIGITS} digits at most"));
        }
        let small = match format {
            Format::BinarySi => parts.small_binary(power),
            Format::DecimalSi | Format::DecimalExponent => parts.small_decimal(power),
        };
        let Some((digits, multiplier, scale)) = small else { return parts.big(power, format) };
        let number: i64 = digits.parse().map_err(|_| BAD_NUMBER.to_owned())?;
        let Some(value) = number.checked_mul(multiplier) else { return parts.big(power, format) };
        let canonical = match format {
            Format::BinarySi => number & 0b111 != 0,
            _ => scale % 3 == 0 && !digits.ends_with("000") && !digits.starts_with('0'),
        };
        let value = if parts.negative { -value } else { value };
        let text = canonical.then(|| text.to_owned());
        Ok(Quantity { amount: Amount::Small { value, scale }, format, text })
    }

    /// A whole number. It prints as `1e3`, since that is the format in which
    /// Kubernetes adds integers to quantities.
    pub fn from_int(value: i64) -> Quantity {
        Quantity { amount: Amount::Small { value, scale: 0 }, format: Format::DecimalExponent, text: None }
    }

    /// Whether [`as_integer`](Quantity::as_integer) has an answer.
    pub fn is_integer(&self) -> bool {
        self.as_integer().is_some()
    }

    /// The amount as an integer where Go has one: `1k` is 1000, but `1000m` and
    /// `0.5Ki` are none, since Go does not look for whole values in fractions.
    pub fn as_integer(&self) -> Option<i64> {
        match self.amount {
            Amount::Small { value, scale: 0 } => Some(value),
            Amount::Small { value: 0, scale } => (scale > 0).then_some(0),
            Amount::Small { value, scale } => 10_i64.checked_pow(u32::try_from(scale).ok()?)?.checked_mul(value),
            Amount::Big(_) => None,
        }
    }

    /// The nearest double, or an infinity.
    pub fn as_approximate_float(&self) -> f64 {
        let (unscaled, scale) = match &self.amount {
            Amount::Small { value, scale } => (*value as f64, *scale),
            Amount::Big(decimal) => (decimal.unscaled_float(), decimal.scale()),
        };
        if scale == 0 { unscaled } else { unscaled * power_of_ten(scale) }
    }

    /// 1, 0 or -1.
    pub fn sign(&self) -> i64 {
        match &self.amount {
            Amount::Small { value, .. } => value.signum(),
            Amount::Big(decimal) => decimal.sign(),
        }
    }

    /// The sum, in the format of `self` unless that is zero.
    pub fn add(&self, other: &Quantity) -> Quantity {
        let amount = self.amount.add(&other.amount);
        Quantity { amount, format: self.common_format(other), text: None }
    }

    /// The difference, in the format of `self` unless that is zero.
    pub fn sub(&self, other: &Quantity) -> Quantity {
        let amount = self.amount.add(&other.amount.negated());
        Quantity { amount, format: self.common_format(other), text: None }
    }

    fn common_format(&self, other: &Quantity) -> Format {
        if self.sign() == 0 { other.format } else { self.format }
    }

    /// The amount in units of 1024, if it is whole and big enough for them.
    fn binary(&self, decimal: &Decimal) -> Option<Decimal> {
        let mut whole = decimal.clone();
        let exact = whole.round_up_to(0);
        let bounds = (Decimal::new(-1_024, 0), Decimal::new(1_024, 0));
        let large = whole <= bounds.0 || whole >= bounds.1;
        (self.format == Format::BinarySi && exact && large).then_some(whole)
    }
}

impl Amount {
    fn decimal(&self) -> Decimal {
        match self {
            Amount::Small { value, scale } => Decimal::new(*value, *scale),
            Amount::Big(decimal) => decimal.clone(),
        }
    }

    fn negated(&self) -> Amount {
        if let Amount::Small { value, scale } = self
            && let Some(value) = value.checked_neg()
        {
            return Amount::Small { value, scale: *scale };
        }
        Amount::Big(self.decimal().negated())
    }

    /// The sum, small if both are and their sum fits.
    fn add(&self, other: &Amount) -> Amount {
        let small = match (self, other) {
            (Amount::Small { .. }, Amount::Small { value: 0, .. }) => return self.clone(),
            (Amount::Small { value: 0, .. }, Amount::Small { .. }) => return other.clone(),
            (Amount::Small { value: a, scale: i }, Amount::Small { value: b, scale: j }) => {
                add_small((*a, *i), (*b, *j))
            }
            _ => None,
        };
        let big = || Amount::Big(self.decimal().plus(&other.decimal()));
        small.map_or_else(big, |(value, scale)| Amount::Small { value, scale })
    }
}

/// Two values with their powers of ten, added at the smaller power.
fn add_small((a, i): (i64, i32), (b, j): (i64, i32)) -> Option<(i64, i32)> {
    let scale = i.min(j);
    let at_scale = |value: i64, from: i32| {
        let power = u32::try_from(from.checked_sub(scale)?).ok()?;
        10_i64.checked_pow(power)?.checked_mul(value)
    };
    Some((at_scale(a, i)?.checked_add(at_scale(b, j)?)?, scale))
}

/// 10^power as Go computes it, from two factors.
fn power_of_ten(power: i32) -> f64 {
    if power > 308 {
        return f64::INFINITY;
    }
    let exact = |exponent: u32| format!("1e{exponent}").parse::<f64>().unwrap_or(f64::INFINITY);
    let size = power.unsigned_abs();
    let (tens, ones) = (exact(size / 32 * 32), exact(size % 32));
    if power < 0 { 1.0 / tens / ones } else { tens * ones }
}

/// A text taken apart, before its number and its suffix are understood.
struct Parts<'a> {
    negative: bool,
    /// Digits before the point without leading zeros, `0` if none are left.
    integer: &'a str,
    fraction: &'a str,
    /// Everything before the suffix has a digit in it.
    has_digits: bool,
    suffix: &'a str,
}

impl<'a> Parts<'a> {
    /// Takes a text apart as loosely as Go does: `.`, `-` and `Mi` are zero.
    fn split(text: &'a str) -> Result<Parts<'a>, String> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let significant = unsigned.trim_start_matches('0');
        let (digits, rest) = split_digits(significant);
        let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), split_digits);
        let letters = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
        let exponent = letters.strip_prefix(['+', '-']).unwrap_or(letters);
        if !exponent.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NOT_A_QUANTITY.to_owned());
        }
        let has_digits = significant.len() < unsigned.len() || !digits.is_empty() || !fraction.is_empty();
        let integer = if digits.is_empty() { "0" } else { digits };
        Ok(Parts { negative: text.starts_with('-'), integer, fraction, has_digits, suffix })
    }

    /// Digits, factor and power of ten, if Go would read the digits as one
    /// integer.
    fn small_decimal(&self, power: i32) -> Option<(String, i64, i32)> {
        let fits = self.integer.len() + self.fraction.len() <= INTEGER_DIGITS;
        let scale = power.checked_sub(i32::try_from(self.fraction.len()).ok()?)?;
        (fits && scale >= NANO).then(|| (format!("{}{}", self.integer, self.fraction), 1, scale))
    }

    /// The same for a power of two, of which ten make three decimal digits.
    fn small_binary(&self, power: i32) -> Option<(String, i64, i32)> {
        let shift = u32::try_from(power).ok()?;
        let digits = self.integer.len() + usize::try_from(shift / 10 * 3).ok()?;
        let fits = self.fraction.is_empty() && digits <= 14;
        Some((self.integer.to_owned(), 1_i64.checked_shl(shift)?, 0)).filter(|_| fits)
    }

    /// The amount as a big decimal, rounded up to nano and capped.
    fn big(&self, power: i32, format: Format) -> Result<Quantity, String> {
        if !self.has_digits {
            return Err(BAD_NUMBER.to_owned());
        }
        let fraction = i32::try_from(self.fraction.len()).map_err(|_| BAD_NUMBER.to_owned())?;
        let digits = self.integer.bytes().chain(self.fraction.bytes());
        let binary = format == Format::BinarySi;
        let mut amount = Decimal::from_digits(digits, if binary { -fraction } else { power - fraction });
        if binary {
            amount.shift_left(power.unsigned_abs());
        }
        if amount.sign() != 0 {
            amount.round_up_to(NANO);
        }
        // Only amounts in powers of two have a bound.
        if binary {
            amount = amount.min(Decimal::new(i64::MAX, 0));
        }
        let fractional = binary && amount.sign() != 0 && amount < Decimal::new(1, 0);
        let format = if fractional { Format::DecimalSi } else { format };
        let amount = if self.negative { amount.negated() } else { amount };
        Ok(Quantity { amount: Amount::Big(amount), format, text: None })
    }
}

/// The digits at the start, and what follows.
fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

/// What a suffix stands for: a power of two for `BinarySi`, else of ten.
fn suffix(suffix: &str) -> Result<(i32, Format), String> {
    let binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].iter().position(|known| *known == suffix);
    if let Some(tens) = binary.and_then(|index| i32::try_from(index + 1).ok()) {
        return Ok((10 * tens, Format::BinarySi));
    }
    if let Some((power, _)) = DECIMAL_SUFFIXES.iter().find(|(_, known)| *known == suffix) {
        return Ok((*power, Format::DecimalSi));
    }
    let exponent: i64 =
        suffix.strip_prefix(['e', 'E']).and_then(|digits| digits.parse().ok()).ok_or_else(|| BAD_SUFFIX.to_owned())?;
    if exponent > MAX_EXPONENT {
        return Err(format!("a quantity has an exponent of {MAX_EXPONENT} at most"));
    }
    // Below this, whatever the digits, it is less than 10^-9 and rounded.
    let exponent = exponent.max(-2 * MAX_EXPONENT);
    Ok((i32::try_from(exponent).map_err(|_| BAD_SUFFIX.to_owned())?, Format::DecimalExponent))
}

const DECIMAL_SUFFIXES: [(i32, &str); 10] =
    [(-9, "n"), (-6, "u"), (-3, "m"), (0, ""), (3, "k"), (6, "M"), (9, "G"), (12, "T"), (15, "P"), (18, "E")];

/// The canonical text: no fraction, and the largest suffix that allows that. A
/// power beyond the suffixes is an exponent; Go forgets to write any.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.text {
            return f.write_str(text);
        }
        if self.sign() == 0 {
            return f.write_str("0");
        }
        let decimal = self.amount.decimal();
        if let Some(whole) = self.binary(&decimal) {
            let (mantissa, power) = whole.in_powers_of_1024(6);
            return write!(f, "{mantissa}{}", ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][power]);
        }
        let (mantissa, power) = decimal.in_powers_of_1000();
        let suffix = DECIMAL_SUFFIXES.iter().find(|(known, _)| *known == power);
        match suffix {
            _ if power == 0 => write!(f, "{mantissa}"),
            Some((_, suffix)) if self.format != Format::DecimalExponent => write!(f, "{mantissa}{suffix}"),
            _ => write!(f, "{mantissa}e{power}"),
        }
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Quantity) -> Ordering {
        match (&self.amount, &other.amount) {
            (Amount::Small { value: a, scale: i }, Amount::Small { value: b, scale: j }) if i == j => a.cmp(b),
            (a, b) => a.decimal().cmp(&b.decimal()),
        }
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Quantity) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Quantity) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Quantity {}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(text: &str) -> Quantity {
        Quantity::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn quantities_print_in_canonical_form() {
        for (text, expected) in [
            ("0", "0"),
            ("0Ki", "0"),
            ("-", "0"),
            ("Mi", "0"),
            (".", "0"),
            ("1", "1"),
            ("-5", "-5"),
            ("1.5", "1500m"),
            ("1.500", "1.500"),
            ("1.5Gi", "1536Mi"),
            ("1024Ki", "1Mi"),
            ("8Ki", "8Ki"),
            ("0.5Ki", "512"),
            ("512Mi", "512Mi"),
            ("1000m", "1"),
            ("12000", "12k"),
            ("120000", "120k"),
            ("0.001", "1m"),
            ("100.035Ki", "102435840m"),
            ("1e3", "1e3"),
            ("10e3", "10e3"),
            ("1000e3", "1e6"),
            ("1.2E3", "1200"),
            ("1e14", "100e12"),
            ("50000000G", "50P"),
            ("1000E", "1e21"),
            ("1e-3", "1e-3"),
        ] {
            assert_eq!(quantity(text).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_finer_than_nano_is_rounded_away_from_zero() {
        for (text, expected) in [
            ("3.001n", "4n"),
            ("1.1E-9", "2e-9"),
            ("0.0000000001", "1n"),
            ("-0.0000000001", "-1n"),
            ("0.00000012345", "124n"),
            ("0.000000000001Ki", "2n"),
            ("1e-1000000", "1e-9"),
        ] {
            assert_eq!(quantity(text).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn only_powers_of_two_are_capped() {
        assert_eq!(quantity("9Ei"), quantity("9223372036854775807"));
        assert_eq!(quantity("-9Ei"), quantity("-9223372036854775807"));
        assert_eq!(quantity("9223372036854775807Ki"), Quantity::from_int(i64::MAX));
        assert_eq!(quantity("12E").to_string(), "12E");
        assert!(quantity("99999999999999999999") > quantity("9Ei"));
    }

    #[test]
    fn what_is_no_quantity_is_refused_in_words_of_go() {
        for (text, expected) in [
            ("", NOT_A_QUANTITY),
            ("Three", NOT_A_QUANTITY),
            ("1,3G", NOT_A_QUANTITY),
            ("1.1.M", NOT_A_QUANTITY),
            ("10Mo", NOT_A_QUANTITY),
            ("1 ", NOT_A_QUANTITY),
            ("1é", NOT_A_QUANTITY),
            ("200K", BAD_SUFFIX),
            ("10Mm", BAD_SUFFIX),
            ("1i", BAD_SUFFIX),
            ("-3.01e-", BAD_SUFFIX),
            ("1+1", BAD_SUFFIX),
            ("1e", BAD_SUFFIX),
            ("Pi", BAD_NUMBER),
            ("9999999999999999999", BAD_NUMBER),
        ] {
            assert_eq!(Quantity::parse(text).err().as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn numbers_that_would_take_the_memory_are_refused() {
        assert!(Quantity::parse("1e1001").is_err());
        assert!(Quantity::parse(&"1".repeat(1_001)).is_err());
        let sum = quantity("1e1000").add(&quantity("1n"));
        assert!(sum > quantity("1e1000"));
    }

    #[test]
    fn integers_are_those_that_go_sees() {
        for (text, expected) in [
            ("50000000G", Some(50_000_000_000_000_000)),
            ("50k", Some(50_000)),
            ("1Ki", Some(1_024)),
            ("1e18", Some(1_000_000_000_000_000_000)),
            ("1e19", None),
            ("0e400", Some(0)),
            ("0.5Mi", None),
            ("4Pi", None),
            ("1000m", None),
            ("0m", None),
            ("9999999999999999999999999999999999999G", None),
        ] {
            assert_eq!(quantity(text).as_integer(), expected, "{text}");
            assert_eq!(quantity(text).is_integer(), expected.is_some(), "{text}");
        }
    }

    #[test]
    fn floats_are_near() {
        for (text, expected) in
            [("1.5", 1.5), ("50k", 50_000.0), ("0.5Ki", 512.0), ("-1n", -1e-9), ("1e400", f64::INFINITY)]
        {
            assert_eq!(quantity(text).as_approximate_float(), expected, "{text}");
        }
        let big = quantity("9999999999999999999999999999999999999G").as_approximate_float();
        assert!((big / 1e46 - 1.0).abs() < 1e-12, "{big}");
    }

    #[test]
    fn sums_and_differences_are_exact() {
        for (left, right, sum, difference) in [
            ("50k", "20k", "70k", "30k"),
            ("1Gi", "1", "1073741825", "1073741823"),
            ("100m", "0", "100m", "100m"),
            ("0", "1Gi", "1Gi", "-1Gi"),
            ("9223372036854775807", "1", "9223372036854775808", "9223372036854775806"),
            ("1e100", "1e100", "20e99", "0"),
            ("1.5Ki", "1m", "1536001m", "1535999m"),
            ("1", "3", "4", "-2"),
            ("-1Pi", "1Ki", "-1099511627775Ki", "-1099511627777Ki"),
        ] {
            let (left, right) = (quantity(left), quantity(right));
            assert_eq!(left.add(&right).to_string(), sum);
            assert_eq!(left.sub(&right).to_string(), difference);
        }
        let most_negative = Quantity::from_int(i64::MIN);
        assert_eq!(Quantity::from_int(0).sub(&most_negative).to_string(), "9223372036854775808");
        assert_eq!(quantity("50k").add(&Quantity::from_int(20)), quantity("50020"));
    }

    #[test]
    fn quantities_compare_by_amount() {
        assert_eq!(quantity("200M"), quantity("0.2G"));
        assert!(quantity("50M") < quantity("50Mi"));
        assert!(quantity("-4Pi") < quantity("-1"));
        assert!(quantity("1e400") > quantity("99999999999999999999"));
        assert_eq!(quantity("4Pi"), quantity("4503599627370496"));
        assert_eq!(quantity("0m"), quantity("0Ki"));
        assert_eq!([quantity("1").sign(), quantity("0").sign(), quantity("-4Pi").sign()], [1, 0, -1]);
    }
}
