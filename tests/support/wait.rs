//! Waiting for something that happens in another process. Refuses to know what it is.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// What a look found.
#[derive(Debug)]
pub enum Look<T> {
    /// It is there.
    There(T),
    /// Not yet; this was seen instead.
    NotYet(String),
}

/// It can't come any more, so waiting on is no use.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Hopeless(pub String);

impl<T> Look<T> {
    /// Changes the value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Look<U> {
        match self {
            Self::There(value) => Look::There(change(value)),
            Self::NotYet(seen) => Look::NotYet(seen),
        }
    }

    /// The value if there is one, else what was seen.
    pub fn from_option(value: Option<T>, seen: impl Display) -> Self {
        value.map_or_else(|| Self::NotYet(seen.to_string()), Self::There)
    }
}

impl Look<()> {
    /// There as soon as the condition holds.
    pub fn when(holds: bool, seen: impl Display) -> Self {
        if holds {
            Self::There(())
        } else {
            Self::NotYet(seen.to_string())
        }
    }
}

/// Looks ten times a second until it is there. An error is taken for "not yet", since files are read
/// while they are replaced and pages while they load; only [`Hopeless`] ends the wait early. What was
/// awaited and what was seen last are in the error.
pub async fn until<T>(
    what: &str,
    patience: Duration,
    mut look: impl AsyncFnMut() -> anyhow::Result<Look<T>>,
) -> anyhow::Result<T> {
    let start = Instant::now();
    loop {
        let seen = match look().await {
            Ok(Look::There(value)) => return Ok(value),
            Ok(Look::NotYet(seen)) => seen,
            Err(error) if error.is::<Hopeless>() => return Err(error.context(format!("awaited: {what}"))),
            Err(error) => format!("{error:#}"),
        };
        if start.elapsed() >= patience {
            anyhow::bail!("awaited for {} s: {what}. Seen last: {seen}", patience.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
