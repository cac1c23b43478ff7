//! One update by the real engine, store and launcher, without a window: for faults that are injected
//! from inside and outside.

fn main() -> std::process::ExitCode {
    std::process::ExitCode::FAILURE
}
