//! The calendar, and how far zones are from UTC.
//!
//! Zones are those that are built in, wherever this runs: what a definition
//! makes of its input does not depend on a machine.

use jiff::tz::TimeZoneDatabase;

const SECONDS_IN_DAY: i64 = 86_400;
/// The calendar repeats itself after 400 years.
const DAYS_IN_CYCLE: i64 = 146_097;
/// From the first of March of the year 0 to 1970.
const DAYS_TO_EPOCH: i64 = 719_468;

/// Date and time of some place.
pub(super) struct Civil {
    pub(super) year: i64,
    /// 1 to 12.
    pub(super) month: i64,
    /// 1 to 31.
    pub(super) day: i64,
    pub(super) hours: i64,
    pub(super) minutes: i64,
    pub(super) seconds: i64,
    /// Sunday is 0.
    pub(super) day_of_week: i64,
    /// The first of January is 0.
    pub(super) day_of_year: i64,
}

impl Civil {
    /// From seconds since the first of January 1970 of that place.
    pub(super) fn at(seconds: i64) -> Civil {
        let (days, second) = (seconds.div_euclid(SECONDS_IN_DAY), seconds.rem_euclid(SECONDS_IN_DAY));
        let (year, month, day) = date(days);
        Civil {
            year,
            month,
            day,
            hours: second / 3_600,
            minutes: second / 60 % 60,
            seconds: second % 60,
            // 1970 began on a Thursday.
            day_of_week: (days + 4).rem_euclid(7),
            day_of_year: days - days_to(year, 1, 1),
        }
    }
}

/// Days from 1970 to a date, if the calendar has it. Months and days count
/// from 1.
pub(super) fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=length).contains(&day).then(|| days_to(year, month, day))
}

/// The same for a date that exists. Years are taken to begin in March, so that
/// the leap day is their last one and months have their lengths in a pattern.
fn days_to(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let (cycle, year) = (year.div_euclid(400), year.rem_euclid(400));
    let months_since_march = (month + 9) % 12;
    let day_of_year = (153 * months_since_march + 2) / 5 + day - 1;
    cycle * DAYS_IN_CYCLE + 365 * year + year / 4 - year / 100 + day_of_year - DAYS_TO_EPOCH
}

/// Year, month and day so many days after 1970.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_TO_EPOCH;
    let (cycle, day_of_cycle) = (days.div_euclid(DAYS_IN_CYCLE), days.rem_euclid(DAYS_IN_CYCLE));
    // Without the leap days before it, every year has 365 days.
    let leap_days = day_of_cycle / 1_460 - day_of_cycle / 36_524 + day_of_cycle / 146_096;
    let year = (day_of_cycle - leap_days) / 365;
    let day_of_year = day_of_cycle - (365 * year + year / 4 - year / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    let month = (months_since_march + 2) % 12 + 1;
    let year = cycle * 400 + if month > 2 { year } else { year + 1 };
    (year, month, day)
}

/// The seconds by which a zone is east of UTC, at so many seconds after 1970.
pub(super) fn offset(zone: &str, seconds: i64) -> Result<i64, String> {
    let unknown = || format!("unknown time zone {zone:?}: Europe/Berlin and +01:00 are examples of known ones");
    if zone.contains(':') {
        return fixed_offset(zone).ok_or_else(unknown);
    }
    // Go's names for UTC, and for the zone of the machine, of which there is none.
    if matches!(zone, "" | "UTC" | "Local") {
        return Ok(0);
    }
    // The database does not mind the case of letters; Go does.
    let known = TimeZoneDatabase::bundled().get(zone).ok().filter(|known| known.iana_name() == Some(zone));
    let known = known.ok_or_else(unknown)?;
    // Its instants end a day before ours, on which no zone changes.
    let seconds = seconds.min(jiff::Timestamp::MAX.as_second());
    let instant = jiff::Timestamp::from_second(seconds).map_err(|error| error.to_string())?;
    Ok(i64::from(known.to_offset(instant).seconds()))
}

/// Hours and minutes with an optional sign.
fn fixed_offset(zone: &str) -> Option<i64> {
    let (sign, size) = match zone.strip_prefix('-') {
        Some(size) => (-1, size),
        None => (1, zone.strip_prefix('+').unwrap_or(zone)),
    };
    let (hours, minutes) = size.split_once(':')?;
    let number = |text: &str, most: i64| {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|number| is_number && *number <= most)
    };
    Some(sign * (number(hours, 23)? * 60 + number(minutes, 59)?) * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_days_are_inverse() {
        // From the year 0 to 10000, in steps that fall on every day of a year.
        for days in (-719_528..2_933_000).step_by(97) {
            let (year, month, day) = date(days);
            assert_eq!(super::days(year, month, day), Some(days), "{year}-{month}-{day}");
        }
        for (known, expected) in [
            ((1970, 1, 1), 0),
            ((2000, 2, 29), 11_016),
            ((2000, 3, 1), 11_017),
            ((1900, 3, 1), -25_508),
            ((1, 1, 1), -719_162),
            ((9999, 12, 31), 2_932_896),
        ] {
            assert_eq!((days(known.0, known.1, known.2), date(expected)), (Some(expected), known));
        }
    }

    #[test]
    fn days_that_no_calendar_has_are_none() {
        for (year, month, day) in [(2023, 2, 29), (1900, 2, 29), (2024, 4, 31), (2024, 0, 1), (2024, 13, 1)] {
            assert_eq!(days(year, month, day), None, "{year}-{month}-{day}");
        }
    }
}
