//! Whether a window system answers. Refuses to know what it would show.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::Screen;

/// How long a display on another computer may take to answer.
const LIMIT: Duration = Duration::from_secs(2);
/// The first port of the X window system.
const FIRST_PORT: u16 = 6000;

/// Whether one of the displays that the environment names takes a connection. Nothing is said on it.
pub(crate) fn screen() -> Screen {
    if cfg!(target_os = "macos") {
        return Screen::There;
    }
    screen_of(|name| std::env::var_os(name), Path::new("/tmp/.X11-unix"))
}

fn screen_of(variable: impl Fn(&str) -> Option<OsString>, sockets: &Path) -> Screen {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let wayland = set("WAYLAND_DISPLAY").map(|name| {
        let path = PathBuf::from(name);
        match set("XDG_RUNTIME_DIR") {
            Some(folder) if path.is_relative() => PathBuf::from(folder).join(path),
            _ => path,
        }
    });
    let x = set("DISPLAY");
    if wayland.is_none() && x.is_none() {
        return Screen::NotTold;
    }
    let answers = wayland.is_some_and(|path| UnixStream::connect(path).is_ok())
        || x.is_some_and(|name| x_answers(&name.to_string_lossy(), sockets));
    if answers { Screen::There } else { Screen::Gone }
}

/// `host:number.screen`; without a host it is this computer.
fn x_answers(name: &str, sockets: &Path) -> bool {
    let Some((host, rest)) = name.rsplit_once(':') else {
        return false;
    };
    let number = rest.split('.').next().unwrap_or_default();
    let Ok(number) = number.parse::<u16>() else {
        return false;
    };
    if host.starts_with('/') {
        // As launchd names it: the whole is a socket.
        return UnixStream::connect(name).is_ok();
    }
    if host.is_empty() || host == "unix" {
        return UnixStream::connect(sockets.join(format!("X{number}"))).is_ok() || is_abstract(number);
    }
    let Some(port) = FIRST_PORT.checked_add(number) else {
        return false;
    };
    if host == "localhost" || host == "127.0.0.1" {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        return TcpStream::connect_timeout(&address, LIMIT).is_ok();
    }
    // Another computer: looking up its name may take long, and what can't be asked is not gone.
    true
}

#[cfg(target_os = "linux")]
fn is_abstract(number: u16) -> bool {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::SocketAddr;
    SocketAddr::from_abstract_name(format!("/tmp/.X11-unix/X{number}"))
        .and_then(|address| UnixStream::connect_addr(&address))
        .is_ok()
}

#[cfg(not(target_os = "linux"))]
fn is_abstract(_: u16) -> bool {
    false
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]
mod tests {
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_screen_is_there_if_one_of_the_named_answers() {
        let folder = tempfile::tempdir().unwrap();
        // A number that no real display of this computer has.
        let _x = UnixListener::bind(folder.path().join("X59993")).unwrap();
        let _wayland = UnixListener::bind(folder.path().join("wayland-9")).unwrap();
        std::fs::write(folder.path().join("wayland-8"), "a leftover").unwrap();
        let remote = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = remote.local_addr().unwrap().port();
        let run = folder.path().to_str().unwrap();
        let absolute = format!("{run}/wayland-9");
        let over_tcp = port
            .checked_sub(FIRST_PORT)
            .map(|number| format!("localhost:{number}.0"));
        let mut table = vec![
            (vec![], Screen::NotTold),
            (vec![("DISPLAY", "")], Screen::NotTold),
            (vec![("DISPLAY", ":59993")], Screen::There),
            (vec![("DISPLAY", ":59993.0")], Screen::There),
            (vec![("DISPLAY", "unix:59993")], Screen::There),
            (vec![("DISPLAY", ":59992")], Screen::Gone),
            (vec![("DISPLAY", "localhost:59535")], Screen::Gone),
            (vec![("DISPLAY", "nonsense")], Screen::Gone),
            (vec![("DISPLAY", ":x")], Screen::Gone),
            (vec![("WAYLAND_DISPLAY", absolute.as_str())], Screen::There),
            (
                vec![("WAYLAND_DISPLAY", "wayland-9"), ("XDG_RUNTIME_DIR", run)],
                Screen::There,
            ),
            (
                vec![("WAYLAND_DISPLAY", "wayland-8"), ("XDG_RUNTIME_DIR", run)],
                Screen::Gone,
            ),
            (
                vec![("WAYLAND_DISPLAY", "/nowhere"), ("DISPLAY", ":59993")],
                Screen::There,
            ),
        ];
        if let Some(name) = &over_tcp {
            table.push((vec![("DISPLAY", name.as_str())], Screen::There));
        }
        for (variables, expected) in table {
            let look_up = |name: &str| {
                variables
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| OsString::from(value))
            };
            assert_eq!(screen_of(look_up, folder.path()), expected, "{variables:?}");
        }
    }
}
