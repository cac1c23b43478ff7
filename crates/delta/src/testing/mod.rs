//! What the crate's tests share. Those of `tests` take the files of this module too. Refuses to know
//! what is tested.

mod golden;
mod noise;

pub(crate) use golden::golden;
pub(crate) use noise::Noise;
