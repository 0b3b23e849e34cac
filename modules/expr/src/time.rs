//! CEL's timestamps and durations, with the semantics of cel-go and, for their
//! texts, of Go.
//!
//! A timestamp is an instant and nothing more: the offset with which it was
//! written is gone, and its parts are those in UTC unless a zone is named. Nothing
//! here reads a clock.

mod calendar;
mod duration;

use calendar::Civil;

pub use duration::Duration;

/// `0001-01-01T00:00:00Z`, in seconds since 1970.
const FIRST_SECOND: i64 = -62_135_596_800;
/// `9999-12-31T23:59:59Z`.
const LAST_SECOND: i64 = 253_402_300_799;
const NANOS_IN_SECOND: i64 = 1_000_000_000;

/// An instant in the years 1 to 9999, to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Since 1970, and before it negative.
    seconds: i64,
    /// After that second; below 10^9.
    nanos: u32,
}

impl Timestamp {
    /// From seconds since 1970, and nanoseconds after that second.
    ///
    /// # Errors
    ///
    /// What is outside of the years 1 to 9999, or has a whole second of
    /// nanoseconds.
    pub fn from_parts(seconds: i64, nanos: u32) -> Result<Timestamp, String> {
        if (FIRST_SECOND..=LAST_SECOND).contains(&seconds) && i64::from(nanos) < NANOS_IN_SECOND {
            return Ok(Timestamp { seconds, nanos });
        }
        Err("timestamp overflow: it is out of the range of the years 1 to 9999".to_owned())
    }

    /// From seconds since 1970.
    ///
    /// # Errors
    ///
    /// What is outside of the years 1 to 9999.
    pub fn from_unix(seconds: i64) -> Result<Timestamp, String> {
        Timestamp::from_parts(seconds, 0)
    }

    /// Reads RFC 3339, such as `2006-01-02T15:04:05.999+01:00`. What is finer
    /// than a nanosecond is cut off.
    ///
    /// # Errors
    ///
    /// Other texts, days that no calendar has, leap seconds, and what is outside
    /// of the years 1 to 9999.
    pub fn parse(text: &str) -> Result<Timestamp, String> {
        let refuse = || format!("cannot parse timestamp {text:?}: RFC 3339 is wanted, such as 2006-01-02T15:04:05Z");
        let (seconds, nanos) = read(text).ok_or_else(refuse)?;
        Timestamp::from_parts(seconds, nanos)
    }

    /// Whole seconds since 1970, which is what `int(timestamp)` is.
    pub fn unix(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds after [`unix`](Timestamp::unix), below 10^9.
    pub fn subsecond_nanos(self) -> u32 {
        self.nanos
    }

    /// RFC 3339 in UTC, with as many digits after the second as are needed:
    /// what `string(timestamp)` is.
    pub fn to_rfc3339_nano(self) -> String {
        let digits = format!("{:09}", self.nanos);
        let digits = digits.trim_end_matches('0');
        if digits.is_empty() { self.print("") } else { self.print(&format!(".{digits}")) }
    }

    /// RFC 3339 in UTC to the second.
    pub fn to_rfc3339_seconds(self) -> String {
        self.print("")
    }

    fn print(self, fraction: &str) -> String {
        let Civil { year, month, day, hours, minutes, seconds, .. } = Civil::at(self.seconds);
        format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}{fraction}Z")
    }

    /// The parts of date and time in a zone.
    fn civil(self, zone: Option<&str>) -> Result<Civil, String> {
        let offset = zone.map_or(Ok(0), |zone| calendar::offset(zone, self.seconds))?;
        Ok(Civil::at(self.seconds + offset))
    }
}

/// Parts of date and time. A zone is a name of IANA's, or hours and minutes such
/// as `+11:00`, `-08:30` or `02:00`; without one it is UTC. The only error is a
/// zone that nobody knows.
impl Timestamp {
    /// The year.
    pub fn year(self, zone: Option<&str>) -> Result<i64, String> {
        Ok(self.civil(zone)?.year)
    }

    /// The month, January being 0.
    pub fn month(self, zone: Option<&str>) -> Result<i64, String> {
        Ok(self.civil(zone)?.month - 1)
    }

