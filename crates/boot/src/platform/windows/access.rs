//! Who may write something, told by its access control list. Pure: identifiers as text, rights as bits.
//!
//! Only this user, administrators and the system itself may. They could replace Moult as well, so
//! refusing them would protect nothing.

use crate::place::Owner;

/// One entry of a list that allows something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// For whom, as `S-1-…`.
    pub(crate) who: String,
    /// What, as bits.
    pub(crate) rights: u32,
    /// Whether it is only for what will be made inside, and not for the thing itself.
    pub(crate) only_inherited: bool,
}

/// What is known of a file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Its owner.
    pub(crate) owner: String,
    /// What its list allows. `None`: it has no list, so everybody may do everything.
    pub(crate) allowed: Option<Vec<Allowed>>,
}

/// The group of administrators.
const ADMINISTRATORS: &str = "S-1-5-32-544";
/// The system's own account.
const SYSTEM: &str = "S-1-5-18";
/// The service that installs parts of Windows.
const INSTALLER: &str = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";
/// Stands for whoever owns the thing.
const OWNER_RIGHTS: &str = "S-1-3-4";

/// Rights with which a file or what is in a folder can be changed, removed or given away: write data,
/// append, remove a child, remove, change the list, change the owner, all, all for writing.
const WRITING: u32 = 0x2 | 0x4 | 0x40 | 0x1_0000 | 0x4_0000 | 0x8_0000 | 0x1000_0000 | 0x4000_0000;

/// Whose something is.
pub(crate) fn owner(facts: &Facts, user: &str) -> Owner {
    if facts.owner == user {
        Owner::User
    } else if [ADMINISTRATORS, SYSTEM, INSTALLER].contains(&facts.owner.as_str()) {
        Owner::Administrator
    } else {
        Owner::Other
    }
}

/// Why something is not used, or `None` if it is this user's alone.
pub(crate) fn objection(facts: &Facts, user: &str) -> Option<&'static str> {
    let is_trusted = |who: &str| [user, ADMINISTRATORS, SYSTEM, INSTALLER].contains(&who);
    if !is_trusted(&facts.owner) {
        return Some("it belongs to somebody else");
    }
    let others_write = facts.allowed.as_ref().is_none_or(|allowed| {
        allowed.iter().any(|entry| {
            let trusted = is_trusted(&entry.who) || entry.who == OWNER_RIGHTS;
            !trusted && !entry.only_inherited && entry.rights & WRITING != 0
        })
    });
    others_write.then_some("others may write it")
}

/// The list that leaves a folder to this user, administrators and the system, in the system's own notation.
pub(crate) fn private(user: &str) -> String {
    format!("D:P(A;OICI;FA;;;{user})(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)")
}

/// The description that makes a pipe this user's, and leaves it to no other. An administrator's things would
/// belong to all administrators without it.
pub(crate) fn own_pipe(user: &str) -> String {
    format!("O:{user}D:P(A;;GA;;;{user})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_the_system_belongs_to_an_administrator() {
        let table = [
            (ME, Owner::User),
            (SYSTEM, Owner::Administrator),
            (INSTALLER, Owner::Administrator),
            (ADMINISTRATORS, Owner::Administrator),
            (OTHER, Owner::Other),
        ];
        for (who, expected) in table {
            assert_eq!(owner(&facts(who, &[]), ME), expected, "{who}");
        }
    }

    const ME: &str = "S-1-5-21-1-2-3-1001";
    const OTHER: &str = "S-1-5-21-1-2-3-1002";
    const EVERYONE: &str = "S-1-1-0";
    const USERS: &str = "S-1-5-32-545";
    const READ: u32 = 0x12_00A9;
    const MODIFY: u32 = 0x13_01BF;
    const ALL: u32 = 0x1F_01FF;

    fn facts(owner: &str, allowed: &[(&str, u32)]) -> Facts {
        let allowed = allowed.iter().map(|(who, rights)| Allowed {
            who: (*who).to_owned(),
            rights: *rights,
            only_inherited: false,
        });
        Facts {
            owner: owner.to_owned(),
            allowed: Some(allowed.collect()),
        }
    }

    #[test]
    fn only_what_no_stranger_can_change_is_used() {
        let belongs = Some("it belongs to somebody else");
        let writes = Some("others may write it");
        let table = [
            (
                "a profile's folder",
                facts(ME, &[(ME, ALL), (SYSTEM, ALL), (ADMINISTRATORS, ALL)]),
                None,
            ),
            (
                "a program folder",
                facts(INSTALLER, &[(SYSTEM, ALL), (USERS, READ)]),
                None,
            ),
            ("readable by all", facts(ME, &[(ME, ALL), (EVERYONE, READ)]), None),
            ("of its owner", facts(ME, &[(OWNER_RIGHTS, ALL)]), None),
            ("nobody may do anything", facts(ME, &[]), None),
            (
                "a second disk's folder",
                facts(ME, &[(ME, ALL), (USERS, MODIFY)]),
                writes,
            ),
            ("writable by all", facts(ME, &[(EVERYONE, 0x2)]), writes),
            ("removable by another", facts(ME, &[(OTHER, 0x1_0000)]), writes),
            ("all by another", facts(ME, &[(OTHER, 0x1000_0000)]), writes),
            ("its list by another", facts(ME, &[(OTHER, 0x4_0000)]), writes),
            ("of another", facts(OTHER, &[(ME, ALL)]), belongs),
        ];
        for (what, facts, expected) in table {
            assert_eq!(objection(&facts, ME), expected, "{what}");
        }
        let open = Facts {
            owner: ME.to_owned(),
            allowed: None,
        };
        assert_eq!(objection(&open, ME), writes, "no list at all");
        let mut for_children = facts(ME, &[(USERS, MODIFY)]);
        for_children
            .allowed
            .iter_mut()
            .flatten()
            .for_each(|entry| entry.only_inherited = true);
        assert_eq!(
            objection(&for_children, ME),
            None,
            "each child is asked by itself"
        );
    }
}
