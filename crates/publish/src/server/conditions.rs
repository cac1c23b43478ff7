//! Which part of a file a request is answered with (RFC 9110, chapters 13 and 14). Pure.

use std::ops::Range;

/// The parts of a request that decide.
pub(super) struct Conditions<'a> {
    pub(super) is_get: bool,
    pub(super) if_none_match: Option<&'a str>,
    pub(super) range: Option<&'a str>,
    pub(super) if_range: Option<&'a str>,
}

/// The answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Selection {
    Whole,
    Part(Range<u64>),
    NotModified,
    Unsatisfiable,
}

/// Chooses what to send of a file with this tag and length. A range that is malformed, in
/// another unit, or one of several is ignored, which the standard allows.
pub(super) fn select(conditions: &Conditions<'_>, etag: &str, length: u64) -> Selection {
    if conditions.if_none_match.is_some_and(|tags| lists(tags, etag)) {
        return Selection::NotModified;
    }
    // A tag that does not match, and any date, means that the client holds part of another file.
    let is_resumable = conditions.if_range.is_none_or(|tag| tag.trim() == etag);
    match conditions.range {
        Some(range) if conditions.is_get && is_resumable => part(range, length),
        _ => Selection::Whole,
    }
}

/// Whether a list of entity tags has this one. The comparison is weak, as it is for reads.
fn lists(tags: &str, etag: &str) -> bool {
    tags.trim() == "*"
        || tags
            .split(',')
            .map(str::trim)
            .any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

fn part(range: &str, length: u64) -> Selection {
    let Some((first, last)) = range
        .trim()
        .strip_prefix("bytes=")
        .and_then(|spec| spec.split_once('-'))
    else {
        return Selection::Whole;
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number too large for 64 bits is beyond every file.
    let number = |text: &str| text.parse::<u64>().unwrap_or(u64::MAX);
    let (first, last) = (first.trim(), last.trim());
    match (first, last) {
        ("", suffix) if is_number(suffix) => match number(suffix) {
            0 => Selection::Unsatisfiable,
            _ if length == 0 => Selection::Unsatisfiable,
            suffix => Selection::Part(length.saturating_sub(suffix)..length),
        },
        (first, "") if is_number(first) => from(number(first), length, length),
        (first, last) if is_number(first) && is_number(last) => {
            if number(first) > number(last) {
                return Selection::Whole;
            }
            from(number(first), number(last).saturating_add(1), length)
        }
        _ => Selection::Whole,
    }
}

fn from(first: u64, end: u64, length: u64) -> Selection {
    if first >= length {
        Selection::Unsatisfiable
    } else {
        Selection::Part(first..end.min(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_select_what_the_standard_says() {
        let cases = [
            ("bytes=0-0", Selection::Part(0..1)),
            ("bytes=0-9", Selection::Part(0..10)),
            ("bytes=4-", Selection::Part(4..10)),
            ("bytes=4-99", Selection::Part(4..10)),
            ("bytes=9-99999999999999999999999", Selection::Part(9..10)),
            ("bytes=-3", Selection::Part(7..10)),
            ("bytes=-30", Selection::Part(0..10)),
            ("bytes=10-", Selection::Unsatisfiable),
            ("bytes=10-12", Selection::Unsatisfiable),
            ("bytes=99999999999999999999999-", Selection::Unsatisfiable),
            ("bytes=-0", Selection::Unsatisfiable),
            ("bytes=5-4", Selection::Whole),
            ("bytes=0-1,3-4", Selection::Whole),
            ("bytes=-", Selection::Whole),
            ("bytes=a-b", Selection::Whole),
            ("bytes=+1-2", Selection::Whole),
            ("lines=0-1", Selection::Whole),
            ("", Selection::Whole),
        ];
        for (range, expected) in cases {
            assert_eq!(part(range, 10), expected, "{range}");
        }
        assert_eq!(part("bytes=-1", 0), Selection::Unsatisfiable);
        assert_eq!(part("bytes=0-", 0), Selection::Unsatisfiable);
    }

    #[test]
    fn conditions_come_before_ranges() {
        let tag = "\"x\"";
        let select = |is_get, if_none_match, range, if_range| {
            select(
                &Conditions {
                    is_get,
                    if_none_match,
                    range,
                    if_range,
                },
                tag,
                10,
            )
        };
        let range = Some("bytes=0-1");
        assert_eq!(select(true, Some("\"x\""), range, None), Selection::NotModified);
        assert_eq!(
            select(true, Some("\"y\", W/\"x\""), None, None),
            Selection::NotModified
        );
        assert_eq!(select(false, Some("*"), None, None), Selection::NotModified);
        assert_eq!(select(true, Some("\"y\""), range, None), Selection::Part(0..2));
        assert_eq!(select(true, None, range, Some("\"x\"")), Selection::Part(0..2));
        assert_eq!(select(true, None, range, Some("\"y\"")), Selection::Whole);
        assert_eq!(select(true, None, range, Some("W/\"x\"")), Selection::Whole);
        assert_eq!(
            select(true, None, range, Some("Sat, 21 Nov 2026 10:00:00 GMT")),
            Selection::Whole
        );
        assert_eq!(select(false, None, range, None), Selection::Whole);
    }
}
