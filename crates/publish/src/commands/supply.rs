//! `moult init`, `sbom`, `completions` and `man`.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use serde::Serialize;

use super::Context;
use crate::cli::{Cli, CompletionsArgs, ManArgs, SbomCommand, SetupArgs};
use crate::repository::Open;
use crate::sbom::{self, SbomError};
use crate::{PublishError, setup};

#[derive(Serialize)]
struct Written {
    written: PathBuf,
    #[serde(skip)]
    next: Option<&'static str>,
}

/// A text that is the result itself.
#[derive(Serialize)]
#[serde(transparent)]
struct Text(String);

pub(super) fn init(context: &Context, args: &SetupArgs) -> Result<(), PublishError> {
    let text = setup::compose(&context.config, args)?;
    if args.dry_run {
        return context.output.report(&Text(text));
    }
    moult_durable::write_atomic(&context.config, text.as_bytes())?;
    context.output.report(&Written {
        written: context.config.clone(),
        next: Some("`moult keys init` makes the keys and the repository"),
    })
}

pub(super) fn sbom(context: &Context, command: &SbomCommand) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    match command {
        SbomCommand::Make(args) => {
            let bill = sbom::of_workspace(&workspace, context.now)?;
            match &args.out.out {
                Some(path) => {
                    moult_durable::write_atomic(path, &bill)?;
                    context.output.report(&Written {
                        written: path.clone(),
                        next: None,
                    })
                }
                None => context.output.print(&String::from_utf8_lossy(&bill)),
            }
        }
        SbomCommand::Check(args) => {
            let open = Open::existing(&workspace)?;
            let indexes = open.indexes(&workspace)?;
            match sbom::check(&workspace, &indexes, args.database.as_deref()) {
                Ok(rechecked) => context.output.report(&rechecked),
                Err(error) => {
                    if let PublishError::Sbom(SbomError::Found { rechecked }) = &error
                        && !context.output.is_json()
                    {
                        context.output.report(rechecked.as_ref())?;
                    }
                    Err(error)
                }
            }
        }
    }
}

pub(super) fn completions(context: &Context, args: &CompletionsArgs) -> Result<(), PublishError> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "moult", &mut text);
    context.output.print(&String::from_utf8_lossy(&text))
}

#[derive(Serialize)]
struct Pages {
    folder: PathBuf,
    pages: usize,
}

pub(super) fn man(context: &Context, args: &ManArgs) -> Result<(), PublishError> {
    moult_durable::create_dir_all(&args.folder)?;
    let mut command = Cli::command();
    command.build();
    let pages = page(&command, "moult", &args.folder)?;
    context.output.report(&Pages {
        folder: args.folder.clone(),
        pages,
    })
}

/// A page for the command and each below it. Gives how many there are.
fn page(command: &clap::Command, name: &str, folder: &Path) -> Result<usize, PublishError> {
    let mut text = Vec::new();
    let own = command.clone().display_name(name.to_owned());
    clap_mangen::Man::new(own)
        .render(&mut text)
        .map_err(|source| PublishError::Print { source })?;
    moult_durable::write_atomic(&folder.join(format!("{name}.1")), &text)?;
    let mut count = 1;
    for below in command
        .get_subcommands()
        .filter(|below| below.get_name() != "help")
    {
        count += page(below, &format!("{name}-{}", below.get_name()), folder)?;
    }
    Ok(count)
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wrote {}", self.written.display())?;
        match self.next {
            Some(next) => write!(f, "\nnext: {next}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wrote {} pages to {}", self.pages, self.folder.display())
    }
}
