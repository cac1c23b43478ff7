//! `moult sign-service`: signs for the online roles until it is ended.

use std::fmt;
use std::path::PathBuf;

use moult_trust::sign::{Keys, OnlineSigner};
use serde::Serialize;

use super::Context;
use crate::PublishError;
use crate::cli::SignServiceArgs;
use crate::passphrase;
use crate::repository::{has_keys, sign_error};
use crate::sign_service::{self, SignService};

#[derive(Serialize)]
struct Listening {
    url: String,
    roles: [&'static str; 3],
    token: PathBuf,
}

pub(super) fn run(context: &Context, args: &SignServiceArgs) -> Result<(), PublishError> {
    let folder = context.workspace()?.keys();
    if !has_keys(&folder) {
        return Err(PublishError::KeysMissing { folder });
    }
    let keys = Keys::open(&folder)
        .map_err(sign_error("the keys can't be read"))?
        .asking(passphrase::ask);
    // Now and not at the first request, when nobody may sit here.
    keys.open_sealed(&OnlineSigner::ROLES)
        .map_err(sign_error("the keys can't be opened"))?;
    let signer = OnlineSigner::new(keys).map_err(sign_error("the keys can't be used"))?;
    let path = args
        .token
        .clone()
        .unwrap_or_else(|| folder.join("sign-service.token"));
    let token = sign_service::token(&path)?;
    let service = SignService::start(signer, token, args.port)?;
    context.output.report(&Listening {
        url: service.url(),
        roles: OnlineSigner::ROLES,
        token: path,
    })?;
    service.wait();
    Ok(())
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "signs for  {}", self.roles.join(", "))?;
        writeln!(f, "token      {}", self.token.display())?;
        write!(f, "listening on {}", self.url)
    }
}
