//! Spans of time with the range and the texts of Go's `time.Duration`.

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// A span of up to 292 years, forwards or backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    /// Every number is a duration.
    pub nanos: i64,
}

impl Duration {
    /// Reads numbers with units, such as `1h30m`, `-1.5s` and `100us`; the units
    /// are `h`, `m`, `s`, `ms`, `us` and `ns`. What is finer than a nanosecond
    /// is cut off.
    ///
    /// # Errors
    ///
    /// Other texts, and what is longer than 292 years.
    pub fn parse(text: &str) -> Result<Duration, String> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        if unsigned == "0" {
            return Ok(Duration::default());
        }
        if unsigned.is_empty() {
            return Err(invalid(text));
        }
        let (mut total, mut rest) = (0_u64, unsigned);
        while !rest.is_empty() {
            let (nanos, after) = component(text, rest)?;
            total = total.checked_add(nanos).ok_or_else(|| out_of_range(text))?;
            rest = after;
        }
        let nanos =
            if text.starts_with('-') { 0_i64.checked_sub_unsigned(total) } else { 0_i64.checked_add_unsigned(total) };
        nanos.map(|nanos| Duration { nanos }).ok_or_else(|| out_of_range(text))
    }

    /// Seconds with an `s`, which is what `string(duration)` is: `5400s`. They
    /// are a double to cel-go, so that long durations lose nanoseconds here.
    pub fn to_cel_string(self) -> String {
        let second = SECOND.cast_signed();
        let seconds = (self.nanos / second) as f64 + (self.nanos % second) as f64 / 1e9;
        format!("{seconds}s")
    }

    /// As Go prints it: `1h30m0s`, `1.5s`, `100µs`.
    pub fn to_go_string(self) -> String {
        let size = self.nanos.unsigned_abs();
        let text = match size {
            0 => "0s".to_owned(),
            1..MICROSECOND => format!("{size}ns"),
            MICROSECOND..MILLISECOND => format!("{}µs", decimal(size, MICROSECOND)),
            MILLISECOND..SECOND => format!("{}ms", decimal(size, MILLISECOND)),
            _ => clock(size),
        };
        if self.nanos < 0 { format!("-{text}") } else { text }
    }

    /// Whole hours; like the others, rounded towards zero.
    pub fn hours(self) -> i64 {
        self.whole(HOUR)
    }

    /// Whole minutes of all of it.
    pub fn minutes(self) -> i64 {
        self.whole(MINUTE)
    }

    /// Whole seconds of all of it.
    pub fn seconds(self) -> i64 {
        self.whole(SECOND)
    }

    /// Whole milliseconds of all of it.
    pub fn milliseconds(self) -> i64 {
        self.whole(MILLISECOND)
    }

    fn whole(self, unit: u64) -> i64 {
        self.nanos / unit.cast_signed()
    }

    /// The sum.
    ///
    /// # Errors
    ///
    /// More than 292 years.
    pub fn checked_add(self, other: Duration) -> Result<Duration, String> {
        self.nanos.checked_add(other.nanos).map(|nanos| Duration { nanos }).ok_or_else(overflow)
    }

    /// The difference.
    ///
    /// # Errors
    ///
    /// More than 292 years.
    pub fn checked_sub(self, other: Duration) -> Result<Duration, String> {
        self.nanos.checked_sub(other.nanos).map(|nanos| Duration { nanos }).ok_or_else(overflow)
    }

    /// The same span in the other direction.
    ///
    /// # Errors
    ///
    /// The longest one backwards, which has no counterpart.
    pub fn checked_neg(self) -> Result<Duration, String> {
        self.nanos.checked_neg().map(|nanos| Duration { nanos }).ok_or_else(overflow)
    }
}

/// What is said of a result that is not a duration.
pub(super) fn overflow() -> String {
    "integer overflow: the duration is out of the range of 292 years".to_owned()
}

fn invalid(text: &str) -> String {
    format!("time: invalid duration {text:?}")
}

fn out_of_range(text: &str) -> String {
    format!("time: duration {text:?} is out of the range of 292 years")
}

/// The nanoseconds of the number and unit with which `rest` starts, and what
/// follows them. `text` is what all of it is from.
fn component<'a>(text: &str, rest: &'a str) -> Result<(u64, &'a str), String> {
    let (integer, rest) = split_digits(rest);
    let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), split_digits);
    if integer.is_empty() && fraction.is_empty() {
        return Err(invalid(text));
    }
    let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let unit = match name {
        "" => return Err(format!("time: missing unit in duration {text:?}")),
        "ns" => 1,
        // The sign for micro, and the Greek letter that looks like it.
        "us" | "\u{b5}s" | "\u{3bc}s" => MICROSECOND,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return Err(format!("time: unknown unit {name:?} in duration {text:?}")),
    };
    let number = if integer.is_empty() { Some(0) } else { integer.parse::<u64>().ok() };
    let nanos = number.and_then(|number| number.checked_mul(unit)?.checked_add(part(fraction, unit)));
    Ok((nanos.ok_or_else(|| out_of_range(text))?, rest))
}

