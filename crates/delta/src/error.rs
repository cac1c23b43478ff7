//! What can go wrong. Refuses to know how to go on: that is the caller's choice.

use std::io;

use crate::Identity;

/// Why no patch could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiffError {
    /// One of the files could not be read where what was found in it says that it can be. No file does
    /// that.
    #[error("one of the files could not be read where it should have bytes")]
    Read(#[source] io::Error),
    /// The patch could not be written or compressed.
    #[error("the patch could not be written")]
    Write(#[source] io::Error),
    /// The difference that was found does not describe the new file.
    #[error("the difference between the files could not be described")]
    Engine,
    /// The caller gave up. Nothing was written.
    #[error("making the patch was cancelled")]
    Cancelled,
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
    #[error("the patch has format {0}; formats 1 and 2 can be read")]
    Format(u16),
    /// A flag that the format does not define.
    #[error("the patch has unknown flags: {0:#06x}")]
    Flags(u16),
    /// The patch leads to a file of another length than was asked for.
    #[error("the patch leads to a file of {announced} bytes; {expected} were asked for")]
    OutputLength {
        /// What the patch's header says.
        announced: u64,
        /// What the caller asked for.
        expected: u64,
    },
    /// The old file is not the one that the patch starts from. Nothing was written.
    #[error("the patch starts from another file: {expected}; the file has {found_bytes} bytes")]
    WrongBase {
        /// What the patch starts from.
        expected: Identity,
        /// The length of the file that was given.
        found_bytes: u64,
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
    /// The body is not a zstd frame that is allowed: it is damaged, or it asks for too much memory.
    #[error("the patch can't be decompressed")]
    Compression(#[source] io::Error),
    /// The patch was made by rules of finding references that are not known here.
    #[error("the patch has version {0} of the rules for references; version 1 is known")]
    Rules(u8),
    /// Applying would need more memory than any patch may.
    #[error("the patch needs {0} MiB of memory; at most 20 are given")]
    Memory(u8),
    /// A number of the framing is too large, or not written in its shortest form.
    #[error("a length in the patch is too large, or not in its shortest form")]
    Number,
    /// A part does not describe bytes of the new file.
    #[error("part {part} of the patch is invalid: {fault}")]
    Part {
        /// Which part, counted from 0.
        part: u64,
        /// What is wrong with it.
        fault: PartFault,
    },
    /// The body does not describe a file.
    #[error("block {block} of the patch is invalid: {fault}")]
    Block {
        /// Which block, counted from 0.
        block: u64,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The result is not the file that the header names.
    #[error("the result is not what the patch announces: expected {expected}, found {found}")]
    WrongResult {
        /// What the header announces.
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
    /// The new file could not be written.
    #[error("the new file could not be written")]
    New(#[source] io::Error),
}

/// What is wrong with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No entry, or more entries than its control bytes can hold.
    #[error("it has no entry, or more than its control bytes can hold")]
    Entries,
    /// More control bytes than a block may have.
    #[error("it has more control bytes than a block may have")]
    ControlTooLong,
    /// No output, or more output than a block may have.
    #[error("it gives no byte, or more than a block may give")]
    Output,
    /// A number that is cut off, too large, or not written in its shortest form.
    #[error("a number is cut off, too large, or not in its shortest form")]
    Number,
    /// Bytes after the last number.
    #[error("its control bytes have a rest")]
    ControlRest,
    /// An entry that gives no byte.
    #[error("an entry gives no byte")]
    EmptyEntry,
    /// The entries' lengths don't add up to what the block announces.
    #[error("the lengths of its entries don't add up to its own")]
    Sum,
    /// An entry reads before the beginning or after the end of the old file.
    #[error("an entry reads outside of the old file")]
    OutsideOld,
    /// The block gives more than the new file has.
    #[error("it writes beyond the end of the new file")]
    OutsideNew,
}

/// What is wrong with a part of a patch of format 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartFault {
    /// It gives no byte, or more than is missing of the new file.
    #[error("it gives no byte, or more than the new file has")]
    Length,
    /// A layout whose spans or regions overlap, or lie outside of the file.
    #[error("its layout lies outside of the files")]
    Layout,
    /// Page hashes that can't be in the new file.
    #[error("its page hashes lie outside of what they hash or of the file")]
    Hashes,
    /// More segments than a part may have.
    #[error("it has more segments than a part may have")]
    Segments,
    /// Less of the new file than a part must give that is not the last, and fewer segments than a part
    /// may have.
    #[error("it gives less of the new file than a part must give that is not the last")]
    Short,
    /// A segment that is empty, or that begins before the end of the one before it, or that reaches
    /// over the end of the part or into page hashes.
    #[error("a segment is empty, or lies outside of its place in the new file")]
    OutsideNew,
    /// A segment that reads before the beginning or after the end of the old file.
    #[error("a segment reads outside of the old file")]
    OutsideOld,
    /// Bytes after the end of its control or body.
    #[error("its bytes go on after their end")]
    Rest,
    /// The references that were found in the old file are not those that the patch was made with.
    #[error("the references of the old file are not those that the patch was made with")]
    References,
}
