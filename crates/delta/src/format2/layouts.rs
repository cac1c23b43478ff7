//! The layouts of both files in a patch.
//!
//! The new one is told by its differences from the old one: its regions are of the same kinds, in
//! the same order. Refuses to know where layouts come from.

use crate::layout::{Form, Kind, Layout, MAX_PROBES, MAX_REGIONS, MAX_SPANS, Probe, Region, Span};

use super::chance::{Chance, Number, Signed, Symbol};
use super::range::{Coder, Stream};

struct Models {
    present: Chance,
    count: Number,
    gap: Number,
    length: Number,
    address: Signed,
    difference: Signed,
    kind: Symbol<4>,
    form: Symbol<4>,
    small: Number,
    wide: Number,
}

/// Codes both layouts; the same for no layout at all is 1 bit.
pub(crate) fn layouts(coder: &mut impl Coder, old: &Layout, new: &Layout) -> (Layout, Layout) {
    coder.enter(Stream::Layout);
    let mut models = Models {
        present: Chance::EVEN,
        count: Number::new(),
        gap: Number::new(),
        length: Number::new(),
        address: Signed::new(),
        difference: Signed::new(),
        kind: Symbol::new(),
        form: Symbol::new(),
        small: Number::new(),
        wide: Number::new(),
    };
    if models.present.code(coder, u32::from(!old.spans.is_empty())) == 0 {
        return (Layout::default(), Layout::default());
    }
    let old = models.layout(coder, old);
    let new = models.successor(coder, &old, new);
    (old, new)
}

impl Models {
    fn layout(&mut self, coder: &mut impl Coder, truth: &Layout) -> Layout {
        let mut layout = Layout::default();
        let spans = self.count.code(coder, truth.spans.len() as u32) as usize;
        let (mut end, mut shift) = (0_u32, 0_u32);
        for at in 0..spans.min(MAX_SPANS) {
            let span = truth.spans.get(at).copied().unwrap_or(Span::NONE);
            let offset = end.wrapping_add(self.gap.code(coder, span.offset.wrapping_sub(end)));
            let length = self.length.code(coder, span.length);
            let expected = offset.wrapping_add(shift);
            let differs = self
                .address
                .code(coder, span.address.wrapping_sub(expected).cast_signed());
            let address = expected.wrapping_add(differs.cast_unsigned());
            end = offset.wrapping_add(length);
            shift = address.wrapping_sub(offset);
            layout.spans.push(Span {
                offset,
                length,
                address,
            });
        }
        let regions = self.count.code(coder, truth.regions.len() as u32) as usize;
        let mut end = 0_u32;
        for at in 0..regions.min(MAX_REGIONS) {
            let region = truth.regions.get(at);
            let (offset, length) = region.map_or((0, 0), |region| (region.offset, region.length));
            let offset = end.wrapping_add(self.gap.code(coder, offset.wrapping_sub(end)));
            let length = self.length.code(coder, length);
            end = offset.wrapping_add(length);
            let kind = self.kind(coder, region.map(|region| &region.kind));
            layout.regions.push(Region { offset, length, kind });
        }
        layout
    }

    fn kind(&mut self, coder: &mut impl Coder, truth: Option<&Kind>) -> Kind {
        let number = match truth {
            None | Some(Kind::X86_64) => 0,
            Some(Kind::Arm64) => 1,
            Some(Kind::Words(_)) => 2,
            Some(Kind::Functions(_)) => 3,
        };
        let number = self.kind.code(coder, number);
        match number {
            0 => Kind::X86_64,
            1 => Kind::Arm64,
            _ => {
                let none = Vec::new();
                let truth = match truth {
                    Some(Kind::Words(probes) | Kind::Functions(probes)) => probes,
                    _ => &none,
                };
                let count = self.small.code(coder, truth.len() as u32) as usize;
                let probes = (0..count.min(MAX_PROBES)).map(|at| self.probe(coder, truth.get(at)));
                let probes = probes.collect();
                if number == 2 {
                    Kind::Words(probes)
                } else {
                    Kind::Functions(probes)
                }
            }
        }
    }

