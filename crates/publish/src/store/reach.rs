//! Reads what clients read, from the address that they read it from.

use object_store::http::HttpBuilder;
use object_store::path::Path as Key;
use object_store::{ClientOptions, Error, ObjectStoreExt as _, RetryConfig};

use super::StoreError;
use super::state::TIMESTAMP;

/// The timestamp at an address; none if there is no repository.
pub fn timestamp(url: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Failed {
        store: url.to_owned(),
        action: "read",
        path: TIMESTAMP.to_owned(),
        source,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(error.into()))?;
    let retry = RetryConfig {
        max_retries: 1,
        ..RetryConfig::default()
    };
    let address = HttpBuilder::new()
        .with_url(url)
        .with_client_options(ClientOptions::new().with_allow_http(true))
        .with_retry(retry)
        .build()
        .map_err(|error| failed(error.into()))?;
    runtime.block_on(async {
        let got = match address.get(&Key::from(TIMESTAMP)).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            got => got.map_err(|error| failed(error.into()))?,
        };
        let bytes = got.bytes().await.map_err(|error| failed(error.into()))?;
        Ok(Some(bytes.to_vec()))
    })
}
