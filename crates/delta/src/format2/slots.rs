//! A table of fixed size from contexts to what half a byte was there.
//!
//! Where two contexts want one place the one that was used less goes. Refuses to know what a context
//! is, and what is learnt in it.

/// What is learnt in a context. It keeps some bits of its context's hash.
pub(crate) trait Slot: Copy {
    /// Nothing yet.
    fn fresh(check: u16) -> Self;

    /// Whether it is of a context with this hash, as far as it knows.
    fn is(&self, check: u16) -> bool;

    /// How much it was used, as far as it knows.
    fn age(&self) -> u16;
}

/// The table.
pub(crate) struct Slots<S> {
    slots: Vec<S>,
    shift: u32,
}

impl<S: Slot> Slots<S> {
    /// With 2^`bits` slots.
    pub(crate) fn new(bits: u32) -> Self {
        Self {
            slots: vec![S::fresh(0); 1 << bits],
            shift: 32 - bits,
        }
    }

    /// The place of half a byte of a context, taken for it if it was another's. `half` is 0 for the
    /// higher half, and for the lower half 1 more than the higher one. All halves of a context lie
    /// near each other.
    #[inline]
    pub(crate) fn find(&mut self, context: u32, half: u32) -> usize {
        let mixed = context.wrapping_mul(0x9e37_79b1);
        // Never 0, as in slots that were not used.
        let check = mixed.wrapping_add(half.wrapping_mul(0x1f35_a97c)) as u16 | 64;
        let near = ((half * 6) & 31) as usize & (self.slots.len() - 1);
        let place = (mixed >> self.shift) as usize ^ near;
        if self.slots[place].is(check) {
            return place;
        }
        let other = place ^ 1;
        if self.slots[other].is(check) {
            return other;
        }
        let worse = if self.slots[place].age() <= self.slots[other].age() {
            place
        } else {
            other
        };
        self.slots[worse] = S::fresh(check);
        worse
    }

    #[inline]
    pub(crate) fn get(&self, place: usize) -> &S {
        &self.slots[place]
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, place: usize) -> &mut S {
        &mut self.slots[place]
    }
}