    /// The day of the month, the first being 1.
    pub fn date(self, zone: Option<&str>) -> Result<i64, String> {
        Ok(self.civil(zone)?.day)
    }

    /// The day of the month, the first being 0.
    pub fn day_of_month(self, zone: Option<&str>) -> Result<i64, String> {
        Ok(self.civil(zone)?.day - 1)
    }

    /// The day of the week, Sunday being 0.
    pub fn day_of_week(self, zone: Option<&str>) -> Result<i64, String> {
        Ok(self.civil(zone)?.day_of_week)
    }

    /// The day of the year, the first being 0.
    pub fn day_of_year(self, zone: Option<&str>) -> Result<i64, String> {
        Ok(self.civil(zone)?.day_of_year)
    }

    /// The hour, 0 to 23.
    pub fn hours(self, zone: Option<&str>) -> Result<i64, String> {
        Ok(self.civil(zone)?.hours)
    }

    /// The minute, 0 to 59.
    pub fn minutes(self, zone: Option<&str>) -> Result<i64, String> {
        Ok(self.civil(zone)?.minutes)
    }

    /// The second, 0 to 59.
    pub fn seconds(self, zone: Option<&str>) -> Result<i64, String> {
        Ok(self.civil(zone)?.seconds)
    }

    /// The millisecond, 0 to 999.
    pub fn milliseconds(self, zone: Option<&str>) -> Result<i64, String> {
        self.civil(zone)?;
        Ok(i64::from(self.nanos) / 1_000_000)
    }
}

impl Timestamp {
    /// The instant that is later by a duration.
    ///
    /// # Errors
    ///
    /// An instant outside of the years 1 to 9999.
    pub fn checked_add(self, duration: Duration) -> Result<Timestamp, String> {
        // Apart, since the nanoseconds of nine millennia are too many for 64 bits.
        let nanos = i64::from(self.nanos) + duration.nanos % NANOS_IN_SECOND;
        let seconds = self.seconds + duration.nanos / NANOS_IN_SECOND + nanos.div_euclid(NANOS_IN_SECOND);
        let nanos = u32::try_from(nanos.rem_euclid(NANOS_IN_SECOND)).unwrap_or(0);
        Timestamp::from_parts(seconds, nanos)
    }

    /// The instant that is earlier by a duration.
    ///
    /// # Errors
    ///
    /// An instant outside of the years 1 to 9999, and the one duration that
    /// cannot be negated.
    pub fn checked_sub(self, duration: Duration) -> Result<Timestamp, String> {
        self.checked_add(duration.checked_neg()?)
    }

    /// The time since another instant; negative if that is later.
    ///
    /// # Errors
    ///
    /// More than 292 years.
    pub fn since(self, other: Timestamp) -> Result<Duration, String> {
        let nanos = self.total_nanos() - other.total_nanos();
        i64::try_from(nanos).map(|nanos| Duration { nanos }).map_err(|_| duration::overflow())
    }

    fn total_nanos(self) -> i128 {
        i128::from(self.seconds) * i128::from(NANOS_IN_SECOND) + i128::from(self.nanos)
    }
}

/// Seconds since 1970 and nanoseconds, of a text in RFC 3339.
fn read(text: &str) -> Option<(i64, u32)> {
    let mut reader = Reader(text);
    let year = reader.number(4, 9_999)?;
    reader.mark('-')?;
    let month = reader.number(2, 12)?;
    reader.mark('-')?;
    let day = reader.number(2, 31)?;
    reader.mark('T')?;
    let hours = reader.number(2, 23)?;
    reader.mark(':')?;
    let minutes = reader.number(2, 59)?;
    reader.mark(':')?;
    let seconds = reader.number(2, 59)?;
    let nanos = reader.fraction()?;
    let offset = reader.offset()?;
    let days = calendar::days(year, month, day)?;
    Some((((days * 24 + hours) * 60 + minutes) * 60 + seconds - offset, nanos))
}

