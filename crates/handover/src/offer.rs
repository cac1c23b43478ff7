//! Where a successor finds the one that runs, and how it shows that it was sent. Refuses to know how the
//! launcher carries it from one to the other.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::HandOverError;

/// The environment variable in which a successor finds the offer, as `<address> <token>`.
pub const OFFER_VARIABLE: &str = "MOULT_HAND_OVER";

/// An offer to hand over. Its token is a secret of this user's.
#[derive(Clone, PartialEq, Eq)]
pub struct Offer {
    /// The name of the socket in the data folder's `run`, or that of the pipe. No path: the successor
    /// knows the folder, and is led nowhere else.
    pub address: String,
    /// 32 hexadecimal digits. Whoever says them is answered.
    pub token: String,
}

impl Offer {
    /// A new one, random.
    pub(crate) fn new() -> Result<Self, HandOverError> {
        let name = random()?;
        Ok(Self {
            address: format!("over-{}.sock", &name[..16]),
            token: random()?,
        })
    }

    /// What the environment names; `None` if this process is nobody's successor.
    pub fn from_environment() -> Option<Result<Self, HandOverError>> {
        let text = std::env::var(OFFER_VARIABLE).ok()?;
        Some(text.parse())
    }

    /// The socket's file, or the pipe's name.
    pub(crate) fn name(&self, data: &Path) -> PathBuf {
        if cfg!(windows) {
            PathBuf::from(format!(r"\\.\pipe\moult-{}", self.address))
        } else {
            data.join("run").join(&self.address)
        }
    }
}

/// As it stands in the environment.
impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.address, self.token)
    }
}

/// Without the token: this goes into logs.
impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl FromStr for Offer {
    type Err = HandOverError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |part: &str| {
            !part.is_empty()
                && part.len() <= 64
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
                && !part.starts_with('.')
        };
        match text.split_once(' ') {
            Some((address, token)) if plain(address) && plain(token) => Ok(Self {
                address: address.to_owned(),
                token: token.to_owned(),
            }),
            _ => Err(HandOverError::NotAnOffer {
                text: text.to_owned(),
            }),
        }
    }
}

/// 32 random hexadecimal digits.
pub(crate) fn random() -> Result<String, HandOverError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| HandOverError::Random)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Whether two secrets are the same, in a time that does not tell how much of them is.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.len() == other.len()
        && one
            .bytes()
            .zip(other.bytes())
            .fold(0, |all, (a, b)| all | (a ^ b))
            == 0
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test without random bytes has failed")]
mod tests {
    use super::*;

    #[test]
    fn an_offer_survives_the_environment_and_its_token_no_log() {
        let offer = Offer::new().unwrap();
        assert_eq!(offer.to_string().parse::<Offer>().unwrap(), offer);
        assert!(!format!("{offer:?}").contains(&offer.token));
        assert_ne!(Offer::new().unwrap(), offer);
    }

    #[test]
    fn what_leads_out_of_the_folder_is_no_offer() {
        let long = format!("a {}", "b".repeat(65));
        for text in [
            "", "a", "a ", " b", "../a b", "a/b c", ".. b", "a b c", "a\\b c", &long,
        ] {
            assert!(text.parse::<Offer>().is_err(), "{text}");
        }
    }

    #[test]
    fn secrets_are_compared_whole() {
        for (one, other, equal) in [
            ("ab", "ab", true),
            ("ab", "ac", false),
            ("ab", "abc", false),
            ("", "", true),
        ] {
            assert_eq!(same(one, other), equal, "{one} {other}");
        }
    }
}
