//! A folder as one file of bytes that are the same everywhere and for ever: the form in which a bundle of
//! web files is compared. It knows neither owners nor times nor links.
//!
//! USTAR: the files alone, by name, mode 644, owner 0, time 0, filled with zeros to a whole record.

use anyhow::{Result, ensure};

const BLOCK: usize = 512;
const RECORD: usize = 20 * BLOCK;
/// How long a name may be in a header without a prefix.
const NAME: usize = 100;

/// The archive of these files; they are sorted by name first.
pub(crate) fn archive(mut files: Vec<(String, Vec<u8>)>) -> Result<Vec<u8>> {
    files.sort_by(|one, other| one.0.cmp(&other.0));
    let mut out = Vec::new();
    for (name, bytes) in &files {
        out.extend(header(name, bytes.len())?);
        out.extend(bytes);
        fill(&mut out, BLOCK);
    }
    out.extend([0; 2 * BLOCK]);
    fill(&mut out, RECORD);
    Ok(out)
}

fn fill(out: &mut Vec<u8>, unit: usize) {
    out.resize(out.len().next_multiple_of(unit), 0);
}

fn header(name: &str, length: usize) -> Result<[u8; BLOCK]> {
    ensure!(name.len() <= NAME, "`{name}` is too long for a tar header");
    let mut header = [0; BLOCK];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{length:011o}\0"));
    put(136, "00000000000\0");
    // The checksum counts itself as spaces.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(header)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn an_archive_holds_its_files_by_name_and_is_a_whole_record() {
        let files = vec![
            ("b".to_owned(), b"second".to_vec()),
            ("a".to_owned(), b"first".to_vec()),
        ];
        let archive = archive(files).unwrap();
        assert_eq!(archive.len(), RECORD);
        assert_eq!(archive[0], b'a');
        assert_eq!(&archive[BLOCK..BLOCK + 5], b"first");
        assert_eq!(archive[2 * BLOCK], b'b');
        assert_eq!(&archive[3 * BLOCK..3 * BLOCK + 6], b"second");
        assert!(archive[4 * BLOCK..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_name_that_does_not_fit_is_an_error() {
        assert!(header(&"n".repeat(NAME), 0).is_ok());
        assert!(header(&"n".repeat(NAME + 1), 0).is_err());
    }
}
