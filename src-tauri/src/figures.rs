//! The figures of this computer, for the capability `system.figures`.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use moult_sandbox::{Powers, SystemFigures};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// Figures younger than this are handed out again: many widgets cost no more than one.
const FRESH: Duration = Duration::from_millis(500);

/// Reads the figures when somebody asks.
pub(crate) struct Computer(Mutex<Reading>);

struct Reading {
    system: Option<System>,
    figures: Option<(Instant, SystemFigures)>,
}

impl Computer {
    pub(crate) fn new() -> Self {
        let kind = RefreshKind::nothing()
            .with_cpu(CpuRefreshKind::nothing().with_usage())
            .with_memory(MemoryRefreshKind::nothing().with_ram());
        let system = System::new_with_specifics(kind)
            .inspect_err(|error| tracing::warn!(%error, "this system tells no figures"))
            .ok();
        Self(Mutex::new(Reading {
            system,
            figures: None,
        }))
    }
}

impl Powers for Computer {
    fn system_figures(&self) -> SystemFigures {
        let mut reading = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((at, figures)) = &reading.figures
            && at.elapsed() < FRESH
        {
            return figures.clone();
        }
        let figures = reading.system.as_mut().map_or_else(nothing, read);
        reading.figures = Some((Instant::now(), figures.clone()));
        figures
    }
}

fn read(system: &mut System) -> SystemFigures {
    system.refresh_cpu_usage();
    system.refresh_memory();
    SystemFigures {
        cpu_percent: system.global_cpu_usage(),
        per_core: system.cpus().iter().map(sysinfo::Cpu::usage).collect(),
        cores: system.cpus().len(),
        memory_used: system.used_memory(),
        memory_total: system.total_memory(),
    }
}

fn nothing() -> SystemFigures {
    SystemFigures {
        cpu_percent: 0.0,
        per_core: Vec::new(),
        cores: 0,
        memory_used: 0,
        memory_total: 0,
    }
}
