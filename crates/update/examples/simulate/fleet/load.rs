//! What the CDN sees, for each second.

use super::script::WEEK;

/// Requests and bytes of each second of the week.
#[derive(Clone, PartialEq)]
pub(crate) struct Load {
    /// Small signed files, answered or not.
    pub(crate) requests: Vec<u32>,
    /// Bytes of bodies.
    pub(crate) bytes: Vec<u64>,
    /// Patches and full files that were begun.
    pub(crate) downloads: Vec<u32>,
}

impl Load {
    pub(crate) fn new() -> Self {
        let seconds = WEEK as usize;
        Self {
            requests: vec![0; seconds],
            bytes: vec![0; seconds],
            downloads: vec![0; seconds],
        }
    }

    pub(crate) fn request(&mut self, at: u32, count: u32, bytes: u64) {
        if let Some(found) = self.requests.get_mut(at as usize) {
            *found += count;
            self.bytes[at as usize] += bytes;
        }
    }

    /// A download of so many bytes, at an even pace over these seconds.
    pub(crate) fn download(&mut self, at: u32, seconds: u32, bytes: u64) {
        let Some(found) = self.downloads.get_mut(at as usize) else {
            return;
        };
        *found += 1;
        let seconds = seconds.max(1);
        let each = bytes / u64::from(seconds);
        for second in at..at + seconds {
            if let Some(found) = self.bytes.get_mut(second as usize) {
                *found += each;
            }
        }
    }
}

/// The mean of a part of the week.
pub(crate) fn mean(seconds: &[u32]) -> f64 {
    seconds.iter().map(|found| f64::from(*found)).sum::<f64>() / seconds.len().max(1) as f64
}

/// The highest second of a part of the week.
pub(crate) fn peak(seconds: &[u32]) -> u32 {
    seconds.iter().copied().max().unwrap_or(0)
}
