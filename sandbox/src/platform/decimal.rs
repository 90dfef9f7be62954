//! Exact decimals, as PostgreSQL's `numeric` has them.

use std::cmp::Ordering;
use std::fmt;

use num_bigint::{BigInt, BigUint, Sign};

/// The largest numbers of digits before and after the point in the database.
const MOST_DIGITS: (i64, i64) = (131_072, 16_383);

/// A value of type `numeric`. The order is that of PostgreSQL: NaN is the largest.
#[derive(Debug, Clone)]
pub(crate) enum Decimal {
    Finite(Number),
    Infinity,
    NegativeInfinity,
    NotANumber,
}

/// An integer, of which the last `scale` digits are after the decimal point.
#[derive(Debug, Clone)]
pub(crate) struct Number {
    digits: BigInt,
    scale: u32,
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
        Number::read(text).map(Self::Finite)
    }

    pub(crate) fn from_i64(number: i64) -> Self {
        Self::Finite(Number { digits: number.into(), scale: 0 })
    }

    /// The sum of decimals.
    pub(crate) fn sum<'a>(numbers: impl Iterator<Item = &'a Self>) -> Self {
        let mut sum = Number { digits: BigInt::ZERO, scale: 0 };
        let (mut positive, mut negative) = (false, false);
        for number in numbers {
            match number {
                Self::Finite(number) => {
                    let scale = sum.scale.max(number.scale);
                    sum = Number { digits: sum.scaled_to(scale) + number.scaled_to(scale), scale };
                }
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
        let count = BigUint::from(count.max(1));
        let (weight, first) = leading_group(number.digits.magnitude(), number.scale);
        let (divisor_weight, divisor_first) = leading_group(&count, 0);
        let weight = weight - divisor_weight - i64::from(first <= divisor_first);
        let scale = (16 - weight * 4).max(i64::from(number.scale)).clamp(0, 1_000);
        let scale = u32::try_from(scale).unwrap_or_default();
        let dividend = number.digits.magnitude() * ten_to(scale.saturating_sub(number.scale));
        let divisor = count * ten_to(number.scale.saturating_sub(scale));
        // A half is rounded away from zero.
        let quotient = (dividend * 2_u32 + &divisor) / (divisor * 2_u32);
        Self::Finite(Number { digits: BigInt::from_biguint(number.digits.sign(), quotient), scale })
    }
}

impl Number {
    fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (sign, unsigned) = match mantissa.strip_prefix('-') {
            Some(unsigned) => (Sign::Minus, unsigned),
            None => (Sign::Plus, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let scale = i64::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        let (before, behind) = MOST_DIGITS;
        if scale > behind || i64::try_from(digits.len()).ok()?.checked_sub(scale)? > before {
            return None;
        }
        let digits = digits.parse::<BigUint>().ok()?;
        // A negative scale means zeros before the point, which the database writes out.
        let digits = digits * ten_to(u32::try_from(-scale).unwrap_or_default());
        Some(Self { digits: BigInt::from_biguint(sign, digits), scale: u32::try_from(scale).unwrap_or_default() })
    }

    /// The digits with a larger scale.
    fn scaled_to(&self, scale: u32) -> BigInt {
        &self.digits * BigInt::from(ten_to(scale.saturating_sub(self.scale)))
    }
}

fn ten_to(exponent: u32) -> BigUint {
    BigUint::from(10_u32).pow(exponent)
}

/// The place and value of the first group of four digits that is not zero.
fn leading_group(digits: &BigUint, scale: u32) -> (i64, u32) {
    if *digits == BigUint::ZERO {
        return (0, 0);
    }
    let digits = digits.to_string();
    // The number of digits before the decimal point; negative for zeros after it.
    let before = i64::try_from(digits.len()).unwrap_or(i64::MAX) - i64::from(scale);
    let weight = (before - 1).div_euclid(4);
    let length = usize::try_from(before - weight * 4).unwrap_or(1);
    let group: String = digits.chars().chain(std::iter::repeat('0')).take(length).collect();
    (weight, group.parse().unwrap_or(0))
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::try_from(self.scale).unwrap_or(usize::MAX);
        let digits = format!("{:0>1$}", self.digits.magnitude().to_string(), scale.saturating_add(1));
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let sign = if self.digits.sign() == Sign::Minus { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        write!(formatter, "{sign}{whole}{point}{fraction}")
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.scaled_to(scale).cmp(&other.scaled_to(scale))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finite(number) => number.fmt(formatter),
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
        for (text, written) in [
            ("1e21", "1000000000000000000000"),
            ("+1.50E-3", "0.00150"),
            ("12.5e1", "125"),
            ("1.", "1"),
            ("-.5", "-0.5"),
            ("-0.00", "0.00"),
            ("007", "7"),
        ] {
            assert_eq!(decimal(text).to_string(), written);
        }
        for text in ["", "x", "1,5", "0x1", "1_000", ".", "e5", "--1", "1e", "1e5.5", "+-1", "1.2.3", "-"] {
            assert!(Decimal::read(text).is_none(), "{text}");
        }
    }

    /// `select '1e131072'::numeric`: value overflows numeric format.
    #[test]
    fn a_number_with_more_digits_than_the_database_has_is_refused() {
        assert!(Decimal::read("1e131071").is_some() && Decimal::read("1e-16383").is_some());
        for text in ["1e131072", "1e999999999999", "1e-16384", "1e9223372036854775807", "1e-9223372036854775808"] {
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
            ("-1", "-0.33333333333333333333"),
            ("2", "0.66666666666666666667"),
            ("-18410715276690586988", "-6136905092230195663"),
            ("0", "0.00000000000000000000"),
        ] {
            let quotient = decimal(quotient);
            let got = decimal(number).divided_by(3);
            assert_eq!((got.to_string(), got), (quotient.to_string(), quotient), "{number}");
        }
    }
}
