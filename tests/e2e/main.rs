//! The real application, started by the real launcher, fed by the real command line and server,
//! driven through its own screen. Each file tells one story.

mod bad_executable;
mod bad_notes;
mod developer;
mod executable;
mod hand_over;
mod held;
mod logic;
mod network;
mod notes;
mod offline;
mod only_reading;
mod prompt;
mod resources;
mod shell;
mod swap_faults;
mod swap_kills;
mod swaps;
mod typing;
