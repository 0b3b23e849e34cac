//! Free ports on loopback for every listener that kcp has.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};

/// One port for each of kcp's listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) api: u16,
    pub(crate) etcd_client: u16,
    pub(crate) etcd_peer: u16,
}

impl Ports {
    /// Asks the kernel. All are held until the last is known, so they differ;
    /// somebody else may still take one before kcp does, which [`crate::Kcp`]
    /// notices and tries again.
    pub(crate) fn free() -> Result<Ports> {
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port on loopback");
        let held = [listen()?, listen()?, listen()?];
        let port = |listener: &TcpListener| -> Result<u16> {
            Ok(listener.local_addr().context("cannot tell the port of a listener")?.port())
        };
        Ok(Ports { api: port(&held[0])?, etcd_client: port(&held[1])?, etcd_peer: port(&held[2])? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ports_differ_and_can_be_bound() {
        let ports = Ports::free().unwrap();
        let all = [ports.api, ports.etcd_client, ports.etcd_peer];
        let held: Vec<_> = all.map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap()).into();
        assert_eq!(held.len(), 3);
    }
}
