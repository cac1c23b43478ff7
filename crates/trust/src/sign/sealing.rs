//! Closing the keys of a folder with a passphrase, and opening them. It refuses to know where the passphrase comes from.

use std::path::Path;

use super::error::SignError;
use super::key_file::{KeyFile, KeyPlace, SigningKey};
use super::keys::Keys;
use super::minisign_key::MINISIGN;
use super::seal::{Cost, Passphrase};

impl Keys {
    /// Whether a key of the folder is sealed, so that a passphrase may be needed.
    pub fn has_sealed(&self) -> Result<bool, SignError> {
        let mut sealed = self
            .files()?
            .iter()
            .any(|path| matches!(KeyFile::read(path).map(|file| file.place()), Ok(KeyPlace::Sealed)));
        sealed |= self.has_sealed_minisign()?;
        Ok(sealed)
    }

    /// Opens the sealed keys of some roles, so that who is asked for the passphrase is asked now.
    pub fn open_sealed(&self, roles: &[&str]) -> Result<(), SignError> {
        for role in roles {
            for path in self.ids(role)? {
                if KeyFile::read(&path)?.place() == KeyPlace::Sealed {
                    SigningKey::load(&path, role, &|| self.passphrase(&path))?;
                }
            }
        }
        Ok(())
    }

    /// Whether a passphrase opens the first sealed key: [`SignError::PassphraseWrong`] if not.
    pub fn try_passphrase(&self, passphrase: &Passphrase) -> Result<(), SignError> {
        for path in self.files()? {
            let file = KeyFile::read(&path)?;
            if file.place() == KeyPlace::Sealed {
                return SigningKey::load(&path, &file.role, &|| Ok(passphrase)).map(|_| ());
            }
        }
        Ok(())
    }

    /// Seals every key that is in the folder in the clear, and gives the names of their files. Each file is replaced as a whole, so an
    /// interrupted call goes on when it is made again.
    ///
    /// A copy of the clear file may survive on the disk, in a backup, or in a snapshot of the file system: what was in the clear where
    /// others could read it is to be replaced, not sealed.
    pub fn seal(&self, passphrase: &Passphrase, cost: Cost) -> Result<Vec<String>, SignError> {
        let mut sealed = Vec::new();
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        for path in self.files()? {
            let refused = |source| SignError::KeyFile {
                path: path.clone(),
                source,
            };
            let mut file = KeyFile::read(&path)?;
            if file.seal(passphrase, cost).map_err(refused)? {
                self.write_key(&path, &file)?;
                sealed.extend(name(&path));
            }
        }
        if self.seal_minisign(passphrase, cost)? {
            sealed.push(MINISIGN.to_owned());
        }
        Ok(sealed)
    }
}