    fn probe(&mut self, coder: &mut impl Coder, truth: Option<&Probe>) -> Probe {
        let truth = truth.copied().unwrap_or(Probe::NONE);
        let stride = self.small.code(coder, u32::from(truth.stride)) as u16;
        let phase = self.small.code(coder, u32::from(truth.phase)) as u16;
        let form = match truth.form {
            Form::Absolute32 { .. } => 0,
            Form::Absolute64 { .. } => 1,
            Form::Relative32 => 2,
            Form::Backward32 => 3,
        };
        let form = match self.form.code(coder, form) {
            0 => Form::Absolute32 {
                base: self.wide.code(coder, truth.form.base() as u32),
            },
            1 => {
                let base = truth.form.base();
                let low = self.wide.code(coder, base as u32);
                let high = self.wide.code(coder, (base >> 32) as u32);
                let bits = match truth.form {
                    Form::Absolute64 { bits, .. } => bits,
                    _ => 64,
                };
                Form::Absolute64 {
                    base: u64::from(high) << 32 | u64::from(low),
                    bits: self.small.code(coder, bits.into()) as u8,
                }
            }
            2 => Form::Relative32,
            _ => Form::Backward32,
        };
        Probe {
            stride,
            phase,
            form,
            low: self.wide.code(coder, truth.low),
            high: self.wide.code(coder, truth.high),
            align: self.small.code(coder, truth.align.into()) as u8,
        }
    }

    /// A layout of the same shape as `old`.
    fn successor(&mut self, coder: &mut impl Coder, old: &Layout, truth: &Layout) -> Layout {
        let mut layout = Layout::default();
        let spans = self.count.code(coder, truth.spans.len() as u32) as usize;
        let mut shift = [0_u32; 3];
        for at in 0..spans.min(MAX_SPANS) {
            let base = old.spans.get(at).copied().unwrap_or(Span::NONE);
            let span = truth.spans.get(at).copied().unwrap_or(Span::NONE);
            layout.spans.push(Span {
                offset: self.moved(coder, base.offset, span.offset, &mut shift[0]),
                length: self.moved(coder, base.length, span.length, &mut 0),
                address: self.moved(coder, base.address, span.address, &mut shift[1]),
            });
        }
        let mut shift = [0_u32; 3];
        for (at, base) in old.regions.iter().enumerate() {
            let region = truth.regions.get(at).unwrap_or(base);
            let mut kind = base.kind.clone();
            let offset = self.moved(coder, base.offset, region.offset, &mut shift[0]);
            let length = self.moved(coder, base.length, region.length, &mut 0);
            if let Kind::Words(probes) | Kind::Functions(probes) = &mut kind {
                for (at, probe) in probes.iter_mut().enumerate() {
                    let truth = match &region.kind {
                        Kind::Words(probes) | Kind::Functions(probes) => {
                            probes.get(at).copied().unwrap_or(*probe)
                        }
                        _ => *probe,
                    };
                    probe.low = self.moved(coder, probe.low, truth.low, &mut shift[1]);
                    probe.high = self.moved(coder, probe.high, truth.high, &mut shift[1]);
                    match &mut probe.form {
                        Form::Absolute32 { base } => {
                            *base = self.moved(coder, *base, truth.form.base() as u32, &mut shift[2]);
                        }
                        Form::Absolute64 { base, .. } => {
                            let low = self.moved(coder, *base as u32, truth.form.base() as u32, &mut 0);
                            let high = (truth.form.base() >> 32) as u32;
                            let high = self.moved(coder, (*base >> 32) as u32, high, &mut 0);
                            *base = u64::from(high) << 32 | u64::from(low);
                        }
                        Form::Relative32 | Form::Backward32 => {}
                    }
                }
            }
            layout.regions.push(Region { offset, length, kind });
        }
        layout
    }

    /// A number that was `base` and has probably moved as far as the one before it.
    fn moved(&mut self, coder: &mut impl Coder, base: u32, truth: u32, shift: &mut u32) -> u32 {
        let expected = base.wrapping_add(*shift);
        let difference = self
            .difference
            .code(coder, truth.wrapping_sub(expected).cast_signed());
        let value = expected.wrapping_add(difference.cast_unsigned());
        *shift = value.wrapping_sub(base);
        value
    }
}
