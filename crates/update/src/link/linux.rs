//! NetworkManager's word on the line, over the system's bus. Where there is none, nothing is known.

use zbus::{Connection, Proxy};

/// `NMMetered`, as NetworkManager's interface defines it: said or guessed, yes or no.
fn meaning(value: u32) -> Option<bool> {
    match value {
        1 | 3 => Some(true),
        2 | 4 => Some(false),
        _ => None,
    }
}

/// Whether the line is metered.
pub(super) async fn metered() -> Option<bool> {
    let connection = Connection::system().await.ok()?;
    metered_on(&connection).await
}

async fn metered_on(connection: &Connection) -> Option<bool> {
    let manager = Proxy::new(
        connection,
        "org.freedesktop.NetworkManager",
        "/org/freedesktop/NetworkManager",
        "org.freedesktop.NetworkManager",
    );
    let value: u32 = manager.await.ok()?.get_property("Metered").await.ok()?;
    meaning(value)
}

#[cfg(test)]
mod tests {
    use zbus::connection::Builder;

    use super::*;

    #[test]
    fn what_is_said_and_what_is_guessed_are_taken_and_the_unknown_is_none() {
        let found: Vec<_> = (0..7).map(meaning).collect();
        assert_eq!(
            found,
            [None, Some(true), Some(false), Some(true), Some(false), None, None]
        );
    }

    /// What stands in for NetworkManager: the same interface, at the same path, with this value.
    struct Manager(u32);

    #[zbus::interface(name = "org.freedesktop.NetworkManager")]
    impl Manager {
        #[zbus(property)]
        fn metered(&self) -> u32 {
            self.0
        }
    }

    #[tokio::test]
    async fn the_word_comes_over_the_bus() -> zbus::Result<()> {
        for (value, expected) in [(1, Some(true)), (4, Some(false)), (0, None)] {
            let (one, two) = std::os::unix::net::UnixStream::pair()?;
            let server = Builder::unix_stream(one)
                .server(zbus::Guid::generate())
                .p2p()
                .serve_at("/org/freedesktop/NetworkManager", Manager(value))
                .build();
            let client = Builder::unix_stream(two).p2p().build();
            let (server, client) = tokio::try_join!(server, client)?;
            assert_eq!(metered_on(&client).await, expected, "{value}");
            drop(server);
        }
        Ok(())
    }
}
