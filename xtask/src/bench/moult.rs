//! Moult among the tools: what is built, and how it is called.

use std::path::{Path, PathBuf};

use anyhow::Result;
use cargo_metadata::MetadataCommand;

use super::tools::{Paths, Ready};
use crate::command::{cargo, command, quiet, root};

/// How Moult is built and called: as publishers do.
pub(crate) struct Runner {
    build: &'static [&'static str],
    /// Below cargo's target folder.
    program: &'static str,
    diff: &'static [&'static str],
    apply: &'static [&'static str],
}

pub(crate) const RUNNER: &Runner = &Runner {
    build: &["--package", "moult-publish", "--bin", "moult"],
    program: "release/moult",
    diff: &["patch", "diff", "{old}", "{new}", "{patch}"],
    apply: &["patch", "apply", "{old}", "{patch}", "{out}"],
};

impl Runner {
    /// Builds Moult and tells where its program is.
    pub(crate) fn build(&self) -> Result<PathBuf> {
        let build = [&["build", "--release", "--quiet"], self.build].concat();
        quiet(&mut command(cargo(), &build))?;
        let metadata = MetadataCommand::new()
            .current_dir(root())
            .cargo_path(cargo())
            .no_deps()
            .exec()?;
        Ok(metadata.target_directory.join(self.program).into())
    }

    pub(crate) fn diff(&self, program: &Path, paths: &Paths) -> Ready {
        Ready::new(program, self.diff, paths)
    }

    pub(crate) fn apply(&self, program: &Path, paths: &Paths) -> Ready {
        Ready::new(program, self.apply, paths)
    }
}
