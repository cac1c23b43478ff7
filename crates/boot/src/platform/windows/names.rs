//! Names in the system's own name space, made from paths. Pure.

use moult_model::Digest;

/// The pipe that stands for a path: two paths have two pipes, and no path is too long or has letters
/// that a pipe can't have. The path is whole and has no links, so that one path has one pipe.
pub(crate) fn pipe(path: &str) -> String {
    let digest = Digest::of(path.as_bytes()).to_string();
    format!(r"\\.\pipe\moult-{}", &digest[..32])
}

/// The event by which a process is asked to end. It is of the session, so two users never meet.
pub(crate) fn stop_event(process: u32) -> String {
    format!(r"Local\moult-stop-{process}")
}

/// The two ends of a connection as one word, for the environment.
pub(crate) fn ends(reading: usize, writing: usize) -> String {
    format!("{reading:x}:{writing:x}")
}

/// The two ends that a word names.
pub(crate) fn of_ends(word: &str) -> Option<(usize, usize)> {
    let (reading, writing) = word.split_once(':')?;
    // What `from_str_radix` takes as well: a sign.
    let number = |text: &str| {
        let plain = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        usize::from_str_radix(text, 16)
            .ok()
            .filter(|number| plain && *number != 0)
    };
    Some((number(reading)?, number(writing)?)).filter(|(reading, writing)| reading != writing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_a_pipe_of_its_own_that_is_short_enough() {
        let long = "C:\\Users\\Zoë\\".repeat(40);
        let paths = [
            r"C:\Users\a\run\launcher.sock",
            r"C:\Users\b\run\launcher.sock",
            &long,
        ];
        let names: std::collections::BTreeSet<String> = paths.iter().map(|path| pipe(path)).collect();
        assert_eq!(names.len(), paths.len());
        for name in names {
            assert!(name.len() < 256 && name.starts_with(r"\\.\pipe\moult-"), "{name}");
            assert_eq!(name.matches('\\').count(), 4, "{name}");
        }
    }

    #[test]
    fn only_two_handles_are_a_connection() {
        assert_eq!(of_ends(&ends(0x1f4, 0x1f8)), Some((0x1f4, 0x1f8)));
        for word in [
            "", "3", "1f4:", ":1f8", "0:1f8", "1f4:1f4", "+1:2", "-1:2", "x:y", "1:2:3",
        ] {
            assert_eq!(of_ends(word), None, "{word}");
        }
    }
}
