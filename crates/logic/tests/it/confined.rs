//! What is left to a confined process. Each denial has its control: the same program, not confined, can do it.

use std::io;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The user whom nothing belongs to.
const NOBODY: u32 = 65_534;

fn probe() -> PathBuf {
    // Beside the tests' own folder: cargo builds examples before it runs tests.
    let tests = std::env::current_exe().unwrap();
    tests.ancestors().nth(2).unwrap().join("examples/probe")
}

struct Ground {
    folder: tempfile::TempDir,
    server: TcpListener,
    _socket: UnixListener,
    program: PathBuf,
}

impl Ground {
    /// All that is tried for, open to everybody.
    fn new() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let open = |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777));
        open(folder.path())?;
        std::fs::write(folder.path().join("file"), b"x")?;
        open(&folder.path().join("file"))?;
        let socket = UnixListener::bind(folder.path().join("socket"))?;
        open(&folder.path().join("socket"))?;
        // Where everybody may start it.
        let program = folder.path().join("probe");
        std::fs::copy(probe(), &program)?;
        Ok(Self {
            folder,
            server: TcpListener::bind("127.0.0.1:0")?,
            _socket: socket,
            program,
        })
    }

    fn attempts(&self) -> io::Result<[(&'static str, String); 11]> {
        let path = |name: &str| self.folder.path().join(name).to_string_lossy().into_owned();
        Ok([
            ("read a file", path("file")),
            ("write a file", path("file")),
            ("list a folder", path("")),
            ("connect", self.server.local_addr()?.to_string()),
            ("listen", String::new()),
            ("send a packet", String::new()),
            ("reach a socket of a file", path("socket")),
            ("start a program", String::new()),
            ("look into its parent", String::new()),
            ("signal its parent", String::new()),
            ("take 8 GiB", String::new()),
        ])
    }

    fn can(&self, how: &str, what: &str, with: &str, user: Option<u32>) -> io::Result<bool> {
        // A shell between us and it: a parent of the same user, which it may look into, and whose number it is told.
        let script = "\"$0\" \"$1\" \"$2\" \"${3:-$$}\"; exit $?";
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", script])
            .arg(&self.program)
            .args([how, what, with]);
        command.current_dir("/");
        if let Some(user) = user {
            command.uid(user).gid(user);
        }
        let output = command.output()?;
        match output.status.code() {
            Some(0) => Ok(true),
            // It could not, or the system ended it for what it tried.
            None | Some(1 | 128..) => Ok(false),
            Some(code) => Err(io::Error::other(format!(
                "{how}, {what}: code {code}: {}",
                String::from_utf8_lossy(&output.stderr)
            ))),
        }
    }
}

#[test]
fn a_confined_process_can_think_and_nothing_else() -> io::Result<()> {
    let ground = Ground::new()?;
    let users: &[Option<u32>] = if rustix::process::geteuid().is_root() {
        &[None, Some(NOBODY)]
    } else {
        &[None]
    };
    for &user in users {
        assert!(ground.can("free", "think", "", user)?, "{user:?}");
        assert!(
            ground.can("confined", "think", "", user)?,
            "{user:?}: it can't even think"
        );
        for (what, with) in ground.attempts()? {
            assert!(
                ground.can("free", what, &with, user)?,
                "{user:?}: the control can't {what}"
            );
            assert!(
                !ground.can("confined", what, &with, user)?,
                "{user:?}: it can {what}"
            );
        }
    }
    Ok(())
}