/// The nanoseconds of a fraction of a unit.
fn part(fraction: &str, unit: u64) -> u64 {
    // An hour has fewer than 10^13 nanoseconds, so that later digits are nothing.
    let kept = &fraction[..fraction.len().min(18)];
    let (number, scale) = kept.bytes().fold((0_u128, 1_u128), |(number, scale), digit| {
        (number * 10 + u128::from(digit.saturating_sub(b'0')), scale * 10)
    });
    // It is less than the unit, since the fraction is less than one.
    u64::try_from(number * u128::from(unit) / scale).unwrap_or(unit)
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

/// Hours, minutes and seconds, without those at the start that are zero.
fn clock(nanos: u64) -> String {
    let seconds = decimal(nanos % MINUTE, SECOND);
    match (nanos / HOUR, nanos / MINUTE % 60) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{seconds}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// A quotient by a power of ten, with as many digits as it needs.
fn decimal(value: u64, scale: u64) -> String {
    let whole = value / scale;
    // The one in front keeps the zeros after the point.
    let digits = (scale + value % scale).to_string();
    match digits[1..].trim_end_matches('0') {
        "" => whole.to_string(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duration(text: &str) -> Duration {
        Duration::parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn durations_are_read_and_printed() {
        for (text, nanos, cel, go) in [
            ("0", 0, "0s", "0s"),
            ("-0", 0, "0s", "0s"),
            ("+0", 0, "0s", "0s"),
            ("0s", 0, "0s", "0s"),
            ("90s", 90_000_000_000, "90s", "1m30s"),
            ("1h", 3_600_000_000_000, "3600s", "1h0m0s"),
            ("2h0m0s", 7_200_000_000_000, "7200s", "2h0m0s"),
            ("1.5h", 5_400_000_000_000, "5400s", "1h30m0s"),
            ("-3s", -3_000_000_000, "-3s", "-3s"),
            ("-1.5s", -1_500_000_000, "-1.5s", "-1.5s"),
            ("100us", 100_000, "0.0001s", "100µs"),
            ("100µs", 100_000, "0.0001s", "100µs"),
            ("100μs", 100_000, "0.0001s", "100µs"),
            ("1h2m3s4ms5us6ns", 3_723_004_005_006, "3723.004005006s", "1h2m3.004005006s"),
            (".5s", 500_000_000, "0.5s", "500ms"),
            ("5.s", 5_000_000_000, "5s", "5s"),
            ("1ns", 1, "0.000000001s", "1ns"),
            ("1.25ms", 1_250_000, "0.00125s", "1.25ms"),
            ("0.1234567891234567891234s", 123_456_789, "0.123456789s", "123.456789ms"),
            ("9223372036854775807ns", i64::MAX, "9223372036.854776s", "2562047h47m16.854775807s"),
            ("-9223372036854775808ns", i64::MIN, "-9223372036.854776s", "-2562047h47m16.854775808s"),
        ] {
            let duration = duration(text);
            assert_eq!(duration.nanos, nanos, "{text}");
            assert_eq!((duration.to_cel_string().as_str(), duration.to_go_string().as_str()), (cel, go), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for (text, expected) in [
            ("", "time: invalid duration \"\""),
            ("-", "time: invalid duration \"-\""),
            ("s", "time: invalid duration \"s\""),
            (".s", "time: invalid duration \".s\""),
            ("--1s", "time: invalid duration \"--1s\""),
            ("1s ", "time: unknown unit \"s \" in duration \"1s \""),
            ("1", "time: missing unit in duration \"1\""),
            ("1.5.5s", "time: missing unit in duration \"1.5.5s\""),
            ("1d", "time: unknown unit \"d\" in duration \"1d\""),
        ] {
            assert_eq!(Duration::parse(text), Err(expected.to_owned()));
        }
        for text in ["9223372036854775808ns", "-9223372036854775809ns", "320000000000s", "99999999999999999999s"] {
            assert!(Duration::parse(text).is_err_and(|error| error.contains("range")), "{text}");
        }
    }

    #[test]
    fn units_are_whole_and_of_all_of_it() {
        let wholes = |text| {
            let duration = duration(text);
            [duration.hours(), duration.minutes(), duration.seconds(), duration.milliseconds()]
        };
        assert_eq!(wholes("1h30m59.9999s"), [1, 90, 5_459, 5_459_999]);
        assert_eq!(wholes("-90m"), [-1, -90, -5_400, -5_400_000]);
    }

    #[test]
    fn arithmetic_beyond_the_range_is_an_error() {
        let (longest, shortest) = (Duration { nanos: i64::MAX }, Duration { nanos: i64::MIN });
        assert_eq!(duration("1h").checked_add(duration("-1m")), Ok(duration("59m")));
        assert_eq!(duration("1h").checked_sub(duration("61m")), Ok(duration("-1m")));
        assert_eq!(longest.checked_neg(), Ok(Duration { nanos: -i64::MAX }));
        for result in
            [longest.checked_add(duration("1ns")), shortest.checked_sub(duration("1ns")), shortest.checked_neg()]
        {
            assert!(result.is_err_and(|error| error.contains("integer overflow") && error.contains("range")));
        }
    }
}
