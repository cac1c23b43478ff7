//! The launcher and the rescue program (the program for widget logic is `logic::program`'s) that this build was tested with, and brings along.
//!
//! When and how they take the place of the installed ones is `moult_boot::companion`'s; this only carries them.

use moult_boot::StartToken;
use moult_boot::companion::{Embedded, LAUNCHER, RESCUE, settle};

use crate::app::Context;

const LAUNCHER_BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/moult-launcher"));
const RESCUE_BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/moult-rescue"));

/// Brings the programs beside the application up to date, as far as it is time. To be called when this start
/// has been in good order for a while. A build that was made without them leaves what is installed alone.
pub(crate) fn bring_up_to_date(context: &Context) {
    let Some(start) = StartToken::from_environment() else {
        return;
    };
    let embedded: Vec<Embedded<'_>> = [
        (LAUNCHER, "moult-launcher", LAUNCHER_BYTES),
        (RESCUE, "moult-rescue", RESCUE_BYTES),
    ]
    .into_iter()
    .filter(|(.., bytes)| !bytes.is_empty())
    .map(|(name, program, bytes)| Embedded {
        name,
        program,
        version: &context.build.version,
        bytes,
    })
    .collect();
    let settled = context
        .writing
        .with_right(|right| settle(&context.store, right, &context.places.install, &embedded, &start));
    match settled {
        Some(Ok(settled)) => {
            for program in settled {
                tracing::info!(?program, "beside the application");
            }
        }
        Some(Err(error)) => tracing::error!(%error, "a program beside the application stays as it is"),
        None => {}
    }
}
