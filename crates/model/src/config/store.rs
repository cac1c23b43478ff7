//! Where a repository is brought to, and what is kept of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Where the repository's folder is brought to, for clients to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Store {
    /// A folder that a web server serves.
    Folder {
        /// The folder, relative to the configuration's.
        path: String,
    },
    /// A bucket: S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage.
    Bucket {
        /// `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`.
        url: String,
        /// Settings such as `aws_endpoint` and `aws_region`. Secrets belong into the environment
        /// (`AWS_ACCESS_KEY_ID`, `GOOGLE_SERVICE_ACCOUNT`, `AZURE_STORAGE_ACCOUNT_KEY` and their like).
        #[serde(default)]
        options: BTreeMap<String, String>,
    },
    /// A program of your own, for any other place. It can't tell two publishers apart: use it from one machine alone.
    Script {
        /// The program and its first arguments; docs/publishing.md says what it is asked.
        command: Vec<String>,
    },
}

/// What `moult prune` leaves of each subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Keep {
    /// The newest versions, at least so many.
    pub versions: usize,
    /// Everything that was published in so many days.
    pub days: u32,
    /// How many days a file stays that nothing refers to any more: a client may be in the middle of fetching it.
    pub grace_days: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            versions: 10,
            days: 90,
            grace_days: 30,
        }
    }
}
