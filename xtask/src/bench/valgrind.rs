//! Counts instructions and allocations with valgrind, which do not depend on the load of the machine.

use std::process::Command;

/// The counts of a run.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    pub instructions: f64,
    pub allocations: f64,
    pub bytes: f64,
}

impl Counts {
    /// The difference from another run.
    pub fn minus(self, other: Self) -> Self {
        Self {
            instructions: self.instructions - other.instructions,
            allocations: self.allocations - other.allocations,
            bytes: self.bytes - other.bytes,
        }
    }

    /// The mean per item.
    pub fn divided_by(self, number: f64) -> Self {
        Self {
            instructions: self.instructions / number,
            allocations: self.allocations / number,
            bytes: self.bytes / number,
        }
    }
}

/// Counts what a program does.
pub fn count(command: &Command) -> Result<Counts, String> {
    let instructions = report(command, &["--tool=callgrind", "--callgrind-out-file=/dev/null"])?;
    let memory = report(command, &["--tool=memcheck", "--leak-check=no", "--undef-value-errors=no"])?;
    let [allocations, _, bytes] = numbers_after(&memory, "total heap usage:")?;
    let [instructions] = numbers_after(&instructions, "Collected :")?;
    Ok(Counts { instructions, allocations, bytes })
}

/// Runs a program under valgrind, and returns valgrind's report.
fn report(command: &Command, tool: &[&str]) -> Result<String, String> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(tool).arg(command.get_program()).args(command.get_args());
    let output = valgrind.output().map_err(|error| format!("valgrind: {error}"))?;
    let report = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(report) } else { Err(format!("valgrind failed ({}): {report}", output.status)) }
}

/// The first numbers behind a text, as valgrind writes them: `1,234 allocs`.
fn numbers_after<const N: usize>(output: &str, text: &str) -> Result<[f64; N], String> {
    let found = output.split_once(text).and_then(|(_, rest)| {
        let words = rest.lines().next()?.split_whitespace();
        let numbers: Vec<f64> = words.filter_map(|word| word.replace(',', "").parse().ok()).collect();
        numbers.get(..N)?.try_into().ok()
    });
    found.ok_or_else(|| format!("valgrind says no `{text}`: {output}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_valgrind_are_read() {
        let output = "==1== HEAP SUMMARY:\n==1==     in use at exit: 1,024 bytes in 1 blocks\n\
                    ==1==   total heap usage: 1,234 allocs, 1,230 frees, 12,345,678 bytes allocated\n==1== \n";
        assert_eq!(numbers_after(output, "total heap usage:"), Ok([1_234.0, 1_230.0, 12_345_678.0]));
        assert_eq!(numbers_after("==7== Collected : 8125071\n==7== 9", "Collected :"), Ok([8_125_071.0]));
        assert!(numbers_after::<2>("==7== Collected : 8125071\n==7== 9", "Collected :").is_err());
        assert!(numbers_after::<1>(output, "Collected :").is_err());
    }
}