/// The rest of a text. Every method takes from its start, or answers nothing.
struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn mark(&mut self, mark: char) -> Option<()> {
        self.0 = self.0.strip_prefix(mark)?;
        Some(())
    }

    /// A number of so many digits.
    fn number(&mut self, digits: usize, most: i64) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        number.parse::<i64>().ok().filter(|number| is_number && *number <= most)
    }

    /// The nanoseconds after a point, or zero if there is none.
    fn fraction(&mut self) -> Option<u32> {
        let Some(rest) = self.0.strip_prefix('.') else { return Some(0) };
        let (digits, rest) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
        self.0 = rest;
        let kept = &digits[..digits.len().min(9)];
        let missing = u32::try_from(9 - kept.len()).ok()?;
        kept.parse::<u32>().ok().map(|number| number * 10_u32.pow(missing))
    }

    /// The seconds east of UTC, at the end of the text.
    fn offset(&mut self) -> Option<i64> {
        if self.0 == "Z" {
            return Some(0);
        }
        let sign = if self.mark('-').is_some() { -1 } else { self.mark('+').map(|()| 1)? };
        let hours = self.number(2, 23)?;
        self.mark(':')?;
        let minutes = self.number(2, 59)?;
        self.0.is_empty().then_some(sign * (hours * 60 + minutes) * 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timestamp(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn duration(text: &str) -> Duration {
        Duration::parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn timestamps_are_read_and_printed() {
        for (text, unix, expected) in [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
            ("2009-02-13T23:31:30Z", 1_234_567_890, "2009-02-13T23:31:30Z"),
            ("2009-02-14T00:31:30+01:00", 1_234_567_890, "2009-02-13T23:31:30Z"),
            ("2009-02-13T15:01:30-08:30", 1_234_567_890, "2009-02-13T23:31:30Z"),
            ("1969-12-31T23:59:59.5Z", -1, "1969-12-31T23:59:59.5Z"),
            ("2024-02-29T12:00:00.120000000Z", 1_709_208_000, "2024-02-29T12:00:00.12Z"),
            ("2024-02-29T12:00:00.1234567899Z", 1_709_208_000, "2024-02-29T12:00:00.123456789Z"),
            ("0001-01-01T00:00:00Z", FIRST_SECOND, "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.999999999Z", LAST_SECOND, "9999-12-31T23:59:59.999999999Z"),
        ] {
            let timestamp = timestamp(text);
            assert_eq!((timestamp.unix(), timestamp.to_rfc3339_nano().as_str()), (unix, expected), "{text}");
        }
        assert_eq!(timestamp("2024-02-29T12:00:00.9Z").to_rfc3339_seconds(), "2024-02-29T12:00:00Z");
    }

    #[test]
    fn what_is_no_timestamp_is_refused() {
        for text in [
            "",
            "2024-02-29",
            "2024-02-29T12:00:00",
            "2024-02-29t12:00:00Z",
            "2024-02-29T12:00:00z",
            "2024-02-29 12:00:00Z",
            "2024-02-29T12:00Z",
            "2024-02-29T1:00:00Z",
            "2024-02-29T24:00:00Z",
            "2024-02-29T12:00:60Z",
            "2024-02-29T12:00:00.Z",
            "2024-02-29T12:00:00,5Z",
            "2024-02-29T12:00:00+1:00",
            "2024-02-29T12:00:00+24:00",
            "2024-02-29T12:00:00+01:00Z",
            "2023-02-29T12:00:00Z",
            "2024-00-01T12:00:00Z",
            "2024-01-00T12:00:00Z",
            "2024-13-01T12:00:00Z",
            "+024-01-01T12:00:00Z",
            "2024-01-é1T12:00:00Z",
        ] {
            let error = Timestamp::parse(text).err().unwrap_or_default();
            assert!(error.contains("RFC 3339"), "{text}: {error}");
        }
        for text in ["0000-12-31T23:59:59Z", "9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01"] {
            let error = Timestamp::parse(text).err().unwrap_or_default();
            assert!(error.starts_with("timestamp overflow") && error.contains("range"), "{text}: {error}");
        }
        assert!(Timestamp::from_unix(i64::MAX).is_err());
        assert!(Timestamp::from_parts(0, 1_000_000_000).is_err());
    }

    #[test]
    fn parts_of_a_timestamp_are_those_in_a_zone() {
        // A Friday.
        let timestamp = timestamp("2009-02-13T23:31:30.123456Z");
        type Part = fn(Timestamp, Option<&str>) -> Result<i64, String>;
        let parts: [(Part, [i64; 4]); 10] = [
            (Timestamp::year, [2009, 2009, 2009, 2009]),
            (Timestamp::month, [1, 1, 1, 1]),
            (Timestamp::date, [13, 14, 13, 14]),
            (Timestamp::day_of_month, [12, 13, 12, 13]),
            (Timestamp::day_of_week, [5, 6, 5, 6]),
            (Timestamp::day_of_year, [43, 44, 43, 44]),
            (Timestamp::hours, [23, 10, 21, 5]),
            (Timestamp::minutes, [31, 31, 1, 16]),
            (Timestamp::seconds, [30, 30, 30, 30]),
            (Timestamp::milliseconds, [123, 123, 123, 123]),
        ];
        for (index, (part, expected)) in parts.into_iter().enumerate() {
            let zones = [None, Some("+11:00"), Some("-02:30"), Some("Asia/Kathmandu")];
            assert_eq!(zones.map(|zone| part(timestamp, zone)), expected.map(Ok::<i64, String>), "part {index}");
        }
    }

    #[test]
    fn zones_may_leave_the_years_of_timestamps() {
        let last = timestamp("9999-12-31T23:59:59Z");
        assert_eq!(last.year(Some("01:00")), Ok(10_000));
        assert_eq!(last.year(Some("Europe/Berlin")), Ok(10_000));
        assert_eq!(timestamp("0001-01-01T00:00:00Z").year(Some("-00:01")), Ok(0));
    }

    #[test]
    fn summer_time_is_known() {
        assert_eq!(timestamp("2024-01-01T12:00:00Z").hours(Some("America/New_York")), Ok(7));
        assert_eq!(timestamp("2024-07-01T12:00:00Z").hours(Some("America/New_York")), Ok(8));
        assert_eq!(timestamp("2024-07-01T12:00:00Z").hours(Some("US/Central")), Ok(7));
    }

    #[test]
    fn unknown_zones_are_errors() {
        let timestamp = timestamp("2024-01-01T12:00:00Z");
        for zone in ["Mars/Olympus", "europe/berlin", "Etc/Unknown", "+1100", "+11:", "+11:60", "24:00", "++1:00"] {
            assert!(timestamp.milliseconds(Some(zone)).is_err(), "{zone}");
        }
        for zone in ["", "UTC"] {
            assert_eq!(timestamp.hours(Some(zone)), Ok(12));
        }
    }

    #[test]
    fn timestamps_move_by_durations() {
        for (start, by, sum, difference) in [
            ("1970-01-01T00:00:00Z", "1.5s", "1970-01-01T00:00:01.5Z", "1969-12-31T23:59:58.5Z"),
            ("2024-02-28T23:59:59.9Z", "24h0.1s", "2024-03-01T00:00:00Z", "2024-02-27T23:59:59.8Z"),
            ("2024-01-01T00:00:00Z", "-1ns", "2023-12-31T23:59:59.999999999Z", "2024-01-01T00:00:00.000000001Z"),
        ] {
            let (start, by) = (timestamp(start), duration(by));
            assert_eq!(start.checked_add(by), Ok(timestamp(sum)));
            assert_eq!(start.checked_sub(by), Ok(timestamp(difference)));
            assert_eq!(timestamp(sum).since(start), Ok(by));
        }
    }

    #[test]
    fn arithmetic_beyond_the_range_is_an_error() {
        let (first, last) = (timestamp("0001-01-01T00:00:00Z"), timestamp("9999-12-31T23:59:59.999999999Z"));
        for error in [last.checked_add(duration("1ns")), first.checked_sub(duration("1ns"))] {
            assert!(error.is_err_and(|error| error.contains("timestamp overflow") && error.contains("range")));
        }
        assert!(last.since(first).is_err_and(|error| error.contains("integer overflow")));
        assert!(first.checked_sub(Duration { nanos: i64::MIN }).is_err_and(|error| error.contains("integer overflow")));
    }

    #[test]
    fn timestamps_are_in_the_order_of_time() {
        assert!(timestamp("2024-01-01T00:00:00Z") < timestamp("2024-01-01T00:00:00.1Z"));
        assert!(timestamp("2024-01-01T01:00:00+02:00") < timestamp("2024-01-01T00:00:00Z"));
        assert_eq!(timestamp("2024-01-01T02:00:00+02:00"), timestamp("2024-01-01T00:00:00Z"));
    }
}
