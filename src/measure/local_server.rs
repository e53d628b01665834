//! A server of the user's own that listens on this machine: its processes, so
//! that what they spend counts as the server's, not as something else.
//!
//! `/proc/net/tcp` and `tcp6` tell the socket that listens at an address, and
//! `/proc/PID/fd` who has it open. Processes of other users do not tell, unless
//! this one is root's, and those of other containers are not there.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::process_tree::{Ticks, time_of, with_children, with_parents};
use super::resources;
use crate::request::Endpoint;

/// The state of a socket that listens, as the kernel writes it.
const LISTENS: &str = "0A";

/// The processes of a server that listens on this machine; none where it is
/// elsewhere, or the system does not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalServer {
    /// Those that count with all below them, none of them below another.
    whole: Vec<u32>,
    /// Those that count by themselves: this process is below them.
    alone: Vec<u32>,
}

impl LocalServer {
    /// The processes that listen where a URL leads.
    pub(super) fn at(url: &str) -> Self {
        let Ok(endpoint) = Endpoint::resolve(url) else {
            return Self::default();
        };
        let here = endpoint.addresses().iter().filter(|at| is_here(at.ip()));
        let here: Vec<_> = here.copied().collect();
        if here.is_empty() {
            return Self::default();
        }
        Self::of(&owners(&listening(&here)))
    }

    /// A server of such processes.
    pub(super) fn of(processes: &BTreeSet<u32>) -> Self {
        let above_this: BTreeSet<_> = with_parents(std::process::id()).collect();
        let (alone, rest): (BTreeSet<u32>, BTreeSet<u32>) = processes
            .iter()
            .partition(|process| above_this.contains(process));
        let below_another = |process: &u32| {
            with_parents(*process)
                .skip(1)
                .any(|above| rest.contains(&above))
        };
        Self {
            whole: rest.iter().copied().filter(|p| !below_another(p)).collect(),
            alone: alone.into_iter().collect(),
        }
    }

    /// Those that count with all below them.
    pub(super) fn whole(&self) -> &[u32] {
        &self.whole
    }

    /// Those of other processes than this that count by themselves.
    pub(super) fn alone(&self) -> impl Iterator<Item = u32> {
        let this = std::process::id();
        self.alone
            .iter()
            .copied()
            .filter(move |alone| *alone != this)
    }

    /// Whether one of them has ended, so that another may listen now.
    pub(super) fn has_changed(&self) -> bool {
        let gone = |process: &u32| !Path::new(&format!("/proc/{process}")).exists();
        self.whole.iter().chain(&self.alone).any(gone)
    }

    /// CPU time so far, of children that were waited for as well; `None` where
    /// no process is known.
    pub(super) fn cpu_time(&self) -> Option<Duration> {
        let whole = self.whole.iter().flat_map(|root| with_children(*root));
        let whole = whole.map(|process| cpu_time(process) + time_of(Ticks::of(process).waited_for));
        let alone = self.alone.iter().map(|process| cpu_time(*process));
        let known = !self.whole.is_empty() || !self.alone.is_empty();
        known.then(|| whole.chain(alone).sum())
    }
}

/// CPU time of a process, of its threads that have ended as well.
fn cpu_time(process: u32) -> Duration {
    let pid = i32::try_from(process).map(Pid::from_raw);
    let clock = pid.ok().and_then(|pid| ClockId::pid_cpu_clock_id(pid).ok());
    let time = clock.and_then(|clock| clock_gettime(clock).ok());
    time.map_or_else(|| resources::cpu_time_of(process), Duration::from)
}

/// Whether an address is one of this machine's: only to those can be bound.
fn is_here(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

/// The sockets, by inode, that take connections to one of the addresses.
fn listening(addresses: &[SocketAddr]) -> BTreeSet<u64> {
    let takes = |(at, _): &(SocketAddr, u64)| {
        addresses.iter().any(|address| {
            at.port() == address.port()
                && (at.ip().is_unspecified() || at.ip() == address.ip().to_canonical())
        })
    };
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|table| table.lines().filter_map(listener).collect::<Vec<_>>())
        .filter(takes)
        .map(|(_, inode)| inode)
        .collect()
}

