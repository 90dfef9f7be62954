//! Numbers as tables write most of them: a few digits, perhaps with a point.

/// The most digits: all numbers with so many are smaller than 2⁶³.
const MOST_DIGITS: usize = 18;

/// The integers up to 2⁵³ are those that `f64` holds exactly, one by one.
const MOST_EXACT: i64 = 1 << 53;

const POWERS_OF_TEN: [f64; MOST_DIGITS + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];

/// A number of at most 18 digits without an exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    pub negative: bool,
    /// The digits as an integer, which is not negative.
    pub digits: i64,
    /// The number of digits behind the point, if there is one.
    pub places: Option<usize>,
}

impl Decimal {
    /// Reads a number; `None` if it is longer, has an exponent, or is none: what it is has to be found by other means.
    #[inline(always)]
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            text => (false, text),
        };
        if text.len() > MOST_DIGITS {
            return None;
        }
        let (mut digits, mut point) = (0_i64, None);
        for (index, byte) in text.iter().enumerate() {
            let digit = byte.wrapping_sub(b'0');
            if digit < 10 {
                digits = digits * 10 + i64::from(digit);
            } else if *byte == b'.' && point.is_none() {
                point = Some(index);
            } else {
                return None;
            }
        }
        if text.len() <= usize::from(point.is_some()) {
            return None;
        }
        Some(Self { negative, digits, places: point.map(|point| text.len() - point - 1) })
    }

    /// The number as `str::parse` reads it; `None` if that takes more than a division.
    ///
    /// The quotient of two numbers that are exact is rounded once, and so it is the nearest to the number itself.
    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "integers that are not exact are left out")]
    pub(crate) fn to_f64(self) -> Option<f64> {
        if self.digits > MOST_EXACT {
            return None;
        }
        let number = self.digits as f64 / POWERS_OF_TEN.get(self.places.unwrap_or_default())?;
        Some(if self.negative { -number } else { number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A random text of letters of numbers.
    fn text(random: &mut fastrand::Rng, alphabet: &[u8]) -> String {
        (0..random.usize(0..22)).filter_map(|_| random.choice(alphabet)).map(|byte| char::from(*byte)).collect()
    }

    #[test]
    fn a_number_is_what_the_standard_library_reads_bit_by_bit() {
        let mut random = fastrand::Rng::with_seed(5);
        let (mut read, mut exact) = (0, 0);
        for _ in 0..200_000 {
            let text = text(&mut random, b"0123456789012345678901234567890123456789.-");
            let Some(number) = Decimal::parse(text.as_bytes()) else { continue };
            read += 1;
            let expected: f64 = text.parse().unwrap_or_else(|_| panic!("{text} is no number"));
            if let Some(value) = number.to_f64() {
                assert_eq!(value.to_bits(), expected.to_bits(), "{text}");
                exact += 1;
            }
            if number.places.is_none() {
                let integer = if number.negative { -number.digits } else { number.digits };
                assert_eq!(Ok(integer), text.parse(), "{text}");
            }
        }
        assert!(read > 20_000 && exact > 20_000, "{read} {exact}");
    }

    #[test]
    fn what_is_no_short_decimal_is_left_to_others() {
        for text in ["", "-", ".", "-.", "+1", "1.2.3", "1e3", "1,5", "--1", " 1", "NaN", "١", "1234567890123456789"] {
            assert_eq!(Decimal::parse(text.as_bytes()), None, "{text}");
        }
        let exact = |text: &str| Decimal::parse(text.as_bytes()).and_then(Decimal::to_f64);
        assert_eq!(exact("9007199254740992"), Some(9_007_199_254_740_992.0));
        assert_eq!(exact("9007199254740993"), None, "between two numbers of 64 bits");
        assert_eq!(exact("-0").map(f64::to_bits), Some((-0.0_f64).to_bits()));
        assert_eq!((exact("5."), exact(".5"), exact("-007.50")), (Some(5.0), Some(0.5), Some(-7.5)));
    }
}
