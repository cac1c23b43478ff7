//! Logic on its way into a bundle: compilers make core modules, the host runs components.

use std::collections::BTreeSet;

use wit_component::{ComponentEncoder, DecodedWasm};

/// What logic may import: what a host of these versions lends, and nothing of a system.
pub const LENT: [&str; 1] = ["moult:widget/host@0.2.0"];
/// What logic exports.
pub const EXPORTED: [&str; 4] = ["handle", "init", "restore", "snapshot"];

const MAGIC: &[u8] = b"\0asm";

/// What a component takes and gives, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contract {
    /// What it imports.
    pub imports: BTreeSet<String>,
    /// What it exports.
    pub exports: BTreeSet<String>,
}

/// Why a file is no logic.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentError {
    /// Neither a module nor a component.
    #[error("it is no WebAssembly")]
    NoWasm,
    /// A module that can't become a component.
    #[error("it can't be made a component: {0}")]
    Encode(String),
    /// A component that can't be read.
    #[error("it is no component: {0}")]
    Decode(String),
}

/// Whether these are the bytes of a core module, which is yet to become a component.
pub fn is_module(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) && bytes.get(4..8) == Some(&[1, 0, 0, 0])
}

/// Makes a component of a core module that was built against the world of `sdk/wit`. The same module gives the same bytes.
pub fn encode(module: &[u8]) -> Result<Vec<u8>, ComponentError> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(ComponentEncoder::encode)
        .map_err(|error| ComponentError::Encode(format!("{error:#}")))
}

/// What a component takes and gives.
pub fn contract(bytes: &[u8]) -> Result<Contract, ComponentError> {
    if !bytes.starts_with(MAGIC) {
        return Err(ComponentError::NoWasm);
    }
    let decoded =
        wit_component::decode(bytes).map_err(|error| ComponentError::Decode(format!("{error:#}")))?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        return Err(ComponentError::Decode("it is a package of interfaces".to_owned()));
    };
    let world = &resolve.worlds[world];
    Ok(Contract {
        imports: world
            .imports
            .keys()
            .map(|key| resolve.name_world_key(key))
            .collect(),
        exports: world
            .exports
            .keys()
            .map(|key| resolve.name_world_key(key))
            .collect(),
    })
}
