package dtyp

import (
	"cmp"
	"strconv"

	"github.com/odxray/odxray/dissect/wire"
)

// The names of this file are Wireshark's. [MS-DTYP] 2.4.2.4

// wellKnown names SIDs that mean the same everywhere.
var wellKnown = map[string]string{
	"S-1-0":      "Null Authority",
	"S-1-0-0":    "Nobody",
	"S-1-1":      "World Authority",
	"S-1-1-0":    "Everyone",
	"S-1-2":      "Local Authority",
	"S-1-2-0":    "Local",
	"S-1-2-1":    "Console Logon",
	"S-1-3":      "Creator Authority",
	"S-1-3-0":    "Creator Owner",
	"S-1-3-1":    "Creator Group",
	"S-1-3-2":    "Creator Owner Server",
	"S-1-3-3":    "Creator Group Server",
	"S-1-3-4":    "Owner Rights",
	"S-1-4":      "Non-unique Authority",
	"S-1-5":      "NT Authority",
	"S-1-5-1":    "Dialup",
	"S-1-5-2":    "Network",
	"S-1-5-3":    "Batch",
	"S-1-5-4":    "Interactive",
	"S-1-5-5":    "Logon Session",
	"S-1-5-6":    "Service",
	"S-1-5-7":    "Anonymous",
	"S-1-5-8":    "Proxy",
	"S-1-5-9":    "Enterprise Domain Controllers",
	"S-1-5-10":   "Principal Self",
	"S-1-5-11":   "Authenticated Users",
	"S-1-5-12":   "Restricted Code",
	"S-1-5-13":   "Terminal Server Users",
	"S-1-5-14":   "Remote Interactive Logon",
	"S-1-5-15":   "All users in this organization",
	"S-1-5-17":   "Default IIS user account",
	"S-1-5-18":   "Local System",
	"S-1-5-19":   "Local Service",
	"S-1-5-20":   "Network Service",
	"S-1-5-21":   "Domain SID",
	"S-1-5-32":   "Local Group",
	"S-1-5-33":   "Write Restricted Code",
	"S-1-5-64":   "Authentication",
	"S-1-5-80":   "NT Service",
	"S-1-5-113":  "Local Account",
	"S-1-5-114":  "Local Administrator Account",
	"S-1-16":     "Mandatory Level",
	"S-1-17":     "Central Access Policy",
	"S-1-18-1":   "Authentication Authority Asserted Identity",
	"S-1-18-2":   "Service Asserted Identity",
	"S-1-18-3":   "Fresh Public Key Identity",
	"S-1-18-4":   "Key Trust Identity",
	"S-1-18-5":   "Key Property Multifactor Authentication",
	"S-1-18-6":   "Key Property Attestation",
	"S-1-5-1000": "Other Organisation",
}

// domainUsers names what a domain gives well-known relative identifiers to.
var domainUsers = map[uint32]string{
	498: "Enterprise Read-only Domain Controllers",
	500: "Administrator",
	501: "Guest",
	502: "KRBTGT",
	512: "Domain Admins",
	513: "Domain Users",
	514: "Domain Guests",
	515: "Domain Computers",
	516: "Domain Controllers",
	517: "Cert Publishers",
	518: "Schema Administrators",
	519: "Enterprise Admins",
	520: "Group Policy Creator Owners",
	521: "Read-only Domain Controllers",
	553: "RAS and IAS Servers",
	571: "Allowed RODC Password Replication Group",
	572: "Denied RODC Password Replication Group",
}

// localGroups names the groups that every computer has.
var localGroups = map[uint32]string{
	544: "Administrators",
	545: "Users",
	546: "Guests",
	547: "Power Users",
	548: "Account Operators",
	549: "Server Operators",
	550: "Print Operators",
	551: "Backup Operators",
	552: "Replicators",
	554: "Pre-Windows 2000 Compatible Access",
	555: "Remote Desktop Users",
	556: "Network Configuration Operators",
	557: "Incoming Forest Trust Builders",
	558: "Performance Monitor Users",
	559: "Performance Log Users",
	560: "Windows Authorization Access Group",
	561: "Terminal Server License Servers",
	562: "Distributed COM Users",
	568: "IIS Users",
	569: "Cryptographic Operators",
	573: "Event Log Readers",
	574: "Certificate Service DCOM Access",
	575: "RDS Remote Access Servers",
	576: "RDS Endpoint Servers",
	577: "RDS Management Servers",
	578: "Hyper-V Admins",
	579: "Access Control Assistance Operators",
	580: "Remote Management Users",
}

// packages names how a user was authenticated.
var packages = map[uint32]string{
	10: "NTLM",
	14: "SChannel",
	21: "Digest",
}

// integrity names levels of trust in a process.
var integrity = map[uint32]string{
	0:     "Untrusted",
	4096:  "Low",
	8192:  "Medium",
	8448:  "Medium Plus",
	12288: "High",
	16384: "System",
	20480: "Protected Process",
	28672: "Secure Process",
}

// family is SIDs that differ in their last subauthority, the relative identifier.
type family struct {
	name  string
	names map[uint32]string
	other string // for the rest
	rid   *wire.Field
}

var (
	domainFamily    = newFamily("Domain SID", domainUsers, "Domain RID")
	localFamily     = newFamily("Local Group", localGroups, "<locally defined>")
	packageFamily   = newFamily("Authentication", packages, "<locally defined>")
	integrityFamily = newFamily("Mandatory Level", integrity, "")
)

func newFamily(name string, names map[uint32]string, other string) *family {
	f := &family{name: name, names: names, other: other}
	f.rid = sid.Uint("nt.sid.rid", "RID").Formatted(func(v uint64) string {
		text := strconv.FormatUint(v, 10)
		if name := f.of(uint32(v)); name != "" {
			text += "  (" + name + ")"
		}
		return text
	})
	return f
}

func (f *family) of(rid uint32) string { return cmp.Or(f.names[rid], f.other) }

// family returns the family of s, nil if there is none or it has no such member.
func (s *SID) family() *family {
	const nt, label = 5, 16
	switch {
	case s.Authority == nt && s.Count == 5 && s.Sub[0] == 21:
		return domainFamily
	case s.Authority == nt && s.Count == 2 && s.Sub[0] == 32:
		return localFamily
	case s.Authority == nt && s.Count == 2 && s.Sub[0] == 64:
		return packageFamily
	case s.Authority == label && s.Count == 1:
		return integrityFamily
	}
	return nil
}

// ridField returns the field of the last subauthority if that is a relative
// identifier, or nil.
func (s *SID) ridField() *wire.Field {
	if f := s.family(); f != nil {
		return f.rid
	}
	return nil
}

// Name returns what well-known SIDs are called: "Everyone", "Local Group-Users"; for
// all others "".
func (s *SID) Name() string {
	if f := s.family(); f != nil {
		if name := f.of(s.Sub[s.Count-1]); name != "" {
			return f.name + "-" + name
		}
		return f.name
	}
	const nt, policy = 5, 17
	switch {
	case s.Authority == policy:
		return "Central Access Policy"
	case s.Authority == nt && s.Count > 1 && s.Sub[0] == 21:
		return "Domain SID"
	case s.Authority == nt && s.Count > 1 && s.Sub[0] == 80:
		return "NT Service"
	}
	return wellKnown[s.String()]
}
