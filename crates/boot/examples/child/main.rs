//! An application for the launcher's tests. It does what the script at the end of its own file says.

mod script;

fn main() -> script::Outcome<()> {
    script::run()
}
