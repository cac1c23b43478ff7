//! `moult serve`: serves the repository, or any folder, until it is ended.

use std::fmt;

use serde::Serialize;

use super::Context;
use crate::PublishError;
use crate::cli::ServeArgs;
use crate::server::Server;

#[derive(Serialize)]
struct Listening {
    url: String,
}

pub(super) fn run(context: &Context, args: ServeArgs) -> Result<(), PublishError> {
    let folder = match args.folder {
        Some(folder) => folder,
        None => context.workspace()?.repository(),
    };
    let server = Server::start(&folder, args.port, args.access_log)?;
    context.output.report(&Listening { url: server.url() })?;
    server.wait();
    Ok(())
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "listening on {}", self.url)
    }
}
