//! Small files that came compressed. The limit holds for what comes out, not for what went in.

use std::io::Read as _;

use flate2::bufread::GzDecoder;

/// What a control call says it takes.
pub(super) const ACCEPTED: &str = "gzip";

/// Why a body can't be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It has more bytes than it may have.
    TooLong,
    /// It is not in the coding that it is said to be in.
    Broken,
    /// The coding is none that was asked for.
    Unknown,
}

/// The bytes behind a `Content-Encoding`. At most `limit` bytes are ever held.
pub(super) fn decode(bytes: Vec<u8>, coding: Option<&str>, limit: u64) -> Result<Vec<u8>, Unreadable> {
    match coding.map(str::trim) {
        None | Some("" | "identity") if bytes.len() as u64 > limit => Err(Unreadable::TooLong),
        None | Some("" | "identity") => Ok(bytes),
        Some("gzip" | "x-gzip") => {
            let mut out = Vec::new();
            let mut rest = bytes.as_slice();
            GzDecoder::new(&mut rest)
                .take(limit.saturating_add(1))
                .read_to_end(&mut out)
                .map_err(|_| Unreadable::Broken)?;
            match (out.len() as u64 > limit, rest.is_empty()) {
                (true, _) => Err(Unreadable::TooLong),
                // What follows the file belongs to nothing.
                (false, false) => Err(Unreadable::Broken),
                (false, true) => Ok(out),
            }
        }
        Some(_) => Err(Unreadable::Unknown),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn the_limit_is_for_what_comes_out() {
        let bomb = packed(&vec![b'0'; 1_000_000]);
        assert!(bomb.len() < 2_000);
        assert_eq!(
            decode(bomb.clone(), Some("gzip"), 999_999),
            Err(Unreadable::TooLong)
        );
        assert_eq!(decode(bomb, Some("gzip"), 1_000_000).unwrap().len(), 1_000_000);
    }

    #[test]
    fn only_what_was_asked_for_is_read() {
        let json = b"{\"signed\":{}}".to_vec();
        let zipped = packed(&json);
        let mut longer = zipped.clone();
        longer.push(0);
        let mut wrong = zipped.clone();
        let middle = wrong.len() / 2;
        wrong[middle] ^= 1;
        let cases = [
            ("plain", json.clone(), None, Ok(json.clone())),
            ("identity", json.clone(), Some("identity"), Ok(json.clone())),
            ("gzip", zipped.clone(), Some("gzip"), Ok(json.clone())),
            ("said and not done", json, Some("gzip"), Err(Unreadable::Broken)),
            (
                "cut",
                zipped[..zipped.len() - 9].to_vec(),
                Some("gzip"),
                Err(Unreadable::Broken),
            ),
            ("more behind it", longer, Some("gzip"), Err(Unreadable::Broken)),
            ("a wrong byte", wrong, Some("gzip"), Err(Unreadable::Broken)),
            (
                "never asked for",
                zipped.clone(),
                Some("br"),
                Err(Unreadable::Unknown),
            ),
            (
                "twice",
                packed(&zipped),
                Some("gzip, gzip"),
                Err(Unreadable::Unknown),
            ),
            ("twice, said once", packed(&zipped), Some("gzip"), Ok(zipped)),
        ];
        for (name, bytes, coding, expected) in cases {
            assert_eq!(decode(bytes, coding, 1_000), expected, "{name}");
        }
    }
}
