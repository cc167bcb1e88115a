//! The faults that must be survived, by the numbers that the design gives them. Those not here stand where their
//! subject is: 11, 12 and 24 in `output`, 13 and 23 in `configuration`, 14 and 15 in `health`, 16 in `stop`, 17 in
//! `trees`, 26 and 27 in `crash`.

mod clock;
mod descriptors;
mod disk;
mod identity;
mod keeper;
mod socket;
mod state;
mod supervisor;
mod upgrade;
