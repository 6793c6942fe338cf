//! Random numbers by their index: the n-th number is a function of the key and n alone, so that any row can
//! be made again without the rows before it.

/// The odd number nearest to 2^64 divided by the golden ratio, as SplitMix64 uses it.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A sequence of random numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draw(u64);

impl Draw {
    pub fn new(key: u64) -> Self {
        Self(mix(key))
    }

    /// Another sequence, independent of this one and of those of other labels.
    pub fn child(self, label: u64) -> Self {
        Self(mix(self.0 ^ mix(label.wrapping_add(STEP))))
    }

    /// The number of an index.
    pub fn at(self, index: u64) -> u64 {
        mix(self.0.wrapping_add(index.wrapping_add(1).wrapping_mul(STEP)))
    }

    /// The number of an index, below a bound.
    pub fn below(self, index: u64, bound: u64) -> u64 {
        let product = u128::from(self.at(index)) * u128::from(bound);
        // The upper half of a product of two 64-bit numbers fits in 64 bits.
        (product >> 64) as u64
    }

    /// The number of an index as a fraction, from 0 to below 1.
    pub fn fraction(self, index: u64) -> f64 {
        const SCALE: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.at(index) >> 11) as f64 * SCALE
    }

    /// The item of a list that an index falls on.
    pub fn pick<T: Copy>(self, index: u64, list: &[T]) -> Option<T> {
        let item = self.below(index, list.len() as u64);
        list.get(usize::try_from(item).ok()?).copied()
    }
}

/// SplitMix64's finishing function: a bijection that spreads every bit.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A key from a text (FNV-1a).
pub(crate) fn key_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_depend_on_key_and_index_only_and_are_spread_evenly() {
        let draw = Draw::new(7).child(1);
        assert_eq!(draw.at(1_000_000), Draw::new(7).child(1).at(1_000_000));
        assert_ne!(draw.at(0), Draw::new(7).child(2).at(0));
        assert_ne!(draw.at(0), Draw::new(8).child(1).at(0));
        let mut counts = [0_u32; 10];
        for index in 0..10_000 {
            let number = draw.below(index, 10);
            counts[usize::try_from(number).unwrap()] += 1;
            assert!((0.0..1.0).contains(&draw.fraction(index)));
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }
}
