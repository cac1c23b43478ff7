//! `moult push` and `moult pull`: the repository's folder and the store.

use moult_trust::Floor;
use moult_trust::sign::{Editor, Keys};

use super::Context;
use crate::PublishError;
use crate::cli::{PullArgs, PushArgs};
use crate::progress::Progress;
use crate::repository::{has_keys, lock, sign_error};
use crate::store::{self, Claim, StoreError};

pub(super) fn push(context: &Context, args: &PushArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let store = store::open(&workspace)?.ok_or(StoreError::None)?;
    let folder = workspace.repository();
    if !crate::repository::has_repository(&folder) {
        return Err(PublishError::RepositoryMissing { folder });
    }
    let progress = Progress::on_terminal();
    if args.dry_run {
        let pushed = store::push(store.as_ref(), &folder, &[], true, &progress)?;
        drop(progress);
        return context.output.report(&pushed);
    }
    let claim = Claim::make(store.as_ref(), &folder, context.now, args.take_over)?;
    let pushed = store::push(store.as_ref(), &folder, &[], false, &progress);
    // A claim that can't be used is of no use to anybody.
    let keep = matches!(pushed, Err(StoreError::Failed { .. }));
    if let Some(claim) = claim.filter(|_| !keep) {
        claim.end(store.as_ref())?;
    }
    let pushed = pushed?;
    drop(progress);
    context.output.report(&pushed)
}

pub(super) fn pull(context: &Context, args: &PullArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let store = store::open(&workspace)?.ok_or(StoreError::None)?;
    let (folder, key_folder) = (workspace.repository(), workspace.keys());
    let progress = Progress::on_terminal();
    let _lock = if has_keys(&key_folder) {
        Some(lock(&key_folder)?)
    } else {
        None
    };
    let pulled = store::pull(store.as_ref(), &folder, args.discard, args.dry_run, &progress)?;
    if has_keys(&key_folder) && !args.dry_run {
        progress.stage("verifying");
        let keys = Keys::open(&key_folder).map_err(sign_error("the keys can't be read"))?;
        if args.discard {
            // What was dropped here may have been higher than what is there. Signatures are still verified, and the next
            // commit writes the floor anew.
            let floor =
                serde_json::to_vec_pretty(&Floor::default()).map_err(|source| PublishError::Encode {
                    what: "the floor",
                    source,
                })?;
            moult_durable::write_atomic(&key_folder.join("public/floor.json"), &floor)?;
        }
        Editor::open(&folder, &keys).map_err(|source| StoreError::Foreign {
            store: store.name(),
            source: Box::new(source),
        })?;
    }
    drop(progress);
    context.output.report(&pulled)
}
