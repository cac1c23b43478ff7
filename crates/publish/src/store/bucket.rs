//! A bucket as a store: S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage. The crate `object_store` speaks
//! with them; nothing of it is seen outside of this file and [`super::uploads`].

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use moult_model::Digest;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::multipart::MultipartStore;
use object_store::path::Path as Key;
use object_store::{
    Attribute, Attributes, Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload,
    RetryConfig, UpdateVersion,
};
use tokio::runtime::Runtime;

use super::headers::{Kind, content_type};
use super::uploads::{self, Upload};
use super::{Created, Listed, Store, StoreError, Tag};
use crate::progress::Progress;

/// How often a request is tried again, and for how long in all. Long enough for a store that is restarted, short enough for
/// somebody who waits.
const RETRIES: usize = 5;
const RETRY_FOR: Duration = Duration::from_mins(1);

pub(super) struct Bucket {
    url: String,
    prefix: String,
    objects: Arc<dyn ObjectStore>,
    parts: Arc<dyn MultipartStore>,
    /// The folder that remembers uploads in parts.
    uploads: PathBuf,
    runtime: Runtime,
}

impl Bucket {
    pub(super) fn open(
        url: &str,
        options: &BTreeMap<String, String>,
        uploads: PathBuf,
    ) -> Result<Self, StoreError> {
        let unknown = |source| StoreError::Unknown {
            url: url.to_owned(),
            source,
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| unknown(None))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(unknown(None));
        }
        let address = format!("{scheme}://{bucket}");
        let retry = RetryConfig {
            max_retries: RETRIES,
            retry_timeout: RETRY_FOR,
            ..RetryConfig::default()
        };
        // Three builders of one shape, and no trait above them.
        macro_rules! build {
            ($builder:ty) => {{
                let mut builder = <$builder>::from_env().with_url(address).with_retry(retry);
                for (key, value) in options {
                    let key = key.parse().map_err(|error| unknown(Some(error)))?;
                    builder = builder.with_config(key, value);
                }
                let built = Arc::new(builder.build().map_err(|error| unknown(Some(error)))?);
                let parts: Arc<dyn MultipartStore> = built.clone();
                let objects: Arc<dyn ObjectStore> = built;
                (objects, parts)
            }};
        }
        let (objects, parts) = match scheme {
            "s3" | "s3a" => build!(AmazonS3Builder),
            "gs" => build!(GoogleCloudStorageBuilder),
            "az" | "azure" | "abfs" | "abfss" => build!(MicrosoftAzureBuilder),
            _ => return Err(unknown(None)),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|source| StoreError::Failed {
                store: url.to_owned(),
                action: "open",
                path: String::new(),
                source: source.into(),
            })?;
        Ok(Self {
            url: url.to_owned(),
            prefix: prefix.trim_end_matches('/').to_owned(),
            objects,
            parts,
            uploads,
            runtime,
        })
    }

    fn key(&self, path: &str) -> Key {
        if self.prefix.is_empty() {
            Key::from(path)
        } else {
            Key::from(format!("{}/{path}", self.prefix))
        }
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    fn failed(&self, action: &'static str, path: &str) -> impl FnOnce(Error) -> StoreError {
        let (store, path) = (self.url.clone(), path.to_owned());
        move |source| StoreError::Failed {
            store,
            action,
            path,
            source: source.into(),
        }
    }

    fn put(&self, path: &str, bytes: &[u8], kind: Kind, mode: PutMode) -> Result<(), Error> {
        let options = PutOptions {
            mode,
            attributes: attributes(path, kind),
            ..PutOptions::default()
        };
        let payload = PutPayload::from(bytes.to_vec());
        self.wait(self.objects.put_opts(&self.key(path), payload, options))
            .map(|_| ())
    }
}

pub(super) fn attributes(path: &str, kind: Kind) -> Attributes {
    let mut attributes = Attributes::new();
    attributes.insert(Attribute::CacheControl, kind.cache_control().into());
    attributes.insert(Attribute::ContentType, content_type(path).into());
    attributes
}

impl Store for Bucket {
    fn name(&self) -> String {
        self.url.clone()
    }

