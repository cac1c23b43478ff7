//! A patch as a file of its own: made, applied and looked into without a repository.
//!
//! Nobody vouches for such a patch. It refuses to know releases, versions and signatures; who has a
//! trusted size or digest hands it in.

mod apply;
mod container;
mod contents;
mod error;
mod make;
mod new_file;

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _};
use std::path::Path;

use moult_delta::{ApplyError, Header};

pub use apply::{Applied, Apply, apply};
pub use contents::{PatchContents, look_into};
pub use error::PatchError;
pub use make::{Made, make};

/// Whether it is a patch between containers. Leaves the file at its beginning.
fn is_of_containers(patch: &Path, file: &mut File) -> Result<bool, PatchError> {
    let mut start = Vec::new();
    let read = file.by_ref().take(10).read_to_end(&mut start);
    let read = read.and_then(|_| file.rewind());
    read.map_err(PatchError::read("patch", patch))?;
    let format = start.strip_prefix(crate::inspect::PATCH_MAGIC);
    Ok(format == Some(&moult_containers::FORMAT.to_le_bytes()))
}

/// Reads a patch's header, and leaves the file at its beginning.
fn header(patch: &Path, file: &mut File) -> Result<Header, PatchError> {
    let header = moult_delta::inspect(BufReader::new(&mut *file));
    let header = header.and_then(|header| {
        file.rewind().map_err(ApplyError::Patch)?;
        Ok(header)
    });
    header.map_err(|source| PatchError::Look {
        patch: patch.to_owned(),
        source: Box::new(source),
    })
}

fn open(what: &'static str, path: &Path) -> Result<File, PatchError> {
    let opened = File::open(path).and_then(|file| {
        // A folder can be opened, and then not be read.
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(file)
    });
    // On Windows it can't even be opened, and the system says of it what it says of a file of somebody else.
    let opened = opened.map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied if path.is_dir() => io::ErrorKind::IsADirectory.into(),
        _ => error,
    });
    opened.map_err(PatchError::read(what, path))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::fs;

    use super::*;
    use crate::interrupt::Interrupt;
    use crate::progress::Progress;

    #[test]
    fn who_is_interrupted_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let [old, new, patch, out] = ["old", "new", "patch", "out"].map(|name| folder.path().join(name));
        fs::write(&old, "one and two and three and four".repeat(50)).unwrap();
        fs::write(&new, "one and 2 and three and four".repeat(50)).unwrap();
        let (progress, calm, asked) = (Progress::hidden(), Interrupt::default(), Interrupt::default());
        asked.ask();
        let files = || fs::read_dir(folder.path()).unwrap().count();

        let made = make([&old, &new, &patch], false, &progress, &asked);
        assert!(matches!(made, Err(PatchError::Interrupted)), "{made:?}");
        assert_eq!(files(), 2);

        make([&old, &new, &patch], false, &progress, &calm).unwrap();
        let task = Apply {
            old: &old,
            patch: &patch,
            out: &out,
            may_replace: false,
            size: None,
            digest: None,
        };
        let applied = apply(&task, &progress, &asked);
        assert!(matches!(applied, Err(PatchError::Interrupted)), "{applied:?}");
        assert_eq!(files(), 3);
        apply(&task, &progress, &calm).unwrap();
        assert_eq!(fs::read(&out).unwrap(), fs::read(&new).unwrap());
    }

    #[test]
    fn whose_doing_it_is_and_what_was_kept_is_told() {
        let write = |kind: io::ErrorKind| PatchError::write(Path::new("out"))(kind.into());
        let apply = |source| PatchError::Apply {
            patch: "patch".into(),
            old: "old".into(),
            source: Box::new(source),
        };
        let cases = [
            (write(io::ErrorKind::StorageFull), false, "free the disk"),
            (write(io::ErrorKind::PermissionDenied), false, "look at the disk"),
            (
                apply(ApplyError::Old(io::ErrorKind::Other.into())),
                false,
                "look at the disk",
            ),
            (apply(ApplyError::Rules(9)), true, "use a newer moult"),
            (apply(ApplyError::Truncated), true, "the patch is damaged"),
            (PatchError::Interrupted, true, "nothing was left behind"),
        ];
        for (error, is_users_mistake, hint) in cases {
            assert_eq!(error.is_users_mistake(), is_users_mistake, "{error}");
            assert!(error.hint().contains(hint), "{error}: {}", error.hint());
            assert!(error.hint().contains("nothing was"), "{error}: {}", error.hint());
        }
    }
}