/// The address and the inode of a line of the table, where it is of a socket
/// that listens (proc_net(5)).
fn listener(line: &str) -> Option<(SocketAddr, u64)> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let (address, port) = fields.get(1)?.split_once(':')?;
    if *fields.get(3)? != LISTENS {
        return None;
    }
    let port = u16::from_str_radix(port, 16).ok()?;
    Some((
        SocketAddr::new(ip(address)?, port),
        fields.get(9)?.parse().ok()?,
    ))
}

/// An address as the table has it: words in the machine's order of bytes.
fn ip(text: &str) -> Option<IpAddr> {
    let word = |at: usize| {
        let digits = text.get(at..at + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    match text.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (part, bytes) in bytes.chunks_exact_mut(4).enumerate() {
                bytes.copy_from_slice(&word(8 * part)?);
            }
            Some(IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical())
        }
        _ => None,
    }
}

/// The processes that have one of the sockets open.
fn owners(sockets: &BTreeSet<u64>) -> BTreeSet<u32> {
    let names: BTreeSet<_> = sockets.iter().map(|it| format!("socket:[{it}]")).collect();
    if names.is_empty() {
        return BTreeSet::new();
    }
    let has_one = |process: &u32| {
        let open = std::fs::read_dir(format!("/proc/{process}/fd"));
        open.into_iter().flatten().flatten().any(|descriptor| {
            let target = std::fs::read_link(descriptor.path());
            target.is_ok_and(|target| target.to_str().is_some_and(|name| names.contains(name)))
        })
    };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(has_one)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn listening_sockets_are_read_from_the_table() {
        let line = |address: &str, state: &str| {
            let rest = "00000000:00000000 00:00000000 00000000  1000        0 4242 1 ffff";
            let remote = address.split(':').next().unwrap_or_default();
            listener(&format!("   0: {address} {remote}:0000 {state} {rest}"))
        };
        let word = |bytes| format!("{:08X}", u32::from_ne_bytes(bytes));
        let local = word([127, 0, 0, 1]);
        let expected = Some((SocketAddr::from(([127, 0, 0, 1], 8080)), 4242));
        assert_eq!(line(&format!("{local}:1F90"), "0A"), expected);
        assert_eq!(line(&format!("{local}:1F90"), "01"), None);
        // The same address as IPv6 has it.
        let mapped = word([0; 4]) + &word([0; 4]) + &word([0, 0, 0xff, 0xff]) + &local;
        assert_eq!(line(&format!("{mapped}:1F90"), "0A"), expected);
        assert_eq!(line("12:1F90", "0A"), None);
        assert_eq!(
            listener("  sl  local_address rem_address   st tx_queue"),
            None
        );
    }

    #[test]
    fn server_in_this_process_counts_alone_and_not_twice() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = LocalServer::at(&url);
        if Path::new("/proc/net/tcp").exists() {
            assert_eq!(server.alone, [std::process::id()]);
            assert!(server.cpu_time().is_some() && !server.has_changed());
        }
        assert!(server.whole.is_empty() && server.alone().next().is_none());
        drop(listener);
        assert_eq!(LocalServer::at(&url), LocalServer::default());
    }

    #[test]
    fn server_that_forks_is_counted_once_from_its_top() {
        let mut child = Command::new("sh")
            // In the background a shell gives no input, and cat would end at once.
            .args(["-c", "exec 3<&0; cat <&3 & echo; wait"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Its line comes once it has its child.
        let mut output = child.stdout.take().unwrap();
        std::io::Read::read_exact(&mut output, &mut [0]).unwrap();
        let all: BTreeSet<_> = with_children(child.id()).into_iter().collect();
        let server = LocalServer::of(&all);
        assert_eq!(server.whole, [child.id()]);
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(!Path::new("/proc").exists() || server.has_changed());
    }

    #[test]
    fn server_elsewhere_has_no_process_here() {
        // An address that is kept for documents (RFC 5737).
        let server = LocalServer::at("http://192.0.2.1:80");
        assert_eq!((server.cpu_time(), server), (None, LocalServer::default()));
    }
}
