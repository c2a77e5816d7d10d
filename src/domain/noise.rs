//! Deterministic pseudo-random numbers: the same on every machine and in every release, so that a
//! file that was downloaded once keeps its MD5. Libraries don't promise that between their
//! versions.

use sha2::{Digest, Sha256};

/// A source of numbers. Each index has its own, so numbers can be computed in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise(u64);

impl Noise {
    /// Returns the source for these words, in this order.
    #[must_use]
    pub fn of(words: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for word in words {
            // The length keeps ("ab", "c") apart from ("a", "bc").
            hash.update((word.len() as u64).to_be_bytes());
            hash.update(word.as_bytes());
        }
        let digest = hash.finalize();
        Self(digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// Returns the source for one of many things of the same kind.
    #[must_use]
    pub fn about(self, index: u64) -> Self {
        Self(self.number(index))
    }

    /// Returns the number at an index, by the finaliser of `SplitMix64`.
    #[must_use]
    pub fn number(self, index: u64) -> u64 {
        let mut number =
            self.0.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    /// Returns a number from 0 up to, not including, `limit`; 0 if the limit is 0.
    #[must_use]
    pub fn below(self, index: u64, limit: u64) -> u64 {
        self.number(index).checked_rem(limit).unwrap_or(0)
    }

    /// Returns a number from 0 to 1.
    #[must_use]
    pub fn share(self, index: u64) -> f64 {
        let thirty_two_bits = u32::try_from(self.number(index) >> 32).unwrap_or(u32::MAX);
        f64::from(thirty_two_bits) / f64::from(u32::MAX)
    }

    /// Returns one of the choices, or `None` if there are none.
    #[must_use]
    pub fn pick<T>(self, index: u64, choices: &[T]) -> Option<&T> {
        let position = self.below(index, choices.len() as u64);
        choices.get(usize::try_from(position).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_never_change_between_releases() {
        let noise = Noise::of(&["4", "author", "aemerror"]);
        assert_eq!(noise, Noise::of(&["4", "author", "aemerror"]));
        assert_eq!(noise.number(0), 16_095_585_317_267_024_450);
        assert_eq!(noise.about(7).below(1, 1000), 360);
    }

    #[test]
    fn words_are_kept_apart() {
        assert_ne!(Noise::of(&["ab", "c"]), Noise::of(&["a", "bc"]));
        assert_ne!(Noise::of(&["ab"]), Noise::of(&["ab", ""]));
    }

    #[test]
    fn numbers_stay_within_their_limits() {
        let noise = Noise::of(&[]);
        assert_eq!(noise.below(0, 0), 0);
        assert_eq!(noise.pick::<u8>(0, &[]), None);
        for index in 0..1000 {
            assert!(noise.below(index, 3) < 3);
            assert!((0.0..=1.0).contains(&noise.share(index)));
            assert!(noise.pick(index, &[1, 2]).is_some());
        }
    }
}
