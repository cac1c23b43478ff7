//! From the path of a request to a file below the folder, or to nothing; and what the name of a
//! file says about its type and how long it may be cached.

use std::path::{Path, PathBuf};

const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const SHORT: &str = "public, max-age=60";

/// Decodes the path of a request to a relative one with `/` between its parts. Nothing comes
/// back for a path that could leave the folder, names a drive or a stream, or names no file.
pub(super) fn relative(path: &str) -> Option<String> {
    let parts = path.strip_prefix('/')?.split('/').map(|part| {
        let name = decode(part)?;
        let is_plain = !name.is_empty()
            && name != "."
            && name != ".."
            && !name.contains(['/', '\\', ':'])
            && !name.contains(char::is_control);
        is_plain.then_some(name)
    });
    Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
}

/// The file's real path, if it is there and inside the folder once all links are followed.
/// `root` is canonical.
pub(super) fn inside(root: &Path, relative: &str) -> Option<PathBuf> {
    let path = root.join(relative).canonicalize().ok()?;
    path.starts_with(root).then_some(path)
}

/// The type a file is sent as.
pub(super) fn content_type(path: &str) -> &'static str {
    if extension(path) == Some("json") {
        "application/json"
    } else {
        "application/octet-stream"
    }
}

/// How long a file may be cached: a name with a version or a digest always means the same
/// bytes; any other is asked for again after a minute.
pub(super) fn cache_control(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let first = name.split('.').next().unwrap_or(name);
    let is_digest = first.len() == 64 && first.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_version = path.starts_with("metadata/")
        && name.contains('.')
        && !first.is_empty()
        && first.bytes().all(|byte| byte.is_ascii_digit());
    if is_digest || is_version { IMMUTABLE } else { SHORT }
}

fn extension(path: &str) -> Option<&str> {
    Path::new(path)
        .extension()
        .and_then(|extension| extension.to_str())
}

/// Decodes percent signs; nothing for a broken one or for what is not UTF-8.
fn decode(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            let mut byte = [0];
            hex::decode_to_slice(digits, &mut byte).ok()?;
            bytes.push(byte[0]);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_are_decoded() {
        let cases = [
            ("/metadata/timestamp.json", "metadata/timestamp.json"),
            ("/a%20b/%C3%A4.json", "a b/ä.json"),
            // Decoded once: what is left is a name like any other.
            ("/%252e%252e/x", "%2e%2e/x"),
            ("/.../x", ".../x"),
        ];
        for (path, expected) in cases {
            assert_eq!(relative(path).as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn paths_that_could_leave_the_folder_lead_nowhere() {
        let paths = [
            "/",
            "",
            "x",
            "/a/",
            "//etc/passwd",
            "/../x",
            "/a/../x",
            "/a/./x",
            "/%2e%2e/x",
            "/.%2e/x",
            "/a%2fb",
            "/a%5cb",
            "/a\\b",
            "/c:/x",
            "/x%00",
            "/x%0a",
            "/%",
            "/%2",
            "/%zz",
            "/%ff",
            "/%2E%2E",
        ];
        for path in paths {
            assert_eq!(relative(path), None, "{path}");
        }
    }

    #[test]
    fn a_name_tells_how_long_it_may_be_cached() {
        let digest = "a".repeat(64);
        let cases = [
            ("metadata/timestamp.json".to_owned(), SHORT),
            ("metadata/12.snapshot.json".to_owned(), IMMUTABLE),
            ("metadata/1.root.json".to_owned(), IMMUTABLE),
            ("metadata/root.json".to_owned(), SHORT),
            ("targets/1.json".to_owned(), SHORT),
            ("latest/stable.json".to_owned(), SHORT),
            (format!("targets/app/shell/{digest}.index.json"), IMMUTABLE),
            (format!("targets/app/shell/files/{digest}.zst"), IMMUTABLE),
        ];
        for (path, expected) in cases {
            assert_eq!(cache_control(&path), expected, "{path}");
        }
    }
}
