//! What `moult` does, seen from outside: its output, its exit codes, and the files it leaves.

mod configuration;
mod errors;
mod explanation;
mod http;
mod inspection;
mod keys;
mod patching;
mod serving;
mod signing;
mod story;
mod support;
mod usage;
mod widget;
