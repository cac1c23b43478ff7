//! `moult widget dev`: shows a widget in the running application while it is written.

use super::Context;
use crate::PublishError;
use crate::cli::WidgetDevArgs;
use crate::interrupt::Interrupt;
use crate::widget::dev::{Build, Session, usual_data};

pub(super) fn run(context: &Context, args: &WidgetDevArgs) -> Result<(), PublishError> {
    let build = Build::of(&args.folder, args.build.as_deref())?;
    let data = match &args.data {
        Some(data) => data.clone(),
        None => usual_data(|name| std::env::var_os(name))?,
    };
    let mut session = Session::open(&args.folder, build, &data)?;
    session.run(&Interrupt::watch(), |news| context.output.report(news))
}
