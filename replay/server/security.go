package server

import (
	"bytes"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// descriptor is a security descriptor in its parts. It is kept and told, and nobody's
// access depends on it. [MS-DTYP] 2.4.6
type descriptor struct {
	control            dtyp.Control
	owner, group, dacl []byte // as messages have them; a dacl of nil that is present lets everybody in
}

const descriptorHeader = 20 // bytes

// everybody is the descriptor of files that nobody gave one: everybody may do everything,
// and they are nobody's in particular.
func everybody() *descriptor {
	everyone := []byte{1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}                                             // S-1-1-0
	administrators := []byte{1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0}                       // S-1-5-32-544
	ace := append([]byte{0, 0, 20, 0}, append(wire.AppendU32(nil, uint32(allAccess)), everyone...)...) // allowed
	acl := append([]byte{2, 0, byte(8 + len(ace)), 0, 1, 0, 0, 0}, ace...)
	return &descriptor{control: dtyp.SelfRelative | dtyp.DACLPresent, owner: administrators, group: administrators, dacl: acl}
}

// parseDescriptor reads one. It returns false if its parts do not lie within it.
func parseDescriptor(b []byte) (*descriptor, bool) {
	if len(b) < descriptorHeader || len(b) > maxSecurity || b[0] != 1 {
		return nil, false
	}
	d := &descriptor{control: dtyp.Control(le.Uint16(b[2:]))}
	if d.control&dtyp.SelfRelative == 0 {
		return nil, false
	}
	ok := true
	part := func(at int, size func([]byte) int) []byte {
		off := le.Uint32(b[at:])
		if off == 0 {
			return nil
		}
		if off < descriptorHeader || uint64(off) > uint64(len(b)) {
			ok = false
			return nil
		}
		n := size(b[off:])
		if n == 0 {
			ok = false
		}
		return bytes.Clone(b[off:][:n])
	}
	d.owner, d.group = part(4, sidSize), part(8, sidSize)
	if d.control&dtyp.DACLPresent != 0 {
		d.dacl = part(16, aclSize)
	}
	return d, ok
}

// sidSize is how many bytes the SID that b begins with has; 0 if it is none.
func sidSize(b []byte) int {
	const most = 15
	if len(b) < 8 || b[0] != 1 || b[1] > most || 8+4*int(b[1]) > len(b) {
		return 0
	}
	return 8 + 4*int(b[1])
}

// aclSize is how many bytes the ACL that b begins with has; 0 if it is none.
func aclSize(b []byte) int {
	const head = 8
	if len(b) < head {
		return 0
	}
	size, count := int(le.Uint16(b[2:])), int(le.Uint16(b[4:]))
	if size < head || size > len(b) {
		return 0
	}
	at := head
	for range count {
		if size-at < 4 {
			return 0
		}
		n := int(le.Uint16(b[at+2:]))
		if n < 4 || n > size-at {
			return 0
		}
		at += n
	}
	return size
}

// take replaces parts by those of another.
func (d *descriptor) take(by *descriptor, parts dtyp.SecurityInformation) {
	if parts&dtyp.OwnerSecurity != 0 {
		d.owner = by.owner
	}
	if parts&dtyp.GroupSecurity != 0 {
		d.group = by.group
	}
	if parts&dtyp.DACLSecurity != 0 {
		const ofDACL = dtyp.DACLPresent | 0x1508 // defaulted, inheritance, protected
		d.dacl = by.dacl
		d.control = d.control&^ofDACL | by.control&ofDACL
	}
}

// append appends the parts that are asked for.
func (d *descriptor) append(parts dtyp.SecurityInformation) []byte {
	control := dtyp.SelfRelative
	if parts&dtyp.DACLSecurity != 0 {
		control |= d.control
	}
	b := wire.AppendU16([]byte{1, 0}, uint16(control))
	b = wire.AppendZeros(b, descriptorHeader-len(b))
	part := func(want dtyp.SecurityInformation, at int, data []byte) {
		if parts&want != 0 && data != nil {
			wire.PutU32(b[at:], uint32(len(b)))
			b = append(b, data...)
		}
	}
	part(dtyp.OwnerSecurity, 4, d.owner)
	part(dtyp.GroupSecurity, 8, d.group)
	part(dtyp.DACLSecurity, 16, d.dacl)
	return b
}

// setSecurity serves SET_INFO of a security descriptor. [MS-FSA] 2.1.5.17
func (o *open) setSecurity(m *smb2.SetInfoRequest) status {
	need := dtyp.AccessMask(0)
	if m.Additional&(dtyp.OwnerSecurity|dtyp.GroupSecurity|dtyp.LabelSecurity) != 0 {
		need |= dtyp.WriteOwner
	}
	if m.Additional&dtyp.DACLSecurity != 0 {
		need |= dtyp.WriteDAC
	}
	if o.access&need != need || m.Additional&dtyp.SACLSecurity != 0 {
		return ntstatus.AccessDenied
	}
	given, ok := parseDescriptor(m.Data)
	if !ok {
		return ntstatus.InvalidParameter
	}
	s := o.s
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.keep(o.file.key)
	if k == nil {
		return ntstatus.InsufficientResources
	}
	d := *everybody()
	if k.security != nil {
		d = *k.security
	}
	d.take(given, m.Additional)
	k.security = &d
	return ntstatus.Success
}

// querySecurity tells whose a file is. [MS-FSA] 2.1.5.14
func (r *request) querySecurity(o *open, m *smb2.QueryInfoRequest) status {
	if m.Additional&(dtyp.OwnerSecurity|dtyp.GroupSecurity|dtyp.DACLSecurity|dtyp.LabelSecurity) != 0 {
		if st := o.needs(dtyp.ReadControl); st != ntstatus.Success {
			return st
		}
	}
	if m.Additional&dtyp.SACLSecurity != 0 {
		return ntstatus.AccessDenied
	}
	d := everybody()
	o.s.mu.Lock()
	if k := o.s.keeps(o.file.key); k != nil && k.security != nil {
		d = k.security
	}
	o.s.mu.Unlock()
	b := d.append(m.Additional)
	if len(b) > int(m.OutputLength) {
		e := smb2.ErrorResponse{Data: wire.AppendU32(nil, uint32(len(b)))}
		if r.c.dialect == smb2.Dialect311 {
			e.ContextCount = 1
		}
		r.body = e.Append(nil)
		return ntstatus.BufferTooSmall
	}
	r.body = smb2.AppendOutput(nil, b)
	return ntstatus.Success
}
