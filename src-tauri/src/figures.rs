//! The figures of this computer, for the capability `system.figures`.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use moult_sandbox::SystemFigures;
use sysinfo::{CpuRefreshKind, Disks, MemoryRefreshKind, Networks, RefreshKind, System};

/// Figures younger than this are handed out again: many widgets cost no more than one.
const FRESH: Duration = Duration::from_millis(500);

/// Reads the figures when somebody asks.
pub(crate) struct Computer(Mutex<Reading>);

struct Reading {
    system: Option<System>,
    /// The folder whose disk is asked for.
    folder: PathBuf,
    networks: Option<Networks>,
    figures: Option<(Instant, SystemFigures)>,
}

impl Computer {
    /// `folder` says which disk counts.
    pub(crate) fn new(folder: &Path) -> Self {
        let kind = RefreshKind::nothing()
            .with_cpu(CpuRefreshKind::nothing().with_usage())
            .with_memory(MemoryRefreshKind::nothing().with_ram());
        let system = System::new_with_specifics(kind)
            .inspect_err(|error| tracing::warn!(%error, "this system tells no figures"))
            .ok();
        Self(Mutex::new(Reading {
            system,
            folder: folder.to_owned(),
            networks: Networks::new_with_refreshed_list().ok(),
            figures: None,
        }))
    }

    /// The figures as of now, or of a moment ago.
    pub(crate) fn figures(&self) -> SystemFigures {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, figures)) = &reading.figures
            && at.elapsed() < FRESH
        {
            return figures.clone();
        }
        let disk = disk(&reading.folder);
        let mut figures = read(reading.system.as_mut(), disk);
        if let Some(networks) = &mut reading.networks {
            (figures.network_received, figures.network_sent) = traffic(networks);
        }
        reading.figures = Some((Instant::now(), figures.clone()));
        figures
    }
}

/// A system that tells nothing is shown as one without cores and memory.
fn read(system: Option<&mut System>, disk: Option<(u64, u64)>) -> SystemFigures {
    let mut figures = SystemFigures {
        cpu_percent: 0.0,
        per_core: Vec::new(),
        cores: 0,
        memory_used: 0,
        memory_total: 0,
        disk_used: disk.map(|(used, _)| used),
        disk_total: disk.map(|(_, total)| total),
        network_received: 0,
        network_sent: 0,
    };
    if let Some(system) = system {
        system.refresh_cpu_usage();
        system.refresh_memory();
        figures.cpu_percent = system.global_cpu_usage();
        figures.per_core = system.cpus().iter().map(sysinfo::Cpu::usage).collect();
        figures.cores = system.cpus().len();
        figures.memory_used = system.used_memory();
        figures.memory_total = system.total_memory();
    }
    figures
}

/// Bytes that came and went by the network. What this computer says to itself does not count.
fn traffic(networks: &mut Networks) -> (u64, u64) {
    networks.refresh(true);
    let others = networks
        .iter()
        .filter(|(name, _)| ***name != *"lo" && ***name != *"lo0");
    others.fold((0, 0), |(received, sent), (_, network)| {
        (
            received + network.total_received(),
            sent + network.total_transmitted(),
        )
    })
}

/// Used and total bytes of the disk that a folder lies on: the one with the longest mount point above it.
fn disk(folder: &Path) -> Option<(u64, u64)> {
    let disks = Disks::new_with_refreshed_list().ok()?;
    let above = disks.iter().filter(|disk| folder.starts_with(disk.mount_point()));
    let disk = above.max_by_key(|disk| disk.mount_point().as_os_str().len())?;
    Some((
        disk.total_space().saturating_sub(disk.available_space()),
        disk.total_space(),
    ))
}
