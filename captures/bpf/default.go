package bpf

// What carries SMB: over TCP, by the session service, by iWARP; over RoCE; and later
// fragments of all datagrams, which hold no port.
const untagged = "tcp port 445 or tcp port 139 or tcp port 5445 or udp port 4791 or ether proto 0x8915 or ip[6:2] & 0x1fff != 0 or ip6 proto 44"

// Default is the filter where none is given: SMB in all the ways that odxray reads it,
// also behind one VLAN tag.
const Default = untagged + " or (vlan and (" + untagged + "))"
