package server

import (
	"strings"
	"unicode/utf16"

	"github.com/odxray/odxray/dissect/wire"
)

// Operations of srvsvc. [MS-SRVS] 3.1.4
const (
	shareEnum, shareGetInfo, serverGetInfo, shareEnumSticky = 15, 16, 21, 36

	werrInvalidLevel    = 124
	werrNetNameNotFound = 2310
)

// share is what there is to know of one. [MS-SRVS] 2.2.4.26
type share struct {
	name, remark, path string
	kind               uint32
}

func (s *Server) shares() []share {
	return []share{
		{s.cfg.Share, "lab server", `C:\` + s.cfg.Share, 0},
		{"IPC$", "", "", 0x80000003}, // a special one, of pipes
	}
}

// srvsvc answers a call with its stub, or with the code of a fault.
func (s *Server) srvsvc(opnum uint16, in []byte) (stub []byte, fault uint32) {
	r := ndrReader{b: in}
	var name string
	switch opnum {
	case shareEnum, shareEnumSticky, serverGetInfo:
		r.pointedText() // ServerName
	case shareGetInfo:
		r.pointedText()
		name = r.text()
	default:
		return nil, badOpnum
	}
	level := r.u32()
	switch {
	case r.short:
		return nil, badStub
	case opnum == shareGetInfo:
		return s.describeShare(name, level), 0
	case opnum == serverGetInfo:
		return s.describe(level), 0
	}
	return s.listShares(level), 0
}

// listShares is the answer to NetrShareEnum. [MS-SRVS] 3.1.4.8
func (s *Server) listShares(level uint32) []byte {
	var n ndr
	n.u32(level)
	n.u32(level) // of the union
	if !shareLevel(level) {
		n.u32(0)
		n.u32(0) // TotalEntries
		n.u32(0) // ResumeHandle
		return n.end(werrInvalidLevel)
	}
	list := s.shares()
	n.pointer()
	n.u32(uint32(len(list)))
	n.pointer()
	n.u32(uint32(len(list)))
	for _, sh := range list {
		n.share(&sh, level)
	}
	n.referents()
	n.u32(uint32(len(list)))
	n.pointer() // ResumeHandle
	n.u32(0)
	return n.end(0)
}

// describeShare is the answer to NetrShareGetInfo. [MS-SRVS] 3.1.4.10
func (s *Server) describeShare(name string, level uint32) []byte {
	var n ndr
	n.u32(level)
	if !shareLevel(level) {
		n.u32(0)
		return n.end(werrInvalidLevel)
	}
	for _, sh := range s.shares() {
		if strings.EqualFold(sh.name, name) {
			n.pointer()
			n.share(&sh, level)
			n.referents()
			return n.end(0)
		}
	}
	n.u32(0)
	return n.end(werrNetNameNotFound)
}

// describe is the answer to NetrServerGetInfo. [MS-SRVS] 3.1.4.17
func (s *Server) describe(level uint32) []byte {
	const (
		platformNT = 500
		major      = 10
		roles      = 0x9003 // a workstation and a server of NT
	)
	var n ndr
	n.u32(level)
	if level < 100 || level > 102 {
		n.u32(0)
		return n.end(werrInvalidLevel)
	}
	n.pointer()
	n.u32(platformNT)
	n.pointTo(s.cfg.Name)
	if level > 100 {
		n.u32(major)
		n.u32(0)
		n.u32(roles)
		n.pointTo("lab server")
	}
	if level > 101 {
		n.u32(uint32(s.cfg.Limits.Sessions)) // users
		n.u32(15)                            // minutes until a session is cut off
		n.u32(0)                             // visible
		n.u32(240)                           // announced every so many seconds
		n.u32(3000)
		n.u32(0) // licenses
		n.pointTo(`C:\`)
	}
	n.referents()
	return n.end(0)
}

func shareLevel(level uint32) bool {
	switch level {
	case 0, 1, 2, 501, 502:
		return true
	}
	return false
}

// ndr writes a stub. Strings that are pointed to come after what points to them.
type ndr struct {
	b     []byte
	last  uint32 // referent
	later []string
}

func (n *ndr) u32(v uint32) { n.b = wire.AppendU32(n.b, v) }

func (n *ndr) pointer() {
	n.last += 4
	n.u32(0x20000 + n.last)
}

func (n *ndr) pointTo(text string) {
	n.pointer()
	n.later = append(n.later, text)
}

// share writes a SHARE_INFO of a level. [MS-SRVS] 2.2.4.22 to 2.2.4.26
func (n *ndr) share(sh *share, level uint32) {
	n.pointTo(sh.name)
	if level == 0 {
		return
	}
	n.u32(sh.kind)
	n.pointTo(sh.remark)
	switch level {
	case 501:
		n.u32(0) // caching: as the client likes
	case 2, 502:
		n.u32(0)          // permissions
		n.u32(0xffffffff) // as many users as there are
		n.u32(0)
		n.pointTo(sh.path)
		n.u32(0) // password
	}
	if level == 502 {
		n.u32(0) // a security descriptor of no bytes
		n.u32(0)
	}
}

func (n *ndr) referents() {
	for _, text := range n.later {
		units := append(utf16.Encode([]rune(text)), 0)
		n.u32(uint32(len(units)))
		n.u32(0)
		n.u32(uint32(len(units)))
		for _, u := range units {
			n.b = wire.AppendU16(n.b, u)
		}
		n.b = wire.Align(n.b, 0, 4)
	}
	n.later = nil
}

// end returns the stub with what the call returns.
func (n *ndr) end(status uint32) []byte {
	n.u32(status)
	return n.b
}

// ndrReader reads a stub.
type ndrReader struct {
	b     []byte
	short bool // it ended too early
}

func (r *ndrReader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.b, r.short = nil, true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *ndrReader) u32() uint32 {
	if b := r.take(4); b != nil {
		return le.Uint32(b)
	}
	return 0
}

// text reads a string with its conformance and variance.
func (r *ndrReader) text() string {
	r.take(8)
	b := r.take(2 * int(min(r.u32(), 1<<16)))
	r.take(min(-len(b)&3, len(r.b))) // the last may end without
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = le.Uint16(b[2*i:])
	}
	return strings.TrimRight(string(utf16.Decode(units)), "\x00")
}

func (r *ndrReader) pointedText() string {
	if r.u32() == 0 {
		return ""
	}
	return r.text()
}