    fn compares(&self) -> bool {
        true
    }

    fn list(&self) -> Result<Vec<Listed>, StoreError> {
        let top = (!self.prefix.is_empty()).then(|| Key::from(self.prefix.as_str()));
        let found: Vec<_> = self
            .wait(self.objects.list(top.as_ref()).try_collect())
            .map_err(self.failed("list", "/"))?;
        let skip = if self.prefix.is_empty() {
            0
        } else {
            self.prefix.len() + 1
        };
        let listed = found.into_iter().filter_map(|meta| {
            let path = meta.location.as_ref().get(skip..)?.to_owned();
            Some(Listed {
                path,
                size: meta.size,
            })
        });
        let mut listed: Vec<_> = listed.collect();
        listed.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(listed)
    }

    fn read(&self, path: &str, most: u64) -> Result<Option<(Vec<u8>, Tag)>, StoreError> {
        let got = self.wait(async {
            let got = match self.objects.get(&self.key(path)).await {
                Err(Error::NotFound { .. }) => return Ok(None),
                got => got?,
            };
            let tag = Tag {
                e_tag: got.meta.e_tag.clone(),
                version: got.meta.version.clone(),
                digest: None,
            };
            if got.meta.size > most {
                return Ok(Some((None, tag)));
            }
            Ok(Some((Some(got.bytes().await?), tag)))
        });
        match got.map_err(self.failed("read", path))? {
            None => Ok(None),
            Some((None, _)) => Err(StoreError::TooLarge {
                store: self.url.clone(),
                path: path.to_owned(),
            }),
            Some((Some(bytes), tag)) => {
                let digest = Some(Digest::of(&bytes));
                Ok(Some((bytes.to_vec(), Tag { digest, ..tag })))
            }
        }
    }

    fn create(&self, path: &str, bytes: &[u8], kind: Kind) -> Result<Created, StoreError> {
        match self.put(path, bytes, kind, PutMode::Create) {
            Ok(()) => Ok(Created::New),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(Created::WasThere),
            Err(error) => Err(self.failed("write", path)(error)),
        }
    }

    fn upload(
        &self,
        path: &str,
        from: &Path,
        kind: Kind,
        progress: &Progress,
    ) -> Result<Created, StoreError> {
        let read = |source| StoreError::Read {
            path: from.to_owned(),
            source,
        };
        let size = std::fs::metadata(from).map_err(read)?.len();
        if size <= uploads::PART {
            let bytes = std::fs::read(from).map_err(read)?;
            return self.create(path, &bytes, kind);
        }
        let upload = Upload {
            parts: self.parts.as_ref(),
            remembered: &self.uploads,
            key: self.key(path),
            attributes: attributes(path, kind),
            from,
            size,
        };
        self.wait(upload.run(progress)).map_err(|error| match error {
            uploads::UploadError::Store(error) => self.failed("write", path)(error),
            uploads::UploadError::Read(source) => read(source),
            uploads::UploadError::Write(error) => StoreError::Write(error),
        })?;
        Ok(Created::New)
    }

    fn swap(&self, path: &str, bytes: &[u8], kind: Kind, seen: Option<&Tag>) -> Result<(), StoreError> {
        let mode = seen.map_or(PutMode::Create, |tag| {
            PutMode::Update(UpdateVersion {
                e_tag: tag.e_tag.clone(),
                version: tag.version.clone(),
            })
        });
        self.put(path, bytes, kind, mode).map_err(|error| match error {
            Error::AlreadyExists { .. } | Error::Precondition { .. } => StoreError::Changed {
                store: self.url.clone(),
                path: path.to_owned(),
            },
            error => self.failed("write", path)(error),
        })
    }

    fn replace(&self, path: &str, bytes: &[u8], kind: Kind) -> Result<(), StoreError> {
        self.put(path, bytes, kind, PutMode::Overwrite)
            .map_err(self.failed("write", path))
    }

    fn remove(&self, path: &str) -> Result<(), StoreError> {
        match self.wait(self.objects.delete(&self.key(path))) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("remove", path)(error)),
        }
    }
}
