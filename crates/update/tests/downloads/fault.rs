//! What a server can do wrong, and what may come of it.

use moult_model::ErrorCode;

/// What is done in one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing: the answer is right.
    None,
    /// The connection is closed after so many bytes of the body.
    Cut(usize),
    /// The connection is reset after so many bytes of the body.
    Reset(usize),
    /// One byte every 20 ms.
    Drip,
    /// Nothing more comes after so many bytes of the body.
    Silence(usize),
    /// The head comes one byte at a time and is never complete.
    SlowHead,
    /// The request is read and never answered.
    NoAnswer,
    /// A body without a length that has the right bytes and then goes on for ever.
    Endless,
    /// Another length is announced and sent: more.
    LongLength,
    /// The same: less.
    ShortLength,
    /// Chunked, and cut in the middle of a chunk.
    CutChunks(usize),
    /// The whole file with 200, whatever range was asked for.
    IgnoreRange,
    /// Another entity tag than before, kept to as the standard says.
    OtherTag,
    /// A part with another entity tag than was asked for.
    OtherTagInPart,
    /// Another range than was asked for.
    WrongRange,
    /// No entity tag.
    NoTag,
    /// A weak entity tag.
    WeakTag,
    /// Packed as gzip, unasked.
    Gzip,
    /// Packed twice, and said once.
    DoubleGzip,
    /// A redirect to itself.
    Loop,
    /// A redirect to plain HTTP on another computer.
    Away,
    /// A redirect to another host that has the file.
    OtherHost,
    /// A page with 200.
    Portal,
    /// A page with 200 that does not say that it is one.
    PortalInDisguise,
    /// This status.
    Status(u16),
    /// This status, and `Retry-After` so many seconds.
    Busy(u16, u32),
    /// The same with a date.
    BusyUntil(u16),
    /// One bit is wrong.
    Flip,
    /// What is no HTTP.
    Garbage,
    /// A head without end.
    HugeHead,
    /// 200 and no byte.
    Empty,
    /// The fetcher is killed after so many bytes of the body.
    Kill(usize),
}

impl Fault {
    /// The name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "a right answer",
            Self::Cut(_) => "closed at a random byte",
            Self::Reset(_) => "reset at a random byte",
            Self::Drip => "one byte every 20 ms",
            Self::Silence(_) => "silence after a random byte",
            Self::SlowHead => "a head that is never complete",
            Self::NoAnswer => "no answer",
            Self::Endless => "a body without end",
            Self::LongLength => "a longer body, so announced",
            Self::ShortLength => "a shorter body, so announced",
            Self::CutChunks(_) => "chunked and cut",
            Self::IgnoreRange => "200 in place of 206",
            Self::OtherTag => "another entity tag",
            Self::OtherTagInPart => "a part with another entity tag",
            Self::WrongRange => "another range than was asked for",
            Self::NoTag => "no entity tag",
            Self::WeakTag => "a weak entity tag",
            Self::Gzip => "gzip, unasked",
            Self::DoubleGzip => "gzip twice, said once",
            Self::Loop => "a redirect to itself",
            Self::Away => "a redirect to plain HTTP elsewhere",
            Self::OtherHost => "a redirect to another host",
            Self::Portal => "a page with 200",
            Self::PortalInDisguise => "a page with 200 and no type",
            Self::Status(400..=499) => "4xx",
            Self::Status(_) => "5xx",
            Self::Busy(..) => "429 or 503 with Retry-After in seconds",
            Self::BusyUntil(_) => "429 or 503 with Retry-After as a date",
            Self::Flip => "a wrong bit",
            Self::Garbage => "no HTTP",
            Self::HugeHead => "a head without end",
            Self::Empty => "200 and no byte",
            Self::Kill(_) => "the fetcher killed at a random byte",
        }
    }

    /// The error that a download may end with because of it. None: none.
    pub(crate) fn error(self) -> Option<ErrorCode> {
        match self {
            Self::None | Self::NoTag | Self::WeakTag | Self::OtherTag | Self::OtherHost | Self::Kill(_) => {
                None
            }
            Self::IgnoreRange => None,
            Self::Endless | Self::LongLength | Self::Flip => Some(ErrorCode::FileCorrupt),
            Self::Loop | Self::Away | Self::Status(400..=499) => Some(ErrorCode::ServerRefused),
            Self::Portal | Self::PortalInDisguise => Some(ErrorCode::CaptivePortal),
            Self::Cut(_)
            | Self::Reset(_)
            | Self::Drip
            | Self::Silence(_)
            | Self::SlowHead
            | Self::NoAnswer
            | Self::ShortLength
            | Self::CutChunks(_)
            | Self::OtherTagInPart
            | Self::WrongRange
            | Self::Gzip
            | Self::DoubleGzip
            | Self::Status(_)
            | Self::Busy(..)
            | Self::BusyUntil(_)
            | Self::Garbage
            | Self::HugeHead
            | Self::Empty => Some(ErrorCode::ServerFailed),
        }
    }

    /// Whether bytes of the file have to be fetched again because of it, whoever fetches: the server sends what
    /// was not asked for, or what can't be believed.
    pub(crate) fn is_waste(self) -> bool {
        matches!(
            self,
            Self::Endless
                | Self::LongLength
                | Self::ShortLength
                | Self::IgnoreRange
                | Self::OtherTagInPart
                | Self::WrongRange
                | Self::Gzip
                | Self::DoubleGzip
                | Self::Flip
        )
    }

    /// Whether an answer ends before its end because of it: by what the server does, or since the fetcher leaves it
    /// and asks otherwise.
    pub(crate) fn breaks_off(self) -> bool {
        matches!(
            self,
            Self::OtherTag
                | Self::OtherHost
                | Self::Cut(_)
                | Self::Reset(_)
                | Self::Drip
                | Self::Silence(_)
                | Self::CutChunks(_)
                | Self::Kill(_)
        )
    }
}
