//! Numbers as Go reads and prints them.

/// A double as Go's `strconv.FormatFloat(f, 'g', -1, 64)` prints it: the fewest
/// digits that read back the same, with an exponent from six digits on.
pub(crate) fn shortest(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let (mantissa, exponent) = scientific(number);
    if (-4..6).contains(&exponent) { format!("{number}") } else { with_exponent(&mantissa, exponent) }
}

/// Mantissa and decimal exponent of the shortest form.
fn scientific(number: f64) -> (String, i32) {
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (mantissa.to_owned(), exponent.parse().unwrap_or(0))
}

/// Go writes an exponent with its sign and at least two digits.
pub(crate) fn with_exponent(mantissa: &str, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// A double as Go's `encoding/json` writes it.
pub(crate) fn json(number: f64) -> String {
    let (mantissa, exponent) = scientific(number);
    if number != 0.0 && !(-6..21).contains(&exponent) {
        // Unlike elsewhere, one digit is enough for a negative exponent.
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs()).replace("e-0", "e-");
    }
    format!("{number}")
}

/// A double as Go's `strconv.ParseFloat` reads it: with `_` between digits, in
/// hexadecimal too, and no infinity but where the text says so.
pub(crate) fn parse_double(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.starts_with(['+', '-']) {
        return None;
    }
    if unsigned.eq_ignore_ascii_case("nan") {
        return (unsigned.len() == text.len()).then_some(f64::NAN);
    }
    if ["inf", "infinity"].iter().any(|word| unsigned.eq_ignore_ascii_case(word)) {
        return text.parse().ok();
    }
    let is_hexadecimal = unsigned.starts_with("0x") || unsigned.starts_with("0X");
    let digits = without_underscores(unsigned, is_hexadecimal)?;
    let number = if is_hexadecimal { hexadecimal(&digits[2..])? } else { digits.parse().ok()? };
    number.is_finite().then_some(if text.starts_with('-') { -number } else { number })
}

/// The text without the `_` in it, each of which stands between two digits, or
/// between the prefix and a digit.
fn without_underscores(text: &str, is_hexadecimal: bool) -> Option<String> {
    let is_digit = |at: &u8| if is_hexadecimal { at.is_ascii_hexdigit() } else { at.is_ascii_digit() };
    let bytes = text.as_bytes();
    let fits = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let follows = before.is_some_and(is_digit) || (is_hexadecimal && at == 2);
        follows && bytes.get(at + 1).is_some_and(is_digit)
    };
    let stand_right = text.match_indices('_').all(|(at, _)| fits(at));
    stand_right.then(|| text.replace('_', ""))
}

/// `1.8p-2`, rounded once and to even. What is beyond the largest is infinite.
fn hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let is_number = !exponent_digits.is_empty() && exponent_digits.bytes().all(|it| it.is_ascii_digit());
    if !is_number || whole.len() + fraction.len() == 0 {
        return None;
    }
    // An exponent of so many digits decides by its sign alone.
    let beyond = if exponent.starts_with('-') { -1_000_000_000 } else { 1_000_000_000 };
    let mut exponent = exponent.parse::<i64>().unwrap_or(beyond).clamp(-1_000_000_000, 1_000_000_000);
    let mut bits: u64 = 0;
    for (at, digit) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = u64::from(digit.to_digit(16)?);
        let is_fraction = at >= whole.len();
        if bits >> 59 == 0 {
            bits = bits << 4 | digit;
            exponent -= if is_fraction { 4 } else { 0 };
        } else {
            // The lowest bit says that something was left out.
            bits |= u64::from(digit != 0);
            exponent += if is_fraction { 0 } else { 4 };
        }
    }
    Some(scaled(bits, exponent))
}

/// `bits` times two to the power of `exponent`, rounded once.
fn scaled(bits: u64, exponent: i64) -> f64 {
    let length = 64 - i64::from(bits.leading_zeros());
    if bits == 0 || length + exponent < -1074 {
        return 0.0;
    }
    if length + exponent > 1024 {
        return f64::INFINITY;
    }
    // 53 bits are kept, and fewer of what is smaller than the smallest normal.
    let dropped = (length - 53).max(-1074 - exponent).max(0);
    // At most 64: the length is, and what would be dropped beyond it is zero.
    let wide = u128::from(bits);
    let (kept, rest, half) = (wide >> dropped, wide & ((1 << dropped) - 1), (1_u128 << dropped) >> 1);
    let up = dropped > 0 && (rest > half || (rest == half && kept & 1 == 1));
    let kept = (kept + u128::from(up)) as f64;
    let power = exponent + dropped;
    // In two steps, since a power alone may be too small or too large.
    let half_power = i32::try_from(power / 2).unwrap_or_default();
    let other_half = i32::try_from(power - power / 2).unwrap_or_default();
    kept * 2_f64.powi(half_power) * 2_f64.powi(other_half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_print_as_in_go() {
        for (number, expected) in [
            (2.5, "2.5"),
            (2.0, "2"),
            (1e20, "1e+20"),
            (1_234_567.5, "1.2345675e+06"),
            (1e21, "1e+21"),
            (1e-5, "1e-05"),
            (-0.0045, "-0.0045"),
            (123_456.789, "123456.789"),
            (f64::INFINITY, "+Inf"),
        ] {
            assert_eq!(shortest(number), expected);
        }
        assert_eq!(json(1e-7), "1e-7");
        assert_eq!(json(1.0), "1");
    }
}
