//! How long which file may be kept by a cache on its way, and snippets that say so to a web server.

/// What kind of file it is, as a cache sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It says what is newest, and changes: the timestamp, the newest root, what a stock updater reads.
    Pointer,
    /// Its name says what is in it: it never changes.
    Versioned,
    /// It is no business of clients.
    Private,
}

/// How long a pointer may be kept, in seconds. As long may a cache remember that the next root is missing.
pub const POINTER_SECONDS: u32 = 60;
const YEAR_SECONDS: u32 = 31_536_000;

impl Kind {
    /// Of a file by its path in the repository.
    pub fn of(path: &str) -> Self {
        let is_pointer =
            matches!(path, "metadata/timestamp.json" | "metadata/root.json") || path.starts_with("latest/");
        if is_pointer {
            Self::Pointer
        } else if path.starts_with("metadata/") || path.starts_with("targets/") {
            Self::Versioned
        } else {
            Self::Private
        }
    }

    /// What stands in `Cache-Control`.
    pub fn cache_control(self) -> String {
        match self {
            Self::Pointer => format!("public, max-age={POINTER_SECONDS}"),
            Self::Versioned => format!("public, max-age={YEAR_SECONDS}, immutable"),
            Self::Private => "no-store".to_owned(),
        }
    }
}

/// What stands in `Content-Type`.
pub fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("json") => "application/json",
        Some("zst") => "application/zstd",
        _ => "application/octet-stream",
    }
}

/// For nginx: what to put inside `server { }`.
pub fn nginx() -> String {
    let (pointer, versioned) = (Kind::Pointer.cache_control(), Kind::Versioned.cache_control());
    format!(
        r#"# Inside `server {{ }}`, with `root` set to this folder.
default_type application/octet-stream;
types {{ application/json json; application/zstd zst; }}
# Metadata is small and repeats itself. What is packed already is left as it is.
gzip on;
gzip_types application/json;
gzip_min_length 256;
location ~ /\. {{ deny all; }}
location = /publishing.json {{ deny all; }}
location ~ ^/(metadata/(timestamp|root)\.json|latest/) {{
    # Also where there is none: the next root is missing until it is there.
    add_header Cache-Control "{pointer}" always;
}}
location ~ ^/metadata/[0-9]+\.root\.json$ {{
    error_page 404 = @missing;
    add_header Cache-Control "{versioned}";
}}
location @missing {{
    add_header Cache-Control "{pointer}" always;
    return 404;
}}
location ~ ^/(metadata|targets)/ {{
    add_header Cache-Control "{versioned}";
}}
"#
    )
}

/// For hosts that read `_headers`. The more special rule stands first.
pub fn headers_file() -> String {
    let (pointer, versioned) = (Kind::Pointer.cache_control(), Kind::Versioned.cache_control());
    let rule = |path: &str, value: &str| format!("{path}\n  Cache-Control: {value}\n");
    let mut text = String::new();
    for path in ["/metadata/timestamp.json", "/metadata/root.json", "/latest/*"] {
        text += &rule(path, &pointer);
    }
    text += &rule("/targets/*", &versioned);
    for role in ["root", "snapshot", "targets", "app", "rollout"] {
        text += &rule(&format!("/metadata/:version.{role}.json"), &versioned);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_its_kind() {
        for (path, kind) in [
            ("metadata/timestamp.json", Kind::Pointer),
            ("metadata/root.json", Kind::Pointer),
            ("latest/stable.json", Kind::Pointer),
            ("metadata/1.root.json", Kind::Versioned),
            ("metadata/12.snapshot.json", Kind::Versioned),
            ("targets/app/shell/files/00.zst", Kind::Versioned),
            ("publishing.json", Kind::Private),
        ] {
            assert_eq!(Kind::of(path), kind, "{path}");
        }
    }
}
