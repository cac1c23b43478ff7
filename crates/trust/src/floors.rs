//! The floors that hold on one computer: the compiled one, and the one on disk that rises. It judges
//! nothing itself.

use std::collections::BTreeMap;
use std::path::Path;

use moult_durable::{DurableError, TwoCopy};
use serde::Serialize;
use sigstore_tuf::TrustedMetadataSet;

use crate::error::TrustError;
use crate::floor::{Floor, snapshot_keys};

/// Where a client's floor came from when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FloorOrigin {
    /// There was none on disk: the first start, or the folder was deleted. The compiled floor holds.
    Compiled,
    /// It was read from disk. The compiled floor holds too.
    Stored,
    /// Files were there, but neither copy could be read. The compiled floor holds.
    Lost,
}

/// The floors that hold on this computer, and the file of the one that rises.
pub(crate) struct Floors {
    compiled: Floor,
    stored: Floor,
    file: TwoCopy<Floor>,
    origin: FloorOrigin,
    problem: Option<DurableError>,
    /// Whether `stored` may differ from what is on disk.
    unwritten: bool,
}

impl Floors {
    /// Reads the floor of a folder; one that can't be read is replaced by the compiled floor.
    pub(crate) fn open(directory: &Path, compiled: Floor) -> Self {
        let file = TwoCopy::new(directory, "floor");
        let (stored, origin, problem) = match file.load() {
            Ok(Some(stored)) => (stored, FloorOrigin::Stored, None),
            Ok(None) => (Floor::default(), FloorOrigin::Compiled, None),
            Err(problem) => {
                tracing::warn!(error = %problem, "the floor can't be read; the compiled one holds");
                (Floor::default(), FloorOrigin::Lost, Some(problem))
            }
        };
        let unwritten = origin != FloorOrigin::Stored;
        Self {
            compiled,
            stored,
            file,
            origin,
            problem,
            unwritten,
        }
    }

    pub(crate) fn admit(&self, seen: &Floor) -> Result<(), TrustError> {
        self.compiled.admit(seen)?;
        self.stored.admit(seen)
    }

    pub(crate) fn admit_snapshot(&self, trusted: &TrustedMetadataSet) -> Result<(), TrustError> {
        let keys = snapshot_keys(trusted);
        let none = BTreeMap::new();
        let pins = trusted.snapshot().map_or(&none, |snapshot| &snapshot.meta);
        self.compiled.admit_snapshot(keys, pins)?;
        self.stored.admit_snapshot(keys, pins)
    }

    /// Takes over what was admitted. It is on disk when this returns well.
    pub(crate) fn raise(&mut self, seen: Floor) -> Result<(), TrustError> {
        let before = self.stored.clone();
        self.stored.raise(seen);
        if self.unwritten || self.stored != before {
            self.unwritten = true;
            // Twice, so that each of the two copies holds the newest floor: one bad file lowers nothing.
            for _copy in 0..2 {
                self.file
                    .store(&self.stored)
                    .map_err(|source| TrustError::FloorNotWritten { source })?;
            }
            self.unwritten = false;
        }
        Ok(())
    }

    /// What is believed at least: the stored floor, and the compiled one where it says more.
    pub(crate) fn effective(&self) -> Floor {
        let mut floor = self.stored.clone();
        for (role, compiled) in &self.compiled.roles {
            let stored = floor
                .roles
                .entry(role.clone())
                .or_insert_with(|| compiled.clone());
            if stored.keys == compiled.keys && stored.version < compiled.version {
                *stored = compiled.clone();
            }
        }
        floor
    }

    /// Whether nothing was believed on this computer before.
    pub(crate) fn is_new(&self) -> bool {
        self.stored.roles.is_empty()
    }

    pub(crate) fn origin(&self) -> FloorOrigin {
        self.origin
    }

    pub(crate) fn problem(&self) -> Option<String> {
        self.problem.as_ref().map(ToString::to_string)
    }
}
