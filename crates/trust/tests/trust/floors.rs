//! A floor that can't be written, and what the floor says.

use std::fs;
use std::path::Path;
use std::task::{Context, Waker};

use moult_model::ErrorCode::{self, FloorNotWritten};
use moult_trust::FloorOrigin;

use crate::support::{Computer, Mirror, Outcome, Site, verdict};

/// Puts something in the place of a file that nothing can be renamed over, or takes it away again.
fn block(path: &Path) -> Outcome {
    if path.is_dir() {
        fs::remove_dir_all(path)?;
    } else if path.exists() {
        fs::remove_file(path)?;
    }
    fs::create_dir(path)?;
    fs::write(path.join("in-the-way"), "")?;
    Ok(())
}

fn unblock(path: &Path) -> Outcome {
    Ok(fs::remove_dir_all(path)?)
}

#[tokio::test]
async fn nothing_is_handed_out_if_the_floor_is_not_on_disk() -> Outcome {
    let site = Site::new()?;
    for one_copy_only in [false, true] {
        let mirror = Mirror::serving(site.files()?);
        let mut computer = Computer::new(site.anchor()?, &mirror)?;
        let copies = ["floor.a", "floor.b"].map(|name| computer.directory().join(name));
        let blocked = if one_copy_only { &copies[1..] } else { &copies[..] };
        for copy in blocked {
            block(copy)?;
        }
        for _ in 0..2 {
            assert_eq!(verdict(computer.newest("app").await), Err(FloorNotWritten));
            let index = computer
                .index("app")
                .await
                .map(|_| ())
                .map_err(|error| error.code());
            assert_eq!(index, Err(FloorNotWritten));
        }
        for copy in blocked {
            unblock(copy)?;
        }
        assert_eq!(verdict(computer.newest("app").await), Ok("1.0.0".to_owned()));
        assert!(copies.iter().all(|copy| copy.is_file()));
    }
    Ok(())
}

#[tokio::test]
async fn a_good_state_is_withdrawn_when_the_floor_can_no_longer_be_written() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    computer.newest("app").await?;
    let copies = ["floor.a", "floor.b"].map(|name| computer.directory().join(name));
    copies.iter().try_for_each(|copy| block(copy))?;
    // The role of a publisher is new to this computer, so its floor has to be written.
    let index = computer
        .index("w/moult/notes")
        .await
        .map(|_| ())
        .map_err(|error| error.code());
    assert_eq!(index, Err(FloorNotWritten));
    let index = computer
        .index("app")
        .await
        .map(|_| ())
        .map_err(|error| error.code());
    assert_eq!(index, Err(FloorNotWritten), "not even what needs no new floor");
    copies.iter().try_for_each(|copy| unblock(copy))?;
    let index = computer
        .index("app")
        .await
        .map(|_| ())
        .map_err(|error| error.code());
    assert_eq!(index, Err(FloorNotWritten), "not before a refresh ends well");
    assert_eq!(
        verdict(computer.newest("w/moult/notes").await),
        Ok("1.0.0".to_owned())
    );
    Ok(())
}

#[tokio::test]
async fn metadata_that_can_not_be_stored_is_not_believed() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    let metadata = computer.directory().join("metadata");
    fs::write(&metadata, "a file in the folder's place")?;
    let refreshed = computer.refresh().await.map_err(|error| error.code());
    assert_eq!(refreshed, Err(FloorNotWritten));
    fs::remove_file(&metadata)?;
    assert_eq!(verdict(computer.newest("app").await), Ok("1.0.0".to_owned()));
    block(&metadata.join("app.json"))?;
    computer.restart()?;
    assert_eq!(verdict(computer.newest("app").await), Err(FloorNotWritten));
    Ok(())
}

#[tokio::test]
async fn a_check_that_was_cancelled_leaves_nothing_behind() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    let metadata = computer.directory().join("metadata");
    fs::write(&metadata, "a file in the folder's place")?;
    mirror.set_stalled(true);
    {
        let mut check = std::pin::pin!(computer.refresh());
        let mut context = Context::from_waker(Waker::noop());
        assert!(check.as_mut().poll(&mut context).is_pending());
    }
    fs::remove_file(&metadata)?;
    mirror.set_stalled(false);
    assert_eq!(verdict(computer.newest("app").await), Ok("1.0.0".to_owned()));
    Ok(())
}

#[tokio::test]
async fn no_index_is_handed_out_before_the_first_refresh() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    computer.newest("app").await?;
    computer.restart()?;
    let index = computer
        .index("app")
        .await
        .map(|_| ())
        .map_err(|error| error.code());
    assert_eq!(index, Err(ErrorCode::Internal));
    Ok(())
}

#[tokio::test]
async fn says_what_this_computer_believes() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    let before = computer.client.beliefs();
    assert_eq!(
        (before.root, before.timestamp, before.floor_origin),
        (None, None, FloorOrigin::Compiled)
    );
    assert_eq!(before.floor.version("timestamp"), Some(2), "the compiled floor");
    site.publish("app", "1.1.0")?;
    mirror.serve(site.files()?);
    computer.newest("w/moult/notes").await?;
    let after = computer.client.beliefs();
    assert_eq!(
        (after.root, after.timestamp, after.snapshot),
        (Some(1), Some(3), Some(3))
    );
    assert_eq!(after.floor.version("timestamp"), Some(3));
    assert_eq!(after.floor.version("publishers-6 > publisher-moult"), Some(1));
    computer.restart()?;
    assert_eq!(computer.client.beliefs().floor, after.floor);
    assert_eq!(computer.client.beliefs().floor_origin, FloorOrigin::Stored);
    Ok(())
}
