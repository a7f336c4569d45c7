//! Finding a byte, a block at a time.

use wide::u8x16;

/// Bytes of which one comparison tells which are the one that is looked for.
pub(crate) const BLOCK: usize = 64;

/// Which bytes of a block are `byte`, a bit each, the first one the lowest.
#[inline]
pub(crate) fn marks(byte: u8, block: &[u8; BLOCK]) -> u64 {
    let (pieces, _) = block.as_chunks();
    pieces
        .iter()
        .zip([0, 16, 32, 48])
        .fold(0, |found, (piece, shift)| {
            found | marks16(byte, piece) << shift
        })
}

/// The same of a quarter of a block.
#[inline]
pub(crate) fn marks16(byte: u8, piece: &[u8; 16]) -> u64 {
    let equal = u8x16::new(*piece).simd_eq(u8x16::splat(byte));
    u64::from(equal.to_bitmask())
}

/// So many bytes at a place, if they are there.
#[inline]
pub(crate) fn at<const N: usize>(bytes: &[u8], at: usize) -> Option<&[u8; N]> {
    bytes.get(at..)?.first_chunk()
}

/// The same, to be written.
#[inline]
pub(crate) fn at_mut<const N: usize>(bytes: &mut [u8], at: usize) -> Option<&mut [u8; N]> {
    bytes.get_mut(at..)?.first_chunk_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_stands_for_a_byte() {
        for first in 0..BLOCK {
            for second in 0..BLOCK {
                let mut block = [b'x'; BLOCK];
                block[first] = b'\n';
                block[second] = b'\n';
                assert_eq!(marks(b'\n', &block), 1 << first | 1 << second);
            }
        }
        assert_eq!(marks(0xff, &[0xff; BLOCK]), u64::MAX);
        assert_eq!(marks(b'\n', &[b'\x8a'; BLOCK]), 0);
    }
}
