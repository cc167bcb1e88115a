//! What the trees' TCP sockets have moved: whose a socket is, and what came and went since the last look.
//!
//! A socket is a tree's if a member has a descriptor for it, or if it was accepted at an address that the tree listens on.
//! Who has a descriptor is looked up only when a socket appears that neither is known nor tells by its address. The kernel
//! tells the last counts of each socket that ends, so that nothing of a connection is lost that begins and ends between
//! two looks, if it is on such a port. One that a member has *opened* and closed again between two looks has left nothing
//! behind that says whose it was: it is not counted.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt;

use super::super::account::Flow;
use super::sock_diag::{Endings, SockDiag, Socket};

/// Looks for which a socket is remembered that is no longer told and whose end was not told either.
const REMEMBERED: u32 = 5;

/// Every so many looks descriptors are looked up, whatever appears: one may have been handed over.
const LOOK_UP_EVERY: u32 = 30;

/// Descriptors of one member that are looked at. One with more is a server, whose sockets tell by their port.
const MOST_DESCRIPTORS: usize = 4096;

/// A tree: the number of its account, and its members.
pub(super) type Members<'a> = (u64, &'a [u32]);

/// Whose sockets are whose.
#[derive(Debug)]
pub(super) struct Network {
    asked: SockDiag,
    /// `None`: ends are not told here.
    endings: Option<Endings>,
    sockets: HashMap<u64, Known>,
    listened: Listened,
    looks: u32,
}

/// The addresses that trees listen on: whose each is, and when that was last seen.
#[derive(Debug, Default)]
struct Listened(HashMap<SocketAddr, (u64, u32)>);

impl Listened {
    /// Who accepts what comes in at an address: whoever listens there, or else on all.
    fn owner(&self, local: SocketAddr) -> Option<u64> {
        let on =
            |address: IpAddr| self.0.get(&SocketAddr::new(address, local.port())).map(|(owner, _)| *owner);
        let everywhere_4 = || local.is_ipv4().then(|| on(Ipv4Addr::UNSPECIFIED.into())).flatten();
        // Which mostly has IPv4 too.
        on(local.ip()).or_else(everywhere_4).or_else(|| on(Ipv6Addr::UNSPECIFIED.into()))
    }
}

#[derive(Debug)]
struct Known {
    owner: Option<u64>,
    received: u64,
    sent: u64,
    looked_at: u32,
}

impl Network {
    /// `follow`: ends between two looks are told too.
    pub(super) fn open(follow: bool) -> io::Result<Self> {
        // First, so that what ends meanwhile is not missed.
        let endings = follow.then(|| Endings::watch().ok()).flatten();
        let asked = SockDiag::open()?;
        Ok(Self { asked, endings, sockets: HashMap::new(), listened: Listened::default(), looks: 0 })
    }

