//! Where in a stream a rule may begin.

/// Slots of the table: small enough for the innermost cache.
const SLOTS: usize = 4096;
/// Words are put into so many groups, so that the pairs of different words seldom go together.
const GROUPS: usize = 16;
const HALF: usize = 2 * GROUPS;
/// Pairs that are looked at without a branch.
const PAIRS: usize = 8;
const BLOCK: usize = 2 * PAIRS + 2;

/// Finds the places where one of some words may begin.
///
/// It looks at each second pair of neighbouring bytes, and at the pair after it. A word either begins
/// with the first of these pairs, or one byte before it. For each of the two a table says for a pair in which groups
/// of words it occurs there: the low half for words that begin with the pair, the high half for
/// those that begin a byte earlier. Both tables are one, for speed.
#[derive(Debug)]
pub(super) struct Finder {
    /// As the first pair in the low half, as the second in the high half.
    table: Box<[u64; SLOTS]>,
    begins: Pairs,
    /// What follows the first byte of a word.
    follows: Pairs,
}

/// The slot of a pair.
const fn slot(left: u8, right: u8) -> usize {
    (left as usize ^ ((right as usize) << 5)) & (SLOTS - 1)
}

/// Sets `bits` where a pair may be the bytes of `word` from `at` on. What is after its end may be
/// anything.
fn note(table: &mut [u64; SLOTS], word: &[u8], at: usize, bits: u64) {
    let any = |at: usize| match word.get(at) {
        Some(byte) => *byte..=*byte,
        None => 0..=u8::MAX,
    };
    for left in any(at) {
        for right in any(at + 1) {
            if let Some(slot) = table.get_mut(slot(left, right)) {
                *slot |= bits;
            }
        }
    }
}

impl Finder {
    /// For these words, of three bytes at least.
    pub(super) fn new(words: &[Vec<u8>]) -> Self {
        let mut sorted: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        // Short words let much through, so they are among themselves; neighbours share their pairs.
        sorted.sort_unstable_by_key(|word| (word.len().min(5), *word));
        sorted.dedup();
        let mut table = Box::new([0; SLOTS]);
        let size = sorted.len().div_ceil(GROUPS).max(1);
        for (group, words) in sorted.chunks(size).enumerate() {
            for word in words {
                let (even, odd) = (1_u64 << group, 1_u64 << (group + GROUPS));
                note(&mut table, word, 0, even);
                note(&mut table, word, 2, even << HALF);
                note(&mut table, word, 1, odd);
                note(&mut table, word, 3, odd << HALF);
            }
        }
        Self {
            table,
            begins: Pairs::new(words.iter().filter_map(|word| word.get(..2))),
            follows: Pairs::new(words.iter().filter_map(|word| word.get(1..3))),
        }
    }

    /// Whether a word may begin with `left` and `right`.
    pub(super) fn begins(&self, left: u8, right: u8) -> bool {
        self.begins.has(left, right)
    }

    /// The first place from `from` on. The last bytes of the data are not looked at.
    pub(super) fn find(&self, data: &[u8], from: usize) -> Option<usize> {
        let mut at = from;
        while let Some(block) = data
            .get(at..at + BLOCK)
            .and_then(|block| <&[u8; BLOCK]>::try_from(block).ok())
        {
            let mut groups = [0; PAIRS + 1];
            for (groups, pair) in groups.iter_mut().zip(block.as_chunks::<2>().0) {
                let [left, right] = *pair;
                *groups = self.groups(left, right);
            }
            let mut any = 0;
            for (first, second) in groups.iter().zip(groups.iter().skip(1)) {
                any |= first & (second >> HALF);
            }
            if any != 0
                && let Some(place) = self.place(data, from, at)
            {
                return Some(place);
            }
            at += 2 * PAIRS;
        }
        // What is too short for a block.
        let rest = data
            .get(at.saturating_sub(1).max(from)..)
            .unwrap_or_default();
        let place = rest
            .windows(2)
            .position(|pair| matches!(pair, [left, right] if self.begins(*left, *right)));
        place.map(|place| at.saturating_sub(1).max(from) + place)
    }

    fn groups(&self, left: u8, right: u8) -> u64 {
        self.table.get(slot(left, right)).copied().unwrap_or(0)
    }

    /// The first place in the block at `at`.
    #[inline(never)]
    fn place(&self, data: &[u8], from: usize, at: usize) -> Option<usize> {
        let begins = |at: usize| match data.get(at..at + 3) {
            Some([one, two, three]) => self.begins(*one, *two) && self.follows.has(*two, *three),
            _ => false,
        };
        for pair in (at..at + 2 * PAIRS).step_by(2) {
            let Some([a, b, c, d]) = data.get(pair..pair + 4) else {
                break;
            };
            let groups = self.groups(*a, *b) & (self.groups(*c, *d) >> HALF);
            if groups >> GROUPS != 0 && pair > from && begins(pair - 1) {
                return Some(pair - 1);
            }
            if groups & ((1 << GROUPS) - 1) != 0 && begins(pair) {
                return Some(pair);
            }
        }
        None
    }
}

/// Some pairs of bytes.
#[derive(Debug)]
pub(super) struct Pairs(Vec<u64>);

impl Pairs {
    /// Those that stand next to each other in some of these words.
    pub(super) fn new<'a>(words: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut bits = vec![0_u64; 1024];
        for word in words {
            for pair in word.windows(2) {
                if let [left, right] = pair {
                    let (slot, bit) = Self::place(*left, *right);
                    if let Some(slot) = bits.get_mut(slot) {
                        *slot |= bit;
                    }
                }
            }
        }
        Self(bits)
    }

    fn place(left: u8, right: u8) -> (usize, u64) {
        let pair = usize::from(left) << 8 | usize::from(right);
        (pair >> 6, 1 << (pair & 63))
    }

    /// Whether this is one.
    pub(super) fn has(&self, left: u8, right: u8) -> bool {
        let (slot, bit) = Self::place(left, right);
        self.0.get(slot).is_some_and(|bits| bits & bit != 0)
    }
}
