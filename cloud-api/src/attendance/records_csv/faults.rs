//! What was not taken of a file. Of a file that is damaged throughout the first lines tell enough.

/// So many faults are listed, and of the others only their number is kept.
const MAX_LISTED: usize = 1_000;

/// What a line, or a part of it, was not taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// From 1, which is the first line of the file.
    pub line: usize,
    pub code: &'static str,
    pub detail: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The first [`MAX_LISTED`], by line.
    pub listed: Vec<Fault>,
    /// How many more there are.
    pub more: u64,
}

impl Faults {
    /// Adds a fault of a later line.
    pub fn push(&mut self, fault: Fault) {
        if self.listed.len() < MAX_LISTED {
            self.listed.push(fault);
        } else {
            self.more += 1;
        }
    }

    /// Adds faults in any order.
    pub fn add(&mut self, others: Self) {
        self.more += others.more;
        self.listed.extend(others.listed);
        self.listed.sort_by_key(|fault| fault.line);
        self.more += self.listed.len().saturating_sub(MAX_LISTED) as u64;
        self.listed.truncate(MAX_LISTED);
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.listed.len() as u64 + self.more
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self { listed: vec![fault], more: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(lines: impl Iterator<Item = usize>) -> Faults {
        let mut faults = Faults::default();
        lines.for_each(|line| faults.push(Fault { line, code: "bad_row", detail: String::new() }));
        faults
    }

    #[test]
    fn the_first_thousand_are_listed_and_the_others_counted() {
        let mut all = faults((1..=3_000).step_by(2));
        assert_eq!((all.listed.len(), all.more), (1_000, 500));
        all.add(faults((2..=100).step_by(2)));
        assert_eq!((all.listed.len(), all.more, all.count()), (1_000, 550, 1_550));
        assert!(all.listed[..100].iter().map(|fault| fault.line).eq(1..=100));
        assert_eq!(all.listed[999].line, 1_899);
    }
}
