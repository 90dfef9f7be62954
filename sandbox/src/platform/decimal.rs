//! Exact decimals, as PostgreSQL's `numeric` has them.

use std::cmp::Ordering;
use std::fmt;

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

/// A finite number, in groups of four decimal digits as the database stores it: the precision of a quotient depends on
/// where the groups start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Number {
    /// False for zero.
    negative: bool,
    /// Least significant first, without zeros at the end; `scale.div_ceil(4)` of them are after the decimal point.
    groups: Vec<u16>,
    /// How many digits are written after the decimal point.
    scale: usize,
}

const GROUP: u16 = 10_000;
const GROUP_DIGITS: usize = 4;

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
        Self::Finite(Number::new(number < 0, groups_of(number.unsigned_abs()), 0))
    }

    /// The sum of decimals.
    pub(crate) fn sum<'a>(numbers: impl Iterator<Item = &'a Self>) -> Self {
        let mut sum = Number::default();
        let (mut positive, mut negative) = (false, false);
        for number in numbers {
            match number {
                Self::Finite(number) => sum = sum.plus(number),
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
        match self {
            Self::Finite(number) => Self::Finite(number.divided_by(u64::try_from(count.max(1)).unwrap_or(u64::MAX))),
            _ => self.clone(),
        }
    }
}

impl Number {
    fn new(negative: bool, mut groups: Vec<u16>, scale: usize) -> Self {
        while groups.pop_if(|group| *group == 0).is_some() {}
        Self { negative: negative && !groups.is_empty(), groups, scale }
    }

    fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (negative, unsigned) = match mantissa.strip_prefix('-') {
            Some(unsigned) => (true, unsigned),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let mut digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let scale = i64::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        let (before, behind) = MOST_DIGITS;
        if scale > behind || i64::try_from(digits.len()).ok()?.checked_sub(scale)? > before {
            return None;
        }
        // A negative scale means zeros before the point, which the database writes out.
        digits.extend(std::iter::repeat_n('0', usize::try_from(-scale).unwrap_or_default()));
        let scale = usize::try_from(scale).unwrap_or_default();
        digits.extend(std::iter::repeat_n('0', scale.next_multiple_of(GROUP_DIGITS) - scale));
        let group = |group: &[u8]| group.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0'));
        Some(Self::new(negative, digits.as_bytes().rchunks(GROUP_DIGITS).map(group).collect(), scale))
    }

    /// How many groups are after the decimal point.
    fn fraction(&self) -> usize {
        self.scale.div_ceil(GROUP_DIGITS)
    }

    /// The group that stands at a place, which is 0 for that before the decimal point and negative after it.
    fn group(&self, place: isize) -> u16 {
        let index = self.fraction().checked_add_signed(place);
        index.and_then(|index| self.groups.get(index)).copied().unwrap_or(0)
    }

    /// The place and value of the first group; both 0 for zero.
    fn first_group(&self) -> (isize, u16) {
        let place = self.groups.len().cast_signed() - self.fraction().cast_signed() - 1;
        self.groups.last().map_or((0, 0), |first| (place, *first))
    }

    /// The places of all groups of two numbers, least significant first.
    fn places(&self, other: &Self) -> impl DoubleEndedIterator<Item = isize> + use<> {
        let end = |number: &Self| number.groups.len().cast_signed() - number.fraction().cast_signed();
        -self.fraction().max(other.fraction()).cast_signed()..end(self).max(end(other)).max(0)
    }

    fn compare_magnitudes(&self, other: &Self) -> Ordering {
        let mut groups = self.places(other).rev().map(|place| self.group(place).cmp(&other.group(place)));
        groups.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    fn plus(&self, other: &Self) -> Self {
        let (large, small) = if self.compare_magnitudes(other).is_lt() { (other, self) } else { (self, other) };
        let mut groups = Vec::with_capacity(large.groups.len() + 1);
        let mut carry = 0;
        for place in large.places(small) {
            // Neither the sum of two groups nor a difference with a whole group added overflows.
            let (left, right) = (large.group(place), small.group(place) + carry);
            let group = if large.negative == small.negative { left + right } else { GROUP + left - right };
            groups.push(group % GROUP);
            carry = group / GROUP;
            if large.negative != small.negative {
                carry = 1 - carry;
            }
        }
        groups.push(carry);
        Self::new(large.negative, groups, large.scale.max(small.scale))
    }

    fn divided_by(&self, count: u64) -> Self {
        let (place, first) = self.first_group();
        let divisor = groups_of(count);
        let divisor_first = divisor.last().copied().unwrap_or(0);
        let place = place - (divisor.len().cast_signed() - 1) - isize::from(first <= divisor_first);
        let scale = (16 - place * GROUP_DIGITS.cast_signed()).max(self.scale.cast_signed()).clamp(0, 1_000);
        let scale = scale.unsigned_abs();
        // One more digit than wanted tells which way to round.
        let fraction = (scale + 1).div_ceil(GROUP_DIGITS);
        let mut remainder = 0_u128;
        let end = self.groups.len().cast_signed() - self.fraction().cast_signed();
        let places = (-fraction.cast_signed()..end.max(0)).rev();
        let quotient = places.map(|place| {
            let dividend = remainder * u128::from(GROUP) + u128::from(self.group(place));
            remainder = dividend % u128::from(count);
            // Less than a group, since the remainder was less than the divisor.
            u16::try_from(dividend / u128::from(count)).unwrap_or_default()
        });
        let mut groups: Vec<u16> = quotient.collect();
        groups.reverse();
        Self::new(self.negative, rounded(groups, fraction * GROUP_DIGITS - scale), scale)
    }
}

/// Rounds away the last digits, of which there are one to four. A half is rounded away from zero.
fn rounded(groups: Vec<u16>, digits: usize) -> Vec<u16> {
    let unit = 10_u16.pow(u32::try_from(digits).unwrap_or_default());
    let mut carry = unit / 2;
    let mut rounded = Vec::with_capacity(groups.len() + 1);
    for group in groups {
        rounded.push((group + carry) % GROUP);
        carry = (group + carry) / GROUP;
    }
    rounded.push(carry);
    if digits == GROUP_DIGITS {
        rounded.remove(0);
    } else if let Some(last) = rounded.first_mut() {
        *last -= *last % unit;
    }
    rounded
}

/// The groups of a whole number.
fn groups_of(mut number: u64) -> Vec<u16> {
    let mut groups = Vec::new();
    while number > 0 {
        groups.push(u16::try_from(number % u64::from(GROUP)).unwrap_or_default());
        number /= u64::from(GROUP);
    }
    groups
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (places, sign) = (self.places(self).rev(), if self.negative { "-" } else { "" });
        let digits: String = places.map(|place| format!("{:04}", self.group(place))).collect();
        let (whole, fraction) = digits.split_at(digits.len() - self.fraction() * GROUP_DIGITS);
        let whole = Some(whole.trim_start_matches('0')).filter(|whole| !whole.is_empty()).unwrap_or("0");
        let fraction = fraction.get(..self.scale).unwrap_or(fraction);
        let point = if fraction.is_empty() { "" } else { "." };
        write!(formatter, "{sign}{whole}{point}{fraction}")
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.compare_magnitudes(other),
            (true, true) => other.compare_magnitudes(self),
            (negative, _) => {
                if negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
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

    /// Expected values from PostgreSQL 15: `select sum(v) from (values (…::numeric), …) t(v)`.
    #[test]
    fn sums_carry_and_borrow_across_the_decimal_point() {
        for (numbers, sum) in [
            (&["99999999.99995", "0.00005", "-100000000"][..], "0.00000"),
            (&["1e30", "-1e-10", "-1e30"], "-0.0000000001"),
            (&["10000", "-0.0001"], "9999.9999"),
            (&["-9999.9999", "-0.00010"], "-10000.00000"),
            (&["5", "-7.50"], "-2.50"),
            (&["-Infinity", "1", "Infinity"], "NaN"),
        ] {
            let numbers: Vec<Decimal> = numbers.iter().map(|text| decimal(text)).collect();
            assert_eq!(Decimal::sum(numbers.iter()).to_string(), sum, "{numbers:?}");
        }
    }

    #[test]
    fn decimals_are_compared_by_value() {
        for (smaller, larger) in [("-10000", "-9999.9999"), ("-1", "0.00001"), ("0.00019", "0.0002"), ("9999", "1e4")] {
            assert!(decimal(smaller) < decimal(larger), "{smaller} < {larger}");
        }
        assert_eq!(decimal("-0.0"), decimal("0"));
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
            assert_eq!(decimal(number).divided_by(3).to_string(), quotient, "{number} / 3");
        }
        for (number, count, quotient) in [
            ("12345678901234567890.12345", 99_999_999, "123456790246.91358137"),
            ("0.00000005", 10_001, "0.0000000000049995000499950005"),
            ("1", 1_099_511_627_776, "0.00000000000090949470177292823792"),
            ("99999.99999999999999995", 10_000, "10.00000000000000000"),
        ] {
            assert_eq!(decimal(number).divided_by(count).to_string(), quotient, "{number} / {count}");
        }
    }
}
