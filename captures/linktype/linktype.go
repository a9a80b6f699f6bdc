// Package linktype has the link types that odxray reads, by their numbers in the
// registry (tcpdump.org/linktypes.html). They are gopacket's layers.LinkType but for
// the width, which there is too small for some of them; and package layers takes 8 ms
// and 20 MB at the start of every program that imports it.
package linktype

// Type says with which header frames begin. Types above 255 have no equal in
// gopacket's layers.LinkType; for all others layers.LinkType(t) is the same.
type Type uint16

const (
	Null       Type = 0 // BSD loopback
	Ethernet   Type = 1
	TokenRing  Type = 6
	PPP        Type = 9
	FDDI       Type = 10
	Raw12      Type = 12 // raw IP, as most systems write it
	Raw14      Type = 14 // raw IP of OpenBSD
	Other      Type = 21 // stands for what a format has no number for; no link type has this one
	PPPHDLC    Type = 50
	Raw        Type = 101 // raw IP
	CiscoHDLC  Type = 104
	Loop       Type = 108 // OpenBSD loopback
	LinuxSLL   Type = 113 // Linux cooked-mode capture v1
	ERF        Type = 197
	IPv4       Type = 228
	IPv6       Type = 229
	NFLOG      Type = 239 // Linux netfilter log
	IPoIB      Type = 242 // IP over InfiniBand
	InfiniBand Type = 247 // from the local route header
	LinuxSLL2  Type = 276 // Linux cooked-mode capture v2
)

// Of returns the type of a number in the registry. Raw IP has several numbers, by
// system; all become Raw.
func Of(number uint16) Type {
	if t := Type(number); t != Raw12 && t != Raw14 {
		return t
	}
	return Raw
}