    /// What each tree has moved since the last look, by its number. Those with nothing new are left out.
    pub(super) fn look(&mut self, trees: &[Members<'_>]) -> io::Result<HashMap<u64, Flow>> {
        let told = self.asked.dump()?;
        self.looks = self.looks.wrapping_add(1);
        self.assign(&told, trees);
        let mut flows = HashMap::new();
        for socket in &told {
            self.count(socket, &mut flows);
        }
        let ended: Vec<Socket> = self.endings.iter().flat_map(Endings::so_far).collect();
        for socket in &ended {
            self.count_last(socket, &mut flows);
        }
        let now = self.looks;
        self.sockets.retain(|_, known| now.wrapping_sub(known.looked_at) <= REMEMBERED);
        self.listened.0.retain(|_, (_, seen)| now.wrapping_sub(*seen) <= REMEMBERED);
        Ok(flows)
    }

    /// Whether any socket is known to be a tree's.
    pub(super) fn knows(&self, tree: u64) -> bool {
        self.sockets.values().any(|known| known.owner == Some(tree))
            || self.listened.0.values().any(|(owner, _)| *owner == tree)
    }

    /// Finds out whose the sockets are that are not known.
    fn assign(&mut self, told: &[Socket], trees: &[Members<'_>]) {
        let strange = |socket: &&Socket| !self.sockets.contains_key(&socket.cookie);
        let unclear = |socket: &Socket| self.listened.owner(socket.local).is_none() || socket.listens;
        let due = self.looks % LOOK_UP_EVERY == 1;
        let unclear = told.iter().filter(strange).any(|socket| socket.inode != 0 && unclear(socket));
        let holders = if due || unclear { holders(trees) } else { HashMap::new() };
        // Listening ones first: others are known by them.
        for socket in told.iter().filter(|socket| socket.listens) {
            let known = self.sockets.get(&socket.cookie).and_then(|known| known.owner);
            if let Some(owner) = holders.get(&socket.inode).copied().or(known) {
                self.listened.0.insert(socket.local, (owner, self.looks));
            }
        }
        for socket in told {
            let by_address = || self.listened.owner(socket.local);
            let owner = holders.get(&socket.inode).copied();
            let known = self.sockets.entry(socket.cookie).or_insert(Known {
                owner: None,
                received: 0,
                sent: 0,
                looked_at: 0,
            });
            known.looked_at = self.looks;
            known.owner = known.owner.or(owner).or_else(by_address);
        }
    }

    fn count(&mut self, socket: &Socket, flows: &mut HashMap<u64, Flow>) {
        let Some(known) = self.sockets.get_mut(&socket.cookie) else { return };
        if let Some(owner) = known.owner {
            let flow = flows.entry(owner).or_default();
            flow.received += socket.received.saturating_sub(known.received);
            flow.sent += socket.sent.saturating_sub(known.sent);
        }
        // Of a stranger's too: what it has moved before it was handed over is not the tree's.
        known.received = known.received.max(socket.received);
        known.sent = known.sent.max(socket.sent);
    }

    fn count_last(&mut self, socket: &Socket, flows: &mut HashMap<u64, Flow>) {
        let (owner, received, sent) = match self.sockets.remove(&socket.cookie) {
            Some(known) => (known.owner, known.received, known.sent),
            None => (self.listened.owner(socket.local), 0, 0),
        };
        if let Some(owner) = owner {
            let flow = flows.entry(owner).or_default();
            flow.received += socket.received.saturating_sub(received);
            flow.sent += socket.sent.saturating_sub(sent);
        }
    }
}

/// The sockets that members have descriptors for, by their inodes.
fn holders(trees: &[Members<'_>]) -> HashMap<u32, u64> {
    let mut holders = HashMap::new();
    for (owner, pids) in trees {
        for pid in *pids {
            // Gone, or not ours to look at.
            let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
            for entry in entries.flatten().take(MOST_DESCRIPTORS) {
                if let Some(inode) =
                    fs::read_link(entry.path()).ok().and_then(|to| inode(to.as_os_str().as_bytes()))
                {
                    holders.entry(inode).or_insert(*owner);
                }
            }
        }
    }
    holders
}

/// Of `socket:[12345]`. Netlink tells 32 bits of it.
fn inode(link: &[u8]) -> Option<u32> {
    let digits = link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    u32::try_from(number & u64::from(u32::MAX)).ok()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::{Listened, inode};

    #[test]
    fn whoever_listens_at_an_address_has_what_comes_in_there() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let listened =
            [("127.0.0.1:80", 1), ("[::1]:80", 2), ("0.0.0.0:81", 3), ("[::]:82", 4), ("[::]:81", 5)];
        let listened = Listened(listened.map(|(address, owner)| (at(address), (owner, 0))).into());
        for (local, owner) in [
            ("127.0.0.1:80", Some(1)),
            ("[::1]:80", Some(2)),
            ("10.0.0.1:80", None),
            ("10.0.0.1:81", Some(3)),
            ("[::1]:81", Some(5)),
            ("127.0.0.1:82", Some(4)),
            ("127.0.0.1:83", None),
        ] {
            assert_eq!(listened.owner(at(local)), owner, "{local}");
        }
    }

    #[test]
    fn only_a_socket_has_the_inode_of_one() {
        for (link, number) in [
            ("socket:[12345]", Some(12345)),
            ("socket:[4294967297]", Some(1)),
            ("socket:[]", None),
            ("pipe:[12345]", None),
            ("/tmp/socket:[1]", None),
        ] {
            assert_eq!(inode(link.as_bytes()), number, "{link}");
        }
    }
}
