//! Which processes of the machine are one program.

use std::collections::HashMap;

use super::Hog;

/// A process, and what it uses.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Relative {
    pub(super) pid: u32,
    pub(super) parent: u32,
    /// When it began, in whatever unit: who is older.
    pub(super) since: u64,
    pub(super) name: String,
    /// As in [`Hog`].
    pub(super) cpu_percent: f64,
    pub(super) memory_bytes: u64,
}

/// Each with what stands below it under the same name, and with the siblings of that name; children of PID 1 are no
/// siblings: whoever has lost its parent is one.
pub(super) fn of(processes: Vec<Relative>) -> Vec<Hog> {
    let by_pid: HashMap<u32, &Relative> = processes.iter().map(|one| (one.pid, one)).collect();
    let top = |one: &Relative| {
        let mut top = one.pid;
        let mut parent = one.parent;
        // Parents are older than their children, unless a PID was given anew between two reads: no circle may hold us.
        for _ in 0..by_pid.len() {
            match by_pid.get(&parent).filter(|above| above.name == one.name && above.pid != top) {
                Some(above) => (top, parent) = (above.pid, above.parent),
                None => break,
            }
        }
        if parent > 1 { (Some(parent), None) } else { (None, Some(top)) }
    };
    let mut families: HashMap<_, Vec<&Relative>> = HashMap::new();
    for one in &processes {
        families.entry((one.name.as_str(), top(one))).or_default().push(one);
    }
    let hog = |members: Vec<&Relative>| {
        let eldest = members.iter().min_by_key(|one| (one.since, one.pid))?;
        Some(Hog {
            pid: eldest.pid,
            name: eldest.name.clone(),
            processes: u32::try_from(members.len()).unwrap_or(u32::MAX),
            cpu_percent: members.iter().map(|one| one.cpu_percent).sum(),
            memory_bytes: members.iter().map(|one| one.memory_bytes).sum(),
        })
    };
    families.into_values().filter_map(hog).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `PID parent name`, each of 10 % and 100 bytes; the PIDs are given in the order of time.
    fn told(processes: &[(u32, u32, &str)]) -> Vec<String> {
        let relative = |&(pid, parent, name): &(u32, u32, &str)| {
            let name = name.to_owned();
            Relative { pid, parent, since: pid.into(), name, cpu_percent: 10.0, memory_bytes: 100 }
        };
        let mut hogs = of(processes.iter().map(relative).collect());
        hogs.sort_by_key(|hog| hog.pid);
        let told = |hog: &Hog| {
            format!(
                "{} {}: {} of {:.0} %, {}",
                hog.pid, hog.name, hog.processes, hog.cpu_percent, hog.memory_bytes
            )
        };
        hogs.iter().map(told).collect()
    }

    #[test]
    fn what_bears_its_parents_name_is_the_same_program() {
        let browser =
            [(5, 1, "chrome"), (6, 5, "chrome"), (7, 6, "chrome"), (8, 7, "chrome"), (9, 5, "helper")];
        assert_eq!(told(&browser), ["5 chrome: 4 of 40 %, 400", "9 helper: 1 of 10 %, 100"]);
    }

    #[test]
    fn siblings_of_one_name_are_one_program() {
        let make = [(4, 1, "make"), (5, 4, "cc1"), (6, 4, "cc1"), (7, 4, "ld")];
        assert_eq!(told(&make), ["4 make: 1 of 10 %, 100", "5 cc1: 2 of 20 %, 200", "7 ld: 1 of 10 %, 100"]);
        let other = [(4, 2, "node"), (5, 3, "node")];
        assert_eq!(told(&other).len(), 2, "of one parent, that is");
        let orphans = [(4, 1, "node"), (5, 1, "node")];
        assert_eq!(told(&orphans).len(), 2, "and not of none");
    }

    #[test]
    fn parents_in_a_circle_hang_nothing() {
        assert_eq!(told(&[(4, 5, "a"), (5, 4, "a"), (6, 6, "b")]).len(), 2 + 1);
    }
}
