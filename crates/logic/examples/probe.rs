//! Tries one thing, free or confined, for the test that compares the two: exit code 0 if it could, 1 if not.
#![expect(clippy::print_stderr, reason = "it is a program for tests")]

use std::io;
use std::process::{Command, ExitCode};

use moult_logic::confine::confine;
use moult_sandbox::logic::effort::Task;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [how, what, with] = &arguments[..] else {
        return ExitCode::from(2);
    };
    if how == "confined"
        && let Err(error) = confine(Task::Run)
    {
        eprintln!("{error}");
        return ExitCode::from(3);
    }
    match attempt(what, with) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{what}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn attempt(what: &str, with: &str) -> io::Result<()> {
    match what {
        "think" => {
            let thought = std::thread::spawn(|| vec![1_u8; 1 << 20].len()).join();
            thought.map(|_| ()).map_err(|_| io::Error::other("no thread"))
        }
        "read a file" => std::fs::read(with).map(|_| ()),
        "write a file" => std::fs::write(with, b"x"),
        "list a folder" => std::fs::read_dir(with).map(|_| ()),
        "connect" => std::net::TcpStream::connect(with).map(|_| ()),
        "listen" => std::net::TcpListener::bind("127.0.0.1:0").map(|_| ()),
        "send a packet" => std::net::UdpSocket::bind("127.0.0.1:0").map(|_| ()),
        "start a program" => Command::new("/bin/true").status().map(|_| ()),
        "look into its parent" => std::fs::read(format!("/proc/{with}/environ")).map(|_| ()),
        "take 8 GiB" => {
            let mut room: Vec<u8> = Vec::new();
            room.try_reserve_exact(8 << 30).map_err(io::Error::other)
        }
        other => attempt_of_system(other, with),
    }
}

/// What can be tried on this kind of system alone.
#[cfg(target_os = "linux")]
fn attempt_of_system(what: &str, with: &str) -> io::Result<()> {
    match what {
        "reach a socket of a file" => std::os::unix::net::UnixStream::connect(with).map(|_| ()),
        "signal its parent" => {
            let number = with.parse().ok().and_then(rustix::process::Pid::from_raw);
            Ok(rustix::process::test_kill_process(
                number.ok_or(io::ErrorKind::NotFound)?,
            )?)
        }
        other => Err(unknown(other)),
    }
}

#[cfg(not(target_os = "linux"))]
fn attempt_of_system(what: &str, _with: &str) -> io::Result<()> {
    Err(unknown(what))
}

fn unknown(what: &str) -> io::Error {
    io::Error::other(format!("no attempt `{what}`"))
}
