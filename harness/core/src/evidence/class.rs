//! Names of object classes, and what is left of one in damaged text.

/// The classes of kernels that end a record with the class: EL5, EL6 and the first EL7.
///
/// Later kernels say `permissive=` behind it, and userspace object managers their `exe=`.
/// From `security/selinux/include/classmap.h` and its forerunners, 2.6.18 to 3.10.
const LAST_IN_RECORD: &[&str] = &[
    "appletalk_socket",
    "association",
    "blk_file",
    "capability",
    "capability2",
    "chr_file",
    "dccp_socket",
    "dir",
    "fd",
    "fifo_file",
    "file",
    "filesystem",
    "ipc",
    "kernel_service",
    "key",
    "key_socket",
    "lnk_file",
    "memprotect",
    "msg",
    "msgq",
    "netif",
    "netlink_audit_socket",
    "netlink_dnrt_socket",
    "netlink_firewall_socket",
    "netlink_ip6fw_socket",
    "netlink_kobject_uevent_socket",
    "netlink_nflog_socket",
    "netlink_route_socket",
    "netlink_selinux_socket",
    "netlink_socket",
    "netlink_tcpdiag_socket",
    "netlink_xfrm_socket",
    "node",
    "packet",
    "packet_socket",
    "peer",
    "process",
    "rawip_socket",
    "security",
    "sem",
    "shm",
    "sock_file",
    "socket",
    "system",
    "tcp_socket",
    "tun_socket",
    "udp_socket",
    "unix_dgram_socket",
    "unix_stream_socket",
];

/// The class that the value of `tclass=` names; `None` when it was, or may have been, cut.
///
/// Text that a console wrote behind the record (`tclass=file[  OK  ]`) is left out. `>` is where a
/// pager cut the line. `last` says that nothing of the record follows: then only a class that is
/// known can be told from the beginning of one.
pub(super) fn class_name(value: &str, last: bool) -> Option<&str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name = value.split(|c| !is_name(c)).next().unwrap_or(value);
    let whole = !last || name.len() < value.len() || LAST_IN_RECORD.binary_search(&name).is_ok();
    (whole && !name.is_empty() && !value.ends_with('>')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{LAST_IN_RECORD, class_name};

    #[test]
    fn the_table_is_sorted() {
        assert!(LAST_IN_RECORD.is_sorted());
    }

    #[test]
    fn a_class_is_known_only_if_it_is_whole() {
        for (value, last, name) in [
            ("tcp_socket", true, Some("tcp_socket")),
            ("tcp_s", true, None),
            ("tcp_s", false, Some("tcp_s")),
            ("io_uring", false, Some("io_uring")),
            ("file[", true, Some("file")),
            ("fi>", true, None),
            ("", true, None),
        ] {
            assert_eq!(class_name(value, last), name, "{value}");
        }
    }
}
