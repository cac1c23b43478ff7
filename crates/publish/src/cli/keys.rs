//! `keys`, `sign` and `sign-service`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::InitArgs;

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make the keys and the repository; what is there stays, new publishers are added
    Init(InitArgs),
    /// Say who signs for each role, where the keys are, and what expires when
    List(KeysListArgs),
    /// Give a role new keys; the old ones count no more
    Rotate(KeysRotateArgs),
    /// Let a publisher publish, with a key of its own
    AddPublisher(PublisherArgs),
    /// Let a publisher publish no more: clients believe nothing of it from then on
    RevokePublisher(PublisherArgs),
    /// Close the keys here with a passphrase
    Encrypt,
}

/// `keys list`.
#[derive(Debug, Args)]
pub struct KeysListArgs {
    /// All sixteen roles that only delegate to publishers too
    #[arg(long)]
    pub all: bool,
}

/// `keys rotate`.
#[derive(Debug, Args)]
pub struct KeysRotateArgs {
    /// root, timestamp, snapshot, targets, app, rollout, or publisher-NAME
    pub role: String,
    /// How many keys are made here
    #[arg(long, value_name = "COUNT")]
    pub make: Option<usize>,
    /// How many of all the role's keys must sign
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    pub threshold: usize,
    /// A key that goes on, by the first digits of its id; may be given several times
    #[arg(long, value_name = "ID")]
    pub keep: Vec<String>,
    /// A key that somebody else has: its public part, 64 hexadecimal digits or @ and a JSON file; may be given several times
    #[arg(long, value_name = "KEY|@FILE")]
    pub public: Vec<String>,
    /// The command that signs with the key of --public: it reads what is signed and prints the signature
    #[arg(long, value_name = "COMMAND", conflicts_with = "environment")]
    pub command: Option<String>,
    /// The environment variable that holds the key of --public
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
}

/// `keys add-publisher` and `keys revoke-publisher`.
#[derive(Debug, Args)]
pub struct PublisherArgs {
    /// The publisher's name, as in the names of its widgets
    pub name: String,
}

/// `sign`.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// What waits for signatures, if it is not beside the repository
    #[arg(long, value_name = "FILE")]
    pub staged: Option<PathBuf>,
    /// Say what it is, and sign nothing
    #[arg(long)]
    pub look: bool,
}

/// `sign-service`.
#[derive(Debug, Args)]
pub struct SignServiceArgs {
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// The file with the token that callers must have; it is made if it is missing
    #[arg(long, value_name = "FILE")]
    pub token: Option<PathBuf>,
}
