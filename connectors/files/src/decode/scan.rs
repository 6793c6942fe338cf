//! Finds marked bytes in a text, eight bytes at a step.

/// Walks over the places of up to three different bytes.
pub struct Scanner<'a> {
    data: &'a [u8],
    patterns: [u64; 3],
    /// Where the bytes of `found` were loaded from.
    base: usize,
    /// Where to load from next.
    next: usize,
    /// One high bit per byte of the loaded word that matched.
    found: u64,
}

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

impl<'a> Scanner<'a> {
    /// A scanner for three bytes, two of which may be the same.
    pub fn new(data: &'a [u8], marks: [u8; 3]) -> Self {
        Self { data, patterns: marks.map(|mark| u64::from(mark) * LOW_BITS), base: 0, next: 0, found: 0 }
    }

    /// Goes on at another place.
    pub fn seek(&mut self, place: usize) {
        self.next = place;
        self.found = 0;
    }

    /// The place of the next marked byte.
    #[inline]
    pub fn next_mark(&mut self) -> Option<usize> {
        while self.found == 0 {
            let rest = self.data.get(self.next..)?;
            self.base = self.next;
            match rest.first_chunk::<8>() {
                Some(word) => {
                    self.found = self.matches(u64::from_le_bytes(*word));
                    self.next += 8;
                }
                None if rest.is_empty() => return None,
                None => {
                    let mut word = [0_u8; 8];
                    word[..rest.len()].copy_from_slice(rest);
                    let within = (1_u64 << (8 * rest.len())) - 1;
                    self.found = self.matches(u64::from_le_bytes(word)) & within;
                    self.next = self.data.len();
                }
            }
        }
        let place = self.base + (self.found.trailing_zeros() / 8) as usize;
        self.found &= self.found - 1;
        Some(place)
    }

    #[inline]
    fn matches(&self, word: u64) -> u64 {
        let [a, b, c] = self.patterns;
        zero_bytes(word ^ a) | zero_bytes(word ^ b) | zero_bytes(word ^ c)
    }
}

/// The high bit of each byte that is zero, exactly.
#[inline]
fn zero_bytes(word: u64) -> u64 {
    !(((word & !HIGH_BITS) + !HIGH_BITS) | word | !HIGH_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_found_in_order_whatever_stands_between() {
        let data: Vec<u8> = (0..5000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for length in [0, 1, 7, 8, 9, 63, 5000] {
            let data = &data[..length];
            for marks in [*b",\n\"", [0, 1, 0x80], [0xff, 0xff, 0x7f]] {
                let expected: Vec<usize> =
                    (0..length).filter(|&place| marks.contains(&data[place])).collect();
                let mut scanner = Scanner::new(data, marks);
                let found: Vec<usize> = std::iter::from_fn(|| scanner.next_mark()).collect();
                assert_eq!(found, expected);
            }
        }
    }
}
