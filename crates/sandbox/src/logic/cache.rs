//! Compiled code between two starts. A file is named by what it was compiled from and for, and carries a code that
//! only this installation can make: code is run as it is, so a file of somebody else must never be taken for ours.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use moult_durable::{DurableError, create_dir_all, write_atomic, write_atomic_with_mode};
use moult_model::Digest;
use sha2::Sha256;

/// So many files are kept, the newest, and no more than so many bytes of them: code of JavaScript has 37 MB.
const KEPT: usize = 64;
const KEPT_BYTES: u64 = 512 << 20;
const MAC: usize = 32;
const KEY: usize = 32;

/// Why code could not be kept. It is compiled again the next time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The folder or a file in it.
    #[error(transparent)]
    Disk(#[from] DurableError),
    /// The system gives no random bytes.
    #[error("the system gave no random bytes")]
    Random(#[source] getrandom::Error),
    /// The key can't be read.
    #[error("`{path}` could not be read")]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Compiled code on the disk.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    key: [u8; KEY],
    kept_bytes: u64,
}

impl Cache {
    /// Opens the cache in a folder, and makes its key the first time.
    pub fn open(folder: &Path) -> Result<Self, CacheError> {
        create_dir_all(folder)?;
        let path = folder.join("key");
        let folder = folder.to_owned();
        let found = match fs::read(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(CacheError::Key { path, source }),
        };
        // A damaged key makes all files void, which costs a compilation each.
        if let Ok(key) = found.try_into() {
            return Ok(Self::with(folder, key));
        }
        let mut key = [0; KEY];
        getrandom::fill(&mut key).map_err(CacheError::Random)?;
        write_atomic_with_mode(&path, &key, 0o600)?;
        Ok(Self::with(folder, key))
    }

    fn with(folder: PathBuf, key: [u8; KEY]) -> Self {
        let kept_bytes = KEPT_BYTES;
        Self {
            folder,
            key,
            kept_bytes,
        }
    }

    /// The code of a component for an engine, if it is there and whole.
    pub fn get(&self, component: &Digest, engine: &str) -> Option<Vec<u8>> {
        let bytes = fs::read(self.path(component, engine)).ok()?;
        let (mac, code) = bytes.split_at_checked(MAC)?;
        self.mac(component, engine, code)?.verify_slice(mac).ok()?;
        Some(code.to_vec())
    }

    /// Keeps the code of a component for an engine.
    pub fn put(&self, component: &Digest, engine: &str, code: &[u8]) -> Result<(), CacheError> {
        let Some(mac) = self.mac(component, engine, code) else {
            return Ok(());
        };
        let mut bytes = mac.finalize().into_bytes().to_vec();
        bytes.extend_from_slice(code);
        write_atomic(&self.path(component, engine), &bytes)?;
        self.tidy();
        Ok(())
    }

    fn path(&self, component: &Digest, engine: &str) -> PathBuf {
        self.folder.join(format!("{component}-{engine}.code"))
    }

    fn mac(&self, component: &Digest, engine: &str, code: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(component.to_string().as_bytes());
        mac.update(&(engine.len() as u64).to_le_bytes());
        mac.update(engine.as_bytes());
        mac.update(code);
        Some(mac)
    }

    /// Removes the oldest files; the newest stays in any case. One that can't be removed stays, and is tried again with the next.
    fn tidy(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        let mut files: Vec<_> = entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().ends_with(".code"))
            .filter_map(|entry| {
                let metadata = entry.metadata().ok()?;
                Some((metadata.modified().ok()?, entry.path(), metadata.len()))
            })
            .collect();
        files.sort();
        let mut bytes = 0;
        for (number, (_, path, length)) in files.into_iter().rev().enumerate() {
            bytes += length;
            if number > 0 && (number >= KEPT || bytes > self.kept_bytes) {
                let _ = moult_durable::fs::remove_file(&path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_the_key() -> anyhow::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir()?;
        Cache::open(folder.path())?;
        let mode = fs::metadata(folder.path().join("key"))?.permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        Ok(())
    }

    #[test]
    fn only_what_this_installation_kept_whole_comes_back() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let component = Digest::of(b"component");
        let cache = Cache::open(folder.path())?;
        assert_eq!(cache.get(&component, "e1"), None);
        cache.put(&component, "e1", b"code")?;
        assert_eq!(cache.get(&component, "e1").as_deref(), Some(&b"code"[..]));
        assert_eq!(cache.get(&component, "e2"), None, "another engine");
        assert_eq!(cache.get(&Digest::of(b"other"), "e1"), None, "another component");
        assert!(
            Cache::open(folder.path())?.get(&component, "e1").is_some(),
            "after a restart"
        );

        let path = cache.path(&component, "e1");
        let whole = fs::read(&path)?;
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            fs::write(&path, flipped)?;
            assert_eq!(cache.get(&component, "e1"), None, "byte {at} differs");
        }
        fs::write(cache.path(&component, "e2"), &whole)?;
        assert_eq!(cache.get(&component, "e2"), None, "a file under another name");
        fs::write(&path, &whole)?;
        let elsewhere = tempfile::tempdir()?;
        let other = Cache::open(elsewhere.path())?;
        fs::copy(&path, other.path(&component, "e1"))?;
        assert_eq!(
            other.get(&component, "e1"),
            None,
            "a file of another installation"
        );
        Ok(())
    }

    #[test]
    fn the_newest_files_are_kept_as_far_as_they_have_room() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let mut cache = Cache::open(folder.path())?;
        cache.kept_bytes = 300;
        let component = |number: u8| Digest::of(&[number]);
        let now = std::time::SystemTime::now();
        for (number, bytes) in [(0, 90), (1, 90), (2, 90), (3, 400)] {
            cache.put(&component(number), "e1", &vec![number; bytes])?;
            // Files of one moment have no order.
            let file = fs::File::options()
                .append(true)
                .open(cache.path(&component(number), "e1"))?;
            file.set_modified(now - Duration::from_secs(60 - u64::from(number)))?;
            let kept: Vec<u8> = (0..=number)
                .filter(|number| cache.get(&component(*number), "e1").is_some())
                .collect();
            let expected: &[u8] = [&[0][..], &[0, 1], &[1, 2], &[3]][usize::from(number)];
            assert_eq!(kept, expected, "after {number}");
        }
        Ok(())
    }
}
