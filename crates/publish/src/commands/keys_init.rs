//! `moult keys init`: makes what is missing of the keys, the repository and its publishers.

use std::fmt;
use std::path::PathBuf;

use moult_trust::sign::{Editor, Keys};
use serde::Serialize;

use super::Context;
use crate::PublishError;
use crate::cli::InitArgs;
use crate::passphrase;
use crate::repository::{has_keys, has_repository, lock, sign_error};

#[derive(Serialize)]
struct Initialized {
    keys: PathBuf,
    created_keys: bool,
    repository: PathBuf,
    created_repository: bool,
    publishers: Vec<String>,
    added_publishers: Vec<String>,
    public: Public,
    timestamp_version: u64,
}

/// What is compiled into the app.
#[derive(Serialize)]
struct Public {
    root: PathBuf,
    floor: PathBuf,
    minisign: PathBuf,
}

pub(super) fn run(context: &Context, args: &InitArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let (key_folder, repository) = (workspace.keys(), workspace.repository());
    let (created_keys, created_repository) = (!has_keys(&key_folder), !has_repository(&repository));
    if created_keys && !created_repository {
        return Err(PublishError::KeysLost {
            folder: key_folder,
            repository,
        });
    }
    moult_durable::create_dir_all(&key_folder)?;
    let _lock = lock(&key_folder)?;
    let keys = if created_keys {
        Keys::create(&key_folder).map_err(sign_error("the keys can't be made"))?
    } else {
        Keys::open(&key_folder).map_err(sign_error("the keys can't be read"))?
    }
    .asking(passphrase::ask);
    let mut editor = if created_repository {
        // A floor with roles in it was left by a repository that was complete. A new one starts at
        // version 1, which every client that has seen the other takes for a replay.
        let has_signed = keys.anchor().is_ok_and(|anchor| !anchor.floor.roles.is_empty());
        if has_signed && !args.new_repository {
            return Err(PublishError::RepositoryLost {
                folder: key_folder,
                repository,
            });
        }
        let created = Editor::create(&repository, &keys, context.now);
        created.map_err(sign_error("the repository can't be made"))?
    } else {
        Editor::open(&repository, &keys).map_err(sign_error("the repository can't be opened"))?
    };
    let known = editor.publishers();
    let added_publishers: Vec<_> = workspace
        .publishers()
        .into_iter()
        .filter(|name| !known.contains(name))
        .collect();
    for name in &added_publishers {
        editor
            .add_publisher(name)
            .map_err(sign_error("a publisher can't be added"))?;
    }
    let committed = editor
        .commit(context.now)
        .map_err(sign_error("the metadata can't be signed"))?;
    let mut publishers = editor.publishers();
    publishers.sort();
    let public = key_folder.join("public");
    context.output.report(&Initialized {
        public: Public {
            root: public.join("root.json"),
            floor: public.join("floor.json"),
            minisign: public.join("minisign.pub"),
        },
        keys: key_folder,
        created_keys,
        repository,
        created_repository,
        publishers,
        added_publishers,
        timestamp_version: committed.timestamp_version,
    })
}

impl fmt::Display for Initialized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = |created| if created { "created" } else { "was there" };
        writeln!(
            f,
            "keys        {} {}",
            self.keys.display(),
            done(self.created_keys)
        )?;
        writeln!(
            f,
            "repository  {} {}",
            self.repository.display(),
            done(self.created_repository)
        )?;
        for name in &self.publishers {
            writeln!(
                f,
                "publisher   {name} {}",
                done(self.added_publishers.contains(name))
            )?;
        }
        writeln!(f, "public      {}", self.public.root.display())?;
        writeln!(f, "            {}", self.public.floor.display())?;
        writeln!(f, "            {}", self.public.minisign.display())?;
        if self.created_keys {
            writeln!(f)?;
            write!(
                f,
                "Keep a copy of the keys where nobody else can read it: without them nothing can be published."
            )?;
        }
        Ok(())
    }
}
