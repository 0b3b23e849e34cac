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
