//! Exact decimals, as PostgreSQL's `numeric` has them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use bigdecimal::num_bigint::Sign;
use bigdecimal::{BigDecimal, RoundingMode, Zero};

/// A value of type `numeric`. The order is that of PostgreSQL: NaN is the largest.
#[derive(Debug, Clone)]
pub(crate) enum Decimal {
    Finite(BigDecimal),
    Infinity,
    NegativeInfinity,
    NotANumber,
}

impl Decimal {
    /// Reads a trimmed text; None if it is not a decimal.
    pub(crate) fn read(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "nan" => return Some(Self::NotANumber),
            "inf" | "infinity" | "+inf" | "+infinity" => return Some(Self::Infinity),
            "-inf" | "-infinity" => return Some(Self::NegativeInfinity),
            _ => {}
        }
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let starts = unsigned.starts_with(|char: char| char.is_ascii_digit() || char == '.');
        let fits = unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
        let number = starts && fits && unsigned.bytes().any(|byte| byte.is_ascii_digit());
        number.then(|| BigDecimal::from_str(text).ok()).flatten().map(|number| {
            // A negative scale means zeros before the point, which the database writes out.
            Self::Finite(if number.fractional_digit_count() < 0 { number.with_scale(0) } else { number })
        })
    }

    pub(crate) fn from_i64(number: i64) -> Self {
        Self::Finite(BigDecimal::from(number))
    }

    /// The sum of decimals.
    pub(crate) fn sum<'a>(numbers: impl Iterator<Item = &'a Self>) -> Self {
        let (mut sum, mut positive, mut negative) = (BigDecimal::zero(), false, false);
        for number in numbers {
            match number {
                Self::Finite(number) => sum += number,
                Self::Infinity => positive = true,
                Self::NegativeInfinity => negative = true,
                Self::NotANumber => return Self::NotANumber,
            }
        }
        match (positive, negative) {
            (true, true) => Self::NotANumber,
            (true, false) => Self::Infinity,
            (false, true) => Self::NegativeInfinity,
            (false, false) => Self::Finite(sum),
        }
    }

    /// Divides by a count, with as many digits as PostgreSQL gives a quotient.
    pub(crate) fn divided_by(&self, count: usize) -> Self {
        let Self::Finite(number) = self else { return self.clone() };
        let divisor = BigDecimal::from(u64::try_from(count).unwrap_or(u64::MAX));
        let ((weight, first), (divisor_weight, divisor_first)) = (leading_group(number), leading_group(&divisor));
        let weight = weight - divisor_weight - i64::from(first <= divisor_first);
        let scale = (16 - weight * 4).max(number.fractional_digit_count()).clamp(0, 1_000);
        // More digits than are shown, so that rounding happens once.
        let quotient = (number.with_scale(scale + 20) / divisor).with_scale_round(scale, RoundingMode::HalfUp);
        Self::Finite(quotient)
    }
}

/// The place and value of the first group of four digits that is not zero.
fn leading_group(number: &BigDecimal) -> (i64, u32) {
    if number.is_zero() {
        return (0, 0);
    }
    let (digits, scale) = number.abs().into_bigint_and_scale();
    let digits = digits.to_string();
    // The number of digits before the decimal point; negative for zeros after it.
    let before = i64::try_from(digits.len()).unwrap_or(i64::MAX) - scale;
    let weight = (before - 1).div_euclid(4);
    let length = usize::try_from(before - weight * 4).unwrap_or(1);
    let group: String = digits.chars().chain(std::iter::repeat('0')).take(length).collect();
    (weight, group.parse().unwrap_or(0))
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finite(number) if number.sign() == Sign::NoSign => {
                formatter.write_str(&number.abs().to_plain_string())
            }
            Self::Finite(number) => formatter.write_str(&number.to_plain_string()),
            Self::Infinity => formatter.write_str("Infinity"),
            Self::NegativeInfinity => formatter.write_str("-Infinity"),
            Self::NotANumber => formatter.write_str("NaN"),
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |decimal: &Self| match decimal {
            Self::NegativeInfinity => 0,
            Self::Finite(_) => 1,
            Self::Infinity => 2,
            Self::NotANumber => 3,
        };
        match (self, other) {
            (Self::Finite(left), Self::Finite(right)) => left.cmp(right),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::read(text).expect("a decimal")
    }

    #[test]
    fn decimals_keep_their_digits() {
        for text in ["1.50", "12345678901234567890123", "-0.000001", "0", "NaN", "-Infinity"] {
            assert_eq!(decimal(text).to_string(), text);
        }
        assert_eq!(decimal("1e21").to_string(), "1000000000000000000000");
        for text in ["", "x", "1,5", "0x1", "1_000", ".", "e5", "--1"] {
            assert!(Decimal::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn nan_is_the_largest() {
        assert!(decimal("NaN") > decimal("inf") && decimal("inf") > decimal("1e300"));
        assert_eq!(decimal("1.5"), decimal("1.50"));
    }

    /// Expected values from PostgreSQL 15: `select 1::numeric / 3`, `10::numeric / 3`, `100000::numeric / 3`, `0.1 / 3`.
    #[test]
    fn quotients_have_as_many_digits_as_the_database_gives_them() {
        for (number, quotient) in [
            ("1", "0.33333333333333333333"),
            ("10", "3.3333333333333333"),
            ("100000", "33333.333333333333"),
            ("0.1", "0.03333333333333333333"),
            ("-18410715276690586988", "-6136905092230195663"),
            ("0", "0.00000000000000000000"),
        ] {
            let quotient = decimal(quotient);
            let got = decimal(number).divided_by(3);
            assert_eq!((got.to_string(), got), (quotient.to_string(), quotient), "{number}");
        }
    }
}
