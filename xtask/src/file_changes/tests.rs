//! The check itself: what it must find, and what it must let pass.

use super::*;

fn found(text: &str) -> Vec<String> {
    changes(&tokens(text)).into_iter().map(|(_, what)| what).collect()
}

#[test]
fn each_way_to_change_a_file_is_found() {
    for (text, expected) in [
        ("fn f() { std::fs::write(a, b); }", "`std::fs::write`"),
        ("use std::fs; fn f() { fs::rename(a, b); }", "`std::fs::rename`"),
        (
            "use std::fs::{self, Metadata}; fn f() { fs::copy(a, b); }",
            "`std::fs::copy`",
        ),
        (
            "use std::{fs, io}; fn f() { fs::remove_dir_all(a); }",
            "`std::fs::remove_dir_all`",
        ),
        (
            "use std::fs as disk; fn f() { disk::create_dir(a); }",
            "`std::fs::create_dir`",
        ),
        (
            "use std::fs::File; fn f() { File::create(a); }",
            "`std::fs::File::create`",
        ),
        (
            "use std::fs::{self}; fn f() { fs::File::options(); }",
            "`std::fs::File::options`",
        ),
        ("use std::fs::OpenOptions;", "`std::fs::OpenOptions`"),
        ("use std::fs::{hard_link, read};", "`std::fs::hard_link`"),
        ("use std::fs::*;", "`std::fs::*`"),
        ("fn f(file: &File) { file.set_len(0); }", "`.set_len()`"),
        ("fn f() { file\n    .sync_all()?; }", "`.sync_all()`"),
        (
            "use std::os::unix::net::{UnixListener, UnixStream}; fn f() { UnixListener::bind(a); }",
            "`std::os::unix::net::UnixListener::bind`",
        ),
        (
            "async fn f() { tokio::fs::write(a, b).await; }",
            "`tokio::fs::write`",
        ),
        (
            "use std::fs; fn f(at: char) { if at == '\"' { fs::write(a, b); } }",
            "`std::fs::write`",
        ),
        (
            "use std::fs; fn f<'a>(b: &'a str) { fs::write('\\'', b); }",
            "`std::fs::write`",
        ),
        (
            "#[cfg(any(unix, test))] fn f() { std::fs::remove_file(a); }",
            "`std::fs::remove_file`",
        ),
        (
            "#[cfg(test)] fn f() { fs::write(a, b); } use std::fs; fn g() { fs::write(a, b); }",
            "`std::fs::write`",
        ),
    ] {
        assert_eq!(found(text), [expected], "{text}");
    }
}

#[test]
fn what_reads_what_is_counted_and_what_tests_do_passes() {
    for text in [
        "use std::fs; fn f() { fs::read(a); fs::read_dir(a); fs::metadata(a); }",
        "use std::fs::File; fn f() { File::open(a); }",
        "use moult_durable::fs; fn f() { fs::rename(a, b); fs::create(a); }",
        "fn f() { moult_durable::fs::remove_file(a); }",
        "use crate::{DurableError, fs}; fn f() { fs::remove_file(a); }",
        "use std::fs; #[cfg(test)] mod tests { fn f() { { fs::write(a, b); } fs::write(a, b); } }",
        "#[cfg(test)] #[expect(unused, reason = \"none\")] mod tests { fn f() { std::fs::write(a, b); } }",
        "#[cfg(all(test, unix))] fn f() { std::fs::write(a, b); }",
        "// std::fs::write(a, b)\n/* std::fs::write(/* inner */ a) */ fn f() { g(\"std::fs::write(\\\"\"); }",
        "fn f() { g(r#\"\" std::fs::write(a, b) \"#); }",
        "fn f() { my::std_fs::write(a, b); set_len(0); }",
    ] {
        assert_eq!(found(text), [""; 0], "{text}");
    }
}

#[test]
fn the_line_of_a_change_is_told() {
    let text =
        "use std::fs;\n\n/* a\ncomment */\nfn f() {\n    g(\"two\nlines\");\n    fs::write(a, b);\n}\n";
    assert_eq!(changes(&tokens(text)), [(8, "`std::fs::write`".to_owned())]);
}

#[test]
fn the_files_of_test_modules_are_known_by_their_declaration() {
    let text = "mod a; #[cfg(test)] mod tests; #[cfg(test)] #[expect(x)] mod more; mod b;";
    for (file, folder) in [
        ("src/lib.rs", "src"),
        ("src/store/mod.rs", "src/store"),
        ("src/x.rs", "src/x"),
    ] {
        let expected: Vec<PathBuf> = ["tests.rs", "tests/mod.rs", "more.rs", "more/mod.rs"]
            .map(|name| Path::new(folder).join(name))
            .into();
        assert_eq!(test_files(Path::new(file), &tokens(text)), expected, "{file}");
        let text = "#[cfg(test)] #[path = \"x_tests.rs\"] mod tests;";
        let expected = [Path::new(file).with_file_name("x_tests.rs")];
        assert_eq!(test_files(Path::new(file), &tokens(text)), expected, "{file}");
    }
}
