//! Values that columns are compared with.

use crate::{Date, DateTime};

/// A value that a column is compared with: a text, number, boolean or date. The server reads it as the type of the
/// column.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Operand(pub(crate) String);

impl From<&str> for Operand {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<f64> for Operand {
    fn from(number: f64) -> Self {
        Self(match number {
            f64::INFINITY => "Infinity".to_owned(),
            f64::NEG_INFINITY => "-Infinity".to_owned(),
            number => number.to_string(),
        })
    }
}

impl From<f32> for Operand {
    fn from(number: f32) -> Self {
        // The digits that were written, not those of the nearest f64.
        if number.is_finite() { Self(number.to_string()) } else { f64::from(number).into() }
    }
}

macro_rules! operands {
    ($($kind:ty),*) => {
        $(
            impl From<$kind> for Operand {
                fn from(value: $kind) -> Self {
                    Self(value.to_string())
                }
            }
        )*
    };
}

operands!(
    String, &String, char, bool, i8, i16, i32, i64, isize, u8, u16, u32, u64, usize, Date, &Date, DateTime, &DateTime
);

#[cfg(feature = "chrono")]
operands!(chrono::NaiveDate, chrono::NaiveDateTime);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_server_reads_them() {
        let written = |operand: Operand| operand.0;
        assert_eq!(written(0.1_f32.into()), "0.1");
        assert_eq!(written(f64::NAN.into()), "NaN");
        assert_eq!(written(f32::NEG_INFINITY.into()), "-Infinity");
        assert_eq!(written(i64::MIN.into()), "-9223372036854775808");
        assert_eq!(written(1e21.into()), "1000000000000000000000");
    }
}
