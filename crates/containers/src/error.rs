//! What can go wrong. Refuses to know how to go on: that is the caller's choice.

use std::io;

use moult_delta::Identity;

use crate::{FORMAT, MAX_CONTENT};

/// Why no patch could be made.
#[cfg(feature = "diff")]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiffError {
    /// The patch could not be written.
    #[error("the patch could not be written")]
    Write(#[source] io::Error),
    /// The recipe of the containers could not be compressed.
    #[error("the recipe of the containers could not be compressed")]
    Recipe(#[source] io::Error),
    /// The difference between two files could not be found, or was not waited for.
    #[error("the difference was not found")]
    Delta(#[source] moult_delta::DiffError),
    /// The patch was made, but does not give the new file. It is not written.
    #[error("the patch that was made does not give the new file")]
    SelfCheck(#[source] Box<ApplyError>),
}

/// Why a patch was refused, or could not be applied. What was written until then is worthless.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The first bytes are not those of a patch.
    #[error("this is not a patch: it does not begin with `MOULTPCH`")]
    Magic,
    /// Another format.
    #[error("the patch has format {0}; format {FORMAT} can be read here")]
    Format(u16),
    /// The patch was made with other encoders, so that the new file could come out different.
    #[error("the patch was made with {needed}; this program has {present}")]
    Encoders {
        /// What the patch names.
        needed: String,
        /// What this build has.
        present: String,
    },
    /// The patch leads to a file of another length than was asked for.
    #[error("the patch leads to a file of {announced} bytes; {expected} were asked for")]
    OutputLength {
        /// What the patch says.
        announced: u64,
        /// What the caller asked for.
        expected: u64,
    },
    /// The old file is not the one that the patch starts from. Nothing was written.
    #[error("the patch starts from another file: {expected}; the file is {found}")]
    WrongBase {
        /// What the patch starts from.
        expected: Identity,
        /// The file that was given.
        found: Identity,
    },
    /// The patch ends early.
    #[error("the patch ends early")]
    Truncated,
    /// The patch has more bytes than it may have.
    #[error("the patch has more than {0} bytes")]
    TooLong(u64),
    /// Bytes follow the end of the patch.
    #[error("more follows the end of the patch")]
    Trailing,
    /// The recipe does not describe two containers.
    #[error("the recipe of the patch is invalid: {0}")]
    Recipe(Fault),
    /// A compressed stream of the old file does not give what the patch announces: the file is not the
    /// one that the patch starts from, or the patch is damaged.
    #[error("stream {stream} of the old file can't be unpacked")]
    Unpack {
        /// Which stream, counted from 0.
        stream: usize,
        /// What happened to it.
        source: StreamError,
    },
    /// A part of the content could not be made.
    #[error("part {part} of the content could not be made")]
    Delta {
        /// Which part, counted from 0.
        part: usize,
        /// What the delta crate says.
        source: moult_delta::ApplyError,
    },
    /// A stream of the new file could not be compressed again to what it was.
    #[error("stream {stream} of the new file can't be rebuilt")]
    Rebuild {
        /// Which stream, counted from 0.
        stream: usize,
        /// What happened to it.
        source: StreamError,
    },
    /// The result is not the file that the patch announces.
    #[error("the result is not what the patch announces: expected {expected}, found {found}")]
    WrongResult {
        /// What the patch announces.
        expected: Identity,
        /// What was written.
        found: Identity,
    },
    /// The patch could not be read.
    #[error("the patch could not be read")]
    Patch(#[source] io::Error),
    /// The old file could not be read.
    #[error("the file that the patch starts from could not be read")]
    Old(#[source] io::Error),
    /// The scratch file could not be written or read.
    #[error("the scratch file could not be used")]
    Scratch(#[source] io::Error),
    /// The new file could not be written.
    #[error("the new file could not be written")]
    New(#[source] io::Error),
}

/// What is wrong with a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It is damaged, or larger than it may be.
    #[error("it can't be decompressed, or it is larger than it may be")]
    Compression,
    /// A number is cut off, too large, or not written in its shortest form.
    #[error("a number is cut off, too large, or not in its shortest form")]
    Number,
    /// More streams than a container may have.
    #[error("it has too many streams")]
    Streams,
    /// A codec or a parameter that this format does not define.
    #[error("it names a codec or a parameter that is not defined")]
    Codec,
    /// An encoder that would need more memory than is allowed.
    #[error("it asks for an encoder that needs too much memory")]
    Memory,
    /// A stream lies outside its container.
    #[error("a stream lies outside its container")]
    Outside,
    /// A content is larger than it may be.
    #[error("a content has more than {MAX_CONTENT} bytes")]
    Content,
    /// The parts don't add up to the content.
    #[error("the parts don't add up to the content")]
    Parts,
    /// Bytes after its end.
    #[error("it has a rest")]
    Rest,
}

/// What went wrong with one compressed stream.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// It could not be decompressed.
    #[error("it can't be decompressed")]
    Decode(#[source] io::Error),
    /// It gives another number of bytes than is announced.
    #[error("it does not have the length that is announced")]
    Length,
    /// The encoder failed.
    #[error("the encoder failed: {0}")]
    Encode(String),
}
