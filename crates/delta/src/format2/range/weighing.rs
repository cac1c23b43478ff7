//! What each bit costs, for people to read. Refuses to know what it is spent on, but for its name.

use std::io::Read;

use super::{Below, Coder, Decoder, STREAMS, Stream};

/// Decodes, and notes what each bit cost.
pub(crate) struct Weighing<R> {
    decoder: Decoder<R>,
    stream: usize,
    section: usize,
    costs: Vec<[u64; STREAMS]>,
}

impl<R: Read> Weighing<R> {
    /// Adds to `costs`, by section and stream, in 1/65536 bit.
    pub(crate) fn new(decoder: Decoder<R>, costs: Vec<[u64; STREAMS]>) -> Self {
        Self {
            decoder,
            stream: 0,
            section: 0,
            costs,
        }
    }

    pub(crate) fn into_costs(self) -> Vec<[u64; STREAMS]> {
        self.costs
    }

    /// Something happened that had `chance` in 65536.
    fn note(&mut self, chance: u32) {
        // For people to read: nothing depends on these floats.
        let cost = (f64::from(chance) / 65536.0).log2() * -65536.0;
        if let Some(streams) = self.costs.get_mut(self.section) {
            streams[self.stream] += cost as u64;
        }
    }
}

impl<R> AsMut<Decoder<R>> for Weighing<R> {
    fn as_mut(&mut self) -> &mut Decoder<R> {
        &mut self.decoder
    }
}

impl<R: Read> Coder for Weighing<R> {
    fn enter(&mut self, stream: Stream) {
        self.stream = stream as usize;
    }

    fn place(&mut self, section: usize) {
        self.section = section;
        if self.costs.len() <= section {
            self.costs.resize(section + 1, [0; STREAMS]);
        }
    }

    fn has_failed(&self) -> bool {
        self.decoder.has_failed()
    }

    fn code(&mut self, bit: u32, chance: u32) -> u32 {
        let bit = self.decoder.code(bit, chance);
        self.note(if bit == 1 { chance } else { 65536 - chance });
        bit
    }

    fn symbol(&mut self, symbol: usize, below: &Below) -> usize {
        let symbol = self.decoder.symbol(symbol, below);
        let end = below.get(symbol + 1).map_or(1 << 15, |end| u32::from(*end));
        self.note(2 * (end - u32::from(below[symbol])));
        symbol
    }
}
