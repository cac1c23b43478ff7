//! Bytes that came in any portions, handed on in pieces of one size. Refuses to know where they go.

/// Bytes that wait until there is a whole piece of them.
#[derive(Debug)]
pub(super) struct Pieces {
    size: usize,
    waiting: Vec<u8>,
}

impl Pieces {
    /// Gathers pieces of `size` bytes; of one byte if it is 0.
    pub(super) fn new(size: usize) -> Self {
        let size = size.max(1);
        Self {
            size,
            waiting: Vec::with_capacity(size),
        }
    }

    /// How many bytes wait.
    pub(super) fn length(&self) -> usize {
        self.waiting.len()
    }

    /// Adds a portion, and hands out the pieces that are full.
    pub(super) fn add(&mut self, mut portion: &[u8]) -> Vec<Vec<u8>> {
        let mut full = Vec::new();
        while self.waiting.len() + portion.len() >= self.size {
            let (fitting, rest) = portion.split_at(self.size - self.waiting.len());
            self.waiting.extend_from_slice(fitting);
            full.push(std::mem::replace(
                &mut self.waiting,
                Vec::with_capacity(self.size),
            ));
            portion = rest;
        }
        self.waiting.extend_from_slice(portion);
        full
    }

    /// Hands out what waits, as a piece that is shorter, if there is anything.
    pub(super) fn rest(&mut self) -> Option<Vec<u8>> {
        (!self.waiting.is_empty()).then(|| std::mem::take(&mut self.waiting))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_one_size_however_the_bytes_come() {
        let bytes: Vec<u8> = (0..23).collect();
        for portion in 1..=23 {
            let mut pieces = Pieces::new(5);
            let mut out: Vec<Vec<u8>> = bytes.chunks(portion).flat_map(|part| pieces.add(part)).collect();
            assert_eq!(pieces.length(), 3, "{portion}");
            out.extend(pieces.rest());
            assert_eq!(pieces.rest(), None);
            let sizes: Vec<usize> = out.iter().map(Vec::len).collect();
            assert_eq!(sizes, [5, 5, 5, 5, 3], "{portion}");
            assert_eq!(out.concat(), bytes, "{portion}");
        }
    }

    #[test]
    fn a_size_of_none_is_taken_for_one() {
        assert_eq!(Pieces::new(0).add(&[1, 2]), [[1], [2]]);
    }
}
