package dtyp

import (
	"strconv"

	"github.com/odxray/odxray/dissect/wire"
)

// maxSubs is the most subauthorities that a SID may have.
const maxSubs = 15

// SID names a user, a group, a computer or a domain. [MS-DTYP] 2.4.2.2
type SID struct {
	Revision  uint8
	Authority uint64 // 48 bits
	Count     uint8  // of subauthorities
	Sub       [maxSubs]uint32
}

var (
	sid      = fields.Section("[MS-DTYP] 2.4.2.2")
	fRaw     = sid.Bytes("", "SID")
	fSID     = SIDField("SID")
	fOwner   = SIDField("Owner")
	fGroup   = SIDField("Group")
	fSIDRev  = sid.Uint("nt.sid.revision", "Revision")
	fNumAuth = sid.Uint("nt.sid.num_auth", "Num Auth")
	fAuth    = sid.Uint("nt.sid.auth", "Authority")
	fSubAuth = sid.Text("nt.sid.subauth", "Subauthorities", appendSubs)
)

// SIDField declares a SID under a label that says whose it is, for DecodeAs.
func SIDField(label string) *wire.Field {
	return sid.Text("nt.sid", label, func(dst, b []byte) []byte {
		s := parse(b)
		return s.AppendTo(dst)
	}).Remarked(func(b []byte) string {
		s := parse(b)
		if name := s.Name(); name != "" {
			return "  (" + name + ")"
		}
		return ""
	})
}

// Decode reads a SID.
func (s *SID) Decode(c *wire.Cursor) { s.DecodeAs(c, fSID) }

// DecodeAs reads a SID as f, which SIDField declared.
func (s *SID) DecodeAs(c *wire.Cursor, f *wire.Field) {
	*s = SID{}
	defer c.Close(c.Open(f))
	s.Revision = c.U8(fSIDRev)
	n := c.U8(fNumAuth)
	s.Authority = c.BE48(fAuth)
	if n > maxSubs { // no SID; how far it goes is anybody's guess
		c.Fail(fNumAuth, wire.ErrShort)
		return
	}
	subs := c.Sub(fSubAuth, 4*int(n))
	look, last := subs.Ahead(), subs
	subs.Skip(fSubAuth, 4*int(n))
	c.Join(&subs)
	for i := range n {
		s.Sub[i] = look.U32(fSubAuth)
	}
	if !look.Failed() {
		s.Count = n
	}
	if f := s.ridField(); f != nil {
		last.Sub(f, 4*int(n-1))
		last.U32(f)
	}
}

// String is the form of [MS-DTYP] 2.4.2.1: S-1-5-21-….
func (s *SID) String() string { return string(s.AppendTo(nil)) }

// AppendTo appends what String returns.
func (s *SID) AppendTo(dst []byte) []byte {
	dst = append(strconv.AppendUint(append(dst, "S-"...), uint64(s.Revision), 10), '-')
	dst = strconv.AppendUint(dst, s.Authority, 10)
	for _, sub := range s.Sub[:s.Count] {
		dst = strconv.AppendUint(append(dst, '-'), uint64(sub), 10)
	}
	return dst
}

// parse reads the bytes of a SID that decoded before.
func parse(b []byte) (s SID) {
	c := wire.New(b, nil)
	s.Revision = c.U8(fRaw)
	s.Count = min(c.U8(fRaw), maxSubs)
	s.Authority = c.BE48(fRaw)
	for i := range s.Count {
		s.Sub[i] = c.U32(fRaw)
	}
	return s
}

func appendSubs(dst, b []byte) []byte {
	for c := wire.New(b, nil); c.Len() > 0; {
		dst = strconv.AppendUint(dst, uint64(c.U32(fRaw)), 10)
		if c.Len() > 0 {
			dst = append(dst, '-')
		}
	}
	return dst
}
