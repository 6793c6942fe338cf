//! Numbers that are random and can be had again: the seed is printed, and SEATUN_TEST_SEED sets it.

use std::time::{SystemTime, UNIX_EPOCH};

/// The splitmix64 generator.
pub struct Random(u64);

impl Random {
    /// Seeded by SEATUN_TEST_SEED, else by the clock.
    pub fn new() -> Self {
        let seed = match std::env::var("SEATUN_TEST_SEED") {
            Ok(text) => text.parse().expect("SEATUN_TEST_SEED is a number"),
            Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_secs()),
        };
        println!("SEATUN_TEST_SEED={seed}");
        Self(seed)
    }

    /// A number below this one.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}
