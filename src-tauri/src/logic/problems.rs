//! What is said when logic does not do what was asked.

use moult_model::stage::{SwapCause, SwapFailure};
use moult_model::{ErrorCode, Problem};
use moult_sandbox::call::REQUEST_BYTES;
use moult_sandbox::logic::pool::LogicError;
use moult_sandbox::logic::{Fault, FaultKind};

/// Why an event was not answered.
pub(super) fn of(error: &LogicError) -> Problem {
    let (code, happened) = match error {
        LogicError::Failed(fault) => (code_of(fault), "The widget's logic failed."),
        LogicError::Refused(_) => (
            ErrorCode::StateRefused,
            "The widget's logic does not accept the state that it left.",
        ),
        LogicError::NotRunning => (ErrorCode::Crashed, "The widget's logic does not run."),
        _ => (
            ErrorCode::Internal,
            "The process for widgets' logic could not be started.",
        ),
    };
    Problem::new(code, happened, error).kept("It comes back with what it had.")
}

/// It failed, for the tile that shows it.
pub(super) fn failed(fault: &Fault, off: bool) -> Problem {
    let happened = if off {
        "The widget's logic failed too often and stays off."
    } else {
        "The widget's logic failed and is started again."
    };
    let problem = Problem::new(code_of(fault), happened, fault).kept("What it had is kept.");
    if off {
        problem.advice("Start it again from the widget's menu, or wait for a new version.")
    } else {
        problem
    }
}

/// It failed while its version was not confirmed.
pub(super) fn failure(error: &LogicError) -> SwapFailure {
    let cause = match error {
        LogicError::Refused(_) => SwapCause::StateRefused,
        LogicError::Failed(fault) if fault.kind == FaultKind::TimedOut => SwapCause::Hung,
        LogicError::Failed(fault) if fault.kind == FaultKind::ProcessEnded => SwapCause::Withdrawn,
        LogicError::Failed(_) => SwapCause::Exception,
        _ => SwapCause::Withdrawn,
    };
    SwapFailure {
        cause,
        detail: error.to_string(),
    }
}

fn code_of(fault: &Fault) -> ErrorCode {
    match fault.kind {
        FaultKind::TimedOut => ErrorCode::Hung,
        FaultKind::Unfit | FaultKind::CompileBomb => ErrorCode::BundleInvalid,
        FaultKind::ProcessEnded => ErrorCode::Cancelled,
        _ => ErrorCode::Crashed,
    }
}

/// It stays off.
pub(super) fn off() -> Problem {
    plain(
        ErrorCode::Crashed,
        "The widget's logic stays off.",
        "it failed too often",
    )
}

/// The widget has none.
pub(super) fn none() -> Problem {
    plain(
        ErrorCode::NotDeclared,
        "The widget has no logic.",
        "the manifest names no `entry.logic`",
    )
}

/// There is nothing to run it.
pub(super) fn no_program() -> Problem {
    plain(
        ErrorCode::Internal,
        "This build of Moult runs no widget logic.",
        "the program for widget logic is not there or could not be laid out",
    )
}

/// The load is gone.
pub(super) fn gone() -> Problem {
    plain(ErrorCode::Cancelled, "The widget was closed.", "the load is gone")
}

/// More bytes than may be handed to or from logic.
pub(super) fn too_large(bytes: usize) -> Problem {
    let detail = format!("{bytes} bytes are more than {REQUEST_BYTES}");
    plain(ErrorCode::TooLarge, "That is too much at once.", &detail)
}

fn plain(code: ErrorCode, happened: &str, detail: &str) -> Problem {
    Problem {
        code,
        happened: happened.to_owned(),
        kept: "What it had is kept.".to_owned(),
        advice: None,
        detail: detail.to_owned(),
    }
}
