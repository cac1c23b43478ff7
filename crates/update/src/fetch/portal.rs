//! Pages in place of files: a network that wants its users to sign in first answers everything with one,
//! and says 200. Pure.

/// Whether an answer of 200 to a request for JSON is none.
pub(super) fn is_no_json(content_type: Option<&str>, body: &[u8]) -> bool {
    is_page_type(content_type) || first_letter(body) != Some(b'{')
}

/// Whether an answer to a request for a packed file is a page: by its type, or by its first bytes.
pub(super) fn is_page(content_type: Option<&str>, begin: &[u8]) -> bool {
    const BEGINS: [&[u8]; 4] = [b"<!doctype", b"<html", b"<head", b"<script"];
    let text = begin.trim_ascii_start();
    is_page_type(content_type)
        || BEGINS.iter().any(|word| {
            text.get(..word.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(word))
        })
}

fn is_page_type(content_type: Option<&str>) -> bool {
    let name = content_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    name.eq_ignore_ascii_case("text/html") || name.eq_ignore_ascii_case("application/xhtml+xml")
}

fn first_letter(body: &[u8]) -> Option<u8> {
    body.trim_ascii_start().first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_told_from_what_is() {
        for (content_type, body, expected) in [
            (None, "{\"signed\":{}}", false),
            (Some("application/json"), " \n{", false),
            (Some("application/octet-stream"), "{", false),
            (Some("text/html; charset=utf-8"), "{", true),
            (Some("application/json"), "<!DOCTYPE html>", true),
            (None, "Please sign in", true),
            (None, "\u{1f}\u{8b}", true),
            (None, "", true),
        ] {
            assert_eq!(is_no_json(content_type, body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn a_page_is_told_from_a_packed_file() {
        for (content_type, begin, expected) in [
            (Some("application/octet-stream"), &b"(\xb5/\xfd"[..], false),
            (None, b"MOULT", false),
            (None, b"", false),
            (None, b"<", false),
            (Some("TEXT/HTML"), b"(\xb5/\xfd", true),
            (None, b"\r\n<!DocType html><html>", true),
            (Some("application/octet-stream"), b"<HTML>", true),
        ] {
            assert_eq!(is_page(content_type, begin), expected, "{begin:?}");
        }
    }
}
