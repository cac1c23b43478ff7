//! A large file goes to a bucket in parts. Its id and the parts that are there are remembered, so that an interrupted upload goes
//! on with the next part.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use moult_durable::{DurableError, create_dir_all, write_atomic};
use moult_model::Digest;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path as Key;
use object_store::{Attributes, Error, PutMultipartOptions, PutPayload};
use serde::{Deserialize, Serialize};

use crate::progress::Progress;

/// The size of a part, and the largest file that goes in one piece. No store asks for less than 5 MiB.
pub(super) const PART: u64 = 8 << 20;

pub(super) struct Upload<'a> {
    pub(super) parts: &'a dyn MultipartStore,
    pub(super) remembered: &'a Path,
    pub(super) key: Key,
    pub(super) attributes: Attributes,
    pub(super) from: &'a Path,
    pub(super) size: u64,
}

/// What is remembered of an upload that began.
#[derive(Debug, Serialize, Deserialize)]
struct Begun {
    key: String,
    size: u64,
    part_size: u64,
    id: String,
    parts: Vec<String>,
}

#[derive(Debug)]
pub(super) enum UploadError {
    Store(Error),
    Read(io::Error),
    Write(DurableError),
}

impl From<Error> for UploadError {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<DurableError> for UploadError {
    fn from(error: DurableError) -> Self {
        Self::Write(error)
    }
}

impl Upload<'_> {
    pub(super) async fn run(&self, progress: &Progress) -> Result<(), UploadError> {
        let (mut begun, is_old) = match self.recall() {
            Some(begun) => (begun, true),
            None => (self.begin().await?, false),
        };
        progress.bytes("uploading", self.size);
        let first = begun.parts.len();
        match self.go_on(&mut begun, progress).await {
            // The store forgets uploads that nobody goes on with. Then it begins anew, once.
            Err(UploadError::Store(Error::NotFound { .. })) if is_old => {
                begun = self.begin().await?;
                self.go_on(&mut begun, progress).await?;
            }
            other => other?,
        }
        tracing::debug!(key = %self.key, first, parts = begun.parts.len(), "uploaded in parts");
        let ids = begun.parts.iter().map(|id| PartId {
            content_id: id.clone(),
        });
        self.parts
            .complete_multipart(&self.key, &begun.id, ids.collect())
            .await?;
        // Nothing is lost if it stays: the next upload of the same file asks for it and is told that it is unknown.
        let _ = moult_durable::fs::remove_file(&self.place());
        Ok(())
    }

    async fn begin(&self) -> Result<Begun, UploadError> {
        let options = PutMultipartOptions {
            attributes: self.attributes.clone(),
            ..PutMultipartOptions::default()
        };
        let id = match self.parts.create_multipart_opts(&self.key, options).await {
            // Such a store takes the headers from the bucket's own settings.
            Err(Error::NotSupported { .. } | Error::NotImplemented { .. }) => {
                self.parts.create_multipart(&self.key).await?
            }
            id => id?,
        };
        let begun = Begun {
            key: self.key.to_string(),
            size: self.size,
            part_size: PART,
            id,
            parts: Vec::new(),
        };
        self.remember(&begun)?;
        Ok(begun)
    }

    async fn go_on(&self, begun: &mut Begun, progress: &Progress) -> Result<(), UploadError> {
        let mut file = File::open(self.from).map_err(UploadError::Read)?;
        let count = self.size.div_ceil(PART);
        for number in begun.parts.len() as u64..count {
            let offset = number * PART;
            progress.reach(offset);
            let mut bytes = vec![0; PART.min(self.size - offset) as usize];
            file.seek(SeekFrom::Start(offset))
                .and_then(|_| file.read_exact(&mut bytes))
                .map_err(UploadError::Read)?;
            let payload = PutPayload::from(bytes);
            let part = self
                .parts
                .put_part(&self.key, &begun.id, number as usize, payload)
                .await?;
            begun.parts.push(part.content_id);
            self.remember(begun)?;
        }
        Ok(())
    }

    /// What was remembered of this very upload.
    fn recall(&self) -> Option<Begun> {
        let bytes = std::fs::read(self.place()).ok()?;
        let begun: Begun = serde_json::from_slice(&bytes).ok()?;
        let is_this = begun.key == self.key.as_ref() && begun.size == self.size && begun.part_size == PART;
        is_this.then_some(begun)
    }

    fn remember(&self, begun: &Begun) -> Result<(), UploadError> {
        create_dir_all(self.remembered)?;
        let bytes = serde_json::to_vec(begun).map_err(|error| UploadError::Read(error.into()))?;
        Ok(write_atomic(&self.place(), &bytes)?)
    }

    fn place(&self) -> PathBuf {
        let name = Digest::of(self.key.as_ref().as_bytes()).to_string();
        self.remembered.join(format!("{}.json", &name[..16]))
    }
}
