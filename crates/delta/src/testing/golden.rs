//! Where golden patches are. Refuses to know formats.

use std::path::PathBuf;

/// The file of a golden patch: `kind` is `old`, `new` or `mpatch`.
pub(crate) fn golden(name: &str, kind: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../patches/golden");
    folder.join(format!("{name}.{kind}"))
}
